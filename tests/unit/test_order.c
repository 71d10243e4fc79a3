/* SPDX-License-Identifier: MIT */
/* The time line: pending and final records, late and early ones, ticks, stops. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "order_stage.h"

static void is(size_t i, __u64 t, __u32 sid, enum phase phase)
{
	assert_true(i < n_seen);
	assert_int_equal(seen[i].t, t);
	assert_int_equal(seen[i].sid, sid);
	assert_int_equal(seen[i].phase, phase);
}

static void test_two_moments(void **state)
{
	(void)state;
	push_call(1, 10, 100, 200, 0);
	push_point(2, 150, 0);
	flush();
	assert_int_equal(n_seen, 3);
	is(0, 100, 1, PHASE_ENTER);
	assert_true(seen[0].exit_known);
	is(1, 150, 2, PHASE_POINT);
	is(2, 200, 1, PHASE_EXIT);
	assert_false(seen[2].was_pending);
}

static void test_ties_by_arrival(void **state)
{
	(void)state;
	push_point(1, 100, 0);
	push_call(2, 10, 100, 100, 0);
	push_point(3, 100, 0);
	flush();
	assert_int_equal(n_seen, 4);
	is(0, 100, 1, PHASE_POINT);
	is(1, 100, 2, PHASE_ENTER);
	is(2, 100, 2, PHASE_EXIT);
	is(3, 100, 3, PHASE_POINT);
}

static void test_horizon(void **state)
{
	(void)state;
	push_call(1, 10, 100, 300, 0);
	push_point(2, 200, 0);
	tick(99);
	assert_int_equal(n_seen, 0);
	tick(100); /* the horizon itself is released */
	assert_int_equal(n_seen, 1);
	tick(250);
	assert_int_equal(n_seen, 2);
	tick(50); /* a step back changes nothing */
	assert_int_equal(n_seen, 2);
	tick(300);
	is(2, 300, 1, PHASE_EXIT);
}

static void test_pending_then_final(void **state)
{
	(void)state;
	push_call(1, 10, 100, 150, CALLF_PENDING);
	push_call(2, 10, 100, 250, CALLF_PENDING); /* looked at again: nothing new */
	tick(300);
	assert_int_equal(n_seen, 1);
	is(0, 100, 1, PHASE_ENTER);
	assert_false(seen[0].exit_known);
	push_call(3, 10, 100, 350, CALLF_PENDING);
	push_call(4, 10, 100, 400, 0);
	flush();
	assert_int_equal(n_seen, 2);
	is(1, 400, 4, PHASE_EXIT);
	assert_true(seen[1].was_pending);
}

static void test_pending_not_yet_released(void **state)
{
	(void)state;
	push_call(1, 10, 100, 150, CALLF_PENDING);
	push_call(2, 10, 100, 180, 0);
	flush();
	assert_int_equal(n_seen, 2);
	is(0, 100, 1, PHASE_ENTER);
	is(1, 180, 2, PHASE_EXIT);
	assert_true(seen[1].was_pending);
}

/* The reader may see the same call once more while its final record is under way already. */
static void test_pending_after_final(void **state)
{
	(void)state;
	push_call(1, 10, 100, 200, 0);
	push_call(2, 10, 100, 210, CALLF_PENDING);
	flush();
	assert_int_equal(n_seen, 2);
	is(0, 100, 1, PHASE_ENTER);
	is(1, 200, 1, PHASE_EXIT);
}

/* It may also see the thread's next call before it drained the last one's end. */
static void test_pending_overtakes_final(void **state)
{
	(void)state;
	push_call(1, 10, 100, 150, CALLF_PENDING);
	tick(160);
	push_call(2, 10, 300, 310, CALLF_PENDING);
	push_call(3, 10, 100, 200, 0);
	push_call(4, 10, 300, 400, 0);
	flush();
	assert_int_equal(n_seen, 4);
	is(1, 200, 3, PHASE_EXIT);
	assert_true(seen[1].was_pending);
	is(2, 300, 2, PHASE_ENTER);
	is(3, 400, 4, PHASE_EXIT);
	assert_true(seen[3].was_pending);
}

static void test_threads_apart(void **state)
{
	(void)state;
	push_call(1, 10, 100, 150, CALLF_PENDING);
	push_call(2, 11, 100, 150, CALLF_PENDING); /* same time, another thread */
	push_call(3, 11, 100, 200, 0);
	flush();
	assert_int_equal(n_seen, 3);
	is(2, 200, 3, PHASE_EXIT);
	push_call(4, 10, 100, 300, 0);
	flush();
	assert_int_equal(n_seen, 4);
	assert_true(seen[3].was_pending);
}

static void test_lost_final(void **state)
{
	__u64 t;

	(void)state;
	for (t = 100; t < 1000; t += 100) /* the finals of all but the last one were lost */
		push_call(1, 10, t, t + 50, CALLF_PENDING);
	push_call(2, 10, 900, 990, 0);
	flush();
	assert_int_equal(n_seen, 10);
	assert_true(seen[9].was_pending);
}

static void test_killed_and_midway(void **state)
{
	(void)state;
	push_call(1, 10, 100, 150, CALLF_PENDING | CALLF_SEEN_MID);
	push_call(2, 10, 100, 400, CALLF_KILLED | CALLF_SEEN_MID);
	push_call(3, 11, 120, 410, CALLF_KILLED);
	push_call(4, 12, 130, 420, CALLF_SEEN_MID);
	flush();
	assert_int_equal(n_seen, 6);
	is(0, 100, 1, PHASE_ENTER);
	is(1, 120, 3, PHASE_ENTER);
	is(2, 130, 4, PHASE_ENTER);
	is(3, 400, 2, PHASE_EXIT);
	assert_true(seen[3].was_pending);
	is(4, 410, 3, PHASE_EXIT);
	assert_false(seen[4].was_pending);
	is(5, 420, 4, PHASE_EXIT);
}

/* close_range() gives one record per socket; only one can take up the entry given before. */
static void test_several_finals(void **state)
{
	(void)state;
	push_call(1, 10, 100, 150, CALLF_PENDING);
	push_call(2, 10, 100, 200, 0);
	push_call(3, 10, 100, 200, 0);
	flush();
	assert_int_equal(n_seen, 4);
	is(0, 100, 1, PHASE_ENTER);
	is(1, 100, 3, PHASE_ENTER);
	is(2, 200, 2, PHASE_EXIT);
	assert_true(seen[2].was_pending);
	is(3, 200, 3, PHASE_EXIT);
	assert_false(seen[3].was_pending);
}

static void test_closed_by_kernel(void **state)
{
	(void)state;
	push_call(1, 10, 100, 200, CALLF_BY_EXIT);
	push_call(2, 10, 100, 201, CALLF_BY_EXEC);
	flush();
	assert_int_equal(n_seen, 2);
	is(0, 200, 1, PHASE_POINT);
	is(1, 201, 2, PHASE_POINT);
}

static void test_gai_nests_calls(void **state)
{
	(void)state;
	push_gai(1, 10, 100, 150, CALLF_PENDING);
	push_call(2, 10, 100, 150, CALLF_PENDING | CALLF_IN_GAI); /* even at the same moment */
	push_call(3, 10, 100, 200, CALLF_IN_GAI);
	push_call(4, 10, 210, 220, CALLF_IN_GAI);
	push_gai(5, 10, 100, 150, CALLF_PENDING);
	push_gai(6, 10, 100, 300, 0);
	flush();
	assert_int_equal(n_seen, 6);
	is(0, 100, 1, PHASE_ENTER);
	is(1, 100, 2, PHASE_ENTER);
	is(2, 200, 3, PHASE_EXIT);
	assert_true(seen[2].was_pending);
	is(5, 300, 6, PHASE_EXIT);
	assert_true(seen[5].was_pending);
}

static void test_late_and_early(void **state)
{
	(void)state;
	push_point(1, 1000, 0);
	tick(1000);
	push_point(2, 1100, 0);
	push_call(3, 10, 900, 950, 0); /* late: older than what was released */
	push_call(4, 10, 300, 310, 0);
	push_point(5, 200, EVF_EARLY);
	tick(1050);
	assert_int_equal(n_seen, 6);
	is(1, 200, 5, PHASE_POINT);
	is(2, 300, 4, PHASE_ENTER);
	is(3, 310, 4, PHASE_EXIT);
	is(4, 900, 3, PHASE_ENTER);
	is(5, 950, 3, PHASE_EXIT);
	tick(1100);
	is(6, 1100, 2, PHASE_POINT);
}

static void test_wrong_times(void **state)
{
	(void)state;
	push_call(1, 10, 500, 100,
		  0); /* returns before it was entered: no such call, but no chaos */
	push_call(2, 11, 0, 0, CALLF_PENDING);
	push_call(3, 11, 0, 0, 0);
	push_call(4, 12, ~0ull, ~0ull, 0);
	flush();
	assert_true(n_seen >= 6);
	assert_int_equal(seen[0].sid, 3);
	is(2, 500, 1, PHASE_ENTER);
	is(3, 500, 1, PHASE_EXIT);
	is(n_seen - 1, ~0ull, 4, PHASE_EXIT);
}

static void test_stop_and_go_on(void **state)
{
	(void)state;
	push_call(1, 10, 100, 200, 0);
	push_point(2, 300, 0);
	stop_after = 2;
	assert_int_equal(order_flush(stage), -EPIPE);
	assert_int_equal(n_seen, 2);
	stop_after = 0;
	flush();
	assert_int_equal(n_seen, 3);
	is(2, 300, 2, PHASE_POINT);
}

/* The record in the callback is a copy: whole, and not the caller's. */
static int see_bytes(void *ctx, const struct moment *m)
{
	const struct event_call *c = (const struct event_call *)m->ev;
	const unsigned char *tail = (const unsigned char *)(c + 1);
	size_t i;

	++*(int *)ctx;
	assert_int_equal(c->e.size, sizeof(*c) + EVENT_TAIL_MAX);
	for (i = 0; i < EVENT_TAIL_MAX; i++)
		assert_int_equal(tail[i], 0xa5);
	return 0;
}

static void test_copy(void **state)
{
	struct {
		struct event_call c;
		unsigned char tail[EVENT_TAIL_MAX];
	} r = { .c = { .t_enter = 1 } };
	int count = 0;
	struct order *o = order_new(see_bytes, &count);

	(void)state;
	r.c.e = (struct event){ .kind = EV_CALL, .size = sizeof(r), .t_ns = 2 };
	r.c.tail_len = EVENT_TAIL_MAX;
	memset(r.tail, 0xa5, sizeof(r.tail));
	assert_int_equal(order_push(o, &r.c.e), 0);
	memset(&r, 0, sizeof(r));
	assert_int_equal(order_flush(o), 0);
	assert_int_equal(count, 2);
	order_free(o);
}

static void test_free_with_waiting(void **state)
{
	struct order *o = order_new(see, seen);
	struct event ev = { .kind = EV_DOORBELL, .size = sizeof(ev) };

	(void)state;
	assert_int_equal(order_push(o, &ev), 0);
	order_free(o);
	order_free(NULL);
}

/* Memory and time must not grow with what has passed through. */
static void test_many_threads(void **state)
{
	__u64 t = 1000;
	__u32 i;

	(void)state;
	for (i = 0; i < 60000; i++) {
		t += 1000000;
		push_call(i, i, t, t + 10, 0);
		tick(t + 20);
	}
	assert_int_equal(n_seen, 120000);
	push_call(1, 5, t + 100, t + 200, CALLF_PENDING); /* a number used again */
	push_call(2, 5, t + 100, t + 300, 0);
	flush();
	assert_int_equal(n_seen, 120002);
	assert_true(seen[120001].was_pending);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_two_moments),
		CASE(test_ties_by_arrival),
		CASE(test_horizon),
		CASE(test_pending_then_final),
		CASE(test_pending_not_yet_released),
		CASE(test_pending_after_final),
		CASE(test_pending_overtakes_final),
		CASE(test_threads_apart),
		CASE(test_lost_final),
		CASE(test_killed_and_midway),
		CASE(test_several_finals),
		CASE(test_closed_by_kernel),
		CASE(test_gai_nests_calls),
		CASE(test_late_and_early),
		CASE(test_wrong_times),
		CASE(test_stop_and_go_on),
		CASE(test_copy),
		CASE(test_free_with_waiting),
		CASE(test_many_threads),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
