/* SPDX-License-Identifier: MIT */
/*
 * The sentences for the learner: one row a moment that surprises people. A row's function looks at a
 * step and writes its sentence, or returns false. The first row that speaks wins.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../event/decode.h"
#include "../event/names.h"
#include "text.h"

#define SHUT_RCV 1	    /* RCV_SHUTDOWN, include/net/sock.h */
#define STATE_ESTABLISHED 1 /* TCP_ESTABLISHED, include/net/tcp_states.h */
#define STATE_CLOSE 7	    /* TCP_CLOSE */
#define SHARES_FILES 0x400  /* CLONE_FILES, include/uapi/linux/sched.h */

struct remark {
	bool (*say)(const struct step *s, char *buf, size_t size);
	unsigned int limit; /* said at most this often in one trace, 0 = always */
	bool explained;	    /* a verdict says more: only where those are not shown */
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
	if (lv && is_tcp(s) && lv->state == STATE_CLOSE && !(lv->flags & LV_FIN_IN))
		snprintf(buf, size, "no EOF of the peer: the connection was reset before");
	else if (lv && (lv->shutdown & SHUT_RCV) && is_tcp(s) && !(lv->flags & LV_FIN_IN))
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
	snprintf(buf, size, "the kernel answered, not accept()");
	return true;
}

static bool say_in_progress(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = returned(s, CALL_CONNECT);
	const struct levels *lv = step_levels(s);

	if (!c || c->ret != -EINPROGRESS)
		return false;
	/* on loopback the answer has come before the call returns */
	if (lv && lv->state == STATE_ESTABLISHED)
		snprintf(buf, size, "non-blocking: connected by now, poll() will say so");
	else if (lv && lv->state == STATE_CLOSE)
		snprintf(buf, size, "non-blocking: refused by now, the error waits on the socket");
	else
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
	bool unix_sock = s->sock && s->sock->family == AF_UNIX;

	if (!c || !(is_send(c) || is_receive(c)) || !s->sock || s->sock->listening)
		return false;
	if (c->ret == -EPIPE)
		snprintf(buf, size,
			 unix_sock ? "one end is closed: nobody would read it" :
				     "this direction is closed: nothing more can be sent");
	else if (c->ret == -ECONNRESET && is_tcp(s))
		snprintf(buf, size, "the peer's RST has ended the connection");
	else if (c->ret == -ECONNRESET && unix_sock)
		snprintf(buf, size, "the peer closed with data unread");
	else
		return false;
	return true;
}

/* Use after close(), or a number that never was one. */
static bool say_no_socket(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);

	if (!c || s->sock || c->e.sid)
		return false;
	switch (c->call) { /* of these, another descriptor may be meant */
	case CALL_DUP2:
	case CALL_DUP3:
	case CALL_EPOLL_CTL:
	case CALL_SENDFILE:
	case CALL_SPLICE:
		return false;
	}
	if (c->ret == -EBADF)
		snprintf(buf, size, "%d is no open descriptor", c->fd);
	else if (c->ret == -ENOTSOCK)
		snprintf(buf, size, "%d is not a socket", c->fd);
	else
		return false;
	return true;
}

/* Restart codes never reach the program (include/linux/errno.h): the kernel makes the call anew, or it is EINTR. */
static bool say_interrupted(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);

	if (!c || (c->ret != -512 && c->ret != -513 && c->ret != -514 && c->ret != -516))
		return false;
	snprintf(buf, size, "a signal came while it waited");
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

static bool say_short(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);

	if (!c || !is_send(c) || c->call == CALL_SENDMMSG || c->ret <= 0 || !is_tcp(s) ||
	    (__u64)c->ret >= c->len)
		return false;
	snprintf(buf, size, "only %lld of %llu bytes fitted", (long long)c->ret,
		 (unsigned long long)c->len);
	return true;
}

static bool say_sent(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	const struct ledger *out = &s->dir[own_dir(s)];
	const struct levels *lv = step_levels(s);
	__u64 unread = out->written - out->read;

	if (!c || !is_send(c) || c->ret <= 0 || !is_tcp(s) || !s->conn || !out->tx_seen)
		return false;
	if (lv && lv->state == STATE_CLOSE)
		snprintf(buf, size, "copied to the kernel; by now the connection is reset");
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
	struct ev_addr addr;
	const char *path;
	size_t path_len;

	if (!c || c->ret != -EADDRINUSE)
		return false;
	if (call_addr(c, &addr, &path, &path_len) || addr.family != AF_UNIX)
		snprintf(buf, size, "another socket holds this port");
	else
		snprintf(buf, size, "%s",
			 path_len && path[0] ? "the path exists already" : "this name is taken");
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
	snprintf(buf, size, "%s%s", is_tcp(s) && !s->sock->listening && s->conn ? "no FIN: " : "",
		 s->sflags & STEP_HELD ? "a call in progress still holds it" :
					 "another descriptor keeps the socket open");
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
	if (s->ev->kind != EV_STATE || !(s->sflags & STEP_TIME_WAIT))
		return false;
	snprintf(buf, size, "the socket is freed; a small time-wait entry takes its place");
	return true;
}

static bool say_cut(const struct step *s, char *buf, size_t size)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	__u64 got;

	if (!c || !(s->sflags & STEP_TRUNC))
		return false;
	got = (__u64)c->ret < c->len ? (__u64)c->ret : c->len;
	if (s->n)
		snprintf(buf, size, "the datagram had %llu B: %llu are gone",
			 (unsigned long long)(got + s->n), (unsigned long long)s->n);
	else
		snprintf(buf, size, "the datagram was longer: the rest is gone");
	return true;
}

/* include/net/rstreason.h, and what each means to a program */
static const struct {
	const char *name, *sentence;
} rst_reasons[] = {
	{ "NO_SOCKET", "nobody listens on this port" },
	{ "TCP_ABORT_ON_CLOSE", "closed with unread bytes" },
	{ "TCP_ABORT_ON_DATA", "data came after close()" },
	{ "TCP_STATE", "linger 0, or a listener closed with connections waiting" },
	{ "TCP_TIMEWAIT_SOCKET", "only a time-wait entry is left of the socket" },
	{ "TCP_KEEPALIVE_TIMEOUT", "the peer no longer answers keepalive probes" },
};

static bool say_rst(const struct step *s, char *buf, size_t size)
{
	size_t i;

	if (s->ev->kind != EV_RST_SENT || !s->reason)
		return false;
	for (i = 0; i < sizeof(rst_reasons) / sizeof(rst_reasons[0]); i++)
		if (!strcmp(s->reason, rst_reasons[i].name)) {
			snprintf(buf, size, "%s", rst_reasons[i].sentence);
			return true;
		}
	return false;
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
		snprintf(buf, size, "the %s; the sender will try again",
			 m->lv.flags & LV_LISTEN ? "SYN is dropped unanswered" :
						   "segment is dropped");
	else
		return false;
	return true;
}

static bool say_forks(const struct step *s, char *buf, size_t size)
{
	const struct event_proc *p = (const struct event_proc *)s->ev;

	if (p->e.kind != EV_PROC || p->what != PROC_FORK)
		return false;
	snprintf(buf, size,
		 p->clone_flags & SHARES_FILES ? "the child shares its descriptors" :
						 "the child has copies of its descriptors");
	return true;
}

static const struct remark remarks[] = {
	{ .say = say_eof, .explained = true },
	{ .say = say_refused, .explained = true },
	{ .say = say_connected, .limit = 3, .unaccepted = true },
	{ .say = say_in_progress, .limit = 3, .explained = true },
	{ .say = say_accepted, .limit = 2 },
	{ .say = say_bad_end, .explained = true },
	{ .say = say_no_socket },
	{ .say = say_interrupted },
	{ .say = say_again, .limit = 3 },
	{ .say = say_short, .explained = true },
	{ .say = say_sent, .limit = 4, .explained = true },
	{ .say = say_cut, .explained = true },
	{ .say = say_socket, .limit = 2 },
	{ .say = say_in_use, .explained = true },
	{ .say = say_by_exit, .limit = 4 },
	{ .say = say_still_open, .explained = true },
	{ .say = say_seen_mid },
	{ .say = say_retransmitted, .limit = 3 },
	{ .say = say_no_window, .limit = 2 },
	{ .say = say_time_wait, .limit = 3 },
	{ .say = say_rst, .explained = true },
	{ .say = say_dropped, .explained = true },
	{ .say = say_forks, .limit = 4 },
};
static_assert(sizeof(remarks) / sizeof(remarks[0]) <= REMARKS_MAX, "a counter for every row");

char *remark_for(struct render *r, const struct step *s, char *buf, size_t size)
{
	size_t i;

	if (!s->ev)
		return NULL;
	for (i = 0; i < sizeof(remarks) / sizeof(remarks[0]); i++) {
		if ((remarks[i].unaccepted && !r->unaccepted) ||
		    (remarks[i].explained && !r->view.no_verdicts))
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
