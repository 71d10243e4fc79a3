// SPDX-License-Identifier: MIT
/*
 * The ledger's last word: the kernel's counters against the results of the calls, and what is said
 * when they differ.
 */
#include "build_tcp.h"

#include <errno.h>

#include "expect.h"

/* Both sockets are closed in order and freed; the summary comes. */
static void ends(struct story *y, struct tcp_pair *p)
{
	end_fin(y, &p->c, &p->s);
	end_fin(y, &p->s, &p->c);
	close_made(y, p->c.pid, p->c.sid, p->c.fd, true);
	close_made(y, p->s.pid, p->s.sid, p->s.fd, true);
	end_event(y, EV_DESTROY, &p->c);
	end_event(y, EV_DESTROY, &p->s);
	story_wait(y, 2 * NS_PER_MS);
	assert_int_equal(y->summaries, 1);
}

static void expect_residuals(const struct story *y, __u64 to_server, __u64 to_client)
{
	assert_int_equal(y->over.dir[0].residual, to_server);
	assert_int_equal(y->over.dir[1].residual, to_client);
}

static void test_accounts_agree(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	end_sends(&y, &p.c, &p.s, 120, 120);
	end_receives(&y, &p.s, 100, 100);
	end_receives(&y, &p.s, 100, 20);
	end_sends(&y, &p.s, &p.c, 7, 7);
	ends(&y, &p);
	expect_end(&y.over.dir[0], 120, 120, 0, 0);
	assert_int_equal(y.over.dir[0].calls_wrote, 120);
	assert_int_equal(y.over.dir[0].calls_read, 120);
	assert_int_equal(y.over.dir[1].discarded, 7);
	expect_residuals(&y, 0, 0);
	assert_int_equal(y.summary.n, 0);
	story_close(&y);
}

/* A send() and a recv() whose records were lost: the counters show what they moved. */
static void test_calls_lost(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;

	(void)state;
	story_open(&y);
	model_lost(y.m, y.t_ns, 3); /* before its time */
	pair_open(&y, &p);
	end_sends(&y, &p.c, &p.s, 50, 50);
	model_lost(y.m, y.t_ns, 2);
	p.c.write_seq += 30;
	p.c.snd_nxt += 30;
	p.c.snd_una += 30;
	p.s.rcv_nxt += 30;
	p.s.copied_seq += 40;
	end_event(&y, EV_ACK, &p.c);
	end_event(&y, EV_ACK, &p.s);
	end_receives(&y, &p.s, 100, 40);
	ends(&y, &p);
	expect_end(&y.over.dir[0], 80, 80, 0, 0);
	assert_int_equal(y.over.dir[0].calls_wrote, 50);
	assert_int_equal(y.over.dir[0].calls_read, 40);
	expect_residuals(&y, 40, 0);
	assert_int_equal(y.summary.n, 2);
	story_close(&y);
}

/* One that is on the sender's side only. */
static void test_send_lost(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	p.c.write_seq += 30;
	p.c.snd_nxt += 30;
	p.c.snd_una += 30;
	p.s.rcv_nxt += 30;
	end_event(&y, EV_ACK, &p.c);
	end_receives(&y, &p.s, 30, 30);
	ends(&y, &p);
	expect_end(&y.over.dir[0], 30, 30, 0, 0);
	expect_residuals(&y, 30, 0);
	story_close(&y);
}

/*
 * What arrived is more than its sender is known to have written. The connection is older than the
 * trace: its calls are not all known, and only the counters can disagree.
 */
static void test_arrived_unwritten(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct event_sockinfo seed = { .e = { .flags = EVF_SEED }, .protocol = IPPROTO_TCP };
	struct story y;

	(void)state;
	story_open(&y);
	seed.type = SOCK_STREAM;
	seed.state = p.c.state = p.s.state = TCP_S_ESTABLISHED;
	p.c.rcv_nxt = p.c.copied_seq = p.s.write_seq = p.s.snd_nxt = p.s.snd_una = 5000;
	p.s.rcv_nxt = p.s.copied_seq = p.c.write_seq = p.c.snd_nxt = p.c.snd_una = 7000;
	seed.e.sid = p.c.sid;
	seed.src = p.c.src;
	seed.dst = p.c.dst;
	seed.lv = levels_of(&p.c);
	info_told(&y, seed);
	seed.e.sid = p.s.sid;
	seed.src = p.s.src;
	seed.dst = p.s.dst;
	seed.lv = levels_of(&p.s);
	info_told(&y, seed);
	p.s.rcv_nxt += 25;
	end_receives(&y, &p.s, 100, 25);
	sock_told(&y, EV_DESTROY, p.c.sid, 0, 0, 0, NULL);
	end_event(&y, EV_DESTROY, &p.s);
	story_wait(&y, 2 * NS_PER_MS);
	assert_true(y.over.dir[0].partial || y.over.dir[1].partial);
	assert_int_equal(y.over.dir[0].written + y.over.dir[1].written, 25);
	assert_int_equal(y.over.dir[0].residual + y.over.dir[1].residual, 25);
	story_close(&y);
}

/* A story with a pair, and what the client will call: send() of 90 bytes. */
static struct made_call story_with_send(struct story *y, struct tcp_pair *p)
{
	struct made_call mc;

	*p = pair_on_loopback();
	story_open(y);
	pair_open(y, p);
	mc = call_of(p->c.pid, CALL_SENDTO, p->c.sid, p->c.fd);
	mc.c.len = 90;
	return mc;
}

/* It is called, and 60 bytes are in the queue. */
static void goes_in(struct story *y, struct tcp_pair *p, struct made_call *mc)
{
	call_enters(y, mc);
	p->c.write_seq += 60;
	end_event(y, EV_ACK, &p->c);
}

/* 60 bytes go along with a call of the client, and the call ends so: with these flags, that result. */
static void ends_a_call(struct story *y, int msg_flags, __u8 cflags, __s64 ret)
{
	struct tcp_pair p;
	struct made_call mc = story_with_send(y, &p);

	mc.c.x[0] = msg_flags;
	goes_in(y, &p, &mc);
	mc.c.cflags = cflags;
	call_returns(y, &mc, ret);
	p.c.snd_nxt += 60;
	p.c.snd_una += 60;
	p.s.rcv_nxt += 60;
	end_event(y, EV_ACK, &p.c);
	end_receives(y, &p.s, 100, 60);
	ends(y, &p);
	assert_int_equal(y->over.dir[0].written, 60);
	assert_int_equal(y->over.dir[0].calls_wrote, 0);
}

/* A call that was cut off without a word may have moved anything: that is no residual. */
static void test_killed_inside(void **state)
{
	struct story y;

	(void)state;
	ends_a_call(&y, 0, CALLF_KILLED, 0);
	expect_residuals(&y, 0, 0);
	story_close(&y);
}

/* So may one that sent data with a SYN: an RST that came back is its result, whatever was delivered. */
static void test_fast_open_fails(void **state)
{
	struct story y;

	(void)state;
	ends_a_call(&y, MSG_FASTOPEN, 0, -ECONNRESET);
	expect_residuals(&y, 0, 0);
	story_close(&y);
}

/* Any other that fails has moved nothing. */
static void test_other_call_fails(void **state)
{
	struct story y;

	(void)state;
	ends_a_call(&y, 0, 0, -ECONNRESET);
	expect_residuals(&y, 60, 0);
	story_close(&y);
}

/* Tracing stops in the middle of a call. */
static void test_stopped_inside(void **state)
{
	struct tcp_pair p;
	struct story y;
	struct made_call mc = story_with_send(&y, &p);

	(void)state;
	goes_in(&y, &p, &mc);
	assert_int_equal(model_finish(y.m), 0);
	assert_int_equal(y.summary.how, END_OPEN);
	assert_int_equal(y.over.dir[0].unsent, 60);
	expect_residuals(&y, 0, 0);
	story_close(&y);
}

/* So it does when the peer has read already what the call sends: only its return would have told of that here. */
static void test_stopped_behind_the_peer(void **state)
{
	struct tcp_pair p;
	struct story y;
	struct made_call mc = story_with_send(&y, &p);

	(void)state;
	call_enters(&y, &mc);
	p.s.rcv_nxt += 60;
	end_receives(&y, &p.s, 60, 60);
	assert_int_equal(model_finish(y.m), 0);
	assert_int_equal(y.over.dir[0].written, 60);
	assert_int_equal(y.over.dir[0].read, 60);
	expect_residuals(&y, 0, 0);
	story_close(&y);
}

/* Where no call is seen, whoever sends may be in the middle of it when tracing stops. */
static void test_stopped_without_calls(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;

	(void)state;
	story_open(&y);
	model_set_layers(y.m, LAYER_KERNEL | LAYER_WIRE);
	pair_open(&y, &p);
	p.s.rcv_nxt += 60;
	end_event(&y, EV_DATA_READY, &p.s);
	assert_int_equal(model_finish(y.m), 0);
	assert_int_equal(y.over.dir[0].written, 60);
	expect_residuals(&y, 0, 0);
	story_close(&y);
}

/* A look at a call in progress is of later than its entry, at which it is told: what comes in between comes first. */
static void test_looked_at_later(void **state)
{
	struct tcp_pair p;
	struct story y;
	struct made_call mc = story_with_send(&y, &p);

	(void)state;
	mc.c.cflags = CALLF_PENDING;
	mc.c.lv = levels_of(&p.c);
	mc.c.lv.write_seq += 60;
	assert_false(call_enters(&y, &mc)->s.sflags & STEP_LV);
	assert_int_equal(model_finish(y.m), 0);
	assert_int_equal(y.over.dir[0].written, 0);
	story_close(&y);
}

/* Moved by a kernel thread: outside any call, and counted as if it were one. */
static void test_moved_outside(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct levels lv;
	struct story y;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	p.c.write_seq += 33;
	lv = levels_of(&p.c);
	sock_told(&y, EV_SENT, p.c.sid, 33, 0, 0, &lv);
	p.c.snd_nxt += 33;
	p.c.snd_una += 33;
	p.s.rcv_nxt += 33;
	p.s.copied_seq += 33;
	lv = levels_of(&p.s);
	sock_told(&y, EV_RECEIVED, p.s.sid, 33, 0, 0, &lv);
	ends(&y, &p);
	expect_end(&y.over.dir[0], 33, 33, 0, 0);
	expect_residuals(&y, 0, 0);
	story_close(&y);
}

/* connect() to AF_UNSPEC purges the queues and moves copied_seq to their end: nothing was read. */
static void test_taken_apart(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct ev_addr nowhere = { .family = AF_UNSPEC };
	struct made_call mc;
	struct story y;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	end_sends(&y, &p.s, &p.c, 100, 100);
	end_receives(&y, &p.c, 30, 30);
	mc = call_of(p.c.pid, CALL_CONNECT, p.c.sid, p.c.fd);
	call_to(&mc, &nowhere);
	mc.sin.sin_family = AF_UNSPEC;
	call_enters(&y, &mc);
	end_state(&y, &p.c, TCP_S_CLOSE);
	seg_passes(&y, &p.c, &p.s, TCPF_RST | TCPF_ACK, p.c.snd_nxt, 0);
	end_state(&y, &p.s, TCP_S_CLOSE);
	p.c.copied_seq = p.c.rcv_nxt;
	p.c.write_seq += 70000;
	mc.c.lv = levels_of(&p.c);
	call_returns(&y, &mc, 0);
	assert_int_equal(story_last(&y)->s.dir[1].read, 30);
	assert_int_equal(story_last(&y)->s.dir[1].discarded, 70);
	mc = call_of(p.c.pid, CALL_RECVFROM, p.c.sid, p.c.fd);
	mc.c.len = 10;
	mc.c.lv = levels_of(&p.c);
	call_made(&y, mc, -107); /* ENOTCONN */
	end_event(&y, EV_DESTROY, &p.c);
	end_event(&y, EV_DESTROY, &p.s);
	expect_over(&y, END_RST);
	expect_end(&y.over.dir[1], 100, 30, 0, 70);
	expect_residuals(&y, 0, 0);
	story_close(&y);
}

/* Fast open: the child is read, and closed, before the handshake's last segment comes. */
static void test_read_in_syn_recv(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	struct story y;

	(void)state;
	story_open(&y);
	pair_listen(&y, &p);
	pair_connect_enters(&y, &p, &mc);
	seg_in(&y, &p.c, &p.s, TCPF_SYN, p.c_iss, 40);
	p.c.write_seq = p.c.snd_nxt = p.c_iss + 41;
	p.s.copied_seq = p.c_iss + 1;
	p.s.rcv_nxt = p.c_iss + 41;
	p.s.write_seq = p.s.snd_nxt = p.s.snd_una = p.s_iss + 1;
	p.s.state = TCP_S_SYN_RECV;
	end_info(&y, &p.s, SOCKF_PASSIVE);
	end_receives(&y, &p.s, 100, 40);
	end_state(&y, &p.s, TCP_S_CLOSE);
	end_event(&y, EV_DESTROY, &p.s);
	assert_int_equal(y.told[(y.n - 1) % STEPS_MAX].s.dir[0].read, 40);
	assert_true(y.told[(y.n - 1) % STEPS_MAX].s.dir[0].rx_seen);
	p.c.rcv_nxt = p.c.copied_seq = p.s_iss + 1;
	p.c.snd_una = p.c_iss + 41;
	end_state(&y, &p.c, TCP_S_ESTABLISHED);
	mc.c.call = CALL_SENDTO;
	mc.c.lv = levels_of(&p.c);
	call_returns(&y, &mc, 40);
	end_state(&y, &p.c, TCP_S_CLOSE);
	end_event(&y, EV_DESTROY, &p.c);
	story_wait(&y, 2 * NS_PER_MS);
	assert_int_equal(y.summaries, 1);
	expect_end(&y.over.dir[0], 40, 40, 0, 0);
	expect_residuals(&y, 0, 0);
	story_close(&y);
}

/* The other end is out of sight; only its RST acknowledges the last bytes, and a kernel ignores that. */
static void test_rst_acknowledges(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;

	(void)state;
	story_open(&y);
	pair_open_seen(&y, &p, 1);
	p.c.write_seq += 100;
	p.c.snd_nxt += 100;
	seg_out(&y, &p.c, TCPF_ACK | TCPF_PSH, p.c_iss + 1, 100);
	p.c.snd_una += 60;
	end_event(&y, EV_ACK, &p.c);
	assert_int_equal(story_last(&y)->s.dir[0].in_flight, 40);
	p.s.rcv_nxt = p.c.snd_nxt;
	seg_passes(&y, &p.s, &p.c, TCPF_RST | TCPF_ACK, p.s_iss + 1, 0);
	end_state(&y, &p.c, TCP_S_CLOSE);
	end_event(&y, EV_DESTROY, &p.c);
	story_wait(&y, 2 * NS_PER_MS);
	assert_int_equal(y.over.dir[0].written, 100);
	assert_int_equal(y.over.dir[0].unacked, 0);
	assert_false(y.over.dir[0].rx_seen);
	story_close(&y);
}

/* An acknowledgement of bytes that were never sent means nothing. */
static void test_ack_from_the_future(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;

	(void)state;
	story_open(&y);
	pair_open_seen(&y, &p, 1);
	p.c.write_seq += 100;
	p.c.snd_nxt += 50;
	end_event(&y, EV_ACK, &p.c);
	p.s.rcv_nxt = p.c.snd_nxt + 1000;
	seg_passes(&y, &p.s, &p.c, TCPF_ACK, p.s_iss + 1, 0);
	assert_int_equal(story_last(&y)->s.dir[0].written, 100);
	assert_int_equal(story_last(&y)->s.dir[0].in_flight, 50);
	story_close(&y);
}

/* One socket that is both ends: one stream, in one direction. */
static void test_own_peer(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	struct story y;

	(void)state;
	story_open(&y);
	p.c.dst = p.c.src;
	p.c.fid = 0;
	pair_connect_enters(&y, &p, &mc);
	end_state(&y, &p.c, TCP_S_SYN_RECV);
	p.c.rcv_nxt = p.c.copied_seq = p.c.snd_una = p.c_iss + 1;
	end_state(&y, &p.c, TCP_S_ESTABLISHED);
	end_info(&y, &p.c, 0);
	mc.c.lv = levels_of(&p.c);
	call_returns(&y, &mc, 0);
	end_sends(&y, &p.c, &p.c, 90, 90);
	end_receives(&y, &p.c, 50, 50);
	end_state(&y, &p.c, TCP_S_CLOSE);
	end_event(&y, EV_DESTROY, &p.c);
	story_wait(&y, 2 * NS_PER_MS);
	assert_int_equal(y.summaries, 1);
	expect_end(&y.over.dir[0], 90, 50, 0, 40);
	assert_int_equal(y.over.dir[1].written, 0);
	expect_residuals(&y, 0, 0);
	story_close(&y);
}

/* Its SYN crossed its own, and it was closed before the answer came: the SYN is no data. */
static void test_closed_in_syn_recv(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	struct story y;

	(void)state;
	story_open(&y);
	p.c.dst = p.c.src;
	p.c.fid = 0;
	pair_connect_enters(&y, &p, &mc);
	p.c.rcv_nxt = p.c.copied_seq = p.c_iss + 1;
	end_state(&y, &p.c, TCP_S_SYN_RECV);
	call_returns(&y, &mc, -4);
	end_state(&y, &p.c, TCP_S_FIN_WAIT1);
	p.c.write_seq++;
	p.c.snd_nxt++;
	p.c.snd_una = p.c.snd_nxt;
	p.c.rcv_nxt++;
	p.c.lv_flags |= LV_FIN_IN;
	end_state(&y, &p.c, TCP_S_CLOSING);
	end_state(&y, &p.c, TCP_S_CLOSE);
	end_event(&y, EV_DESTROY, &p.c);
	story_wait(&y, 2 * NS_PER_S);
	assert_int_equal(y.summaries, 1);
	expect_end(&y.over.dir[0], 0, 0, 0, 0);
	expect_residuals(&y, 0, 0);
	story_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accounts_agree),
		cmocka_unit_test(test_calls_lost),
		cmocka_unit_test(test_send_lost),
		cmocka_unit_test(test_arrived_unwritten),
		cmocka_unit_test(test_killed_inside),
		cmocka_unit_test(test_fast_open_fails),
		cmocka_unit_test(test_other_call_fails),
		cmocka_unit_test(test_stopped_inside),
		cmocka_unit_test(test_stopped_behind_the_peer),
		cmocka_unit_test(test_stopped_without_calls),
		cmocka_unit_test(test_looked_at_later),
		cmocka_unit_test(test_moved_outside),
		cmocka_unit_test(test_taken_apart),
		cmocka_unit_test(test_read_in_syn_recv),
		cmocka_unit_test(test_rst_acknowledges),
		cmocka_unit_test(test_ack_from_the_future),
		cmocka_unit_test(test_own_peer),
		cmocka_unit_test(test_closed_in_syn_recv),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
