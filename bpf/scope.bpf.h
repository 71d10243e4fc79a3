/* SPDX-License-Identifier: MIT */
/*
 * Scope: which sockets are shown. Decided in the kernel, per socket, as early as its addresses allow;
 * the calls made before that wait in the early map and come out with their true times.
 */
#ifndef SOCKLENS_SCOPE_BPF_H
#define SOCKLENS_SCOPE_BPF_H

#include "task.bpf.h"

static __always_inline bool netns_listed(u32 inum)
{
	return bpf_map_lookup_elem(&netns_set, &inum) != NULL;
}

static __always_inline u8 scope_by_port(u16 local, u16 remote, bool listening)
{
	if (cfg.lport && local != cfg.lport)
		return local ? SCOPE_OUT : SCOPE_UNDECIDED;
	if (cfg.rport && remote != cfg.rport)
		return remote ? SCOPE_OUT : SCOPE_UNDECIDED;
	if (!cfg.port || local == cfg.port || remote == cfg.port)
		return SCOPE_IN;
	return (local && (remote || listening)) ? SCOPE_OUT : SCOPE_UNDECIDED;
}

/* Bare ./trace: our own loopback, or a wildcard address that it can reach. */
static __always_inline u8 scope_by_place(const struct sock_state *st, const struct ev_addr *src,
					 const struct ev_addr *dst, bool receives)
{
	if (netns_listed(st->netns))
		return SCOPE_IN;
	if (st->seeded || st->netns != cfg.self_netns || !is_inet(st->family))
		return SCOPE_OUT;
	if ((src->family && addr_is_loop(src)) || (dst->family && addr_is_loop(dst)))
		return SCOPE_IN;
	if (dst->family || !addr_is_any(src))
		return SCOPE_OUT;
	return receives ? SCOPE_IN : SCOPE_UNDECIDED;
}

/* --lport and --rport choose an end of a conversation; all else shows the other end with it. */
static __always_inline bool scope_one_end(void)
{
	return cfg.lport || cfg.rport;
}

#define SCOPE_RECEIVES 1   /* it listens, or is a bound UDP socket */
#define SCOPE_HINT_LOCAL 2 /* the hint is an address it wanted for itself */

static __always_inline u8 scope_judge(const struct sock_state *st, const struct ev_addr *src,
				      const struct ev_addr *dst, bool receives)
{
	if (cfg.scope == SCOPE_ALL)
		return SCOPE_IN;
	/* the client of a target, perhaps: until it is connected, what it did is kept */
	if ((cfg.scope & SCOPE_PROC) && !proc_is_target(st->pid))
		return sock_is_tcp(st) && !dst->family && !receives && !scope_one_end() ? SCOPE_UNDECIDED : SCOPE_OUT;
	if ((cfg.scope & SCOPE_NETNS) && !netns_listed(st->netns))
		return SCOPE_OUT;
	if (cfg.scope & SCOPE_PORT)
		return is_inet(st->family) ? scope_by_port(src->port, dst->port, receives) : SCOPE_OUT;
	if (cfg.scope)
		return SCOPE_IN;
	return scope_by_place(st, src, dst, receives);
}

static __always_inline void sockinfo_unix(struct event_sockinfo *r, const void *skp)
{
	struct unix_sock *u = (struct unix_sock *)skp;
	struct unix_address *a = BPF_CORE_READ(u, addr);
	u64 peer = (u64)BPF_CORE_READ(u, peer);
	struct sock_state *pst;
	struct pid *pid = BPF_CORE_READ(u, sk.sk_peer_pid);
	s32 len;

	pst = bpf_map_lookup_elem(&socks, &peer);
	if (peer && pst)
		r->peer_sid = pst->sid;
	if (pid)
		r->peer_pid = BPF_CORE_READ(pid, numbers[0].nr);
	if (!a)
		return;
	len = BPF_CORE_READ(a, len) - 2; /* less sun_family */
	if (len <= 0)
		return;
	if (len > 108)
		len = 108;
	bpf_probe_read_kernel(r->path, len & 127, &a->name[0].sun_path);
	r->path_len = len;
}

/* Emit EV_SOCK: who this socket is now. Without room it is tried again at the socket's next event; lost once. */
__noinline int sock_announce(struct sock_state *st, u64 sk)
{
	const void *skp = (const void *)sk;
	struct event_sockinfo *r;

	if (!st)
		return 0;
	r = emit_try(EV_SOCK, sizeof(*r));
	if (!r) {
		if (!st->unsaid)
			count_lost(EV_SOCK);
		st->unsaid = 1;
		st->announced = 0;
		return 0;
	}
	st->unsaid = 0;
	__builtin_memset((char *)r + sizeof(r->e), 0, sizeof(*r) - sizeof(r->e));
	r->e.t_ns = st->born_ns ? st->born_ns : now_ns();
	r->e.sid = st->sid;
	r->e.pid = st->pid;
	r->e.tid = st->tid;
	r->e.flags = st->seeded ? EVF_SEED : 0;
	r->cookie = st->cookie;
	r->netns = st->netns;
	r->ino = st->ino;
	r->family = st->family;
	r->protocol = st->protocol;
	r->type = st->type;
	r->sflags = st->sflags;
	r->parent = st->parent;
	sock_addrs(skp, &r->src, &r->dst);
	levels_fill(&r->lv, skp, sock_is_tcp(st));
	levels_of_child(&r->lv, st);
	r->state = r->lv.state;
	if (st->family == AF_UNIX)
		sockinfo_unix(r, skp);
	st->announced = 1;
	st->lport = r->src.port;
	if (!st->cookie && !sock_is_tcp(st))
		__sync_fetch_and_add(&nameless, 1);
	emit_submit(r, EV_SOCK);
	return 0;
}

static __always_inline u32 call_record_size(const struct call_record *r)
{
	u32 tail = r->c.tail_len;

	return sizeof(r->c) + (tail > EVENT_TAIL_MAX ? EVENT_TAIL_MAX : tail);
}

/* Let out one kept call. Global: the loop around it costs the verifier next to nothing. */
__noinline int early_let_go(u32 sid, u32 n)
{
	struct early_key key = { .sid = sid, .n = n };
	struct call_record *r = bpf_map_lookup_elem(&early, &key);

	if (!r)
		return 0;
	r->c.e.flags |= EVF_EARLY;
	emit_copy(r, call_record_size(r), EV_CALL);
	bpf_map_delete_elem(&early, &key);
	return 0;
}

/* What was kept back while the socket's scope was open. */
__noinline int early_show(struct sock_state *st)
{
	u32 n;

	if (!st)
		return 0;
	n = st->early;
	for (u32 i = 0; i < EARLY_MAX && i < n; i++)
		early_let_go(st->sid, i);
	st->early = 0;
	if (st->early_lost)
		count_lost_many(EV_CALL, st->early_lost);
	st->early_lost = 0;
	return 0;
}

/* Static: until 6.2 a map takes values from a map, not from the plain memory a global function is given. */
static __noinline int early_keep(struct sock_state *st, struct call_record *r)
{
	struct early_key key = {};

	if (!st || !r)
		return 0;
	key.sid = st->sid;
	key.n = st->early;
	if (st->early >= EARLY_MAX || bpf_map_update_elem(&early, &key, r, BPF_ANY))
		st->early_lost++;
	else
		st->early++;
	return 0;
}

static __always_inline void port_register(struct sock_state *st, u64 sk, const struct ev_addr *src)
{
	struct port_key key = { .netns = st->netns, .port = src->port, .protocol = st->protocol };
	struct port_state p = { .sk = sk, .sid = st->sid, .in_scope = st->scope == SCOPE_IN };

	if (!src->port)
		return;
	if (bpf_map_update_elem(&ports, &key, &p, BPF_ANY))
		count_lost(EV_SOCK);
	else
		st->in_port = src->port;
}

__noinline int sock_enter_scope(struct sock_state *st, u64 sk)
{
	if (!st)
		return 0;
	st->scope = SCOPE_IN;
	if (st->pid == bpf_get_current_pid_tgid() >> 32)
		proc_announce(bpf_get_current_task_btf(), 0);
	if (!st->announced)
		sock_announce(st, sk);
	if (st->early || st->early_lost)
		early_show(st);
	return 0;
}

/*
 * Decide, or decide anew, with the addresses the socket has now. hint: a destination that a call names
 * (connect, sendto), or an address it wanted in vain (SCOPE_HINT_LOCAL); NULL if none. how: SCOPE_* above.
 */
__noinline int scope_decide(struct sock_state *st, u64 sk, const struct ev_addr *hint, u32 how)
{
	struct ev_addr src, dst;

	if (!st)
		return 0;
	sock_addrs((const void *)sk, &src, &dst);
	if (hint && hint->family && (how & SCOPE_HINT_LOCAL))
		src = *hint;
	else if (hint && hint->family)
		dst = *hint;
	if (st->scope != SCOPE_IN) {
		u8 s = scope_judge(st, &src, &dst, how & SCOPE_RECEIVES);

		if (s == SCOPE_IN)
			sock_enter_scope(st, sk);
		else
			st->scope = s;
	}
	if (how == SCOPE_RECEIVES && (st->scope == SCOPE_IN || !cfg.scope))
		port_register(st, sk, &src);
	return st->scope;
}

#endif
