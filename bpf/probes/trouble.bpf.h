/* SPDX-License-Identifier: MIT */
/*
 * Moments: retransmission, RST sent and received, socket error, a datagram that found no room.
 */
#ifndef SOCKLENS_PROBE_TROUBLE_H
#define SOCKLENS_PROBE_TROUBLE_H

#include "kern.bpf.h"

SEC("?tp_btf/tcp_retransmit_skb")
int BPF_PROG(tcp_retransmit_skb__tp, struct sock *sk, struct sk_buff *skb)
{
	struct sock_state *st = kern_sock(sk);
	struct tcp_skb_cb cb = {};

	if (!st)
		return 0;
	if (skb)
		bpf_probe_read_kernel(&cb, sizeof(cb), &skb->cb);
	return KERN_EMIT(st, sk, EV_RETRANSMIT, BPF_CORE_READ(sk, __sk_common.skc_state), cb.seq,
			 BPF_CORE_READ(skb, len));
}

SEC("?tp_btf/tcp_retransmit_synack")
int BPF_PROG(tcp_retransmit_synack__tp, struct sock *sk, struct request_sock *req)
{
	struct sock_state *st = kern_sock(sk);

	return st ? KERN_EMIT(st, sk, EV_SYNACK_RETRANS, 0, 0, 0) : 0;
}

/* sk is NULL for a port nobody listens on; 6.10 added the reason, commit edefba66d929. */
static __always_inline int on_rst_sent(struct sock *sk, u32 reason, u32 has_reason)
{
	struct sock_state *st = sk ? kern_sock(sk) : NULL;

	return st ? KERN_EMIT(st, sk, EV_RST_SENT, reason, has_reason, 0) : 0;
}

SEC("?tp_btf/tcp_send_reset")
int BPF_PROG(tcp_send_reset__tp, struct sock *sk, struct sk_buff *skb, u32 reason)
{
	return on_rst_sent(sk, reason, 1);
}

SEC("?tp_btf/tcp_send_reset")
int BPF_PROG(tcp_send_reset_bare__tp, struct sock *sk)
{
	return on_rst_sent(sk, 0, 0);
}

SEC("?tp_btf/tcp_receive_reset")
int BPF_PROG(tcp_receive_reset__tp, struct sock *sk)
{
	struct sock_state *st = kern_sock(sk);

	return st ? KERN_EMIT(st, sk, EV_RST_RECEIVED, 0, 0, 0) : 0;
}

SEC("?tp_btf/inet_sk_error_report")
int BPF_PROG(inet_sk_error_report__tp, struct sock *sk)
{
	struct sock_state *st = kern_sock(sk);

	return st ? KERN_EMIT(st, sk, EV_SOCK_ERROR, BPF_CORE_READ(sk, sk_err), 0, 0) : 0;
}

static __always_inline int on_udp_drop(struct sock *sk, int rc, u32 bytes)
{
	struct sock_state *st = kern_sock(sk);

	return st ? KERN_EMIT(st, sk, EV_UDP_DROP, -rc, 0, bytes) : 0;
}

/* The datagram came with 6.10, commit e9669a00bba7; its UDP header is off already. */
SEC("?tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(udp_fail_queue__tp, int rc, struct sock *sk, struct sk_buff *skb)
{
	return on_udp_drop(sk, rc, BPF_CORE_READ(skb, len));
}

SEC("?tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(udp_fail_queue_bare__tp, int rc, struct sock *sk)
{
	return on_udp_drop(sk, rc, 0);
}

/* rx_sk came with 6.11, commit c53795d48ee8; it may be NULL. */
SEC("?tp_btf/kfree_skb")
int BPF_PROG(kfree_skb__tp, struct sk_buff *skb, void *where, u32 reason, struct sock *rx_sk)
{
	struct sock_state *st = rx_sk ? kern_sock(rx_sk) : NULL;

	return st ? KERN_EMIT(st, rx_sk, EV_SKB_DROP, reason, 0, BPF_CORE_READ(skb, len)) : 0;
}

#endif
