/* SPDX-License-Identifier: MIT */
/*
 * Return of each call: results, new sockets, levels; then the record goes out.
 */
#ifndef SOCKLENS_CALL_EXIT_BPF_H
#define SOCKLENS_CALL_EXIT_BPF_H

#include "call_enter.bpf.h"
#include "call_held.bpf.h"

/* A socket that a call has just made (socket, socketpair, accept). */
static __noinline struct sock_state *sock_born(s32 fd, struct fd_ref *ref, bool by_accept)
{
	u64 id = bpf_get_current_pid_tgid();
	struct sock_state *st;

	if (!ref || fd_resolve(ref, fd) || !ref->sk)
		return NULL;
	st = by_accept ? sock_lookup(ref->sk) : NULL;
	if (!st)
		st = sock_enter(ref->sk);
	if (!st)
		return NULL;
	st->pid = id >> 32;
	st->tid = id;
	st->ino = ref->ino;
	return st;
}

static __always_inline void exit_socket(struct task_state *ts, s64 ret)
{
	struct fd_ref ref;
	struct sock_state *st = sock_born(ret, &ref, false);

	if (!st)
		return;
	scope_decide(st, (u64)ref.sk, NULL, false);
	ts->fd = ret;
	ts->sid = st->sid;
	ts->sk = (u64)ref.sk;
}

static __always_inline void exit_socketpair(struct task_state *ts)
{
	struct sock_state *st, *other;
	struct fd_ref a, b;
	s32 fds[2] = {};

	bpf_probe_read_user(fds, sizeof(fds), (void *)ts->args[3]);
	st = sock_born(fds[0], &a, false);
	other = sock_born(fds[1], &b, false);
	if (!st || !other)
		return;
	scope_decide(st, (u64)a.sk, NULL, false);
	scope_decide(other, (u64)b.sk, NULL, false);
	ts->sid = st->sid;
	ts->sid2 = other->sid;
	ts->sk = (u64)a.sk;
	ts->fd = fds[0];
	ts->x[3] = fds[1];
}

/*
 * The child was born in softirq without an owner; the process that accepts it is it. A listener that is
 * older than the trace comes into view with the first connection that is.
 */
static __always_inline void exit_accept(struct task_state *ts, s64 ret)
{
	struct sock_state *listener = call_sock(ts);
	struct fd_ref ref;
	struct sock_state *st = sock_born(ret, &ref, true);

	if (!st)
		return;
	st->sflags |= SOCKF_PASSIVE;
	if (listener)
		st->parent = listener->sid;
	scope_decide(st, (u64)ref.sk, NULL, false);
	ts->sid2 = st->sid;
	if (st->scope != SCOPE_IN)
		return;
	if (listener && listener->scope != SCOPE_IN)
		sock_enter_scope(listener, ts->sk);
	sock_announce(st, (u64)ref.sk);
}

/* Accepted before its birth was told (fast open): here, not in exit_accept(), because calls nest eight deep at most. */
static __always_inline void exit_child(const struct task_state *ts, s64 ret)
{
	struct sock_state *st;
	struct fd_ref ref;

	if ((ts->call != CALL_ACCEPT && ts->call != CALL_ACCEPT4) || ret < 0 || fd_resolve(&ref, ret) || !ref.sk)
		return;
	st = sock_lookup(ref.sk);
	if (st)
		child_tell(st, ref.sk);
}

/* Calls that make sockets: learn them. */
__noinline int exit_births(struct task_state *ts, s64 ret)
{
	if (!ts || ret < 0)
		return 0;
	switch (ts->call) {
	case CALL_SOCKET:
		exit_socket(ts, ret);
		break;
	case CALL_SOCKETPAIR:
		exit_socketpair(ts);
		break;
	case CALL_ACCEPT:
	case CALL_ACCEPT4:
		exit_accept(ts, ret);
		break;
	}
	return 0;
}

static __always_inline void exit_addr(struct task_state *ts, u64 ptr, u64 len_ptr)
{
	u32 len = 0;

	if (ptr && len_ptr && !bpf_probe_read_user(&len, sizeof(len), (void *)len_ptr))
		tail_addr(ts, ptr, len);
}

static __always_inline void exit_recvmsg(struct task_state *ts)
{
	struct user_msghdr_abi m;

	if (bpf_probe_read_user(&m, sizeof(m), (void *)ts->args[1]))
		return;
	tail_addr(ts, m.name, m.namelen);
	ts->x[2] = m.flags;
}

#define MMSG_BLOCKS 32 /* of as many messages: 1024 is UIO_MAXIOV, the kernel does not take more */

/* Bytes of a block of messages. Apart, so that the verifier follows 32 and 32 steps, not 1024. */
__noinline u64 mmsg_block_bytes(u64 block, s64 left)
{
	u64 sum = 0;
	u32 len;

	for (u32 i = 0; i < MMSG_BLOCKS; i++) {
		u64 at = block + i * sizeof(struct user_mmsghdr_abi) +
			 __builtin_offsetof(struct user_mmsghdr_abi, len);

		if (i >= left || bpf_probe_read_user(&len, sizeof(len), (void *)at))
			break;
		sum += len;
	}
	return sum;
}

/* Bytes of all messages that a sendmmsg or recvmmsg moved. */
__noinline u64 mmsg_bytes(u64 vec, s64 done)
{
	u64 sum = 0;

	for (u32 i = 0; i < MMSG_BLOCKS; i++) {
		s64 left = done - i * MMSG_BLOCKS;

		if (left <= 0)
			break;
		sum += mmsg_block_bytes(vec + i * MMSG_BLOCKS * sizeof(struct user_mmsghdr_abi), left);
	}
	return sum;
}

static __always_inline void exit_getsockopt(struct task_state *ts)
{
	u32 len = 0;

	bpf_probe_read_user(&len, sizeof(len), (void *)ts->args[4]);
	ts->x[2] = len;
	ts->len = option_value(ts->args[3], len);
}

__noinline int exit_poll(struct task_state *ts)
{
	if (!ts)
		return 0;
	for (u32 i = 0; i < POLL_MAX; i++) {
		struct poll_item *it = (struct poll_item *)ts->tail + i;

		if (i * sizeof(*it) >= ts->tail_len)
			break;
		bpf_probe_read_user(&it->revents, sizeof(it->revents),
				    (void *)(ts->args[0] + i * sizeof(*it) +
					     __builtin_offsetof(struct poll_item, revents)));
	}
	return 0;
}

static __always_inline void exit_select(struct task_state *ts)
{
	struct select_sets *s = (struct select_sets *)ts->tail;

	for (u32 i = 0; i < 3; i++)
		if (ts->args[1 + i])
			bpf_probe_read_user(&s->out[i], 8, (void *)ts->args[1 + i]);
}

#define EPOLL_MAX (EVENT_TAIL_MAX / sizeof(struct epoll_item))

__noinline int exit_epoll(struct task_state *ts, s64 ret)
{
	struct user_epoll_event ev;

	if (!ts)
		return 0;
	for (u32 i = 0; i < EPOLL_MAX; i++) {
		struct epoll_item *it = (struct epoll_item *)ts->tail + i;

		if (i >= ret || bpf_probe_read_user(&ev, sizeof(ev),
						    (void *)(ts->args[1] + i * sizeof(ev))))
			break;
		it->data = ev.data;
		it->events = ev.events;
		it->pad = 0;
		ts->tail_len = (i + 1) * sizeof(*it);
	}
	ts->tail_kind = TAIL_EPOLL;
	ts->tail_count = ret;
	return 0;
}

__noinline int exit_results(struct task_state *ts, s64 ret)
{
	u64 *a;

	if (!ts || ret < 0)
		return 0;
	a = ts->args;
	switch (ts->call) {
	case CALL_ACCEPT:
	case CALL_ACCEPT4:
	case CALL_GETSOCKNAME:
	case CALL_GETPEERNAME:
		exit_addr(ts, a[1], a[2]);
		break;
	case CALL_RECVFROM:
		exit_addr(ts, a[4], a[5]);
		break;
	case CALL_RECVMSG:
		exit_recvmsg(ts);
		break;
	case CALL_SENDMMSG:
	case CALL_RECVMMSG:
		ts->len = ts->lv_valid ? ts->moved : mmsg_bytes(a[1], ret);
		break;
	case CALL_GETSOCKOPT:
		exit_getsockopt(ts);
		break;
	case CALL_POLL:
	case CALL_PPOLL:
		exit_poll(ts);
		break;
	case CALL_SELECT:
	case CALL_PSELECT6:
		exit_select(ts);
		break;
	case CALL_EPOLL_WAIT:
	case CALL_EPOLL_PWAIT:
	case CALL_EPOLL_PWAIT2:
		exit_epoll(ts, ret);
		break;
	}
	return 0;
}

/*
 * connect() on an AF_UNIX stream makes the other end at once, before anybody accepts it: the conversation has two
 * ends from here on. (A datagram socket's peer is somebody's own socket, not a new one.)
 */
static __always_inline void exit_unix_peer(struct sock_state *st, u64 sk)
{
	struct unix_sock *us = (struct unix_sock *)sk;
	struct sock *peer = BPF_CORE_READ(us, peer);
	struct sock_state *pst;

	if (!peer || st->type == SOCK_DGRAM)
		return;
	pst = sock_lookup(peer);
	if (!pst)
		pst = sock_enter(peer);
	if (!pst || pst->scope == SCOPE_IN)
		return;
	pst->sflags |= SOCKF_PASSIVE;
	sock_enter_scope(pst, (u64)peer);
}

/* A connection said its addresses as it became one. */
static __always_inline bool said_at_establishment(const struct task_state *ts, const struct sock_state *st)
{
	return ts->call == CALL_CONNECT && sock_is_tcp(st) && st->state == TCP_ESTABLISHED;
}

/* Addresses may have changed: decide again and say so. */
__noinline int exit_readdress(struct task_state *ts, s64 ret)
{
	struct sock_state *st;
	struct ev_addr wanted;
	bool receives;

	if (!ts || (ts->call != CALL_BIND && ts->call != CALL_LISTEN && ts->call != CALL_CONNECT))
		return 0;
	st = call_sock(ts);
	if (!st)
		return 0;
	if (ret) { /* a failed bind has said where it wanted to be, too */
		tail_endpoint(ts, &wanted);
		if (ts->call == CALL_BIND && wanted.family)
			scope_decide(st, ts->sk, &wanted, SCOPE_RECEIVES | SCOPE_HINT_LOCAL);
		return 0;
	}
	receives = ts->call == CALL_LISTEN || (ts->call == CALL_BIND && st->protocol == IPPROTO_UDP);
	scope_decide(st, ts->sk, NULL, receives ? SCOPE_RECEIVES : 0);
	if (st->scope == SCOPE_IN && st->family == AF_UNIX && ts->call == CALL_CONNECT)
		exit_unix_peer(st, ts->sk);
	if (st->scope == SCOPE_IN && st->announced && !said_at_establishment(ts, st))
		sock_announce(st, ts->sk);
	return 0;
}

/* No descriptor refers to it any more. TCP lives on until tcp_destroy_sock says otherwise. */
__noinline int sock_last_close(struct sock_state *st, u64 sk)
{
	struct late_record l = {};

	if (!st || sock_is_tcp(st))
		return 0;
	sock_leave(st);
	if (st->scope == SCOPE_IN) {
		sock_closed(&l, st);
		emit_end(&l, sizeof(struct event_sock), EV_SOCK_CLOSED);
	}
	sock_forget((const void *)sk);
	return 0;
}

static __always_inline void exit_levels(struct task_state *ts, struct event_call *c, struct sock_state *st)
{
	if (ts->lv_valid)
		c->lv = ts->lv;
	else if (ts->sk && st)
		levels_fill(&c->lv, (void *)ts->sk, sock_is_tcp(st));
	else
		__builtin_memset(&c->lv, 0, sizeof(c->lv));
}

/* x[3] of a call on a descriptor holds its file's references at the entry; close reports those left. */
static __always_inline void exit_references(struct task_state *ts)
{
	u32 refs = ts->x[3];

	if (ts->call == CALL_SOCKETPAIR)
		return;
	ts->x[3] = 0;
	if (ts->call != CALL_CLOSE)
		return;
	ts->x[0] = refs ? refs - 1 : 0;
	if (refs <= 1)
		ts->cflags |= CALLF_LAST_REF;
}

#define MSG_OOB 1

/* The urgent byte is fetched past those that wait before it: which one was it? */
static __always_inline void exit_urgent(struct task_state *ts, s64 ret)
{
	struct tcp_sock *tp = (struct tcp_sock *)ts->sk;
	struct sock_state *st;

	if (!(BIT(ts->call) & (BIT(CALL_RECVFROM) | BIT(CALL_RECVMSG) | BIT(CALL_RECVMMSG))))
		return;
	if (!(ts->x[0] & MSG_OOB) || ret <= 0)
		return;
	st = call_sock(ts);
	if (st && sock_is_tcp(st))
		ts->x[3] = BPF_CORE_READ(tp, urg_seq);
}

/* The record of a call that is over: it returned ret at t_ns. */
__noinline int call_finish(struct task_state *ts, s64 ret, u64 t_ns)
{
	struct scratch *s = scratch_get(SCRATCH_PROBE);
	u64 id = bpf_get_current_pid_tgid();
	struct sock_state *st;

	if (!ts || !s)
		return 0;
	st = call_sock(ts);
	call_fill(&s->call.c, ts, ret);
	s->call.c.e.t_ns = t_ns;
	s->call.c.e.pid = id >> 32;
	s->call.c.e.tid = id;
	exit_levels(ts, &s->call.c, st);
	if (ts->tail_len)
		__builtin_memcpy(s->call.tail, ts->tail, sizeof(s->call.tail));
	call_deliver(&s->call, st, ts->sk, call_shown_alone(ts, id >> 32, ret), ts);
	if (st && (ts->cflags & CALLF_LAST_REF))
		sock_last_close(st, ts->sk);
	call_cancel(ts);
	return 0;
}

/* The thread goes on: a close() that still waits was released unseen. */
static __always_inline void held_end(struct task_state *ts)
{
	if (cfg.late_release && held_take(ts, HELD_NOT))
		call_finish(ts, 0, ts->t_return);
}

static __always_inline int on_released(void)
{
	struct task_state *ts = task_get(false);

	return ts && held_take(ts, HELD_NOT) ? call_finish(ts, 0, now_ns()) : 0;
}

/* Calls that make sockets or change their addresses: few, beside those that move bytes. */
#define CALLS_THAT_SETTLE                                                                           \
	(BIT(CALL_SOCKET) | BIT(CALL_SOCKETPAIR) | BIT(CALL_ACCEPT) | BIT(CALL_ACCEPT4) |           \
	 BIT(CALL_BIND) | BIT(CALL_LISTEN) | BIT(CALL_CONNECT))

__noinline int call_exit(struct task_state *ts, s64 ret)
{
	bool waits;

	if (!ts)
		return 0;
	waits = held_wanted(ts, ret);
	exit_results(ts, ret);
	exit_references(ts);
	if (waits)
		return held_begin(ts);
	exit_urgent(ts, ret);
	if (BIT(ts->call) & CALLS_THAT_SETTLE) {
		exit_child(ts, ret);
		exit_births(ts, ret);
		exit_readdress(ts, ret);
	}
	return call_finish(ts, ret, now_ns());
}

#endif
