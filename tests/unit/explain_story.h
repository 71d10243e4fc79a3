/* SPDX-License-Identifier: MIT */
/*
 * Stories of build_events.h and build_tcp.h with an explainer listening: every step the model makes
 * is explained, and the verdicts are kept.
 */
#ifndef SOCKLENS_TESTS_EXPLAIN_STORY_H
#define SOCKLENS_TESTS_EXPLAIN_STORY_H

#include <poll.h>

#include "build_tcp.h"

#include "explain/explain.h"

#define VERDICTS_MAX 256

struct why_story {
	struct story y; /* first: tell() and its kin are given &w->y */
	struct explain *x;
	size_t n;
	struct verdict told[VERDICTS_MAX];
};

static inline int why_step_told(void *ctx, const struct step *s)
{
	struct why_story *w = ctx;
	int err = story_step(&w->y, s);

	return err ? err : explain_step(w->x, s);
}

static inline int why_told(void *ctx, const struct verdict *v)
{
	struct why_story *w = ctx;
	unsigned int i;

	assert_int_equal(v->id, w->n + 1);
	assert_true(v->question[0] && v->cause[0]);
	assert_true(strlen(v->question) < sizeof(v->question) - 1);
	assert_true(strlen(v->cause) < sizeof(v->cause) - 1); /* not cut */
	assert_true(strlen(v->remedy) < sizeof(v->remedy) - 1);
	assert_int_equal(v->certainty == INFERRED, v->basis[0] != '\0');
	assert_true(v->n_evidence > 0);
	for (i = 0; i < v->n_evidence; i++) {
		assert_in_range(v->evidence[i], 1, w->y.n);
		assert_true(!i || v->evidence[i] > v->evidence[i - 1]);
	}
	assert_true(w->n < VERDICTS_MAX);
	w->told[w->n++] = *v;
	return 0;
}

static inline void why_open(struct why_story *w)
{
	story_open(&w->y);
	model_free(w->y.m);
	w->y.m = model_new(why_step_told, w);
	assert_non_null(w->y.m);
	w->x = explain_new(w->y.m, NULL, why_told, w);
	assert_non_null(w->x);
	w->n = 0;
}

static inline void why_close(struct why_story *w)
{
	explain_free(w->x);
	story_close(&w->y);
}

/* Time passes: what waits is looked at. */
static inline void why_wait(struct why_story *w, __u64 ns)
{
	story_wait(&w->y, ns);
	assert_int_equal(explain_tick(w->x, w->y.t_ns), 0);
}

static inline void why_finish(struct why_story *w)
{
	assert_int_equal(model_finish(w->y.m), 0);
	assert_int_equal(explain_finish(w->x), 0);
}

static inline size_t why_count(const struct why_story *w, const char *rule)
{
	size_t i, n = 0;

	for (i = 0; i < w->n; i++)
		n += !strcmp(w->told[i].rule->name, rule);
	return n;
}

/* The latest verdict of that rule; the test fails without one. */
static inline const struct verdict *why_find(const struct why_story *w, const char *rule)
{
	size_t i;

	for (i = w->n; i > 0; i--)
		if (!strcmp(w->told[i - 1].rule->name, rule))
			return &w->told[i - 1];
	for (i = 0; i < w->n; i++)
		print_message("  %s: %s\n", w->told[i].rule->name, w->told[i].cause);
	fail_msg("no verdict %s among %zu", rule, w->n);
	return NULL;
}

static inline bool why_has_evidence(const struct verdict *v, __u64 id)
{
	unsigned int i;

	for (i = 0; i < v->n_evidence; i++)
		if (v->evidence[i] == id)
			return true;
	return false;
}

/* poll() of that socket, and of standard input if asked for. */
static inline struct made_call poll_of(const struct tcp_end *e, __u16 events, bool input)
{
	const struct poll_item items[2] = {
		{ .fd = e->fd, .events = events },
		{ .fd = 0, .events = POLLIN },
	};
	struct made_call mc = call_of(e->pid, CALL_POLL, input ? 0 : e->sid, -1);

	_Static_assert(sizeof(items) == sizeof(mc.sin), "they lie where an address does");
	memcpy(&mc.sin, items, sizeof(items));
	mc.c.tail_kind = TAIL_POLL;
	mc.c.len = mc.c.tail_count = input ? 2 : 1;
	mc.c.tail_len = (__u16)(mc.c.tail_count * sizeof(items[0]));
	return mc;
}

#define assert_says(v, words)                                              \
	do {                                                               \
		if (!strstr((v)->cause, words))                            \
			fail_msg("'%s' is not in: %s", words, (v)->cause); \
	} while (0)

static inline void why_no_alarm(const struct why_story *w)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->told[i].weight == WEIGHT_ALARM)
			fail_msg("false alarm %s: %s", w->told[i].rule->name, w->told[i].cause);
}

#endif
