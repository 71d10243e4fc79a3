// SPDX-License-Identifier: MIT
/*
 * Processes. A pid may come back: the name then belongs to the new process, and the old object
 * lives on for the steps that point to it until gc frees it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fdtable.h"
#include "inside.h"

#define CLONE_FILES_FLAG 0x400 /* include/uapi/linux/sched.h */

struct mproc *proc_find(const struct model *m, __u32 pid)
{
	return pid ? hash_get(m->procs, pid) : NULL;
}

static struct mproc *proc_make(struct model *m, __u32 pid)
{
	struct mproc *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->p.pid = pid;
	mortal_touch(m, &p->mortal);
	if (!hash_put(m->procs, pid, p))
		return p;
	free(p);
	return NULL;
}

struct mproc *proc_get(struct model *m, __u32 pid)
{
	struct mproc *p = proc_find(m, pid);

	return p ? p : proc_make(m, pid);
}

void proc_free(struct model *m, struct mproc *p)
{
	fdtable_exit(m, p);
	if (hash_get(m->procs, p->p.pid) == p)
		hash_del(m->procs, p->p.pid);
	free(p);
}

static void proc_describe(struct mproc *p, const struct event_proc *e)
{
	memcpy(p->p.comm, e->comm, sizeof(e->comm));
	p->p.comm[sizeof(p->p.comm) - 1] = '\0';
}

static void proc_exited(struct model *m, struct mproc *p, __u32 code, __u64 t_ns)
{
	p->p.exited = true;
	p->p.exit_code = code;
	fdtable_exit(m, p);
	mortal_add(m, &p->mortal, MORTAL_PROC, t_ns);
}

static int proc_forked(struct model *m, struct mproc *parent, const struct event_proc *e)
{
	struct mproc *child = proc_find(m, e->child);

	if (!e->child || child == parent)
		return 0;
	if (child && child->p.exited)
		child = NULL;
	if (!child)
		child = proc_make(m, e->child);
	if (!child)
		return -ENOMEM;
	child->p.ppid = parent->p.pid;
	child->p.role = parent->p.role;
	memcpy(child->p.comm, parent->p.comm, sizeof(child->p.comm));
	if (!child->p.comm[0])
		proc_describe(child, e);
	return fdtable_fork(m, parent, child, e->clone_flags & CLONE_FILES_FLAG);
}

static int proc_execed(struct model *m, struct mproc *p, const struct event_proc *e)
{
	int err = fdtable_exec(m, p);

	proc_describe(p, e);
	/* Another program: what it is depends on what it inherited, if anything. */
	if (!fdtable_count(p))
		p->p.role = ROLE_NONE;
	return err;
}

int proc_event(struct model *m, const struct moment *mo, struct step *s)
{
	const struct event_proc *e = (const struct event_proc *)mo->ev;
	struct mproc *p;

	if (!e->e.pid) /* the idle task is nobody */
		return 0;
	p = proc_get(m, e->e.pid);
	if (!p)
		return -ENOMEM;
	if (p->p.exited && e->what == PROC_SEEN)
		p = proc_make(m, e->e.pid);
	if (!p)
		return -ENOMEM;
	s->proc = &p->p;
	if (e->ppid && (e->what == PROC_SEEN || e->what == PROC_EXEC))
		p->p.ppid = e->ppid;
	switch ((enum proc_what)e->what) {
	case PROC_SEEN:
		proc_describe(p, e);
		return 0;
	case PROC_FORK:
		if (!p->p.comm[0])
			proc_describe(p, e);
		return proc_forked(m, p, e);
	case PROC_EXEC:
		return proc_execed(m, p, e);
	case PROC_EXIT:
		proc_exited(m, p, e->code, mo->t_ns);
		return 0;
	case PROC_THREAD:
		return 0;
	}
	return 0;
}

/* A descriptor that was open when tracing began. */
int proc_fd_event(struct model *m, const struct moment *mo, struct step *s)
{
	const struct event_fd *e = (const struct event_fd *)mo->ev;
	struct mproc *p;

	if (!e->e.pid)
		return 0;
	p = proc_get(m, e->e.pid);
	if (!p)
		return -ENOMEM;
	s->proc = &p->p;
	if (!s->sock)
		return 0;
	sock_opened(sock_of(s->sock), e->e.pid, e->fd);
	return fdtable_set(m, p, e->fd, e->e.sid, e->cloexec);
}
