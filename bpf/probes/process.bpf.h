/* SPDX-License-Identifier: MIT */
/*
 * Moments: a process or thread is born, executes a program, ends; and what that does to descriptors.
 */
#ifndef SOCKLENS_PROBE_PROCESS_H
#define SOCKLENS_PROBE_PROCESS_H

#include "probes/calls.bpf.h"

/* Is the life of this process part of the story? */
static __always_inline bool proc_is_shown(const struct proc_state *p)
{
	return p && ((p->flags & PROC_ANNOUNCED) || (scope_takes_process() && (p->flags & PROC_TARGET)));
}

/*
 * A child of a target is one. It is followed from its first call on: it may use descriptors it inherited.
 * (The children of the shell that started us are not excluded with the shell.)
 */
static __always_inline int on_task_new(struct task_struct *child, u64 clone_flags)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct task_state *ts = bpf_task_storage_get(&tasks, t, 0, 0), *cs;
	u32 pid = bpf_get_current_pid_tgid() >> 32, cpid = BPF_CORE_READ(child, tgid);
	struct proc_state *p = bpf_map_lookup_elem(&procs, &pid), fresh = {};
	bool thread = clone_flags & CLONE_THREAD;
	struct event_proc *r;

	if (!p)
		return 0;
	cs = bpf_task_storage_get(&tasks, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!cs)
		count_lost(EV_CALL);
	else if (ts && thread)
		cs->tflags = ts->tflags;
	if ((p->flags & PROC_TARGET) && !(cfg.scope & SCOPE_COMM))
		fresh.flags |= PROC_TARGET;
	if (!thread && (clone_flags & CLONE_FILES)) {
		p->flags |= PROC_SHARES;
		fresh.flags |= PROC_SHARES;
	}
	if (!thread) {
		char comm[16] __attribute__((aligned(8)));

		bpf_get_current_comm(comm, sizeof(comm));
		fresh.flags |= proc_judge(cpid, comm);
		if (bpf_map_update_elem(&procs, &cpid, &fresh, BPF_ANY))
			count_lost(EV_PROC);
	}
	if (!proc_is_shown(p) || (p->flags & PROC_EXCLUDED))
		return 0;
	proc_announce(t, 0);
	r = emit_reserve(EV_PROC, sizeof(*r));
	if (!r)
		return 0;
	proc_record(r, t, thread ? PROC_THREAD : PROC_FORK);
	r->child = thread ? BPF_CORE_READ(child, pid) : cpid;
	r->clone_flags = clone_flags;
	emit_submit(r, EV_PROC);
	return 0;
}

static __always_inline int on_exec(struct task_struct *t)
{
	u32 pid = BPF_CORE_READ(t, tgid);
	struct proc_state *p = bpf_map_lookup_elem(&procs, &pid);
	struct event_proc *r;
	char comm[16] __attribute__((aligned(8)));

	if ((cfg.scope & SCOPE_COMM) && p) {
		bpf_get_current_comm(comm, sizeof(comm));
		p->flags = (p->flags & ~PROC_TARGET) | proc_judge(pid, comm);
	}
	if (!proc_is_shown(p) || (p->flags & PROC_EXCLUDED))
		return 0;
	r = emit_reserve(EV_PROC, sizeof(*r));
	if (!r)
		return 0;
	p->flags |= PROC_ANNOUNCED;
	proc_record(r, t, PROC_EXEC);
	emit_submit(r, EV_PROC);
	return 0;
}

static __always_inline int on_prepare_exec(void)
{
	if (task_get(false) || !calls_are_seen())
		fds_closed_by_kernel(CALLF_BY_EXEC, 0, 0xffffffff);
	return 0;
}

/* A thread that dies inside a call for which sys_exit never comes: it has no result, but it is told. */
static __always_inline void exit_mid_call(struct task_state *ts)
{
	struct scratch *s = scratch_get(SCRATCH_PROBE);
	u64 id = bpf_get_current_pid_tgid();
	struct event_call *c;

	if (!ts->call || ts->held || !s)
		return;
	c = &s->call.c;
	ts->cflags |= CALLF_KILLED;
	ts->tail_len = 0;
	ts->tail_kind = TAIL_NONE;
	ts->x[3] = 0;
	call_fill(c, ts, 0);
	c->e.t_ns = now_ns();
	c->e.pid = id >> 32;
	c->e.tid = id;
	__builtin_memset(&c->lv, 0, sizeof(c->lv));
	call_deliver(&s->call, call_sock(ts), ts->sk, false, ts);
	call_cancel(ts);
}

/* Threads that end at the same time may all find no other alive: the first of them is taken for the last. */
static __always_inline bool exit_is_last(struct proc_state *p, u32 alive)
{
	return p && !alive && !(__sync_fetch_and_or(&p->flags, PROC_LEFT) & PROC_LEFT);
}

/* Does the descriptor table go with this thread? Those that end at the same time still hold it. */
static __always_inline bool exit_closes(struct task_struct *t, const struct proc_state *p, u32 alive, bool last)
{
	bool alone = BPF_CORE_READ(t, files, count.counter) == 1;

	if (!p || (!last && !alive))
		return false;
	return alone || (last && !(p->flags & PROC_SHARES));
}

/* Apart: on_exit() calls deeply, and the stack of all that are under way together is bounded to 512 bytes. */
static __noinline int exit_tell(struct task_struct *t)
{
	struct late_record l = {};
	struct event_proc *r = (struct event_proc *)&l;

	if (!t)
		return 0;
	proc_record(r, t, PROC_EXIT);
	r->code = BPF_CORE_READ(t, signal, group_exit_code);
	if (!r->code)
		r->code = BPF_CORE_READ(t, exit_code);
	emit_end(&l, sizeof(*r), EV_PROC);
	return 0;
}

static __always_inline int on_exit(struct task_struct *t)
{
	struct task_state *ts = task_get(false);
	u32 pid = BPF_CORE_READ(t, tgid);
	struct proc_state *p = bpf_map_lookup_elem(&procs, &pid);
	u32 alive = BPF_CORE_READ(t, signal, live.counter);
	bool last = exit_is_last(p, alive);

	if (ts)
		exit_mid_call(ts);
	if ((ts || !calls_are_seen()) && exit_closes(t, p, alive, last))
		fds_closed_by_kernel(CALLF_BY_EXIT, 0, 0xffffffff);
	if (!last)
		return 0;
	if (proc_is_shown(p) && !(p->flags & PROC_EXCLUDED))
		exit_tell(t);
	bpf_map_delete_elem(&procs, &pid);
	return 0;
}

SEC("?tp_btf/task_newtask")
int BPF_PROG(task_newtask__tp, struct task_struct *child, u64 clone_flags)
{
	return on_task_new(child, clone_flags);
}

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec__tp, struct task_struct *t)
{
	return on_exec(t);
}

/* 6.10, commit 5c5fad46e48c: the last point where close-on-exec descriptors are still open. */
SEC("?tp_btf/sched_prepare_exec")
int BPF_PROG(sched_prepare_exec__tp)
{
	return on_prepare_exec();
}

/* The same point before 6.10, where functions can be probed: the descriptors are closed inside. */
SEC("?fentry/do_close_on_exec")
int BPF_PROG(do_close_on_exec__fentry)
{
	return on_prepare_exec();
}

SEC("?kprobe/do_close_on_exec")
int BPF_KPROBE(do_close_on_exec__kprobe)
{
	return on_prepare_exec();
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit__tp, struct task_struct *t)
{
	return on_exit(t);
}

#endif
