// SPDX-License-Identifier: MIT
/*
 * Whose RST it is, and what the change to CLOSE means: a time-wait entry, or the end.
 */
#include "build_tcp.h"

#include "expect.h"

/* The client has closed and is in FIN_WAIT2 when the reply leaves: its kernel aborts. */
static void test_data_after_close(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	end_fin(&y, &p.c, &p.s);
	end_state(&y, &p.c, TCP_S_FIN_WAIT2);
	p.s.write_seq += 5;
	p.s.snd_nxt += 5;
	seg_passes(&y, &p.s, &p.c, TCPF_ACK | TCPF_PSH, p.s_iss + 1, 5);
	t = end_state(&y, &p.c, TCP_S_CLOSE);
	assert_false(t->s.sflags & STEP_TIME_WAIT);
	end_event(&y, EV_ACK, &p.s);
	seg_passes(&y, &p.c, &p.s, TCPF_RST, p.c.snd_nxt, 0);
	end_state(&y, &p.s, TCP_S_CLOSE);
	end_event(&y, EV_DESTROY, &p.c);
	end_event(&y, EV_DESTROY, &p.s);
	expect_over(&y, END_RST);
	expect_end(&y.over.dir[1], 5, 0, 0, 0);
	assert_int_equal(y.over.dir[1].unacked, 5);
	assert_true(ledger_balanced(&y.over.dir[1]));
	story_close(&y);
}

static struct told *leaves_fin_wait2(struct story *y, __u8 lv_flags, __u32 unread)
{
	struct tcp_pair p = pair_on_loopback();

	story_open(y);
	pair_open(y, &p);
	if (unread)
		end_sends(y, &p.s, &p.c, unread, unread);
	end_fin(y, &p.c, &p.s);
	end_acks(y, &p.s, &p.c);
	end_state(y, &p.c, TCP_S_FIN_WAIT2);
	p.c.lv_flags |= lv_flags;
	return end_state(y, &p.c, TCP_S_CLOSE);
}

static void test_time_wait(void **state)
{
	static const struct {
		__u8 lv_flags;
		__u32 unread;
		bool waits;
	} cases[] = {
		{ LV_FIN_IN, 0, true }, { LV_FIN_IN, 9, true },
		{ 0, 0, true }, /* no process holds it any more */
		{ 0, 9, false },	{ LV_LINGER, 0, false },
	};
	struct story y;
	struct told *t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		t = leaves_fin_wait2(&y, cases[i].lv_flags, cases[i].unread);
		assert_int_equal(!!(t->s.sflags & STEP_TIME_WAIT), cases[i].waits);
		story_close(&y);
	}
}

static struct told *rst_told(struct story *y, __u32 sid, __u32 fid, __u32 by_b)
{
	struct event_sock e = { .e = { .sid = sid }, .a = 3, .b = 1, .c = by_b, .d = fid };

	return tell(y, &e, EV_RST_SENT, sizeof(e));
}

/* Nobody listens: no socket sends that RST, the flow tells whose it is. */
static void test_rst_without_socket(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	model_reason_name(y.m, "rst_reason", 3, "NO_SOCKET");
	pair_connect_enters(&y, &p, &mc);
	seg_in(&y, &p.c, &p.s, TCPF_SYN, p.c_iss, 0);
	t = rst_told(&y, 0, 7, 1);
	assert_non_null(t->s.conn);
	assert_null(t->s.sock);
	assert_int_equal(t->s.role, ROLE_SERVER);
	assert_string_equal(t->s.reason, "NO_SOCKET");
	assert_int_equal(t->s.conn->rst_by, 1);
	t = rst_told(&y, 0, 99, 1); /* a flow nobody told of */
	assert_null(t->s.conn);
	story_close(&y);
}

/* The name of the socket is an echo already, its place in the conversation is not. */
static void test_rst_of_the_dead(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	end_event(&y, EV_DESTROY, &p.s);
	t = rst_told(&y, 77, 7, 1);
	assert_ptr_equal(t->s.sock, model_sock(y.m, p.s.sid));
	assert_int_equal(t->s.role, ROLE_SERVER);
	assert_int_equal(t->s.conn->rst_by, 1);
	story_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_after_close),
		cmocka_unit_test(test_time_wait),
		cmocka_unit_test(test_rst_without_socket),
		cmocka_unit_test(test_rst_of_the_dead),
	};

	return cmocka_run_group_tests_name("model: RST and time-wait", tests, NULL, NULL);
}
