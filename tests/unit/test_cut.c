// SPDX-License-Identifier: MIT
/* What is left of a record when the trace ended before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/cut.h"

#define END 1000

static struct event_call call(__u64 t_enter, __u64 t, __u8 cflags)
{
	return (struct event_call){
		.e = { .kind = EV_CALL, .size = sizeof(struct event_call), .t_ns = t },
		.t_enter = t_enter,
		.ret = 7,
		.sid2 = 3,
		.fd = 5,
		.len = 20,
		.call = CALL_RECVFROM,
		.cflags = cflags,
		.lv = { .copied_seq = 9, .flags = LV_VALID | LV_TCP },
	};
}

static void test_before(void **state)
{
	struct event_call c = call(900, END, CALLF_NONBLOCK);
	struct event e = { .kind = EV_SEGMENT, .t_ns = END };

	(void)state;
	assert_true(cut_record(&c.e, END));
	assert_int_equal(c.ret, 7);
	assert_int_equal(c.cflags, CALLF_NONBLOCK);
	assert_int_equal(c.lv.copied_seq, 9);
	assert_true(cut_record(&e, END));
}

static void test_after(void **state)
{
	struct event_call c = call(END + 1, END + 5, 0);
	struct event_gai g = { .e = { .kind = EV_GAI, .t_ns = END + 5 }, .t_enter = END + 1 };

	(void)state;
	assert_false(cut_record(&c.e, END));
	assert_false(cut_record(&g.e, END));
	for (__u8 kind = 0; kind < EV_KIND_MAX; kind++) {
		struct event e = { .kind = kind, .t_ns = END + 1 };

		if (kind != EV_CALL && kind != EV_GAI && kind != EV_PROC && kind != EV_SOCK)
			assert_false(cut_record(&e, END));
	}
}

/* It had begun, and nothing of how it ended is known yet. */
static void test_call_crosses(void **state)
{
	struct event_call c = call(END, END + 1, CALLF_NONBLOCK | CALLF_KILLED);

	(void)state;
	assert_true(cut_record(&c.e, END));
	assert_int_equal(c.cflags, CALLF_NONBLOCK | CALLF_PENDING);
	assert_int_equal(c.e.t_ns, END);
	assert_int_equal(c.t_enter, END);
	assert_int_equal(c.ret, 0);
	assert_int_equal(c.sid2, 0);
	assert_int_equal(c.lv.flags, 0);
	assert_int_equal(c.lv.copied_seq, 0);
	assert_int_equal(c.fd, 5);
	assert_int_equal(c.len, 20);
}

/* Neither its socket nor its descriptor is there yet. */
static void test_socket_crosses(void **state)
{
	struct event_call c = call(END, END + 1, 0);

	(void)state;
	c.call = CALL_SOCKET;
	c.e.sid = 4;
	c.x[0] = 2;
	c.x[3] = 6;
	assert_true(cut_record(&c.e, END));
	assert_int_equal(c.e.sid, 0);
	assert_int_equal(c.fd, -1);
	assert_int_equal(c.x[0], 2);
	assert_int_equal(c.x[3], 0);
}

/* Where it came from is a result, where it goes an argument. */
static void test_addresses(void **state)
{
	struct {
		struct event_call c;
		char tail[16];
	} r = { .c = call(END, END + 1, 0) };

	(void)state;
	r.c.e.size = sizeof(r);
	r.c.tail_kind = TAIL_ADDR;
	r.c.tail_len = r.c.tail_count = sizeof(r.tail);
	r.c.call = CALL_SENDTO;
	assert_true(cut_record(&r.c.e, END));
	assert_int_equal(r.c.tail_kind, TAIL_ADDR);
	assert_int_equal(r.c.e.size, sizeof(r));
	r.c.e.t_ns = END + 1;
	r.c.call = CALL_RECVFROM;
	assert_true(cut_record(&r.c.e, END));
	assert_int_equal(r.c.tail_kind, TAIL_NONE);
	assert_int_equal(r.c.tail_len, 0);
	assert_int_equal(r.c.e.size, sizeof(r.c));
}

static void test_socket_told_again(void **state)
{
	struct event_sockinfo s = { .e = { .kind = EV_SOCK, .sid = 4, .t_ns = END + 1 },
				    .lv = { .write_seq = 5, .flags = LV_VALID } };

	(void)state;
	assert_true(cut_record(&s.e, END));
	assert_int_equal(s.e.t_ns, END);
	assert_int_equal(s.lv.write_seq, 0);
	assert_int_equal(s.lv.flags, 0);
}

/* That a process ends is no call that had begun, whatever stands in its record. */
static void test_kernel_closes(void **state)
{
	struct event_call c = call(0, END + 1, CALLF_BY_EXIT);

	(void)state;
	assert_false(cut_record(&c.e, END));
}

static void test_gai_crosses(void **state)
{
	struct event_gai g = { .e = { .kind = EV_GAI, .t_ns = END + 5 }, .t_enter = END, .ret = -2, .total = 3, .kept = 2 };

	(void)state;
	assert_true(cut_record(&g.e, END));
	assert_int_equal(g.cflags, CALLF_PENDING);
	assert_int_equal(g.e.t_ns, END);
	assert_int_equal(g.ret, 0);
	assert_int_equal(g.total, 0);
	assert_int_equal(g.kept, 0);
}

static void test_processes(void **state)
{
	struct event_proc seen = { .e = { .kind = EV_PROC, .t_ns = END + 5 }, .what = PROC_SEEN };
	struct event_proc exits = { .e = { .kind = EV_PROC, .t_ns = END + 5 }, .what = PROC_EXIT };

	(void)state;
	assert_true(cut_record(&seen.e, END));
	assert_int_equal(seen.e.t_ns, END);
	assert_false(cut_record(&exits.e, END));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before),	     cmocka_unit_test(test_after),
		cmocka_unit_test(test_call_crosses), cmocka_unit_test(test_kernel_closes),
		cmocka_unit_test(test_gai_crosses),  cmocka_unit_test(test_processes),
		cmocka_unit_test(test_addresses),    cmocka_unit_test(test_socket_crosses),
		cmocka_unit_test(test_socket_told_again),
	};

	return cmocka_run_group_tests_name("cut", tests, NULL, NULL);
}
