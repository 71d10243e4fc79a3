// SPDX-License-Identifier: MIT
/*
 * A receive call returned 0. On a stream that is end of file: the peer's FIN has come and everything
 * before it was read (RFC 9293 section 3.10.4), or this end has shut down reading itself. Not so for
 * a request of 0 bytes and for a datagram without content (recv(2)).
 */
#include <stdio.h>
#include <sys/socket.h>

#include "../model/step.h"
#include "families.h"

enum {
	EOF_CLOSE,
	EOF_SHUTDOWN,
	EOF_EXIT,
	EOF_PEER,
	EOF_OWN,
	EOF_RESET,
	ZERO_DATAGRAM,
	ZERO_REQUEST
};

static const struct rule rules[] = {
	[EOF_CLOSE] = { "eof-close", "recv() returned 0: the peer closed its socket", WEIGHT_NEWS },
	[EOF_SHUTDOWN] = { "eof-shutdown",
			   "recv() returned 0: the peer shut down sending, and still reads",
			   WEIGHT_NEWS },
	[EOF_EXIT] = { "eof-exit", "recv() returned 0: the peer's process ended or was killed",
		       WEIGHT_NEWS },
	[EOF_PEER] = { "eof-peer", "recv() returned 0: the FIN of a peer out of sight",
		       WEIGHT_NEWS },
	[EOF_OWN] = { "eof-own-shutdown",
		      "recv() returned 0: this end has shut down reading itself", WEIGHT_NEWS },
	[EOF_RESET] = { "eof-after-reset",
			"recv() returned 0: the reset was reported by an earlier call",
			WEIGHT_NEWS },
	[ZERO_DATAGRAM] = { "zero-datagram", "recv() returned 0: a datagram without content",
			    WEIGHT_NEWS },
	[ZERO_REQUEST] = { "zero-request", "recv() returned 0: 0 bytes were asked for",
			   WEIGHT_NEWS },
};

/* How the socket that sent the FIN came to send it: the earliest of what can cause one. */
static const struct rule *fin_cause(const struct note *peer)
{
	const struct mark *down = note_mark(peer, MARK_SHUT_WR),
			  *closed = note_mark(peer, MARK_CLOSE);

	if (down && (!closed || down->id < closed->id))
		return &rules[EOF_SHUTDOWN];
	if (!closed)
		return &rules[EOF_PEER];
	return closed->n & (CALLF_BY_EXIT | CALLF_BY_EXEC) ? &rules[EOF_EXIT] : &rules[EOF_CLOSE];
}

/* "called close(3)", "was killed by signal 9", "ended with status 0". */
static void fmt_fin_cause(char *buf, size_t size, const struct explain *x, const struct rule *r,
			  const struct note *peer)
{
	const struct mark *closed = note_mark(peer, MARK_CLOSE);
	const struct mark *down = note_mark(peer, MARK_SHUT_WR);
	const struct proc *p;

	if (r == &rules[EOF_SHUTDOWN]) {
		snprintf(buf, size, "called shutdown(%d, %s)", down->fd,
			 down->n == SHUT_RDWR ? "SHUT_RDWR" : "SHUT_WR");
	} else if (r == &rules[EOF_CLOSE]) {
		snprintf(buf, size, "called close(%d)", closed->fd);
	} else {
		p = model_proc(x->m, closed->pid);
		if (closed->n & CALLF_BY_EXEC)
			snprintf(buf, size,
				 "replaced its program, and descriptor %d was close-on-exec",
				 closed->fd);
		else if (p && p->exited && p->exit_code & 0x7f)
			snprintf(buf, size, "was killed by signal %u", p->exit_code & 0x7f);
		else
			snprintf(buf, size, "ended");
	}
}

/* "after all 14 bytes it had sent, and all were read: nothing is lost" */
static void fmt_before(char *buf, size_t size, const struct step *s, const struct note *n)
{
	const struct ledger *in = &s->dir[!step_out(s)];
	char bytes[40];

	if (!n->received && !in->written)
		snprintf(buf, size, "and it had sent nothing");
	else if (in->rx_seen && in->tx_seen && in->written == in->read)
		snprintf(buf, size, "behind the last of %s, all of them read: nothing is lost",
			 fmt_bytes(bytes, sizeof(bytes), in->written));
	else
		snprintf(buf, size, "behind %s that were read here",
			 fmt_bytes(bytes, sizeof(bytes), n->received));
}

static void say_fin(struct explain *x, struct verdict *v, const struct step *s,
		    const struct rule *r, struct note *n, const struct note *peer)
{
	char who[96], how[96], before[128];

	fmt_before(before, sizeof(before), s, n);
	if (r == &rules[EOF_PEER]) {
		verdict_say(v, "EOF: a FIN came %s", before);
		if (!note_mark(n, MARK_FIN_IN))
			verdict_infer(v, "the result alone; the FIN itself was not seen here");
	} else {
		fmt_note(who, sizeof(who), x, peer);
		fmt_fin_cause(how, sizeof(how), x, r, peer);
		verdict_say(v, "EOF: %s %s; its FIN came %s", who, how, before);
	}
	verdict_prove_mark(v, peer, MARK_SEND);
	verdict_prove_mark(v, peer, r == &rules[EOF_SHUTDOWN] ? MARK_SHUT_WR : MARK_CLOSE);
	verdict_prove_mark(v, peer, MARK_FIN_OUT);
	verdict_prove_mark(v, n, MARK_FIN_IN);
	if (r == &rules[EOF_SHUTDOWN])
		verdict_do(v, "The peer still reads: send what is left to say, then close(%d)",
			   n->fd);
	else
		verdict_do(v, "Nothing more will come: close(%d)", n->fd);
}

static int tell_eof(struct explain *x, const struct step *s, const struct event_call *c,
		    struct note *n)
{
	const struct levels *lv = step_levels(s);
	const struct note *peer = note_peer(x, n);
	const struct rule *r = fin_cause(peer);
	bool fin = note_mark(n, MARK_FIN_IN) || (lv && lv->flags & LV_FIN_IN) || !step_is_tcp(s);
	struct verdict v;
	char call[48];

	if (!fin && note_mark(n, MARK_SHUT_RD))
		r = &rules[EOF_OWN];
	else if (!fin && lv && lv->state == TCP_S_CLOSE)
		r = &rules[EOF_RESET];
	if (note_told(n, r)) /* a program that goes on asking gets the same answer */
		return 0;
	verdict_start(x, &v, r, s);
	verdict_ask(&v, "Why did %s return 0?", fmt_call(call, sizeof(call), c));
	if (r == &rules[EOF_OWN]) {
		verdict_say(
			&v,
			"This end itself called shutdown() for reading: no FIN of the peer has come");
		verdict_prove_mark(&v, n, MARK_SHUT_RD);
		verdict_do(
			&v,
			"The peer does not learn of SHUT_RD and may still send: close(%d) when done",
			c->fd);
	} else if (r == &rules[EOF_RESET]) {
		verdict_say(
			&v,
			"No EOF of the peer: the connection was reset, and an earlier call got the error");
		verdict_prove_mark(&v, n, MARK_RST_IN);
		verdict_prove_mark(&v, n, MARK_RECV_ERR);
		verdict_prove_mark(&v, n, MARK_SEND_ERR);
		verdict_do(
			&v,
			"Heed the first error of a connection; after it 0 does not mean the peer was done");
	} else {
		say_fin(x, &v, s, r, n, peer);
	}
	return verdict_tell(x, &v);
}

static int tell_zero(struct explain *x, const struct step *s, const struct event_call *c,
		     struct note *n)
{
	const struct rule *r = c->len ? &rules[ZERO_DATAGRAM] : &rules[ZERO_REQUEST];
	struct verdict v;
	char call[48];

	if (c->len && s->sock->type != SOCK_DGRAM)
		return 0;
	if (note_told(n, r))
		return 0;
	verdict_start(x, &v, r, s);
	verdict_ask(&v, "Why did %s return 0?", fmt_call(call, sizeof(call), c));
	if (c->len) {
		verdict_say(&v, "A datagram with no content came: it is a message, not an end");
		verdict_prove_mark(&v, n, MARK_DATA_IN);
		verdict_do(&v, "UDP has no end of file: go on receiving");
	} else {
		verdict_say(&v, "The call asked for 0 bytes: that says nothing about the peer");
		verdict_do(
			&v,
			"Give it room: a length of 0 is mostly a full buffer that was not emptied");
	}
	return verdict_tell(x, &v);
}

static int eof_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	struct note *n = c && s->sock ? note_of(x, s->sock->sid) : NULL;

	if (!n || c->ret || !call_is_receive(c) || c->call == CALL_RECVMMSG || n->listening)
		return 0;
	if (s->sflags & STEP_EOF)
		return tell_eof(x, s, c, n);
	return tell_zero(x, s, c, n);
}

const struct family explain_eof = {
	.name = "eof",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.step = eof_step,
};
