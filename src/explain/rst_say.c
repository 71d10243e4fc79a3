// SPDX-License-Identifier: MIT
/* The sentences about an RST: one function for each way to send one. */
#include <stdio.h>
#include <string.h>

#include "../event/names.h"
#include "../util/text.h"
#include "rst.h"

/* "called close(5)", "was killed by signal 9", "ended" */
static void fmt_close(char *buf, size_t size, const struct explain *x, const struct note *n)
{
	const struct mark *closed = note_mark(n, MARK_CLOSE);
	const struct proc *p = closed ? model_proc(x->m, closed->pid) : NULL;

	if (!closed)
		snprintf(buf, size, "closed its socket");
	else if (!(closed->n & (CALLF_BY_EXIT | CALLF_BY_EXEC)))
		snprintf(buf, size, "called close(%d)", closed->fd);
	else if (closed->n & CALLF_BY_EXEC)
		snprintf(buf, size, "ran another program, which closed %d", closed->fd);
	else if (p && p->exited && p->exit_code & 0x7f)
		snprintf(buf, size, "was killed by signal %u", p->exit_code & 0x7f);
	else
		snprintf(buf, size, "ended");
}

/* Bytes of a direction that its sender has, and nobody will ever get. */
static __u64 undelivered(const struct ledger *l)
{
	return l->tx_seen ? l->unsent + l->destroyed + l->in_flight + l->unacked : 0;
}

/*
 * "; 95,904 bytes it had still to deliver are destroyed, and 2,000 bytes of the other end; 4,096 bytes
 * that had arrived can still be read". late: bytes the sentence has spoken of.
 */
static void fmt_lost(char *buf, size_t size, const struct shot *k, __u64 late)
{
	__u64 own = undelivered(k->out), other = undelivered(k->in);
	char bytes[40];
	struct text t;

	text_start(&t, buf, size);
	if (own)
		text_printf(&t, "; %s it had still to deliver %s destroyed",
			    fmt_bytes(bytes, sizeof(bytes), own), own == 1 ? "is" : "are");
	if (other > late && own)
		text_printf(&t, ", and %s of the other end",
			    fmt_bytes(bytes, sizeof(bytes), other));
	else if (other > late)
		text_printf(&t, "; %s the other end had still to deliver %s destroyed",
			    fmt_bytes(bytes, sizeof(bytes), other), other == 1 ? "is" : "are");
	if (k->out->rx_seen && k->out->rcvq)
		text_printf(&t, "; %s that had arrived can still be read",
			    fmt_bytes(bytes, sizeof(bytes), k->out->rcvq));
}

/* Bytes of the segment that was answered with the RST; 0: it was not seen. */
static __u64 late_bytes(const struct shot *k, enum mark_kind behind)
{
	if (k->n && rst_after(k->n, MARK_DATA_IN, behind))
		return (__u64)k->n->marks[MARK_DATA_IN].n;
	return k->in->tx_seen ? k->in->in_flight + k->in->unacked : 0;
}

/* "4 bytes", of the segment that was answered with the RST; "data" where it was not seen */
static void fmt_late(char *buf, size_t size, const struct shot *k, enum mark_kind behind)
{
	__u64 late = late_bytes(k, behind);

	if (late)
		fmt_bytes(buf, size, late);
	else
		snprintf(buf, size, "data");
}

/* " 0.3 ms before"; "" where that was not seen, or a moment ago */
static void fmt_before(char *buf, size_t size, const struct shot *k, const struct mark *m)
{
	char t[24];

	buf[0] = '\0';
	if (m && k->s->t_ns > m->t_ns + NS_PER_MS / 10)
		snprintf(buf, size, " %s before", fmt_ns(t, sizeof(t), k->s->t_ns - m->t_ns));
}

/* --- sentences: one for each way --- */

static void say_unread(struct explain *x, struct verdict *v, const struct shot *k, const char *who)
{
	char how[64], bytes[40] = "data", lost[240];

	fmt_close(how, sizeof(how), x, k->n);
	if (rst_unread(k))
		fmt_bytes(bytes, sizeof(bytes), rst_unread(k));
	fmt_lost(lost, sizeof(lost), k, 0);
	verdict_say(v, "RST, not FIN: %s %s with %s unread%s", who, how, bytes, lost);
	verdict_do(v, "Read until recv() returns 0 before close(); to end only its own sending, a "
		      "program calls shutdown(SHUT_WR)");
	verdict_prove_mark(v, k->n, MARK_DATA_IN);
	verdict_prove_mark(v, k->n, MARK_CLOSE);
}

static void say_late(struct explain *x, struct verdict *v, const struct shot *k, const char *who)
{
	const struct mark *closed = note_mark(k->n, MARK_CLOSE);
	char bytes[40], ago[40], lost[240];

	(void)x;
	fmt_late(bytes, sizeof(bytes), k, MARK_CLOSE);
	fmt_before(ago, sizeof(ago), k, closed);
	fmt_lost(lost, sizeof(lost), k, late_bytes(k, MARK_CLOSE));
	verdict_say(v, "RST: %s came for the socket %s had closed%s: there is no reader any more%s",
		    bytes, who, ago, lost);
	verdict_do(v, "Where the peer may still send: shutdown(SHUT_WR), read until recv() returns "
		      "0, then close()");
	verdict_prove_mark(v, k->n, MARK_CLOSE);
	verdict_prove_mark(v, k->n, MARK_DATA_IN);
}

static void say_shut(struct explain *x, struct verdict *v, const struct shot *k, const char *who)
{
	const struct mark *down = note_mark(k->n, MARK_SHUT_RD);
	char bytes[40], lost[240];

	(void)x;
	fmt_late(bytes, sizeof(bytes), k, MARK_SHUT_RD);
	fmt_lost(lost, sizeof(lost), k, late_bytes(k, MARK_SHUT_RD));
	verdict_say(
		v, "RST: %s came after %s had called shutdown(%d, SHUT_RDWR): both ways are over%s",
		bytes, who, down ? down->fd : k->n->fd, lost);
	verdict_do(v,
		   "To end only its own sending a program calls shutdown(SHUT_WR), and reads on");
	verdict_prove_mark(v, k->n, MARK_SHUT_RD);
	verdict_prove_mark(v, k->n, MARK_DATA_IN);
}

static void say_linger(struct explain *x, struct verdict *v, const struct shot *k, const char *who)
{
	char how[64], lost[240];

	fmt_close(how, sizeof(how), x, k->n);
	fmt_lost(lost, sizeof(lost), k, 0);
	verdict_say(v, "RST, not FIN: %s %s with SO_LINGER set to 0 s, which aborts%s", who, how,
		    lost);
	verdict_do(v,
		   "Leave SO_LINGER off: close() goes on sending what is queued, then sends FIN");
	verdict_prove(v, k->n->opts[OPT_LINGER].id);
	verdict_prove_mark(v, k->n, MARK_CLOSE);
}

static void say_listener(struct explain *x, struct verdict *v, const struct shot *k,
			 const char *who)
{
	const struct note *l = note_of(x, k->n->listener);
	const struct mark *end = rst_listener_end(x, k->n);
	char owner[96], bytes[40], tail[80] = "";

	(void)who;
	if (rst_unread(k))
		snprintf(tail, sizeof(tail), "; %s sent to it %s thrown away",
			 fmt_bytes(bytes, sizeof(bytes), rst_unread(k)),
			 rst_unread(k) == 1 ? "is" : "are");
	verdict_say(v,
		    "RST: %s closed the listener (%d) while this connection waited for accept()%s",
		    fmt_note(owner, sizeof(owner), x, l), end->fd, tail);
	verdict_do(v, "accept() what waits before closing the listener");
	verdict_prove(v, end->id);
	verdict_prove_mark(v, k->n, MARK_ESTABLISHED);
}

static void say_port(struct explain *x, struct verdict *v, const struct shot *k, const char *who)
{
	char at[64];

	(void)x;
	(void)who;
	if (k->s->conn)
		verdict_say(v, "RST: nobody listens on %s; the kernel answers the SYN by itself",
			    fmt_addr(at, sizeof(at), &k->s->conn->addr[1]));
	else
		verdict_say(v, "RST: no socket has that port; the kernel answers by itself");
	verdict_prove_mark(v, k->to, MARK_SYN_OUT);
}

static void say_gone(struct explain *x, struct verdict *v, const struct shot *k, const char *who)
{
	const struct mark *closed = note_mark(k->n, MARK_CLOSE);
	char bytes[40], ago[40];

	(void)x;
	fmt_late(bytes, sizeof(bytes), k, MARK_CLOSE);
	fmt_before(ago, sizeof(ago), k, closed);
	verdict_say(v, "RST: %s came for the socket %s had closed%s: %s", bytes, who, ago,
		    k->time_wait ? "only a time-wait entry is left of it" :
				   "nothing is left of it");
	verdict_do(v, "recv() returning 0 told that the peer had closed: sending on is of use only "
		      "if it still reads");
	verdict_prove_mark(v, k->n, MARK_CLOSE);
	verdict_prove_mark(v, k->n, MARK_TIME_WAIT);
	verdict_prove_mark(v, k->to, MARK_FIN_IN);
	verdict_prove_mark(v, k->to, MARK_DATA_OUT);
}

/* Since when nothing came, probes and what was sent unanswered. */
char *fmt_silence(char *buf, size_t size, const struct note *n, __u64 now_ns)
{
	const struct mark *a = note_mark(n, MARK_ACK_IN), *b = note_mark(n, MARK_DATA_IN);
	const struct mark *last = a && b ? (a->t_ns > b->t_ns ? a : b) : a ? a : b;

	if (!last)
		last = note_mark(n, MARK_ESTABLISHED);
	if (last && now_ns > last->t_ns)
		fmt_ns(buf, size, now_ns - last->t_ns);
	else
		snprintf(buf, size, "some time");
	return buf;
}

static void say_keepalive(struct explain *x, struct verdict *v, const struct shot *k,
			  const char *who)
{
	char quiet[40], lost[240];

	(void)x;
	fmt_silence(quiet, sizeof(quiet), k->n, k->s->t_ns);
	fmt_lost(lost, sizeof(lost), k, 0);
	verdict_say(
		v,
		"RST: nothing came for %s, not even answers to keepalive probes: for %s the peer is dead%s",
		quiet, who, lost);
	verdict_do(
		v,
		"Look at the way to the peer; a program that is merely stuck has a kernel that answers");
	verdict_prove(v, k->n->opts[OPT_KEEPALIVE].id);
	verdict_prove_mark(v, k->n, MARK_ACK_IN);
}

static void say_disconnect(struct explain *x, struct verdict *v, const struct shot *k,
			   const char *who)
{
	const struct mark *call = note_mark(k->n, MARK_CONNECT);
	char lost[240];

	(void)x;
	fmt_lost(lost, sizeof(lost), k, 0);
	verdict_say(v, "RST: %s called connect(%d) with AF_UNSPEC, which aborts a connection%s",
		    who, call->fd, lost);
	verdict_do(v, "To end a connection in order: close() or shutdown()");
	verdict_prove(v, call->id);
}

static void say_aborted(struct explain *x, struct verdict *v, const struct shot *k, const char *who)
{
	char lost[240];

	(void)x;
	fmt_lost(lost, sizeof(lost), k, 0);
	verdict_say(v, "RST: the connection of %s was aborted, but by no call of its own%s", who,
		    lost);
	verdict_infer(
		v, "no call on this socket explains it; `ss -K` and BPF programs do such things");
}

static void say_other(struct explain *x, struct verdict *v, const struct shot *k, const char *who)
{
	char lost[240];

	(void)x;
	fmt_lost(lost, sizeof(lost), k, 0);
	if (k->reason && !strcmp(k->reason, "FLAGS")) {
		/* tcp_rcv_state_process(): no ACK, where one must be; seen where two ends reset */
		v->weight = WEIGHT_ASIDE;
		verdict_say(v, "RST: a segment came that %s cannot use in the state it is in%s",
			    who, lost);
	} else if (k->reason && !strcmp(k->reason, "ABORT_ON_LINGER")) {
		verdict_say(v,
			    "RST, not FIN: %s had set TCP_LINGER2 below 0, so its kernel does not "
			    "wait for the other end%s",
			    who, lost);
		verdict_do(v, "Leave TCP_LINGER2 alone where the other end must get everything");
	} else if (k->reason) {
		verdict_say(v, "RST: the kernel of %s gives the reason %s%s", who, k->reason, lost);
		verdict_do(v, "The reasons are explained in the kernel's include/net/rstreason.h");
	} else {
		verdict_say(
			v,
			"RST: sent for %s; the kernel gives no reason, and no call explains it%s",
			who, lost);
	}
}

static void (*const sayings[])(struct explain *, struct verdict *, const struct shot *,
			       const char *) = {
	[RST_UNREAD] = say_unread,	 [RST_LATE] = say_late,
	[RST_SHUT] = say_shut,		 [RST_LINGER] = say_linger,
	[RST_LISTENER] = say_listener,	 [RST_PORT] = say_port,
	[RST_TIME_WAIT] = say_gone,	 [RST_GONE] = say_gone,
	[RST_KEEPALIVE] = say_keepalive, [RST_DISCONNECT] = say_disconnect,
	[RST_ABORTED] = say_aborted,	 [RST_OTHER] = say_other,
};

void rst_say(struct explain *x, struct verdict *v, enum rst_way way, const struct shot *k,
	     const char *who)
{
	sayings[way](x, v, k, who);
}
