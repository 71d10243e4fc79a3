/* SPDX-License-Identifier: MIT */
/*
 * Entry of each call: which socket, and which arguments are worth keeping.
 */
#ifndef SOCKLENS_CALL_ENTER_BPF_H
#define SOCKLENS_CALL_ENTER_BPF_H

#include "call.bpf.h"

#define IOV_MAX_READ 64
#define POLL_SCAN 32 /* descriptors looked at until one is a socket in scope; the tail keeps fewer */
#define POLL_MAX (EVENT_TAIL_MAX / sizeof(struct poll_item))

/* Bytes in an iovec array in user memory; parts beyond the first 64 are not counted. */
__noinline u64 iov_bytes(u64 iov, u64 parts)
{
	struct user_iovec v;
	u64 sum = 0;

	for (u32 i = 0; i < IOV_MAX_READ; i++) {
		if (i >= parts || bpf_probe_read_user(&v, sizeof(v), (void *)(iov + i * sizeof(v))))
			break;
		sum += v.len;
	}
	return sum;
}

static __always_inline void enter_msg(struct task_state *ts, u64 msg, bool sending)
{
	struct user_msghdr_abi m;

	if (bpf_probe_read_user(&m, sizeof(m), (void *)msg))
		return;
	ts->len = iov_bytes(m.iov, m.iovlen);
	ts->x[1] = m.iovlen;
	if (sending)
		tail_addr(ts, m.name, m.namelen);
}

static __always_inline void enter_transfer(struct task_state *ts, u32 call)
{
	u64 *a = ts->args;

	switch (call) {
	case CALL_SENDTO:
		tail_addr(ts, a[4], a[5]);
		/* fallthrough */
	case CALL_RECVFROM:
		ts->x[0] = a[3];
		/* fallthrough */
	case CALL_READ:
	case CALL_WRITE:
		ts->len = a[2];
		ts->x[1] = 1;
		break;
	case CALL_READV:
	case CALL_WRITEV:
		ts->len = iov_bytes(a[1], a[2]);
		ts->x[1] = a[2];
		break;
	case CALL_SENDMSG:
	case CALL_RECVMSG:
		ts->x[0] = a[2];
		enter_msg(ts, a[1], call == CALL_SENDMSG);
		break;
	case CALL_SENDMMSG:
	case CALL_RECVMMSG:
		ts->x[0] = a[3];
		ts->x[1] = a[2];
		break;
	}
}

/* The first eight bytes of an option's value, or as many as it has. */
static __always_inline u64 option_value(u64 ptr, u32 len)
{
	u64 value = 0;

	if (len >= 8)
		bpf_probe_read_user(&value, 8, (void *)ptr);
	else if (len >= 4)
		bpf_probe_read_user(&value, 4, (void *)ptr);
	else if (len)
		bpf_probe_read_user(&value, 1, (void *)ptr);
	return value;
}

static __always_inline void enter_sockopt(struct task_state *ts, u32 call)
{
	u64 *a = ts->args;

	ts->x[0] = a[1];
	ts->x[1] = a[2];
	if (call == CALL_GETSOCKOPT)
		return;
	ts->x[2] = a[4];
	ts->len = option_value(a[3], a[4]);
}

/* sendfile and splice name two descriptors: which one is the socket? */
static __always_inline int enter_two_fds(struct task_state *ts, s32 sink, s32 from, u64 bytes)
{
	bool source = false;

	if (call_bind_fd(ts, sink)) {
		if (call_bind_fd(ts, from))
			return -1;
		source = true;
	}
	ts->len = bytes;
	ts->x[1] = source ? sink : from;
	ts->x[2] = source;
	return 0;
}

static __always_inline int enter_dup(struct task_state *ts, u32 call)
{
	struct fd_ref other;
	u64 *a = ts->args;
	int ret;

	if (call == CALL_DUP)
		return call_bind_fd(ts, a[0]);
	ret = call_bind_fd(ts, a[0]);
	if (ret)
		return ret;
	ts->x[0] = a[1];
	ts->x[1] = call == CALL_DUP3 ? a[2] : 0;
	if (a[0] != a[1] && !fd_resolve(&other, a[1]) && other.sk)
		ts->x[2] = 1;
	return 0;
}

/* fcntl commands that change what a descriptor is. */
static __always_inline int enter_fcntl(struct task_state *ts)
{
	u64 cmd = ts->args[1];

	if (cmd > 4 && cmd != 1030) /* F_DUPFD 0 .. F_SETFL 4, F_DUPFD_CLOEXEC 1030 */
		return -1;
	if (call_bind_fd(ts, ts->args[0]))
		return -1;
	ts->x[0] = cmd;
	ts->x[1] = ts->args[2];
	return 0;
}

static __always_inline u32 timespec_ms(u64 ptr, u32 per_ms)
{
	struct user_timespec t;

	if (!ptr || bpf_probe_read_user(&t, sizeof(t), (void *)ptr))
		return UNTIMED;
	return t.sec * 1000 + (u64)t.nsec / per_ms; /* BPF has no signed division */
}

/* One of the descriptors; -1: there is none of that number. Apart: as part of the loop it is verified 32 times. */
__noinline int enter_poll_item(struct task_state *ts, u32 i)
{
	struct poll_item it;

	if (!ts || bpf_probe_read_user(&it, sizeof(it), (void *)(ts->args[0] + i * sizeof(it))))
		return -1;
	it.revents = 0;
	if (!ts->sid && it.fd >= 0)
		ts->sid = fd_sid_in_scope(it.fd);
	if (i < POLL_MAX) {
		barrier_var(i); /* or the mask is optimised away, and a verifier of 6.1 does not see the bound */
		((struct poll_item *)ts->tail)[i & (POLL_MAX - 1)] = it;
		ts->tail_len = (i + 1) * sizeof(it);
	}
	return 0;
}
_Static_assert((POLL_MAX & (POLL_MAX - 1)) == 0, "POLL_MAX is a mask, too");

__noinline int enter_poll(struct task_state *ts)
{
	u64 n;

	if (!ts)
		return -1;
	n = ts->args[1];
	__builtin_memset(ts->tail, 0, sizeof(ts->tail));
	ts->len = n;
	for (u32 i = 0; i < POLL_SCAN; i++)
		if (i >= n || enter_poll_item(ts, i))
			break;
	if (!ts->sid)
		return -1;
	ts->on = ON_SEVERAL;
	ts->tail_kind = TAIL_POLL;
	ts->tail_count = n > 0xffff ? 0xffff : n;
	return 0;
}

#define SELECT_MAX 16 /* descriptors looked at until one is a socket in scope */

/* The first 64 descriptors only: select() users have few, and the record is bounded. */
__noinline int enter_select(struct task_state *ts)
{
	struct select_sets *s;
	u64 n, any;

	if (!ts)
		return -1;
	n = ts->args[0];
	s = (struct select_sets *)ts->tail;
	__builtin_memset(ts->tail, 0, sizeof(ts->tail));
	for (u32 i = 0; i < 3; i++)
		if (ts->args[1 + i])
			bpf_probe_read_user(&s->in[i], 8, (void *)ts->args[1 + i]);
	any = s->in[0] | s->in[1] | s->in[2];
	if (n < 64)
		any &= BIT(n) - 1;
	for (u32 i = 0; i < SELECT_MAX && any && !ts->sid; i++) {
		u64 low = any & -any;

		ts->sid = fd_sid_in_scope(bit_number(low));
		any ^= low;
	}
	ts->len = n;
	ts->tail_kind = TAIL_SELECT;
	ts->tail_len = sizeof(*s);
	ts->tail_count = n > 64 ? 64 : n;
	ts->on = ON_SEVERAL;
	return ts->sid ? 0 : -1;
}

static __always_inline void enter_undecided(struct task_state *ts)
{
	struct sock_state *st = sock_lookup((void *)ts->sk);

	if (!st)
		return;
	scope_decide(st, ts->sk, NULL, false);
	ts->in_scope = st->scope == SCOPE_IN;
}

static __always_inline int enter_epoll_ctl(struct task_state *ts)
{
	struct user_epoll_event ev = {};
	struct sock_state *st;
	struct fd_ref ep;
	u64 *a = ts->args;

	if (call_bind_fd(ts, a[2]))
		return -1;
	if (ts->undecided)
		enter_undecided(ts);
	if (a[3] && a[1] != 2) /* EPOLL_CTL_DEL ignores its event */
		bpf_probe_read_user(&ev, sizeof(ev), (void *)a[3]);
	ts->x[0] = a[1];
	ts->x[1] = ev.events;
	ts->x[2] = a[0];
	ts->len = ev.data;
	st = sock_lookup((void *)ts->sk);
	/* a socket may be watched before it is connected: where ports decide, that is too early to tell */
	if (st && (st->scope == SCOPE_IN || (st->scope == SCOPE_UNDECIDED && !(cfg.scope & SCOPE_PORT))) &&
	    !fd_resolve(&ep, a[0]) && ep.private_data)
		epoll_watches(ep.private_data);
	return 0;
}

static __always_inline int enter_epoll_wait(struct task_state *ts, u32 call)
{
	struct fd_ref ep;
	u64 *a = ts->args;

	if (fd_resolve(&ep, a[0]) || ep.sk || !bpf_map_lookup_elem(&epolls, &ep.private_data))
		return -1;
	ts->on = ON_SEVERAL;
	ts->fd = a[0];
	ts->x[1] = a[2];
	ts->x[0] = call == CALL_EPOLL_PWAIT2 ? timespec_ms(a[3], 1000000) : a[3];
	return 0;
}

/* A destination decides the scope before the first packet leaves. */
static __always_inline void enter_destination(struct task_state *ts)
{
	struct sock_state *st;
	struct ev_addr dst;

	if (ts->tail_kind != TAIL_ADDR)
		return; /* most sends name none */
	st = sock_lookup((void *)ts->sk);
	if (!st)
		return;
	tail_endpoint(ts, &dst);
	scope_decide(st, ts->sk, &dst, false);
}

/* At the return the socket may be gone. */
static __always_inline void enter_close(struct task_state *ts)
{
	struct sock_state *st = sock_lookup((void *)ts->sk);

	levels_fill(&ts->lv, (void *)ts->sk, st && sock_is_tcp(st));
	ts->lv_valid = 1;
}

static __always_inline int enter_on_socket(struct task_state *ts, u32 call)
{
	u64 *a = ts->args;
	int ret = call_bind_fd(ts, a[0]);

	if (ret)
		return ret;
	if (ts->undecided)
		enter_undecided(ts);
	switch (call) {
	case CALL_BIND:
	case CALL_CONNECT:
		tail_addr(ts, a[1], a[2]);
		break;
	case CALL_LISTEN:
	case CALL_SHUTDOWN:
		ts->x[0] = a[1];
		break;
	case CALL_ACCEPT4:
		ts->x[0] = a[3];
		break;
	case CALL_SETSOCKOPT:
	case CALL_GETSOCKOPT:
		enter_sockopt(ts, call);
		break;
	case CALL_CLOSE:
		enter_close(ts);
		break;
	default:
		enter_transfer(ts, call);
	}
	if (call == CALL_CONNECT || call == CALL_SENDTO || call == CALL_SENDMSG)
		enter_destination(ts);
	return 0;
}

/* Calls on one descriptor, their first argument, that are not for sockets alone. */
#define CALLS_OF_FILES                                                                                   \
	(BIT(CALL_READ) | BIT(CALL_READV) | BIT(CALL_WRITE) | BIT(CALL_WRITEV) | BIT(CALL_CLOSE) |       \
	 BIT(CALL_DUP) | BIT(CALL_DUP2) | BIT(CALL_DUP3))

/* The call is not on a socket. Is it a mistake worth telling: use after close, or a socket call on a file? */
static __always_inline int enter_on_nothing(struct task_state *ts, u32 call, int why)
{
	u64 of_files = CALLS_OF_FILES, of_sockets = CALLS_OF_SOCKETS & ~(BIT(CALL_SOCKET) | BIT(CALL_SOCKETPAIR));

	if (why == NO_DESCRIPTOR)
		of_sockets |= of_files;
	if (!(of_sockets & BIT(call)))
		return -1;
	if (call == CALL_SENDTO || call == CALL_RECVFROM || call == CALL_READ || call == CALL_WRITE)
		ts->len = ts->args[2];
	if (call == CALL_LISTEN || call == CALL_SHUTDOWN || call == CALL_DUP2 || call == CALL_DUP3)
		ts->x[0] = ts->args[1];
	ts->on = ON_NOTHING;
	return 0;
}

/* 0: follow this call to its return. */
__noinline int call_enter_args(struct task_state *ts, u32 call)
{
	u64 *a;

	if (!ts)
		return -1;
	a = ts->args;
	switch (call) {
	case CALL_SOCKET:
	case CALL_SOCKETPAIR:
		ts->x[0] = a[0];
		ts->x[1] = a[1];
		ts->x[2] = a[2];
		return 0;
	case CALL_SENDFILE:
		return enter_two_fds(ts, a[0], a[1], a[3]);
	case CALL_SPLICE:
		return enter_two_fds(ts, a[2], a[0], a[4]);
	case CALL_DUP:
	case CALL_DUP2:
	case CALL_DUP3:
		return enter_dup(ts, call);
	case CALL_FCNTL:
		return enter_fcntl(ts);
	case CALL_POLL:
		ts->x[0] = a[2];
		return enter_poll(ts);
	case CALL_PPOLL:
		ts->x[0] = timespec_ms(a[2], 1000000);
		return enter_poll(ts);
	case CALL_SELECT:
		ts->x[0] = timespec_ms(a[4], 1000);
		return enter_select(ts);
	case CALL_PSELECT6:
		ts->x[0] = timespec_ms(a[4], 1000000);
		return enter_select(ts);
	case CALL_EPOLL_CTL:
		return enter_epoll_ctl(ts);
	case CALL_EPOLL_WAIT:
	case CALL_EPOLL_PWAIT:
	case CALL_EPOLL_PWAIT2:
		return enter_epoll_wait(ts, call);
	default:
		return enter_on_socket(ts, call);
	}
}

#endif
