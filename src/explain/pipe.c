// SPDX-License-Identifier: MIT
/*
 * Errors of a conversation that is over: EPIPE and SIGPIPE, ECONNRESET. The first send() after the
 * peer left succeeds, for the kernel only learns from the RST that answers it (RFC 9293 section
 * 3.10.7.1); which error the next call gets depends on the state then: EPIPE in CLOSE_WAIT, else
 * ECONNRESET (tcp_reset() in net/ipv4/tcp_input.c).
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"
#include "leaving.h"

enum {
	PIPE_SHUTDOWN,
	PIPE_LEFT,
	PIPE_RESET,
	PIPE_UNCONNECTED,
	PIPE_UNIX,
	PIPE_UNKNOWN,
	PIPE_KILLED,
	RESET_RECV,
	RESET_SEND,
	RESET_UNIX,
};

static const struct rule rules[] = {
	[PIPE_SHUTDOWN] = { "pipe-own-shutdown",
			    "send() failed with EPIPE: this end has shut down sending itself",
			    WEIGHT_ALARM },
	[PIPE_LEFT] = { "pipe-peer-left",
			"send() failed with EPIPE: the peer had left, and an RST answered the data",
			WEIGHT_ALARM },
	[PIPE_RESET] = { "pipe-after-end",
			 "send() failed with EPIPE: an earlier call had reported the end",
			 WEIGHT_NEWS },
	[PIPE_UNCONNECTED] = { "pipe-unconnected",
			       "send() failed with EPIPE: the socket is not connected",
			       WEIGHT_ALARM },
	[PIPE_UNIX] = { "pipe-unix", "send() failed with EPIPE: the peer of the pair is gone",
			WEIGHT_ALARM },
	[PIPE_UNKNOWN] = { "pipe-unknown", "send() failed with EPIPE: what led to it was not seen",
			   WEIGHT_ALARM },
	[PIPE_KILLED] = { "pipe-killed", "A process died silently: SIGPIPE", WEIGHT_ALARM },
	[RESET_RECV] = { "reset-recv", "recv() failed with ECONNRESET", WEIGHT_NEWS },
	[RESET_SEND] = { "reset-send", "send() failed with ECONNRESET", WEIGHT_NEWS },
	[RESET_UNIX] = { "reset-unix",
			 "ECONNRESET without a network: the peer closed with bytes unread",
			 WEIGHT_ALARM },
};

/* Of each socket: the first send that worked although the peer had left, and what failed first. */
struct own {
	__u64 late_id;
	__u64 late_bytes;
	__u64 reset_id; /* the call that got ECONNRESET */
};

/* --- ECONNRESET --- */

/* "; 4,096 of the 400,000 bytes it had sent were read, the others are lost" */
static void fmt_lost(char *buf, size_t size, const struct step *s, const struct note *n)
{
	const struct ledger *in = &s->dir[!step_out(s)];
	char got[40], all[40];

	buf[0] = '\0';
	if (in->tx_seen && in->rx_seen && in->written > in->read + in->rcvq)
		snprintf(buf, size, "; of %s it had sent only %s came through",
			 fmt_bytes(all, sizeof(all), in->written),
			 fmt_bytes(got, sizeof(got), in->read + in->rcvq));
	else if (n->received)
		snprintf(buf, size, "; the %s that came before %s read",
			 fmt_bytes(got, sizeof(got), n->received),
			 verb(n->received, "was", "were"));
}

static const char *reset_remedy(enum reset_cause cause)
{
	switch (cause) {
	case RESET_UNREAD:
		return "The end that closes first must read until recv() returns 0, or "
		       "shutdown(SHUT_WR) and read on";
	case RESET_LINGER:
		return "Leave SO_LINGER alone: with 0 s close() throws away what was not delivered";
	case RESET_LATE:
	case RESET_SHUT:
		return "Read until recv() returns 0 before writing on, and agree on who speaks last";
	case RESET_NOT_ACCEPTED:
		return "Accept what is waiting before the listening socket is closed";
	case RESET_OUT_OF_SIGHT:
	case RESET_SENT:
		break;
	}
	return "Close this socket; a new connection needs a new one";
}

static int tell_reset(struct explain *x, const struct step *s, const struct event_call *c,
		      struct note *n)
{
	const struct rule *r = &rules[call_is_send(c) ? RESET_SEND : RESET_RECV];
	const struct note *peer = note_peer(x, n);
	struct verdict v;
	char why[320], lost[120], call[48];

	if (note_told(n, r))
		return 0;
	fmt_reset(why, sizeof(why), x, peer);
	fmt_lost(lost, sizeof(lost), s, n);
	verdict_start(x, &v, r, s);
	verdict_ask(&v, "Why did %s fail with ECONNRESET?", fmt_call(call, sizeof(call), c));
	if (!note_mark(peer, MARK_RST_WHY)) /* else the alarm was told where it was sent */
		v.weight = WEIGHT_ALARM;
	verdict_say(&v, "The connection was reset: %s%s", why, lost);
	verdict_prove_reset(&v, x, n, peer);
	if (!note_mark(n, MARK_RST_IN) && !note_mark(n, MARK_ERROR))
		verdict_infer(&v, "the error alone; the RST itself was not seen");
	else if (reset_cause(x, peer) == RESET_UNREAD && !note_mark(peer, MARK_RST_WHY))
		verdict_infer(&v, "the peer's receive queue at its close(); this kernel gives no "
				  "reason for an RST");
	verdict_do(&v, "%s", reset_remedy(reset_cause(x, peer)));
	return verdict_tell(x, &v);
}

/* AF_UNIX: unix_release_sock() in net/unix/af_unix.c. */
static int tell_reset_unix(struct explain *x, const struct step *s, const struct event_call *c,
			   struct note *n)
{
	const struct note *peer = note_peer(x, n);
	struct verdict v;
	char who[96], how[96], call[48];

	if (note_told(n, &rules[RESET_UNIX]))
		return 0;
	verdict_start(x, &v, &rules[RESET_UNIX], s);
	verdict_ask(&v, "Why did %s fail with ECONNRESET?", fmt_call(call, sizeof(call), c));
	verdict_say(&v,
		    "Reset: %s %s before it had read everything from here: what it did not read "
		    "is lost",
		    fmt_note(who, sizeof(who), x, peer),
		    fmt_left(how, sizeof(how), x, peer, note_closed(peer)));
	verdict_prove_mark(&v, n, MARK_SEND);
	verdict_prove_mark(&v, peer, MARK_CLOSE);
	if (!note_mark(peer, MARK_CLOSE))
		verdict_infer(&v, "the error alone; the peer's close() was not seen");
	verdict_do(&v, "The peer must read until recv() returns 0 before it closes");
	return verdict_tell(x, &v);
}

/* --- EPIPE --- */

static bool was_connected(const struct note *n)
{
	return note_mark(n, MARK_ESTABLISHED) || note_mark(n, MARK_ACCEPTED) ||
	       note_mark(n, MARK_EOF) || n->sends || n->recvs;
}

static const struct rule *pipe_rule(const struct step *s, const struct note *n)
{
	const struct mark *down = note_mark(n, MARK_SHUT_WR), *err = note_mark(n, MARK_RECV_ERR);

	if (down)
		return &rules[PIPE_SHUTDOWN];
	if (n->family == AF_UNIX)
		return &rules[n->peer ? PIPE_UNIX : PIPE_UNKNOWN];
	if (n->protocol != IPPROTO_TCP)
		return &rules[PIPE_UNKNOWN];
	if (n->listening || (!was_connected(n) && !s->sock->seeded))
		return &rules[PIPE_UNCONNECTED];
	if (note_mark(n, MARK_FIN_IN))
		return &rules[PIPE_LEFT];
	if ((err && err->n != -EAGAIN && err->n != -EINTR) || note_mark(n, MARK_EOF) ||
	    note_mark(n, MARK_RST_IN))
		return &rules[PIPE_RESET];
	return &rules[PIPE_UNKNOWN];
}

static void say_shutdown(struct verdict *v, const struct note *n)
{
	const struct mark *down = note_mark(n, MARK_SHUT_WR);

	verdict_say(v, "This end itself had called shutdown(%d, %s): nothing can be sent any more",
		    down->fd, down->n == SHUT_RDWR ? "SHUT_RDWR" : "SHUT_WR");
	verdict_prove_mark(v, n, MARK_SHUT_WR);
	verdict_do(v, "Shut down sending after the last byte, not before");
}

static void say_left(struct explain *x, struct verdict *v, struct note *n)
{
	const struct own *own = note_own(x, n, &explain_pipe);
	const struct note *peer = note_peer(x, n);
	char who[96], how[96], bytes[40];

	fmt_note(who, sizeof(who), x, peer);
	fmt_left(how, sizeof(how), x, peer, note_deaf(peer));
	if (own->late_id)
		verdict_say(v,
			    "Broken pipe: %s %s; the send of %s after that still worked, but an "
			    "RST answered it",
			    who, how, fmt_bytes(bytes, sizeof(bytes), own->late_bytes));
	else
		verdict_say(v, "Broken pipe: %s %s, and an RST ended the connection", who, how);
	verdict_prove(v, own->late_id);
	verdict_prove_mark(v, n, MARK_FIN_IN);
	verdict_prove_reset(v, x, n, peer);
	if (!note_mark(n, MARK_RST_IN) && !note_mark(n, MARK_ERROR))
		verdict_infer(v, "the peer's FIN; the RST itself was not seen");
	verdict_do(v,
		   "recv() returns 0 once the peer has left: heed that; what was sent after it is "
		   "lost");
}

static void say_ended(struct explain *x, struct verdict *v, struct note *n)
{
	const struct own *own = note_own(x, n, &explain_pipe);
	const struct mark *err = note_mark(n, MARK_RECV_ERR), *eof = note_mark(n, MARK_EOF);
	char why[320];

	if (own->reset_id) {
		verdict_say(v, "The connection was over already: an earlier call got ECONNRESET");
	} else if (err && err->n != -EAGAIN && err->n != -EINTR) {
		verdict_say(v, "The connection was over already: an earlier call got %s",
			    errno_name((int)err->n));
	} else if (eof) {
		verdict_say(v, "The connection was over already: a recv() had returned 0");
	} else {
		fmt_reset(why, sizeof(why), x, note_peer(x, n));
		verdict_say(v, "Broken pipe: %s", why);
	}
	verdict_prove_mark(v, n, MARK_RECV_ERR);
	verdict_prove_mark(v, n, MARK_EOF);
	verdict_prove(v, own->reset_id);
	verdict_prove_mark(v, n, MARK_RST_IN);
	verdict_do(v, "After the first error of a connection close the socket");
}

static void say_unconnected(struct verdict *v, const struct note *n)
{
	const struct mark *tried = note_mark(n, MARK_CONNECTED);

	if (n->listening) {
		verdict_say(v, "This is the listening socket: it carries no data, accept() returns "
			       "the descriptor that does");
		verdict_prove_mark(v, n, MARK_LISTEN);
		verdict_do(v, "Send on the descriptor that accept() returned");
	} else if (tried && tried->n < 0 && tried->n != -EINPROGRESS) {
		verdict_say(v, "The socket is not connected: connect() had failed with %s",
			    errno_name((int)tried->n));
		verdict_prove_mark(v, n, MARK_CONNECTED);
		verdict_do(v, "Check what connect() returned before sending");
	} else {
		verdict_say(v, "The socket is not connected: no connect() has succeeded on it");
		verdict_prove_mark(v, n, MARK_CONNECT);
		verdict_prove_mark(v, n, MARK_SOCKET);
		verdict_do(v, "connect() first");
	}
}

static void say_unix(struct explain *x, struct verdict *v, const struct note *n)
{
	const struct note *peer = note_peer(x, n);
	bool closed = note_mark(peer, MARK_CLOSE);
	char who[96], how[96];

	fmt_note(who, sizeof(who), x, peer);
	if (!closed && note_mark(peer, MARK_SHUT_RD)) {
		verdict_say(v,
			    "Broken pipe: %s has shut down receiving; on AF_UNIX that stops the "
			    "sender",
			    who);
		verdict_prove_mark(v, peer, MARK_SHUT_RD);
	} else {
		verdict_say(v, "Broken pipe: %s %s; on AF_UNIX the first send after that fails",
			    who, fmt_left(how, sizeof(how), x, peer, note_closed(peer)));
		verdict_prove_mark(v, peer, MARK_CLOSE);
		if (!closed)
			verdict_infer(v, "the error alone; the peer's close() was not seen");
	}
	verdict_do(v, "recv() returns 0 once the peer has left: heed that and close");
}

static int tell_pipe(struct explain *x, const struct step *s, const struct event_call *c,
		     struct note *n)
{
	const struct rule *r = pipe_rule(s, n);
	struct verdict v;
	char call[48];

	if (note_told(n, r))
		return 0;
	verdict_start(x, &v, r, s);
	verdict_ask(&v, "Why did %s fail with EPIPE?", fmt_call(call, sizeof(call), c));
	if (r == &rules[PIPE_SHUTDOWN]) {
		say_shutdown(&v, n);
	} else if (r == &rules[PIPE_LEFT]) {
		say_left(x, &v, n);
	} else if (r == &rules[PIPE_RESET]) {
		say_ended(x, &v, n);
	} else if (r == &rules[PIPE_UNCONNECTED]) {
		say_unconnected(&v, n);
	} else if (r == &rules[PIPE_UNIX]) {
		say_unix(x, &v, n);
	} else {
		verdict_say(&v,
			    "Broken pipe: this direction was over before the trace could see why");
		verdict_infer(&v, "the error alone");
		verdict_do(&v, "Close the socket; a new connection needs a new one");
	}
	return verdict_tell(x, &v);
}

/* --- SIGPIPE --- */

/* The socket on which that process got the signal: the latest failure. */
static struct note *killed_on(const struct explain *x, __u32 pid)
{
	const struct mark *m;
	struct note *n, *best = NULL;
	size_t pos = 0;

	while ((n = notes_next(x, &pos))) {
		m = note_mark(n, MARK_SEND_ERR);
		if (m && m->n == -EPIPE && m->pid == pid &&
		    (!best || m->id > best->marks[MARK_SEND_ERR].id))
			best = n;
	}
	return best;
}

static int tell_killed(struct explain *x, const struct step *s, const struct event_proc *e)
{
	struct note *n = killed_on(x, e->e.pid);
	struct verdict v;
	char who[96];

	fmt_who(who, sizeof(who), x, ROLE_NONE, e->e.pid);
	verdict_start_at(x, &v, &rules[PIPE_KILLED], n, s->id, s->t_ns);
	v.pid = e->e.pid;
	verdict_ask(&v, "Why did process %u die silently?", e->e.pid);
	if (n)
		verdict_say(&v,
			    "SIGPIPE killed %s: its send on descriptor %d failed with EPIPE, and "
			    "the default action of the signal is to die silently",
			    who, n->marks[MARK_SEND_ERR].fd);
	else
		verdict_say(&v,
			    "SIGPIPE killed %s: it wrote where nobody reads any more (no socket "
			    "in sight, maybe a pipe)",
			    who);
	verdict_prove_mark(&v, n, MARK_SEND_ERR);
	if (!n)
		verdict_infer(&v, "the signal number in its exit status; the failed write was not "
				  "seen");
	verdict_do(&v,
		   "Send with MSG_NOSIGNAL or ignore SIGPIPE, and check every result for EPIPE");
	return verdict_tell(x, &v);
}

/* --- which of them --- */

static void remember_late(struct explain *x, const struct step *s, const struct event_call *c,
			  struct note *n)
{
	const struct note *peer = note_peer(x, n);
	struct own *own;

	if (c->ret <= 0 || (peer ? !note_deaf(peer) : !note_mark(n, MARK_FIN_IN)))
		return;
	own = note_own(x, n, &explain_pipe);
	if (own->late_id)
		return;
	own->late_id = s->id;
	own->late_bytes = (__u64)c->ret;
}

static int pipe_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	const struct event_proc *e = (const struct event_proc *)s->ev;
	struct note *n = c && s->sock ? note_of(x, s->sock->sid) : NULL;

	if (e && e->e.kind == EV_PROC && e->what == PROC_EXIT && (e->code & 0x7f) == SIGPIPE)
		return tell_killed(x, s, e);
	if (!n || !(call_is_send(c) || call_is_receive(c)))
		return 0;
	if (call_is_send(c))
		remember_late(x, s, c, n);
	if (c->ret == -EPIPE && call_is_send(c))
		return tell_pipe(x, s, c, n);
	if (c->ret == -ECONNRESET)
		((struct own *)note_own(x, n, &explain_pipe))->reset_id = s->id;
	if (c->ret == -ECONNRESET)
		return n->family == AF_UNIX ? tell_reset_unix(x, s, c, n) : tell_reset(x, s, c, n);
	return 0;
}

const struct family explain_pipe = {
	.name = "pipe",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct own),
	.step = pipe_step,
};
