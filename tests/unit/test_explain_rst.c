// SPDX-License-Identifier: MIT
/*
 * Why an RST was sent and what it destroyed: from the kernel's reason, and without one from what
 * the socket went through. Every cause is told both ways.
 */
#include <errno.h>

#include "explain_story.h"

/* include/net/rstreason.h */
enum {
	NO_SOCKET = 1,
	FLAGS = 6,
	ON_DATA = 8,
	TIMEWAIT = 9,
	ON_CLOSE = 11,
	STATE = 14,
	KEEPALIVE = 15
};

static struct why_story w;
static struct tcp_pair p;
static bool reasons; /* does the kernel give one? */

static void open_story(bool with_reasons)
{
	static const struct {
		unsigned int number;
		const char *name;
	} names[] = {
		{ NO_SOCKET, "NO_SOCKET" },
		{ FLAGS, "TCP_FLAGS" },
		{ ON_DATA, "TCP_ABORT_ON_DATA" },
		{ TIMEWAIT, "TCP_TIMEWAIT_SOCKET" },
		{ ON_CLOSE, "TCP_ABORT_ON_CLOSE" },
		{ STATE, "TCP_STATE" },
		{ KEEPALIVE, "TCP_KEEPALIVE_TIMEOUT" },
	};
	size_t i;

	reasons = with_reasons;
	p = pair_on_loopback();
	why_open(&w);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		model_reason_name(w.y.m, "rst_reason", names[i].number, names[i].name);
}

/* Only now: on loopback the sender tells after the RST has arrived. sid 0: no socket sends it. */
static struct told *rst_told(__u32 sid, unsigned int reason, bool by_b)
{
	struct event_sock e = { .e = { .sid = sid }, .d = 7, .c = by_b };

	e.a = reasons ? reason : 0;
	e.b = reasons;
	return tell(&w.y, &e, EV_RST_SENT, sizeof(e));
}

/* The RST leaves and arrives; the other end learns it. */
static struct told *reset(struct tcp_end *e, struct tcp_end *to, unsigned int reason)
{
	if (e->state != TCP_S_CLOSE)
		end_state(&w.y, e, TCP_S_CLOSE);
	seg_passes(&w.y, e, to, TCPF_RST | TCPF_ACK, e->snd_nxt, 0);
	end_event(&w.y, EV_RST_RECEIVED, to);
	end_state(&w.y, to, TCP_S_CLOSE);
	return rst_told(e->sid, reason, e->is_b);
}

static struct made_call close_enters(struct tcp_end *e, __u8 flags)
{
	struct made_call mc = call_of(e->pid, CALL_CLOSE, e->sid, e->fd);

	mc.c.cflags = (__u8)(CALLF_LAST_REF | flags);
	call_enters(&w.y, &mc);
	e->lv_flags |= LV_DEAD;
	return mc;
}

static void option_set(struct tcp_end *e, __u32 level, __u32 name, __s32 first, __s32 second)
{
	struct made_call mc = call_of(e->pid, CALL_SETSOCKOPT, e->sid, e->fd);
	__s32 value[2] = { first, second };

	mc.c.x[0] = level;
	mc.c.x[1] = name;
	memcpy(&mc.c.len, value, sizeof(value));
	call_made(&w.y, mc, 0);
}

static const struct verdict *expect(const char *rule, struct told *t)
{
	const struct verdict *v = why_find(&w, rule);

	assert_int_equal(v->step, t->s.id);
	assert_int_equal(v->certainty, reasons ? PROVED : INFERRED);
	assert_int_equal(why_count(&w, rule), 1);
	return v;
}

static size_t rst_verdicts(void)
{
	size_t i, n = 0;

	for (i = 0; i < w.n; i++)
		n += !strncmp(w.told[i].rule->name, "rst-", 4);
	return n;
}

/* One way after the other: with reasons, then without. */
static void both_ways(void (*story)(void))
{
	int i;

	for (i = 1; i >= 0; i--) {
		open_story(i);
		story();
		assert_int_equal(rst_verdicts(), 1);
		why_close(&w);
	}
}

static void unread(void)
{
	const struct verdict *v;
	struct made_call mc;
	struct told *t;

	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 4, 4);
	end_sends(&w.y, &p.s, &p.c, 5000, 1000);
	mc = close_enters(&p.s, 0);
	t = reset(&p.s, &p.c, ON_CLOSE);
	v = expect("rst-unread", t);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->role, ROLE_SERVER);
	assert_says(v, "the server (server 10) called close(4) with 4 bytes unread");
	assert_says(v, "4,000 bytes it had still to deliver are destroyed");
	assert_says(v, "1,000 bytes that had arrived can still be read");
	assert_true(why_has_evidence(v, story_find(&w.y, EV_CALL, CALL_CLOSE)->s.id));
	call_returns(&w.y, &mc, 0);
}

static void test_unread(void **state)
{
	(void)state;
	both_ways(unread);
}

/* What the receiver of the RST had queued is destroyed with it. */
static void test_other_end_loses(void **state)
{
	struct made_call mc;

	(void)state;
	open_story(true);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 9000, 1000);
	mc = close_enters(&p.s, 0);
	assert_says(expect("rst-unread", reset(&p.s, &p.c, ON_CLOSE)),
		    "with 1,000 bytes unread; 8,000 bytes the other end had still to deliver are "
		    "destroyed");
	call_returns(&w.y, &mc, 0);
	why_close(&w);
}

static void killed(void)
{
	struct event_proc gone = { .e = { .pid = 10, .tid = 10 }, .what = PROC_EXIT, .code = 9 };
	struct made_call mc;
	struct told *t;

	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 1, 1);
	mc = call_of(p.s.pid, CALL_CLOSE, p.s.sid, p.s.fd);
	mc.c.cflags = CALLF_LAST_REF | CALLF_BY_EXIT;
	mc.c.e.kind = EV_CALL;
	mc.c.e.size = sizeof(mc.c);
	tell(&w.y, &gone, EV_PROC, sizeof(gone));
	tell_as(&w.y, &mc.c.e, PHASE_POINT);
	t = reset(&p.s, &p.c, ON_CLOSE);
	assert_says(expect("rst-unread", t), "was killed by signal 9 with 1 byte unread");
}

static void test_killed(void **state)
{
	(void)state;
	both_ways(killed);
}

/* The server has closed and goes on sending; the client's bytes come too late. */
static void late(void)
{
	const struct verdict *v;
	struct told *t;

	pair_open(&w.y, &p);
	end_sends(&w.y, &p.s, &p.c, 5000, 1000);
	call_returns(&w.y, (struct made_call[]){ close_enters(&p.s, 0) }, 0);
	end_state(&w.y, &p.s, TCP_S_FIN_WAIT1);
	w.y.t_ns += 5 * NS_PER_MS;
	p.c.write_seq += 6;
	p.c.snd_nxt += 6;
	seg_passes(&w.y, &p.c, &p.s, TCPF_ACK | TCPF_PSH, p.c_iss + 1, 6);
	t = reset(&p.s, &p.c, ON_DATA);
	v = expect("rst-late-data", t);
	assert_says(v,
		    "6 bytes came for the socket the server (server 10) had closed 5.0 ms before");
	assert_says(v, "4,000 bytes it had still to deliver are destroyed");
	/* what was still under way is answered, too: one surprise */
	reasons = true;
	rst_told(p.s.sid, NO_SOCKET, true);
}

static void test_late(void **state)
{
	(void)state;
	both_ways(late);
}

static void shut(void)
{
	struct made_call mc;
	struct told *t;

	pair_open(&w.y, &p);
	mc = call_of(p.s.pid, CALL_SHUTDOWN, p.s.sid, p.s.fd);
	mc.c.x[0] = SHUT_RDWR;
	call_enters(&w.y, &mc);
	end_fin(&w.y, &p.s, &p.c);
	call_returns(&w.y, &mc, 0);
	end_state(&w.y, &p.s, TCP_S_FIN_WAIT2);
	p.c.write_seq += 5;
	p.c.snd_nxt += 5;
	seg_passes(&w.y, &p.c, &p.s, TCPF_ACK | TCPF_PSH, p.c_iss + 1, 5);
	t = reset(&p.s, &p.c, ON_DATA);
	assert_says(expect("rst-shutdown", t),
		    "5 bytes came after the server (server 10) had called shutdown(4, SHUT_RDWR)");
}

static void test_shut(void **state)
{
	(void)state;
	both_ways(shut);
}

/* Linger 0 and a closed listener have the same reason, TCP_STATE. */
static void linger(void)
{
	const struct verdict *v;
	struct told *t;

	pair_open(&w.y, &p);
	end_sends(&w.y, &p.s, &p.c, 300, 0);
	option_set(&p.s, SOL_SOCKET, SO_LINGER, 1, 0);
	close_enters(&p.s, 0);
	t = reset(&p.s, &p.c, STATE);
	v = expect("rst-linger", t);
	assert_says(v, "called close(4) with SO_LINGER set to 0 s");
	assert_says(v, "300 bytes it had still to deliver are destroyed");
}

static void test_linger(void **state)
{
	(void)state;
	both_ways(linger);
}

/* Up to the accept queue. */
static void connected_unaccepted(void)
{
	struct made_call mc;

	pair_listen(&w.y, &p);
	pair_connect_enters(&w.y, &p, &mc);
	seg_in(&w.y, &p.c, &p.s, TCPF_SYN, p.c_iss, 0);
	p.s.rcv_nxt = p.s.copied_seq = p.c_iss + 1;
	seg_passes(&w.y, &p.s, &p.c, TCPF_SYN | TCPF_ACK, p.s_iss, 0);
	p.c.rcv_nxt = p.c.copied_seq = p.s_iss + 1;
	p.c.snd_una = p.c_iss + 1;
	end_state(&w.y, &p.c, TCP_S_ESTABLISHED);
	seg_passes(&w.y, &p.c, &p.s, TCPF_ACK, p.c_iss + 1, 0);
	p.s.write_seq = p.s.snd_nxt = p.s.snd_una = p.s_iss + 1;
	p.s.state = TCP_S_SYN_RECV;
	info_told(&w.y, (struct event_sockinfo){
				.e = { .sid = p.s.sid },
				.cookie = 0x1003,
				.netns = 1,
				.protocol = IPPROTO_TCP,
				.type = SOCK_STREAM,
				.state = TCP_S_SYN_RECV,
				.sflags = SOCKF_PASSIVE,
				.parent = p.l.sid,
				.family = AF_INET,
				.src = p.s.src,
				.dst = p.s.dst,
			});
	end_state(&w.y, &p.s, TCP_S_ESTABLISHED);
	mc.c.lv = levels_of(&p.c);
	call_returns(&w.y, &mc, 0);
}

static void listener(void)
{
	const struct verdict *v;
	struct told *t;

	connected_unaccepted();
	end_sends(&w.y, &p.c, &p.s, 5, 5);
	close_enters(&p.l, 0);
	t = reset(&p.s, &p.c, STATE);
	v = expect("rst-listener", t);
	assert_says(v,
		    "the server (server 10) closed the listener (3) while this connection waited");
	assert_says(v, "5 bytes sent to it are thrown away");
}

static void test_listener(void **state)
{
	(void)state;
	both_ways(listener);
}

static void disconnect(void)
{
	struct made_call mc;
	struct told *t;

	pair_open(&w.y, &p);
	mc = call_of(p.c.pid, CALL_CONNECT, p.c.sid, p.c.fd);
	call_enters(&w.y, &mc);
	t = reset(&p.c, &p.s, STATE);
	call_returns(&w.y, &mc, 0);
	assert_says(expect("rst-disconnect", t),
		    "the client (client 20) called connect(3) with AF_UNSPEC");
}

static void test_disconnect(void **state)
{
	(void)state;
	both_ways(disconnect);
}

static void no_listener(void)
{
	const struct verdict *v;
	struct made_call mc;
	struct told *t;

	pair_connect_enters(&w.y, &p, &mc);
	seg_in(&w.y, &p.c, &p.s, TCPF_SYN, p.c_iss, 0);
	t = rst_told(0, NO_SOCKET, true);
	v = expect("rst-no-listener", t);
	assert_int_equal(v->weight, WEIGHT_ASIDE); /* connect() tells it */
	assert_says(v, "nobody listens on 127.0.0.1:65430");
}

static void test_no_listener(void **state)
{
	(void)state;
	both_ways(no_listener);
}

/* A poll() in another thread held the socket: the close() before was not its end, and no call shows what was. */
static void test_unread_when_let_go(void **state)
{
	const struct verdict *v;

	(void)state;
	open_story(false);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 4, 4);
	v = expect("rst-unread", reset(&p.s, &p.c, ON_CLOSE));
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "closed its socket with 4 bytes unread");
	why_close(&w);
}

/* Before 6.10 the kernel does not say that it sends an RST where there is no socket: only the segment shows. */
static void test_no_listener_unsaid(void **state)
{
	const struct verdict *v;
	struct made_call mc;
	struct told *t;

	(void)state;
	open_story(false);
	p.s.sid = 0;
	pair_connect_enters(&w.y, &p, &mc);
	seg_in(&w.y, &p.c, &p.s, TCPF_SYN, p.c_iss, 0);
	t = seg_out(&w.y, &p.s, TCPF_RST | TCPF_ACK, 0, 0);
	v = expect("rst-no-listener", t);
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "nobody listens on 127.0.0.1:65430");
	why_close(&w);
}

/* The server closed, and all was acknowledged: a time-wait entry took the place of its socket. */
static void time_wait(void)
{
	struct made_call mc;
	struct told *t;

	pair_open(&w.y, &p);
	mc = close_enters(&p.s, 0);
	end_fin(&w.y, &p.s, &p.c);
	call_returns(&w.y, &mc, 0);
	end_acks(&w.y, &p.c, &p.s);
	end_state(&w.y, &p.s, TCP_S_FIN_WAIT2);
	end_state(&w.y, &p.s, TCP_S_CLOSE);
	p.c.write_seq += 4;
	p.c.snd_nxt += 4;
	seg_passes(&w.y, &p.c, &p.s, TCPF_ACK | TCPF_PSH, p.c_iss + 1, 4);
	t = reset(&p.s, &p.c, TIMEWAIT);
	assert_says(expect("rst-time-wait", t),
		    "4 bytes came for the socket the server (server 10) had closed");
}

static void test_time_wait(void **state)
{
	(void)state;
	both_ways(time_wait);
}

static __u64 gone_after_ns;

/* The FIN got lost and the kernel gave up: it has forgotten the closed socket when the client sends. */
static void gone(void)
{
	const struct verdict *v;
	struct made_call mc;
	struct told *t;
	__u64 began, sent;

	pair_open(&w.y, &p);
	mc = close_enters(&p.s, 0);
	began = story_find(&w.y, EV_CALL, CALL_CLOSE)->s.id;
	end_state(&w.y, &p.s, TCP_S_FIN_WAIT1);
	p.s.write_seq++;
	seg_out(&w.y, &p.s, TCPF_FIN | TCPF_ACK, p.s.snd_nxt++, 0);
	call_returns(&w.y, &mc, 0);
	end_state(&w.y, &p.s, TCP_S_CLOSE);
	end_event(&w.y, EV_DESTROY, &p.s);
	why_wait(&w, gone_after_ns);
	p.c.write_seq += 5;
	p.c.snd_nxt += 5;
	sent = seg_out(&w.y, &p.c, TCPF_ACK | TCPF_PSH, p.c_iss + 1, 5)->s.id;
	seg_in(&w.y, &p.c, &p.s, TCPF_ACK | TCPF_PSH, p.c_iss + 1, 5);
	t = rst_told(0, NO_SOCKET, true);
	v = expect("rst-gone", t);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_says(v, "5 bytes came for the socket the server (server 10) had closed");
	/* however long ago: its page is kept as long as the client lives */
	assert_says(v, gone_after_ns < 5 * NS_PER_S ? "had closed 2.00 s before: nothing is left" :
						      "had closed 30.00 s before: nothing is left");
	assert_true(why_has_evidence(v, began));
	assert_true(why_has_evidence(v, sent));
}

static void test_gone(void **state)
{
	(void)state;
	gone_after_ns = 2 * NS_PER_S;
	both_ways(gone);
	gone_after_ns = 30 * NS_PER_S;
	both_ways(gone);
}

static void keepalive(void)
{
	struct told *t;

	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 9, 9);
	option_set(&p.c, SOL_SOCKET, SO_KEEPALIVE, 1, 0);
	w.y.t_ns += 3 * NS_PER_S;
	t = rst_told(p.c.sid, KEEPALIVE, false);
	assert_says(expect("rst-keepalive", t), "nothing came for 3.00 s");
	sock_told(&w.y, EV_SOCK_ERROR, p.c.sid, ETIMEDOUT, 0, 0, NULL);
	assert_int_equal(why_count(&w, "timeout-unacked"), 0); /* the same thing */
}

static void test_keepalive(void **state)
{
	(void)state;
	both_ways(keepalive);
}

/* TCP_STATE without any call: something else on the machine did it. */
static void test_aborted(void **state)
{
	(void)state;
	open_story(true);
	pair_open(&w.y, &p);
	reset(&p.c, &p.s, STATE);
	assert_int_equal(why_find(&w, "rst-aborted")->certainty, INFERRED);
	why_close(&w);
}

static void test_other(void **state)
{
	const struct verdict *v;

	(void)state;
	open_story(true);
	pair_open(&w.y, &p);
	v = expect("rst-other", reset(&p.c, &p.s, FLAGS));
	assert_says(v, "a segment came that the client (client 20) cannot use");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	why_close(&w);
	open_story(false); /* nor does anything else tell */
	pair_open(&w.y, &p);
	v = expect("rst-other", reset(&p.c, &p.s, 0));
	assert_says(v, "no reason");
	why_close(&w);
}

/* The server is on another machine: its RST comes out of nowhere. */
static void test_peer(void **state)
{
	const struct verdict *v;
	struct made_call mc;
	struct told *t;

	(void)state;
	open_story(true);
	pair_open_seen(&w.y, &p, 1);
	mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	mc.c.len = 70;
	call_enters(&w.y, &mc);
	p.c.write_seq += 70;
	mc.c.lv = levels_of(&p.c);
	call_returns(&w.y, &mc, 70);
	t = seg_in(&w.y, &p.s, &p.c, TCPF_RST, p.s.snd_nxt, 0);
	assert_int_equal(why_count(&w, "rst-peer"), 0);
	why_wait(&w, 5 * NS_PER_MS);
	v = why_find(&w, "rst-peer");
	assert_int_equal(v->step, t->s.id);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_says(v, "the peer at 127.0.0.1:65430 has aborted the connection");
	assert_says(v, "70 bytes this end had not delivered are destroyed");
	why_close(&w);
}

/* This end was done: ordinary on the Internet, and no alarm. */
static void test_peer_after_close(void **state)
{
	struct made_call mc;

	(void)state;
	open_story(true);
	pair_open_seen(&w.y, &p, 1);
	mc = close_enters(&p.c, 0);
	end_state(&w.y, &p.c, TCP_S_FIN_WAIT1);
	call_returns(&w.y, &mc, 0);
	seg_in(&w.y, &p.s, &p.c, TCPF_RST, p.s.snd_nxt, 0);
	why_finish(&w);
	assert_int_equal(why_find(&w, "rst-peer")->weight, WEIGHT_ASIDE);
	why_close(&w);
}

static void test_timeout(void **state)
{
	const struct verdict *v;
	struct levels lv;

	(void)state;
	open_story(true);
	pair_open(&w.y, &p);
	option_set(&p.c, IPPROTO_TCP, 18 /* TCP_USER_TIMEOUT */, 300, 0);
	p.c.write_seq += 6;
	p.c.snd_nxt += 6;
	end_event(&w.y, EV_RETRANSMIT, &p.c);
	end_event(&w.y, EV_RETRANSMIT, &p.c);
	lv = levels_of(&p.c);
	w.y.t_ns += NS_PER_S;
	sock_told(&w.y, EV_SOCK_ERROR, p.c.sid, ETIMEDOUT, 0, 0, &lv);
	v = why_find(&w, "timeout-unacked");
	assert_says(v, "6 bytes sent, retransmitted 2 times");
	assert_says(v, "TCP_USER_TIMEOUT 300 ms");
	why_close(&w);
}

/* tcp_receive_reset also fires where the kernel resets its own socket: no RST for that. */
static void test_silent(void **state)
{
	(void)state;
	open_story(true);
	pair_open(&w.y, &p);
	end_event(&w.y, EV_RST_RECEIVED, &p.c);
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	end_receives(&w.y, &p.s, 1024, 14);
	call_returns(&w.y, (struct made_call[]){ close_enters(&p.c, 0) }, 0);
	end_fin(&w.y, &p.c, &p.s);
	end_fin(&w.y, &p.s, &p.c);
	sock_told(&w.y, EV_SOCK_ERROR, p.c.sid, EPIPE, 0, 0, NULL);
	why_wait(&w, NS_PER_S);
	why_finish(&w);
	assert_int_equal(rst_verdicts(), 0);
	assert_int_equal(why_count(&w, "timeout-unacked"), 0);
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_other_end_loses),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_shut),
		cmocka_unit_test(test_linger),
		cmocka_unit_test(test_listener),
		cmocka_unit_test(test_disconnect),
		cmocka_unit_test(test_no_listener),
		cmocka_unit_test(test_no_listener_unsaid),
		cmocka_unit_test(test_unread_when_let_go),
		cmocka_unit_test(test_time_wait),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_aborted),
		cmocka_unit_test(test_other),
		cmocka_unit_test(test_peer),
		cmocka_unit_test(test_peer_after_close),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_silent),
	};

	return cmocka_run_group_tests_name("explain: RST", tests, NULL, NULL);
}
