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

/* Told when it was found so twice: the first time a close() may be about to tell it. */
SEC("?iter/bpf_map_elem")
int sweep__iter(struct bpf_iter__bpf_map_elem *ctx)
{
	struct sock_state *st;
	u64 sk;

	if (!ctx->key)
		return 0;
	sk = *(u64 *)ctx->key;
	st = bpf_map_lookup_elem(&socks, &sk);
	if (!st || sock_is_tcp(st))
		return 0;
	if (!sweep_gone(st, (const struct sock *)sk))
		st->gone = 0;
	else if (st->gone)
		sock_last_close(st, sk);
	else
		st->gone = 1;
	return 0;
}

#endif
