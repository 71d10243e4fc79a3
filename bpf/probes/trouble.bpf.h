/* SPDX-License-Identifier: MIT */
/*
 * Moments: retransmission, RST sent and received, socket error, a datagram that found no room.
 */
#ifndef SOCKLENS_PROBE_TROUBLE_H
#define SOCKLENS_PROBE_TROUBLE_H

#include "kern.bpf.h"
#include "probes/wire.bpf.h"

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

/*
 * The flow an RST goes into: that of the packet it answers, turned round; of the socket where it answers none. (A
 * socket torn down just before has no port any more.)
 */
static __noinline struct flow_state *rst_flow(struct sock *sk, struct sk_buff *skb, u32 *from_b)
{
	struct flow_state *f = NULL;
	struct flow_key key;
	struct packet p;
	u32 netns;

	/* tcp_v4_rcv() takes the device off a packet that has found its socket */
	if (sk)
		netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	else
		netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	if (skb && !packet_parse(&p, MAYBE_NULL(skb))) {
		*from_b = flow_key_make(&key, &p.dst, &p.src, netns, IPPROTO_TCP);
		f = bpf_map_lookup_elem(&flows, &key);
	}
	if (f || !sk)
		return f;
	sock_addrs(sk, &p.src, &p.dst);
	*from_b = flow_key_make(&key, &p.src, &p.dst, netns, IPPROTO_TCP);
	return bpf_map_lookup_elem(&flows, &key);
}

/*
 * sk is NULL for a port nobody listens on, and known no more when the connection was torn down first: then the
 * flow tells whose RST it is. 6.10 added the reason, commit edefba66d929.
 */
static __always_inline int on_rst_sent(struct sock *sk, struct sk_buff *skb, u32 reason, u32 has_reason)
{
	struct sock_state *st = sk ? kern_sock(sk) : NULL;
	struct flow_state *f;
	struct event_sock *r;
	u32 from_b = 0;

	if (!sk && !skb)
		return 0;
	f = rst_flow(sk, skb, &from_b);
	if (!st && !f)
		return 0;
	r = emit_reserve(EV_RST_SENT, sizeof(*r));
	if (!r)
		return 0;
	__builtin_memset((char *)r + sizeof(r->e), 0, sizeof(*r) - sizeof(r->e));
	r->e.t_ns = now_ns();
	if (st) {
		r->e.sid = st->sid;
		r->e.pid = st->pid;
		r->e.tid = st->tid;
		levels_fill(&r->lv, sk, sock_is_tcp(st));
	}
	r->a = reason;
	r->b = has_reason;
	r->c = from_b;
	r->d = f ? f->fid : 0;
	emit_submit(r, EV_RST_SENT);
	return 0;
}

SEC("?tp_btf/tcp_send_reset")
int BPF_PROG(tcp_send_reset__tp, struct sock *sk, struct sk_buff *skb, u32 reason)
{
	return on_rst_sent(sk, skb, reason, 1);
}

SEC("?tp_btf/tcp_send_reset")
int BPF_PROG(tcp_send_reset_bare__tp, struct sock *sk, struct sk_buff *skb)
{
	return on_rst_sent(sk, skb, 0, 0);
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
	u32 err = BPF_CORE_READ(sk, sk_err);

	/* reported once more with nothing in it when a refused connect() has taken the error */
	return st && err ? KERN_EMIT(st, sk, EV_SOCK_ERROR, err, 0, 0) : 0;
}

/* The flow a datagram came in, NULL if it is none of ours. netns: of the socket; 0 = of its device. */
static __noinline struct flow_state *dgram_flow(struct sk_buff *skb, struct packet *p, u32 netns, u32 *from_b)
{
	struct flow_key key;

	if (!p || !from_b || packet_parse(p, skb) || p->protocol != IPPROTO_UDP)
		return NULL;
	if (!netns)
		netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	*from_b = flow_key_make(&key, &p->src, &p->dst, netns, IPPROTO_UDP);
	return bpf_map_lookup_elem(&flows, &key);
}

/* st: the socket that had no use for it, NULL = it came to none. */
static __noinline int emit_dgram_drop(struct sock_state *st, struct sock *sk, u64 kind_a, u32 bytes, u64 fid_from_b)
{
	u32 kind = kind_a >> 32;
	struct event_sock *r = emit_reserve(kind, sizeof(*r));

	if (!r)
		return 0;
	__builtin_memset((char *)r + sizeof(r->e), 0, sizeof(*r) - sizeof(r->e));
	r->e.t_ns = now_ns();
	if (st) {
		r->e.sid = st->sid;
		r->e.pid = st->pid;
		r->e.tid = st->tid;
		levels_fill(&r->lv, sk, false);
	}
	r->a = kind_a;
	r->b = fid_from_b;
	r->c = bytes;
	r->d = fid_from_b >> 32;
	emit_submit(r, kind);
	return 0;
}

#define EMIT_DGRAM_DROP(st, sk, kind, a, bytes, f, from_b)                        \
	emit_dgram_drop((st), (sk), (u64)(kind) << 32 | (u32)(a), (bytes),        \
			(u64)((f) ? (f)->fid : 0) << 32 | (from_b))

/* The datagram came with 6.10, commit e9669a00bba7; its UDP header is off already. */
SEC("?tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(udp_fail_queue__tp, int rc, struct sock *sk, struct sk_buff *skb)
{
	struct sock_state *st = kern_sock(sk);
	struct flow_state *f;
	struct packet p;
	u32 from_b = 0;

	if (!st)
		return 0;
	f = dgram_flow(skb, &p, st->netns, &from_b);
	return EMIT_DGRAM_DROP(st, sk, EV_UDP_DROP, -rc, BPF_CORE_READ(skb, len), f, from_b);
}

SEC("?tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(udp_fail_queue_bare__tp, int rc, struct sock *sk)
{
	struct sock_state *st = kern_sock(sk);

	return st ? KERN_EMIT(st, sk, EV_UDP_DROP, -rc, 0, 0) : 0;
}

/* Up to this one: consumed in the ordinary course, as an ACK that carries no data is. */
#define DROP_NOT_SPECIFIED bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_NOT_SPECIFIED)

#define DROP_IS(reason, name)                                                                 \
	(bpf_core_enum_value_exists(enum skb_drop_reason, SKB_DROP_REASON_##name) &&          \
	 (reason) == bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_##name))

/*
 * A datagram that came to no socket: nobody has its port, or a filter was in the way. Before 6.11 the sockets' own
 * drops are here too, and those of IPv6 nowhere else: udp_fail_queue_rcv_skb came to it with 6.10, commit
 * e9669a00bba7. What a close() leaves unread is none. p: room for the packet, of which there is one on the stack.
 */
static __always_inline int on_dgram_stopped(struct sk_buff *skb, u32 reason, struct packet *p)
{
	struct flow_state *f;
	u32 from_b = 0;

	if (reason <= DROP_NOT_SPECIFIED || DROP_IS(reason, QUEUE_PURGE))
		return 0;
	f = dgram_flow(skb, p, 0, &from_b);
	return f ? EMIT_DGRAM_DROP(NULL, NULL, EV_SKB_DROP, reason, p->l4_len - sizeof(struct udp_hdr), f, from_b) : 0;
}

/* rx_sk came with 6.11, commit c53795d48ee8; it may be NULL. */
SEC("?tp_btf/kfree_skb")
int BPF_PROG(kfree_skb__tp, struct sk_buff *skb, void *where, u32 reason, struct sock *rx_sk)
{
	struct sock_state *st = rx_sk && reason > DROP_NOT_SPECIFIED ? kern_sock(rx_sk) : NULL;
	struct flow_state *f;
	struct packet p;
	u32 from_b = 0;

	if (!rx_sk)
		return on_dgram_stopped(skb, reason, &p);
	if (!st)
		return 0;
	if (st->protocol != IPPROTO_UDP)
		return KERN_EMIT(st, rx_sk, EV_SKB_DROP, reason, 0, BPF_CORE_READ(skb, len));
	f = dgram_flow(skb, &p, st->netns, &from_b);
	return EMIT_DGRAM_DROP(st, rx_sk, EV_SKB_DROP, reason, BPF_CORE_READ(skb, len), f, from_b);
}

SEC("?tp_btf/kfree_skb")
int BPF_PROG(kfree_skb_bare__tp, struct sk_buff *skb, void *where, u32 reason)
{
	struct packet p;

	return on_dgram_stopped(skb, reason, &p);
}

#endif
