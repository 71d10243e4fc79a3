// SPDX-License-Identifier: MIT
/*
 * Names ahead of time. The kernel gives a socket its cookie lazily, and a process is named by its first
 * record, while both may have a moment before that. Records of one round arrive together, so their names
 * are learned before their moments are told: each socket and process has one name from its first line on.
 */
#include "inside.h"

#include <errno.h>
#include <string.h>

static int preview_sock(struct model *m, const struct event_sockinfo *e)
{
	struct msock *s;

	if (!e->cookie || !e->e.sid)
		return 0;
	s = sock_get(m, e->e.sid, e->e.t_ns);
	if (!s)
		return -ENOMEM;
	if (!s->s.cookie)
		s->s.cookie = e->cookie;
	return 0;
}

static int preview_proc(struct model *m, const struct event_proc *e)
{
	struct mproc *p;

	if (e->what != PROC_SEEN || !e->e.pid)
		return 0;
	p = proc_get(m, e->e.pid);
	if (!p)
		return -ENOMEM;
	if (!p->p.comm[0])
		memcpy(p->p.comm, e->comm, sizeof(e->comm));
	return 0;
}

int model_preview(struct model *m, const struct event *ev)
{
	if (ev->kind == EV_SOCK)
		return preview_sock(m, (const struct event_sockinfo *)ev);
	if (ev->kind == EV_PROC)
		return preview_proc(m, (const struct event_proc *)ev);
	return 0;
}
