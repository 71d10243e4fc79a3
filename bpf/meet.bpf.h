/* SPDX-License-Identifier: MIT */
/*
 * Without the app layer no system call is hooked: they would cost every process of the machine, for records that nobody
 * wants. Then a socket is met at the first event on it that its own process raises: connect() and listen() change its
 * state, send and receive move bytes, a datagram leaves. What only calls tell is not known: descriptors, bind() of a
 * receiver, close() of anything but TCP (probes/sweep.bpf.h finds that within two seconds), and whose a receiver of
 * datagrams is before it has received.
 */
#ifndef SOCKLENS_MEET_BPF_H
#define SOCKLENS_MEET_BPF_H

#include "registers.bpf.h"
#include "scope.bpf.h"

static __always_inline u32 sock_inode(const struct sock *sk)
{
	return BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino);
}

/* The calling process has it. */
static __always_inline void meet_owner(struct sock_state *st)
{
	u64 id = bpf_get_current_pid_tgid();

	st->pid = id >> 32;
	st->tid = id;
}

/* Not of the tracer, or of those who started it. Whoever comes here for the first time is known from now on. */
static __always_inline bool meet_process(void)
{
	struct proc_state *p = proc_current();

	return p && !(p->flags & PROC_EXCLUDED);
}

/*
 * Of one that is not TCP no end is told: what is known may be of another socket that was at this address. (The end of an
 * AF_UNIX connection that nobody has accepted yet has no file, so no inode.)
 */
static __always_inline struct sock_state *meet_known(const struct sock *sk)
{
	struct sock_state *st = sock_lookup(sk);

	return st && (sock_is_tcp(st) || !st->ino || st->ino == sock_inode(sk)) ? st : NULL;
}

/* In the context of the process that uses it. dst: where it is sending to, NULL = where it is connected to. */
__noinline int sock_meet(u64 skp, const struct ev_addr *dst, u32 how)
{
	const struct sock *sk = (const struct sock *)skp;
	struct sock_state *st = meet_known(sk);

	if (!tracing || (st && st->pid && st->scope != SCOPE_UNDECIDED) || !meet_process())
		return 0;
	if (!st)
		st = sock_enter(sk);
	if (!st)
		return 0;
	if (!st->pid) {
		meet_owner(st);
		st->announced = 0;
	}
	if (!st->ino)
		st->ino = sock_inode(sk);
	scope_decide(st, skp, dst, how);
	if (st->scope == SCOPE_IN)
		proc_announce(bpf_get_current_task_btf(), 0);
	return 0;
}

/* In any context: whose it is stays open. */
__noinline int sock_meet_in_passing(u64 skp)
{
	const struct sock *sk = (const struct sock *)skp;
	struct sock_state *st;

	if (!tracing || BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP || meet_known(sk))
		return 0;
	st = sock_enter(sk);
	if (!st)
		return 0;
	st->ino = sock_inode(sk);
	scope_decide(st, skp, NULL, SCOPE_RECEIVES);
	return 0;
}

/* Is it the descriptor, the first argument, of the call that the thread is in? */
__noinline int sock_is_in_call(u64 skp)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	struct fd_ref ref;
	u64 args[6];

	SYSCALL_ARGS(regs, args);
	return !fd_resolve(&ref, args[0]) && (u64)ref.sk == skp;
}

#endif
