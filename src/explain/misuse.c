// SPDX-License-Identifier: MIT
/*
 * Calls that cannot do what was asked of this socket, in the state it is in: on the listener, on a
 * socket that was never connected, a datagram too big.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"

/* Largest UDP payload: 65,535 less the headers that count (RFC 791, RFC 768; RFC 8200 counts its own not). */
#define UDP_MAX_V4 65507
#define UDP_MAX_V6 65527
enum {
	MISUSE_LISTENER,
	MISUSE_UNCONNECTED,
	MISUSE_OVER,
	MISUSE_NOT_LISTENING,
	MISUSE_IS_CONNECTED,
	MISUSE_NO_STREAM,
	MISUSE_NO_ADDRESS,
	MISUSE_TOO_BIG,
	MISUSE_POINTER,
	MISUSE_NO_BUFFERS,
};

static const struct rule rules[] = {
	[MISUSE_LISTENER] = { "misuse-listener", "ENOTCONN: data through the listening socket",
			      WEIGHT_ALARM },
	[MISUSE_UNCONNECTED] = { "misuse-not-connected", "ENOTCONN: the socket was never connected",
				 WEIGHT_ALARM },
	[MISUSE_OVER] = { "misuse-over", "ENOTCONN: the connection is over", WEIGHT_ASIDE },
	[MISUSE_NOT_LISTENING] = { "misuse-not-listening", "EINVAL by accept(): it does not listen",
				   WEIGHT_ALARM },
	[MISUSE_IS_CONNECTED] = { "misuse-listen-connected",
				  "EINVAL by listen(): the socket is connected", WEIGHT_ALARM },
	[MISUSE_NO_STREAM] = { "misuse-no-stream",
			       "EOPNOTSUPP: listen() and accept() are for streams", WEIGHT_ALARM },
	[MISUSE_NO_ADDRESS] = { "misuse-no-address", "EDESTADDRREQ: nobody said where to send",
				WEIGHT_ALARM },
	[MISUSE_TOO_BIG] = { "misuse-too-big", "EMSGSIZE: more than one datagram can carry",
			     WEIGHT_ALARM },
	[MISUSE_POINTER] = { "misuse-pointer", "EFAULT: a pointer leads nowhere", WEIGHT_ALARM },
	[MISUSE_NO_BUFFERS] = { "misuse-no-buffers", "ENOBUFS, ENOMEM: the kernel had no room",
				WEIGHT_ALARM },
};

static bool is_stream(const struct note *n)
{
	return n->type == SOCK_STREAM;
}

/* --- not connected --- */

static const struct note *latest_child(const struct explain *x, const struct note *listener)
{
	const struct note *n, *best = NULL;

	for (n = notes_living(x, NULL); n; n = notes_living(x, n))
		if (n->listener == listener->sid && note_mark(n, MARK_ACCEPTED) &&
		    !note_mark(n, MARK_CLOSE) && (!best || n->sid > best->sid))
			best = n;
	return best;
}

static int tell_listener(struct explain *x, const struct step *s, const struct event_call *c,
			 struct note *n)
{
	const struct note *child = latest_child(x, n);
	const struct mark *taken = note_mark(child, MARK_ACCEPTED);
	struct verdict v;

	if (!verdict_start_failed(x, &v, &rules[MISUSE_LISTENER], s, n))
		return 0;
	verdict_say(
		&v,
		"Descriptor %d is the listening socket: it hands out connections and carries no data",
		c->fd);
	if (taken)
		verdict_do(&v, "Use the descriptor that accept(%d) returned: %lld", c->fd,
			   (long long)taken->n);
	else
		verdict_do(&v, "Call accept(%d) and use the descriptor it returns", c->fd);
	verdict_prove_mark(&v, n, MARK_LISTEN);
	verdict_prove_mark(&v, child, MARK_ACCEPTED);
	return verdict_tell(x, &v);
}

static bool was_connected(const struct note *n)
{
	const struct mark *m = note_mark(n, MARK_CONNECTED);

	return note_mark(n, MARK_ESTABLISHED) || note_mark(n, MARK_ACCEPTED) || (m && !m->n);
}

static int tell_over(struct explain *x, const struct step *s, struct note *n)
{
	const struct mark *rst = note_mark(n, MARK_RST_IN), *err = note_mark(n, MARK_ERROR);
	struct verdict v;
	char ago[32];

	if (!verdict_start_failed(x, &v, &rules[MISUSE_OVER], s, n))
		return 0;
	if (rst) {
		fmt_ns(ago, sizeof(ago), s->t_ns > rst->t_ns ? s->t_ns - rst->t_ns : 0);
		verdict_say(&v, "The connection is over: the peer's RST came %s before", ago);
	} else if (err) {
		verdict_say(&v, "The connection is over: it ended with %s",
			    errno_name((int)err->n));
	} else {
		verdict_say(&v, "The connection is over: both ends are done");
		verdict_infer(&v, "that it was connected, and the call says it is not");
	}
	verdict_do(&v, "Nothing is left to do with it but close()");
	verdict_prove_mark(&v, n, MARK_RST_IN);
	verdict_prove_mark(&v, n, MARK_ERROR);
	verdict_prove_mark(&v, n, MARK_LAST_STATE);
	return verdict_tell(x, &v);
}

static void say_unconnected(struct verdict *v, const struct note *n)
{
	const struct mark *m = note_mark(n, MARK_CONNECTED);

	if (m && m->n == -EINPROGRESS)
		verdict_say(
			v,
			"The connection is not there yet: connect() gave EINPROGRESS and goes on");
	else if (m)
		verdict_say(v, "There is no connection: connect() failed with %s",
			    errno_name((int)m->n));
	else if (note_mark(n, MARK_BIND))
		verdict_say(v, "The socket is bound, but it was never connected to anybody");
	else
		verdict_say(v, "The socket was never connected to anybody");
}

static int tell_unconnected(struct explain *x, const struct step *s, const struct event_call *c,
			    struct note *n)
{
	const struct mark *m = note_mark(n, MARK_CONNECTED);
	struct verdict v;

	if (!verdict_start_failed(x, &v, &rules[MISUSE_UNCONNECTED], s, n))
		return 0;
	if (!call_is_send(c) && !call_is_receive(c))
		v.weight = WEIGHT_ASIDE; /* asking is how some find out */
	say_unconnected(&v, n);
	if (m && m->n == -EINPROGRESS)
		verdict_do(&v, "Wait with poll() for POLLOUT, then ask getsockopt(SO_ERROR)");
	else if (m)
		verdict_do(&v, "Check the result of connect(); after a failure make a new socket");
	else
		verdict_do(&v,
			   "A client calls connect() first; a server uses what accept() returns");
	verdict_prove_mark(&v, n, MARK_SOCKET);
	verdict_prove_mark(&v, n, MARK_CONNECTED);
	return verdict_tell(x, &v);
}

/* A socket that is older than the trace may have been anything before. */
static int not_connected(struct explain *x, const struct step *s, const struct event_call *c,
			 struct note *n)
{
	bool moves = call_is_send(c) || call_is_receive(c);

	if (n->listening) /* to ask it for its peer is how some find out what it is */
		return moves ? tell_listener(x, s, c, n) : 0;
	if (was_connected(n))
		return tell_over(x, s, n);
	return note_mark(n, MARK_SOCKET) ? tell_unconnected(x, s, c, n) : 0;
}

/* --- the wrong kind of socket --- */

static int tell_not_listening(struct explain *x, const struct step *s, const struct event_call *c,
			      struct note *n)
{
	struct verdict v;

	if (n->listening || !verdict_start_failed(x, &v, &rules[MISUSE_NOT_LISTENING], s, n))
		return 0;
	if (was_connected(n)) {
		verdict_say(
			&v,
			"Descriptor %d is a connection: only the listening socket has a queue to accept from",
			c->fd);
		verdict_do(&v, "accept() takes the descriptor that listen() was called on");
	} else {
		verdict_say(
			&v,
			"listen(%d) was never called: without it nobody can connect, and nothing can be accepted",
			c->fd);
		verdict_do(&v, "Call listen(%d, backlog) between bind() and accept()", c->fd);
	}
	verdict_prove_mark(&v, n, MARK_SOCKET);
	verdict_prove_mark(&v, n, MARK_BIND);
	verdict_prove_mark(&v, n, MARK_ACCEPTED);
	verdict_prove_mark(&v, n, MARK_CONNECTED);
	return verdict_tell(x, &v);
}

static int tell_listen_connected(struct explain *x, const struct step *s, struct note *n)
{
	struct verdict v;

	if (!was_connected(n) || !verdict_start_failed(x, &v, &rules[MISUSE_IS_CONNECTED], s, n))
		return 0;
	verdict_say(&v, "The socket is a connection: it cannot wait for others");
	verdict_do(&v, "Make another socket(), bind() it, and listen() on that one");
	verdict_prove_mark(&v, n, MARK_CONNECTED);
	verdict_prove_mark(&v, n, MARK_ACCEPTED);
	return verdict_tell(x, &v);
}

static int tell_no_stream(struct explain *x, const struct step *s, struct note *n)
{
	struct verdict v;

	if (is_stream(n) || !verdict_start_failed(x, &v, &rules[MISUSE_NO_STREAM], s, n))
		return 0;
	verdict_say(
		&v,
		"A datagram socket has no connections to wait for: who is bound receives from everybody");
	verdict_do(&v, "Drop the call and use recvfrom(); or make a SOCK_STREAM socket");
	verdict_prove_mark(&v, n, MARK_SOCKET);
	return verdict_tell(x, &v);
}

static int tell_no_address(struct explain *x, const struct step *s, struct note *n)
{
	struct verdict v;

	if (!verdict_start_failed(x, &v, &rules[MISUSE_NO_ADDRESS], s, n))
		return 0;
	verdict_say(
		&v,
		"A datagram without an address: the call names none, and the socket is not connected");
	verdict_do(&v, "Use sendto() with the address, or connect() the socket before");
	verdict_prove_mark(&v, n, MARK_SOCKET);
	return verdict_tell(x, &v);
}

/* --- size and memory --- */

static int tell_too_big(struct explain *x, const struct step *s, const struct event_call *c,
			struct note *n)
{
	__u64 max = n->family == AF_INET6 ? UDP_MAX_V6 : UDP_MAX_V4;
	char len[40], most[40];
	struct verdict v;

	if (!call_is_send(c) || !verdict_start_failed(x, &v, &rules[MISUSE_TOO_BIG], s, n))
		return 0;
	fmt_bytes(len, sizeof(len), c->len);
	if (n->protocol == IPPROTO_UDP && c->len > max) {
		verdict_say(&v,
			    "%s do not fit: a UDP datagram carries at most %s. Nothing was sent",
			    len, fmt_bytes(most, sizeof(most), max));
	} else if (n->family == AF_UNIX) {
		verdict_say(
			&v,
			"%s do not fit: one message has to fit the send buffer. Nothing was sent",
			len);
		verdict_infer(&v, "the size alone");
	} else {
		verdict_say(
			&v,
			"%s do not fit into one packet on this path, and may not be cut up. Nothing was sent",
			len);
		verdict_infer(&v, "the size alone; `ip link` shows the MTU");
	}
	verdict_do(
		&v,
		"Send less at a time (up to 1,400 bytes or so crosses most networks whole), or use TCP");
	return verdict_tell(x, &v);
}

static int tell_pointer(struct explain *x, const struct step *s, struct note *n)
{
	struct verdict v;

	if (!verdict_start_failed(x, &v, &rules[MISUSE_POINTER], s, n))
		return 0;
	verdict_say(&v, "A pointer the call was given does not lead to memory of the program");
	verdict_do(&v, "Look at the buffer and its length, and at the address and its length");
	return verdict_tell(x, &v);
}

static int tell_no_buffers(struct explain *x, const struct step *s, struct note *n)
{
	struct verdict v;

	if (!verdict_start_failed(x, &v, &rules[MISUSE_NO_BUFFERS], s, n))
		return 0;
	verdict_say(&v, "The kernel or the device had no room for it. Nothing was sent");
	verdict_infer(&v, "the error alone");
	verdict_do(&v, "Send slower, or try again a little later");
	return verdict_tell(x, &v);
}

static int call_failed(struct explain *x, const struct step *s, const struct event_call *c,
		       struct note *n)
{
	switch (c->ret) {
	case -ENOTCONN:
		return not_connected(x, s, c, n);
	case -EINVAL:
		if (call_is_accept(c))
			return tell_not_listening(x, s, c, n);
		return c->call == CALL_LISTEN ? tell_listen_connected(x, s, n) : 0;
	case -EOPNOTSUPP:
		return call_is_accept(c) || c->call == CALL_LISTEN ? tell_no_stream(x, s, n) : 0;
	case -EDESTADDRREQ:
		return tell_no_address(x, s, n);
	case -EMSGSIZE:
		return tell_too_big(x, s, c, n);
	case -EFAULT:
		return tell_pointer(x, s, n);
	case -ENOBUFS:
	case -ENOMEM:
		return call_is_send(c) ? tell_no_buffers(x, s, n) : 0;
	}
	return 0;
}

static int misuse_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	struct note *n = c && s->sock ? note_of(x, s->sock->sid) : NULL;

	if (!n || c->ret >= 0)
		return 0;
	return call_failed(x, s, c, n);
}

const struct family explain_misuse = {
	.name = "misuse",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.step = misuse_step,
};
