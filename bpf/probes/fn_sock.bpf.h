/* SPDX-License-Identifier: MIT */
/*
 * What the function probes share. fentry and fexit get typed pointers and use the handlers of the
 * tracepoints; kprobes get plain ones, which cannot be asked for a cookie: only one that is there is read.
 */
#ifndef SOCKLENS_PROBE_FN_SOCK_H
#define SOCKLENS_PROBE_FN_SOCK_H

#include "kern.bpf.h"

struct msghdr;

/* kern_sock() for a plain pointer. */
static __always_inline struct sock_state *fn_sock(const void *sk)
{
	struct sock_state *st = tracing ? sock_lookup(sk) : NULL;

	if (!st)
		return NULL;
	child_tell(st, sk);
	if (st->scope != SCOPE_IN)
		return NULL;
	if (!st->announced)
		sock_announce(st, (u64)sk);
	return st;
}

/* An event without arguments, with the levels of now. */
static __always_inline int fn_emit(const void *sk, u32 kind)
{
	struct sock_state *st = fn_sock(sk);

	return st ? KERN_EMIT(st, sk, kind, 0, 0, 0) : 0;
}

/* The socket a thread is sending or receiving on: a kretprobe does not see the arguments. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u64);
} entered SEC(".maps");

static __always_inline int fn_enter(const struct socket *sock, u32 kind)
{
	u64 sk = (u64)BPF_CORE_READ(sock, sk), *slot;
	struct sock_state *st = sock_lookup((void *)sk);

	if (calls_are_seen() && (!st || st->scope == SCOPE_OUT))
		return 0;
	slot = bpf_task_storage_get(&entered, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (slot)
		*slot = sk;
	else
		count_lost(kind);
	return 0;
}

/* The socket given to fn_enter(), NULL if it was none of ours. */
static __always_inline void *fn_leave(void)
{
	u64 sk, *slot = bpf_task_storage_get(&entered, bpf_get_current_task_btf(), 0, 0);

	if (!slot)
		return NULL;
	sk = *slot;
	*slot = 0;
	return (void *)sk;
}

#endif
