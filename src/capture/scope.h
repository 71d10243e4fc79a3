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
/* Nothing was asked for: a run looks at its own loopback and into the labs (labs.h). */
bool scope_is_bare(const struct capture_opts *opts);

#endif
