/* SPDX-License-Identifier: MIT */
/* How ends leave, for stories of explain_story.h. */
#ifndef SOCKLENS_TESTS_EXPLAIN_LEAVING_H
#define SOCKLENS_TESTS_EXPLAIN_LEAVING_H

#include <errno.h>

#include "explain_story.h"

/* close(): x0 = references left. The FIN leaves with the last one. */
static inline struct told *end_closes(struct story *y, struct tcp_end *e, struct tcp_end *other,
				      __u32 left)
{
	struct made_call mc = call_of(e->pid, CALL_CLOSE, e->sid, e->fd);

	mc.c.cflags = left ? 0 : CALLF_LAST_REF;
	mc.c.x[0] = left;
	call_enters(y, &mc);
	if (!left)
		end_fin(y, e, other);
	mc.c.lv = levels_of(e);
	return call_returns(y, &mc, 0);
}

/* The kernel closes the descriptor of a process that ends. */
static inline struct told *end_dropped(struct story *y, struct tcp_end *e, __u32 left)
{
	struct made_call mc = call_of(e->pid, CALL_CLOSE, e->sid, e->fd);

	mc.c.cflags = (__u8)(CALLF_BY_EXIT | (left ? 0 : CALLF_LAST_REF));
	mc.c.x[0] = left;
	mc.c.e.kind = EV_CALL;
	mc.c.e.size = sizeof(mc.c);
	return tell_as(y, &mc.c.e, PHASE_POINT);
}

/* status: as wait(2) gives it. */
static inline struct told *process_ends(struct story *y, __u32 pid, __u32 status)
{
	struct event_proc e = { .e = { .pid = pid, .tid = pid },
				.what = PROC_EXIT,
				.code = status };

	return tell(y, &e, EV_PROC, sizeof(e));
}

static inline struct told *end_shuts(struct story *y, struct tcp_end *e, struct tcp_end *other,
				     int how)
{
	struct made_call mc = call_of(e->pid, CALL_SHUTDOWN, e->sid, e->fd);

	mc.c.x[0] = (__u32)how;
	call_enters(y, &mc);
	if (other && how != SHUT_RD)
		end_fin(y, e, other);
	mc.c.lv = levels_of(e);
	return call_returns(y, &mc, 0);
}

/* A receive call that returns 0 or fails. */
static inline struct told *end_gets(struct story *y, struct tcp_end *e, __u32 flags, __s64 ret)
{
	struct made_call mc = call_of(e->pid, CALL_RECVFROM, e->sid, e->fd);

	mc.c.len = 1024;
	mc.c.x[0] = flags;
	call_enters(y, &mc);
	e->copied_seq = e->rcv_nxt;
	mc.c.lv = levels_of(e);
	return call_returns(y, &mc, ret);
}

/* A send that fails. */
static inline struct told *end_fails(struct story *y, struct tcp_end *e, __s64 ret)
{
	struct made_call mc = call_of(e->pid, CALL_SENDTO, e->sid, e->fd);

	mc.c.len = 1;
	call_enters(y, &mc);
	mc.c.lv = levels_of(e);
	return call_returns(y, &mc, ret);
}

/* An RST of e ends the other end: before its sender tells of it, as on loopback. */
static inline void end_resets(struct story *y, struct tcp_end *e, struct tcp_end *other)
{
	seg_passes(y, e, other, TCPF_RST | TCPF_ACK, e->snd_nxt, 0);
	sock_told(y, EV_SOCK_ERROR, other->sid, ECONNRESET, 0, 0, NULL);
	end_state(y, other, TCP_S_CLOSE);
	sock_told(y, EV_RST_SENT, e->sid, 0, 0, 0, NULL);
}

/* close() that resets instead of sending a FIN. */
static inline void end_aborts(struct story *y, struct tcp_end *e, struct tcp_end *other)
{
	struct made_call mc = call_of(e->pid, CALL_CLOSE, e->sid, e->fd);

	mc.c.cflags = CALLF_LAST_REF;
	call_enters(y, &mc);
	end_state(y, e, TCP_S_CLOSE);
	end_resets(y, e, other);
	call_returns(y, &mc, 0);
}

/* --- AF_UNIX --- */

static inline void unix_told(struct story *y, __u32 sid, __u32 peer, unsigned int type)
{
	struct event_sockinfo e = { .e = { .sid = sid }, .family = AF_UNIX, .peer_sid = peer };

	e.type = (__u8)type;
	info_told(y, e);
}

#define UNIX_PID 30

/* socketpair(): sockets 3 and 4 are descriptors 3 and 4 of UNIX_PID. */
static inline void unix_pair_made(struct story *y, unsigned int type)
{
	struct made_call mc = call_of(UNIX_PID, CALL_SOCKETPAIR, 3, 3);

	proc_told(y, PROC_SEEN, UNIX_PID, 0, 0, "unix");
	mc.c.sid2 = 4;
	mc.c.x[0] = AF_UNIX;
	mc.c.x[1] = type;
	mc.c.x[3] = 4;
	call_enters(y, &mc);
	unix_told(y, 3, 4, type);
	unix_told(y, 4, 3, type);
	call_returns(y, &mc, 0);
}

static inline struct told *unix_moves(struct story *y, __u32 sid, unsigned int call, __s64 ret)
{
	struct made_call mc = call_of(UNIX_PID, call, sid, (int)sid);

	mc.c.len = 100;
	return call_made(y, mc, ret);
}

#endif
