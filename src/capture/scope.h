/* SPDX-License-Identifier: MIT */
/*
 * From the options to what the BPF object filters by.
 */
#ifndef SOCKLENS_CAPTURE_SCOPE_H
#define SOCKLENS_CAPTURE_SCOPE_H

#include "loader.h"

void scope_config(struct config *cfg, const struct capture_opts *opts);
/* Targets, exclusions, namespaces: before anything is attached. ctx = struct capture_opts. */
int scope_fill_maps(struct trace_bpf *skel, void *ctx);
/* Bare runs: network namespaces of labs that appeared since. Cheap enough for once a second. */
void scope_refresh_labs(struct trace_bpf *skel, const struct capture_opts *opts);

#endif
