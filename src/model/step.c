/* SPDX-License-Identifier: MIT */
#include "step.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "../event/names.h"

/* Above any cookie the kernel hands out in a machine's life, below 2^53. */
#define SOCK_WITHOUT_COOKIE (1ull << 52)

__u64 sock_number(const struct sock *s)
{
	if (!s)
		return 0;
	return s->cookie ? s->cookie : SOCK_WITHOUT_COOKIE + s->sid;
}

const struct levels *step_levels(const struct step *s)
{
	const struct levels *lv = NULL;

	if (!s->ev)
		return NULL;
	if (s->ev->kind == EV_CALL)
		lv = &((const struct event_call *)s->ev)->lv;
	else if (s->ev->kind == EV_SOCK)
		lv = &((const struct event_sockinfo *)s->ev)->lv;
	else if (s->ev->size == sizeof(struct event_sock) && s->ev->kind >= EV_STATE)
		lv = &((const struct event_sock *)s->ev)->lv;
	return lv && (lv->flags & LV_VALID) ? lv : NULL;
}

/* An accept() belongs to the conversation it hands out. */
const struct conn *step_conn(const struct step *s)
{
	if (s->conn)
		return s->conn;
	if (s->sock && s->sock->conn)
		return s->sock->conn;
	return s->sock2 ? s->sock2->conn : NULL;
}

__u32 step_sid(const struct step *s)
{
	return s->sock ? s->sock->sid : 0;
}

enum role step_role(const struct step *s)
{
	if (s->ev && s->ev->kind == EV_SEGMENT && s->seg_from != ROLE_NONE)
		return s->seg_from;
	if (s->ev && s->ev->kind == EV_RST_SENT && s->role != ROLE_NONE)
		return s->role; /* there may be no socket, or one that is gone */
	/* A process may hold sockets of both roles: its own says nothing about a socket without one. */
	if (s->sock)
		return s->sock->role;
	if (s->role != ROLE_NONE)
		return s->role;
	return s->proc ? s->proc->role : ROLE_NONE;
}

enum role step_own_role(const struct step *s)
{
	if (s->role != ROLE_NONE)
		return s->role;
	return s->sock ? s->sock->role : ROLE_NONE;
}

const char *step_kind_word(const struct step *s)
{
	switch (s->kind) {
	case STEP_EVENT:
		return kind_name(s->ev->kind);
	case STEP_SUMMARY:
		return "summary";
	case STEP_LOST:
		return "lost";
	}
	return "?";
}

const char *layer_word(enum layer layer)
{
	switch (layer) {
	case LAYER_APP:
		return "app";
	case LAYER_KERNEL:
		return "kernel";
	case LAYER_WIRE:
		return "wire";
	}
	return "kernel";
}

const char *phase_word(enum phase phase)
{
	switch (phase) {
	case PHASE_POINT:
		return "point";
	case PHASE_ENTER:
		return "enter";
	case PHASE_EXIT:
		return "exit";
	}
	return "point";
}

const char *conn_how_word(enum conn_end how)
{
	switch (how) {
	case END_OPEN:
		return "open";
	case END_FIN:
		return "fin";
	case END_RST:
		return "rst";
	case END_REFUSED:
		return "refused";
	case END_TIMEOUT:
		return "timeout";
	case END_GONE:
		return "gone";
	}
	return "open";
}

const char *conn_end_word(int end)
{
	return end < 0 ? "" : role_name(end ? ROLE_SERVER : ROLE_CLIENT);
}

bool step_in_gai(const struct step *s)
{
	return s->ev && s->ev->kind == EV_CALL &&
	       ((const struct event_call *)s->ev)->cflags & CALLF_IN_GAI;
}

const char *conn_kind(const struct conn *c)
{
	if (c->family == AF_UNIX)
		return "unix";
	return c->protocol == IPPROTO_UDP ? "UDP" : "TCP";
}

char *fmt_end(char *buf, size_t size, const struct conn *c, int end)
{
	const struct sock *s = c->end[end];
	struct ev_addr addr = addr_on_wire(&c->addr[end]); /* both ends in the same form */

	if (s && s->family == AF_UNIX && s->path_len)
		return fmt_path(buf, size, s->path, s->path_len);
	return fmt_addr(buf, size, &addr);
}

__u32 conn_pid(const struct conn *c, int end)
{
	const struct sock *s = c->end[end];

	if (!c->pid[end] && s && s->listener) /* not accepted yet */
		return s->listener->opener_pid;
	return c->pid[end];
}

__u64 conn_lasted_ns(const struct step *s)
{
	__u64 end_ns = s->how == END_OPEN ? s->t_ns : s->conn->t_last_ns;

	return end_ns > s->conn->t_first_ns ? end_ns - s->conn->t_first_ns : 0;
}
