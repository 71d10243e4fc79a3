// SPDX-License-Identifier: MIT
/*
 * The ledger of datagrams: theory of operation.
 *
 * UDP has no sequence numbers. What is known of the datagrams of one direction, S being the sending
 * and R the receiving socket, is counted at the places they pass:
 *
 *	S: calls -> sent	wire -> left      came <- wire		R: queued <- kernel, read <- calls
 *
 * with their fates beside: dropped at R (EV_UDP_DROP, or EV_SKB_DROP with R's name), taken by nobody
 * and stopped on the way (EV_SKB_DROP with a flow and no socket). A datagram is counted where it is
 * seen, so a later place may be ahead of an earlier one (on loopback it is queued inside send()); each
 * count is raised to those that follow from it. What came and has no fate yet is queued, unless the
 * kernel tells of queueing (EV_DATA_READY): then it is still on its way. What was sent and never
 * came is lost once the conversation is over, if the wire was watched and no event is missing;
 * else it is not known to have come, and nothing is claimed.
 *
 * The bytes of a datagram that a short buffer cut off are known from the queue (unread.c), as is
 * whose datagram a call got that does not say.
 */
#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include "dgram.h"
#include "ledger.h"

/* --- the amounts --- */

static struct dgram_sum placed(const struct dgram_ledger *d)
{
	struct dgram_sum sum = sum_plus(d->in_flight, d->queued);

	sum = sum_plus(sum, sum_plus(d->read, d->discarded));
	sum = sum_plus(sum, sum_plus(d->dropped, d->nobody));
	sum.bytes += d->truncated.bytes;
	return sum_plus(sum, d->lost);
}

static void queue_amounts(struct dgram_ledger *d, struct dgram_sum queued, const struct msock *r)
{
	const struct dgram_sum taken = { d->read.n, d->read.bytes + d->truncated.bytes };

	d->queued = sum_minus(queued, taken);
	if (!d->queued.n &&
	    d->queued.bytes) { /* an empty queue: they were cut off, nobody saw of which */
		sum_add(&d->truncated, !d->truncated.n, d->queued.bytes);
		d->queued.bytes = 0;
	}
	if (r && r->s.destroyed) {
		d->discarded = d->queued;
		d->queued = (struct dgram_sum){ 0 };
	}
}

/* Without calls a receiver may be met after it has read: what became of those that came is not known. */
static struct dgram_ledger only_sent(struct dgram_ledger d)
{
	struct dgram_sum ends = sum_plus(d.dropped, d.nobody);

	return (struct dgram_ledger){
		.sent = d.sent,
		.dropped = d.dropped,
		.nobody = d.nobody,
		.why = d.why,
		.in_flight = sum_minus(d.sent, ends),
	};
}

static struct dgram_ledger amounts(const struct mconn *c, int from)
{
	const struct counts *k = &c->counts[from];
	const struct msock *s = end_sock(c, from), *r = end_sock(c, !from);
	const struct dgram_sum taken = { k->read.n, k->read.bytes + k->cut.bytes };
	struct dgram_sum queued = sum_max(k->queued, taken);
	struct dgram_sum ends = sum_plus(k->dropped, sum_plus(k->nobody, k->lost));
	struct dgram_sum came = sum_max(k->came, sum_plus(queued, ends));
	struct dgram_sum loose = sum_minus(came, sum_plus(queued, ends));
	struct dgram_sum sent = sum_max(k->sent, k->left);
	bool partial = !s || s->s.seeded;
	struct dgram_ledger d = {
		.sent = partial ? sum_max(sent, came) : sent,
		.read = k->read,
		.truncated = k->cut,
		.dropped = k->dropped,
		.nobody = k->nobody,
		.lost = k->lost,
		.why = k->why,
	};

	if (r && !k->told) {
		queued = sum_plus(queued, loose);
		loose = (struct dgram_sum){ 0 };
	}
	if (r && d.dropped.n && r->s.lv.drops > d.why.counter)
		d.why.counter = r->s.lv.drops;
	d.arrived = sum_plus(queued, k->dropped);
	d.in_flight = sum_plus(sum_minus(sum_max(sent, came), came), loose);
	queue_amounts(&d, queued, r);
	return c->c.untraced & LAYER_APP ? only_sent(d) : d;
}

/* The same in bytes, as every conversation has it. */
static struct ledger in_bytes(const struct mconn *c, int from, const struct dgram_ledger *d)
{
	const struct msock *s = end_sock(c, from), *r = end_sock(c, !from);

	return (struct ledger){
		.written = sum_max(d->sent, placed(d)).bytes,
		.in_flight = d->in_flight.bytes,
		.rcvq = d->queued.bytes,
		.read = d->read.bytes,
		.truncated = d->truncated.bytes,
		.discarded = d->discarded.bytes,
		.destroyed = d->dropped.bytes,
		.unacked = d->nobody.bytes + d->lost.bytes,
		.residual = d->residual.bytes,
		.tx_seen = s,
		.rx_seen = r && !(c->c.untraced & LAYER_APP),
		.partial = (s && s->s.seeded) || (r && r->s.seeded),
	};
}

static void show(struct mconn *c, int from, const struct dgram_ledger *d)
{
	c->c.udp[from] = *d;
	c->c.dir[from] = in_bytes(c, from, d);
	c->c.dgrams[from][0] = d->sent.n;
	c->c.dgrams[from][1] = d->read.n;
	c->c.dgrams[from][2] = d->dropped.n;
	assert(ledger_check(&c->c.dir[from]));
}

void dgram_ledger(struct mconn *c, int from)
{
	struct dgram_ledger d = amounts(c, from);

	show(c, from, &d);
}

static void settle(struct mconn *c, int from, bool lossy)
{
	const struct counts *k = &c->counts[from];
	bool wire = k->left.n || k->came.n;
	struct dgram_ledger d = amounts(c, from);

	if (lossy) {
		d.residual = d.in_flight;
	} else if (c->c.ended && wire && end_sock(c, !from)) {
		d.lost = sum_plus(d.lost, d.in_flight);
		d.in_flight = (struct dgram_sum){ 0 };
	}
	if (!ledger_sending(c, end_sock(c, from))) /* else the peer may have more already than was counted */
		d.residual = sum_max(d.residual, sum_minus(placed(&d), d.sent));
	show(c, from, &d);
}

void dgram_settle(struct mconn *c, bool lossy)
{
	if (c->c.protocol != IPPROTO_UDP || c->c.untraced & LAYER_APP)
		return; /* only_sent() holds to the end */
	settle(c, 0, lossy);
	settle(c, 1, lossy);
}

bool dgram_waits(const struct mconn *c)
{
	return c->c.udp[0].queued.n || c->c.udp[1].queued.n;
}

/* --- the wire --- */

void dgram_left(struct mconn *c, int from, __u32 len)
{
	sum_add(&c->counts[from].left, 1, len);
	ledger_update(c);
}

void dgram_came(struct model *m, struct mconn *c, int from, struct msock *r,
		const struct unread_dgram *d)
{
	sum_add(&c->counts[from].came, 1, d->len);
	c->counts[from].told = m->tells_queued;
	unread_arrived(r, d);
	ledger_update(c);
}

/* --- the kernel --- */

/* Whose datagram it was: by the flow, where the event names one. */
static struct mconn *conn_of_event(const struct model *m, const struct event_sock *e)
{
	struct flow *f = e->e.kind != EV_DATA_READY && e->d ? flow_find(m, e->d) : NULL;

	return f ? flow_conn(m, f) : NULL;
}

static void note_why(struct dgram_why *w, const struct msock *s, const struct event_sock *e)
{
	const struct levels *lv = e->lv.flags & LV_VALID ? &e->lv : &s->s.lv;

	if (e->e.kind == EV_UDP_DROP)
		w->error = e->a;
	w->rmem = lv->rmem_alloc;
	w->rcvbuf = lv->rcvbuf;
	w->counter = lv->drops;
}

/*
 * Several sockets may have the port (SO_REUSEPORT), and the kernel chose another one than we did. Not told of those
 * that have had their part in the conversation.
 */
static void find_astray(struct model *m, struct msock *s)
{
	struct msock *w = s->bound_key ? hash_get(m->bound, s->bound_key) : NULL;
	struct unread_dgram d = { .conn = NULL };
	const struct dgram_ledger *l;
	int side;

	for (; w; w = w->next_bound)
		if (w != s && unread_dropped(w, NULL, 0, &d))
			break;
	side = w && d.conn ? conn_side(d.conn, w) : -1;
	if (side < 0)
		return;
	l = &d.conn->c.udp[!side];
	if (!l->read.n && !l->dropped.n && !d.conn->counts[!side].queued.n)
		conn_move(m, d.conn, w, s);
	unread_arrived(conn_side(d.conn, s) < 0 ? w : s, &d);
}

/* Want of room or memory: what EV_UDP_DROP tells of, too. */
static bool is_full(const struct model *m, const struct event_sock *e)
{
	const char *reason = hash_get(m->reasons[REASON_DROP], e->a);

	return e->e.kind == EV_UDP_DROP || !reason || !strcmp(reason, "SOCKET_RCVBUFF") ||
	       !strcmp(reason, "PROTO_MEM");
}

static void dropped(struct model *m, struct msock *s, const struct event_sock *e, struct step *st)
{
	struct mconn *c = conn_of_event(m, e);
	struct unread_dgram d = { .conn = NULL };
	__u32 len = e->c;
	int side;

	if (unread_dropped(s, c, len, &d)) {
		c = c ? c : d.conn;
		len = d.len; /* payload; the event may count headers */
	}
	if (!c && s->s.conn)
		c = conn_of(s->s.conn);
	side = c ? conn_side(c, s) : -1;
	if (side < 0 && c) {
		find_astray(m, s);
		if (unread_dropped(s, c, len, &d))
			len = d.len;
		side = conn_side(c, s);
	}
	st->n = s->drop_len = len;
	if (side < 0)
		return;
	st->conn = s->s.conn = &c->c;
	side = dgram_direction(c, side, false);
	sum_add(&c->counts[side].dropped, 1, len);
	note_why(&c->counts[side].why, s, e);
	if (e->e.kind == EV_SKB_DROP)
		c->counts[side].why.reason = hash_get(m->reasons[REASON_DROP], e->a);
	ledger_update(c);
}

/*
 * A full socket drops with EV_UDP_DROP and EV_SKB_DROP; the latter came first before 6.10 (commit e9669a00bba7), and
 * for IPv6 alone. The second of them only tells more. Other reasons come in EV_SKB_DROP only.
 */
static void drop_told(struct model *m, struct msock *s, const struct event_sock *e, struct step *st)
{
	int news = e->e.kind == EV_UDP_DROP ? 1 : -1;
	bool second = is_full(m, e) && s->drops_due * news < 0;
	struct mconn *c = conn_of_event(m, e);
	struct dgram_why *w;
	int side;

	if (!second)
		dropped(m, s, e, st);
	if (is_full(m, e))
		s->drops_due += news;
	if (!second)
		return;
	st->n = s->drop_len;
	if (!c && s->s.conn)
		c = conn_of(s->s.conn);
	side = c ? conn_side(c, s) : -1;
	if (side < 0)
		return;
	st->conn = &c->c;
	w = &c->counts[dgram_direction(c, side, false)].why;
	if (news > 0)
		note_why(w, s, e);
	else
		w->reason = hash_get(m->reasons[REASON_DROP], e->a);
	ledger_update(c);
}

static void queued(struct model *m, struct msock *s, struct step *st)
{
	struct unread_dgram d;
	struct counts *k;
	int side;

	m->tells_queued = true;
	if (!unread_queued(s, &d)) {
		find_astray(m, s);
		if (!unread_queued(s, &d))
			return;
	}
	if (!d.conn)
		return;
	side = conn_side(d.conn, s);
	if (side < 0)
		return;
	k = &d.conn->counts[dgram_direction(d.conn, side, false)];
	k->told = true;
	sum_add(&k->queued, 1, d.len);
	ledger_update(d.conn);
	st->conn = &d.conn->c;
}

/* Dropped before it came to a socket: there is none, or a packet filter was in the way. */
static void stopped(struct model *m, const struct event_sock *e, struct step *st)
{
	struct mconn *c = conn_of_event(m, e);
	struct flow *f = flow_find(m, e->d);
	int from = c ? conn_addr_side(c, &f->end[e->b == 1]) : -1;
	const char *reason = hash_get(m->reasons[REASON_DROP], e->a);
	struct unread_dgram d;
	struct counts *k;
	struct msock *r;

	if (from < 0)
		return;
	r = end_sock(c, !from);
	if (r && is_full(m, e)) { /* before 6.11 the flow is named, not the socket */
		st->sock = &r->s;
		drop_told(m, r, e, st);
		return;
	}
	k = &c->counts[from];
	if (r)
		unread_dropped(r, c, e->c, &d);
	sum_add(reason && !strcmp(reason, "NO_SOCKET") ? &k->nobody : &k->lost, 1, e->c);
	k->why.lost_reason = reason;
	ledger_update(c);
	st->conn = &c->c;
	st->role = from ? ROLE_CLIENT : ROLE_SERVER; /* where it was going */
}

void dgram_kernel(struct model *m, struct msock *s, const struct event_sock *e, struct step *st)
{
	if (!s)
		stopped(m, e, st);
	else if (s->s.protocol != IPPROTO_UDP)
		return;
	else if (e->e.kind == EV_DATA_READY)
		queued(m, s, st);
	else
		drop_told(m, s, e, st);
}
