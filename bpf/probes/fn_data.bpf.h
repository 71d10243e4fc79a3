/* SPDX-License-Identifier: MIT */
/*
 * Moments of data.bpf.h seen at functions, for kernels older than their tracepoints (6.3). inet_sendmsg and its
 * kin stand where TCP and UDP over one family meet, and keep their arguments where tcp_recvmsg does not.
 */
#ifndef SOCKLENS_PROBE_FN_DATA_H
#define SOCKLENS_PROBE_FN_DATA_H

#include "probes/data.bpf.h"
#include "probes/fn_sock.bpf.h"

/* The return does not know the flags: one that takes nothing is left out here, unless its call wants the levels. */
static __always_inline int fn_enter_receive(const struct socket *sock, u32 flags)
{
	if (!calls_are_seen() && (flags & MSG_TAKES_NOTHING))
		return 0;
	return fn_enter(sock, EV_RECEIVED);
}

static __always_inline int on_moved_plain(const void *sk, u32 kind, s32 ret)
{
	struct task_state *ts = sk ? moving_call(sk) : NULL;

	if (!sk)
		return 0;
	meet_mover(sk, kind);
	return emit_moved(ts, call_is_settled(ts) ? NULL : fn_sock(sk), sk, kind, ret, 0);
}

SEC("?fexit/inet_sendmsg")
int BPF_PROG(inet_sendmsg__fexit, struct socket *sock, struct msghdr *msg, u64 size, int ret)
{
	return on_moved(sock->sk, EV_SENT, ret, 0);
}

SEC("?fexit/inet6_sendmsg")
int BPF_PROG(inet6_sendmsg__fexit, struct socket *sock, struct msghdr *msg, u64 size, int ret)
{
	return on_moved(sock->sk, EV_SENT, ret, 0);
}

SEC("?kprobe/inet_sendmsg")
int BPF_KPROBE(inet_sendmsg__kprobe, struct socket *sock)
{
	return fn_enter(sock, EV_SENT);
}

SEC("?kprobe/inet6_sendmsg")
int BPF_KPROBE(inet6_sendmsg__kprobe, struct socket *sock)
{
	return fn_enter(sock, EV_SENT);
}

SEC("?kretprobe/inet_sendmsg")
int BPF_KRETPROBE(inet_sendmsg__kretprobe, int ret)
{
	return on_moved_plain(fn_leave(), EV_SENT, ret);
}

SEC("?kretprobe/inet6_sendmsg")
int BPF_KRETPROBE(inet6_sendmsg__kretprobe, int ret)
{
	return on_moved_plain(fn_leave(), EV_SENT, ret);
}

SEC("?fexit/inet_recvmsg")
int BPF_PROG(inet_recvmsg__fexit, struct socket *sock, struct msghdr *msg, u64 size, int flags, int ret)
{
	return on_moved(sock->sk, EV_RECEIVED, ret, flags);
}

SEC("?fexit/inet6_recvmsg")
int BPF_PROG(inet6_recvmsg__fexit, struct socket *sock, struct msghdr *msg, u64 size, int flags, int ret)
{
	return on_moved(sock->sk, EV_RECEIVED, ret, flags);
}

SEC("?kprobe/inet_recvmsg")
int BPF_KPROBE(inet_recvmsg__kprobe, struct socket *sock, struct msghdr *msg, u64 size, int flags)
{
	return fn_enter_receive(sock, flags);
}

SEC("?kprobe/inet6_recvmsg")
int BPF_KPROBE(inet6_recvmsg__kprobe, struct socket *sock, struct msghdr *msg, u64 size, int flags)
{
	return fn_enter_receive(sock, flags);
}

SEC("?kretprobe/inet_recvmsg")
int BPF_KRETPROBE(inet_recvmsg__kretprobe, int ret)
{
	return on_moved_plain(fn_leave(), EV_RECEIVED, ret);
}

SEC("?kretprobe/inet6_recvmsg")
int BPF_KRETPROBE(inet6_recvmsg__kretprobe, int ret)
{
	return on_moved_plain(fn_leave(), EV_RECEIVED, ret);
}

/* Where the tracepoint sk_data_ready stands in later kernels; a listener is told here of a connection, too. */
SEC("?fentry/sock_def_readable")
int BPF_PROG(sock_def_readable__fentry, struct sock *sk)
{
	return on_data_ready(sk);
}

SEC("?kprobe/sock_def_readable")
int BPF_KPROBE(sock_def_readable__kprobe, struct sock *sk)
{
	return fn_emit(sk, EV_DATA_READY);
}

/* After the acknowledgement took effect, where tcp_probe comes before it. */
SEC("?fexit/tcp_ack")
int BPF_PROG(tcp_ack__fexit, struct sock *sk)
{
	return on_ack(sk);
}

#endif
