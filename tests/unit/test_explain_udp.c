// SPDX-License-Identifier: MIT
/*
 * What becomes of datagrams: from hand-made events, and where nothing is to be said.
 */
#include <errno.h>

#include "explain_story.h"

enum { CLIENT = 20, SERVER = 10, SRV = 1, CLI = 2, OTHER = 3, FID = 9 };
enum { NO_SOCKET = 3, NETFILTER = 7, FILTER = 8, RCVBUFF = 6, SENT_BY_B = 1 };

static struct ev_addr client_addr(void)
{
	return addr4("127.0.0.1", 40000);
}

static struct ev_addr server_addr(void)
{
	return addr4("127.0.0.1", 53);
}

static void sock_made(struct story *y, __u32 pid, __u32 sid, const struct ev_addr *src,
		      const struct ev_addr *dst)
{
	struct event_sockinfo e = { .e = { .sid = sid }, .protocol = IPPROTO_UDP, .src = *src };

	e.type = SOCK_DGRAM;
	if (dst)
		e.dst = *dst;
	info_told(y, e);
	socket_made(y, pid, sid, 3, SOCK_DGRAM);
}

/* server: is there a socket at its port? connected: the client's socket is. */
static void talk_opens(struct why_story *w, bool server, bool connected)
{
	struct ev_addr c = client_addr(), s = server_addr();

	why_open(w);
	proc_told(&w->y, PROC_SEEN, SERVER, 0, 0, "server");
	proc_told(&w->y, PROC_SEEN, CLIENT, 0, 0, "client");
	model_reason_name(w->y.m, "drop_reason", NO_SOCKET, "NO_SOCKET");
	model_reason_name(w->y.m, "drop_reason", NETFILTER, "NETFILTER_DROP");
	model_reason_name(w->y.m, "drop_reason", FILTER, "SOCKET_FILTER");
	model_reason_name(w->y.m, "drop_reason", RCVBUFF, "SOCKET_RCVBUFF");
	if (server)
		sock_made(&w->y, SERVER, SRV, &s, NULL);
	sock_made(&w->y, CLIENT, CLI, &c, connected ? &s : NULL);
	flow_told(&w->y, FID, 1, IPPROTO_UDP, &s, &c);
}

/* Sent, and come to the host; what the kernel does with it is told next. Returns its departure. */
static __u64 client_sends(struct story *y, __u32 len)
{
	struct made_call mc = call_of(CLIENT, CALL_SENDTO, CLI, 3);
	struct ev_addr to = server_addr();
	struct event_segment g = { .fid = FID, .len = len, .netns = 1 };
	__u64 id;

	mc.c.len = len;
	call_to(&mc, &to);
	call_enters(y, &mc);
	g.sflags = SEGF_UDP | SEGF_OUT | SEGF_FROM_B;
	g.e.sid = CLI;
	id = segment_told(y, g)->s.id;
	g.sflags = SEGF_UDP | SEGF_IN | SEGF_FROM_B;
	g.e.sid = 0;
	segment_told(y, g);
	call_returns(y, &mc, len);
	return id;
}

static void queued(struct story *y)
{
	sock_told(y, EV_DATA_READY, SRV, 0, 0, 0, NULL);
}

static __u64 full(struct story *y, __u32 len)
{
	struct levels lv = { .rmem_alloc = 7680, .rcvbuf = 8192, .flags = LV_VALID };
	struct event_sock why = { .e = { .sid = SRV }, .a = RCVBUFF, .c = len };
	__u64 id = sock_told(y, EV_UDP_DROP, SRV, ENOMEM, 0, len, &lv)->s.id;

	tell(y, &why, EV_SKB_DROP, sizeof(why));
	return id;
}

static __u64 stopped(struct story *y, __u32 reason, __u32 len)
{
	struct event_sock e = { .a = reason, .b = SENT_BY_B, .c = len, .d = FID };

	return tell(y, &e, EV_SKB_DROP, sizeof(e))->s.id;
}

static struct told *receives(struct story *y, unsigned int call, __u32 flags, __u64 room, __s64 ret,
			     __u32 msg_flags)
{
	struct made_call mc = call_of(SERVER, call, SRV, 3);

	mc.c.len = room;
	mc.c.x[0] = flags;
	mc.c.x[2] = msg_flags;
	return call_made(y, mc, ret);
}

static void closes(struct story *y, __u32 pid, __u32 sid)
{
	close_made(y, pid, sid, 3, true);
	sock_told(y, EV_SOCK_CLOSED, sid, 0, 0, 0, NULL);
}

static void test_truncated(void **state)
{
	static struct why_story w;
	const struct verdict *v;
	struct told *t;

	(void)state;
	talk_opens(&w, true, true);
	client_sends(&w.y, 10);
	queued(&w.y);
	client_sends(&w.y, 100);
	queued(&w.y);
	client_sends(&w.y, 100);
	queued(&w.y);
	receives(&w.y, CALL_RECVFROM, 0, 100, 10, 0);
	receives(&w.y, CALL_RECVFROM, MSG_PEEK, 40, 40, 0); /* nothing is gone yet */
	assert_int_equal(why_count(&w, "udp-truncated"), 0);
	t = receives(&w.y, CALL_RECVFROM, 0, 40, 40, 0);
	v = why_find(&w, "udp-truncated");
	assert_int_equal(v->step, t->s.id);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->certainty, PROVED);
	assert_string_equal(v->question, "Where is the rest of the datagram that recv(3) got?");
	assert_says(v, "The datagram had 100 bytes, and there was room for 40 bytes: 60 bytes are "
		       "gone without a word");
	receives(&w.y, CALL_RECVFROM, 0, 40, 40, 0);
	assert_int_equal(why_count(&w, "udp-truncated"), 1);
	why_close(&w);
}

static void test_truncated_told(void **state)
{
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	talk_opens(&w, true, true);
	client_sends(&w.y, 100);
	queued(&w.y);
	receives(&w.y, CALL_RECVFROM, MSG_TRUNC, 40, 100, 0);
	v = why_find(&w, "udp-truncated");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_says(v, "room for 40 bytes: 60 bytes are gone");
	why_no_alarm(&w);
	why_close(&w);

	talk_opens(&w, true, true); /* the datagram's arrival was not seen: how much is not known */
	receives(&w.y, CALL_RECVMSG, 0, 40, 40, MSG_TRUNC);
	assert_says(why_find(&w, "udp-truncated"), "longer than the room there was, 40 bytes");
	why_close(&w);
}

static void test_dropped(void **state)
{
	static struct why_story w;
	const struct verdict *v;
	__u64 first, last;

	(void)state;
	talk_opens(&w, true, true);
	client_sends(&w.y, 500);
	queued(&w.y);
	receives(&w.y, CALL_RECVFROM, 0, 500, 500, 0);
	story_wait(&w.y, 30 * NS_PER_MS);
	client_sends(&w.y, 500);
	queued(&w.y);
	client_sends(&w.y, 500);
	first = full(&w.y, 500);
	client_sends(&w.y, 500);
	full(&w.y, 500);
	client_sends(&w.y, 500);
	last = full(&w.y, 500);
	assert_int_equal(why_count(&w, "udp-dropped"), 1);
	v = why_find(&w, "udp-dropped");
	assert_int_equal(v->step, first);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->role, ROLE_SERVER);
	assert_says(
		v,
		"512 of 8,192 bytes of memory are left, and this datagram of 500 bytes takes more, with "
		"what the kernel adds");
	assert_says(v, "the server (server 10) read last 30 ms ago");
	assert_int_equal(why_count(&w, "udp-drops"), 0);
	closes(&w.y, SERVER, SRV);
	assert_int_equal(why_count(&w, "udp-drops"), 1);
	v = why_find(&w, "udp-drops");
	assert_says(v, "3 of the 5 datagrams that came for the server (server 10) found its queue "
		       "full and are gone with 1,500 bytes; 1 was read");
	assert_true(why_has_evidence(v, first) && why_has_evidence(v, last));
	assert_int_equal(why_count(&w, "udp-filtered"), 0);
	assert_says(why_find(&w, "udp-unread"), "1 datagram");
	why_finish(&w);
	assert_int_equal(why_count(&w, "udp-drops"), 1);
	why_close(&w);
}

/* Still open when tracing ends: the numbers are told then. One drop has been told already. */
static void test_dropped_open(void **state)
{
	static struct why_story w;
	int drops;

	(void)state;
	for (drops = 1; drops <= 2; drops++) {
		talk_opens(&w, true, true);
		client_sends(&w.y, 500);
		full(&w.y, 500);
		if (drops == 2) {
			client_sends(&w.y, 500);
			full(&w.y, 500);
		}
		assert_says(why_find(&w, "udp-dropped"), "has read nothing yet");
		why_finish(&w);
		assert_int_equal(why_count(&w, "udp-drops"), drops == 2);
		why_close(&w);
	}
}

/* As before 6.11: the flow is named, not the socket; EV_UDP_DROP may tell of it as well. */
static void test_dropped_by_flow(void **state)
{
	struct levels lv = { .rmem_alloc = 7680, .rcvbuf = 8192, .flags = LV_VALID };
	static struct why_story w;
	int i;

	(void)state;
	talk_opens(&w, true, true);
	for (i = 0; i < 2; i++) {
		client_sends(&w.y, 500);
		stopped(&w.y, RCVBUFF, 500);
		if (i)
			sock_told(&w.y, EV_UDP_DROP, SRV, ENOMEM, 0, 0, &lv);
	}
	assert_int_equal(why_count(&w, "udp-dropped"), 1);
	assert_says(why_find(&w, "udp-dropped"), "receive queue: its memory is in use");
	assert_int_equal(why_count(&w, "udp-stopped"), 0);
	closes(&w.y, SERVER, SRV);
	assert_says(why_find(&w, "udp-drops"), "2 of the 2 datagrams");
	why_close(&w);
}

static void test_filtered(void **state)
{
	struct event_sock why = { .e = { .sid = SRV }, .a = FILTER, .c = 5 };
	static struct why_story w;

	(void)state;
	talk_opens(&w, true, true);
	client_sends(&w.y, 5);
	tell(&w.y, &why, EV_SKB_DROP, sizeof(why));
	assert_says(why_find(&w, "udp-filtered"), "SO_ATTACH_FILTER");
	why_close(&w);
}

static void test_refused(void **state)
{
	struct made_call mc = call_of(CLIENT, CALL_SENDTO, CLI, 3);
	static struct why_story w;
	__u64 out, drop, error;
	const struct verdict *v;

	(void)state;
	talk_opens(&w, false, true);
	out = client_sends(&w.y, 5);
	drop = stopped(&w.y, NO_SOCKET, 5);
	error = sock_told(&w.y, EV_SOCK_ERROR, CLI, ECONNREFUSED, 0, 0, NULL)->s.id;
	v = why_find(&w, "udp-nobody");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->step, drop);
	assert_int_equal(v->sid, CLI);
	assert_says(v,
		    "127.0.0.1:53: the datagram is gone; a later call on this socket will say so");
	why_no_alarm(&w);
	mc.c.len = 7;
	call_made(&w.y, mc, -ECONNREFUSED);
	v = why_find(&w, "udp-refused");
	assert_int_equal(v->certainty, PROVED);
	assert_string_equal(v->question, "Why did send(3) fail with ECONNREFUSED?");
	assert_says(v, "No socket at 127.0.0.1:53 took the datagram sent");
	assert_says(v, "this call has sent nothing");
	assert_true(why_has_evidence(v, out) && why_has_evidence(v, drop));
	assert_true(why_has_evidence(v, error));
	call_made(&w.y, mc, -ECONNREFUSED);
	assert_int_equal(why_count(&w, "udp-refused"), 1);
	call_made(&w.y, mc, -EPERM);
	assert_int_equal(why_count(&w, "udp-refused"), 1);
	why_close(&w);
}

/* The answer of the other kernel was not seen. */
static void test_refused_unseen(void **state)
{
	struct made_call mc = call_of(CLIENT, CALL_RECVFROM, CLI, 3);
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	talk_opens(&w, false, true);
	mc.c.len = 7;
	call_made(&w.y, mc, -ECONNREFUSED);
	v = why_find(&w, "udp-refused");
	assert_int_equal(v->certainty, INFERRED);
	assert_null(strstr(v->cause, "sent nothing"));
	why_close(&w);
}

static void test_nobody(void **state)
{
	static struct why_story w;
	const struct verdict *v;
	__u64 out;

	(void)state;
	talk_opens(&w, false, false);
	out = client_sends(&w.y, 5);
	stopped(&w.y, NO_SOCKET, 5);
	v = why_find(&w, "udp-nobody");
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_true(why_has_evidence(v, out));
	assert_says(v, "no call will say so, for this socket is not connected");
	client_sends(&w.y, 5);
	stopped(&w.y, NO_SOCKET, 5);
	assert_int_equal(why_count(&w, "udp-nobody"), 1);
	why_close(&w);
}

/* The server's socket is there, and takes from another one only. */
static void test_stranger(void **state)
{
	struct ev_addr s = server_addr(), friend = addr4("127.0.0.1", 40001);
	static struct why_story w;

	(void)state;
	talk_opens(&w, false, false);
	sock_made(&w.y, SERVER, OTHER, &s, &friend);
	client_sends(&w.y, 5);
	stopped(&w.y, NO_SOCKET, 5);
	assert_says(why_find(&w, "udp-stranger"),
		    "The socket at 127.0.0.1:53 is connected to 127.0.0.1:40001: it takes nothing "
		    "from 127.0.0.1:40000 or others");
	assert_int_equal(why_count(&w, "udp-nobody"), 0);
	why_close(&w);
}

static void test_stopped(void **state)
{
	static struct why_story w;

	(void)state;
	talk_opens(&w, true, false);
	client_sends(&w.y, 5);
	stopped(&w.y, NETFILTER, 5);
	assert_says(why_find(&w, "udp-stopped"), "127.0.0.1:53: a packet filter");
	closes(&w.y, SERVER, SRV);
	closes(&w.y, CLIENT, CLI);
	story_wait(&w.y, 2 * NS_PER_MS);
	assert_int_equal(w.y.over.udp[0].lost.n + w.y.over.udp[1].lost.n, 1);
	assert_int_equal(why_count(&w, "udp-lost"), 0); /* told already */
	assert_int_equal(why_count(&w, "udp-unread"), 0);
	why_close(&w);
}

/* Left, and never seen again. */
static void test_lost(void **state)
{
	struct event_segment g = { .e = { .sid = CLI }, .fid = FID, .len = 5, .netns = 1 };
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	talk_opens(&w, true, true);
	client_sends(&w.y, 5);
	queued(&w.y);
	receives(&w.y, CALL_RECVFROM, 0, 100, 5, 0);
	g.sflags = SEGF_UDP | SEGF_OUT | SEGF_FROM_B;
	segment_told(&w.y, g);
	closes(&w.y, SERVER, SRV);
	closes(&w.y, CLIENT, CLI);
	story_wait(&w.y, 2 * NS_PER_MS);
	v = why_find(&w, "udp-lost");
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "1 of the 2 that the client sent never came");
	why_close(&w);
}

static void test_unread(void **state)
{
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	talk_opens(&w, true, true);
	client_sends(&w.y, 3);
	queued(&w.y);
	client_sends(&w.y, 5);
	queued(&w.y);
	client_sends(&w.y, 7);
	queued(&w.y);
	receives(&w.y, CALL_RECVFROM, 0, 100, 3, 0);
	closes(&w.y, SERVER, SRV);
	v = why_find(&w, "udp-unread");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_says(v, "2 datagrams (12 bytes) were unread when the server (server 10) closed");
	why_no_alarm(&w);
	why_close(&w);
}

static void test_connect(void **state)
{
	struct made_call mc = call_of(CLIENT, CALL_CONNECT, CLI, 3);
	struct ev_addr to = server_addr();
	static struct why_story w;
	const struct verdict *v;
	struct told *t;
	int i;

	(void)state;
	call_to(&mc, &to);
	for (i = 0; i < 3; i++) { /* it failed; it dissolved the association; it made one */
		talk_opens(&w, true, i != 1);
		t = call_made(&w.y, mc, i ? 0 : -ENETUNREACH);
		assert_int_equal(why_count(&w, "udp-connect"), i == 2);
		if (i < 2)
			why_close(&w);
	}
	v = why_find(&w, "udp-connect");
	assert_int_equal(v->step, t->s.id);
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->role, ROLE_CLIENT);
	assert_says(v, "No packet was sent: UDP has no handshake");
	assert_says(v, "the socket sends to 127.0.0.1:53 alone");
	call_made(&w.y, mc, 0);
	assert_int_equal(why_count(&w, "udp-connect"), 1);
	why_close(&w);
}

/* Ordinary traffic. */
static void test_silent(void **state)
{
	static struct why_story w;
	int i;

	(void)state;
	talk_opens(&w, true, true);
	for (i = 0; i < 5; i++) {
		client_sends(&w.y, (__u32)i);
		queued(&w.y);
		receives(&w.y, CALL_RECVFROM, 0, 100, i, 0);
	}
	receives(&w.y, CALL_RECVFROM, MSG_DONTWAIT, 100, -EAGAIN, 0);
	closes(&w.y, CLIENT, CLI);
	closes(&w.y, SERVER, SRV);
	story_wait(&w.y, 2 * NS_PER_MS);
	why_finish(&w);
	why_no_alarm(&w);
	for (size_t k = 0; k < w.n; k++)
		assert_true(strncmp(w.told[k].rule->name, "udp-", 4));
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_truncated_told),
		cmocka_unit_test(test_dropped),	  cmocka_unit_test(test_dropped_open),
		cmocka_unit_test(test_filtered),  cmocka_unit_test(test_dropped_by_flow),
		cmocka_unit_test(test_refused),	  cmocka_unit_test(test_refused_unseen),
		cmocka_unit_test(test_nobody),	  cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_stopped),	  cmocka_unit_test(test_lost),
		cmocka_unit_test(test_unread),	  cmocka_unit_test(test_connect),
		cmocka_unit_test(test_silent),
	};

	return cmocka_run_group_tests_name("explain: datagrams", tests, NULL, NULL);
}
