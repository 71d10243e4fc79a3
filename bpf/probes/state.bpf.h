/* SPDX-License-Identifier: MIT */
/*
 * Moments: a connection changes state (active open, established, refused, closing), and its end.
 */
#ifndef SOCKLENS_PROBE_STATE_H
#define SOCKLENS_PROBE_STATE_H

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

static __always_inline int on_state(struct sock *sk, u32 old, u32 new)
{
	struct sock_state *st;

	if (old == TCP_LISTEN && new == TCP_SYN_RECV)
		return child_born(sk);
	if (!calls_are_seen() && old == TCP_CLOSE)
		sock_meet(plain(sk), NULL, new == TCP_LISTEN ? SCOPE_RECEIVES : 0);
	st = sock_lookup(sk);
	if (!st)
		return 0;
	child_tell(st, sk);
	if (new == TCP_LISTEN)
		scope_decide(st, plain(sk), NULL, true);
	state_step(st, old, new);
	if (new == TCP_ESTABLISHED) /* now it has its addresses */
		st->announced = 0;
	if (!kern_shown(st, sk))
		return 0;
	if (old == TCP_LISTEN && new == TCP_CLOSE)
		port_unregister(st);
	return KERN_EMIT(st, sk, EV_STATE, old, new, 0);
}

static __always_inline int on_destroy(struct sock *sk)
{
	struct sock_state *st = tracing ? sock_lookup(sk) : NULL;

	if (!st)
		return 0;
	sock_leave(st);
	state_step(st, TCP_CLOSE, TCP_CLOSE);
	if (st->scope == SCOPE_IN)
		kern_emit_destroy(st, sk);
	sock_forget(sk);
	return 0;
}

SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(inet_sock_set_state__tp, struct sock *sk, int old, int new)
{
	if (!tracing || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	return on_state(sk, old, new);
}

SEC("?tp_btf/tcp_destroy_sock")
int BPF_PROG(tcp_destroy_sock__tp, struct sock *sk)
{
	return on_destroy(sk);
}

#endif
