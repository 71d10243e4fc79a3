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
#include "leaving.h"

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
	[EOF_PEER] = { "eof-peer", "recv() returned 0: a FIN came; what sent it was not seen",
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

/* --- an end of file --- */

/* Has the peer's end of data come? AF_UNIX has no FIN: there the peer itself tells. */
static bool end_came(const struct step *s, const struct note *n, const struct note *peer)
{
	const struct levels *lv = step_levels(s);

	if (!step_is_tcp(s))
		return note_left(peer) || !note_mark(n, MARK_SHUT_RD);
	return note_mark(n, MARK_FIN_IN) || (lv && lv->flags & LV_FIN_IN);
}

static const struct rule *eof_rule(const struct step *s, const struct note *n,
				   const struct note *peer)
{
	const struct levels *lv = step_levels(s);
	const struct mark *left = note_left(peer);

	if (!end_came(s, n, peer) && note_mark(n, MARK_SHUT_RD))
		return &rules[EOF_OWN];
	if (!end_came(s, n, peer) && lv && lv->state == TCP_S_CLOSE)
		return &rules[EOF_RESET];
	if (!left)
		return &rules[EOF_PEER];
	if (left_by_shutdown(peer, left) && !note_closed(peer))
		return &rules[EOF_SHUTDOWN];
	return &rules[left_by_end(peer, note_closed(peer)) ? EOF_EXIT : EOF_CLOSE];
}

/* "all 14 bytes it had sent were read: nothing is lost" */
static void fmt_before(char *buf, size_t size, const struct step *s, const struct note *n)
{
	const struct ledger *in = &s->dir[!step_out(s)];
	bool both = in->tx_seen && in->rx_seen;
	char bytes[40];

	if (!n->received && !in->written && !s->sock->seeded)
		snprintf(buf, size, "it had sent nothing");
	else if (both && in->written == in->read && in->written == n->received)
		snprintf(buf, size, "all %s it had sent were read: nothing is lost",
			 fmt_bytes(bytes, sizeof(bytes), in->written));
	else
		snprintf(buf, size, "%s were read here before it%s",
			 fmt_bytes(bytes, sizeof(bytes), n->received),
			 s->sock->seeded ? ", since tracing began" : "");
}

/* AF_UNIX moves no segments. */
static const char *end_word(const struct note *n)
{
	return n->family == AF_UNIX ? "its end" : "its FIN";
}

static void say_end(struct explain *x, struct verdict *v, const struct step *s,
		    const struct note *n, const struct note *peer)
{
	const struct levels *lv = step_levels(s);
	const struct mark *left = note_left(peer), *closed = note_closed(peer);
	char who[96], how[96], before[128];

	fmt_before(before, sizeof(before), s, n);
	fmt_note(who, sizeof(who), x, peer);
	if (left)
		verdict_say(v, "EOF: %s %s%s; %s", who, fmt_left(how, sizeof(how), x, peer, left),
			    closed && closed != left ? " and has left since" : "", before);
	else
		verdict_say(v, "EOF: %s of %s came; %s", n->family == AF_UNIX ? "the end" : "a FIN",
			    who, before);
	if (!left && !note_mark(n, MARK_FIN_IN) && !(lv && lv->flags & LV_FIN_IN))
		verdict_infer(v, "the result alone; %s itself was not seen", end_word(n));
	verdict_prove_mark(v, n, MARK_RECV);
	verdict_prove_mark(v, peer, MARK_SEND);
	verdict_prove(v, left ? left->id : 0);
	verdict_prove(v, closed ? closed->id : 0);
	verdict_prove_mark(v, peer, MARK_FIN_OUT);
	verdict_prove_mark(v, n, MARK_FIN_IN);
	if (!left_by_shutdown(peer, left) || closed)
		verdict_do(v, "Nothing more will come: close(%d)", n->fd);
	else if (left->n == SHUT_RDWR)
		verdict_do(v, "The peer neither sends nor reads any more: close(%d)", n->fd);
	else
		verdict_do(v, "The peer still reads: send what is left to say, then close(%d)",
			   n->fd);
}

static void say_own(struct verdict *v, const struct note *n)
{
	const struct mark *down = note_mark(n, MARK_SHUT_RD);

	verdict_say(v,
		    "This end itself had called shutdown(%d, %s); the peer has not ended anything",
		    down->fd, down->n == SHUT_RDWR ? "SHUT_RDWR" : "SHUT_RD");
	verdict_prove_mark(v, n, MARK_SHUT_RD);
	verdict_do(v,
		   n->family == AF_UNIX ?
			   "The peer's next send fails with EPIPE: close(%d) when done" :
			   "The peer does not learn of it and may still send: close(%d) when done",
		   n->fd);
}

static void say_reset(struct verdict *v, const struct note *n)
{
	verdict_say(
		v, "This 0 is no EOF: the connection was reset, and an earlier call got the error");
	verdict_prove_mark(v, n, MARK_RST_IN);
	verdict_prove_mark(v, n, MARK_RECV_ERR);
	verdict_prove_mark(v, n, MARK_SEND_ERR);
	if (!note_mark(n, MARK_RST_IN) && !note_mark(n, MARK_ERROR))
		verdict_infer(v, "its state, CLOSE without a FIN; the RST itself was not seen");
	verdict_do(
		v,
		"Heed the first error of a connection; a 0 after it says nothing about the peer");
}

static int tell_eof(struct explain *x, const struct step *s, const struct event_call *c,
		    struct note *n)
{
	const struct note *peer = note_peer(x, n);
	const struct rule *r = eof_rule(s, n, peer);
	struct verdict v;
	char call[48];

	if (note_told(n, r)) /* a program that goes on asking gets the same answer */
		return 0;
	verdict_start(x, &v, r, s);
	verdict_ask(&v, "Why did %s return %s?", fmt_call(call, sizeof(call), c),
		    c->call == CALL_RECVMMSG ? "no byte" : "0");
	if (r == &rules[EOF_OWN])
		say_own(&v, n);
	else if (r == &rules[EOF_RESET])
		say_reset(&v, n);
	else
		say_end(x, &v, s, n, peer);
	return verdict_tell(x, &v);
}

/* --- other zeros --- */

static int tell_request(struct explain *x, const struct step *s, const struct event_call *c,
			struct note *n)
{
	struct verdict v;
	char call[48];

	if (note_told(n, &rules[ZERO_REQUEST]))
		return 0;
	verdict_start(x, &v, &rules[ZERO_REQUEST], s);
	verdict_ask(&v, "Why did %s return 0?", fmt_call(call, sizeof(call), c));
	verdict_say(&v, "The call asked for 0 bytes: its 0 says nothing about the peer%s",
		    n->type == SOCK_DGRAM ? ", and a datagram was thrown away" : "");
	verdict_do(&v, "Give it room: a length of 0 is mostly a full buffer that was not emptied");
	return verdict_tell(x, &v);
}

static int tell_datagram(struct explain *x, const struct step *s, const struct event_call *c,
			 struct note *n)
{
	const struct levels *lv = step_levels(s);
	struct verdict v;
	char call[48];
	bool down = note_mark(n, MARK_SHUT_RD) || (lv && lv->shutdown & SHUTDOWN_RCV);
	const struct rule *r = &rules[down ? EOF_OWN : ZERO_DATAGRAM];

	if (note_told(n, r))
		return 0;
	verdict_start(x, &v, r, s);
	verdict_ask(&v, "Why did %s return 0?", fmt_call(call, sizeof(call), c));
	if (down) {
		verdict_say(&v, "This end itself had shut down reading: there was no datagram");
		verdict_prove_mark(&v, n, MARK_SHUT_RD);
		if (!note_mark(n, MARK_SHUT_RD))
			verdict_infer(&v, "the socket's state; the shutdown() was not seen");
	} else {
		verdict_say(&v, "A datagram without content came: it is a message, not an end");
		if (step_is_udp(s))
			verdict_prove_mark(&v, n, MARK_DATA_IN);
		verdict_do(&v, "Datagrams have no end of file: go on receiving");
	}
	return verdict_tell(x, &v);
}

static int eof_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	struct note *n = c && s->sock ? note_of(x, s->sock->sid) : NULL;

	if (!n || !call_is_receive(c) || n->listening || c->cflags & CALLF_KILLED ||
	    call_msg_flags(c) & MSG_ERRQUEUE)
		return 0;
	if (c->call == CALL_RECVMMSG)
		return s->sflags & STEP_EOF ? tell_eof(x, s, c, n) : 0;
	if (c->ret)
		return 0;
	if (!c->len)
		return tell_request(x, s, c, n);
	if (s->sflags & STEP_EOF || (call_msg_flags(c) & MSG_PEEK && n->type == SOCK_STREAM))
		return tell_eof(x, s, c, n);
	if (n->type == SOCK_SEQPACKET && note_left(note_peer(x, n)))
		return tell_eof(x, s, c, n);
	return n->type == SOCK_DGRAM ? tell_datagram(x, s, c, n) : 0;
}

const struct family explain_eof = {
	.name = "eof",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.step = eof_step,
};
