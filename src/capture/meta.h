/* SPDX-License-Identifier: MIT */
/*
 * What META frames carry: "key\0value\0" pairs about this run and this kernel.
 */
#ifndef SOCKLENS_CAPTURE_META_H
#define SOCKLENS_CAPTURE_META_H

#include "loader.h"
#include "util/buf.h"

/* Machine, clocks, scope, and how each moment is seen. 0 or -ENOMEM. */
int meta_run(struct buf *b, const struct loader *l, const struct capture_opts *opts);
/* The running kernel's names of RST and drop reasons, from its BTF. 0 or -ENOMEM. */
int meta_reasons(struct buf *b);

#endif
