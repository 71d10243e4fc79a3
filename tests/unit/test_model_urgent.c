// SPDX-License-Identifier: MIT
/*
 * Urgent bytes in the ledger: stepped over, fetched, both, neither; and what must not pass for one.
 */
#include "build_tcp.h"

#include "expect.h"

static struct tcp_pair p;
static struct story y;

static int open_pair(void **state)
{
	(void)state;
	p = pair_on_loopback();
	story_open(&y);
	pair_open(&y, &p);
	return 0;
}

static int close_pair(void **state)
{
	(void)state;
	story_close(&y);
	return 0;
}

static void marked_segment(const struct tcp_end *e, __u8 sflags, __u32 seq, __u32 len)
{
	segment_told(&y, (struct event_segment){
				 .e = { .sid = sflags & SEGF_OUT ? e->sid : 0 },
				 .fid = e->fid,
				 .seq = seq,
				 .ack = e->rcv_nxt,
				 .len = len,
				 .flags = TCPF_ACK | TCPF_URG,
				 .mss = (__u16)len,
				 .sflags = sflags,
				 .netns = e->netns,
			 });
}

/* send(MSG_OOB): the last byte is the urgent one. */
static void sends_urgent(__u32 len)
{
	struct made_call mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	__u32 seq = p.c.snd_nxt;

	mc.c.len = len;
	mc.c.x[0] = MSG_OOB;
	call_enters(&y, &mc);
	p.c.write_seq += len;
	p.c.snd_nxt += len;
	marked_segment(&p.c, SEGF_OUT, seq, len);
	marked_segment(&p.c, SEGF_IN, seq, len);
	p.s.rcv_nxt += len;
	end_event(&y, EV_DATA_READY, &p.s);
	end_acks(&y, &p.s, &p.c);
	mc.c.lv = levels_of(&p.c);
	call_returns(&y, &mc, len);
}

/* recv(MSG_OOB) of the byte with that number. */
static const struct ledger *fetches(__u32 seq)
{
	struct made_call mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);

	mc.c.len = 1;
	mc.c.x[0] = MSG_OOB;
	call_enters(&y, &mc);
	mc.c.x[3] = seq;
	mc.c.lv = levels_of(&p.s);
	call_returns(&y, &mc, 1);
	return &story_last(&y)->s.dir[0];
}

/* A receive in line that returns `got` and steps over `over` bytes. */
static const struct ledger *receives(__u32 got, __u32 over)
{
	p.s.copied_seq += over;
	end_receives(&y, &p.s, 1000, got);
	return &story_last(&y)->s.dir[0];
}

static const struct ledger *over(void)
{
	end_fin(&y, &p.c, &p.s);
	end_fin(&y, &p.s, &p.c);
	close_made(&y, p.c.pid, p.c.sid, p.c.fd, true);
	close_made(&y, p.s.pid, p.s.sid, p.s.fd, true);
	end_event(&y, EV_DESTROY, &p.c);
	end_event(&y, EV_DESTROY, &p.s);
	expect_over(&y, END_FIN);
	assert_true(ledger_balanced(&y.over.dir[0]));
	return &y.over.dir[0];
}

static void test_nobody_fetches_it(void **state)
{
	(void)state;
	sends_urgent(5);
	assert_int_equal(receives(4, 0)->read, 4);
	assert_int_equal(receives(0, 1)->read, 4); /* stepped over by a receive that waits on */
	assert_int_equal(over()->discarded, 1);
	expect_end(&y.over.dir[0], 5, 4, 0, 1);
	assert_int_equal(y.over.dir[0].residual, 0);
}

static void test_fetched_then_passed(void **state)
{
	const struct ledger *l;

	(void)state;
	sends_urgent(5);
	l = fetches(p.c_iss + 5);
	expect(l, (struct amounts){ .written = 5, .rcvq = 4, .read = 1 });
	assert_int_equal(receives(4, 0)->read, 5);
	l = receives(0, 1);
	expect(l, (struct amounts){ .written = 5, .read = 5 });
	expect_end(over(), 5, 5, 0, 0);
	assert_int_equal(y.over.dir[0].calls_read, 5);
	assert_int_equal(y.over.dir[0].residual, 0);
}

/* Fetched, and the rest of the queue goes down with the socket. */
static void test_fetched_and_left(void **state)
{
	(void)state;
	sends_urgent(5);
	fetches(p.c_iss + 5);
	expect_end(over(), 5, 1, 0, 4);
	assert_int_equal(y.over.dir[0].residual, 0);
}

/* Another mark makes an ordinary byte of the one before it, which was fetched already. */
static void test_returned_twice(void **state)
{
	(void)state;
	sends_urgent(5);
	fetches(p.c_iss + 5);
	sends_urgent(3);
	fetches(p.c_iss + 8);
	receives(7, 0);
	receives(0, 1);
	expect_end(over(), 8, 8, 0, 0);
	assert_int_equal(y.over.dir[0].calls_read, 9);
	assert_int_equal(y.over.dir[0].reread, 1);
	assert_int_equal(y.over.dir[0].residual, 0);
}

/* As before; and one that nobody fetched is not taken for the one returned twice. */
static void test_twice_and_never(void **state)
{
	(void)state;
	sends_urgent(1);
	receives(0, 1);
	sends_urgent(5);
	fetches(p.c_iss + 6);
	sends_urgent(3);
	fetches(p.c_iss + 9);
	receives(7, 0);
	receives(0, 1);
	expect_end(over(), 9, 8, 0, 1);
	assert_int_equal(y.over.dir[0].reread, 1);
	assert_int_equal(y.over.dir[0].residual, 0);
}

/* A record that cannot be true leaves the ledger in order. */
static void test_fetched_from_nowhere(void **state)
{
	(void)state;
	fetches(p.c_iss + 1000);
	fetches(p.c_iss - 1000);
	assert_true(ledger_check(&story_last(&y)->s.dir[0]));
}

/* Two marks, one byte fetched: of two stepped over, one was read. */
static void test_one_of_two(void **state)
{
	(void)state;
	sends_urgent(1);
	receives(0, 1);
	sends_urgent(1);
	fetches(p.c_iss + 2);
	receives(0, 1);
	expect_end(over(), 2, 1, 0, 1);
	assert_int_equal(y.over.dir[0].residual, 0);
}

/* SO_OOBINLINE: an ordinary receive returns it. */
static void test_in_line(void **state)
{
	(void)state;
	sends_urgent(5);
	receives(5, 0);
	expect_end(over(), 5, 5, 0, 0);
	assert_int_equal(y.over.dir[0].residual, 0);
}

/* One byte was urgent, six are missing: five of them are missing indeed. */
static void test_no_place_to_hide(void **state)
{
	(void)state;
	sends_urgent(10);
	receives(4, 6);
	expect_end(over(), 10, 9, 0, 1);
	assert_int_equal(y.over.dir[0].residual, 5);
}

/* Nothing was urgent. */
static void test_no_mark(void **state)
{
	(void)state;
	end_sends(&y, &p.c, &p.s, 10, 10);
	receives(9, 1);
	expect_end(over(), 10, 10, 0, 0);
	assert_int_equal(y.over.dir[0].residual, 1);
}

/* The mark is repeated in every segment until it is acknowledged, retransmissions included. */
static void test_one_mark_in_many_segments(void **state)
{
	__u32 seq = p.c.snd_nxt;

	(void)state;
	sends_urgent(4);
	marked_segment(&p.c, SEGF_OUT, seq, 4);
	marked_segment(&p.c, SEGF_IN, seq, 4);
	receives(2, 2);
	expect_end(over(), 4, 3, 0, 1);
	assert_int_equal(y.over.dir[0].residual, 1);
}

/* While a receive is under way copied_seq is ahead of what it will return: that is no urgent byte. */
static void test_not_while_receiving(void **state)
{
	struct made_call mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);

	(void)state;
	sends_urgent(10);
	call_enters(&y, &mc);
	p.s.copied_seq += 9;
	assert_int_equal(end_event(&y, EV_ACK, &p.s)->s.dir[0].read, 9);
	mc.c.lv = levels_of(&p.s);
	call_returns(&y, &mc, 9);
	receives(0, 1);
	expect_end(over(), 10, 9, 0, 1);
	assert_int_equal(y.over.dir[0].residual, 0);
}

/* A sample that is ahead of its time heals. */
static void test_ahead_of_its_time(void **state)
{
	(void)state;
	sends_urgent(10);
	p.s.copied_seq += 9;
	end_event(&y, EV_ACK, &p.s);
	p.s.copied_seq -= 9;
	receives(9, 0);
	receives(0, 1);
	expect_end(over(), 10, 9, 0, 1);
	assert_int_equal(y.over.dir[0].residual, 0);
}

/* splice() returns 0 at an urgent byte: that is no end of the stream. */
static void test_splice_stops(void **state)
{
	struct made_call mc = call_of(p.s.pid, CALL_SPLICE, p.s.sid, p.s.fd);

	(void)state;
	sends_urgent(1);
	mc.c.len = 100;
	mc.c.x[2] = 1;
	mc.c.lv = levels_of(&p.s);
	assert_false(call_made(&y, mc, 0)->s.sflags & STEP_EOF);
	end_fin(&y, &p.c, &p.s);
	mc.c.lv = levels_of(&p.s);
	mc.c.lv.shutdown = 1;
	assert_true(call_made(&y, mc, 0)->s.sflags & STEP_EOF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nobody_fetches_it, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_fetched_then_passed, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_fetched_and_left, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_returned_twice, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_twice_and_never, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_fetched_from_nowhere, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_one_of_two, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_in_line, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_no_place_to_hide, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_no_mark, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_one_mark_in_many_segments, open_pair,
						close_pair),
		cmocka_unit_test_setup_teardown(test_not_while_receiving, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_ahead_of_its_time, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_splice_stops, open_pair, close_pair),
	};

	return cmocka_run_group_tests_name("urgent bytes", tests, NULL, NULL);
}
