/* SPDX-License-Identifier: MIT */
/*
 * One ordering stage and what came out of it, for the tests of the time line. Include after cmocka.h.
 */
#ifndef SOCKLENS_TESTS_ORDER_STAGE_H
#define SOCKLENS_TESTS_ORDER_STAGE_H

#include <errno.h>
#include <stdbool.h>

#include "event/order.h"

/* What came out: enough of a moment to know it again. */
struct seen {
	__u64 t;
	__u32 sid; /* tests number their records by it */
	enum phase phase;
	bool exit_known, was_pending;
};

#define SEEN_MAX 200000
static struct seen seen[SEEN_MAX];
static size_t n_seen;
static int stop_after; /* the callback's answer to the n-th moment; 0 = never */

static inline int see(void *ctx, const struct moment *m)
{
	assert_ptr_equal(ctx, seen);
	assert_true(n_seen < SEEN_MAX);
	seen[n_seen++] = (struct seen){
		.t = m->t_ns,
		.sid = m->ev->sid,
		.phase = m->phase,
		.exit_known = m->exit_known,
		.was_pending = m->was_pending,
	};
	return stop_after && n_seen == (size_t)stop_after ? -EPIPE : 0;
}

static struct order *stage;

static inline int setup(void **state)
{
	(void)state;
	n_seen = 0;
	stop_after = 0;
	stage = order_new(see, seen);
	return stage ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	order_free(stage);
	return 0;
}

static inline void push_point(__u32 sid, __u64 t, __u8 flags)
{
	struct event_sock s = {
		.e = { .kind = EV_STATE, .size = sizeof(s), .sid = sid, .t_ns = t, .flags = flags },
	};

	assert_int_equal(order_push(stage, &s.e), 0);
}

static inline void push_call(__u32 sid, __u32 tid, __u64 t_enter, __u64 t, __u8 cflags)
{
	struct event_call c = {
		.e = { .kind = EV_CALL, .size = sizeof(c), .sid = sid, .tid = tid, .t_ns = t },
		.t_enter = t_enter,
		.cflags = cflags,
	};

	assert_int_equal(order_push(stage, &c.e), 0);
}

static inline void push_gai(__u32 sid, __u32 tid, __u64 t_enter, __u64 t, __u8 cflags)
{
	struct event_gai g = {
		.e = { .kind = EV_GAI, .size = sizeof(g), .sid = sid, .tid = tid, .t_ns = t },
		.t_enter = t_enter,
		.cflags = cflags,
	};

	assert_int_equal(order_push(stage, &g.e), 0);
}

static inline void tick(__u64 horizon)
{
	assert_int_equal(order_tick(stage, horizon), 0);
}

static inline void flush(void)
{
	assert_int_equal(order_flush(stage), 0);
}

#endif
