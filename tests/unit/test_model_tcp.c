// SPDX-License-Identifier: MIT
/*
 * One TCP conversation in all its ways to live and to end: the ledger at every step.
 */
#include "build_tcp.h"

#include <errno.h>

#include "expect.h"

/* FIN of both, the server first; each end dies as in the kernel. */
static void close_server_first(struct story *y, struct tcp_pair *p)
{
	struct made_call mc = call_of(p->s.pid, CALL_CLOSE, p->s.sid, p->s.fd);

	mc.c.cflags = CALLF_LAST_REF;
	call_enters(y, &mc);
	end_fin(y, &p->s, &p->c);
	p->s.snd_una++;
	seg_passes(y, &p->c, &p->s, TCPF_ACK, p->c.snd_nxt, 0);
	end_state(y, &p->s, TCP_S_FIN_WAIT2);
	call_returns(y, &mc, 0);

	end_receives(y, &p->c, 1024, 0);
	mc = call_of(p->c.pid, CALL_CLOSE, p->c.sid, p->c.fd);
	mc.c.cflags = CALLF_LAST_REF;
	call_enters(y, &mc);
	end_fin(y, &p->c, &p->s);
	end_event(y, EV_DESTROY, &p->s);
	p->c.snd_una++;
	seg_passes(y, &p->s, &p->c, TCPF_ACK, p->s.snd_nxt, 0);
	end_state(y, &p->c, TCP_S_CLOSE);
	end_event(y, EV_DESTROY, &p->c);
	assert_int_equal(y->summaries, 0); /* the close has yet to return */
	call_returns(y, &mc, 0);
}

static void test_pair(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	const struct sock *c, *s;
	struct made_call mc;
	struct told *t;
	struct story y;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	c = model_sock(y.m, p.c.sid);
	s = model_sock(y.m, p.s.sid);
	assert_ptr_equal(c->peer, s);
	assert_ptr_equal(s->peer, c);
	assert_ptr_equal(c->conn, s->conn);
	assert_ptr_equal(s->listener, model_sock(y.m, p.l.sid));
	assert_int_equal(c->role, ROLE_CLIENT);
	assert_int_equal(s->role, ROLE_SERVER);
	assert_int_equal(model_proc(y.m, 10)->role, ROLE_SERVER);
	assert_int_equal(model_proc(y.m, 20)->role, ROLE_CLIENT);
	assert_int_equal(c->conn->pid[0], 20);
	assert_int_equal(c->conn->pid[1], 10);
	assert_int_equal(c->snd_base, 1001);
	assert_int_equal(c->rcv_base, 900001);
	assert_true(c->base_known && s->base_known);
	assert_true(c->conn->established);

	/* send() step by step: written and sent are known before it returns */
	mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	mc.c.len = 14;
	expect(&call_enters(&y, &mc)->s.dir[0], (struct amounts){ 0 });
	p.c.write_seq += 14;
	p.c.snd_nxt += 14;
	t = seg_out(&y, &p.c, TCPF_ACK | TCPF_PSH, 1001, 14);
	expect(&t->s.dir[0], (struct amounts){ .written = 14, .in_flight = 14 });
	assert_int_equal(t->s.rel_seq, 1);
	assert_int_equal(t->s.rel_ack, 1);
	assert_true(t->s.rel_known && t->s.win_scaled);
	assert_int_equal(t->s.win_bytes, 512 << 7);
	assert_int_equal(t->s.seg_from, ROLE_CLIENT);
	assert_int_equal(t->s.sflags & (STEP_RTX | STEP_PURE_ACK | STEP_SEG_PAIR), 0);
	assert_ptr_equal(t->s.sock, c);
	t = seg_in(&y, &p.c, &p.s, TCPF_ACK | TCPF_PSH, 1001, 14);
	assert_true(t->s.sflags & STEP_SEG_PAIR);
	assert_ptr_equal(t->s.sock, s);
	assert_int_equal(t->s.role, ROLE_SERVER);
	assert_int_equal(t->s.proc->pid, 10);
	p.s.rcv_nxt += 14;
	t = end_event(&y, EV_DATA_READY, &p.s);
	expect(&t->s.dir[0], (struct amounts){ .written = 14, .rcvq = 14 });
	assert_true(t->s.sflags & STEP_LV);
	t = seg_out(&y, &p.s, TCPF_ACK, p.s.snd_nxt, 0);
	assert_true(t->s.sflags & STEP_PURE_ACK);
	assert_int_equal(t->s.rel_ack, 15);
	p.c.snd_una += 14;
	mc.c.lv = levels_of(&p.c);
	t = call_returns(&y, &mc, 14);
	expect(&t->s.dir[0], (struct amounts){ .written = 14, .rcvq = 14 });
	assert_true(t->s.sflags & STEP_MIDWAY);
	assert_int_equal(t->s.enter_id, t->s.id - 5);
	assert_true(t->s.took_ns > 0);

	t = end_receives(&y, &p.s, 1024, 14);
	expect(&t->s.dir[0], (struct amounts){ .written = 14, .read = 14 });
	assert_int_equal(t->s.sflags & (STEP_EOF | STEP_MIDWAY), 0);
	end_sends(&y, &p.s, &p.c, 14, 14);
	t = end_receives(&y, &p.c, 1024, 14);
	expect(&t->s.dir[1], (struct amounts){ .written = 14, .read = 14 });

	close_server_first(&y, &p);
	t = story_find(&y, EV_CALL, CALL_RECVFROM);
	assert_true(t->s.sflags & STEP_EOF);
	expect(&t->s.dir[1], (struct amounts){ .written = 14, .read = 14 });
	expect_over(&y, END_FIN);
	expect_end(&y.over.dir[0], 14, 14, 0, 0);
	expect_end(&y.over.dir[1], 14, 14, 0, 0);
	assert_int_equal(y.over.first_fin, 1);
	assert_int_equal(y.over.rst_by, -1);
	assert_int_equal(y.over.calls[0][0], 1);
	assert_int_equal(y.over.calls[0][1], 1); /* the EOF moved nothing */
	assert_int_equal(y.over.calls[1][0], 1);
	assert_int_equal(y.over.calls[1][1], 1);
	/* SYN, ACK, data, ACK of data, ACK of FIN, FIN | SYN-ACK, ACK, data, FIN, ACK */
	assert_int_equal(y.over.segments[0], 6);
	assert_int_equal(y.over.segments[1], 5);
	assert_int_equal(y.over.seg_bytes[0], 14);
	assert_int_equal(y.over.seg_bytes[1], 14);
	assert_int_equal(y.over.retransmits[0] + y.over.retransmits[1], 0);
	assert_false(y.over.dir[0].partial || y.over.dir[1].partial);
	assert_true(y.over.dir[0].fin && y.over.dir[1].fin);
	assert_int_equal(model_finish(y.m), 0);
	assert_int_equal(y.summaries, 1);
	story_close(&y);
}

/* The same ledger without a wire and without one of the ends. */
static void test_client_only(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	p.s.fid = 0;
	pair_open_seen(&y, &p, 1);
	p.s.state = TCP_S_ESTABLISHED;
	p.c.write_seq += 100;
	p.c.snd_nxt += 60;
	p.c.snd_una += 20;
	t = end_event(&y, EV_ACK, &p.c);
	expect(&t->s.dir[0], (struct amounts){ .written = 100, .unsent = 40, .in_flight = 40 });
	assert_true(t->s.dir[0].tx_seen);
	assert_false(t->s.dir[0].rx_seen);
	p.c.rcv_nxt += 30;
	p.c.copied_seq += 10;
	t = end_event(&y, EV_DATA_READY, &p.c);
	expect(&t->s.dir[1], (struct amounts){ .written = 30, .rcvq = 20, .read = 10 });
	assert_false(t->s.dir[1].tx_seen);
	assert_false(t->s.dir[1].partial);

	/* killed: 40 never sent, 40 never acknowledged, 20 never read */
	end_state(&y, &p.c, TCP_S_CLOSE);
	end_event(&y, EV_DESTROY, &p.c);
	expect_over(&y, END_GONE);
	expect_end(&y.over.dir[0], 100, 0, 40, 0);
	assert_int_equal(y.over.dir[0].unacked, 40);
	expect_end(&y.over.dir[1], 30, 10, 0, 20);
	story_close(&y);
}

/* In order, with nobody at the other end to correct us: the FIN takes nothing from the data. */
static void test_client_only_closes(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	p.c.fid = p.s.fid = 0;
	pair_open_seen(&y, &p, 1);
	p.c.write_seq += 100;
	p.c.snd_nxt += 100;
	t = end_state(&y, &p.c, TCP_S_FIN_WAIT1);
	expect(&t->s.dir[0], (struct amounts){ .written = 100, .in_flight = 100 });
	p.c.write_seq++;
	p.c.snd_nxt++;
	p.c.snd_una += 101;
	t = end_state(&y, &p.c, TCP_S_FIN_WAIT2);
	expect(&t->s.dir[0], (struct amounts){ .written = 100 });
	assert_int_equal(t->s.conn->first_fin, 0);
	p.c.rcv_nxt++; /* the peer's FIN */
	p.c.lv_flags |= LV_FIN_IN;
	end_state(&y, &p.c, TCP_S_CLOSE);
	end_event(&y, EV_DESTROY, &p.c);
	expect_over(&y, END_FIN);
	expect_end(&y.over.dir[0], 100, 0, 0, 0);
	expect_end(&y.over.dir[1], 0, 0, 0, 0);
	assert_true(y.over.fin_seen[0] && y.over.fin_seen[1]);
	story_close(&y);
}

static void test_server_only(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;

	(void)state;
	story_open(&y);
	p.c.fid = 0;
	pair_open_seen(&y, &p, 2);
	assert_int_equal(model_sock(y.m, p.s.sid)->conn->end[1]->sid, p.s.sid);
	assert_null(model_sock(y.m, p.s.sid)->conn->end[0]);
	p.s.rcv_nxt += 500;
	end_event(&y, EV_DATA_READY, &p.s);
	end_receives(&y, &p.s, 200, 200);
	expect(&story_last(&y)->s.dir[0],
	       (struct amounts){ .written = 500, .rcvq = 300, .read = 200 });
	assert_int_equal(model_finish(y.m), 0);
	assert_int_equal(y.summaries, 1);
	assert_int_equal(y.summary.how, END_OPEN);
	story_close(&y);
}

/* 6 GiB in pieces of 1 GiB, beginning just below the wrap. */
static void test_wrap(void **state)
{
	const __u64 gib = 1ULL << 30;
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	struct told *t;
	__u64 i;

	(void)state;
	story_open(&y);
	p.c_iss = 0xfffffff0u;
	p.s_iss = 0xffffffffu; /* the first data byte is number 0 */
	pair_open(&y, &p);
	assert_int_equal(model_sock(y.m, p.c.sid)->rcv_base, 0);
	for (i = 1; i <= 6; i++) {
		t = end_sends(&y, &p.c, &p.s, gib, gib);
		expect(&t->s.dir[0],
		       (struct amounts){ .written = i * gib, .rcvq = gib, .read = (i - 1) * gib });
		end_receives(&y, &p.s, gib, gib);
	}
	expect(&story_last(&y)->s.dir[0], (struct amounts){ .written = 6 * gib, .read = 6 * gib });
	t = end_sends(&y, &p.s, &p.c, 20, 20);
	expect(&t->s.dir[1], (struct amounts){ .written = 20, .rcvq = 20 });
	assert_int_equal(t->s.dir[0].written, 6 * gib);
	story_close(&y);
}

/* A connection older than the trace: what lay unread at first sight is in the books. */
static void test_seeded(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct event_sockinfo e = { .e = { .flags = EVF_SEED }, .netns = 1, .type = SOCK_STREAM };
	const struct sock *s;
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	pair_listen(&y, &p);
	p.c.state = p.s.state = TCP_S_ESTABLISHED;
	p.c.write_seq = 5000, p.c.snd_nxt = 4900, p.c.snd_una = 4800;
	p.s.rcv_nxt = 4850, p.s.copied_seq = 4500;
	p.s.write_seq = p.s.snd_nxt = p.s.snd_una = p.c.rcv_nxt = p.c.copied_seq = 77;
	e.protocol = IPPROTO_TCP;
	e.state = TCP_S_ESTABLISHED;
	e.e.sid = p.c.sid, e.src = p.c.src, e.dst = p.c.dst, e.lv = levels_of(&p.c);
	info_told(&y, e);
	e.e.sid = p.s.sid, e.src = p.s.src, e.dst = p.s.dst, e.lv = levels_of(&p.s);
	info_told(&y, e);
	s = model_sock(y.m, p.s.sid);
	assert_true(s->seeded && s->conn && s->conn->established);
	assert_int_equal(s->role, ROLE_SERVER); /* its port is listened on */
	assert_ptr_equal(s->conn->end[1], s);
	assert_ptr_equal(s->peer, model_sock(y.m, p.c.sid));
	t = story_last(&y);
	assert_true(t->s.dir[0].partial);
	expect(&t->s.dir[0],
	       (struct amounts){ .written = 500, .unsent = 100, .in_flight = 50, .rcvq = 350 });
	t = end_receives(&y, &p.s, 350, 350);
	expect(&t->s.dir[0],
	       (struct amounts){ .written = 500, .unsent = 100, .in_flight = 50, .read = 350 });
	story_close(&y);
}

/* recvmmsg(): how many messages, and their bytes. */
static struct told *end_receives_many(struct story *y, struct tcp_end *e, int messages, __u32 bytes)
{
	struct made_call mc = call_of(e->pid, CALL_RECVMMSG, e->sid, e->fd);

	mc.c.len = bytes;
	call_enters(y, &mc);
	e->copied_seq += bytes;
	mc.c.lv = levels_of(e);
	return call_returns(y, &mc, messages);
}

/* At the end of a stream each message has 0 bytes, and the call does not return 0. */
static void test_receives_many(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	end_sends(&y, &p.c, &p.s, 10, 10);
	t = end_receives_many(&y, &p.s, 2, 10);
	assert_false(t->s.sflags & STEP_EOF);
	expect(&t->s.dir[0], (struct amounts){ .written = 10, .read = 10 });
	end_fin(&y, &p.c, &p.s);
	t = end_receives_many(&y, &p.s, 3, 0);
	assert_true(t->s.sflags & STEP_EOF);
	expect(&t->s.dir[0], (struct amounts){ .written = 10, .read = 10 });
	assert_int_equal(t->s.conn->calls[1][1], 1); /* the EOF moved nothing */
	assert_false(end_receives_many(&y, &p.s, -EAGAIN, 0)->s.sflags & STEP_EOF);
	story_close(&y);
}

static void test_half_close(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	end_sends(&y, &p.c, &p.s, 10, 10);
	mc = call_of(p.c.pid, CALL_SHUTDOWN, p.c.sid, p.c.fd);
	mc.c.x[0] = SHUT_WR;
	call_enters(&y, &mc);
	end_fin(&y, &p.c, &p.s);
	p.c.snd_una++;
	end_state(&y, &p.c, TCP_S_FIN_WAIT2);
	mc.c.lv = levels_of(&p.c);
	t = call_returns(&y, &mc, 0);
	expect(&t->s.dir[0], (struct amounts){ .written = 10, .rcvq = 10 });
	assert_true(t->s.dir[0].fin);
	assert_false(t->s.dir[1].fin);

	/* the sample at ESTABLISHED -> CLOSE_WAIT has the FIN in rcv_nxt; it is no data */
	assert_int_equal(t->s.dir[0].written, 10);

	/* the other direction goes on */
	p.s.copied_seq++; /* reading to the end steps over the FIN */
	t = end_receives(&y, &p.s, 100, 10);
	expect(&t->s.dir[0], (struct amounts){ .written = 10, .read = 10 });
	t = end_receives(&y, &p.s, 100, 0);
	assert_true(t->s.sflags & STEP_EOF);
	expect(&t->s.dir[0], (struct amounts){ .written = 10, .read = 10 });
	end_sends(&y, &p.s, &p.c, 300, 300);
	t = end_receives(&y, &p.c, 300, 300);
	expect(&t->s.dir[1], (struct amounts){ .written = 300, .read = 300 });
	assert_int_equal(t->s.conn->first_fin, 0);
	assert_true(t->s.conn->fin_seen[0]);
	assert_false(t->s.conn->fin_seen[1]);
	story_close(&y);
}

static void test_retransmission(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	p.c.write_seq += 30;
	p.c.snd_nxt += 30;
	t = seg_out(&y, &p.c, TCPF_ACK, 1001, 10);
	assert_false(t->s.sflags & STEP_RTX);
	t = seg_out(&y, &p.c, TCPF_ACK, 1011, 20);
	assert_false(t->s.sflags & STEP_RTX);
	t = seg_in(&y, &p.c, &p.s, TCPF_ACK, 1011, 20); /* the first one was lost */
	assert_true(t->s.sflags & STEP_SEG_PAIR);
	expect(&t->s.dir[0], (struct amounts){ .written = 30, .in_flight = 30 });
	sock_told(&y, EV_RETRANSMIT, p.c.sid, 1, 1001, 10, NULL);
	t = seg_out(&y, &p.c, TCPF_ACK | TCPF_PSH, 1001, 10);
	assert_true(t->s.sflags & STEP_RTX);
	t = seg_in(&y, &p.c, &p.s, TCPF_ACK | TCPF_PSH, 1001, 10);
	assert_true(t->s.sflags & STEP_RTX);
	assert_true(t->s.sflags & STEP_SEG_PAIR);
	assert_int_equal(t->s.conn->retransmits[0], 1);
	assert_int_equal(t->s.conn->seg_bytes[0], 40);
	t = seg_in(&y, &p.c, &p.s, TCPF_ACK | TCPF_PSH, 1001, 10); /* the network made a copy */
	assert_false(t->s.sflags & STEP_SEG_PAIR);
	t = seg_out(&y, &p.c, TCPF_ACK, 1030, 0); /* keepalive: one below, no data */
	assert_false(t->s.sflags & STEP_RTX);
	story_close(&y);
}

/* An older sample, merged late, takes nothing back. */
static void test_older_sample(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct tcp_end before;
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	before = p.s;
	before.lv_flags = LV_LINGER;
	end_sends(&y, &p.c, &p.s, 40, 40);
	end_receives(&y, &p.s, 40, 40);
	t = end_event(&y, EV_ACK, &before);
	assert_false(t->s.sock->lv.flags & LV_LINGER);
	expect(&t->s.dir[0], (struct amounts){ .written = 40, .read = 40 });
	assert_false(t->s.sflags & STEP_LV);
	assert_int_equal(t->s.sock->lv.copied_seq, p.s.copied_seq);
	story_close(&y);
}

/* Kernel moments of a socket nobody announced yet, and its announcement after them. */
static void test_unknown_first(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	p.c.state = TCP_S_ESTABLISHED;
	p.c.write_seq = p.c.snd_nxt = p.c.snd_una = 2000;
	p.c.rcv_nxt = p.c.copied_seq = 3000;
	t = end_event(&y, EV_DATA_READY, &p.c);
	assert_non_null(t->s.sock);
	assert_null(t->s.conn);
	end_event(&y, EV_DESTROY, &p.s);
	end_info(&y, &p.c, 0);
	assert_non_null(story_last(&y)->s.conn);
	p.c.write_seq += 5;
	t = end_event(&y, EV_ACK, &p.c);
	expect(&t->s.dir[0], (struct amounts){ .written = 5, .unsent = 5 });
	assert_true(t->s.dir[0].partial);	  /* born out of our sight */
	assert_int_equal(t->s.role, ROLE_CLIENT); /* by its port */
	story_close(&y);
}

/* Lost records: a socket first sampled afterwards may have moved bytes unseen. */
static void test_lost(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	assert_int_equal(model_lost(y.m, y.t_ns, 12), 0);
	assert_int_equal(story_last(&y)->s.kind, STEP_LOST);
	assert_int_equal(story_last(&y)->s.n, 12);
	p.c.fid = 0;
	p.c.state = TCP_S_ESTABLISHED;
	end_info(&y, &p.c, 0);
	p.c.write_seq = p.c.snd_nxt = p.c.snd_una = 2000;
	t = end_event(&y, EV_ACK, &p.c);
	assert_true(t->s.dir[0].partial);
	story_close(&y);
}

static void test_reason(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;

	(void)state;
	story_open(&y);
	assert_int_equal(model_reason_name(y.m, "rst_reason", 11, "ABORT_ON_CLOSE"), 0);
	assert_int_equal(model_reason_name(y.m, "drop_reason", 0x30002, "NO_SOCKET"), 0);
	assert_int_equal(model_reason_name(y.m, "weather", 1, "RAIN"), -EINVAL);
	pair_open(&y, &p);
	assert_string_equal(sock_told(&y, EV_RST_SENT, p.s.sid, 11, 1, 0, NULL)->s.reason,
			    "ABORT_ON_CLOSE");
	assert_null(sock_told(&y, EV_RST_SENT, p.s.sid, 11, 0, 0, NULL)->s.reason);
	assert_string_equal(sock_told(&y, EV_SKB_DROP, 0, 0x30002, 0, 9, NULL)->s.reason,
			    "NO_SOCKET");
	story_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_client_only),
		cmocka_unit_test(test_client_only_closes),
		cmocka_unit_test(test_server_only),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_seeded),
		cmocka_unit_test(test_receives_many),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_retransmission),
		cmocka_unit_test(test_older_sample),
		cmocka_unit_test(test_unknown_first),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
