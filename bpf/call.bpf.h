/* SPDX-License-Identifier: MIT */
/*
 * System calls, common part: the state of the call in progress and the record made of it.
 * What each call keeps of its arguments stands in call_enter.bpf.h, of its results in call_exit.bpf.h.
 */
#ifndef SOCKLENS_CALL_BPF_H
#define SOCKLENS_CALL_BPF_H

#include "child.bpf.h"

#define BIT(n) (1ULL << (n))

/* Calls that only sockets have: whoever makes one is followed from then on. */
#define CALLS_OF_SOCKETS                                                                         \
	(BIT(CALL_SOCKET) | BIT(CALL_SOCKETPAIR) | BIT(CALL_BIND) | BIT(CALL_LISTEN) |           \
	 BIT(CALL_CONNECT) | BIT(CALL_ACCEPT) | BIT(CALL_ACCEPT4) | BIT(CALL_SENDTO) |           \
	 BIT(CALL_SENDMSG) | BIT(CALL_SENDMMSG) | BIT(CALL_RECVFROM) | BIT(CALL_RECVMSG) |       \
	 BIT(CALL_RECVMMSG) | BIT(CALL_SHUTDOWN) | BIT(CALL_SETSOCKOPT) | BIT(CALL_GETSOCKOPT) | \
	 BIT(CALL_GETSOCKNAME) | BIT(CALL_GETPEERNAME))

#define UNTIMED 0xffffffffU /* x[0] of a wait without timeout: -1 */

#define ROUND8(n) (((n) + 7) & ~7U)

/* Position of the only set bit (de Bruijn): BPF has no count-trailing-zeros, and branches cost the verifier. */
static const u8 de_bruijn[64] = {
	0,  1,	48, 2,	57, 49, 28, 3,	61, 58, 50, 42, 38, 29, 17, 4,	62, 55, 59, 36, 53, 51,
	43, 22, 45, 39, 33, 30, 24, 18, 12, 5,	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
	44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,	13, 8,	7,  6,
};

static __always_inline u32 bit_number(u64 low)
{
	return de_bruijn[(low * 0x03f79d71b4cb0a89ULL) >> 58];
}

/* An address in user memory into a tail. len: what the program said. */
__noinline int tail_addr(struct task_state *ts, u64 ptr, u32 len)
{
	if (!ts || !ptr || !len)
		return 0;
	if (len > EVENT_TAIL_MAX)
		len = EVENT_TAIL_MAX;
	__builtin_memset(ts->tail, 0, sizeof(ts->tail));
	if (bpf_probe_read_user(ts->tail, len, (void *)ptr))
		return 0;
	ts->tail_kind = TAIL_ADDR;
	ts->tail_count = len;
	ts->tail_len = ROUND8(len);
	return 0;
}

/* The address in a tail as endpoint; family 0 if it is none of ours. */
static __always_inline void tail_endpoint(const struct task_state *ts, struct ev_addr *a)
{
	__builtin_memset(a, 0, sizeof(*a));
	if (ts->tail_kind != TAIL_ADDR || ts->tail_count < 8)
		return;
	a->family = *(u16 *)ts->tail;
	a->port = bpf_ntohs(*(u16 *)(ts->tail + 2));
	if (a->family == AF_INET)
		__builtin_memcpy(a->addr, ts->tail + 4, 4);
	else if (a->family == AF_INET6 && ts->tail_count >= 24)
		__builtin_memcpy(a->addr, ts->tail + 8, 16);
	else
		a->family = 0;
}

/*
 * The question. At the entry a page of it may not be in memory yet (a string constant nobody has read), and we may
 * not wait for it: then it is read again at the thread's next call, when libc has used it, or at the return.
 */
static __always_inline void gai_ask(struct task_state *ts)
{
	struct gai_question *q = &ts->gai;
	struct user_addrinfo h;

	q->has_node = ts->gai_asked[0] != 0;
	if (q->has_node && !q->node[0])
		bpf_probe_read_user_str(q->node, sizeof(q->node), (void *)ts->gai_asked[0]);
	q->has_service = ts->gai_asked[1] != 0;
	if (q->has_service && !q->service[0])
		bpf_probe_read_user_str(q->service, sizeof(q->service), (void *)ts->gai_asked[1]);
	if (ts->gai_asked[2] && !bpf_probe_read_user(&h, sizeof(h), (void *)ts->gai_asked[2])) {
		q->family = h.family;
		q->socktype = h.socktype;
		q->flags = h.flags;
	}
}

static __always_inline void call_reset(struct task_state *ts, u32 call)
{
	ts->t_enter = now_ns();
	ts->sk = 0;
	ts->len = 0;
	ts->moved = 0;
	ts->x[0] = ts->x[1] = ts->x[2] = ts->x[3] = 0;
	ts->fd = -1;
	ts->sid = 0;
	ts->sid2 = 0;
	ts->cflags = ts->gai_enter ? CALLF_IN_GAI : 0;
	ts->tail_kind = TAIL_NONE;
	ts->tail_len = 0;
	ts->tail_count = 0;
	ts->lv_valid = 0;
	ts->reported = 0;
	ts->on = ON_NEW;
	ts->in_scope = 0;
	ts->undecided = 0;
	ts->held = HELD_NOT;
	ts->call = call;
}

/* The socket of a call in progress; NULL: none, or it was closed meanwhile (its address may be another's by now). */
static __always_inline struct sock_state *call_sock(const struct task_state *ts)
{
	return ts->sk ? sock_lookup_sid((void *)ts->sk, ts->sid) : NULL;
}

static __always_inline void call_cancel(struct task_state *ts)
{
	ts->call = CALL_NONE;
}

/* A socket we meet for the first time through a descriptor: it is older than the trace. */
static __always_inline struct sock_state *sock_adopt(struct fd_ref *ref)
{
	struct sock_state *st = sock_lookup(ref->sk);

	if (st)
		return st;
	st = sock_new(ref->sk);
	if (!st)
		return NULL;
	st->seeded = 1;
	st->pid = bpf_get_current_pid_tgid() >> 32;
	st->ino = ref->ino;
	return st;
}

/* Its socket found no place in the table, and nobody can tell whether it is in scope: taken for one that is. */
static __always_inline void call_has_no_room(void)
{
	if (!scope_takes_process() || proc_is_target(bpf_get_current_pid_tgid() >> 32))
		count_lost(EV_CALL);
}

#define NO_SOCKET -1	 /* the descriptor is something else */
#define NO_DESCRIPTOR -2 /* it is not open */

/* Tie the call to the socket behind fd. 0, or one of the above. */
__noinline int call_bind_fd(struct task_state *ts, s32 fd)
{
	struct fd_ref ref;
	struct sock_state *st;

	if (!ts)
		return NO_SOCKET;
	ts->fd = fd;
	if (fd_resolve(&ref, fd))
		return NO_DESCRIPTOR;
	if (!ref.sk) {
		if (ts->call == CALL_CLOSE)
			epoll_closed(&ref);
		return NO_SOCKET;
	}
	st = sock_adopt(&ref);
	if (!st) {
		call_has_no_room();
		return NO_SOCKET;
	}
	if (!st->pid)
		st->pid = bpf_get_current_pid_tgid() >> 32;
	ts->on = ON_SOCKET;
	ts->in_scope = st->scope == SCOPE_IN;
	ts->undecided = st->scope == SCOPE_UNDECIDED;
	ts->tcp = sock_is_tcp(st);
	ts->settled = ts->in_scope && st->announced && st->cookie && !st->born_ns;
	ts->sk = (u64)ref.sk;
	ts->sid = st->sid;
	ts->x[3] = ref.refs > 0xffff ? 0xffff : ref.refs;
	if (ref.fflags & O_NONBLOCK)
		ts->cflags |= CALLF_NONBLOCK;
	return 0;
}

/* Sid of a descriptor's socket if that is in scope, else 0. Global: verified once. */
__noinline int fd_sid_in_scope(s32 fd)
{
	struct fd_ref ref;
	struct sock_state *st;

	if (fd_resolve(&ref, fd) || !ref.sk)
		return 0;
	st = sock_lookup(ref.sk);
	return st && st->scope == SCOPE_IN ? st->sid : 0;
}

static __always_inline void call_fill(struct event_call *c, const struct task_state *ts, s64 ret)
{
	c->e.size = sizeof(*c) + ts->tail_len;
	c->e.kind = EV_CALL;
	c->e.flags = 0;
	c->e.sid = ts->sid;
	c->t_enter = ts->t_enter;
	c->ret = ret;
	c->len = ts->len;
	c->x[0] = ts->x[0];
	c->x[1] = ts->x[1];
	c->x[2] = ts->x[2];
	c->x[3] = ts->x[3];
	c->fd = ts->fd;
	c->sid2 = ts->sid2;
	c->call = ts->call;
	c->cflags = ts->cflags;
	c->tail_kind = ts->tail_kind;
	c->tail_len = ts->tail_len;
	c->tail_count = ts->tail_count;
}

/* A call that has no socket (socket() failed): whose is it? */
static __always_inline bool scope_of_process(u32 pid)
{
	struct proc_state *p = bpf_map_lookup_elem(&procs, &pid);

	if (cfg.scope == SCOPE_ALL)
		return true;
	return p && (p->flags & (scope_takes_process() ? PROC_TARGET : PROC_ANNOUNCED));
}

#define EBADF 9
#define ENOTSOCK 88

/* A call whose socket is gone, or that has none: is it told? */
static __always_inline bool call_shown_alone(const struct task_state *ts, u32 pid, s64 ret)
{
	switch (ts->on) {
	case ON_SOCKET: /* closed by this very call, or by another thread meanwhile */
		return ts->in_scope;
	case ON_SEVERAL:
		return true;
	case ON_NOTHING:
		return (ret == -EBADF || ret == -ENOTSOCK) && scope_of_process(pid);
	default: /* socket() failed */
		return scope_of_process(pid);
	}
}

/* Say who the caller is; ts, if there is one, keeps in mind that it was said. */
static __always_inline void call_announce_process(struct task_state *ts)
{
	if (ts && (ts->tflags & TASK_TOLD))
		return;
	if (proc_announce(bpf_get_current_task_btf(), 0) && ts)
		ts->tflags |= TASK_TOLD;
}

/* Send, keep or drop the record of a finished call. st: its socket; NULL: alone says whether it is told. */
static __noinline int call_deliver(struct call_record *r, struct sock_state *st, u64 sk, u32 alone,
				   struct task_state *ts)
{
	u32 size;

	if (!r || !(cfg.layers & LAYER_BIT_APP))
		return 0;
	if (st && st->scope == SCOPE_UNDECIDED)
		return early_keep(st, r);
	if (st ? st->scope != SCOPE_IN : !alone)
		return 0;
	call_announce_process(ts);
	if (st && !st->announced)
		sock_announce(st, sk);
	size = call_record_size(r);
	return emit_copy(r, size, EV_CALL);
}

#endif
