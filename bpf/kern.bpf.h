/* SPDX-License-Identifier: MIT */
/*
 * Kernel-layer events on a socket in scope: one layout, one way out.
 */
#ifndef SOCKLENS_KERN_BPF_H
#define SOCKLENS_KERN_BPF_H

#include "call_exit.bpf.h"
#include "meet.bpf.h"

/* st, if it is in scope, with its cookie made known; NULL: not ours. */
static __always_inline struct sock_state *kern_shown(struct sock_state *st, struct sock *sk)
{
	if (st->scope != SCOPE_IN)
		return NULL;
	if (!st->cookie) {
		st->cookie = bpf_get_socket_cookie(sk);
		st->announced = 0;
	}
	if (!st->announced)
		sock_announce(st, plain(sk));
	return st;
}

/* The state of a socket in scope. */
static __always_inline struct sock_state *kern_sock(struct sock *sk)
{
	struct sock_state *st;

	if (!tracing)
		return NULL;
	if (!calls_are_seen())
		sock_meet_in_passing(plain(sk));
	st = sock_lookup(sk);
	if (!st)
		return NULL;
	child_tell(st, sk);
	return kern_shown(st, sk);
}

/* Emit kind with levels. lv: taken earlier, NULL = take them now. */
static __noinline int kern_emit(struct sock_state *st, const void *skp, u64 kind_a, u64 bc,
				const struct levels *lv)
{
	u32 kind = kind_a >> 32;
	struct event_sock *r;

	if (!st)
		return 0;
	r = emit_reserve(kind, sizeof(*r));
	if (!r)
		return 0;
	r->e.t_ns = now_ns();
	r->e.sid = st->sid;
	r->e.pid = st->pid;
	r->e.tid = st->tid;
	r->a = kind_a;
	r->b = bc >> 32;
	r->c = bc;
	r->d = 0;
	if (lv)
		r->lv = *lv;
	else
		levels_fill(&r->lv, skp, sock_is_tcp(st));
	levels_of_child(&r->lv, st);
	emit_submit(r, kind);
	return 0;
}

/* The kernel frees it. */
static __noinline int kern_emit_destroy(struct sock_state *st, const void *skp)
{
	struct late_record l = {};
	struct event_sock *r = (struct event_sock *)&l;

	if (!st)
		return 0;
	r->e.t_ns = now_ns();
	r->e.sid = st->sid;
	r->e.pid = st->pid;
	r->e.tid = st->tid;
	levels_fill(&r->lv, skp, sock_is_tcp(st));
	levels_of_child(&r->lv, st);
	return emit_end(&l, sizeof(*r), EV_DESTROY);
}

#define KERN_EMIT(st, sk, kind, a, b, c) \
	kern_emit((st), (sk), (u64)(kind) << 32 | (u32)(a), (u64)(u32)(b) << 32 | (u32)(c), NULL)

#endif
