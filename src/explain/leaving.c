// SPDX-License-Identifier: MIT
#include "leaving.h"

#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "rst.h"

/* --- how it left --- */

/* A close() that left other references counts once the socket is gone all the same: a call in
 * progress held it (fput() in fs/file_table.c). */
const struct mark *note_closed(const struct note *n)
{
	const struct mark *closed = note_mark(n, MARK_CLOSE);

	if (closed || !(note_mark(n, MARK_FIN_OUT) || note_mark(n, MARK_RST_OUT)))
		return closed;
	return note_mark(n, MARK_SHUT_WR) ? NULL : note_mark(n, MARK_CLOSE_SOME);
}

const struct mark *note_left(const struct note *n)
{
	const struct mark *down = note_mark(n, MARK_SHUT_WR), *closed = note_closed(n);

	return down && (!closed || down->id < closed->id) ? down : closed;
}

const struct mark *note_deaf(const struct note *n)
{
	const struct mark *down = note_mark(n, MARK_SHUT_WR);

	return down && note_mark(n, MARK_SHUT_RD) ? down : note_closed(n);
}

bool left_by_shutdown(const struct note *n, const struct mark *left)
{
	return left && left == note_mark(n, MARK_SHUT_WR);
}

static unsigned int call_flags(const struct note *n, const struct mark *left)
{
	return left == note_mark(n, MARK_CLOSE) ? (unsigned int)left->n : 0;
}

bool left_by_end(const struct note *n, const struct mark *left)
{
	return left && call_flags(n, left) & (CALLF_BY_EXIT | CALLF_BY_EXEC);
}

static char *fmt_exit(char *buf, size_t size, const struct explain *x, __u32 pid)
{
	const struct proc *p = model_proc(x->m, pid);

	if (!p || !p->exited)
		snprintf(buf, size, "ended");
	else if (p->exit_code & 0x7f)
		snprintf(buf, size, "was killed by signal %u", p->exit_code & 0x7f);
	else
		snprintf(buf, size, "exited (status %u)", p->exit_code >> 8 & 0xff);
	return buf;
}

char *fmt_left(char *buf, size_t size, const struct explain *x, const struct note *n,
	       const struct mark *left)
{
	if (!left)
		snprintf(buf, size, "left");
	else if (left_by_shutdown(n, left))
		snprintf(buf, size, "called shutdown(%d, %s)", left->fd,
			 left->n == SHUT_RDWR ? "SHUT_RDWR" : "SHUT_WR");
	else if (call_flags(n, left) & CALLF_BY_EXIT)
		fmt_exit(buf, size, x, left->pid);
	else if (call_flags(n, left) & CALLF_BY_EXEC)
		snprintf(buf, size, "ran another program, and descriptor %d was close-on-exec",
			 left->fd);
	else
		snprintf(buf, size, "called close(%d)", left->fd);
	return buf;
}

/* --- why it sent an RST --- */

/* Bytes that were in its receive queue when it was last seen alive. */
static __u32 unread_bytes(const struct note *n)
{
	__u32 end = n->lv.rcv_nxt - (n->lv.flags & LV_FIN_IN ? 1 : 0);

	return seq_before(n->lv.copied_seq, end) ? end - n->lv.copied_seq : 0;
}

enum reset_cause reset_cause(const struct explain *x, const struct note *n)
{
	const struct mark *fin = note_mark(n, MARK_FIN_OUT), *rst = note_mark(n, MARK_RST_OUT);

	if (!n)
		return RESET_OUT_OF_SIGHT;
	if (rst_listener_end(x, n) && !note_mark(n, MARK_CLOSE))
		return RESET_NOT_ACCEPTED;
	if (!note_closed(n))
		return note_mark(n, MARK_SHUT_RD) && fin ? RESET_SHUT : RESET_SENT;
	if (fin && (!rst || fin->id < rst->id))
		return RESET_LATE;
	if (unread_bytes(n)) /* tcp_close() asks for this first */
		return RESET_UNREAD;
	return n->opts[OPT_LINGER].id && !n->opts[OPT_LINGER].n ? RESET_LINGER : RESET_SENT;
}

char *fmt_reset(char *buf, size_t size, const struct explain *x, const struct note *n)
{
	enum reset_cause cause = reset_cause(x, n);
	char who[96], how[96], bytes[40];

	fmt_note(who, sizeof(who), x, cause == RESET_NOT_ACCEPTED ? note_of(x, n->listener) : n);
	fmt_left(how, sizeof(how), x, n, note_closed(n));
	switch (cause) {
	case RESET_OUT_OF_SIGHT:
		snprintf(buf, size, "an RST of the other end, which is out of sight");
		break;
	case RESET_LINGER:
		snprintf(buf, size, "%s %s with SO_LINGER 0", who, how);
		break;
	case RESET_UNREAD:
		snprintf(buf, size, "%s %s with %s unread", who, how,
			 fmt_bytes(bytes, sizeof(bytes), unread_bytes(n)));
		break;
	case RESET_LATE:
		snprintf(buf, size, "%s %s, and data that came later was answered by an RST", who,
			 how);
		break;
	case RESET_NOT_ACCEPTED:
		snprintf(buf, size,
			 "%s let go of its listening socket without accepting this connection",
			 who);
		break;
	case RESET_SHUT:
		snprintf(buf, size, "%s %s, and data that came later was answered by an RST", who,
			 fmt_left(how, sizeof(how), x, n, note_left(n)));
		break;
	case RESET_SENT:
		snprintf(buf, size, "%s sent an RST", who);
		break;
	}
	return buf;
}

void verdict_prove_reset(struct verdict *v, const struct explain *x, const struct note *n,
			 const struct note *peer)
{
	enum reset_cause cause = reset_cause(x, peer);

	verdict_prove_mark(v, peer, MARK_CLOSE);
	verdict_prove_mark(v, peer, MARK_FIN_OUT);
	verdict_prove_mark(v, peer, MARK_RST_WHY);
	verdict_prove_mark(v, peer, MARK_RST_OUT);
	verdict_prove_mark(v, n, MARK_RST_IN);
	verdict_prove_mark(v, n, MARK_ERROR);
	if (cause == RESET_LINGER)
		verdict_prove(v, peer->opts[OPT_LINGER].id);
	if (cause == RESET_NOT_ACCEPTED)
		verdict_prove(v, rst_listener_end(x, peer)->id);
}
