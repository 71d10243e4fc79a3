// SPDX-License-Identifier: MIT
/*
 * Calls: what kind a step's call is, and which calls are in progress. A short call's entry and exit
 * come together; only one that blocks is in the list when time passes.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "../event/decode.h"
#include "inside.h"

const struct event_call *step_call(const struct step *s, enum phase phase)
{
	if (!s->ev || s->ev->kind != EV_CALL || s->phase != phase)
		return NULL;
	return (const struct event_call *)s->ev;
}

const struct event_call *step_returned(const struct step *s, enum call call)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);

	return c && c->call == call ? c : NULL;
}

/* sendfile and splice: x2 tells whether the socket is the source. */
static bool call_is_pipe(const struct event_call *c)
{
	return c->call == CALL_SENDFILE || c->call == CALL_SPLICE;
}

bool call_is_send(const struct event_call *c)
{
	return (c->call >= CALL_SENDTO && c->call <= CALL_WRITEV) || (call_is_pipe(c) && !c->x[2]);
}

bool call_is_receive(const struct event_call *c)
{
	return (c->call >= CALL_RECVFROM && c->call <= CALL_READV) || (call_is_pipe(c) && c->x[2]);
}

bool call_is_accept(const struct event_call *c)
{
	return c->call == CALL_ACCEPT || c->call == CALL_ACCEPT4;
}

bool call_is_close(const struct event_call *c)
{
	return c->call == CALL_CLOSE || c->call == CALL_CLOSE_RANGE ||
	       c->cflags & (CALLF_BY_EXIT | CALLF_BY_EXEC);
}

__u64 call_moved(const struct event_call *c)
{
	if (c->ret <= 0)
		return 0;
	return c->call == CALL_SENDMMSG || c->call == CALL_RECVMMSG ? c->len : (__u64)c->ret;
}

__u32 call_msg_flags(const struct event_call *c)
{
	switch (c->call) {
	case CALL_SENDTO:
	case CALL_SENDMSG:
	case CALL_SENDMMSG:
	case CALL_RECVFROM:
	case CALL_RECVMSG:
	case CALL_RECVMMSG:
		return c->x[0];
	}
	return 0;
}

bool step_is_tcp(const struct step *s)
{
	return s->sock && s->sock->protocol == IPPROTO_TCP;
}

bool step_is_udp(const struct step *s)
{
	return s->sock && s->sock->protocol == IPPROTO_UDP;
}

bool step_is_stream(const struct step *s)
{
	const struct conn *c = s->sock ? s->conn : NULL;

	/* connected to itself: both directions are one */
	if (!c || s->sock->type != SOCK_STREAM || (c->end[0] && c->end[0] == c->end[1]))
		return false;
	return s->sock->protocol == IPPROTO_TCP || s->sock->family == AF_UNIX;
}

int step_out(const struct step *s)
{
	return s->sock && s->sock->role == ROLE_SERVER;
}

static void call_forget(struct explain *x, __u32 tid)
{
	struct waiting *w = hash_del(x->callers, tid);

	if (!w)
		return;
	TAILQ_REMOVE(&x->waiting, w, link);
	free(w);
}

bool call_is_epoll(__u16 call)
{
	return call >= CALL_EPOLL_WAIT && call <= CALL_EPOLL_PWAIT2;
}

static void wait_on(const struct explain *x, struct waiting *w, int fd, __u16 events)
{
	__u32 sid = events ? model_fd(x->m, w->pid, fd) : 0;

	w->asked += events != 0;
	if (!sid || w->n_on == WAITING_ON)
		return;
	w->on[w->n_on].sid = sid;
	w->on[w->n_on++].events = events;
}

static void wait_on_all(const struct explain *x, struct waiting *w, const struct event_call *c)
{
	const struct select_sets *sets = call_select_sets(c);
	const struct poll_item *items;
	size_t i, count;
	int fd;

	items = call_poll_items(c, &count);
	for (i = 0; i < count; i++)
		if (items[i].fd >= 0)
			wait_on(x, w, items[i].fd, items[i].events);
	for (fd = 0; sets && fd < 64; fd++)
		wait_on(x, w, fd,
			(__u16)((sets->in[0] >> fd & 1 ? POLLIN : 0) |
				(sets->in[1] >> fd & 1 ? POLLOUT : 0)));
}

static int call_remember(struct explain *x, const struct step *s, const struct event_call *c)
{
	struct waiting *w = calloc(1, sizeof(*w));
	const char *path;
	size_t len;

	if (!w)
		return -ENOMEM;
	*w = (struct waiting){
		.id = s->id,
		.t_ns = s->t_ns,
		.pid = c->e.pid,
		.tid = c->e.tid,
		.sid = s->sock ? s->sock->sid : 0,
		.fd = c->fd,
		.call = c->call,
		.len = c->len,
		.flags = c->x[0],
	};
	if (c->call == CALL_CONNECT && call_addr(c, &w->to, &path, &len))
		w->to.family = 0;
	wait_on_all(x, w, c);
	if (hash_put(x->callers, c->e.tid, w)) {
		free(w);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&x->waiting, w, link);
	return 0;
}

/* After the families: at an exit they may still look at its entry. */
int calls_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = s->ev && s->ev->kind == EV_CALL ? (const void *)s->ev : NULL;

	if (!c || !c->e.tid || s->phase == PHASE_POINT)
		return 0;
	call_forget(x, c->e.tid);
	return s->phase == PHASE_ENTER ? call_remember(x, s, c) : 0;
}

struct waiting *call_waiting(const struct explain *x, __u32 sid, bool sending)
{
	struct waiting *w;

	TAILQ_FOREACH(w, &x->waiting, link)
	{
		const struct event_call c = { .call = w->call };

		if (sid && w->sid == sid && (sending ? call_is_send(&c) : call_is_receive(&c)))
			return w;
	}
	return NULL;
}

struct waiting *call_polling(const struct explain *x, const struct note *n, __u16 events)
{
	struct waiting *w;
	unsigned int i;

	TAILQ_FOREACH(w, &x->waiting, link)
	{
		if (call_is_epoll(w->call) && w->pid == n->pid)
			return w;
		for (i = 0; i < w->n_on; i++)
			if (w->on[i].sid == n->sid && w->on[i].events & events)
				return w;
	}
	return NULL;
}

void calls_free(struct explain *x)
{
	struct waiting *w;

	while ((w = TAILQ_FIRST(&x->waiting))) {
		TAILQ_REMOVE(&x->waiting, w, link);
		free(w);
	}
	hash_free(x->callers);
}
