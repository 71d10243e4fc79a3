/* SPDX-License-Identifier: MIT */
/*
 * From frames to what is seen: the one path that live and replayed data take, so that both give the
 * same bytes.
 *
 *     frame -> recording (live only)
 *           -> order -> model -> layers -> renderers
 *                          -> explain -> renderers
 *
 * The pipeline owns the order stage, the model, the explainer and the renderers' states. Output streams and the
 * recording's writer stay the caller's.
 */
#ifndef SOCKLENS_CMD_PIPELINE_H
#define SOCKLENS_CMD_PIPELINE_H

#include <stdbool.h>

#include "record/record.h"
#include "render/render.h"

#define PIPELINE_VIEWS 4

struct pipeline;

struct pipeline_state {
	__u64 events; /* records so far */
	__u64 lost;   /* records that could not be kept, as the last LOSS frame says */
	bool enough;  /* the limit of pipeline_limit() was reached: what comes after is left out */
	bool ended;   /* the END frame was there */
	int view_err; /* first error of a view's output; -EPIPE: its reader went away */
	int tap_err;  /* first error of the recording */
};

/* layers: LAYER_* to show, 0 = those the run looked at. NULL: out of memory. */
struct pipeline *pipeline_new(unsigned int layers);
void pipeline_free(struct pipeline *p); /* NULL is accepted */

/* Show it like this, too; v is copied. 0 or -ENOSPC. Before the first frame. */
int pipeline_view(struct pipeline *p, const struct renderer *renderer, const struct view *v);
/* Record every frame. Before the first frame. */
void pipeline_tap(struct pipeline *p, struct record_writer *w);
/*
 * Stop after this many things that happened (calls, segments, kernel moments; not the bookkeeping).
 */
void pipeline_limit(struct pipeline *p, __u64 events);
/* How verdicts are reached, where some renderer asks for them. Before the first frame. */
void pipeline_explain(struct pipeline *p, struct explain_options o);
/* Called before a step is shown: may take its time, cannot change a byte. */
void pipeline_pace(struct pipeline *p, void (*pace)(void *ctx, __u64 t_ns), void *ctx);

/* One frame. 0, or -ENOMEM; errors of outputs are in the state and stop only that output. */
int pipeline_frame(struct pipeline *p, const struct frame *f);
/* The stream is over, in order or not: everything held back, the summaries, the last lines. */
int pipeline_finish(struct pipeline *p);

const struct pipeline_state *pipeline_state(const struct pipeline *p);

#endif
