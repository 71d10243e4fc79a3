// SPDX-License-Identifier: MIT
#include "cut.h"

#include <string.h>

/* Closed by the kernel: a point in time, whatever t_enter holds. */
#define CALLF_POINT (CALLF_BY_EXIT | CALLF_BY_EXEC)

/* Its results are of later; so are the levels, also those of a look. */
static bool cut_call(struct event_call *c, __u64 end_ns)
{
	if (c->t_enter > end_ns || c->cflags & CALLF_POINT)
		return false;
	c->cflags = (c->cflags & ~CALLF_KILLED) | CALLF_PENDING;
	c->ret = 0;
	c->sid2 = 0;
	memset(&c->lv, 0, sizeof(c->lv));
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
	else if (e->kind == EV_PROC) /* the look at its call tells of a process, too */
		kept = ((struct event_proc *)e)->what == PROC_SEEN;
	e->t_ns = end_ns;
	return kept;
}
