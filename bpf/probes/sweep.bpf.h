/* SPDX-License-Identifier: MIT */
/*
 * Moment: a socket ends and no call says so. The last reference to an open file need not be a descriptor: it may travel in a
 * message (SCM_RIGHTS) that is thrown away unread, or be one of io_uring's. Then nobody closes it, and the kernel releases
 * it in whatever context. tcp_destroy_sock tells of TCP; for all others the reader walks the table once a second.
 */
#ifndef SOCKLENS_PROBE_SWEEP_H
#define SOCKLENS_PROBE_SWEEP_H

#include "call_exit.bpf.h"

/*
 * Release parts a socket from its file. What is read may be what a freed one left in memory, anything, or the next socket
 * at this address, made by a process that is not followed: that one's file has another inode.
 */
static __always_inline bool sweep_gone(const struct sock_state *st, const struct sock *sk)
{
	struct socket *sock = BPF_CORE_READ(sk, sk_socket);

	if (st->cookie && st->cookie != sock_cookie_seen(sk))
		return true;
	if (!sock || BPF_CORE_READ(sock, sk) != sk)
		return true;
	return st->ino && (u32)BPF_CORE_READ(sock, file, f_inode, i_ino) != st->ino;
}

/*
 * Without room it stays in the table for the next walk, and is lost only if there is none. (The second place where ends wait, a
 * queue, is closed on older kernels to programs that may sleep.)
 */
static __always_inline bool sweep_told(const struct sock_state *st, bool last)
{
	struct late_record l = {};
	struct event *e = (struct event *)&l;

	if (st->scope != SCOPE_IN)
		return true;
	sock_closed(&l, st);
	e->size = sizeof(struct event_sock);
	e->kind = EV_SOCK_CLOSED;
	if (!emit_copy_try(&l, sizeof(struct event_sock), EV_SOCK_CLOSED))
		return true;
	if (last)
		count_lost(EV_SOCK_CLOSED);
	return last;
}

/* Told when it was found so twice: the first time a close() may be about to tell it. */
static long sweep_one(struct bpf_map *map, const u64 *sk, struct sock_state *st, struct sweep *walk)
{
	if (sock_is_tcp(st))
		return 0;
	if (!sweep_gone(st, (const struct sock *)*sk)) {
		st->gone = 0;
	} else if (!st->gone) {
		st->gone = 1;
	} else if (sweep_told(st, walk->last)) {
		sock_leave(st);
		sock_forget((const void *)*sk);
	}
	return 0;
}

/* The reader runs it; some kernels have no iterator over the elements of a map. */
SEC("?syscall")
int sweep__run(struct sweep *asked)
{
	struct sweep walk = { .last = asked->last };

	bpf_for_each_map_elem(&socks, sweep_one, &walk, 0);
	return 0;
}

#endif
