/* SPDX-License-Identifier: MIT */
/*
 * The running kernel as a stream of frames: polls the ring, asks for calls in progress, counts losses.
 */
#ifndef SOCKLENS_CAPTURE_LIVE_H
#define SOCKLENS_CAPTURE_LIVE_H

#include "loader.h"
#include "record/frame.h"

struct live;

/* What the stream asks of its owner, between frames. */
struct live_hooks {
	void (*process)(void *ctx, __u32 pid); /* a process came into view or changed its program */
	void (*second)(void *ctx);	       /* about once a second while there is something to do */
	void (*stop)(void *ctx);	       /* detach everything now */
};

/* NULL with errno. opts and loader must live longer. */
struct live *live_new(struct loader *l, const struct capture_opts *opts, const struct live_hooks *hooks,
		      void *ctx);
struct source *live_source(struct live *v);
void live_stop(struct live *v); /* async-signal-safe */
void live_finish(struct live *v); /* stop when 20 ms passed without a record, 100 ms from now at the latest */
int live_try(const struct live *v); /* may calls in progress be asked for now? 0 or negative errno */
void live_free(struct live *v); /* NULL is accepted */

#endif
