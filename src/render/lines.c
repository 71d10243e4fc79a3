/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../event/describe.h"
#include "../event/names.h"
#include "text.h"

/* An UDP queue is worth a picture once this share of its buffer is in use. */
#define UDP_BAR_FROM 10 /* percent */

static enum side step_side(const struct step *s)
{
	return step_role(s) == ROLE_SERVER ? SIDE_SERVER : SIDE_CLIENT;
}

struct shown *lines_shown(struct render *r, __u32 sid)
{
	struct shown *m = &r->shown[sid % SHOWN_MAX];

	if (m->sid != sid)
		*m = (struct shown){ .sid = sid };
	return m;
}

static int add_note(struct render *r, const struct step *s, enum side side, const char *text,
		    enum style style, bool optional)
{
	int err = draft_join(r, s, side);
	struct cell *cell = &r->draft.line.cell[side];
	struct note *n = &cell->notes[cell->n_notes++];

	*n = (struct note){ .style = style, .optional = optional };
	snprintf(n->text, sizeof(n->text), "%s", text);
	return err;
}

static void add_remark(struct render *r, const struct step *s, enum side side)
{
	struct cell *cell = &r->draft.line.cell[side];
	char text[sizeof(cell->remarks[0])];

	if (cell->n_remarks < CELL_REMARKS && remark_for(r, s, text, sizeof(text)))
		memcpy(cell->remarks[cell->n_remarks++], text, sizeof(text));
}

static int backlog_note(struct render *r, const struct step *s, const struct levels *lv,
			enum side side)
{
	struct shown *m = lines_shown(r, s->sock->sid);
	__u32 before = m->backlog;
	char text[72];

	if (!(lv->flags & LV_LISTEN) || lv->ack_backlog == before)
		return 0;
	m->backlog = lv->ack_backlog;
	snprintf(text, sizeof(text), "accept queue %u -> %u of %u", before, lv->ack_backlog,
		 lv->max_ack_backlog);
	return add_note(r, s, side, text, STYLE_LEVEL, false);
}

static int rcvq_note(struct render *r, const struct step *s, const struct levels *lv,
		     enum side side)
{
	const struct ledger *in = &s->dir[side == SIDE_SERVER ? 0 : 1];
	struct shown *m = lines_shown(r, s->sock->sid);
	char text[72];

	if (!in->rx_seen || in->rcvq == m->rcvq)
		return 0;
	m->rcvq = in->rcvq;
	words_level(text, sizeof(text), "rcvq", in->rcvq, in->rcvq, in->rcvq + lv->rcv_wnd);
	return add_note(r, s, side, text, STYLE_LEVEL, false);
}

/* The buffer's limit counts memory, not bytes; so does the bar. The number counts bytes. */
static int sndq_note(struct render *r, const struct step *s, const struct levels *lv,
		     enum side side)
{
	const struct ledger *out = &s->dir[side == SIDE_SERVER ? 1 : 0];
	struct shown *m = lines_shown(r, s->sock->sid);
	__u64 bytes = out->unsent + out->in_flight;
	char text[72];

	if (!out->tx_seen || bytes == m->sndq)
		return 0;
	m->sndq = bytes;
	words_level(text, sizeof(text), "sndq", bytes,
		    lv->wmem_queued > bytes ? lv->wmem_queued : bytes, lv->sndbuf);
	return add_note(r, s, side, text, STYLE_LEVEL, false);
}

static int udp_note(struct render *r, const struct step *s, const struct levels *lv, enum side side)
{
	struct shown *m = lines_shown(r, s->sock->sid);
	bool high = lv->rcvbuf && (__u64)lv->rmem_alloc * 100 >= (__u64)lv->rcvbuf * UDP_BAR_FROM;
	__u64 now = high ? lv->rmem_alloc : 0;
	char text[72];

	if (now == m->rcvq)
		return 0;
	m->rcvq = now;
	words_level(text, sizeof(text), "rcvq memory", lv->rmem_alloc, lv->rmem_alloc, lv->rcvbuf);
	return add_note(r, s, side, text, STYLE_LEVEL, false);
}

/* Queue levels of the step's own socket, where they are not what was last shown. */
static int level_notes(struct render *r, const struct step *s, enum side side)
{
	const struct levels *lv = step_levels(s);
	int err;

	if (!lv || !s->sock || s->phase == PHASE_ENTER)
		return 0;
	if (lv->flags & LV_LISTEN)
		return backlog_note(r, s, lv, side);
	if (s->sock->type == SOCK_DGRAM && s->sock->family != AF_UNIX)
		return udp_note(r, s, lv, side);
	if (!(lv->flags & LV_TCP) || !s->conn)
		return 0;
	err = rcvq_note(r, s, lv, side);
	return err ? err : sndq_note(r, s, lv, side);
}

/* Calls libc makes inside getaddrinfo are counted, and their sockets never shown. */
static void count_gai(struct render *r, const struct step *s)
{
	unsigned int i, at = 0;

	if (step_sid(s))
		lines_shown(r, step_sid(s))->in_gai = true;
	if (s->phase == PHASE_EXIT)
		return;
	for (i = 0; i < GAI_MAX; i++) {
		if (r->gai[i].tid == s->ev->tid) {
			r->gai[i].calls++;
			return;
		}
		if (!r->gai[i].tid)
			at = i;
	}
	r->gai[at] = (struct gai_count){ .tid = s->ev->tid, .calls = 1 };
}

static void add_gai_count(struct render *r, const struct step *s, enum side side)
{
	char *call = r->draft.line.cell[side].call;
	size_t len = strlen(call), size = sizeof(r->draft.line.cell[side].call);
	unsigned int i;

	for (i = 0; i < GAI_MAX; i++) {
		if (!r->gai[i].tid || r->gai[i].tid != s->ev->tid)
			continue;
		snprintf(call + len, size - len, "  (%u socket calls inside)", r->gai[i].calls);
		r->gai[i].tid = 0;
	}
}

static enum style result_style(const struct event *ev)
{
	long long ret = ev->kind == EV_GAI ? ((const struct event_gai *)ev)->ret :
					     ((const struct event_call *)ev)->ret;

	if (ev->kind == EV_GAI)
		return ret ? STYLE_ALARM : STYLE_PLAIN;
	if (ret == -EAGAIN || ret == -EINPROGRESS || ret == -EINTR)
		return STYLE_WARN;
	return ret < 0 ? STYLE_ALARM : STYLE_PLAIN;
}

static bool is_close(const struct event *ev)
{
	const struct event_call *c = (const struct event_call *)ev;

	return ev->kind == EV_CALL && (c->call == CALL_CLOSE || c->call == CALL_CLOSE_RANGE ||
				       c->cflags & (CALLF_BY_EXIT | CALLF_BY_EXEC));
}

/* "[tid] " once a column holds the calls of several threads; then before, the text, then after. */
static void set_call(struct render *r, const struct step *s, enum side side, const char *before,
		     const char *text, const char *after)
{
	struct cell *cell = &r->draft.line.cell[side];
	char who[24] = "";

	if (draft_set_actor(r, s, side))
		snprintf(who, sizeof(who), "[%u] ", s->ev->tid ? s->ev->tid : s->ev->pid);
	snprintf(cell->call, sizeof(cell->call), "%s%s%s%s", who, before, text, after);
	cell->sid = step_sid(s);
	r->draft.closing = is_close(s->ev);
}

static int call_enter(struct render *r, const struct step *s, enum side side)
{
	int err = draft_start(r, s);
	char text[320];

	set_call(r, s, side, "", describe_call(text, sizeof(text), s->ev), " ...");
	r->draft.line.cell[side].call_style = s->exit_known ? STYLE_PLAIN : STYLE_WAIT;
	r->draft.open = true;
	r->draft.exit_known = s->exit_known;
	r->draft.enter_id = r->last_enter_id = s->id;
	add_remark(r, s, side);
	return err;
}

/* On its entry's line if nothing came between; else on its own, named if it might be mistaken. */
static int call_exit(struct render *r, const struct step *s, enum side side)
{
	struct draft *d = &r->draft;
	bool named = r->last_enter_id != s->enter_id;
	char text[360], result[300];
	int err = 0;

	r->last_enter_id = 0;
	words_exit(result, sizeof(result), s, false);
	if (d->line.used && d->open && d->enter_id == s->enter_id && !d->line.arrow.used &&
	    d->line.cell[side].call[0]) {
		describe_call(text, sizeof(text), s->ev);
		set_call(r, s, side, text, " ", result);
		d->t_last_ns = s->t_ns > d->t_last_ns ? s->t_ns : d->t_last_ns;
		draft_set_conn(r, s);
	} else {
		err = draft_start(r, s);
		words_exit(text, sizeof(text), s, named);
		set_call(r, s, side, "... ", text, "");
	}
	d->open = false;
	d->line.cell[side].call_style = result_style(s->ev);
	return err;
}

static int on_call(struct render *r, const struct step *s)
{
	enum side side = step_side(s);
	char text[320];
	int err;

	if (step_in_gai(s)) {
		count_gai(r, s);
		return 0;
	}
	if (s->phase == PHASE_ENTER)
		return call_enter(r, s, side);
	if (s->phase == PHASE_EXIT) {
		err = call_exit(r, s, side);
	} else {
		r->last_enter_id = 0;
		err = draft_start(r, s);
		set_call(r, s, side, "", describe_call(text, sizeof(text), s->ev), "");
	}
	if (s->ev->kind == EV_GAI)
		add_gai_count(r, s, side);
	if (!err)
		err = level_notes(r, s, side);
	add_remark(r, s, side);
	return err;
}

/* Only of processes that have something to do with the sockets shown. */
static int on_proc(struct render *r, const struct step *s)
{
	const struct event_proc *p = (const struct event_proc *)s->ev;
	enum side side = step_side(s);
	struct cell *cell = &r->draft.line.cell[side];
	char text[160];
	int err;

	if (!words_proc(text, sizeof(text), p))
		return 0;
	if (actor_known(r, SIDE_SERVER, p->e.pid) && !actor_known(r, SIDE_CLIENT, p->e.pid))
		side = SIDE_SERVER;
	if (!actor_known(r, side, p->e.pid) && (!s->proc || s->proc->role == ROLE_NONE))
		return 0;
	cell = &r->draft.line.cell[side];
	err = draft_start(r, s);
	snprintf(cell->call, sizeof(cell->call), "%s", text);
	cell->call_style = STYLE_BOLD;
	add_remark(r, s, side);
	return err;
}

static int on_segment(struct render *r, const struct step *s)
{
	enum side from = step_side(s);
	struct draft *d = &r->draft;
	int err = 0;

	if (s->sflags & STEP_SEG_PAIR)
		return 0;
	if (!draft_takes_segment(r, s, from))
		err = draft_start(r, s);
	else
		draft_set_conn(r, s);
	d->t_last_ns = s->t_ns > d->t_last_ns ? s->t_ns : d->t_last_ns;
	words_segment(s, &r->columns, &d->line.arrow);
	d->retransmit = s->sflags & STEP_RTX;
	if (((const struct event_segment *)s->ev)->sflags & SEGF_IN)
		d->line.cell[!from].sid = step_sid(s);
	else if (step_sid(s))
		d->line.cell[from].sid = step_sid(s);
	if (!err && d->retransmit)
		err = add_note(r, s, from, "retransmission", STYLE_WARN, false);
	add_remark(r, s, from);
	return err;
}

/*
 * The kernel's event says CLOSE when a time-wait entry takes the socket's place; what users know it
 * by, and what ss shows, is the entry's state: FIN_WAIT2 until the peer's FIN, then TIME_WAIT.
 */
static const char *state_shown(const struct step *s)
{
	const struct event_sock *m = (const struct event_sock *)s->ev;

	if (!(s->sflags & STEP_TIME_WAIT))
		return tcp_state_name(m->b);
	return m->lv.flags & LV_FIN_IN ? "TIME_WAIT" : "FIN_WAIT2 entry";
}

/*
 * States that follow each other on one line are one note: "SYN_RECV, ESTABLISHED". After shutdown() a close() sets the
 * state anew that the socket has (tcp_close_state() in net/ipv4/tcp.c): that is no change.
 */
static int on_state(struct render *r, const struct step *s)
{
	const struct event_sock *m = (const struct event_sock *)s->ev;
	enum side side = step_side(s);
	struct cell *cell = &r->draft.line.cell[side];
	struct note *n;
	size_t len;
	char text[72];
	int err;

	if (m->a == m->b)
		return 0;
	err = draft_join(r, s, side);
	n = cell->n_notes ? &cell->notes[cell->n_notes - 1] : NULL;
	len = n ? strlen(n->text) : 0;
	if (n && n->state_of == m->e.sid && len + 20 < sizeof(n->text)) {
		snprintf(n->text + len, sizeof(n->text) - len, ", %s", state_shown(s));
	} else if (cell->call[0] || r->draft.line.arrow.used || cell->n_notes) {
		err = err ? err : add_note(r, s, side, state_shown(s), STYLE_STATE, false);
	} else {
		snprintf(text, sizeof(text), "%s -> %s", tcp_state_name(m->a), state_shown(s));
		err = err ? err : add_note(r, s, side, text, STYLE_STATE, false);
	}
	if (cell->n_notes)
		cell->notes[cell->n_notes - 1].state_of = m->e.sid;
	add_remark(r, s, side);
	return err;
}

static int on_level(struct render *r, const struct step *s)
{
	return level_notes(r, s, step_side(s));
}

/* Does the line already say it? */
static bool is_said(const struct render *r, const struct step *s, enum side side)
{
	const struct draft *d = &r->draft;
	const struct conn *c = step_conn(s);

	if (!draft_near(r, s))
		return false;
	if (s->ev->kind == EV_RETRANSMIT || s->ev->kind == EV_SYNACK_RETRANS)
		return d->retransmit && c && c->id == d->conn;
	return s->ev->kind == EV_SOCK_CLOSED && d->closing && draft_same_sock(r, s, side);
}

static enum style moment_style(unsigned int kind)
{
	switch (kind) {
	case EV_RST_SENT:
	case EV_RST_RECEIVED:
	case EV_SOCK_ERROR:
	case EV_RCVQ_FULL:
	case EV_UDP_DROP:
	case EV_SKB_DROP:
		return STYLE_ALARM;
	case EV_RETRANSMIT:
	case EV_SYNACK_RETRANS:
		return STYLE_WARN;
	case EV_DESTROY:
	case EV_SOCK_CLOSED:
		return STYLE_DIM;
	}
	return STYLE_PLAIN;
}

static int on_moment(struct render *r, const struct step *s)
{
	enum side side = step_side(s);
	char text[72];
	int err = 0;

	if (!is_said(r, s, side) && words_moment(text, sizeof(text), s)) {
		if (s->ev->kind == EV_RST_SENT && r->draft.line.arrow.used)
			err = draft_flush(r); /* it stands beside the RST, which comes next */
		if (!err)
			err = add_note(r, s, side, text, moment_style(s->ev->kind),
				       s->ev->kind == EV_DESTROY);
		add_remark(r, s, side);
		r->draft.rst_follows |= s->ev->kind == EV_RST_SENT;
	}
	return err ? err : level_notes(r, s, side);
}

/* Kinds without a row feed headers and levels, and have no line. FIN_QUEUED and FIN_RECEIVED come
 * only from function probes; the segment and the state say the same on every backend. */
static int (*const handlers[EV_KIND_MAX])(struct render *, const struct step *) = {
	[EV_CALL] = on_call,
	[EV_PROC] = on_proc,
	[EV_GAI] = on_call,
	[EV_SEGMENT] = on_segment,
	[EV_STATE] = on_state,
	[EV_SENT] = on_moment,
	[EV_RECEIVED] = on_moment,
	[EV_DATA_READY] = on_level,
	[EV_ACK] = on_level,
	[EV_RETRANSMIT] = on_moment,
	[EV_SYNACK_RETRANS] = on_moment,
	[EV_RST_SENT] = on_moment,
	[EV_RST_RECEIVED] = on_moment,
	[EV_SOCK_ERROR] = on_moment,
	[EV_DESTROY] = on_moment,
	[EV_RCVQ_FULL] = on_moment,
	[EV_UDP_DROP] = on_moment,
	[EV_SKB_DROP] = on_moment,
	[EV_SOCK_CLOSED] = on_moment,
	[EV_LEVELS] = on_level,
};

/* Configuration of the network, asked for by ip, ss and libc: not the story of a connection. */
static bool is_netlink(const struct step *s)
{
	const struct event_call *c = (const struct event_call *)s->ev;

	if (s->sock && s->sock->family == AF_NETLINK)
		return true;
	return c->e.kind == EV_CALL && c->x[0] == AF_NETLINK &&
	       (c->call == CALL_SOCKET || c->call == CALL_SOCKETPAIR);
}

bool lines_hidden(const struct step *s)
{
	if (s->kind != STEP_EVENT)
		return false;
	return !s->ev || s->ev->kind >= EV_KIND_MAX || !handlers[s->ev->kind] || is_netlink(s);
}

static bool conn_in_gai(struct render *r, const struct conn *c)
{
	int end;

	for (end = 0; c && end < 2; end++)
		if (c->end[end] && lines_shown(r, c->end[end]->sid)->in_gai)
			return true;
	return false;
}

int lines_step(struct render *r, const struct step *s)
{
	int err;

	if (s->kind == STEP_LOST)
		return 0; /* the renderer's loss() says it, with the kinds */
	if (s->kind == STEP_SUMMARY) {
		err = draft_flush(r);
		if (err || conn_in_gai(r, s->conn))
			return err;
		return summary_conn(r, s);
	}
	if (s->ev->kind != EV_CALL && step_sid(s) && lines_shown(r, step_sid(s))->in_gai)
		return 0;
	return handlers[s->ev->kind](r, s);
}
