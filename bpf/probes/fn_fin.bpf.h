/* SPDX-License-Identifier: MIT */
/*
 * Moments: a FIN enters the send queue, the peer's FIN is processed. At their entry, so that they come before
 * the segment and the state change they cause: the FIN is not in write_seq yet, SOCK_DONE is not set yet.
 */
#ifndef SOCKLENS_PROBE_FN_FIN_H
#define SOCKLENS_PROBE_FN_FIN_H

#include "probes/fn_sock.bpf.h"

static __always_inline int on_fin(struct sock *sk, u32 kind)
{
	struct sock_state *st = kern_sock(sk);

	return st ? KERN_EMIT(st, sk, kind, 0, 0, 0) : 0;
}

SEC("?fentry/tcp_send_fin")
int BPF_PROG(tcp_send_fin__fentry, struct sock *sk)
{
	return on_fin(sk, EV_FIN_QUEUED);
}

SEC("?kprobe/tcp_send_fin")
int BPF_KPROBE(tcp_send_fin__kprobe, struct sock *sk)
{
	return fn_emit(sk, EV_FIN_QUEUED);
}

SEC("?fentry/tcp_fin")
int BPF_PROG(tcp_fin__fentry, struct sock *sk)
{
	return on_fin(sk, EV_FIN_RECEIVED);
}

SEC("?kprobe/tcp_fin")
int BPF_KPROBE(tcp_fin__kprobe, struct sock *sk)
{
	return fn_emit(sk, EV_FIN_RECEIVED);
}

#endif
