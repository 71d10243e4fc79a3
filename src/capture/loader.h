/* SPDX-License-Identifier: MIT */
/*
 * From the probe table to attached programs. "In BTF", "loads" and "attaches" are three different facts: a
 * way counts only once it is attached; one that fails gives way to the next, and its reason is kept.
 */
#ifndef SOCKLENS_CAPTURE_LOADER_H
#define SOCKLENS_CAPTURE_LOADER_H

#include <bpf/libbpf.h>

#include "config.h"
#include "probe.h"

#include "trace.skel.h"

struct btf;

struct loader {
	struct trace_bpf *skel;
	struct btf *btf; /* the kernel's, some 6 MB; NULL: not needed so far, or given back as all is attached */
	int kind[BACKEND_TRACEPOINT + 1]; /* may such programs be attached: 0 = not asked, 1 = yes, or negative errno */
	struct probe_state state[MOMENTS_MAX];
	struct bpf_link *links[MOMENTS_MAX][PROGRAMS_MAX];
};

/*
 * Choose ways for the backend and layers, load, attach all but uprobes and iterators (which have no place to attach
 * to before they are asked) and what the reader runs itself. cfg is copied into the object. 0 or negative errno, *err filled.
 */
int loader_open(struct loader *l, enum backend backend, const struct config *cfg, const struct map_sizes *sizes,
		int (*fill_maps)(struct trace_bpf *skel, void *ctx), void *ctx, struct capture_error *err);
void loader_detach(struct loader *l); /* no new events from here on; maps stay */
void loader_close(struct loader *l);

/*
 * Add, per event kind, how often the kernel left a program out because it ran already on that CPU (a softirq on
 * top of it): each time may have been an event. Returns the sum.
 */
__u64 loader_misses(const struct loader *l, __u64 *lost);

/* Index of the moment that has this program, -1 = none. */
int loader_moment_of(const char *program);
/* Is the program part of a way in use? */
bool loader_has(const struct loader *l, const char *program);

#endif
