/* SPDX-License-Identifier: MIT */
/*
 * Threads and processes: who is traced, and from a descriptor to its socket.
 */
#ifndef SOCKLENS_TASK_BPF_H
#define SOCKLENS_TASK_BPF_H

#include "sock.bpf.h"

/*
 * Does a command name, as 16 bytes with a NUL, fit the shell glob? Shift-and: bit j of `at` says that the glob's first j
 * characters, stars aside, fit what has been read. Without a branch on what is compared: so there is one way through
 * for the verifier of old kernels, and not one for each name there could be.
 */
__noinline int comm_matches(u64 lo, u64 hi)
{
	u64 words[2] = { lo, hi };
	const u8 *comm = (const u8 *)words;
	u32 at = 1;

	for (int i = 0; i < (int)sizeof(words) && comm[i]; i++)
		at = ((at << 1) & cfg.comm_match[comm[i]]) | (at & cfg.comm_stay);
	return !!(at & cfg.comm_end);
}

/*
 * A target process is shown whole, unless sockets must meet more conditions: then, and where no process was asked
 * for, it is shown from its first socket in scope on.
 */
static __always_inline bool scope_takes_process(void)
{
	return (cfg.scope & SCOPE_PROC) && !(cfg.scope & (SCOPE_PORT | SCOPE_NETNS));
}

/* Flags a process starts with. comm: of the process, or NULL to leave names aside. */
static __always_inline u32 proc_judge(u32 pid, const char *comm)
{
	u32 *t = bpf_map_lookup_elem(&targets, &pid);
	u32 flags = t ? *t : 0;

	if (pid == cfg.self_pid)
		flags |= PROC_EXCLUDED;
	if ((cfg.scope & SCOPE_COMM) && comm && comm_matches(*(const u64 *)comm, *(const u64 *)(comm + 8)))
		flags |= PROC_TARGET;
	return flags;
}

static __noinline struct proc_state *proc_get(u32 pid, const char *comm)
{
	struct proc_state *p = bpf_map_lookup_elem(&procs, &pid);
	struct proc_state fresh = {};

	if (p)
		return p;
	fresh.flags = proc_judge(pid, comm);
	if (bpf_map_update_elem(&procs, &pid, &fresh, BPF_NOEXIST))
		count_lost(EV_PROC);
	return bpf_map_lookup_elem(&procs, &pid);
}

static __always_inline bool proc_is_target(u32 pid)
{
	struct proc_state *p = bpf_map_lookup_elem(&procs, &pid);

	return p && (p->flags & PROC_TARGET);
}

static __always_inline void proc_record(struct event_proc *r, struct task_struct *t, u32 what)
{
	r->e.t_ns = now_ns();
	r->e.pid = BPF_CORE_READ(t, tgid);
	r->e.tid = BPF_CORE_READ(t, pid);
	r->what = what;
	r->child = 0;
	r->ppid = BPF_CORE_READ(t, real_parent, tgid);
	r->uid = BPF_CORE_READ(t, cred, uid.val);
	r->code = 0;
	r->clone_flags = 0;
	bpf_probe_read_kernel(r->comm, sizeof(r->comm), &t->comm);
}

/* A name look-up made before anything of the process was in scope. */
static __always_inline void gai_flush(struct task_struct *t)
{
	struct task_state *ts = bpf_task_storage_get(&tasks, t, 0, 0);
	u32 tid = BPF_CORE_READ(t, pid);
	struct event_gai *g;

	if (!ts || !(ts->tflags & TASK_ASKED))
		return;
	ts->tflags &= ~TASK_ASKED;
	g = bpf_map_lookup_elem(&gai_early, &tid);
	if (!g) { /* others have pushed it out */
		count_lost(EV_GAI);
		return;
	}
	g->e.flags |= EVF_EARLY;
	emit_copy(g, sizeof(*g), EV_GAI);
	bpf_map_delete_elem(&gai_early, &tid);
}

/*
 * Say once per process who it is. Without room it is tried again at the process's next event, but lost all the same:
 * those before it have nobody. Returns whether it was said, now or before.
 */
static __noinline int proc_announce(struct task_struct *t, u8 eflags)
{
	u32 pid = BPF_CORE_READ(t, tgid);
	struct proc_state *p = bpf_map_lookup_elem(&procs, &pid);
	struct event_proc *r;

	if (!p)
		return 0;
	if (p->flags & PROC_ANNOUNCED) {
		gai_flush(t); /* another thread came into scope first */
		return 1;
	}
	r = emit_try(EV_PROC, sizeof(*r));
	if (!r) {
		if (!(p->flags & PROC_UNSAID))
			count_lost(EV_PROC);
		p->flags |= PROC_UNSAID;
		return 0;
	}
	p->flags |= PROC_ANNOUNCED;
	proc_record(r, t, PROC_SEEN);
	r->e.flags = eflags;
	emit_submit(r, EV_PROC);
	gai_flush(t);
	return 1;
}

/* The calling process, judged by its name if it is new; NULL: there is no room. */
static __always_inline struct proc_state *proc_current(void)
{
	char comm[16] __attribute__((aligned(8)));

	bpf_get_current_comm(comm, sizeof(comm));
	return proc_get(bpf_get_current_pid_tgid() >> 32, comm);
}

/* State of the calling thread; made if `make`. NULL: not followed. */
static __always_inline struct task_state *task_get(bool make)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct task_state *ts = bpf_task_storage_get(&tasks, t, 0, 0);
	struct proc_state *p;

	if (ts || !make)
		return ts && !(ts->tflags & TASK_EXCLUDED) ? ts : NULL;
	ts = bpf_task_storage_get(&tasks, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!ts) {
		count_lost(EV_CALL);
		return NULL;
	}
	p = proc_current();
	if (p && (p->flags & PROC_EXCLUDED))
		ts->tflags |= TASK_EXCLUDED;
	return ts->tflags & TASK_EXCLUDED ? NULL : ts;
}

/* What a descriptor of the calling process refers to. */
struct fd_ref {
	struct sock *sk;     /* NULL: no socket */
	u64 private_data;    /* of the file, identifies an epoll instance */
	u32 ino;
	u32 fflags;	     /* O_* */
	u64 refs;	     /* references on the open file */
};

static __always_inline u64 file_refs(struct file *f)
{
	struct file___old *o = (void *)f;

	if (bpf_core_field_exists(o->f_count))
		return READ(o, f_count.counter);
	return READ(f, f_ref.refcnt.counter) + 1;
}

__noinline int fd_resolve_file(struct fd_ref *r, u64 file)
{
	struct file *f = (struct file *)file;
	struct inode *inode;
	struct socket *sock;

	if (!r)
		return -1;
	__builtin_memset(r, 0, sizeof(*r));
	if (!f)
		return -1;
	r->private_data = (u64)READ(f, private_data);
	r->fflags = READ(f, f_flags);
	r->refs = file_refs(f);
	inode = READ(f, f_inode);
	if ((READ(inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	r->ino = READ(inode, i_ino);
	sock = (struct socket *)r->private_data;
	r->sk = READ(sock, sk);
	return 0;
}

/* In the descriptor table of a process. 0 and r filled, or -1: no such descriptor. */
static __noinline int fd_resolve_in(struct fd_ref *r, struct fdtable *fdt, s32 fd)
{
	struct timespec64 *slot;
	struct file **slots;

	if (!r || fd < 0 || (u32)fd >= READ(fdt, max_fds))
		return -1;
	slots = READ(fdt, fd);
	slot = (struct timespec64 *)(slots + fd);
	return fd_resolve_file(r, (u64)READ(slot, tv_sec));
}

/* The same, of the calling process. */
static __always_inline int fd_resolve(struct fd_ref *r, s32 fd)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return fd_resolve_in(r, READ(t->files, fdt), fd);
}

/* An epoll instance watches a socket in scope. Without room its waits are not seen: one loss stands for all of them. */
static __always_inline void epoll_watches(u64 ep)
{
	u32 one = 1;

	if (bpf_map_update_elem(&epolls, &ep, &one, BPF_ANY))
		count_lost(EV_CALL);
}

/* A file that is no socket is closed; with its last reference an epoll instance ends. */
static __always_inline void epoll_closed(const struct fd_ref *ref)
{
	u64 ep = ref->private_data;

	if (ref->refs <= 1 && ep)
		bpf_map_delete_elem(&epolls, &ep);
}

#endif
