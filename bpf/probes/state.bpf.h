/* SPDX-License-Identifier: MIT */
/*
 * Moments: a connection changes state (active open, established, refused, closing), and its end.
 */
#ifndef SOCKLENS_PROBE_STATE_H
#define SOCKLENS_PROBE_STATE_H

#include "flow.bpf.h"
#include "kern.bpf.h"

/*
 * Each change begins where the last one ended, or one was not seen: the kernel runs no program inside itself, and
 * (met on a 6.18) may run none at all while certain processes have the CPU, softirq on top of them included, and
 * count nothing. One loss stands for all that happened in between.
 */
static __always_inline void state_step(struct sock_state *st, u32 from, u32 to)
{
	if (st->scope == SCOPE_IN && st->state && st->state != from)
		count_lost(EV_STATE);
	st->state = to;
}

/* A child of a listener shows first as LISTEN -> SYN_RECV: it is in scope when its flow is. */
static __always_inline struct sock_state *state_child(struct sock *sk)
{
	struct sock_state *st = sock_enter(sk);
	struct ev_addr src, dst;
	struct flow_key key;

	if (!st)
		return NULL;
	st->cookie = 0;
	st->state = TCP_SYN_RECV;
	st->sflags |= SOCKF_PASSIVE;
	if (scope_one_end()) {
		scope_decide(st, plain(sk), NULL, false);
		return st;
	}
	sock_addrs(sk, &src, &dst);
	flow_key_make(&key, &src, &dst, st->netns, IPPROTO_TCP);
	if (bpf_map_lookup_elem(&flows, &key) || flow_for_listener(st->netns, &src, &dst, IPPROTO_TCP))
		st->scope = SCOPE_IN;
	return st;
}

/* A listener that a bare trace left out because it is older is part of the story from its first new connection on. */
static __always_inline void child_shows_listener(struct sock *sk, u32 netns)
{
	struct port_key key = { .netns = netns, .port = BPF_CORE_READ(sk, __sk_common.skc_num),
				.protocol = IPPROTO_TCP };
	struct port_state *p = bpf_map_lookup_elem(&ports, &key);
	struct sock_state *st;

	if (!p || p->in_scope)
		return;
	st = sock_lookup_sid((void *)p->sk, p->sid);
	if (!st)
		return;
	p->in_scope = 1;
	sock_enter_scope(st, p->sk);
}

/*
 * A child just cloned: in kernels up to 6.12 at least it still has the listener's cookie, and any that we gave
 * it here would be overwritten. It gets its own at its next event.
 */
static __always_inline int on_child(struct sock *sk)
{
	struct sock_state *st = state_child(sk);

	if (!st || st->scope != SCOPE_IN)
		return 0;
	child_shows_listener(sk, st->netns);
	sock_announce(st, plain(sk));
	return KERN_EMIT(st, sk, EV_STATE, TCP_LISTEN, TCP_SYN_RECV, 0);
}

static __always_inline int on_state(struct sock *sk, u32 old, u32 new)
{
	struct sock_state *st;

	if (old == TCP_LISTEN && new == TCP_SYN_RECV)
		return on_child(sk);
	st = sock_lookup(sk);
	if (!st)
		return 0;
	if (new == TCP_LISTEN)
		scope_decide(st, plain(sk), NULL, true);
	state_step(st, old, new);
	st = kern_sock(sk);
	if (!st)
		return 0;
	if (new == TCP_ESTABLISHED)
		sock_announce(st, plain(sk));
	if (old == TCP_LISTEN && new == TCP_CLOSE)
		port_unregister(st);
	return KERN_EMIT(st, sk, EV_STATE, old, new, 0);
}

static __always_inline int on_destroy(struct sock *sk)
{
	struct sock_state *st = sock_lookup(sk);

	if (!st)
		return 0;
	port_unregister(st);
	early_end(st, false);
	state_step(st, TCP_CLOSE, TCP_CLOSE);
	if (st->scope == SCOPE_IN)
		kern_emit_destroy(st, sk);
	sock_forget(sk);
	return 0;
}

SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(inet_sock_set_state__tp, struct sock *sk, int old, int new)
{
	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	return on_state(sk, old, new);
}

SEC("?tp_btf/tcp_destroy_sock")
int BPF_PROG(tcp_destroy_sock__tp, struct sock *sk)
{
	return on_destroy(sk);
}

#endif
