// SPDX-License-Identifier: MIT
/*
 * UDP and AF_UNIX: conversations without sequence numbers, by counting.
 */
#include "build_events.h"

#include <errno.h>

enum { CLIENT = 20, SERVER = 10, SRV = 1, CLI = 2, FID = 9 };

struct udp {
	struct ev_addr client, server;
	bool wire;
};

static struct event_sockinfo udp_info(__u32 sid, const struct ev_addr *src)
{
	struct event_sockinfo e = { .e = { .sid = sid }, .protocol = IPPROTO_UDP };

	e.type = SOCK_DGRAM;
	if (src)
		e.src = *src;
	return e;
}

static struct udp udp_open(struct story *y, bool wire)
{
	struct udp u = { addr4("127.0.0.1", 40000), addr4("127.0.0.1", 53), wire };
	struct ev_addr any = addr4("0.0.0.0", 53);
	struct made_call mc = call_of(SERVER, CALL_BIND, SRV, 3);

	story_open(y);
	info_told(y, udp_info(SRV, NULL));
	socket_made(y, SERVER, SRV, 3, SOCK_DGRAM);
	info_told(y, udp_info(SRV, &any));
	call_to(&mc, &any);
	call_made(y, mc, 0);
	info_told(y, udp_info(CLI, NULL));
	socket_made(y, CLIENT, CLI, 3, SOCK_DGRAM);
	return u;
}

static void udp_passes(struct story *y, const struct udp *u, __u32 from, __u32 len, bool out)
{
	struct event_segment g = { .fid = FID, .len = len, .netns = 1 };
	bool by_server = from == SRV;

	if (!u->wire)
		return;
	g.sflags = SEGF_UDP | (out ? SEGF_OUT : SEGF_IN) | (by_server ? 0 : SEGF_FROM_B);
	g.e.sid = out ? from : 0;
	segment_told(y, g);
}

/* sendto() of the client: the port is chosen and the datagram arrives before it returns. */
static struct told *udp_sends(struct story *y, const struct udp *u, __u32 sid, __u32 len)
{
	struct made_call mc = call_of(sid == SRV ? SERVER : CLIENT, CALL_SENDTO, sid, 3);

	mc.c.len = len;
	call_to(&mc, sid == SRV ? &u->client : &u->server);
	call_enters(y, &mc);
	if (sid == CLI && !model_sock(y->m, CLI)->src.port) {
		struct ev_addr any = addr4("0.0.0.0", u->client.port);

		info_told(y, udp_info(CLI, &any));
		if (u->wire)
			flow_told(y, FID, 1, IPPROTO_UDP, &u->server, &u->client);
	}
	udp_passes(y, u, sid, len, true);
	udp_passes(y, u, sid, len, false);
	return call_returns(y, &mc, len);
}

static struct told *udp_receives(struct story *y, const struct udp *u, __u32 sid, __u32 len,
				 int flags)
{
	struct made_call mc = call_of(sid == SRV ? SERVER : CLIENT, CALL_RECVFROM, sid, 3);

	mc.c.len = 1500;
	mc.c.x[0] = (__u32)flags;
	call_to(&mc, sid == SRV ? &u->client : &u->server);
	return call_made(y, mc, len);
}

static void udp_exchange(bool wire)
{
	struct story y;
	struct udp u = udp_open(&y, wire);
	const struct conn *c;
	struct told *t;

	t = udp_sends(&y, &u, CLI, 100);
	c = t->s.conn;
	assert_non_null(c);
	assert_int_equal(c->protocol, IPPROTO_UDP);
	assert_ptr_equal(c->end[0], model_sock(y.m, CLI));
	assert_int_equal(c->addr[1].port, 53);
	assert_int_equal(model_sock(y.m, CLI)->role, ROLE_CLIENT);
	assert_int_equal(model_sock(y.m, SRV)->role, ROLE_SERVER);
	assert_int_equal(t->s.dir[0].written, 100);
	assert_int_equal(t->s.dir[0].rcvq, wire ? 100 : 0);
	udp_receives(&y, &u, SRV, 100, MSG_PEEK);
	assert_int_equal(c->dgrams[0][1], 0);
	t = udp_receives(&y, &u, SRV, 100, 0);
	assert_ptr_equal(t->s.conn, c);
	assert_ptr_equal(c->end[1], model_sock(y.m, SRV));
	assert_int_equal(t->s.dir[0].read, 100);
	udp_sends(&y, &u, SRV, 7);
	t = udp_receives(&y, &u, CLI, 7, 0);
	assert_ptr_equal(t->s.conn, c);
	assert_int_equal(t->s.dir[1].read, 7);
	assert_int_equal(c->dgrams[0][0], 1);
	assert_int_equal(c->dgrams[0][1], 1);
	assert_int_equal(c->dgrams[1][0], 1);
	assert_int_equal(c->dgrams[1][1], 1);
	assert_int_equal(c->segments[0], wire);
	assert_int_equal(c->calls[1][1], 1);

	/* an empty datagram is a datagram, and no EOF */
	udp_sends(&y, &u, CLI, 0);
	t = udp_receives(&y, &u, SRV, 0, 0);
	assert_false(t->s.sflags & STEP_EOF);
	assert_int_equal(c->dgrams[0][1], 2);

	close_made(&y, CLIENT, CLI, 3, true);
	assert_int_equal(y.summaries, 0);
	close_made(&y, SERVER, SRV, 3, true);
	story_wait(&y, 2 * NS_PER_MS);
	assert_int_equal(y.summaries, 1);
	assert_int_equal(y.over.dgrams[0][0], 2);
	story_close(&y);
}

static void test_udp(void **state)
{
	(void)state;
	udp_exchange(true);
}

static void test_udp_no_wire(void **state)
{
	(void)state;
	udp_exchange(false);
}

/* The order of a real kernel: the port is told after the first call that needed it. */
static void udp_port_told_late(bool wire)
{
	struct made_call mc = call_of(CLIENT, CALL_SENDTO, CLI, 3);
	struct story y;
	struct udp u = udp_open(&y, wire);
	struct event_segment g = { .fid = FID, .len = 60, .netns = 1 };
	struct ev_addr any = addr4("0.0.0.0", u.client.port);
	const struct conn *c;
	struct told *t;

	mc.c.len = 60;
	call_to(&mc, &u.server);
	call_enters(&y, &mc);
	if (wire) {
		flow_told(&y, FID, 1, IPPROTO_UDP, &u.server, &u.client);
		g.sflags = SEGF_UDP | SEGF_OUT | SEGF_FROM_B;
		t = segment_told(&y, g);
		assert_int_equal(t->s.sock->sid, CLI);
		assert_int_equal(t->s.role, ROLE_CLIENT);
		g.sflags = SEGF_UDP | SEGF_IN | SEGF_FROM_B;
		segment_told(&y, g);
	}
	t = call_returns(&y, &mc, 60);
	assert_int_equal(t->s.conn != NULL, wire);
	info_told(&y, udp_info(CLI, &any));
	c = model_sock(y.m, CLI)->conn;
	assert_non_null(c);
	assert_ptr_equal(c->end[0], model_sock(y.m, CLI));
	assert_int_equal(c->dgrams[0][0], 1);
	assert_int_equal(c->dir[0].written, 60);
	assert_int_equal(c->calls[0][0], 1);
	assert_int_equal(model_sock(y.m, CLI)->role, ROLE_CLIENT);
	t = udp_receives(&y, &u, SRV, 60, 0);
	assert_ptr_equal(t->s.conn, c);
	assert_int_equal(t->s.dir[0].read, 60);
	story_close(&y);
}

static void test_udp_port_late(void **state)
{
	(void)state;
	udp_port_told_late(true);
	udp_port_told_late(false);
}

/* Two of five find the queue full; one of those read is cut short by a small buffer. */
static void test_udp_drops(void **state)
{
	struct levels lv = { .rmem_alloc = 4000, .rcvbuf = 4096, .flags = LV_VALID };
	struct made_call mc = call_of(CLIENT, CALL_SENDTO, CLI, 3);
	struct story y;
	struct udp u = udp_open(&y, true);
	struct told *t;
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		udp_sends(&y, &u, CLI, 100);
	mc.c.len = 100;
	call_to(&mc, &u.server);
	for (i = 0; i < 2; i++) {
		call_enters(&y, &mc);
		udp_passes(&y, &u, CLI, 100, true);
		udp_passes(&y, &u, CLI, 100, false);
		lv.drops = (__u32)i + 1;
		/* with its header, or without a length: before 6.10 there is none */
		t = sock_told(&y, EV_UDP_DROP, SRV, ENOMEM, 0, i ? 0 : 108, &lv);
		assert_int_equal(t->s.n, 100);
		assert_int_equal(t->s.dir[0].destroyed, (i + 1) * 100);
		call_returns(&y, &mc, 100);
	}
	t = story_last(&y);
	assert_int_equal(t->s.conn->dgrams[0][0], 5);
	assert_int_equal(t->s.conn->dgrams[0][2], 2);
	assert_int_equal(t->s.dir[0].written, 500);
	assert_int_equal(t->s.dir[0].rcvq, 300);
	udp_receives(&y, &u, SRV, 100, 0);
	udp_receives(&y, &u, SRV, 60, 0);
	t = udp_receives(&y, &u, SRV, 100, 0);
	assert_int_equal(t->s.dir[0].rcvq, 0);
	assert_int_equal(t->s.dir[0].read, 260);
	assert_int_equal(t->s.dir[0].truncated, 40);
	assert_true(ledger_balanced(&t->s.dir[0]));
	assert_int_equal(t->s.conn->udp[0].truncated.n, 1);
	assert_int_equal(t->s.conn->udp[0].arrived.n, 5);
	assert_int_equal(t->s.conn->udp[0].why.error, ENOMEM);
	assert_int_equal(t->s.conn->udp[0].why.rmem, 4000);
	assert_int_equal(t->s.conn->udp[0].why.counter, 2);
	story_close(&y);
}

/* One server, two clients: each has its conversation, also for a recv() that names nobody. */
static void test_udp_two_clients(void **state)
{
	struct made_call mc = call_of(SERVER, CALL_READ, SRV, 3);
	struct event_segment g = { .fid = 10, .len = 33, .netns = 1 };
	struct ev_addr server = addr4("127.0.0.1", 53), other = addr4("127.0.0.1", 40001);
	struct story y;
	struct udp u = udp_open(&y, true);
	struct told *t;

	(void)state;
	udp_sends(&y, &u, CLI, 11);
	info_told(&y, udp_info(30, &other));
	flow_told(&y, 10, 1, IPPROTO_UDP, &server, &other);
	g.e.sid = 30;
	g.sflags = SEGF_UDP | SEGF_OUT | SEGF_FROM_B;
	segment_told(&y, g);
	g.e.sid = 0;
	g.sflags = SEGF_UDP | SEGF_IN | SEGF_FROM_B;
	t = segment_told(&y, g);
	assert_ptr_equal(t->s.sock, model_sock(y.m, SRV));
	assert_int_equal(t->s.conn->id, 2);
	segment_told(&y, g);
	mc.c.len = 5; /* the second client's overtook the first's: the address tells */
	mc.c.call = CALL_RECVFROM;
	call_to(&mc, &other);
	t = call_made(&y, mc, 5);
	assert_int_equal(t->s.conn->id, 2);
	assert_int_equal(t->s.n, 28);
	mc = call_of(SERVER, CALL_READ, SRV, 3);
	mc.c.len = 100;
	t = call_made(&y, mc, 11);
	assert_int_equal(t->s.conn->id, 1);
	t = call_made(&y, mc, 33);
	assert_int_equal(t->s.conn->id, 2);
	assert_int_equal(t->s.dir[0].read, 38);
	story_close(&y);
}

/* Half of a UDP conversation is gone and all is silent: it ends on its own. */
static void test_udp_ends(void **state)
{
	struct story y;
	struct udp u = udp_open(&y, true);
	int i;

	(void)state;
	udp_sends(&y, &u, CLI, 11);
	close_made(&y, CLIENT, CLI, 3, true);
	for (i = 0; i < 12; i++)
		story_wait(&y, NS_PER_S);
	assert_int_equal(y.summaries, 0); /* its datagram waits to be read */
	udp_receives(&y, &u, SRV, 11, 0);
	for (i = 0; i < 4; i++)
		story_wait(&y, NS_PER_S);
	assert_int_equal(y.summaries, 0);
	for (i = 0; i < 4; i++)
		story_wait(&y, NS_PER_S);
	assert_int_equal(y.summaries, 1);
	assert_int_equal(y.summary.how, END_GONE);
	assert_int_equal(y.over.dir[0].written, 11);
	story_close(&y);
}

/* The kernel says which datagrams it queued: the others are on their way, and lost at the end. */
static void test_udp_queued(void **state)
{
	struct event_sock drop = { .a = 7, .b = 1, .c = 50, .d = FID };
	const struct dgram_ledger *d;
	struct story y;
	struct udp u = udp_open(&y, true);
	int i;

	(void)state;
	model_reason_name(y.m, "drop_reason", 7, "NETFILTER_DROP");
	udp_sends(&y, &u, CLI, 10);
	d = &story_last(&y)->s.conn->udp[0];
	assert_int_equal(d->queued.n, 1); /* as far as one knows */
	sock_told(&y, EV_DATA_READY, SRV, 0, 0, 0, NULL);
	assert_int_equal(d->queued.n, 1);
	udp_sends(&y, &u, CLI, 20); /* stopped without a word */
	assert_int_equal(d->queued.n, 1);
	assert_int_equal(d->in_flight.bytes, 20);
	udp_sends(&y, &u, CLI, 50);
	tell(&y, &drop, EV_SKB_DROP, sizeof(drop));
	assert_int_equal(story_last(&y)->s.role, ROLE_SERVER);
	assert_ptr_equal(&story_last(&y)->s.conn->udp[0], d);
	assert_int_equal(d->lost.bytes, 50);
	assert_string_equal(d->why.lost_reason, "NETFILTER_DROP");
	udp_passes(&y, &u, CLI, 30, true); /* never arrives */
	udp_receives(&y, &u, SRV, 10, 0);
	close_made(&y, CLIENT, CLI, 3, true);
	close_made(&y, SERVER, SRV, 3, true);
	story_wait(&y, 2 * NS_PER_MS);
	assert_int_equal(y.summaries, 1);
	assert_int_equal(y.over.udp[0].sent.n, 4);
	assert_int_equal(y.over.udp[0].lost.n, 3);
	assert_int_equal(y.over.udp[0].lost.bytes, 100);
	assert_int_equal(y.over.udp[0].residual.n, 0);
	assert_int_equal(y.over.dir[0].unacked, 100);
	assert_true(ledger_balanced(&y.over.dir[0]));
	for (i = 0; i < 4; i++)
		story_wait(&y, NS_PER_S);
	assert_int_equal(model_count(y.m).conns, 0);
	story_close(&y);
}

/* Tracing stops in the middle of a sendto() whose datagram was read already. */
static void test_udp_stopped_inside(void **state)
{
	struct story y;
	struct udp u = udp_open(&y, false);
	struct made_call mc = call_of(CLIENT, CALL_SENDTO, CLI, 3);

	(void)state;
	udp_sends(&y, &u, CLI, 20);
	udp_receives(&y, &u, SRV, 20, 0);
	mc.c.len = 30;
	call_to(&mc, &u.server);
	call_enters(&y, &mc);
	udp_receives(&y, &u, SRV, 30, 0);
	assert_int_equal(model_finish(y.m), 0);
	assert_int_equal(y.over.udp[0].residual.n, 0);
	story_close(&y);
}

static void test_udp_nobody(void **state)
{
	struct ev_addr client = addr4("127.0.0.1", 40000), dead = addr4("127.0.0.1", 9);
	struct made_call mc = call_of(CLIENT, CALL_SENDTO, CLI, 3);
	struct event_segment g = { .fid = FID, .len = 50, .netns = 1 };
	struct event_sock drop = { .a = 7, .c = 50, .d = FID };
	const struct conn *c;
	struct story y;

	(void)state;
	story_open(&y);
	model_reason_name(y.m, "drop_reason", 7, "NO_SOCKET");
	info_told(&y, udp_info(CLI, &client));
	socket_made(&y, CLIENT, CLI, 3, SOCK_DGRAM);
	flow_told(&y, FID, 1, IPPROTO_UDP, &client, &dead);
	mc.c.len = 50;
	call_to(&mc, &dead);
	call_enters(&y, &mc);
	g.sflags = SEGF_UDP | SEGF_OUT;
	g.e.sid = CLI;
	segment_told(&y, g);
	g.sflags = SEGF_UDP | SEGF_IN;
	g.e.sid = 0;
	segment_told(&y, g);
	tell(&y, &drop, EV_SKB_DROP, sizeof(drop));
	c = call_returns(&y, &mc, 50)->s.conn;
	assert_int_equal(c->udp[0].nobody.n, 1);
	assert_int_equal(c->udp[0].in_flight.n, 0);
	assert_int_equal(c->dir[0].unacked, 50);
	close_made(&y, CLIENT, CLI, 3, true);
	story_wait(&y, 2 * NS_PER_MS);
	assert_int_equal(y.summaries, 1);
	assert_int_equal(y.over.udp[0].residual.n, 0);
	story_close(&y);
}

/* What the reader leaves behind; and a reason that comes without a drop of its own. */
static void test_udp_unread(void **state)
{
	struct event_sock why = { .e = { .sid = SRV }, .a = 7, .c = 30 };
	struct story y;
	struct udp u = udp_open(&y, true);

	(void)state;
	model_reason_name(y.m, "drop_reason", 7, "SOCKET_FILTER");
	udp_sends(&y, &u, CLI, 10);
	udp_sends(&y, &u, CLI, 20);
	udp_sends(&y, &u, CLI, 30);
	tell(&y, &why, EV_SKB_DROP, sizeof(why));
	assert_int_equal(story_last(&y)->s.conn->udp[0].dropped.n, 1);
	udp_sends(&y, &u, CLI, 40);
	sock_told(&y, EV_UDP_DROP, SRV, ENOMEM, 0, 0, NULL);
	model_reason_name(y.m, "drop_reason", 6, "SOCKET_RCVBUFF");
	why.a = 6;
	tell(&y, &why, EV_SKB_DROP, sizeof(why));
	assert_int_equal(story_last(&y)->s.conn->udp[0].dropped.n, 2);
	assert_int_equal(story_last(&y)->s.conn->udp[0].dropped.bytes, 70);
	udp_receives(&y, &u, SRV, 10, 0);
	close_made(&y, SERVER, SRV, 3, true);
	close_made(&y, CLIENT, CLI, 3, true);
	story_wait(&y, 2 * NS_PER_MS);
	assert_int_equal(y.over.udp[0].discarded.n, 1);
	assert_int_equal(y.over.dir[0].discarded, 20);
	assert_true(ledger_balanced(&y.over.dir[0]));
	story_close(&y);
}

/* Before 6.11 the reason names the flow alone; for IPv6 it comes without EV_UDP_DROP. */
static void test_udp_drop_by_flow(void **state)
{
	struct levels lv = { .rmem_alloc = 4000, .rcvbuf = 4096, .flags = LV_VALID };
	struct event_sock why = { .a = 6, .b = 1, .c = 30, .d = FID };
	struct story y;
	struct udp u = udp_open(&y, true);
	const struct dgram_ledger *d;

	(void)state;
	model_reason_name(y.m, "drop_reason", 6, "SOCKET_RCVBUFF");
	udp_sends(&y, &u, CLI, 10);
	d = &story_last(&y)->s.conn->udp[0];
	udp_sends(&y, &u, CLI, 30);
	tell(&y, &why, EV_SKB_DROP, sizeof(why));
	assert_ptr_equal(story_last(&y)->s.sock, model_sock(y.m, SRV));
	assert_int_equal(d->dropped.n, 1);
	assert_string_equal(d->why.reason, "SOCKET_RCVBUFF");
	sock_told(&y, EV_UDP_DROP, SRV, ENOMEM, 0, 0, &lv);
	assert_int_equal(d->dropped.n, 1);
	assert_int_equal(d->why.error, ENOMEM);
	assert_int_equal(d->why.rmem, 4000);
	udp_sends(&y, &u, CLI, 30);
	tell(&y, &why, EV_SKB_DROP, sizeof(why));
	assert_int_equal(d->dropped.n, 2);
	assert_int_equal(d->dropped.bytes, 60);
	assert_int_equal(d->lost.n, 0);
	assert_int_equal(d->queued.n, 1);
	story_close(&y);
}

/* Two sockets on one port: the kernel says which one got it. */
static void test_udp_shared_port(void **state)
{
	struct ev_addr any = addr4("0.0.0.0", 53);
	struct made_call mc = call_of(SERVER, CALL_RECVFROM, 0, 4);
	struct story y;
	struct udp u = udp_open(&y, true);
	const struct conn *c;
	__u32 sids[] = { SRV, 30 }, other;

	(void)state;
	info_told(&y, udp_info(30, &any));
	c = udp_sends(&y, &u, CLI, 10)->s.conn;
	other = c->end[1] == model_sock(y.m, sids[0]) ? sids[1] : sids[0];
	sock_told(&y, EV_DATA_READY, other, 0, 0, 0, NULL);
	assert_ptr_equal(c->end[1], model_sock(y.m, other));
	assert_ptr_equal(c->end[0]->peer, model_sock(y.m, other));
	assert_int_equal(c->addr[1].addr[0], 127);
	assert_int_equal(c->udp[0].queued.n, 1);
	mc.c.e.sid = other;
	mc.c.len = 100;
	call_to(&mc, &u.client);
	assert_ptr_equal(call_made(&y, mc, 10)->s.conn, c);
	assert_int_equal(c->udp[0].read.n, 1);
	/* it has its part now: the other one does not take it over */
	udp_sends(&y, &u, CLI, 20);
	sock_told(&y, EV_DATA_READY, other == SRV ? 30 : SRV, 0, 0, 0, NULL);
	assert_ptr_equal(c->end[1], model_sock(y.m, other));
	sock_told(&y, EV_DATA_READY, other, 0, 0, 0, NULL);
	assert_int_equal(c->udp[0].queued.bytes, 20);
	story_close(&y);
}

/* Lost events: what is missing is not said to be lost on the way. */
static void test_udp_events_lost(void **state)
{
	struct story y;
	struct udp u = udp_open(&y, true);

	(void)state;
	udp_sends(&y, &u, CLI, 10);
	udp_passes(&y, &u, CLI, 20, true);
	model_lost(y.m, y.t_ns, 3);
	udp_receives(&y, &u, SRV, 10, 0);
	close_made(&y, CLIENT, CLI, 3, true);
	close_made(&y, SERVER, SRV, 3, true);
	story_wait(&y, 2 * NS_PER_MS);
	assert_int_equal(y.over.udp[0].lost.n, 0);
	assert_int_equal(y.over.udp[0].residual.n, 1);
	assert_int_equal(y.over.udp[0].residual.bytes, 20);
	story_close(&y);
}

/* Corked pieces are one datagram; a socket may send to itself. */
static void test_udp_odd(void **state)
{
	struct ev_addr self = addr4("127.0.0.1", 53);
	struct made_call mc = call_of(SERVER, CALL_SENDTO, SRV, 3);
	struct story y;
	struct udp u = udp_open(&y, false);
	const struct conn *c;

	(void)state;
	mc.c.x[0] = MSG_MORE;
	call_to(&mc, &self);
	call_made(&y, mc, 10);
	mc.c.x[0] = 0;
	c = call_made(&y, mc, 5)->s.conn;
	assert_non_null(c);
	assert_int_equal(c->udp[0].sent.n, 1);
	assert_int_equal(c->udp[0].sent.bytes, 15);
	mc = call_of(SERVER, CALL_RECVFROM, SRV, 3);
	mc.c.len = 100;
	call_to(&mc, &self);
	assert_ptr_equal(call_made(&y, mc, 15)->s.conn, c);
	assert_int_equal(c->udp[0].read.bytes, 15);
	assert_int_equal(c->udp[1].read.bytes, 0);
	(void)u;
	story_close(&y);
}

static void unix_told(struct story *y, __u32 sid, __u32 peer, unsigned int type)
{
	struct event_sockinfo e = { .e = { .sid = sid }, .family = AF_UNIX, .peer_sid = peer };

	e.type = (__u8)type;
	info_told(y, e);
}

static void unix_moves(struct story *y, __u32 sid, unsigned int call, __u64 len, __s64 ret)
{
	struct made_call mc = call_of(CLIENT, call, sid, (int)sid);

	mc.c.len = len;
	call_made(y, mc, ret);
}

static void test_socketpair(void **state)
{
	struct made_call mc = call_of(CLIENT, CALL_SOCKETPAIR, 3, 3);
	const struct sock *a, *b;
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	mc.c.sid2 = 4;
	mc.c.x[0] = AF_UNIX;
	mc.c.x[1] = SOCK_STREAM | SOCK_CLOEXEC;
	mc.c.x[3] = 4;
	call_enters(&y, &mc);
	unix_told(&y, 3, 4, SOCK_STREAM);
	unix_told(&y, 4, 3, SOCK_STREAM);
	call_returns(&y, &mc, 0);
	a = model_sock(y.m, 3);
	b = model_sock(y.m, 4);
	assert_ptr_equal(a->peer, b);
	assert_ptr_equal(b->peer, a);
	assert_ptr_equal(a->conn->end[0], a);
	assert_ptr_equal(a->conn->end[1], b);
	assert_int_equal(a->conn->id, 1);
	assert_int_equal(model_fd(y.m, CLIENT, 3), 3);
	assert_int_equal(model_fd(y.m, CLIENT, 4), 4);
	unix_moves(&y, 3, CALL_WRITE, 50, 50);
	assert_int_equal(story_last(&y)->s.dir[0].rcvq, 50);
	unix_moves(&y, 4, CALL_READ, 20, 20);
	t = story_last(&y);
	assert_int_equal(t->s.role, ROLE_SERVER);
	assert_int_equal(t->s.dir[0].rcvq, 30);
	assert_int_equal(t->s.dir[0].read, 20);
	assert_true(ledger_balanced(&t->s.dir[0]));
	close_made(&y, CLIENT, 4, 4, true);
	assert_int_equal(story_last(&y)->s.dir[0].discarded, 30);
	unix_moves(&y, 3, CALL_READ, 20, 0);
	assert_true(story_last(&y)->s.sflags & STEP_EOF);
	close_made(&y, CLIENT, 3, 3, true);
	story_wait(&y, 2 * NS_PER_MS);
	assert_int_equal(y.summaries, 1);
	story_close(&y);
}

/* connect() and accept() over AF_UNIX; the peer is named by the client's announcement. */
static void test_unix_stream(void **state)
{
	struct made_call mc = call_of(SERVER, CALL_ACCEPT, 1, 3);
	struct sockaddr_un_small {
		sa_family_t family;
		char path[14];
	} sun = { AF_UNIX, "/tmp/s" };
	struct made_call connect = call_of(CLIENT, CALL_CONNECT, 2, 2);
	struct story y;

	(void)state;
	story_open(&y);
	unix_told(&y, 1, 0, SOCK_STREAM);
	call_made(&y, call_of(SERVER, CALL_LISTEN, 1, 3), 0);
	unix_told(&y, 2, 0, SOCK_STREAM);
	memcpy(&connect.sin, &sun, sizeof(sun));
	connect.c.tail_kind = TAIL_ADDR;
	connect.c.tail_len = connect.c.tail_count = sizeof(sun);
	call_enters(&y, &connect);
	unix_told(&y, 3, 2, SOCK_STREAM);
	unix_told(&y, 2, 3, SOCK_STREAM);
	call_returns(&y, &connect, 0);
	mc.c.sid2 = 3;
	call_made(&y, mc, 4);
	assert_int_equal(model_sock(y.m, 2)->role, ROLE_CLIENT);
	assert_int_equal(model_sock(y.m, 3)->role, ROLE_SERVER);
	assert_ptr_equal(model_sock(y.m, 2)->conn->end[0], model_sock(y.m, 2));
	assert_ptr_equal(model_sock(y.m, 2)->conn->end[1], model_sock(y.m, 3));
	assert_ptr_equal(model_sock(y.m, 3)->listener, model_sock(y.m, 1));
	unix_moves(&y, 2, CALL_SENDTO, 9, 9);
	assert_int_equal(story_last(&y)->s.dir[0].rcvq, 9);
	assert_int_equal(story_last(&y)->s.conn->calls[0][0], 1);
	story_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_udp_no_wire),
		cmocka_unit_test(test_udp_drops),
		cmocka_unit_test(test_udp_two_clients),
		cmocka_unit_test(test_udp_ends),
		cmocka_unit_test(test_udp_port_late),
		cmocka_unit_test(test_udp_queued),
		cmocka_unit_test(test_udp_nobody),
		cmocka_unit_test(test_udp_stopped_inside),
		cmocka_unit_test(test_udp_unread),
		cmocka_unit_test(test_udp_events_lost),
		cmocka_unit_test(test_udp_drop_by_flow),
		cmocka_unit_test(test_udp_odd),
		cmocka_unit_test(test_udp_shared_port),
		cmocka_unit_test(test_socketpair),
		cmocka_unit_test(test_unix_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
