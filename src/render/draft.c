/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "text.h"

int draft_flush(struct render *r)
{
	struct draft *d = &r->draft;
	int err, next;

	if (!d->line.used)
		return 0;
	err = heads_before(r, d);
	columns_draw(&r->columns, &r->sheet, &d->line);
	d->line.used = false;
	if (!err)
		err = sheet_write(&r->sheet, &r->view);
	next = why_flush(r);
	return err ? err : next;
}

/*
 * A call whose exit is on its way keeps its line. One that blocks is shown at once. Anything else
 * is done when nothing can join any more: so rows do not depend on where ticks fall.
 */
int draft_tick(struct render *r, __u64 horizon_ns)
{
	const struct draft *d = &r->draft;

	if (!d->line.used)
		return 0;
	if (d->open && !d->exit_known)
		return draft_flush(r);
	if (d->open && !d->line.arrow.used)
		return 0;
	return horizon_ns >= d->t_last_ns + LINE_MERGE_NS ? draft_flush(r) : 0;
}

int draft_start(struct render *r, const struct step *s)
{
	int err = draft_flush(r);

	memset(&r->draft, 0, sizeof(r->draft));
	r->draft.line.used = true;
	r->draft.t_first_ns = r->draft.t_last_ns = s->t_ns;
	r->draft.actor_side = -1;
	draft_set_conn(r, s);
	return err;
}

/* Names of AF_UNIX sockets say little, and one end often has none: the processes tell. */
static void head_end(char *buf, size_t size, const struct conn *c, int end)
{
	__u32 pid = conn_pid(c, end);
	size_t len;

	fmt_end(buf, size, c, end);
	len = strlen(buf);
	if (c->family == AF_UNIX && pid)
		snprintf(buf + len, size - len, ", process %u", pid);
}

void draft_set_conn(struct render *r, const struct step *s)
{
	const struct conn *c = step_conn(s);
	struct draft *d = &r->draft;
	int end;

	if (c && !d->conn) {
		d->conn = c->id;
		d->server_port = c->addr[1].port;
	}
	/* An earlier step of its socket has the tag, but not yet the conversation's header. */
	c = s->conn;
	if (!c || c->id != d->conn || d->head_kind[0] || r->heads[c->id % SHOWN_MAX] == c->id)
		return;
	for (end = 0; end < 2; end++)
		head_end(d->head[end], sizeof(d->head[end]), c, end);
	snprintf(d->head_kind, sizeof(d->head_kind), "%s", conn_kind(c));
}

bool actor_known(const struct render *r, enum side side, __u32 tid)
{
	unsigned int i;

	for (i = 0; i < ACTORS_MAX && i < r->n_actors[side]; i++)
		if (r->actors[side][i] == tid)
			return true;
	return false;
}

bool draft_set_actor(struct render *r, const struct step *s, enum side side)
{
	struct draft *d = &r->draft;
	__u32 tid = s->ev->tid ? s->ev->tid : s->ev->pid;

	if (!tid)
		return false;
	if (!actor_known(r, side, tid)) {
		r->actors[side][r->n_actors[side]++ % ACTORS_MAX] = tid;
		d->actor_side = side;
		d->pid = s->ev->pid;
		d->tid = tid;
		snprintf(d->comm, sizeof(d->comm), "%s", s->proc ? s->proc->comm : "");
	}
	return r->n_actors[side] > 1;
}

bool draft_near(const struct render *r, const struct step *s)
{
	const struct draft *d = &r->draft;

	return d->line.used && s->t_ns <= d->t_last_ns + LINE_MERGE_NS &&
	       s->t_ns + LINE_MERGE_NS >= d->t_first_ns;
}

bool draft_same_sock(const struct render *r, const struct step *s, enum side side)
{
	return step_sid(s) && r->draft.line.cell[side].sid == step_sid(s);
}

static bool same_conn(const struct render *r, const struct step *s)
{
	const struct conn *c = step_conn(s);

	return c && r->draft.conn == c->id;
}

/* A connection enters its listener's queue while the handshake's last segment is handled. */
static bool is_its_listener(const struct render *r, const struct step *s)
{
	const struct draft *d = &r->draft;

	return s->sock && s->sock->listening && d->conn && d->line.arrow.used &&
	       d->server_port == s->sock->src.port;
}

static bool draft_takes(const struct render *r, const struct step *s, enum side side)
{
	const struct draft *d = &r->draft;
	const struct cell *cell = &d->line.cell[side];

	if (!draft_near(r, s) || cell->n_notes >= CELL_NOTES || cell->n_remarks >= CELL_REMARKS)
		return false;
	if (draft_same_sock(r, s, side) && d->conn && step_conn(s) && !same_conn(r, s))
		return false;
	/* A call too long to share its row with an arrow stays alone: the arrow joins the note. */
	if (d->open && !d->line.arrow.used && !columns_fit(&r->columns, side, strlen(cell->call)))
		return false;
	if (draft_same_sock(r, s, side))
		return true;
	return d->line.arrow.used && (same_conn(r, s) || is_its_listener(r, s));
}

int draft_join(struct render *r, const struct step *s, enum side side)
{
	struct cell *cell = &r->draft.line.cell[side];
	int err = 0;

	if (!draft_takes(r, s, side))
		err = draft_start(r, s);
	if (!cell->sid)
		cell->sid = step_sid(s);
	if (s->t_ns > r->draft.t_last_ns)
		r->draft.t_last_ns = s->t_ns;
	if (s->sock)
		r->draft.dst_port = s->sock->dst.port;
	draft_set_conn(r, s);
	return err;
}

static bool cell_used(const struct cell *c)
{
	return c->call[0] || c->n_notes;
}

/* A SYN leaves before the kernel has told its socket's port: it is known by where it goes. */
static bool is_its_syn(const struct render *r, const struct step *s)
{
	const unsigned int syn = 2, ack = 16;
	const struct event_segment *g = (const struct event_segment *)s->ev;

	return (g->flags & (syn | ack)) == syn && !step_sid(s) && s->conn &&
	       r->draft.dst_port == s->conn->addr[1].port;
}

static bool segment_is_rst(const struct step *s)
{
	const unsigned int rst = 4;

	return ((const struct event_segment *)s->ev)->flags & rst;
}

/* A segment joins the call, or the kernel's step, that made its sender send it. */
bool draft_takes_segment(const struct render *r, const struct step *s, enum side from)
{
	const struct draft *d = &r->draft;
	const struct cell *cell = &d->line.cell[from];

	if (!draft_near(r, s) || d->line.arrow.used || cell_used(&d->line.cell[!from]) ||
	    !cell_used(cell))
		return false;
	if (cell->n_remarks && !(d->rst_follows && segment_is_rst(s)))
		return false;
	if (d->conn ? !same_conn(r, s) : !draft_same_sock(r, s, from) && !is_its_syn(r, s))
		return false;
	return !cell->call[0] || (d->open && columns_fit(&r->columns, from, strlen(cell->call)));
}
