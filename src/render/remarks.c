/* SPDX-License-Identifier: MIT */
/*
 * The sentences for the learner: one row a moment that surprises people. A row's function looks at a
 * step and writes its sentence, or returns false. The first row that speaks wins.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "text.h"

#define SHUT_RCV 1 /* RCV_SHUTDOWN, include/net/sock.h */

struct remark {
	bool (*say)(const struct step *s, char *buf, size_t size);
	unsigned int limit; /* said at most this often in one trace, 0 = always */
	bool unaccepted;    /* only while the connection waits for accept() */
};

static const struct event_call *step_call(const struct step *s, enum phase phase)
{
	if (!s->ev || s->ev->kind != EV_CALL || s->phase != phase)
		return NULL;
	return (const struct event_call *)s->ev;
}

/* A call of this kind that has just returned. */
static const struct event_call *returned(const struct step *s, enum call call)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);

	return c && c->call == call ? c : NULL;
}

static bool is_send(const struct event_call *c)
{
	return c->call >= CALL_SENDTO && c->call <= CALL_WRITEV;
}

static bool is_receive(const struct event_call *c)
{
	return c->call >= CALL_RECVFROM && c->call <= CALL_READV;
}

/* Which way this socket sends, as an index of dir[]. */
static int own_dir(const struct step *s)
{
	return s->sock && s->sock->role == ROLE_SERVER;
}

static bool is_tcp(const struct step *s)
{
	return s->sock && s->sock->type == SOCK_STREAM && s->sock->family != AF_UNIX;
}

static bool say_eof(const struct step *s, char *buf, size_t size)
{
	const struct ledger *in = &s->dir[!own_dir(s)];
	const struct levels *lv = step_levels(s);

	if (!(s->sflags & STEP_EOF) || s->phase == PHASE_ENTER)
		return false;
	if (lv && (lv->shutdown & SHUT_RCV) && is_tcp(s) && !(lv->flags & LV_FIN_IN))
		snprintf(buf, size, "EOF: this end has shut down reading");
	else if (!is_tcp(s))
		snprintf(buf, size, "EOF: the peer has closed its end");
	else if (in->rx_seen && in->read)
		snprintf(buf, size, "EOF: the peer's FIN, after all %llu bytes",
			 (unsigned long long)in->read);
	else
		snprintf(buf, size, "EOF: the peer's FIN");
	return true;
}

static bool say_refused(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = returned(s, CALL_CONNECT);

	if (!c || c->ret != -ECONNREFUSED)
		return false;
	snprintf(buf, size,
		 is_tcp(s) ? "the SYN was answered by RST: nobody listens on that port" :
			     "nobody is there to take it");
	return true;
}

static bool say_connected(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = returned(s, CALL_CONNECT);

	if (!c || c->ret || !is_tcp(s))
		return false;
	snprintf(buf, size, "the kernel answered; no accept() yet");
	return true;
}

static bool say_in_progress(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = returned(s, CALL_CONNECT);

	if (!c || c->ret != -EINPROGRESS)
		return false;
	snprintf(buf, size, "non-blocking: the handshake goes on meanwhile");
	return true;
}

static bool say_accepted(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = returned(s, CALL_ACCEPT);

	if (!c)
		c = returned(s, CALL_ACCEPT4);
	if (!c || c->ret < 0 || !is_tcp(s))
		return false;
	snprintf(buf, size, "another descriptor, same port");
	return true;
}

static bool say_bad_end(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);

	if (!c || !(is_send(c) || is_receive(c)))
		return false;
	if (c->ret == -EPIPE)
		snprintf(buf, size, "this direction is closed: nothing more can be sent");
	else if (c->ret == -ECONNRESET)
		snprintf(buf, size, "the peer's RST has ended the connection");
	else
		return false;
	return true;
}

static bool say_again(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);

	if (!c || c->ret != -EAGAIN || !(is_send(c) || is_receive(c)))
		return false;
	snprintf(buf, size, is_send(c) ? "no room in the send queue now" : "nothing to read now");
	return true;
}

static bool say_sent(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	const struct ledger *out = &s->dir[own_dir(s)];
	__u64 unread = out->written - out->read;

	if (!c || !is_send(c) || c->ret <= 0 || !is_tcp(s) || !s->conn || !out->tx_seen)
		return false;
	if ((__u64)c->ret < c->len)
		snprintf(buf, size, "only %lld of %llu bytes fitted", (long long)c->ret,
			 (unsigned long long)c->len);
	else if (!out->rx_seen)
		snprintf(buf, size, "copied to the kernel; %llu B not yet acknowledged",
			 (unsigned long long)(out->unsent + out->in_flight));
	else if (unread)
		snprintf(buf, size, "copied to the kernel; %llu B not yet read",
			 (unsigned long long)unread);
	else
		snprintf(buf, size, "copied to the kernel; the peer has read it");
	return true;
}

static bool say_socket(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = returned(s, CALL_SOCKET);

	if (!c || c->ret < 0)
		return false;
	snprintf(buf, size, "not connected to anything yet");
	return true;
}

static bool say_in_use(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = returned(s, CALL_BIND);

	if (!c || c->ret != -EADDRINUSE)
		return false;
	snprintf(buf, size, "another socket holds this port");
	return true;
}

static bool say_by_exit(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = step_call(s, PHASE_POINT);

	if (!c || !(c->cflags & (CALLF_BY_EXIT | CALLF_BY_EXEC)))
		return false;
	snprintf(buf, size, "no close() call: the kernel does it");
	return true;
}

static bool say_still_open(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = returned(s, CALL_CLOSE);

	if (!c || c->ret || !c->x[0] || (c->cflags & CALLF_LAST_REF))
		return false;
	snprintf(buf, size, "no FIN: another descriptor keeps the socket open");
	return true;
}

static bool say_seen_mid(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = step_call(s, PHASE_ENTER);

	if (!c || !(c->cflags & CALLF_SEEN_MID))
		return false;
	snprintf(buf, size, "already waiting when tracing began");
	return true;
}

static bool say_retransmitted(const struct step *s, char *buf, size_t size)
{
	if (s->ev->kind != EV_SEGMENT || !(s->sflags & STEP_RTX))
		return false;
	snprintf(buf, size, "sent again: the first copy was not acknowledged");
	return true;
}

static bool say_no_window(const struct step *s, char *buf, size_t size)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;

	if (g->e.kind != EV_SEGMENT || g->sflags & SEGF_UDP || s->win_bytes || g->flags & 6)
		return false;
	snprintf(buf, size, "window 0: no room here, the peer must wait");
	return true;
}

/* The full socket is replaced by a small time-wait entry, and its own state is set to CLOSE. */
static bool say_time_wait(const struct step *s, char *buf, size_t size)
{
	const struct event_sock *m = (const struct event_sock *)s->ev;
	const unsigned int fin_wait2 = 5, closing = 11, closed = 7;

	if (m->e.kind != EV_STATE || m->b != closed || (m->a != fin_wait2 && m->a != closing))
		return false;
	if (s->conn && s->conn->rst_by >= 0)
		return false;
	snprintf(buf, size, "a small time-wait entry stands in for the socket from here");
	return true;
}

static bool say_dropped(const struct step *s, char *buf, size_t size)
{
	const struct event_sock *m = (const struct event_sock *)s->ev;

	if (m->e.kind == EV_UDP_DROP)
		snprintf(buf, size,
			 m->a == ENOMEM ? "no room in the receive buffer: it is lost" :
					  "it is lost: %s",
			 errno_name((int)m->a));
	else if (m->e.kind == EV_RCVQ_FULL)
		snprintf(buf, size, "the segment is dropped; the sender will try again");
	else
		return false;
	return true;
}

static bool say_forks(const struct step *s, char *buf, size_t size)
{
	const struct event_proc *p = (const struct event_proc *)s->ev;

	if (p->e.kind != EV_PROC || p->what != PROC_FORK)
		return false;
	snprintf(buf, size, "the child has copies of its descriptors");
	return true;
}

static const struct remark remarks[] = {
	{ .say = say_eof },
	{ .say = say_refused },
	{ .say = say_connected, .limit = 3, .unaccepted = true },
	{ .say = say_in_progress, .limit = 3 },
	{ .say = say_accepted, .limit = 2 },
	{ .say = say_bad_end },
	{ .say = say_again, .limit = 3 },
	{ .say = say_sent, .limit = 4 },
	{ .say = say_socket, .limit = 2 },
	{ .say = say_in_use },
	{ .say = say_by_exit, .limit = 4 },
	{ .say = say_still_open },
	{ .say = say_seen_mid },
	{ .say = say_retransmitted, .limit = 3 },
	{ .say = say_no_window },
	{ .say = say_time_wait, .limit = 3 },
	{ .say = say_dropped },
	{ .say = say_forks, .limit = 4 },
};
static_assert(sizeof(remarks) / sizeof(remarks[0]) <= REMARKS_MAX, "a counter for every row");

char *remark_for(struct render *r, const struct step *s, char *buf, size_t size)
{
	size_t i;

	if (!s->ev)
		return NULL;
	for (i = 0; i < sizeof(remarks) / sizeof(remarks[0]); i++) {
		if (remarks[i].unaccepted && !r->unaccepted)
			continue;
		if (!remarks[i].say(s, buf, size))
			continue;
		if (remarks[i].limit && r->remark_count[i] >= remarks[i].limit)
			return NULL;
		r->remark_count[i]++;
		return buf;
	}
	return NULL;
}
