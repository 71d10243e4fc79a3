// SPDX-License-Identifier: MIT
/*
 * TIME_WAIT, CLOSE_WAIT, FIN_WAIT2 that stay behind, and connections that were dead on accept().
 */
#include "explain_leaving.h"

static struct why_story w;

static struct tcp_pair opened(void)
{
	struct tcp_pair p = pair_on_loopback();

	why_open(&w);
	pair_open(&w.y, &p);
	return p;
}

static size_t left_behind(void)
{
	return why_count(&w, "close-wait") + why_count(&w, "close-wait-unread") +
	       why_count(&w, "fin-wait2");
}

static void reuses(struct tcp_end *l)
{
	struct made_call mc = call_of(l->pid, CALL_SETSOCKOPT, l->sid, l->fd);

	mc.c.x[0] = SOL_SOCKET;
	mc.c.x[1] = SO_REUSEADDR;
	mc.c.x[2] = 4;
	mc.c.len = 1;
	call_made(&w.y, mc, 0);
}

/* Closed at both ends, e first, with its socket still held when the other's FIN comes. */
static void closed_in_order(struct tcp_end *e, struct tcp_end *other)
{
	end_shuts(&w.y, e, other, SHUT_WR);
	end_acks(&w.y, other, e);
	end_state(&w.y, e, TCP_S_FIN_WAIT2);
	end_gets(&w.y, other, 0, 0);
	other->state = TCP_S_CLOSE_WAIT;
	end_state(&w.y, other, TCP_S_LAST_ACK);
	other->write_seq++;
	seg_passes(&w.y, other, e, TCPF_FIN | TCPF_ACK, other->snd_nxt, 0);
	other->snd_nxt++;
	e->rcv_nxt++;
	e->lv_flags |= LV_FIN_IN;
	end_state(&w.y, e, TCP_S_CLOSE);
	end_acks(&w.y, e, other);
	end_state(&w.y, other, TCP_S_CLOSE);
}

static void test_time_wait(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	closed_in_order(&p.c, &p.s);
	v = why_find(&w, "time-wait");
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_int_equal(v->role, ROLE_CLIENT);
	assert_int_equal(v->sid, p.c.sid);
	assert_says(v, "the client (client 20) sent the first FIN, so its port 40000");
	assert_int_equal(why_count(&w, "time-wait"), 1);
	why_close(&w);
}

static void test_time_wait_server(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	closed_in_order(&p.s, &p.c);
	v = why_find(&w, "time-wait");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->role, ROLE_SERVER);
	assert_says(v, "its port 65430 stays taken for 60 s");
	assert_non_null(strstr(v->remedy, "SO_REUSEADDR"));
	why_close(&w);

	p = opened();
	reuses(&p.l);
	closed_in_order(&p.s, &p.c);
	assert_int_equal(why_find(&w, "time-wait")->weight, WEIGHT_ASIDE);
	assert_int_equal(why_find(&w, "time-wait")->remedy[0], '\0');
	why_close(&w);
}

/* Nobody has the socket when the peer's FIN comes: only then it is TIME_WAIT. */
static void test_time_wait_orphan(void **state)
{
	struct tcp_pair p = opened();
	struct told *fin;

	(void)state;
	end_closes(&w.y, &p.c, &p.s, 0);
	end_acks(&w.y, &p.s, &p.c);
	end_state(&w.y, &p.c, TCP_S_FIN_WAIT2);
	p.c.lv_flags |= LV_DEAD;
	end_state(&w.y, &p.c, TCP_S_CLOSE);
	assert_int_equal(why_count(&w, "time-wait"), 0);
	seg_out(&w.y, &p.s, TCPF_FIN | TCPF_ACK, p.s.snd_nxt, 0);
	assert_int_equal(why_count(&w, "time-wait"), 0);
	fin = seg_in(&w.y, &p.s, &p.c, TCPF_FIN | TCPF_ACK, p.s.snd_nxt, 0);
	assert_int_equal(why_find(&w, "time-wait")->step, fin->s.id);
	assert_int_equal(why_find(&w, "time-wait")->role, ROLE_CLIENT);
	assert_int_equal(why_find(&w, "time-wait")->pid, p.c.pid);
	why_close(&w);
}

static void test_time_wait_both(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	end_state(&w.y, &p.c, TCP_S_FIN_WAIT1);
	end_state(&w.y, &p.s, TCP_S_FIN_WAIT1);
	p.c.write_seq++, p.s.write_seq++;
	seg_out(&w.y, &p.c, TCPF_FIN | TCPF_ACK, p.c.snd_nxt++, 0);
	seg_out(&w.y, &p.s, TCPF_FIN | TCPF_ACK, p.s.snd_nxt++, 0);
	seg_in(&w.y, &p.s, &p.c, TCPF_FIN | TCPF_ACK, p.s.snd_nxt - 1, 0);
	p.c.rcv_nxt++;
	p.c.lv_flags |= LV_FIN_IN;
	end_state(&w.y, &p.c, TCP_S_CLOSING);
	end_state(&w.y, &p.c, TCP_S_CLOSE);
	v = why_find(&w, "time-wait");
	assert_int_equal(v->role, ROLE_CLIENT);
	assert_says(v, "both ends sent their FIN");
	why_close(&w);
}

/* A reset leaves no TIME_WAIT, and neither does the end that was closed second. */
static void test_time_wait_none(void **state)
{
	struct tcp_pair p = opened();

	(void)state;
	end_aborts(&w.y, &p.c, &p.s);
	assert_int_equal(why_count(&w, "time-wait"), 0);
	why_close(&w);
}

/* --- CLOSE_WAIT --- */

static void test_close_wait(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;
	struct told *eof;

	(void)state;
	end_closes(&w.y, &p.c, &p.s, 0);
	eof = end_gets(&w.y, &p.s, 0, 0);
	why_wait(&w, NS_PER_S);
	assert_int_equal(left_behind(), 0);
	why_wait(&w, 2 * NS_PER_S);
	v = why_find(&w, "close-wait");
	assert_int_equal(v->step, eof->s.id);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->certainty, INFERRED);
	assert_int_equal(v->role, ROLE_SERVER);
	assert_says(v, "the server (server 10) has not called close(4)");
	why_wait(&w, 5 * NS_PER_S);
	why_finish(&w);
	assert_int_equal(why_count(&w, "close-wait"), 1);
	why_close(&w);
}

/* A program that forgets one close() forgets many: the first three are told aloud. */
static void test_close_waits_are_not_all_alarms(void **state)
{
	size_t i, alarms = 0;

	(void)state;
	why_open(&w);
	for (i = 0; i < 5; i++) {
		struct tcp_pair p = pair_on_loopback();
		const __u16 port = (__u16)(p.l.src.port + i);

		p.c.sid += 10 * i;
		p.l.sid += 10 * i;
		p.s.sid += 10 * i;
		p.c.fd = p.l.fd = 10 + (int)i;
		p.s.fd = 20 + (int)i;
		p.c.fid = p.s.fid = 7 + (__u32)i;
		p.c.dst.port = p.l.src.port = p.s.src.port = port;
		pair_open(&w.y, &p);
		end_closes(&w.y, &p.c, &p.s, 0);
		end_gets(&w.y, &p.s, 0, 0);
	}
	why_wait(&w, 3 * NS_PER_S);
	assert_int_equal(why_count(&w, "close-wait"), 5);
	for (i = 0; i < w.n; i++)
		alarms += w.told[i].weight == WEIGHT_ALARM;
	assert_int_equal(alarms, 3);
	why_close(&w);
}

static void test_close_wait_unread(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	end_closes(&w.y, &p.c, &p.s, 0);
	why_wait(&w, 3 * NS_PER_S);
	v = why_find(&w, "close-wait-unread");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_says(
		v,
		"came 3.00 s ago, no recv() has seen it, and the server (server 10) has not called");
	assert_int_equal(why_count(&w, "close-wait"), 0);
	why_close(&w);
}

/* The end of the trace is soon enough, but not at once. */
static void test_close_wait_at_the_end(void **state)
{
	struct tcp_pair p = opened();

	(void)state;
	end_closes(&w.y, &p.c, &p.s, 0);
	end_gets(&w.y, &p.s, 0, 0);
	why_finish(&w);
	assert_int_equal(left_behind(), 0);
	why_close(&w);

	p = opened();
	end_closes(&w.y, &p.c, &p.s, 0);
	end_gets(&w.y, &p.s, 0, 0);
	why_wait(&w, NS_PER_S / 2);
	why_finish(&w);
	assert_int_equal(why_count(&w, "close-wait"), 1);
	why_close(&w);
}

/* The end of the process closes it. */
static void test_close_wait_until_exit(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	end_closes(&w.y, &p.c, &p.s, 0);
	end_gets(&w.y, &p.s, 0, 0);
	story_wait(&w.y, NS_PER_S);
	end_dropped(&w.y, &p.s, 0);
	v = why_find(&w, "close-wait");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "the server (server 10) ended without close(4)");
	why_close(&w);

	p = opened(); /* not if it ends at once */
	end_closes(&w.y, &p.c, &p.s, 0);
	end_gets(&w.y, &p.s, 0, 0);
	end_dropped(&w.y, &p.s, 0);
	assert_int_equal(left_behind(), 0);
	why_close(&w);
}

/* Out of sight it may have been shutdown(): no alarm. */
static void test_close_wait_one_end(void **state)
{
	struct tcp_pair p = pair_on_loopback();

	(void)state;
	p.c.netns = p.c.fid = 0;
	why_open(&w);
	pair_open_seen(&w.y, &p, 2);
	seg_in(&w.y, &p.c, &p.s, TCPF_FIN | TCPF_ACK, p.c_iss + 1, 0);
	p.s.rcv_nxt++;
	p.s.lv_flags |= LV_FIN_IN;
	end_state(&w.y, &p.s, TCP_S_CLOSE_WAIT);
	end_gets(&w.y, &p.s, 0, 0);
	why_wait(&w, 3 * NS_PER_S);
	assert_int_equal(why_find(&w, "close-wait")->weight, WEIGHT_NEWS);
	why_close(&w);
}

/* Not while the peer reads, not while this end is busy, not once it is closed. */
static void test_close_wait_silent(void **state)
{
	struct tcp_pair p = opened();

	(void)state;
	end_shuts(&w.y, &p.c, &p.s, SHUT_WR);
	end_gets(&w.y, &p.s, 0, 0);
	why_wait(&w, 10 * NS_PER_S);
	assert_int_equal(left_behind(), 0);
	why_finish(&w);
	assert_int_equal(left_behind(), 0);
	why_close(&w);

	p = opened();
	end_closes(&w.y, &p.c, &p.s, 0);
	end_gets(&w.y, &p.s, 0, 0);
	end_closes(&w.y, &p.s, &p.c, 0);
	why_wait(&w, 3 * NS_PER_S);
	why_finish(&w);
	assert_int_equal(left_behind(), 0);
	why_close(&w);
}

static void test_fin_wait2(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	end_closes(&w.y, &p.c, &p.s, 0);
	end_acks(&w.y, &p.s, &p.c);
	end_state(&w.y, &p.c, TCP_S_FIN_WAIT2);
	end_state(&w.y, &p.c, TCP_S_CLOSE);
	end_event(&w.y, EV_DESTROY, &p.c); /* only an entry is left of it */
	why_wait(&w, 3 * NS_PER_S);
	v = why_find(&w, "fin-wait2");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->sid, p.c.sid);
	assert_says(v, "the client (client 20) closed 3.00 s ago, the server (server 10) has not");
	why_close(&w);
}

/* --- accept() --- */

/* The client is connected and nobody has accepted it. */
static struct tcp_pair waiting(void)
{
	struct tcp_pair p = pair_on_loopback();

	why_open(&w);
	pair_listen(&w.y, &p);
	p.s.fd = -1;
	return p;
}

static struct told *accepts(struct tcp_pair *p, int fd)
{
	struct made_call ac = call_of(p->l.pid, CALL_ACCEPT, p->l.sid, p->l.fd);

	ac.c.sid2 = p->s.sid;
	p->s.fd = fd;
	return call_made(&w.y, ac, fd);
}

/* pair_open() accepts at once; here the handshake alone. */
static void handshake(struct tcp_pair *p)
{
	struct made_call mc;

	pair_connect_enters(&w.y, p, &mc);
	seg_in(&w.y, &p->c, &p->s, TCPF_SYN, p->c_iss, 0);
	p->s.rcv_nxt = p->s.copied_seq = p->c_iss + 1;
	seg_passes(&w.y, &p->s, &p->c, TCPF_SYN | TCPF_ACK, p->s_iss, 0);
	p->c.rcv_nxt = p->c.copied_seq = p->s_iss + 1;
	p->c.snd_una = p->c_iss + 1;
	end_state(&w.y, &p->c, TCP_S_ESTABLISHED);
	seg_passes(&w.y, &p->c, &p->s, TCPF_ACK, p->c_iss + 1, 0);
	p->s.write_seq = p->s.snd_nxt = p->s.snd_una = p->s_iss + 1;
	p->s.state = TCP_S_SYN_RECV;
	end_info(&w.y, &p->s, SOCKF_PASSIVE);
	end_state(&w.y, &p->s, TCP_S_ESTABLISHED);
	mc.c.lv = levels_of(&p->c);
	call_returns(&w.y, &mc, 0);
}

/* What an older listener had set is not known: no advice. */
static void test_time_wait_old_server(void **state)
{
	struct tcp_pair p = pair_on_loopback();

	(void)state;
	why_open(&w);
	p.l.state = TCP_S_LISTEN;
	end_info(&w.y, &p.l, 0);
	handshake(&p);
	closed_in_order(&p.s, &p.c);
	assert_int_equal(why_find(&w, "time-wait")->role, ROLE_SERVER);
	assert_int_equal(why_find(&w, "time-wait")->weight, WEIGHT_ASIDE);
	assert_int_equal(why_find(&w, "time-wait")->remedy[0], '\0');
	why_close(&w);
}

static void test_accept_left(void **state)
{
	struct tcp_pair p = waiting();
	const struct verdict *v;
	struct told *t;

	(void)state;
	handshake(&p);
	end_sends(&w.y, &p.c, &p.s, 5, 5);
	end_closes(&w.y, &p.c, &p.s, 0);
	t = accepts(&p, 4);
	v = why_find(&w, "accept-left");
	assert_int_equal(v->step, t->s.id);
	assert_int_equal(v->sid, p.s.sid);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_says(v, "the client (client 20) called close(3): 5 bytes to read, then comes EOF");
	why_no_alarm(&w);
	why_close(&w);
}

static void test_accept_half(void **state)
{
	struct tcp_pair p = waiting();
	const struct verdict *v;

	(void)state;
	handshake(&p);
	end_shuts(&w.y, &p.c, &p.s, SHUT_WR);
	accepts(&p, 4);
	v = why_find(&w, "accept-left");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_says(v, "called shutdown(3, SHUT_WR): nothing to read");
	why_close(&w);
}

static void test_accept_reset(void **state)
{
	struct tcp_pair p = waiting();
	const struct verdict *v;

	(void)state;
	handshake(&p);
	end_aborts(&w.y, &p.c, &p.s);
	accepts(&p, 4);
	v = why_find(&w, "accept-reset");
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_says(v, "the client (client 20) had sent an RST");
	assert_int_equal(why_count(&w, "accept-left"), 0);
	why_close(&w);
}

static void test_accept_alive(void **state)
{
	struct tcp_pair p = waiting();

	(void)state;
	handshake(&p);
	end_sends(&w.y, &p.c, &p.s, 5, 5);
	accepts(&p, 4);
	assert_int_equal(why_count(&w, "accept-left") + why_count(&w, "accept-reset"), 0);
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_wait),
		cmocka_unit_test(test_time_wait_server),
		cmocka_unit_test(test_time_wait_old_server),
		cmocka_unit_test(test_time_wait_orphan),
		cmocka_unit_test(test_time_wait_both),
		cmocka_unit_test(test_time_wait_none),
		cmocka_unit_test(test_close_wait),
		cmocka_unit_test(test_close_waits_are_not_all_alarms),
		cmocka_unit_test(test_close_wait_unread),
		cmocka_unit_test(test_close_wait_at_the_end),
		cmocka_unit_test(test_close_wait_until_exit),
		cmocka_unit_test(test_close_wait_one_end),
		cmocka_unit_test(test_close_wait_silent),
		cmocka_unit_test(test_fin_wait2),
		cmocka_unit_test(test_accept_left),
		cmocka_unit_test(test_accept_half),
		cmocka_unit_test(test_accept_reset),
		cmocka_unit_test(test_accept_alive),
	};

	return cmocka_run_group_tests_name("explain: what is left", tests, NULL, NULL);
}
