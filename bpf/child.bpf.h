/* SPDX-License-Identifier: MIT */
/*
 * Children of listeners: born in softirq, by the ACK that ends the handshake, as LISTEN -> SYN_RECV. Kernels up to
 * 6.12 at least say so before they have given the child its addresses. So a child without them is only noted, and told,
 * with the time of its birth, at the next thing that happens to it: a few instructions later it is ESTABLISHED.
 */
#ifndef SOCKLENS_CHILD_BPF_H
#define SOCKLENS_CHILD_BPF_H

#include "flow.bpf.h"

/* A child is in scope when its flow is. */
static __always_inline void child_scope(struct sock_state *st, u64 sk, const struct ev_addr *src,
					const struct ev_addr *dst)
{
	struct flow_key key;

	if (scope_one_end()) {
		scope_decide(st, sk, NULL, false);
		return;
	}
	flow_key_make(&key, src, dst, st->netns, IPPROTO_TCP);
	if (bpf_map_lookup_elem(&flows, &key) ||
	    flow_for_listener(st->netns, src, dst, IPPROTO_TCP))
		st->scope = SCOPE_IN;
}

/* A listener that a bare trace left out because it is older is part of the story from its first new connection on. */
static __always_inline void child_meets_listener(struct sock_state *child, u16 port)
{
	struct port_key key = { .netns = child->netns, .port = port, .protocol = IPPROTO_TCP };
	struct port_state *p = bpf_map_lookup_elem(&ports, &key);
	struct sock_state *st;

	if (p && !calls_are_seen()) /* else accept() says it */
		child->parent = p->sid;
	if (!p || p->in_scope)
		return;
	st = sock_lookup_sid((void *)p->sk, p->sid);
	if (!st)
		return;
	p->in_scope = 1;
	sock_enter_scope(st, p->sk);
}

static __always_inline void child_emit(const struct sock_state *st, u64 sk)
{
	struct event_sock *r = emit_reserve(EV_STATE, sizeof(*r));

	if (!r)
		return;
	r->e.t_ns = st->born_ns;
	r->e.sid = st->sid;
	r->a = TCP_LISTEN;
	r->b = TCP_SYN_RECV;
	r->c = r->d = 0;
	levels_fill(&r->lv, (void *)sk, false); /* its counters were not its own yet */
	r->lv.ack_backlog = r->lv.max_ack_backlog = 0;
	r->lv.state = TCP_SYN_RECV;
	r->lv.flags = LV_VALID;
	emit_submit(r, EV_STATE);
}

/* Tell of the birth once the addresses are there. */
__noinline int child_settle(struct sock_state *st, u64 sk)
{
	struct ev_addr src, dst;

	if (!st)
		return 0;
	sock_addrs((void *)sk, &src, &dst);
	if (!dst.family)
		return 0;
	child_scope(st, sk, &src, &dst);
	if (st->scope == SCOPE_IN) {
		child_meets_listener(st, src.port);
		if (!st->announced)
			sock_announce(st, sk);
		child_emit(st, sk);
	}
	st->born_ns = 0;
	return 0;
}

static __always_inline void child_tell(struct sock_state *st, const void *sk)
{
	if (st->born_ns)
		child_settle(st, plain(sk));
}

/* It still has the listener's cookie, and any that we gave it here would be overwritten: it gets its own later. */
static __always_inline int child_born(const void *sk)
{
	struct sock_state *st = sock_enter(sk);

	if (!st)
		return 0;
	st->cookie = 0;
	st->state = TCP_SYN_RECV;
	st->sflags |= SOCKF_PASSIVE;
	st->born_ns = now_ns();
	child_tell(st, sk);
	return 0;
}

#endif
