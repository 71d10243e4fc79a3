/* SPDX-License-Identifier: MIT */
/*
 * Before 6.6 (commit 021a160abf62, "fs: use __fput_sync in close(2)") a close() returns, by what sys_exit sees, before
 * the kernel releases the file: that is done on the thread's way back to its program. FIN and RST would come after
 * the call that made them. There the record of a close() that gives up the last descriptor waits for the release.
 *
 * It is told by whoever comes first: the probe on the release; else, with the time at which close() returned, the
 * thread's next step (call, exec, end), or the reader, when it finds that the socket was released a while ago.
 */
#ifndef SOCKLENS_CALL_HELD_BPF_H
#define SOCKLENS_CALL_HELD_BPF_H

#include "call.bpf.h"

/* Has the kernel taken the socket from its file? A linger time is over by then. */
static __always_inline bool sock_released(const struct task_state *ts)
{
	struct sock *sk = (struct sock *)ts->sk;

	return !call_sock(ts) || !BPF_CORE_READ(sk, sk_socket);
}

/* close() returns: is it to wait? Asked while x[3] still holds the references at its entry. */
static __always_inline bool held_wanted(const struct task_state *ts, s64 ret)
{
	struct sock_state *st;

	if (!cfg.late_release || ts->call != CALL_CLOSE || ts->on != ON_SOCKET || ret ||
	    ts->x[3] > 1)
		return false;
	st = call_sock(ts);
	return st && st->scope != SCOPE_OUT && !sock_released(ts);
}

static __always_inline int held_begin(struct task_state *ts)
{
	ts->t_return = now_ns();
	ts->held = HELD_WAITS;
	return 0;
}

/* Only one of those who would tell it does. */
static __always_inline bool held_take(struct task_state *ts, u64 then)
{
	return ts->held == HELD_WAITS &&
	       __sync_val_compare_and_swap(&ts->held, HELD_WAITS, then) == HELD_WAITS;
}

#endif
