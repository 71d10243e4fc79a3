/* SPDX-License-Identifier: MIT */
/*
 * Moment: a socket call, entry and return, with descriptor, arguments and result.
 */
#ifndef SOCKLENS_PROBE_CALLS_H
#define SOCKLENS_PROBE_CALLS_H

#include "call_exit.bpf.h"
#include "meet.bpf.h"
#include "registers.bpf.h"

/* 32-bit programs on a 64-bit kernel number their calls differently, and are not decoded. */
static __always_inline bool call_is_32bit(void)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return THREAD_IS_32BIT(t->thread_info);
}

static __always_inline u32 call_of(u64 nr)
{
	return nr < SYSCALL_MAX ? call_of_nr[nr] : CALL_NONE;
}

/* fd of a descriptor of the calling process that the kernel closes without a close() of its own. */
__noinline int fd_closed_by_kernel(s32 fd, u32 cflags, u32 first, u32 last)
{
	struct scratch *s = scratch_get(SCRATCH_PROBE);
	u64 id = bpf_get_current_pid_tgid();
	struct sock_state *st;
	struct event_call *c;
	struct fd_ref ref;

	if (!s || (u32)fd < first || (u32)fd > last || fd_resolve(&ref, fd))
		return 0;
	if (!ref.sk) {
		epoll_closed(&ref);
		return 0;
	}
	st = sock_lookup(ref.sk);
	if (!st)
		return 0;
	c = &s->call.c;
	__builtin_memset(c, 0, sizeof(*c));
	c->e.size = sizeof(*c);
	c->e.kind = EV_CALL;
	c->e.t_ns = now_ns();
	c->e.sid = st->sid;
	c->e.pid = id >> 32;
	c->e.tid = id;
	c->t_enter = c->e.t_ns;
	c->fd = fd;
	c->call = cflags ? CALL_CLOSE : CALL_CLOSE_RANGE;
	c->cflags = cflags;
	c->x[0] = ref.refs ? ref.refs - 1 : 0;
	c->x[1] = first;
	c->x[2] = last;
	if (ref.refs <= 1)
		c->cflags |= CALLF_LAST_REF;
	levels_fill(&c->lv, ref.sk, sock_is_tcp(st));
	call_deliver(&s->call, st, (u64)ref.sk, false, NULL);
	if (ref.refs <= 1)
		sock_last_close(st, (u64)ref.sk);
	return 0;
}

/* 64 blocks of 16 words of 64 descriptors: 65,536; what lies beyond is counted lost. */
#define FD_BLOCKS 64
#define FD_BLOCK_WORDS 16

__noinline int fd_word_closed(u64 word, u32 base, u32 cflags, u32 first, u32 last)
{
	for (u32 i = 0; i < 64 && word; i++) {
		u64 low = word & -word;

		word ^= low;
		fd_closed_by_kernel(base + bit_number(low), cflags, first, last);
	}
	return 0;
}

/* 1: the table ends in this block. */
__noinline int fd_block_closed(u32 base, u32 cflags, u32 first, u32 last)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct fdtable *fdt = BPF_CORE_READ(t, files, fdt);
	u32 max = BPF_CORE_READ(fdt, max_fds);
	u64 open = (u64)BPF_CORE_READ(fdt, open_fds);
	u64 wanted = cflags & CALLF_BY_EXEC ? (u64)BPF_CORE_READ(fdt, close_on_exec) : open;

	for (u32 i = 0; i < FD_BLOCK_WORDS; i++, base += 64) {
		u64 word = 0, mask = 0;

		if (base >= max || base > last)
			return 1;
		bpf_probe_read_kernel(&word, 8, (void *)(open + base / 8));
		bpf_probe_read_kernel(&mask, 8, (void *)(wanted + base / 8));
		word &= mask;
		if (word)
			fd_word_closed(word, base, cflags, first, last);
	}
	return 0;
}

/* Every open descriptor in [first, last], or only those with close-on-exec. */
static __always_inline int fds_closed_by_kernel(u32 cflags, u32 first, u32 last)
{
	for (u32 i = 0; i < FD_BLOCKS; i++)
		if (fd_block_closed((first & ~63U) + i * FD_BLOCK_WORDS * 64, cflags, first, last))
			return 0;
	count_lost(EV_CALL);
	return 0;
}

static __always_inline int on_call_enter(struct pt_regs *regs, u64 nr)
{
	u32 call = call_of(nr);
	struct task_state *ts;
	int ret;

	if (!call)
		return 0;
	if (!tracing) {
		ts = task_get(false);
		if (ts)
			held_end(ts);
		return 0;
	}
	ts = task_get(CALLS_OF_SOCKETS & BIT(call));
	if (!ts || call_is_32bit())
		return 0;
	held_end(ts);
	ts->call = CALL_NONE; /* a probe in between must not meet half a state */
	SYSCALL_ARGS(regs, ts->args);
	if (call == CALL_CLOSE_RANGE) {
		if (!(ts->args[2] & 4)) /* CLOSE_RANGE_CLOEXEC closes nothing now */
			fds_closed_by_kernel(0, ts->args[0], ts->args[1]);
		return 0;
	}
	if (ts->gai_enter)
		gai_ask(ts);
	call_reset(ts, call);
	ret = call_enter_args(ts, call);
	if (ret && enter_on_nothing(ts, call, ret))
		call_cancel(ts);
	else if (!ret)
		ring_doorbell();
	return 0;
}

static __always_inline int on_call_exit(u64 nr, s64 ret)
{
	struct task_state *ts;

	if (!call_of(nr))
		return 0;
	ts = task_get(false);
	if (!ts || !ts->call)
		return 0;
	return call_exit(ts, ret);
}

SEC("?fexit/sock_close")
int BPF_PROG(sock_close__fexit)
{
	return on_released();
}

SEC("?kretprobe/sock_close")
int BPF_KRETPROBE(sock_close__kretprobe)
{
	return on_released();
}

/*
 * Raised on the way back to the program, once what was put off until then is done, if libc has registered for restartable
 * sequences (glibc 2.35 and later has).
 */
SEC("?tp_btf/rseq_update")
int BPF_PROG(rseq_update__tp)
{
	return on_released();
}

static __always_inline int on_step(void)
{
	struct task_state *ts = task_get(false);

	if (ts)
		held_end(ts);
	return 0;
}

/* Programs of their own, which come before those of process.bpf.h: for these two jobs together the stack is too small. */
SEC("?tp_btf/sched_process_exec")
int BPF_PROG(held_exec__tp)
{
	return on_step();
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(held_exit__tp)
{
	return on_step();
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(sys_enter__tp, struct pt_regs *regs, long id)
{
	return on_call_enter(regs, id);
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(sys_exit__tp, struct pt_regs *regs, long ret)
{
	return on_call_exit(SYSCALL_NR(regs), ret);
}

#endif
