// SPDX-License-Identifier: MIT
/*
 * What a step says of its socket: every one leaves its mark on the socket's page. Marks are ids and times, not
 * pointers, so a page may outlive the model's object; see book.c.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "../model/step.h"
#include "inside.h"

const struct mark *note_mark(const struct note *n, enum mark_kind kind)
{
	return n && n->marks[kind].id ? &n->marks[kind] : NULL;
}

bool note_told(struct note *n, const struct rule *r)
{
	unsigned int i;

	if (!n)
		return false;
	for (i = 0; i < n->n_told; i++)
		if (n->told[i] == r)
			return true;
	if (n->n_told == NOTE_TOLD)
		return true; /* said enough about one socket */
	n->told[n->n_told++] = r;
	return false;
}

bool heard_of(struct heard *h, __u32 pid, enum role role)
{
	const unsigned int room = sizeof(h->who) / sizeof(h->who[0]);
	__u64 who = (__u64)pid << 8 | role;
	unsigned int i;

	for (i = 0; i < h->n && i < room; i++)
		if (h->who[i] == who)
			return true;
	h->who[h->n++ % room] = who;
	return false;
}

/* --- what a step says of its socket --- */

static void mark(struct note *n, enum mark_kind kind, const struct step *s, __s64 value)
{
	n->marks[kind] = (struct mark){
		.id = s->id,
		.t_ns = s->t_ns,
		.pid = s->ev->pid ? s->ev->pid : n->pid,
		.fd = s->ev->kind == EV_CALL ? ((const struct event_call *)s->ev)->fd : -1,
		.n = value,
	};
}

static void mark_first(struct note *n, enum mark_kind kind, const struct step *s, __s64 value)
{
	if (!n->marks[kind].id)
		mark(n, kind, s, value);
}

static void mark_count(struct note *n, enum mark_kind kind, const struct step *s)
{
	mark(n, kind, s, n->marks[kind].n + 1);
}

/* Who it is now: an object of the model may be filled in late. */
static void note_identity(struct explain *x, struct note *n, const struct sock *s)
{
	n->number = sock_number(s);
	n->netns = s->netns ? s->netns : n->netns;
	n->family = s->family;
	n->type = s->type;
	n->protocol = s->protocol;
	n->listening = n->listening || s->listening;
	if (s->role != ROLE_NONE)
		n->role = s->role;
	if (s->src.family)
		note_moves(x, n, &s->src);
	if (s->dst.family)
		n->dst = s->dst;
	if (s->peer)
		n->peer = s->peer->sid;
	if (s->listener)
		n->listener = s->listener->sid;
	if (s->conn)
		n->conn = s->conn->id;
	if (!n->pid)
		n->pid = s->opener_pid;
	if (n->fd < 0)
		n->fd = s->opener_fd;
}

static void note_option(struct note *n, const struct step *s, const struct event_call *c)
{
	static const struct {
		__u32 level, name;
		enum option_kind kind;
	} rows[] = {
		{ SOL_SOCKET, SO_REUSEADDR, OPT_REUSEADDR },
		{ SOL_SOCKET, SO_REUSEPORT, OPT_REUSEPORT },
		{ SOL_SOCKET, SO_KEEPALIVE, OPT_KEEPALIVE },
		{ SOL_SOCKET, SO_RCVTIMEO, OPT_RCVTIMEO },
		{ SOL_SOCKET, SO_SNDTIMEO, OPT_SNDTIMEO },
		{ SOL_SOCKET, SO_RCVBUF, OPT_RCVBUF },
		{ SOL_SOCKET, SO_SNDBUF, OPT_SNDBUF },
		{ SOL_SOCKET, SO_OOBINLINE, OPT_OOBINLINE },
		{ SOL_SOCKET, SO_LINGER, OPT_LINGER },
		{ IPPROTO_TCP, 1 /* TCP_NODELAY */, OPT_NODELAY },
		{ IPPROTO_TCP, 18 /* TCP_USER_TIMEOUT */, OPT_USER_TIMEOUT },
	};
	__s32 word[2]; /* of the value, in memory order */
	size_t i;

	if (c->ret)
		return;
	memcpy(word, &c->len, sizeof(word));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (c->x[0] != rows[i].level || c->x[1] != rows[i].name)
			continue;
		n->opts[rows[i].kind] = (struct mark){
			.id = s->id,
			.t_ns = s->t_ns,
			.pid = c->e.pid,
			.fd = c->fd,
			.n = word[0],
		};
		if (rows[i].kind == OPT_LINGER)
			n->opts[OPT_LINGER].n = word[0] ? word[1] : -1;
	}
}

static void note_moved(struct note *n, const struct step *s, const struct event_call *c)
{
	bool sending = call_is_send(c);
	bool peek = !sending && call_msg_flags(c) & MSG_PEEK;
	__u64 moved = call_moved(c);

	if (c->ret < 0) {
		mark(n, sending ? MARK_SEND_ERR : MARK_RECV_ERR, s, c->ret);
	} else if (sending && c->ret > 0) {
		n->sends++;
		n->sent += moved;
		mark_first(n, MARK_SEND_FIRST, s, (__s64)moved);
		mark(n, MARK_SEND, s, (__s64)moved);
	} else if (!sending && s->sflags & STEP_EOF) {
		mark_first(n, MARK_EOF, s, 0);
	} else if (!sending && !peek) {
		n->recvs++;
		n->received += moved;
		mark(n, MARK_RECV, s, (__s64)moved);
	}
}

/* At its entry, if its result is known then: its FIN leaves, and may be read, before it returns. */
static void note_shutdown(struct note *n, const struct step *s, const struct event_call *c)
{
	if (c->x[0] != SHUT_WR)
		mark_first(n, MARK_SHUT_RD, s, c->x[0]);
	if (c->x[0] != SHUT_RD)
		mark_first(n, MARK_SHUT_WR, s, c->x[0]);
}

static void note_returned(struct note *n, const struct step *s, const struct event_call *c)
{
	if (call_is_send(c) || call_is_receive(c))
		note_moved(n, s, c);
	if (c->call == CALL_CONNECT)
		mark(n, MARK_CONNECTED, s, c->ret);
	if (c->ret < 0)
		return;
	switch (c->call) {
	case CALL_SOCKET:
	case CALL_SOCKETPAIR:
		mark(n, MARK_SOCKET, s, c->ret);
		n->fd = (int)c->ret;
		break;
	case CALL_BIND:
		mark(n, MARK_BIND, s, 0);
		break;
	case CALL_LISTEN:
		mark(n, MARK_LISTEN, s, c->x[0]);
		n->listening = true;
		break;
	case CALL_SHUTDOWN:
		note_shutdown(n, s, c);
		break;
	case CALL_SETSOCKOPT:
		note_option(n, s, c);
		break;
	}
}

/* The entry is where close() acts: its FIN or RST leaves before it returns. */
static void note_close(struct note *n, const struct step *s, const struct event_call *c)
{
	if (s->phase == PHASE_EXIT)
		return;
	if (c->cflags & CALLF_LAST_REF || !c->x[0])
		mark_first(n, MARK_CLOSE, s, c->cflags);
	else
		mark(n, MARK_CLOSE_SOME, s, c->x[0]);
}

static int note_call(struct explain *x, struct note *n, const struct step *s)
{
	const struct event_call *c = (const struct event_call *)s->ev;
	/* A process that only gives up its copy is not the one to name. */
	bool leaves = call_is_close(c) && c->x[0] && !(c->cflags & CALLF_LAST_REF);
	struct note *child;

	if (c->e.pid && !leaves && c->call != CALL_ACCEPT && c->call != CALL_ACCEPT4) {
		n->pid = c->e.pid;
		n->fd = c->fd >= 0 && c->call != CALL_SOCKETPAIR ? c->fd : n->fd;
	}
	if (call_is_close(c))
		note_close(n, s, c);
	else if (s->phase == PHASE_EXIT)
		note_returned(n, s, c);
	else if (c->call == CALL_CONNECT)
		mark(n, MARK_CONNECT, s, 0);
	else if (c->call == CALL_SHUTDOWN && s->exit_known && !c->ret)
		note_shutdown(n, s, c);
	if (!s->sock2 || s->phase != PHASE_EXIT || s->sock2 == s->sock)
		return 0;
	child = note_get(x, s->sock2->sid);
	if (!child)
		return -ENOMEM;
	note_identity(x, child, s->sock2);
	if (call_is_accept(c)) {
		child->pid = c->e.pid;
		child->fd = (int)c->ret;
		mark(child, MARK_ACCEPTED, s, c->ret);
	}
	return 0;
}

static void note_segment(struct note *n, const struct step *s)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;
	bool in = g->sflags & SEGF_IN;

	if (g->len || g->sflags & SEGF_UDP) { /* a datagram may be empty */
		(in ? &n->data_in : &n->data_out)[0]++;
		mark(n, in ? MARK_DATA_IN : MARK_DATA_OUT, s, g->len);
	}
	if (g->sflags & SEGF_UDP)
		return;
	if (g->flags & TCPF_SYN && !in)
		n->marks[MARK_SYN_OUT].n++;
	if (g->flags & TCPF_SYN && !in && !n->marks[MARK_SYN_OUT].id)
		mark(n, MARK_SYN_OUT, s, 1);
	if (g->flags & TCPF_SYN && in && n->listening)
		mark(n, MARK_SYN_IN, s, s->conn && s->conn->end[0] ? s->conn->end[0]->sid : 0);
	if (g->flags & TCPF_FIN)
		mark_first(n, in ? MARK_FIN_IN : MARK_FIN_OUT, s, 0);
	if (g->flags & TCPF_RST)
		mark_first(n, in ? MARK_RST_IN : MARK_RST_OUT, s, 0);
	if (!in || !(g->flags & TCPF_ACK) || g->flags & (TCPF_RST | TCPF_SYN))
		return;
	mark(n, MARK_ACK_IN, s, (__s64)s->win_bytes);
	if (g->win)
		n->marks[MARK_ZERO_WIN].id = 0;
	else
		mark_first(n, MARK_ZERO_WIN, s, 0);
}

static void note_state(struct note *n, const struct step *s, const struct event_sock *k)
{
	mark(n, MARK_STATE, s, k->b);
	if (k->b == TCP_S_ESTABLISHED)
		mark_first(n, MARK_ESTABLISHED, s, 0);
	if (k->b == TCP_S_CLOSE)
		mark(n, MARK_LAST_STATE, s, k->a);
	if (s->sflags & STEP_TIME_WAIT)
		mark(n, MARK_TIME_WAIT, s, k->a);
}

static void note_kernel(struct explain *x, struct note *n, const struct step *s)
{
	const struct event_sock *k = (const struct event_sock *)s->ev;

	switch (s->ev->kind) {
	case EV_STATE:
		note_state(n, s, k);
		break;
	case EV_RST_SENT:
		mark_first(n, MARK_RST_WHY, s, k->b ? (__s64)k->a : -1);
		break;
	case EV_RETRANSMIT:
		mark_count(n, MARK_RTX, s);
		break;
	case EV_SOCK_ERROR:
		mark(n, MARK_ERROR, s, k->a);
		break;
	case EV_RCVQ_FULL: /* on a listener it follows the SYN it is about */
		if (n->listening && note_of(x, (__u32)n->marks[MARK_SYN_IN].n))
			mark_count(note_of(x, (__u32)n->marks[MARK_SYN_IN].n), MARK_SYN_DROP, s);
		/* fallthrough */
	case EV_UDP_DROP:
		mark_count(n, MARK_DROP, s);
		break;
	case EV_DESTROY:
		mark(n, MARK_DESTROY, s, 0);
		note_die(x, n, s->t_ns);
		break;
	case EV_SOCK_CLOSED:
		if (n->protocol != IPPROTO_TCP)
			note_die(x, n, s->t_ns);
		break;
	}
}

/* Levels of a socket already torn down tell nothing of what it held. */
static void note_levels(struct note *n, const struct step *s)
{
	const struct levels *lv = step_levels(s);

	if (lv && s->phase != PHASE_ENTER && lv->state != TCP_S_CLOSE)
		n->lv = *lv;
}

int notes_step(struct explain *x, const struct step *s)
{
	struct note *n;
	int err = 0;

	if (!s->ev || !s->sock)
		return 0;
	if (s->sock->destroyed && !note_of(x, s->sock->sid))
		return 0; /* what comes for it so late begins no new page, which nothing would end */
	n = note_get(x, s->sock->sid);
	if (!n)
		return -ENOMEM;
	note_identity(x, n, s->sock);
	if (s->ev->kind == EV_CALL)
		err = note_call(x, n, s);
	else if (s->ev->kind == EV_SEGMENT)
		note_segment(n, s);
	else if (s->ev->kind >= EV_STATE && s->ev->size == sizeof(struct event_sock))
		note_kernel(x, n, s);
	note_levels(n, s);
	return err;
}
