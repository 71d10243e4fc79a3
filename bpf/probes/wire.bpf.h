/* SPDX-License-Identifier: MIT */
/*
 * Moments: a segment leaves through a device, a segment arrives. TCP and UDP, IPv4 and IPv6.
 */
#ifndef SOCKLENS_PROBE_WIRE_H
#define SOCKLENS_PROBE_WIRE_H

#include "flow.bpf.h"
#include "meet.bpf.h"

#define IFF_LOOPBACK 8
#define TH_FIN 1
#define TH_SYN 2
#define TH_RST 4
#define TH_ACK 16
#define TH_URG 32
#define IP_OFFSET 0x1fff

struct packet {
	struct ev_addr src;
	struct ev_addr dst;
	u32 netns;
	u32 ifindex;
	u32 l4;	    /* offset from skb->head */
	u32 l4_len; /* bytes of transport header and payload */
	u16 protocol;
	u8 loopback;
	u8 fragment;
	struct tcp_hdr th; /* of UDP the first 8 bytes are its header */
} __attribute__((aligned(8)));

/* Both headers are read at once: a buffer is longer than them, and what is read is not what costs. */
static __always_inline int packet_ip4(struct packet *p, const u8 *at, u32 off)
{
	struct {
		struct ip4_hdr ip;
		struct tcp_hdr th;
	} h;
	u32 hlen;

	if (bpf_probe_read_kernel(&h, sizeof(h), at + off))
		return -1;
	hlen = (h.ip.ihl_version & 15) * 4;
	if (bpf_ntohs(h.ip.frag_off) & IP_OFFSET)
		return -1; /* no transport header in it */
	p->fragment = (bpf_ntohs(h.ip.frag_off) & 0x2000) != 0;
	p->protocol = h.ip.protocol;
	p->src.family = p->dst.family = AF_INET;
	__builtin_memcpy(p->src.addr, h.ip.saddr, 4);
	__builtin_memcpy(p->dst.addr, h.ip.daddr, 4);
	p->l4 = off + hlen;
	p->l4_len = bpf_ntohs(h.ip.tot_len) - hlen;
	p->th = h.th;
	return hlen == sizeof(h.ip) ? 0 : bpf_probe_read_kernel(&p->th, sizeof(p->th), at + p->l4);
}

#define IPPROTO_FRAGMENT 44

/*
 * Of extension headers only that of a fragment is walked: TCP and UDP on our networks follow the fixed
 * header, or that one.
 */
static __always_inline int packet_ip6(struct packet *p, const u8 *at, u32 off)
{
	struct ip6_frag_hdr frag;
	struct {
		struct ip6_hdr ip;
		struct tcp_hdr th;
	} h;

	if (bpf_probe_read_kernel(&h, sizeof(h), at + off))
		return -1;
	p->protocol = h.ip.nexthdr;
	p->src.family = p->dst.family = AF_INET6;
	__builtin_memcpy(p->src.addr, h.ip.saddr, 16);
	__builtin_memcpy(p->dst.addr, h.ip.daddr, 16);
	p->l4 = off + sizeof(h.ip);
	p->l4_len = bpf_ntohs(h.ip.payload_len);
	p->th = h.th;
	if (h.ip.nexthdr != IPPROTO_FRAGMENT)
		return 0;
	if (bpf_probe_read_kernel(&frag, sizeof(frag), at + p->l4) || bpf_ntohs(frag.frag_off) & 0xfff8)
		return -1; /* no transport header in it */
	p->fragment = (bpf_ntohs(frag.frag_off) & 1) != 0;
	p->protocol = frag.nexthdr;
	p->l4 += sizeof(frag);
	p->l4_len -= sizeof(frag);
	return bpf_probe_read_kernel(&p->th, sizeof(p->th), at + p->l4);
}

/* Bytes from the network header on, whatever skb->data points at. */
static __always_inline u32 packet_bytes(struct sk_buff *skb, const u8 *head, u32 network)
{
	u32 start = skb->data - head;

	return skb->len - (network - start);
}

/* 0 if it is TCP or UDP. A GSO packet over 64 KiB has no total length in its header: then the buffer's counts. */
static __noinline int packet_parse(struct packet *p, struct sk_buff *skb)
{
	const u8 *head;
	u32 off, bytes;
	u16 proto;
	int err;

	if (!p)
		return -1;
	__builtin_memset(p, 0, sizeof(*p));
	proto = skb->protocol;
	head = skb->head;
	off = skb->network_header;
	if (proto == bpf_htons(ETH_P_IP))
		err = packet_ip4(p, head, off);
	else if (proto == bpf_htons(ETH_P_IPV6))
		err = packet_ip6(p, head, off);
	else
		return -1;
	if (err || (p->protocol != IPPROTO_TCP && p->protocol != IPPROTO_UDP))
		return -1;
	p->src.port = bpf_ntohs(p->th.source);
	p->dst.port = bpf_ntohs(p->th.dest);
	bytes = packet_bytes(skb, head, off);
	if (!p->l4_len || p->l4_len > bytes || bytes > 0xffff)
		p->l4_len = bytes - (p->l4 - off);
	return 0;
}

static __always_inline void packet_device(struct packet *p, struct net_device *dev)
{
	p->ifindex = dev->ifindex;
	p->netns = dev->nd_net.net->ns.inum;
	p->loopback = (dev->flags & IFF_LOOPBACK) != 0;
}

#define TCP_OPTIONS_MAX 40
#define TCP_OPTIONS_STEPS 12 /* a SYN has five options and some padding */

/* MSS (low 16 bits) and window scale + 1 (next 8) of a SYN's options; 0 where absent. */
__noinline int syn_options(u64 at, u32 len)
{
	u8 opt[TCP_OPTIONS_MAX + 4] = {};
	u32 i = 0, found = 0;

	if (len > TCP_OPTIONS_MAX || bpf_probe_read_kernel(opt, len & 63, (void *)at))
		return 0;
	for (int n = 0; n < TCP_OPTIONS_STEPS; n++) {
		u32 kind, padding;

		i &= 63;
		if (i + 1 >= len || i >= TCP_OPTIONS_MAX)
			break;
		kind = opt[i];
		if (kind == 2)
			found |= opt[i + 2] << 8 | opt[i + 3];
		if (kind == 3)
			found |= (opt[i + 2] + 1) << 16;
		/*
		 * Kinds 0 and 1 are one byte, all others carry their length. Without a branch: each path
		 * with a step of its own would be followed separately by the verifier.
		 */
		padding = ((kind >> 1) - 1) >> 31;
		i += padding | (opt[i + 1] & (padding - 1));
	}
	return found;
}

static __always_inline void segment_tcp(struct event_segment *r, const struct packet *p, const u8 *head,
					struct flow_state *f)
{
	const struct tcp_hdr *th = &p->th;
	u32 hlen = (th->doff >> 4) * 4;

	r->seq = bpf_ntohl(th->seq);
	r->ack = bpf_ntohl(th->ack_seq);
	r->len = p->l4_len - hlen;
	r->win = bpf_ntohs(th->window);
	r->flags = th->flags;
	if (th->flags & TH_URG)
		r->mss = bpf_ntohs(th->urg);
	if ((th->flags & TH_SYN) && hlen > sizeof(*th)) {
		u32 found = syn_options(plain(head) + p->l4 + sizeof(*th), hlen - sizeof(*th));

		r->mss = found;
		r->wscale = found >> 16;
	}
	if (th->flags & (TH_FIN | TH_RST))
		f->ended = 1;
}

/* Of a fragment the header tells how long the datagram is. */
static __always_inline void segment_udp(struct event_segment *r, const struct packet *p)
{
	const struct udp_hdr *uh = (const struct udp_hdr *)&p->th;

	r->sflags |= SEGF_UDP;
	r->len = p->l4_len - sizeof(*uh);
	if (p->fragment)
		r->seq = bpf_ntohs(uh->len) - sizeof(*uh);
}

static __always_inline bool packet_opens(const struct packet *p)
{
	return p->protocol == IPPROTO_TCP && (p->th.flags & (TH_SYN | TH_ACK)) == TH_SYN;
}

/* Nothing is left to find out about this end of it: its socket is in scope, and was announced with its port. */
static __always_inline bool flow_is_settled(const struct flow_state *f, const struct packet *p, u8 end)
{
	return f && f->told && !f->ended && (f->settled & end) && !packet_opens(p);
}

/*
 * A packet without a flow starts one if its sender's socket is in scope, or a receiver in scope waits
 * for it. On a known flow the sender's socket comes into scope with it (the client of a traced server).
 */
static __always_inline struct flow_state *wire_flow(struct packet *p, struct flow_key *key, void *sender, u8 end)
{
	struct flow_state *f = bpf_map_lookup_elem(&flows, key);
	struct sock_state *st;

	if (flow_is_settled(f, p, end))
		return f;
	st = sender ? sock_lookup(sender) : NULL;
	if (st && st->scope == SCOPE_IN && !st->lport)
		sock_announce(st, plain(sender)); /* bound by its first packet: now it has a port */
	if (f && f->ended && packet_opens(p))
		f = NULL; /* the same ports again: a new conversation */
	if (f && !f->told)
		flow_tell(key, f);
	if (f && st && st->scope == SCOPE_IN && st->lport && p->protocol == IPPROTO_TCP) {
		f->settled |= end;
		st->flowed = 1;
	}
	if (f && (!st || st->scope == SCOPE_IN))
		return f;
	if (!f && !(st && st->scope == SCOPE_IN) &&
	    !flow_for_listener(p->netns, &p->dst, &p->src, p->protocol) && !flow_elsewhere(key))
		return NULL;
	if (!f) {
		f = flow_new(key);
		if (!f)
			count_lost(EV_SEGMENT);
		else if (st && st->flowed && !packet_opens(p))
			count_lost(EV_FLOW);
	}
	if (f && st && st->scope != SCOPE_IN && p->protocol == IPPROTO_TCP && !scope_one_end())
		sock_enter_scope(st, plain(sender));
	return f;
}

/* The full socket a packet leaves by; request and time-wait sockets are none. */
static __always_inline void *packet_sender(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	u8 state;

	if (!sk)
		return NULL;
	state = sk->__sk_common.skc_state;
	if (state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV || state == TCP_LISTEN)
		return NULL;
	return sk;
}

/*
 * A SYN that finds the accept queue full is dropped without a word: tcp_conn_request() asks
 * sk_acceptq_is_full() and forgets it. We ask the same a moment before.
 */
static __always_inline void syn_meets_full_queue(struct packet *p)
{
	struct port_key key = { .netns = p->netns, .port = p->dst.port, .protocol = IPPROTO_TCP };
	struct port_state *port = bpf_map_lookup_elem(&ports, &key);
	struct sock_state *st;
	struct event_sock *r;
	struct sock *sk;

	if (!port || !port->in_scope)
		return;
	sk = (struct sock *)port->sk;
	st = sock_lookup_sid(sk, port->sid);
	if (!st || READ(sk, sk_ack_backlog) <= READ(sk, sk_max_ack_backlog))
		return;
	r = emit_reserve(EV_RCVQ_FULL, sizeof(*r));
	if (!r)
		return;
	r->e.t_ns = now_ns();
	r->e.sid = st->sid;
	r->e.pid = st->pid;
	r->e.tid = st->tid;
	r->a = r->b = r->c = r->d = 0;
	levels_fill(&r->lv, sk, true);
	emit_submit(r, EV_RCVQ_FULL);
}

static __noinline int wire_segment(struct packet *p, struct sk_buff *skb, void *sender, u32 direction)
{
	const u8 *head = skb->head;
	struct event_segment *r;
	struct flow_state *f;
	struct flow_key key;
	bool from_b, syn = false;

	if (!p)
		return 0;
	from_b = flow_key_make(&key, &p->src, &p->dst, p->netns, p->protocol);
	f = wire_flow(p, &key, sender, from_b ? FLOW_B : FLOW_A);
	if (!f)
		return 0;
	r = emit_reserve(EV_SEGMENT, sizeof(*r));
	if (!r)
		return 0;
	__builtin_memset((char *)r + sizeof(r->e), 0, sizeof(*r) - sizeof(r->e));
	r->e.t_ns = now_ns();
	r->fid = f->fid;
	r->sflags = direction | (from_b ? SEGF_FROM_B : 0) | (p->loopback ? SEGF_LOOPBACK : 0) |
		    (p->fragment ? SEGF_FRAGMENT : 0);
	r->ifindex = p->ifindex;
	r->netns = p->netns;
	if (p->protocol == IPPROTO_TCP) {
		segment_tcp(r, p, head, f);
		syn = (r->flags & (TH_SYN | TH_ACK)) == TH_SYN;
	} else {
		segment_udp(r, p);
	}
	emit_submit(r, EV_SEGMENT);
	if (syn && direction == SEGF_IN)
		syn_meets_full_queue(p);
	return 0;
}

/*
 * Where no call is seen, its first datagram introduces a socket, and a connection's first segment tells its port. Of a
 * datagram this may run on top of anybody (a queue that a device empties later): only who has the socket as the descriptor of
 * the call it is in owns it.
 */
static __always_inline void wire_meet(const struct packet *p, void *sender)
{
	struct sock_state *st = sock_lookup(sender);
	u64 sk = plain(sender);

	if (p->protocol != IPPROTO_TCP && sock_is_in_call(sk))
		sock_meet(sk, &p->dst, 0);
	else if (st && st->scope == SCOPE_UNDECIDED)
		scope_decide(st, sk, NULL, 0);
}

SEC("?tp_btf/net_dev_start_xmit")
int BPF_PROG(net_dev_start_xmit__tp, struct sk_buff *skb, struct net_device *dev)
{
	struct packet p;
	void *sender;

	if (!tracing || packet_parse(&p, skb))
		return 0;
	packet_device(&p, dev);
	sender = packet_sender(skb);
	if (sender && !calls_are_seen())
		wire_meet(&p, sender);
	return wire_segment(&p, skb, sender, SEGF_OUT);
}

SEC("?tp_btf/netif_receive_skb")
int BPF_PROG(netif_receive_skb__tp, struct sk_buff *skb)
{
	struct packet p;

	if (!tracing || packet_parse(&p, skb))
		return 0;
	packet_device(&p, skb->dev);
	return wire_segment(&p, skb, NULL, SEGF_IN);
}

#endif
