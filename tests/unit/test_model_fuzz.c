// SPDX-License-Identifier: MIT
/*
 * Records that make no sense, in no order: nothing may crash, no ledger may go wrong, nothing may
 * be left behind. Fixed seeds; run it under the sanitizers. Ids come from small sets, so that the
 * nonsense concerns things that exist.
 */
#include "build_events.h"

#define ROUNDS 40
#define MOMENTS 20000

struct dice {
	__u64 state;
};

static __u32 roll(struct dice *d) /* splitmix64 */
{
	__u64 z = d->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (__u32)((z ^ (z >> 31)) >> 16);
}

static __u32 roll_of(struct dice *d, __u32 n)
{
	return roll(d) % n;
}

static void roll_bytes(struct dice *d, void *p, size_t n)
{
	unsigned char *b = p;

	while (n--)
		*b++ = (unsigned char)roll(d);
}

/* Mostly near some number, sometimes anywhere. */
static __u32 roll_seq(struct dice *d)
{
	return roll_of(d, 20) ? 0xffffff00u + roll_of(d, 2000) : roll(d);
}

static struct ev_addr roll_addr(struct dice *d)
{
	static const char *const hosts[] = { "127.0.0.1", "10.0.0.1", "10.0.0.2", "0.0.0.0" };
	static const __u16 ports[] = { 0, 53, 80, 40000, 40001 };
	struct ev_addr a = addr4(hosts[roll_of(d, 4)], ports[roll_of(d, 5)]);

	if (!roll_of(d, 5)) {
		memcpy(a.addr + 12, a.addr, 4);
		memset(a.addr, 0, 10);
		memset(a.addr + 10, 0xff, 2);
		a.family = AF_INET6;
	}
	if (!roll_of(d, 50))
		roll_bytes(d, &a, sizeof(a));
	return a;
}

static struct levels roll_levels(struct dice *d)
{
	struct levels lv;

	roll_bytes(d, &lv, sizeof(lv));
	lv.write_seq = roll_seq(d);
	lv.snd_nxt = roll_seq(d);
	lv.snd_una = roll_seq(d);
	lv.rcv_nxt = roll_seq(d);
	lv.copied_seq = roll_seq(d);
	lv.state = (__u8)roll_of(d, 13);
	if (roll_of(d, 4))
		lv.flags |= LV_VALID | LV_TCP;
	return lv;
}

static __u32 roll_sid(struct dice *d)
{
	return roll_of(d, 10) ? roll_of(d, 12) : roll_of(d, 4000);
}

union any_record {
	struct event e;
	struct event_proc proc;
	struct event_sockinfo info;
	struct event_flow flow;
	struct event_fd fd;
	struct event_gai gai;
	struct event_segment seg;
	struct event_sock sock;
	struct made_call call;
};

static void roll_call(struct dice *d, struct made_call *mc)
{
	static const __u32 x[] = { 0, 1, 2, 3, 5, 1030, 02000000, 02000001 };
	struct ev_addr a = roll_addr(d);
	size_t i;

	mc->c.call = (__u16)roll_of(d, CALL_MAX + 1);
	mc->c.fd = (int)roll_of(d, 8) - 1;
	mc->c.ret = (__s64)roll_of(d, 12) - 2;
	mc->c.len = roll_of(d, 3000);
	if (!roll_of(d, 40))
		roll_bytes(d, &mc->c.ret, sizeof(mc->c.ret) + sizeof(mc->c.len));
	for (i = 0; i < 4; i++)
		mc->c.x[i] = x[roll_of(d, 8)];
	mc->c.sid2 = roll_sid(d);
	mc->c.cflags = roll_of(d, 3) ? 0 : (__u8)roll(d);
	mc->c.lv = roll_levels(d);
	mc->c.t_enter = roll_of(d, 2) ? mc->c.e.t_ns : roll(d);
	if (roll_of(d, 2))
		call_to(mc, &a);
}

static void roll_info(struct dice *d, struct event_sockinfo *e)
{
	static const __u16 families[] = { AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, 0 };
	static const __u16 protocols[] = { IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP, 0, 262 };

	e->family = families[roll_of(d, 5)];
	e->protocol = protocols[roll_of(d, 5)];
	e->type = (__u8)(1 + roll_of(d, 3));
	e->netns = 1 + roll_of(d, 3);
	e->state = (__u8)roll_of(d, 13);
	e->sflags = (__u8)roll_of(d, 8);
	e->peer_sid = roll_sid(d);
	e->parent = roll_sid(d);
	e->src = roll_addr(d);
	e->dst = roll_addr(d);
	e->lv = roll_levels(d);
	e->path_len = (__u16)roll_of(d, sizeof(e->path) + 1);
	roll_bytes(d, e->path, sizeof(e->path));
}

static void roll_segment(struct dice *d, struct event_segment *g)
{
	static const __u8 flags[] = { TCPF_SYN,
				      TCPF_SYN | TCPF_ACK,
				      TCPF_ACK,
				      TCPF_ACK | TCPF_PSH,
				      TCPF_FIN | TCPF_ACK,
				      TCPF_RST | TCPF_ACK,
				      0xff };

	g->fid = roll_of(d, 20);
	g->seq = roll_seq(d);
	g->ack = roll_seq(d);
	g->len = roll_of(d, 2) ? roll_of(d, 1500) : 0;
	g->win = (__u16)roll(d);
	g->flags = flags[roll_of(d, 7)];
	g->sflags = (__u8)roll_of(d, 32);
	g->wscale = (__u8)roll(d);
	g->netns = 1 + roll_of(d, 3);
	g->ifindex = roll_of(d, 3);
}

static size_t roll_body(struct dice *d, union any_record *r)
{
	switch (r->e.kind) {
	case EV_CALL:
		roll_call(d, &r->call);
		return sizeof(r->call.c) + r->call.c.tail_len;
	case EV_PROC:
		roll_bytes(d, r->proc.comm, sizeof(r->proc.comm));
		r->proc.what = roll_of(d, 7);
		r->proc.child = roll_of(d, 8);
		r->proc.clone_flags = roll_of(d, 2) ? 0x400 : 0;
		return sizeof(r->proc);
	case EV_SOCK:
		roll_info(d, &r->info);
		return sizeof(r->info);
	case EV_FLOW:
		r->flow.fid = roll_of(d, 20);
		r->flow.netns = 1 + roll_of(d, 3);
		r->flow.protocol = roll_of(d, 3) ? IPPROTO_TCP : IPPROTO_UDP;
		r->flow.a = roll_addr(d);
		r->flow.b = roll_addr(d);
		return sizeof(r->flow);
	case EV_FD:
		r->fd.fd = (int)roll_of(d, 8) - 1;
		r->fd.cloexec = roll_of(d, 2);
		return sizeof(r->fd);
	case EV_GAI:
		r->gai.t_enter = r->e.t_ns;
		return sizeof(r->gai);
	case EV_SEGMENT:
		roll_segment(d, &r->seg);
		return sizeof(r->seg);
	case EV_DOORBELL:
		return sizeof(r->e);
	}
	r->sock.a = roll_of(d, 14);
	r->sock.b = roll_of(d, 14);
	r->sock.c = roll_of(d, 2) ? roll_of(d, 2000) : roll(d);
	r->sock.lv = roll_levels(d);
	return sizeof(r->sock);
}

static int step_checks(void *ctx, const struct step *s)
{
	size_t *steps = ctx;
	int i;

	*steps += 1;
	for (i = 0; s->conn && i < 2; i++) {
		assert_true(ledger_check(&s->dir[i]));
		/* whatever is reachable must be alive */
		assert_true(!s->conn->end[i] || s->conn->end[i]->sid);
	}
	assert_true(!s->sock || s->sock->sid);
	assert_true(!s->sock || !s->sock->peer || s->sock->peer->sid);
	assert_true(!s->sock || !s->sock->listener || s->sock->listener->sid);
	assert_true(!s->sock || !s->sock->conn || s->sock->conn->id);
	return 0;
}

static void one_moment(struct model *m, struct dice *d, __u64 t_ns)
{
	union any_record r;
	struct moment mo = { .ev = &r.e, .t_ns = t_ns };

	memset(&r, 0, sizeof(r));
	/* Calls, sockets and segments most of all. */
	r.e.kind = (__u8)(roll_of(d, 2) ? 1 + roll_of(d, 8) : 1 + roll_of(d, EV_KIND_MAX - 1));
	r.e.sid = roll_sid(d);
	r.e.pid = roll_of(d, 8);
	r.e.tid = r.e.pid + roll_of(d, 2);
	r.e.flags = (__u8)roll_of(d, 4);
	r.e.t_ns = t_ns;
	r.e.size = (__u16)roll_body(d, &r);
	if (r.e.kind == EV_CALL || r.e.kind == EV_GAI)
		mo.phase = (enum phase)roll_of(d, 3);
	if (!roll_of(d, 100))
		mo.t_ns -= NS_PER_S;
	assert_int_equal(model_apply(m, &mo), 0);
}

static void fuzz(__u64 seed)
{
	struct dice d = { seed };
	size_t steps = 0;
	struct model *m = model_new(step_checks, &steps);
	__u64 t_ns = 100 * NS_PER_S;
	int i;

	assert_non_null(m);
	for (i = 0; i < MOMENTS; i++) {
		t_ns += roll_of(&d, 20) * NS_PER_MS;
		one_moment(m, &d, t_ns);
		if (!roll_of(&d, 30))
			model_gc(m, t_ns);
		if (!roll_of(&d, 2000))
			assert_int_equal(model_lost(m, t_ns, 1), 0);
	}
	assert_true(steps > MOMENTS / 2);
	assert_int_equal(model_finish(m), 0);
	model_free(m);
}

static void test_fuzz(void **state)
{
	__u64 seed;

	(void)state;
	for (seed = 1; seed <= ROUNDS; seed++)
		fuzz(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fuzz),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
