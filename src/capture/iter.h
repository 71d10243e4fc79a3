/* SPDX-License-Identifier: MIT */
/*
 * An iterator program runs when somebody reads its file; what it has to say goes into the ring.
 */
#ifndef SOCKLENS_CAPTURE_ITER_H
#define SOCKLENS_CAPTURE_ITER_H

#include <bpf/libbpf.h>

/* Once over everything that the attached iterator iterates. 0, or negative errno. */
int iter_run(const struct bpf_link *link);

#endif
