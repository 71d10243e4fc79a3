/* SPDX-License-Identifier: MIT */
/*
 * The table event: a row for each step.
 */
#include <string.h>

#include "../event/names.h"
#include "../model/step.h"
#include "load.h"

static void put_result(struct rows *row, __s64 ret)
{
	put_int(row, COL_EVENT_RET, ret < 0 ? -1 : ret);
	put_word(row, COL_EVENT_ERRNO, load_errno(ret));
}

static bool moves_bytes(const struct event_call *c)
{
	return c->call >= CALL_SENDTO && c->call <= CALL_READV;
}

static bool many_messages(const struct event_call *c)
{
	return c->call == CALL_SENDMMSG || c->call == CALL_RECVMMSG;
}

static bool call_returned(const struct event_call *c, enum phase phase)
{
	return phase != PHASE_ENTER && !(c->cflags & (CALLF_PENDING | CALLF_KILLED));
}

static void put_call(struct rows *row, const struct step *s)
{
	const struct event_call *c = (const struct event_call *)s->ev;

	put_word(row, COL_EVENT_CALL, call_name(c->call));
	if (c->fd >= 0)
		put_int(row, COL_EVENT_FD, c->fd);
	if (!call_returned(c, s->phase))
		return;
	if (!(c->cflags & (CALLF_BY_EXIT | CALLF_BY_EXEC)))
		put_result(row, c->ret);
	if (moves_bytes(c) && c->ret >= 0)
		put_int(row, COL_EVENT_LEN, many_messages(c) ? (__s64)c->len : c->ret);
	if (s->sflags & STEP_EOF)
		put_int(row, COL_EVENT_EOF, 1);
}

static void put_gai(struct rows *row, const struct step *s)
{
	const struct event_gai *g = (const struct event_gai *)s->ev;

	put_word(row, COL_EVENT_CALL, "getaddrinfo");
	if (s->phase == PHASE_ENTER)
		return;
	put_int(row, COL_EVENT_RET, g->ret);
	put_word(row, COL_EVENT_ERRNO, g->ret ? gai_error_name(g->ret) : NULL);
}

static void put_moment(struct rows *row, const struct step *s)
{
	const struct event_sock *m = (const struct event_sock *)s->ev;

	switch (s->ev->kind) {
	case EV_SENT:
	case EV_RECEIVED:
		put_result(row, (__s32)m->a);
		break;
	case EV_SOCK_ERROR:
		put_word(row, COL_EVENT_ERRNO, load_errno(-(__s64)m->a));
		break;
	case EV_UDP_DROP:
		put_word(row, COL_EVENT_ERRNO, load_errno(-(__s64)m->a));
		put_int(row, COL_EVENT_LEN, m->c);
		break;
	case EV_RETRANSMIT:
	case EV_SKB_DROP:
		put_int(row, COL_EVENT_LEN, m->c);
		break;
	default:
		break;
	}
}

static void put_kind(struct rows *row, const struct step *s)
{
	switch (s->ev->kind) {
	case EV_CALL:
		put_call(row, s);
		break;
	case EV_GAI:
		put_gai(row, s);
		break;
	case EV_SEGMENT:
		put_int(row, COL_EVENT_LEN, ((const struct event_segment *)s->ev)->len);
		break;
	default:
		put_moment(row, s);
		break;
	}
	put_text(row, COL_EVENT_REASON, s->reason);
}

static void put_levels(struct rows *row, const struct step *s)
{
	const struct levels *lv = s->phase == PHASE_ENTER ? NULL : step_levels(s);

	if (!lv)
		return;
	put_int(row, COL_EVENT_SNDBUF, lv->sndbuf);
	put_int(row, COL_EVENT_RCVBUF, lv->rcvbuf);
	if (!(lv->flags & LV_LISTEN))
		return;
	put_int(row, COL_EVENT_ACCEPT_DEPTH, lv->ack_backlog);
	put_int(row, COL_EVENT_ACCEPT_LIMIT, lv->max_ack_backlog);
}

static void bytes_of(__u64 *bytes, const struct ledger *l)
{
	const __u64 now[TOLD_BYTES] = {
		l->written, l->unsent, l->in_flight,
		l->rcvq,    l->read,   l->destroyed + l->discarded + l->unacked + l->truncated,
	};

	memcpy(bytes, now, sizeof(now));
}

/* Six columns from `first` on. */
static void put_bytes_of(struct rows *row, int first, const struct ledger *l, const __u64 *bytes)
{
	int i;

	for (i = 0; i < TOLD_BYTES && (l->tx_seen || l->rx_seen); i++)
		put_int(row, first + i, (__s64)bytes[i]);
}
_Static_assert(COL_EVENT_OUT_GONE == COL_EVENT_OUT_WRITTEN + TOLD_BYTES - 1, "put_bytes_of");
_Static_assert(COL_EVENT_IN_GONE == COL_EVENT_IN_WRITTEN + TOLD_BYTES - 1, "put_bytes_of");

/* Only when it is news: most events move no byte. */
static void put_ledgers(struct render *r, struct rows *row, const struct step *s)
{
	enum role role = step_own_role(s);
	int out = role == ROLE_SERVER;
	struct told now = { 0 }, *before;

	if (!s->conn || role == ROLE_NONE)
		return;
	now.conn = s->conn->id;
	now.seen = s->dir[0].tx_seen | s->dir[0].rx_seen << 1 | s->dir[1].tx_seen << 2 |
		   s->dir[1].rx_seen << 3;
	bytes_of(now.bytes[0], &s->dir[0]);
	bytes_of(now.bytes[1], &s->dir[1]);
	before = &r->told[now.conn % TOLD_MAX];
	if (!memcmp(before, &now, sizeof(now)))
		return;
	*before = now;
	put_bytes_of(row, COL_EVENT_OUT_WRITTEN, &s->dir[out], now.bytes[out]);
	put_bytes_of(row, COL_EVENT_IN_WRITTEN, &s->dir[!out], now.bytes[!out]);
}

static void put_who(struct rows *row, const struct step *s)
{
	const struct conn *c = step_conn(s);
	const struct proc *p = s->proc;

	put_known(row, COL_EVENT_PID, s->ev && s->ev->pid ? s->ev->pid : p ? p->pid : 0);
	put_known(row, COL_EVENT_TID, s->ev ? s->ev->tid : 0);
	put_text(row, COL_EVENT_COMM, p ? p->comm : NULL);
	put_known(row, COL_EVENT_SOCK, sock_number(s->sock));
	put_known(row, COL_EVENT_SID, step_sid(s));
	put_known(row, COL_EVENT_CONN, c ? c->id : 0);
	put_word(row, COL_EVENT_ROLE, role_name(step_own_role(s)));
}

int load_event(struct render *r, const struct step *s)
{
	struct rows *row = load_row(r, TABLE_EVENT);

	put_int(row, COL_EVENT_ID, (__s64)s->id);
	put_int(row, COL_EVENT_T_NS, load_time(r, s->t_ns));
	put_word(row, COL_EVENT_KIND, step_kind_word(s));
	put_word(row, COL_EVENT_LAYER, layer_word(s->layer));
	put_word(row, COL_EVENT_PHASE, phase_word(s->phase));
	put_who(row, s);
	if (s->kind == STEP_EVENT)
		put_kind(row, s);
	put_levels(row, s);
	put_ledgers(r, row, s);
	return rows_end(row);
}
