/* SPDX-License-Identifier: MIT */
/*
 * What the reader asks for: the descriptors and sockets that exist at start, and the calls in progress.
 */
#ifndef SOCKLENS_PROBE_ITER_H
#define SOCKLENS_PROBE_ITER_H

#include "flow.bpf.h"
#include "kern.bpf.h"
#include "probes/calls.bpf.h"
#include "probes/gai.bpf.h"

static __always_inline struct sock_state *seed_sock(struct sock *sk, u32 pid, u32 ino)
{
	struct sock_state *st = sock_lookup(sk);

	if (!st) {
		st = sock_enter(sk);
		if (!st)
			return NULL;
		st->seeded = 1;
	}
	if (!st->pid)
		st->pid = pid;
	if (ino)
		st->ino = ino;
	return st;
}

/* A connection that is there already has its flow; a receiver its port. */
static __always_inline void seed_scope(struct sock_state *st, struct sock *sk)
{
	u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
	bool tcp = sock_is_tcp(st);
	bool receives = tcp ? state == TCP_LISTEN : st->protocol == IPPROTO_UDP;
	struct ev_addr src, dst;
	struct flow_key key;

	if (scope_decide(st, plain(sk), NULL, receives) != SCOPE_IN || !tcp || state == TCP_LISTEN)
		return;
	sock_addrs(sk, &src, &dst);
	if (!dst.port)
		return;
	flow_key_make(&key, &src, &dst, st->netns, IPPROTO_TCP);
	if (!bpf_map_lookup_elem(&flows, &key))
		flow_new(&key);
}

#define EPOLLS_PER_FILE 4

/* Epoll instances that watched the socket before we came. */
static __always_inline void seed_epolls(struct file *file)
{
	struct hlist_node *n = BPF_CORE_READ(file, f_ep, first);

	for (int i = 0; i < EPOLLS_PER_FILE; i++) {
		struct epitem *item = (void *)n - bpf_core_field_offset(struct epitem, fllink);
		u64 ep;

		if (!n)
			break;
		ep = (u64)BPF_CORE_READ(item, ep);
		epoll_watches(ep);
		n = BPF_CORE_READ(n, next);
	}
}

/* Every socket descriptor of every process: follow its threads, know its socket. */
SEC("?iter/task_file")
int seed_files__iter(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *file = ctx->file;
	struct sock_state *st;
	struct task_state *ts;
	struct socket *sock;
	struct proc_state *p;
	struct event_fd *r;
	struct sock *sk;
	char comm[16] __attribute__((aligned(8)));
	u64 *bits, word = 0;
	u32 pid;

	if (!t || !file)
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk)
		return 0;
	pid = t->tgid;
	bpf_probe_read_kernel(comm, sizeof(comm), &t->comm);
	p = proc_get(pid, comm);
	if (!p || (p->flags & PROC_EXCLUDED))
		return 0;
	ts = bpf_task_storage_get(&tasks, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!ts)
		count_lost(EV_CALL);
	st = seed_sock(sk, pid, BPF_CORE_READ(file, f_inode, i_ino));
	if (!st)
		return 0;
	seed_scope(st, sk);
	if (st->scope != SCOPE_IN)
		return 0;
	if (!st->cookie) {
		st->cookie = bpf_get_socket_cookie(sk);
		sock_announce(st, plain(sk));
	}
	seed_epolls(file);
	proc_announce(t, EVF_SEED);
	r = emit_reserve(EV_FD, sizeof(*r));
	if (!r)
		return 0;
	bits = (u64 *)BPF_CORE_READ(t, files, fdt, close_on_exec);
	bpf_probe_read_kernel(&word, 8, bits + ctx->fd / 64);
	r->e.t_ns = now_ns();
	r->e.sid = st->sid;
	r->e.pid = pid;
	r->e.tid = pid;
	r->e.flags = EVF_SEED;
	r->fd = ctx->fd;
	r->cloexec = (word >> (ctx->fd % 64)) & 1;
	emit_submit(r, EV_FD);
	return 0;
}

/* Calls whose first argument is the descriptor and whose other arguments can be told from outside the process. */
#define CALLS_THAT_WAIT                                                                              \
	(BIT(CALL_ACCEPT) | BIT(CALL_ACCEPT4) | BIT(CALL_CONNECT) | BIT(CALL_RECVFROM) |             \
	 BIT(CALL_RECVMSG) | BIT(CALL_READ) | BIT(CALL_READV) | BIT(CALL_SENDTO) | BIT(CALL_WRITE) | \
	 BIT(CALL_SENDMSG) | BIT(CALL_WRITEV))

/*
 * A thread that sleeps inside a socket call when tracing begins. Its registers at the entry lie on its kernel
 * stack; of a thread that runs they would be stale, so only sleepers count.
 */
static __noinline int seed_call(struct task_struct *t, struct task_state *ts)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);
	struct sock_state *st;
	struct fd_ref ref;
	u32 call;

	if (!regs || ts->call || !BPF_CORE_READ(t, __state))
		return 0;
	call = call_of(SYSCALL_NR(regs));
	if (!(CALLS_THAT_WAIT & BIT(call)) || !call)
		return 0;
	SYSCALL_ARGS(regs, ts->args);
	if (fd_resolve_in(&ref, READ(READ(t, files), fdt), ts->args[0]) || !ref.sk)
		return 0;
	st = sock_lookup(ref.sk);
	if (!st)
		return 0;
	call_reset(ts, CALL_NONE);
	ts->on = ON_SOCKET;
	ts->in_scope = st->scope == SCOPE_IN;
	ts->fd = ts->args[0];
	ts->sk = (u64)ref.sk;
	ts->sid = st->sid;
	ts->cflags |= CALLF_SEEN_MID;
	if (call == CALL_RECVFROM || call == CALL_SENDTO || call == CALL_READ || call == CALL_WRITE) {
		ts->len = ts->args[2];
		ts->x[1] = 1;
	}
	if (call == CALL_RECVFROM || call == CALL_SENDTO)
		ts->x[0] = ts->args[3];
	ts->call = call;
	return 0;
}

/* Threads of processes that have sockets or are targets. Run after seed_files. */
SEC("?iter/task")
int seed_tasks__iter(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct task_state *ts;
	struct proc_state *p;
	char comm[16] __attribute__((aligned(8)));
	u32 pid;

	if (!t)
		return 0;
	pid = t->tgid;
	bpf_probe_read_kernel(comm, sizeof(comm), &t->comm);
	p = bpf_map_lookup_elem(&procs, &pid);
	if (!p) {
		if (!proc_judge(pid, comm))
			return 0;
		p = proc_get(pid, comm);
		if (!p)
			return 0;
	}
	ts = bpf_task_storage_get(&tasks, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!ts)
		count_lost(EV_CALL);
	else if (p->flags & PROC_EXCLUDED)
		ts->tflags |= TASK_EXCLUDED;
	else if (calls_are_seen())
		seed_call(t, ts);
	return 0;
}

/* TCP sockets without a descriptor: orphans, and connections nobody has accepted yet. */
SEC("?iter/tcp")
int seed_tcp__iter(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct sock_state *st;
	struct sock *sk;

	if (!skc)
		return 0;
	sk = (struct sock *)bpf_skc_to_tcp_sock(skc);
	if (!sk)
		return 0; /* time-wait and request sockets */
	st = seed_sock(sk, 0, 0);
	if (!st)
		return 0;
	if (!st->cookie)
		st->cookie = bpf_get_socket_cookie(skc);
	seed_scope(st, sk);
	return 0;
}

/* Its own record would come soon if it returned; at the end none will, of those that had begun by then. */
static __always_inline bool is_too_young(u64 since)
{
	return end_ns ? since > end_ns : now_ns() - since < cfg.settle_ns;
}

/* Tell of a call in progress, once. */
static __always_inline void pending_tell(struct task_struct *t, struct task_state *ts, struct sock_state *st)
{
	struct scratch *s = scratch_get(SCRATCH_ITER);
	struct call_record *r;

	if (!s)
		return;
	r = &s->call;
	call_fill(&r->c, ts, 0);
	r->c.e.t_ns = now_ns();
	r->c.e.pid = t->tgid;
	r->c.e.tid = t->pid;
	r->c.cflags |= CALLF_PENDING;
	r->c.x[3] = 0;
	if (st)
		levels_fill(&r->c.lv, (void *)ts->sk, sock_is_tcp(st));
	else
		__builtin_memset(&r->c.lv, 0, sizeof(r->c.lv));
	__builtin_memcpy(r->tail, ts->tail, sizeof(r->tail));
	if (!r->c.call || ts->call != r->c.call || ts->t_enter != r->c.t_enter)
		return; /* it returned meanwhile; its own record tells */
	proc_announce(t, 0);
	/* at the end nobody asks again */
	ts->reported = !(end_ns ? emit_copy(r, call_record_size(r), EV_CALL)
				: emit_copy_try(r, call_record_size(r), EV_CALL));
}

/* A close() whose socket was released unseen, and whose thread is busy with other things since. */
static __always_inline void pending_held(struct task_struct *t, struct task_state *ts, struct sock_state *st)
{
	struct scratch *s = scratch_get(SCRATCH_ITER);
	struct call_record *r;
	u64 sk = ts->sk;

	if (!s || is_too_young(ts->t_return) || !sock_released(ts))
		return;
	r = &s->call;
	call_fill(&r->c, ts, 0);
	r->c.e.t_ns = ts->t_return;
	r->c.e.pid = t->tgid;
	r->c.e.tid = t->pid;
	r->c.lv = ts->lv;
	if (!held_take(ts, HELD_TOLD))
		return;
	proc_announce(t, 0);
	emit_copy(r, call_record_size(r), EV_CALL);
	sock_last_close(st, sk);
}

static __always_inline bool levels_moved(const struct levels *a, const struct levels *b)
{
	return a->write_seq != b->write_seq || a->snd_una != b->snd_una || a->rcv_nxt != b->rcv_nxt ||
	       a->copied_seq != b->copied_seq || a->snd_nxt != b->snd_nxt;
}

/*
 * A blocked send() fills the queue again each time there is room, and no event says so. Look each time the
 * reader asks; tell when the levels moved.
 */
static __always_inline void pending_look(struct task_struct *t, struct task_state *ts, struct sock_state *st)
{
	struct event_sock *r;
	struct levels lv;

	if (!st || !sock_is_tcp(st))
		return;
	levels_fill(&lv, (void *)ts->sk, true);
	if (!levels_moved(&lv, &ts->seen))
		return;
	r = emit_try(EV_LEVELS, sizeof(*r)); /* what is missed here shows at the next look */
	if (!r)
		return;
	r->e.t_ns = now_ns();
	r->e.sid = st->sid;
	r->e.pid = t->tgid;
	r->e.tid = t->pid;
	r->a = r->b = r->c = r->d = 0;
	r->lv = lv;
	ts->seen = lv;
	emit_submit(r, EV_LEVELS);
}

/* A look-up that takes long: its question. */
static __always_inline void pending_gai(struct task_struct *t, struct task_state *ts)
{
	struct scratch *s = scratch_get(SCRATCH_ITER);
	u64 enter = ts->gai_enter;

	if (!s || !enter || ts->gai_told || is_too_young(enter) || !scope_of_process(t->tgid))
		return;
	gai_fill(&s->gai, ts, t->tgid, t->pid);
	s->gai.cflags = CALLF_PENDING;
	if (ts->gai_enter != enter)
		return; /* it returned meanwhile */
	proc_announce(t, 0);
	ts->gai_told = !emit_copy_try(&s->gai, sizeof(s->gai), EV_GAI);
}

/* Calls in progress for longer than the settling time; at the end of the trace all. */
SEC("?iter/task")
int pending__iter(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct sock_state *st;
	struct task_state *ts;

	if (!t)
		return 0;
	ts = bpf_task_storage_get(&tasks, t, 0, 0);
	if (!ts || (ts->tflags & TASK_EXCLUDED) || !(cfg.layers & LAYER_BIT_APP))
		return 0;
	pending_gai(t, ts);
	if (!ts->call || ts->on == ON_NOTHING || ts->held == HELD_TOLD)
		return 0;
	if (is_too_young(ts->t_enter))
		return 0;
	st = call_sock(ts);
	if (cfg.late_release && ts->held == HELD_WAITS && ts->in_scope)
		pending_held(t, ts, st);
	if (ts->sk && (!st || st->scope != SCOPE_IN))
		return 0;
	if (ts->reported)
		pending_look(t, ts, st);
	else
		pending_tell(t, ts, st);
	return 0;
}

/* A socket in scope that the kernel has not named yet: ask for its cookie. */
static __always_inline int name_sock(struct sock *sk)
{
	struct sock_state *st = sock_lookup(sk);

	if (!st || st->cookie || st->scope != SCOPE_IN)
		return 0;
	st->cookie = bpf_get_socket_cookie(sk);
	sock_announce(st, plain(sk));
	return 0;
}

/*
 * These walk sockets, not descriptors: iter/task_file holds each open file for a moment, and a close() just then
 * would not be the last. (TCP sockets are named by their first state change.)
 */
SEC("?iter/udp")
int name_udp__iter(struct bpf_iter__udp *ctx)
{
	struct udp_sock *up = ctx->udp_sk;

	return up ? name_sock((struct sock *)up) : 0;
}

SEC("?iter/unix")
int name_unix__iter(struct bpf_iter__unix *ctx)
{
	struct unix_sock *us = ctx->unix_sk;

	return us ? name_sock((struct sock *)us) : 0;
}

#endif
