/* SPDX-License-Identifier: MIT */
/* The time line against a plain sort: random calls, moments and ticks from fixed seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "order_stage.h"

#define STREAM 2000
struct expected {
	struct seen what;
	size_t arrival;
	bool released;
};
static struct expected expected[2 * STREAM];
static size_t n_expected;

static void expect(__u64 t, __u32 sid, enum phase phase, bool exit_known, bool was_pending)
{
	expected[n_expected] = (struct expected){
		.what = { t, sid, phase, exit_known, was_pending },
		.arrival = n_expected,
	};
	n_expected++;
}

static int by_time(const void *a, const void *b)
{
	const struct expected *x = *(const struct expected *const *)a;
	const struct expected *y = *(const struct expected *const *)b;

	if (x->what.t != y->what.t)
		return x->what.t < y->what.t ? -1 : 1;
	return x->arrival < y->arrival ? -1 : 1;
}

/* What a tick must release now: everything waiting up to the horizon, sorted. Compare. */
static void compare_tick(__u64 horizon)
{
	static const struct expected *due[2 * STREAM];
	size_t n = 0, i, first = n_seen;

	for (i = 0; i < n_expected; i++) {
		if (expected[i].released || expected[i].what.t > horizon)
			continue;
		expected[i].released = true;
		due[n++] = &expected[i];
	}
	qsort(due, n, sizeof(due[0]), by_time);
	tick(horizon);
	assert_int_equal(n_seen - first, n);
	for (i = 0; i < n; i++) {
		assert_int_equal(seen[first + i].t, due[i]->what.t);
		assert_int_equal(seen[first + i].sid, due[i]->what.sid);
		assert_int_equal(seen[first + i].phase, due[i]->what.phase);
		assert_int_equal(seen[first + i].exit_known, due[i]->what.exit_known);
		assert_int_equal(seen[first + i].was_pending, due[i]->what.was_pending);
	}
}

#define THREADS 20
struct caller {
	__u64 t_enter; /* of the call in progress, 0 = none */
	bool told;     /* a pending record was pushed */
};

static void random_call(struct caller *callers, unsigned int *seed, __u64 now, __u32 sid)
{
	unsigned int tid = (unsigned int)rand_r(seed) % THREADS;
	struct caller *c = &callers[tid];

	if (!c->t_enter) {
		c->t_enter = now;
		c->told = false;
	} else if (rand_r(seed) % 3 == 0) {
		push_call(sid, tid, c->t_enter, now, CALLF_PENDING);
		if (!c->told)
			expect(c->t_enter, sid, PHASE_ENTER, false, false);
		c->told = true;
	} else {
		push_call(sid, tid, c->t_enter, now, 0);
		if (!c->told)
			expect(c->t_enter, sid, PHASE_ENTER, true, false);
		expect(now, sid, PHASE_EXIT, false, c->told);
		c->t_enter = 0;
	}
}

static void random_stream(unsigned int seed)
{
	struct caller callers[THREADS] = { 0 };
	__u64 now = 1000, t;
	__u32 sid;

	n_expected = 0;
	for (sid = 1; sid <= STREAM; sid++) {
		now += (unsigned int)rand_r(&seed) % 4; /* several records at one time */
		if (rand_r(&seed) % 2) {
			random_call(callers, &seed, now, sid);
		} else {
			t = now - (unsigned int)rand_r(&seed) % 50; /* other CPUs lag behind */
			push_point(sid, t, rand_r(&seed) % 9 ? 0 : EVF_EARLY);
			expect(t, sid, PHASE_POINT, false, false);
		}
		if (rand_r(&seed) % 40 == 0)
			compare_tick(now - (unsigned int)rand_r(&seed) % 60);
	}
	compare_tick(~0ull);
}

static void test_random(void **state)
{
	unsigned int seed;

	for (seed = 1; seed <= 25; seed++) {
		teardown(state);
		assert_int_equal(setup(state), 0);
		random_stream(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
	};

	return cmocka_run_group_tests_name("order_random", tests, NULL, NULL);
}
