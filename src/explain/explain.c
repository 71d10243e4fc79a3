// SPDX-License-Identifier: MIT
/*
 * The table of families, and the order in which a step passes: notebook, families, calls in progress.
 */
#include <errno.h>
#include <stdlib.h>

#include "families.h"
#include "inside.h"

#define BLOCKED_NS (20 * NS_PER_MS)

/* Of two verdicts on one step, the one further up is told first. */
static const struct family *const families[] = {
	&explain_eof,	  &explain_connect, &explain_rst,     &explain_bytes, &explain_bounds,
	&explain_amounts, &explain_block,   &explain_queue,   &explain_nagle, &explain_fin,
	&explain_pipe,	  &explain_ends,    &explain_bind,    &explain_name,  &explain_fd,
	&explain_misuse,  &explain_again,   &explain_buffers, &explain_udp,
};
#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

/* What families keep lies one behind the other, each aligned for any type. */
static size_t room(size_t size)
{
	return (size + 15) & ~(size_t)15;
}

void *note_own(const struct explain *x, struct note *n, const struct family *f)
{
	size_t i, at = 0;

	(void)x;
	for (i = 0; families[i] != f; i++)
		at += room(families[i]->note_size);
	return n->own + at;
}

void *family_state(const struct explain *x, const struct family *f)
{
	size_t i, at = 0;

	for (i = 0; families[i] != f; i++)
		at += room(families[i]->state_size);
	return (char *)x->states + at;
}

struct explain *explain_new(const struct model *m, const struct explain_options *o, verdict_fn fn,
			    void *ctx)
{
	struct explain *x = calloc(1, sizeof(*x));
	size_t i, state_bytes = 0;

	if (!x)
		return NULL;
	x->m = m;
	x->o = o ? *o : (struct explain_options){ 0 };
	if (!x->o.blocked_ns)
		x->o.blocked_ns = BLOCKED_NS;
	x->fn = fn;
	x->ctx = ctx;
	TAILQ_INIT(&x->waiting);
	for (i = 0; i < N_FAMILIES; i++) {
		x->note_bytes += room(families[i]->note_size);
		state_bytes += room(families[i]->state_size);
	}
	x->callers = hash_new();
	x->states = calloc(1, state_bytes ? state_bytes : 1);
	if (book_open(x) && x->callers && x->states)
		return x;
	explain_free(x);
	return NULL;
}

void explain_free(struct explain *x)
{
	if (!x)
		return;
	calls_free(x);
	book_close(x);
	free(x->states);
	free(x);
}

int explain_step(struct explain *x, const struct step *s)
{
	size_t i;
	int err;

	if (s->t_ns > x->now_ns)
		x->now_ns = s->t_ns;
	if (s->kind == STEP_LOST)
		x->lossy = true;
	err = notes_step(x, s);
	for (i = 0; !err && i < N_FAMILIES; i++)
		if (families[i]->step)
			err = families[i]->step(x, s);
	return err ? err : calls_step(x, s);
}

int explain_tick(struct explain *x, __u64 horizon_ns)
{
	size_t i;
	int err = 0;

	if (horizon_ns > x->now_ns)
		x->now_ns = horizon_ns;
	for (i = 0; !err && i < N_FAMILIES; i++)
		if (families[i]->tick)
			err = families[i]->tick(x, x->now_ns);
	book_tick(x, x->now_ns);
	return err;
}

int explain_finish(struct explain *x)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < N_FAMILIES; i++)
		if (families[i]->finish)
			err = families[i]->finish(x, x->now_ns);
	return err;
}

__u64 explain_count(const struct explain *x)
{
	return x->n;
}

const struct rule *explain_rules(size_t *pos)
{
	size_t i, at = *pos;

	for (i = 0; i < N_FAMILIES; i++) {
		if (at < families[i]->n_rules) {
			++*pos;
			return &families[i]->rules[at];
		}
		at -= families[i]->n_rules;
	}
	return NULL;
}
