/* SPDX-License-Identifier: MIT */
/*
 * Moments: bytes enter the send queue, leave the receive queue, arrive in the receive queue; a listener's
 * accept queue grows; a receive queue is full.
 */
#ifndef SOCKLENS_PROBE_DATA_H
#define SOCKLENS_PROBE_DATA_H

#include "kern.bpf.h"

/* The thread, if it is in a call on this socket. */
static __always_inline struct task_state *moving_call(const void *sk)
{
	struct task_state *ts = calls_are_seen() ? task_get(false) : NULL;

	return ts && ts->call && ts->sk == (u64)sk ? ts : NULL;
}

/* What its entry found out of the socket is enough: it need not be looked up. */
static __always_inline bool call_is_settled(const struct task_state *ts)
{
	return ts && ts->settled;
}

static __always_inline int moved_in_call(struct task_state *ts, const void *sk, s32 ret)
{
	levels_fill(&ts->lv, sk, ts->tcp);
	ts->lv_valid = 1;
	if (ret > 0)
		ts->moved += ret;
	return 0;
}

/* Who receives on a datagram socket holds a port; where no call is seen nothing said so before. */
static __always_inline void meet_mover(const void *sk, u32 kind)
{
	if (!calls_are_seen())
		sock_meet(plain(sk), NULL, kind == EV_RECEIVED ? SCOPE_RECEIVES : 0);
}

/* Such a receive leaves the queue as it is: MSG_PEEK, MSG_ERRQUEUE. */
#define MSG_TAKES_NOTHING (0x2 | 0x2000)

/*
 * Inside a call of a followed thread the sample goes into the call's own record: one record says both.
 * Outside (io_uring, a kernel thread) it is an event of its own. st: NULL where the call is settled.
 */
static __always_inline int emit_moved(struct task_state *ts, struct sock_state *st, const void *sk, u32 kind, s32 ret,
				      u32 flags)
{
	if (ts && (ts->settled || st))
		return moved_in_call(ts, sk, ret);
	if (!st || (flags & MSG_TAKES_NOTHING))
		return 0;
	return KERN_EMIT(st, sk, kind, ret, 0, 0);
}

/* flags: MSG_* of a receive, 0 of a send. */
static __always_inline int on_moved(struct sock *sk, u32 kind, s32 ret, u32 flags)
{
	struct task_state *ts = moving_call(sk);

	meet_mover(sk, kind);
	return emit_moved(ts, call_is_settled(ts) ? NULL : kern_sock(sk), sk, kind, ret, flags);
}

static __always_inline int on_data_ready(struct sock *sk)
{
	struct sock_state *st = kern_sock(sk);

	return st ? KERN_EMIT(st, sk, EV_DATA_READY, 0, 0, 0) : 0;
}

SEC("?tp_btf/sock_send_length")
int BPF_PROG(sock_send_length__tp, struct sock *sk, int ret, int flags)
{
	return on_moved(sk, EV_SENT, ret, 0);
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(sock_recv_length__tp, struct sock *sk, int ret, int flags)
{
	return on_moved(sk, EV_RECEIVED, ret, flags);
}

SEC("?tp_btf/sk_data_ready")
int BPF_PROG(sk_data_ready__tp, struct sock *sk)
{
	return on_data_ready(sk);
}

SEC("?tp_btf/sock_rcvqueue_full")
int BPF_PROG(sock_rcvqueue_full__tp, struct sock *sk, struct sk_buff *skb)
{
	struct sock_state *st = kern_sock(sk);

	return st ? KERN_EMIT(st, sk, EV_RCVQ_FULL, 0, 0, BPF_CORE_READ(skb, len)) : 0;
}

/* Where segments are recorded it adds nothing. */
static __always_inline int on_ack(struct sock *sk)
{
	struct sock_state *st = kern_sock(sk);

	return st ? KERN_EMIT(st, sk, EV_ACK, 0, 0, 0) : 0;
}

/* Fires for each packet in ESTABLISHED, before it is processed. */
SEC("?tp_btf/tcp_probe")
int BPF_PROG(tcp_probe__tp, struct sock *sk)
{
	return on_ack(sk);
}

#endif
