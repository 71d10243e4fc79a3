// SPDX-License-Identifier: MIT
#include "cut.h"

#include <string.h>

/* Closed by the kernel: a point in time, whatever t_enter holds. */
#define CALLF_POINT (CALLF_BY_EXIT | CALLF_BY_EXEC)

/* Its socket, and its descriptor, are results. */
static bool makes_sockets(const struct event_call *c)
{
	return c->call == CALL_SOCKET || c->call == CALL_SOCKETPAIR;
}

/* An address is an argument of these, of all others a result. */
static bool names_address(const struct event_call *c)
{
	return c->call == CALL_BIND || c->call == CALL_CONNECT || c->call == CALL_SENDTO ||
	       c->call == CALL_SENDMSG || c->call == CALL_SENDMMSG;
}

/* Its results are of later; so are the levels, also those of a look. */
static bool cut_call(struct event_call *c, __u64 end_ns)
{
	if (c->t_enter > end_ns || c->cflags & CALLF_POINT)
		return false;
	c->cflags = (c->cflags & ~(CALLF_KILLED | CALLF_LAST_REF)) | CALLF_PENDING;
	c->ret = 0;
	c->sid2 = 0;
	memset(&c->lv, 0, sizeof(c->lv));
	if (makes_sockets(c)) {
		c->e.sid = 0;
		c->fd = -1;
		c->x[3] = 0;
	}
	if (c->tail_kind == TAIL_ADDR && !names_address(c)) {
		c->tail_kind = TAIL_NONE;
		c->tail_len = c->tail_count = 0;
		c->e.size = sizeof(*c);
	}
	return true;
}

/* Told of again for what was kept of it; how full it is then is of later. */
static bool cut_sock(struct event_sockinfo *s)
{
	memset(&s->lv, 0, sizeof(s->lv));
	return true;
}

static bool cut_gai(struct event_gai *g, __u64 end_ns)
{
	if (g->t_enter > end_ns)
		return false;
	g->cflags |= CALLF_PENDING;
	g->ret = 0;
	g->total = g->kept = 0;
	return true;
}

bool cut_record(struct event *e, __u64 end_ns)
{
	bool kept = false;

	if (e->t_ns <= end_ns)
		return true;
	if (e->kind == EV_CALL)
		kept = cut_call((struct event_call *)e, end_ns);
	else if (e->kind == EV_GAI)
		kept = cut_gai((struct event_gai *)e, end_ns);
	else if (e->kind == EV_SOCK)
		kept = cut_sock((struct event_sockinfo *)e);
	else if (e->kind == EV_PROC) /* the look at its call tells of a process, too */
		kept = ((struct event_proc *)e)->what == PROC_SEEN;
	e->t_ns = end_ns;
	return kept;
}
