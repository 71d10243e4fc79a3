/* SPDX-License-Identifier: MIT */
/*
 * Flows: four-tuples in scope. A segment belongs to a flow, not to a socket: SYNs to dead ports,
 * RSTs and the last ACKs of TIME_WAIT have no socket of their own.
 */
#ifndef SOCKLENS_FLOW_BPF_H
#define SOCKLENS_FLOW_BPF_H

#include "scope.bpf.h"

/* IPv4 and v4-mapped are the same on the wire: the key holds IPv4 in 4 bytes. */
static __always_inline void flow_addr(u8 *out, u16 *family, const struct ev_addr *a)
{
	*family = AF_INET6;
	if (a->family == AF_INET) {
		*family = AF_INET;
		__builtin_memcpy(out, a->addr, 4);
	} else if (addr_is_mapped(a->addr)) {
		*family = AF_INET;
		__builtin_memcpy(out, a->addr + 12, 4);
	} else {
		__builtin_memcpy(out, a->addr, 16);
	}
}

static __always_inline int addr_compare(const u8 *a, const u8 *b)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;

	for (int i = 0; i < 2; i++) {
		u64 m = bpf_be64_to_cpu(x[i]), n = bpf_be64_to_cpu(y[i]);

		if (m != n)
			return m < n ? -1 : 1;
	}
	return 0;
}

/* True if src is endpoint b (the numerically higher one). */
__noinline int flow_key_make(struct flow_key *k, const struct ev_addr *src,
				     const struct ev_addr *dst, u32 netns, u16 protocol)
{
	u8 s[16] __attribute__((aligned(8))) = {}, d[16] __attribute__((aligned(8))) = {};
	bool swap;
	int c;

	if (!k || !src || !dst)
		return false;
	__builtin_memset(k, 0, sizeof(*k));
	flow_addr(s, &k->family, src);
	flow_addr(d, &k->family, dst);
	c = addr_compare(s, d);
	swap = c > 0 || (c == 0 && src->port > dst->port);
	__builtin_memcpy(k->a_addr, swap ? d : s, 16);
	__builtin_memcpy(k->b_addr, swap ? s : d, 16);
	k->a_port = swap ? dst->port : src->port;
	k->b_port = swap ? src->port : dst->port;
	k->netns = netns;
	k->protocol = protocol;
	return swap;
}

/* Does a packet to dst reach a receiver in scope, and would that connection be shown? */
__noinline int flow_for_listener(u32 netns, const struct ev_addr *dst, const struct ev_addr *src,
				 u32 protocol)
{
	struct port_key key = { .netns = netns, .protocol = protocol };
	struct port_state *p;

	if (!dst || !src)
		return false;
	key.port = dst->port;
	p = bpf_map_lookup_elem(&ports, &key);
	if (!p || !p->in_scope)
		return false;
	if (cfg.scope)
		return !cfg.rport || src->port == cfg.rport;
	return netns_listed(netns) || (netns == cfg.self_netns && (addr_is_loop(dst) || addr_is_loop(src)));
}

/* Filters by namespace or by one end's port mean that end alone; all others show the far end wherever it is. */
static __always_inline bool flow_crosses(void)
{
	return !(cfg.scope & SCOPE_NETNS) && !scope_one_end();
}

/*
 * Across namespaces (a veth pair) both ends have the same four-tuple: a flow leaves a second entry under namespace 0,
 * by which the far end's packets are recognised. Loopback does not cross.
 */
static __always_inline bool flow_elsewhere(const struct flow_key *k)
{
	struct flow_key any = *k;

	if (!flow_crosses())
		return false;
	any.netns = 0;
	return bpf_map_lookup_elem(&flows, &any) != NULL;
}

static __always_inline void flow_tell_others(const struct flow_key *k, const struct flow_state *f)
{
	struct flow_key any = *k;

	if (!flow_crosses() || (k->family == AF_INET && k->a_addr[0] == 127))
		return;
	any.netns = 0;
	bpf_map_update_elem(&flows, &any, f, BPF_ANY);
}

/* Emit EV_FLOW. Without room it is tried again with the flow's next packet; lost once. */
static __noinline int flow_tell(const struct flow_key *k, struct flow_state *f)
{
	struct event_flow *r;

	if (!k || !f)
		return 0;
	r = emit_try(EV_FLOW, sizeof(*r));
	if (!r) {
		if (!f->unsaid)
			count_lost(EV_FLOW);
		f->unsaid = 1;
		return 0;
	}
	f->told = 1;
	r->e.t_ns = now_ns();
	r->fid = f->fid;
	r->netns = k->netns;
	r->protocol = k->protocol;
	r->pad[0] = r->pad[1] = r->pad[2] = 0;
	r->a.family = r->b.family = k->family;
	r->a.port = k->a_port;
	r->b.port = k->b_port;
	__builtin_memcpy(r->a.addr, k->a_addr, 16);
	__builtin_memcpy(r->b.addr, k->b_addr, 16);
	emit_submit(r, EV_FLOW);
	return 0;
}

static __noinline struct flow_state *flow_new(struct flow_key *k)
{
	struct flow_state f = {}, *kept;

	if (!k)
		return NULL;
	f.fid = __sync_fetch_and_add(&last_fid, 1) + 1;
	if (bpf_map_update_elem(&flows, k, &f, BPF_ANY)) {
		count_lost(EV_FLOW);
		return NULL;
	}
	flow_tell_others(k, &f);
	kept = bpf_map_lookup_elem(&flows, k);
	if (kept)
		flow_tell(k, kept);
	return kept;
}

#endif
