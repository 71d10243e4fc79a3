// SPDX-License-Identifier: MIT
/*
 * How a TCP conversation fails or ends badly, and what becomes of its bytes.
 */
#include "build_tcp.h"

#include <errno.h>

#include "expect.h"

/* close() with unread data: RST; 30 bytes were read, 70 discarded, 20 never got there. */
static void test_rst_unread(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	struct story y;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	end_sends(&y, &p.c, &p.s, 120, 100);
	end_receives(&y, &p.s, 30, 30);
	expect(&story_last(&y)->s.dir[0],
	       (struct amounts){ .written = 120, .unsent = 20, .rcvq = 70, .read = 30 });

	mc = call_of(p.s.pid, CALL_CLOSE, p.s.sid, p.s.fd);
	mc.c.cflags = CALLF_LAST_REF;
	call_enters(&y, &mc);
	sock_told(&y, EV_SOCK_CLOSED, p.s.sid, 0, 0, 0, NULL);
	end_state(&y, &p.s, TCP_S_CLOSE);
	seg_passes(&y, &p.s, &p.c, TCPF_RST | TCPF_ACK, p.s.snd_nxt, 0);
	sock_told(&y, EV_RST_RECEIVED, p.c.sid, 0, 0, 0, NULL);
	end_state(&y, &p.c, TCP_S_CLOSE);
	sock_told(&y, EV_RST_SENT, p.s.sid, 11, 1, 0, NULL);
	end_event(&y, EV_DESTROY, &p.s);
	call_returns(&y, &mc, 0);
	assert_int_equal(story_last(&y)->s.dir[0].discarded, 70);
	assert_int_equal(story_last(&y)->s.dir[0].destroyed, 20);
	close_made(&y, p.c.pid, p.c.sid, p.c.fd, true);
	end_event(&y, EV_DESTROY, &p.c);
	expect_over(&y, END_RST);
	assert_int_equal(y.over.rst_by, 1);
	expect_end(&y.over.dir[0], 120, 30, 20, 70);
	assert_true(ledger_balanced(&y.over.dir[0]));
	story_close(&y);
}

/* After an RST has come in, what waits in the receive queue can still be read. */
static void test_read_after_rst(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	end_sends(&y, &p.s, &p.c, 50, 50);
	seg_passes(&y, &p.s, &p.c, TCPF_RST | TCPF_ACK, p.s.snd_nxt, 0);
	end_state(&y, &p.c, TCP_S_CLOSE);
	expect(&story_last(&y)->s.dir[1], (struct amounts){ .written = 50, .rcvq = 50 });
	end_receives(&y, &p.c, 20, 20);
	expect(&story_last(&y)->s.dir[1],
	       (struct amounts){ .written = 50, .rcvq = 30, .read = 20 });
	/* tcp_disconnect() picks new numbers: they are not ours */
	p.c.write_seq += 70000;
	p.c.copied_seq = p.c.rcv_nxt;
	end_event(&y, EV_DESTROY, &p.c);
	assert_int_equal(story_last(&y)->s.dir[1].read, 20);
	assert_int_equal(story_last(&y)->s.dir[1].discarded, 30);
	assert_int_equal(story_last(&y)->s.dir[0].written, 0);
	story_close(&y);
}

static void test_refused(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	pair_connect_enters(&y, &p, &mc);
	t = seg_in(&y, &p.c, &p.s, TCPF_SYN, p.c_iss, 0);
	assert_null(t->s.sock); /* nobody listens */
	assert_true(t->s.rel_known);
	assert_int_equal(t->s.rel_seq, 0);
	p.s.rcv_nxt = p.c_iss + 1;
	p.s.sid = 0;
	t = seg_out(&y, &p.s, TCPF_RST | TCPF_ACK, 0, 0);
	assert_int_equal(t->s.seg_from, ROLE_SERVER);
	assert_true(t->s.rel_known);
	assert_int_equal(t->s.rel_ack, 1);
	t = seg_in(&y, &p.s, &p.c, TCPF_RST | TCPF_ACK, 0, 0);
	assert_true(t->s.sflags & STEP_SEG_PAIR);
	assert_int_equal(t->s.sock->sid, p.c.sid);
	sock_told(&y, EV_SOCK_ERROR, p.c.sid, ECONNREFUSED, 0, 0, NULL);
	end_state(&y, &p.c, TCP_S_CLOSE);
	call_returns(&y, &mc, -ECONNREFUSED);
	close_made(&y, p.c.pid, p.c.sid, p.c.fd, true);
	end_event(&y, EV_DESTROY, &p.c);
	expect_over(&y, END_REFUSED);
	assert_int_equal(y.over.rst_by, 1);
	assert_int_equal(y.over.dir[0].written, 0);
	assert_false(y.over.established);
	story_close(&y);
}

/* A second connect() on the socket that was refused is another conversation. */
static void test_connect_again(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	struct story y;

	(void)state;
	story_open(&y);
	pair_connect_enters(&y, &p, &mc);
	sock_told(&y, EV_SOCK_ERROR, p.c.sid, ECONNREFUSED, 0, 0, NULL);
	end_state(&y, &p.c, TCP_S_CLOSE);
	call_returns(&y, &mc, -ECONNREFUSED);
	pair_listen(&y, &p);
	p.c.src.port = 40002;
	p.s.dst.port = 40002;
	p.c.fid = p.s.fid = 8;
	p.c_iss = 5555;
	mc = call_of(p.c.pid, CALL_CONNECT, p.c.sid, p.c.fd);
	call_to(&mc, &p.c.dst);
	call_enters(&y, &mc);
	end_state(&y, &p.c, TCP_S_SYN_SENT);
	end_info(&y, &p.c, 0);
	pair_flows(&y, &p);
	seg_passes(&y, &p.c, &p.s, TCPF_SYN, p.c_iss, 0);
	story_wait(&y, 2 * NS_PER_MS);
	assert_int_equal(y.summaries, 1);
	assert_int_equal(y.summary.how, END_REFUSED);
	assert_int_equal(y.over.id, 1);
	assert_int_equal(y.over.end[0]->sid, p.c.sid);
	assert_int_equal(model_sock(y.m, p.c.sid)->conn->id, 2);
	assert_int_equal(model_sock(y.m, p.c.sid)->conn->segments[0], 1);
	story_close(&y);
}

/*
 * The order a real kernel gives: the SYN names no socket and leaves before anybody tells the
 * client's port; a refused one is never told at all.
 */
static void test_syn_names_nobody(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct tcp_end wire = p.c, early = p.c;
	struct made_call mc;
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	wire.sid = 0;
	early.src = early.dst = (struct ev_addr){ 0 };
	proc_told(&y, PROC_SEEN, p.c.pid, 0, 0, "client");
	end_info(&y, &early, 0);
	socket_made(&y, p.c.pid, p.c.sid, p.c.fd, SOCK_STREAM);
	mc = call_of(p.c.pid, CALL_CONNECT, p.c.sid, p.c.fd);
	call_to(&mc, &p.c.dst);
	call_enters(&y, &mc);
	end_state(&y, &early, TCP_S_SYN_SENT);
	pair_flows(&y, &p);
	t = seg_out(&y, &wire, TCPF_SYN, p.c_iss, 0);
	assert_non_null(t->s.sock);
	assert_int_equal(t->s.sock->sid, p.c.sid);
	assert_int_equal(t->s.sock->src.port, 40000);
	assert_int_equal(t->s.conn->pid[0], p.c.pid);
	seg_in(&y, &wire, &p.s, TCPF_SYN, p.c_iss, 0);
	p.s.sid = 0;
	p.s.rcv_nxt = p.c_iss + 1;
	seg_passes(&y, &p.s, &p.c, TCPF_RST | TCPF_ACK, 0, 0);
	end_state(&y, &early, TCP_S_CLOSE);
	t = call_returns(&y, &mc, -ECONNREFUSED);
	assert_int_equal(t->s.conn->id, 1);

	/* and once more, from another port the kernel chose */
	p.c.src.port = wire.src.port = 40002;
	p.c.fid = p.s.fid = wire.fid = 8;
	call_enters(&y, &mc);
	end_state(&y, &early, TCP_S_SYN_SENT);
	pair_flows(&y, &p);
	t = seg_out(&y, &wire, TCPF_SYN, 77, 0);
	assert_int_equal(t->s.sock->sid, p.c.sid);
	assert_int_equal(t->s.conn->id, 2);
	assert_int_equal(t->s.sock->src.port, 40002);
	story_wait(&y, 2 * NS_PER_MS);
	assert_int_equal(y.summaries, 1);
	assert_int_equal(y.summary.how, END_REFUSED);
	assert_int_equal(y.over.pid[0], p.c.pid);
	assert_int_equal(y.over.end[0]->sid, p.c.sid);
	story_close(&y);
}

/* Two connects to the same server at once: nobody is taken for the other. */
static void test_two_nameless(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct tcp_end early = p.c, wire = p.c;
	struct made_call mc;
	struct story y;
	struct told *t;
	__u32 sid;

	(void)state;
	story_open(&y);
	wire.sid = 0;
	early.src = early.dst = (struct ev_addr){ 0 };
	for (sid = 20; sid <= 21; sid++) {
		early.sid = sid;
		end_info(&y, &early, 0);
		mc = call_of(sid, CALL_CONNECT, sid, 3);
		call_to(&mc, &p.c.dst);
		call_enters(&y, &mc);
	}
	pair_flows(&y, &p);
	t = seg_out(&y, &wire, TCPF_SYN, p.c_iss, 0);
	assert_null(t->s.sock);
	assert_non_null(t->s.conn);
	/* the announcement settles it */
	p.c.sid = 20;
	p.c.state = TCP_S_SYN_SENT;
	end_info(&y, &p.c, 0);
	assert_ptr_equal(model_sock(y.m, 20)->conn->end[0], model_sock(y.m, 20));
	assert_int_equal(model_sock(y.m, 20)->conn->id, 1);
	assert_null(model_sock(y.m, 21)->conn);
	story_close(&y);
}

static void test_timeout(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	struct story y;
	int i;

	(void)state;
	story_open(&y);
	p.s.fid = 0;
	pair_connect_enters(&y, &p, &mc);
	for (i = 1; i <= 3; i++) {
		sock_told(&y, EV_RETRANSMIT, p.c.sid, TCP_S_SYN_SENT, p.c_iss, 0, NULL);
		assert_true(seg_out(&y, &p.c, TCPF_SYN, p.c_iss, 0)->s.sflags & STEP_RTX);
	}
	assert_int_equal(model_sock(y.m, p.c.sid)->conn->retransmits[0], 3);
	end_state(&y, &p.c, TCP_S_CLOSE);
	call_returns(&y, &mc, -ETIMEDOUT);
	end_event(&y, EV_DESTROY, &p.c);
	expect_over(&y, END_TIMEOUT);
	story_close(&y);
}

/* A close() that takes its time: the summary waits for its return, but not for ever. */
static void test_summary_waits(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	struct story y;

	(void)state;
	story_open(&y);
	pair_open_seen(&y, &p, 1);
	mc = call_of(p.c.pid, CALL_CLOSE, p.c.sid, p.c.fd);
	mc.c.cflags = CALLF_LAST_REF;
	call_enters(&y, &mc);
	end_event(&y, EV_DESTROY, &p.c);
	story_wait(&y, 500 * NS_PER_MS);
	assert_int_equal(y.summaries, 0);
	story_wait(&y, 600 * NS_PER_MS);
	assert_int_equal(y.summaries, 1);
	story_close(&y);
}

/* A non-blocking connect() returns long before; the error waiting on the socket tells. */
static void test_refused_later(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	struct story y;

	(void)state;
	story_open(&y);
	p.c.fid = 0;
	pair_connect_enters(&y, &p, &mc);
	call_returns(&y, &mc, -EINPROGRESS);
	sock_told(&y, EV_SOCK_ERROR, p.c.sid, ECONNREFUSED, 0, 0, NULL);
	end_state(&y, &p.c, TCP_S_CLOSE);
	end_event(&y, EV_DESTROY, &p.c);
	expect_over(&y, END_REFUSED);
	story_close(&y);
}

/* A SYN and its RST passing by, no socket in sight: a conversation all the same. */
static void test_refused_elsewhere(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	p.c.sid = p.s.sid = 0;
	pair_flows(&y, &p);
	t = seg_in(&y, &p.c, &p.s, TCPF_SYN, p.c_iss, 0);
	assert_int_equal(t->s.seg_from, ROLE_CLIENT);
	assert_null(t->s.sock);
	p.s.rcv_nxt = p.c_iss + 1;
	seg_out(&y, &p.s, TCPF_RST | TCPF_ACK, 0, 0);
	expect_over(&y, END_REFUSED);
	assert_int_equal(y.over.segments[0], 1);
	assert_false(y.over.dir[0].tx_seen || y.over.dir[0].rx_seen);
	story_close(&y);
}

/* A socket taken apart and connected anew: the books of the old conversation stay as they were. */
static void test_reconnect(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;

	(void)state;
	story_open(&y);
	pair_open_seen(&y, &p, 1);
	p.c.write_seq += 25;
	p.c.snd_nxt += 25;
	p.c.snd_una += 10;
	end_event(&y, EV_ACK, &p.c);
	end_state(&y, &p.c, TCP_S_CLOSE);
	end_state(&y, &p.c, TCP_S_SYN_SENT);
	assert_null(model_sock(y.m, p.c.sid)->conn);
	end_event(&y, EV_DESTROY, &p.c);
	expect_over(&y, END_GONE);
	expect_end(&y.over.dir[0], 25, 0, 0, 0);
	assert_int_equal(y.over.dir[0].unacked, 15);
	story_close(&y);
}

/* Another port, and nobody told that the first attempt had failed. */
static void test_port_changes(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;

	(void)state;
	story_open(&y);
	p.c.state = TCP_S_SYN_SENT;
	end_info(&y, &p.c, 0);
	p.c.src.port++;
	end_info(&y, &p.c, 0);
	assert_int_equal(model_sock(y.m, p.c.sid)->conn->id, 2);
	expect_over(&y, END_GONE);
	assert_int_equal(y.over.id, 1);
	story_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rst_unread),	 cmocka_unit_test(test_read_after_rst),
		cmocka_unit_test(test_refused),		 cmocka_unit_test(test_connect_again),
		cmocka_unit_test(test_syn_names_nobody), cmocka_unit_test(test_two_nameless),
		cmocka_unit_test(test_timeout),		 cmocka_unit_test(test_summary_waits),
		cmocka_unit_test(test_refused_later),	 cmocka_unit_test(test_refused_elsewhere),
		cmocka_unit_test(test_reconnect),	 cmocka_unit_test(test_port_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
