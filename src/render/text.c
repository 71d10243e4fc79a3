/* SPDX-License-Identifier: MIT */
/*
 * The three-column text. Steps pass straight through unless one waits for its socket's role: a
 * socket() is neither client nor server before it connects or listens. Then that step and all
 * behind it wait, so that times stay in order, until the role is known or ROLE_WAIT_NS has passed.
 */
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MAX 16384 /* steps that may wait: memory stays bounded */

struct held {
	struct held *next;
	__u64 since_ns; /* boot clock: when it began to wait */
	struct step step;
	bool unaccepted;	 /* as it was when the step came */
	struct verdict *verdict; /* set: no step but a verdict on one before */
	struct frame_loss
		*loss; /* set: no step but a loss to be told here; holds two, now and before */
	_Alignas(8) unsigned char ev[];
};

static struct render *text_open(const struct view *v, const struct session_meta *meta)
{
	struct render *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->view = *v;
	r->meta = *meta;
	r->tail = &r->head;
	columns_set(&r->columns, v->width, 0, 0);
	r->columns.width = 0; /* laid out with the first line */
	return r;
}

/* Processes and segments have their column from elsewhere; what is only counted needs none. */
static bool needs_role(struct render *r, const struct step *s)
{
	const struct shown *m;

	if (s->kind != STEP_EVENT || s->ev->kind == EV_SEGMENT || s->ev->kind == EV_PROC)
		return false;
	if (step_role(s) != ROLE_NONE || step_in_gai(s))
		return false;
	if (!s->sock)
		return s->proc != NULL;
	m = lines_shown(r, s->sock->sid);
	return !m->roleless && !m->in_gai;
}

/* Is this the client's step while its connection waits for accept()? Soon it will not be true. */
static bool is_unaccepted(const struct step *s)
{
	const struct sock *peer = s->conn ? s->conn->end[1] : NULL;

	return peer && peer != s->sock && peer->passive && !peer->opener_pid;
}

static void held_free(struct held *h)
{
	free(h->loss);
	free(h->verdict);
	free(h);
}

static int held_append(struct render *r, struct held *h)
{
	h->next = NULL;
	*r->tail = h;
	r->tail = &h->next;
	r->n_held++;
	return 0;
}

static int hold_step(struct render *r, const struct step *s)
{
	size_t size = s->ev ? s->ev->size : 0;
	struct held *h = calloc(1, sizeof(*h) + size);

	if (!h)
		return -ENOMEM;
	h->step = *s;
	h->unaccepted = is_unaccepted(s);
	h->since_ns = s->t_ns > r->horizon_ns ? s->t_ns : r->horizon_ns;
	if (size) {
		memcpy(h->ev, s->ev, size);
		h->step.ev = (const struct event *)h->ev;
	}
	return held_append(r, h);
}

static int hold_loss(struct render *r, const struct frame_loss *now)
{
	struct held *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->loss = malloc(2 * sizeof(*h->loss));
	if (!h->loss) {
		free(h);
		return -ENOMEM;
	}
	h->loss[0] = *now;
	h->loss[1] = r->loss;
	return held_append(r, h);
}

static int hold_verdict(struct render *r, const struct verdict *v)
{
	struct held *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->verdict = malloc(sizeof(*v));
	if (!h->verdict) {
		free(h);
		return -ENOMEM;
	}
	*h->verdict = *v;
	return held_append(r, h);
}

/* Wait no longer? A socket that got no role in time is never waited for again. */
static bool held_ready(struct render *r, const struct held *h, bool all)
{
	if (h->loss || h->verdict || !needs_role(r, &h->step))
		return true;
	if (!all && r->n_held < HELD_MAX && r->horizon_ns < h->since_ns + ROLE_WAIT_NS)
		return false;
	if (h->step.sock)
		lines_shown(r, h->step.sock->sid)->roleless = true;
	return true;
}

static int held_show(struct render *r, const struct held *h)
{
	if (h->loss)
		return summary_loss(r, &h->loss[0], &h->loss[1]);
	return h->verdict ? why_step(r, h->verdict) : lines_step(r, &h->step);
}

static int held_drain(struct render *r, bool all)
{
	struct held *h;
	int err = 0;

	while (!err && r->head && held_ready(r, r->head, all)) {
		h = r->head;
		r->head = h->next;
		if (!r->head)
			r->tail = &r->head;
		r->n_held--;
		r->unaccepted = h->unaccepted;
		err = held_show(r, h);
		held_free(h);
	}
	return err;
}

static int text_step(struct render *r, const struct step *s)
{
	int err = 0;

	if (lines_hidden(s) || (s->kind == STEP_EVENT && !(s->layer & r->view.layers)))
		return r->head ? held_drain(r, false) : 0;
	if (!r->head && !needs_role(r, s)) {
		r->unaccepted = is_unaccepted(s);
		return lines_step(r, s);
	}
	err = hold_step(r, s);
	return err ? err : held_drain(r, false);
}

static int text_verdict(struct render *r, const struct verdict *v)
{
	return r->head ? hold_verdict(r, v) : why_step(r, v);
}

static int text_tick(struct render *r, __u64 horizon_ns)
{
	int err;

	if (horizon_ns > r->horizon_ns)
		r->horizon_ns = horizon_ns;
	err = held_drain(r, false);
	return err ? err : draft_tick(r, horizon_ns);
}

static int text_loss(struct render *r, const struct frame_loss *l)
{
	int err = r->head ? hold_loss(r, l) : summary_loss(r, l, &r->loss);

	r->loss = *l;
	return err;
}

static int text_finish(struct render *r, const struct frame_loss *total, bool complete)
{
	int err = held_drain(r, true);

	if (!err)
		err = draft_flush(r);
	if (!err)
		err = summary_end(r, total ? total : &r->loss, complete);
	if (!err && fflush(r->view.out))
		err = -errno;
	return err;
}

static void text_close(struct render *r)
{
	struct held *h;

	if (!r)
		return;
	while ((h = r->head)) {
		r->head = h->next;
		held_free(h);
	}
	why_free(r);
	free(r);
}

const struct renderer render_text = {
	.name = "text",
	.open = text_open,
	.step = text_step,
	.verdict = text_verdict,
	.tick = text_tick,
	.loss = text_loss,
	.finish = text_finish,
	.close = text_close,
};
