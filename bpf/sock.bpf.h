/* SPDX-License-Identifier: MIT */
/*
 * Reading sockets: identity, addresses, levels; and the table of those we know.
 *
 * Pointers come in two kinds: typed ones from tracepoints, and plain ones found through a descriptor.
 * bpf_rdonly_cast (6.2, commit a35b9af4ec2c) makes both readable by direct loads; without it we pay
 * for bpf_probe_read_kernel, 35 ns a field.
 */
#ifndef SOCKLENS_SOCK_BPF_H
#define SOCKLENS_SOCK_BPF_H

#include <bpf/bpf_endian.h>

#include "emit.bpf.h"

extern void *bpf_rdonly_cast(const void *obj, u32 btf_id) __ksym __weak;

#define KERN_CAST(type, p) ((type *)bpf_rdonly_cast((p), bpf_core_type_id_kernel(type)))

/*
 * One field of a struct of the kernel, where it is read often. 0 where the pointer leads nowhere. (Elsewhere
 * BPF_CORE_READ: taking out the branch that is dead costs time at the start, per use.)
 */
#define READ(p, field)                                                                    \
	({                                                                                \
		typeof(p) p_ = (p);                                                       \
		bpf_rdonly_cast ? KERN_CAST(typeof(*p_), p_)->field : BPF_CORE_READ(p_, field); \
	})

/*
 * An argument of a tracepoint that can be NULL. Verifiers from 6.2 on, until they were told which those are,
 * are sure that none is: they take out the question, and let it be loaded from without a guard. Through
 * this a field of NULL is 0, as it was before.
 */
#define MAYBE_NULL(p) (bpf_rdonly_cast ? KERN_CAST(typeof(*(p)), (p)) : (p))

#define LEVELS_TCP(READ)                                   \
	do {                                               \
		lv->write_seq = READ(tp, write_seq);       \
		lv->snd_nxt = READ(tp, snd_nxt);           \
		lv->snd_una = READ(tp, snd_una);           \
		lv->snd_wnd = READ(tp, snd_wnd);           \
		lv->rcv_nxt = READ(tp, rcv_nxt);           \
		lv->copied_seq = READ(tp, copied_seq);     \
		lv->rcv_wnd = READ(tp, rcv_wnd);           \
	} while (0)

#define LEVELS_SOCK(READ)                                                  \
	do {                                                               \
		lv->wmem_queued = READ(sk, sk_wmem_queued);                \
		lv->rmem_alloc = READ(sk, sk_backlog.rmem_alloc.counter);  \
		lv->sndbuf = READ(sk, sk_sndbuf);                          \
		lv->rcvbuf = READ(sk, sk_rcvbuf);                          \
		lv->ack_backlog = READ(sk, sk_ack_backlog);                \
		lv->max_ack_backlog = READ(sk, sk_max_ack_backlog);        \
		lv->state = READ(sk, __sk_common.skc_state);               \
		lv->shutdown = READ(sk, sk_shutdown);                      \
		lv->sk_err = READ(sk, sk_err);                             \
		lv->drops = READ(sk, sk_drops.counter);                    \
		counters = NULL;                                           \
		if (bpf_core_field_exists(sk->sk_drop_counters))           \
			counters = READ(sk, sk_drop_counters);             \
		flags = READ(sk, __sk_common.skc_flags);                   \
		linger = READ(sk, sk_lingertime);                          \
	} while (0)

#define READ_DIRECT(p, f) ((p)->f)
#define READ_PROBE(p, f) BPF_CORE_READ(p, f)

/* The flags of a socket that we tell. Without branches: levels are read often, and each costs the verifier twice. */
static __always_inline u8 levels_flags(u64 flags)
{
	return (flags >> SOCK_DONE & 1) * LV_FIN_IN | (flags >> SOCK_DEAD & 1) * LV_DEAD |
	       (flags >> SOCK_LINGER & 1) * LV_LINGER;
}

/* Everything the kernel holds for the socket now. tcp: the sequence fields exist. */
static __noinline int levels_fill(struct levels *lv, const void *skp, bool tcp)
{
	struct numa_drop_counters *counters;
	u64 flags, linger;

	if (!lv)
		return 0;
	if (!tcp) /* all else is written below */
		__builtin_memset(lv, 0, __builtin_offsetof(struct levels, wmem_queued));
	lv->linger_s = 0;
	if (bpf_rdonly_cast) {
		struct sock *sk = KERN_CAST(struct sock, skp);
		struct tcp_sock *tp = KERN_CAST(struct tcp_sock, skp);

		LEVELS_SOCK(READ_DIRECT);
		if (tcp)
			LEVELS_TCP(READ_DIRECT);
	} else {
		struct sock *sk = (struct sock *)skp;
		struct tcp_sock *tp = (struct tcp_sock *)skp;

		LEVELS_SOCK(READ_PROBE);
		if (tcp)
			LEVELS_TCP(READ_PROBE);
	}
	if (counters)
		lv->drops = BPF_CORE_READ(counters, drops0.counter) +
			    BPF_CORE_READ(counters, drops1.counter);
	lv->flags = LV_VALID | (!tcp ? 0 : lv->state == TCP_LISTEN ? LV_LISTEN : LV_TCP) | levels_flags(flags);
	if (lv->flags & LV_LINGER) {
		u64 s = linger / (cfg.hz ? cfg.hz : 250);

		lv->linger_s = s > 255 ? 255 : s;
	}
	return 0;
}

static __always_inline bool is_inet(u16 family)
{
	return family == AF_INET || family == AF_INET6;
}

static __always_inline bool sock_is_tcp(const struct sock_state *st)
{
	return is_inet(st->family) && st->type == SOCK_STREAM && st->protocol == IPPROTO_TCP;
}

/* A v4-mapped IPv6 address carries IPv4 on the wire. */
static __always_inline bool addr_is_mapped(const u8 *a)
{
	const u32 *w = (const u32 *)a;

	return w[0] == 0 && w[1] == 0 && w[2] == bpf_htonl(0xffff);
}

static __always_inline bool addr_is_any(const struct ev_addr *a)
{
	const u32 *w = (const u32 *)a->addr;

	if (a->family == AF_INET)
		return w[0] == 0;
	return w[0] == 0 && w[1] == 0 && w[3] == 0 && (w[2] == 0 || w[2] == bpf_htonl(0xffff));
}

static __always_inline bool addr_is_loop(const struct ev_addr *a)
{
	const u32 *w = (const u32 *)a->addr;

	if (a->family == AF_INET)
		return a->addr[0] == 127;
	if (a->family != AF_INET6)
		return false;
	if (addr_is_mapped(a->addr))
		return a->addr[12] == 127;
	return w[0] == 0 && w[1] == 0 && w[2] == 0 && w[3] == bpf_htonl(1);
}

/* skc_num is host order, skc_dport network order: swapped here and nowhere else. */
static __always_inline void sock_addrs(const struct sock *sk, struct ev_addr *src, struct ev_addr *dst)
{
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	__builtin_memset(src, 0, sizeof(*src));
	__builtin_memset(dst, 0, sizeof(*dst));
	if (!is_inet(family))
		return;
	src->family = family;
	src->port = BPF_CORE_READ(sk, __sk_common.skc_num);
	dst->port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (family == AF_INET) {
		BPF_CORE_READ_INTO((u32 *)src->addr, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((u32 *)dst->addr, sk, __sk_common.skc_daddr);
	} else {
		BPF_CORE_READ_INTO((struct in6_addr *)src->addr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)dst->addr, sk, __sk_common.skc_v6_daddr);
	}
	dst->family = dst->port ? family : 0; /* not connected: no far end */
}

static __always_inline u64 sock_cookie_seen(const struct sock *sk)
{
	return READ(sk, __sk_common.skc_cookie.counter);
}

/* A child is cloned from its listener, state and queue limits included: it listens to nothing itself. */
static __always_inline void levels_of_child(struct levels *lv, const struct sock_state *st)
{
	if (!(st->sflags & SOCKF_PASSIVE))
		return;
	lv->ack_backlog = 0;
	lv->max_ack_backlog = 0;
	if (lv->state != TCP_LISTEN)
		return;
	lv->state = TCP_SYN_RECV;
	lv->flags = LV_VALID;
}

/*
 * The state of a socket we know, NULL if we do not. The kernel reuses addresses: an entry whose
 * cookie differs belongs to a dead socket. (A socket without a cookie is always made by a call that
 * we see, and that call starts a fresh entry.) sid: of the socket that is meant, where the address was
 * kept for a while; 0 = whichever has it now.
 */
static __always_inline struct sock_state *sock_lookup_sid(const void *skp, u32 sid)
{
	u64 key = (u64)skp;
	struct sock_state *st = bpf_map_lookup_elem(&socks, &key);
	u64 cookie;

	/* first of all: what a dead socket left in memory must not become the name of its successor */
	if (!st || (sid && st->sid != sid))
		return NULL;
	cookie = sock_cookie_seen(skp);
	if (st->cookie && st->cookie != cookie)
		return NULL;
	if (cookie && !st->cookie) {
		st->cookie = cookie;
		st->announced = 0;
	}
	return st;
}

static __always_inline struct sock_state *sock_lookup(const void *skp)
{
	return sock_lookup_sid(skp, 0);
}

static __always_inline void port_unregister(const struct sock_state *st)
{
	struct port_key key = { .netns = st->netns, .port = st->in_port, .protocol = st->protocol };
	struct port_state *p = st->in_port ? bpf_map_lookup_elem(&ports, &key) : NULL;

	if (p && p->sid == st->sid)
		bpf_map_delete_elem(&ports, &key);
}

/* Its end: what other tables hold of it goes; calls that were kept back with a socket that never came into scope, too. */
static __always_inline void sock_leave(const struct sock_state *st)
{
	u32 n = st->early;

	port_unregister(st);
	for (u32 i = 0; i < EARLY_MAX && i < n; i++) {
		struct early_key key = { .sid = st->sid, .n = i };

		bpf_map_delete_elem(&early, &key);
	}
}

static __always_inline void sock_closed(struct late_record *l, const struct sock_state *st)
{
	struct event_sock *r = (struct event_sock *)l;

	r->e.t_ns = now_ns();
	r->e.sid = st->sid;
	r->e.pid = st->pid;
}

/*
 * An entry goes with its socket: one that is still there had an end that we did not see. TCP's is always told, so that is
 * a loss; others may end in a message that nobody reads, see probes/sweep.bpf.h.
 */
static __always_inline void sock_replaces(u64 key)
{
	struct sock_state *old = bpf_map_lookup_elem(&socks, &key);
	struct late_record l = {};

	if (!old)
		return;
	sock_leave(old);
	if (old->scope != SCOPE_IN)
		return;
	if (sock_is_tcp(old)) {
		if (tracing) /* after the end nobody notes a destroyed one any more */
			count_lost(EV_DESTROY);
		return;
	}
	sock_closed(&l, old);
	emit_end_here(&l, sizeof(struct event_sock), EV_SOCK_CLOSED);
}

/* Start a fresh entry. NULL when the table is full: the caller counts what is lost by that. */
static __noinline struct sock_state *sock_new(const void *skp)
{
	const struct sock *sk = skp;
	u64 key = (u64)skp;
	struct sock_state st = {};

	sock_replaces(key);
	st.sid = __sync_fetch_and_add(&last_sid, 1) + 1;
	st.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	st.protocol = BPF_CORE_READ(sk, sk_protocol);
	st.type = BPF_CORE_READ(sk, sk_type);
	st.cookie = sock_cookie_seen(sk);
	st.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (bpf_map_update_elem(&socks, &key, &st, BPF_ANY))
		return NULL;
	return bpf_map_lookup_elem(&socks, &key);
}

/* For a socket that has just come to life, or comes into view now. */
static __noinline struct sock_state *sock_enter(const void *skp)
{
	struct sock_state *st = sock_new(skp);

	if (!st)
		count_lost(EV_SOCK);
	return st;
}

/*
 * A typed pointer as a plain number: global functions, which the verifier checks once and not at every
 * call, take only those. Reading it back from the stack through a helper drops its type.
 */
static __always_inline u64 plain(const void *p)
{
	u64 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), &p);
	return v;
}

static __always_inline void sock_forget(const void *skp)
{
	u64 key = (u64)skp;

	bpf_map_delete_elem(&socks, &key);
}

#endif
