/* SPDX-License-Identifier: MIT */
#include "pipeline.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "event/decode.h"
#include "event/order.h"
#include "explain/explain.h"
#include "model/model.h"
#include "session.h"
#include "util/clock.h"
#include "util/written.h"

/* What ended is remembered for some seconds: memory is given back for longer than that after the last record. */
#define TRIM_NS (2 * NSEC_PER_SEC)
#define TRIMS 5

/* The recording loses at most this much when we are killed. */
#define FLUSH_NS (100 * NSEC_PER_MSEC)

struct outlet {
	const struct renderer *renderer;
	struct render *render; /* NULL until the first frame that is not META */
	struct view view;
	int err; /* nothing goes there any more */
};

_Static_assert(EV_KIND_MAX <= sizeof(((struct frame_loss *)0)->seen) / sizeof(__u64),
	       "a total per kind");

struct pipeline {
	struct pipeline_state state;
	struct session session;
	struct order *order;
	struct model *model;
	struct explain *explain; /* NULL: nobody asks why */
	struct outlet outlets[PIPELINE_VIEWS];
	size_t n_outlets;
	unsigned int layers; /* asked for; 0 = the session's */
	struct explain_options explain_options;
	bool opened;
	struct record_writer *tap;
	__u64 horizon_ns; /* of the last tick */
	__u64 flushed_ns; /* horizon when the recording was last written out */
	__u64 trimmed_ns; /* horizon when memory was last given back */
	unsigned int trims_due;
	__u64 limit, happened;
	__u64 seen[sizeof(((struct frame_loss *)0)->seen) / sizeof(__u64)]; /* records by kind */
	struct frame_loss loss;						    /* the latest totals */
	bool loss_waits; /* and they have not been shown */
	__u64 loss_shown;
	void (*pace)(void *ctx, __u64 t_ns);
	void *pace_ctx;
};

static void outlet_result(struct pipeline *p, struct outlet *o, int err)
{
	if (!err || o->err)
		return;
	o->err = err;
	if (!p->state.view_err)
		p->state.view_err = err;
}

static unsigned int pipeline_layers(const struct pipeline *p)
{
	if (p->layers)
		return p->layers;
	return p->session.layers ? p->session.layers : LAYER_ALL;
}

static void step_show(struct pipeline *p, const struct step *s)
{
	struct outlet *o;

	if (s->kind == STEP_EVENT && !(s->layer & pipeline_layers(p)))
		return;
	if (p->pace)
		p->pace(p->pace_ctx, s->t_ns);
	for (o = p->outlets; o < p->outlets + p->n_outlets; o++)
		if (!o->err && o->renderer->step)
			outlet_result(p, o, o->renderer->step(o->render, s));
}

/* Why is asked of every step, shown or not: what is hidden may be what proves it. */
static int on_step(void *ctx, const struct step *s)
{
	struct pipeline *p = ctx;

	step_show(p, s);
	return p->explain ? explain_step(p->explain, s) : 0;
}

static bool outlet_asks(const struct outlet *o)
{
	return o->renderer->verdict && !o->view.no_verdicts;
}

static int on_verdict(void *ctx, const struct verdict *v)
{
	struct pipeline *p = ctx;
	struct outlet *o;

	if (!(v->layer & pipeline_layers(p)))
		return 0;
	for (o = p->outlets; o < p->outlets + p->n_outlets; o++)
		if (!o->err && outlet_asks(o))
			outlet_result(p, o, o->renderer->verdict(o->render, v));
	return 0;
}

static int on_moment(void *ctx, const struct moment *m)
{
	struct pipeline *p = ctx;

	return model_apply(p->model, m);
}

struct pipeline *pipeline_new(unsigned int layers)
{
	struct pipeline *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->layers = layers;
	p->order = order_new(on_moment, p);
	p->model = model_new(on_step, p);
	if (p->order && p->model)
		return p;
	pipeline_free(p);
	return NULL;
}

void pipeline_free(struct pipeline *p)
{
	struct outlet *o;

	if (!p)
		return;
	for (o = p->outlets; o < p->outlets + p->n_outlets; o++)
		if (o->render)
			o->renderer->close(o->render);
	explain_free(p->explain);
	if (p->order)
		order_free(p->order);
	if (p->model)
		model_free(p->model);
	session_free(&p->session);
	free(p);
}

int pipeline_view(struct pipeline *p, const struct renderer *renderer, const struct view *v)
{
	if (p->n_outlets == PIPELINE_VIEWS)
		return -ENOSPC;
	p->outlets[p->n_outlets++] = (struct outlet){ .renderer = renderer, .view = *v };
	return 0;
}

void pipeline_tap(struct pipeline *p, struct record_writer *w)
{
	p->tap = w;
}

void pipeline_limit(struct pipeline *p, __u64 events)
{
	p->limit = events;
}

void pipeline_explain(struct pipeline *p, struct explain_options o)
{
	p->explain_options = o;
}

void pipeline_pace(struct pipeline *p, void (*pace)(void *ctx, __u64 t_ns), void *ctx)
{
	p->pace = pace;
	p->pace_ctx = ctx;
}

const struct pipeline_state *pipeline_state(const struct pipeline *p)
{
	return &p->state;
}

static int explain_open(struct pipeline *p)
{
	const struct outlet *o;
	bool asked = false;

	for (o = p->outlets; o < p->outlets + p->n_outlets; o++)
		asked = asked || outlet_asks(o);
	if (asked)
		p->explain = explain_new(p->model, &p->explain_options, on_verdict, p);
	return asked && !p->explain ? -ENOMEM : 0;
}

/* Renderers start once the META frames are known. */
static int pipeline_open(struct pipeline *p)
{
	struct outlet *o;
	int err;

	if (p->opened)
		return 0;
	p->opened = p->session.in_use = true;
	err = explain_open(p);
	if (err)
		return err;
	for (o = p->outlets; o < p->outlets + p->n_outlets; o++) {
		o->view.layers = pipeline_layers(p);
		errno = 0;
		o->render = o->renderer->open(&o->view, &p->session.meta);
		if (!o->render) {
			outlet_result(p, o, -ENOMEM);
			return -ENOMEM;
		}
		if (o->view.out && ferror(o->view.out)) /* its first line found nobody to read it */
			outlet_result(p, o, errno ? -errno : -EIO);
	}
	return 0;
}

/* Kinds that say what processes, sockets and flows are, and how they stand: nothing happened. */
static const bool bookkeeping[EV_KIND_MAX] = {
	[EV_PROC] = true, [EV_SOCK] = true,	[EV_FLOW] = true,
	[EV_FD] = true,	  [EV_DOORBELL] = true, [EV_LEVELS] = true,
};

/* Something the user would count. */
static bool event_happened(const struct event *ev)
{
	switch (ev->kind) {
	case EV_CALL:
		return !(((const struct event_call *)ev)->cflags & CALLF_PENDING);
	case EV_GAI:
		return !(((const struct event_gai *)ev)->cflags & CALLF_PENDING);
	default:
		return !bookkeeping[ev->kind];
	}
}

/* Bytes of the batch that lie within the limit; counts its records. */
static size_t batch_count(struct pipeline *p, const void *data, size_t len)
{
	const struct event *ev;
	size_t at = 0;

	while (at < len && !p->state.enough) {
		ev = (const void *)((const char *)data + at);
		at += ev->size;
		p->seen[ev->kind]++;
		p->state.events++;
		if (p->limit && event_happened(ev) && ++p->happened == p->limit)
			p->state.enough = true;
	}
	return at;
}

static int batch_push(struct pipeline *p, const struct frame *f)
{
	const struct event *ev;
	size_t at;
	int err;

	if (!p->n_outlets)
		return 0;
	for (at = 0; at < f->len; at += ev->size) {
		ev = (const void *)((const char *)f->data + at);
		err = model_preview(p->model, ev);
		if (!err)
			err = order_push(p->order, ev);
		if (err)
			return err;
	}
	return 0;
}

static void tap_tick(struct pipeline *p, __u64 horizon_ns)
{
	if (!p->tap || p->state.tap_err || horizon_ns - p->flushed_ns < FLUSH_NS)
		return;
	p->flushed_ns = horizon_ns;
	p->state.tap_err = record_flush(p->tap);
}

static void tap_frame(struct pipeline *p, const struct frame *f)
{
	if (p->tap && !p->state.tap_err)
		p->state.tap_err = record_write(p->tap, f);
}

static void loss_take(struct pipeline *p, const struct frame_loss *l)
{
	__u64 lost = 0, begun = l->t_ns;
	size_t i;

	for (i = 0; i < sizeof(l->lost) / sizeof(l->lost[0]); i++)
		lost += l->lost[i];
	if (p->loss_waits && p->loss.t_ns < l->t_ns)
		begun = p->loss.t_ns;
	p->loss = *l;
	p->loss.t_ns = begun;
	p->state.lost = lost;
	p->loss_waits = lost > p->loss_shown;
}

/*
 * Totals as shown: what came through here, also of a recording that is cut before it says so
 * itself.
 */
static const struct frame_loss *loss_total(struct pipeline *p)
{
	memcpy(p->loss.seen, p->seen, sizeof(p->seen));
	return &p->loss;
}

/* A gap is shown where it begins: nothing behind it is told as if all had been seen. */
static int loss_show(struct pipeline *p, __u64 horizon_ns)
{
	struct outlet *o;
	int err;

	if (!p->loss_waits || p->loss.t_ns > horizon_ns)
		return 0;
	p->loss_waits = false;
	err = order_tick(p->order, p->loss.t_ns);
	if (err)
		return err;
	err = model_lost(p->model, p->loss.t_ns, p->state.lost - p->loss_shown);
	p->loss_shown = p->state.lost;
	for (o = p->outlets; o < p->outlets + p->n_outlets; o++)
		if (!o->err && o->renderer->loss)
			outlet_result(p, o, o->renderer->loss(o->render, loss_total(p)));
	return err;
}

static void outlet_flush(struct pipeline *p, struct outlet *o)
{
	if (!o->err && o->view.out)
		outlet_result(p, o, file_written(o->view.out));
}

/* The C library keeps what is freed; after a burst that is most of it, and others may want it. */
static void memory_trim(struct pipeline *p, __u64 horizon_ns)
{
	if (!p->trims_due || horizon_ns - p->trimmed_ns < TRIM_NS)
		return;
	p->trimmed_ns = horizon_ns;
	p->trims_due--;
	malloc_trim(0);
}

/* Time goes on, whatever a file says: nobody who waits for a moment waits for it twice. */
static int pipeline_tick(struct pipeline *p, __u64 horizon_ns)
{
	struct outlet *o;
	int err;

	if (horizon_ns < p->horizon_ns)
		horizon_ns = p->horizon_ns;
	p->horizon_ns = horizon_ns;
	tap_tick(p, horizon_ns);
	if (!p->n_outlets)
		return 0;
	err = loss_show(p, horizon_ns);
	if (!err)
		err = order_tick(p->order, horizon_ns);
	if (!err && p->explain)
		err = explain_tick(p->explain, horizon_ns);
	for (o = p->outlets; o < p->outlets + p->n_outlets; o++) {
		if (!o->err && o->renderer->tick)
			outlet_result(p, o, o->renderer->tick(o->render, horizon_ns));
		outlet_flush(p, o);
	}
	model_gc(p->model, horizon_ns);
	memory_trim(p, horizon_ns);
	return err;
}

/* What is recorded is what was counted: a limit may have cut batches the source has counted. */
static void tap_end(struct pipeline *p, const struct frame_end *end)
{
	const struct frame_end mine = {
		.t_ns = end->t_ns,
		.events = p->state.events,
		.lost = end->lost,
	};

	tap_frame(p, &(struct frame){ .type = FRAME_END, .data = &mine, .len = sizeof(mine) });
	p->state.ended = true;
}

static int pipeline_batch(struct pipeline *p, const struct frame *f)
{
	struct frame part = *f;

	part.len = batch_count(p, f->data, f->len);
	if (!part.len)
		return 0;
	tap_frame(p, &part);
	p->trims_due = TRIMS;
	return batch_push(p, &part);
}

int pipeline_frame(struct pipeline *p, const struct frame *f)
{
	int err = 0;

	if (f->type != FRAME_META)
		err = pipeline_open(p);
	if (err || p->state.ended)
		return err;
	if (f->type != FRAME_BATCH && f->type != FRAME_END)
		tap_frame(p, f);
	switch (f->type) {
	case FRAME_META:
		return session_apply(&p->session, f->data, f->len, p->model);
	case FRAME_BATCH:
		return pipeline_batch(p, f);
	case FRAME_TICK:
		return pipeline_tick(p, ((const struct frame_tick *)f->data)->horizon_ns);
	case FRAME_LOSS:
		loss_take(p, f->data);
		return 0;
	case FRAME_END:
		tap_end(p, f->data);
		return 0;
	}
	return 0;
}

int pipeline_finish(struct pipeline *p)
{
	struct outlet *o;
	int err, next;

	err = pipeline_open(p);
	if (err || !p->n_outlets)
		return err;
	err = loss_show(p, ~0ull);
	next = order_flush(p->order);
	err = err ? err : next;
	next = model_finish(p->model);
	err = err ? err : next;
	next = p->explain ? explain_finish(p->explain) : 0;
	err = err ? err : next;
	for (o = p->outlets; o < p->outlets + p->n_outlets; o++) {
		if (!o->err && o->renderer->finish)
			outlet_result(p, o,
				      o->renderer->finish(o->render, loss_total(p),
							  p->state.ended));
		outlet_flush(p, o);
	}
	return err;
}
