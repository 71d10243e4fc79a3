// SPDX-License-Identifier: MIT
/*
 * The byte ledger: theory of operation.
 *
 * A byte that was written is in exactly one place. For one direction, S being the sending and R
 * the receiving socket, the kernel keeps five numbers that only grow:
 *
 *	S: write_seq >= snd_nxt >= snd_una	R: rcv_nxt >= copied_seq
 *
 *	base        copied       rcv_nxt         snd_nxt      write_seq
 *	  |-- read ---|--- rcvq ---|-- in_flight ---|-- unsent ---|
 *
 * Counters. track.c carries the 32-bit numbers on in 64 bits by adding up differences, so that a
 * stream may be longer than the 4 GiB after which they wrap. A difference is taken as less than
 * 2 GiB forward; one system call moves less than that, and every call is a sample.
 *
 * Base. A stream's first byte follows its SYN: base = ISN + 1. It is learned, best first, from
 * the SYN on the wire; from the levels at the change to ESTABLISHED, where write_seq, snd_nxt,
 * snd_una and rcv_nxt, copied_seq all equal it; from the first sample of a socket that was born
 * under our eyes. A connection older than the trace has none: it is counted from the first sight
 * (partial), so that what lay unread in the receive queue then still is in the books. Both ends
 * must count from the same byte: aligned() carries the base of the better-informed end over.
 *
 * FIN. It takes one number behind the data and is no data. Where it stands is known from the
 * change to FIN_WAIT1 or LAST_ACK (write_seq is then still the end of the data), from the segment
 * that carries it, or afterwards from the state. Positions beyond it are cut back to it.
 *
 * Two ends, two moments. S and R are sampled at different times: on loopback the bytes arrive at
 * R inside S's send(), whose levels come when it returns. Nothing arrives that was not sent and
 * nothing is sent that was not written, so each number is raised to those that follow from it:
 *
 *	arrived = max(rcv_nxt, snd_una, what the wire acknowledges, copied)
 *	sent = max(snd_nxt, arrived)
 *	written = max(write_seq, sent)
 *
 * That makes copied_seq <= rcv_nxt <= peer snd_nxt <= peer write_seq hold by construction, whatever
 * comes in, and no amount can be negative.
 *
 * One end. Without R: arrived = what is acknowledged; that has left our sight and is neither
 * in rcvq nor in read. Without S: written = sent = arrived.
 *
 * Residual. Raising hides what a lost record would have told, so the last word is not left to the
 * counters: the results of the calls are added up apart from them. At the end of a conversation
 * written must be what S's calls returned, and read what R's did, and S's own write_seq must not
 * lie behind what was raised from R. The largest of these differences is the residual. Not compared
 * is an end counted from later than the first byte, one of whose calls was cut off without a word,
 * or, when tracing stops, one that is in a call.
 *
 * Urgent bytes leave the line (urgent.c): copied_seq passes bytes that no call returned, and calls
 * return bytes that copied_seq has not passed. Their share is put right in read, rcvq, discarded.
 *
 * The end. When the kernel closes S for good (CLOSE, destroyed) its send queue is freed: unsent
 * bytes are destroyed. Bytes in flight may still arrive as long as R can take them; when R cannot,
 * or is not seen, they stay unacknowledged for good (unacked). When R's last descriptor is closed,
 * or the kernel frees it, what was not read is discarded. An RST alone does not discard: the data
 * may still be read.
 * In an orderly close all was acknowledged before and nothing is left to destroy.
 *
 * UDP and AF_UNIX have no such numbers: calls, arrivals and drops are counted instead.
 */
#include "ledger.h"

#include <assert.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "../event/names.h"

#define SYN_DATA_MAX 65536 /* bytes a SYN can carry, and some */

static __u64 max64(__u64 a, __u64 b)
{
	return a > b ? a : b;
}

static bool is_stream(const struct msock *s)
{
	return s && s->tx.seen;
}

/* S can send no more: what it holds is gone. */
static bool tx_gone(const struct msock *s)
{
	return s->s.destroyed || (s->established && s->s.state == TCP_S_CLOSE);
}

/* R takes nothing more in. */
static bool rx_gone(const struct msock *s)
{
	return tx_gone(s) || s->orphaned;
}

/* Nobody will read R's queue. */
static bool rx_closed(const struct msock *s)
{
	return s->s.destroyed || s->orphaned || s->taken_apart || s->s.lv.flags & LV_DEAD;
}

/* Count `to` from the byte where `from` begins to count. a and b: the same place in both. */
static void base_carry(struct track *to, unsigned int a, const struct track *from, unsigned int b)
{
	__u64 at = track_extend(from->v[b], (__u32)to->v[a]);

	if (at < from->base || to->v[a] < at - from->base)
		return;
	to->base = to->v[a] - (at - from->base);
	to->exact = from->exact;
}

/*
 * Where the SYN was seen, the base is certain. Data in the SYN (fast open) lies behind the ISN
 * already when the state changes to ESTABLISHED.
 */
static void base_from_wire(const struct wire *w, struct track *t)
{
	__s32 syn_data = seq_diff((__u32)t->base, w->isn + 1);

	if (w->isn_known && (!t->exact || (syn_data > 0 && syn_data < SYN_DATA_MAX)))
		track_set_base(t, w->isn + 1);
}

static void align(struct mconn *c, int from, struct msock *s, struct msock *r)
{
	if (s)
		base_from_wire(&c->wire[from], &s->tx);
	if (r)
		base_from_wire(&c->wire[from], &r->rx);
	if (!s || !r || c->aligned[from] || !s->tx.seen || !r->rx.seen)
		return;
	if (s->tx.exact && !r->rx.exact)
		base_carry(&r->rx, RX_NXT, &s->tx, TX_NXT);
	else if (!s->tx.exact)
		base_carry(&s->tx, TX_NXT, &r->rx, RX_NXT);
	c->aligned[from] = true;
}

static void show_base(struct msock *s)
{
	if (!s)
		return;
	s->s.snd_base = (__u32)s->tx.base;
	s->s.rcv_base = (__u32)s->rx.base;
}

/* The amounts of a direction from its positions; see the head of this file. */
static struct ledger amounts(const struct msock *s, const struct msock *r)
{
	struct urgent_share urgent = r ? urgent_share(r) : (struct urgent_share){ .ahead = 0 };
	__u64 copied = r ? track_pos(&r->rx, RX_COPIED) : 0;
	__u64 arrived = max64(copied + urgent.ahead, r ? track_pos(&r->rx, RX_NXT) : 0);
	__u64 sent, written;

	if (s)
		arrived = max64(arrived, track_place(&s->tx, max64(s->tx.v[TX_UNA], s->tx_acked)));
	sent = max64(arrived, s ? track_pos(&s->tx, TX_NXT) : 0);
	written = max64(sent, s ? track_pos(&s->tx, TX_WRITE) : 0);
	return (struct ledger){
		.written = written,
		.unsent = written - sent,
		.in_flight = sent - arrived,
		.rcvq = r ? arrived - copied - urgent.ahead : 0,
		.read = copied + urgent.ahead - urgent.skipped,
		.discarded = urgent.skipped,
		.tx_seen = s,
		.rx_seen = r,
		.partial = !(s && s->tx.exact) && !(r && r->rx.exact),
		.fin = (s && s->tx.fin_known) || (r && r->rx.fin_known),
		.calls_wrote = s ? s->out : 0,
		.calls_read = r ? r->in_line + r->urgent.fetched : 0,
		.reread = urgent.twice,
	};
}

static void bury(struct ledger *l, const struct msock *s, const struct msock *r)
{
	if (s && tx_gone(s)) {
		l->destroyed += l->unsent;
		l->unsent = 0;
		if (!r || rx_gone(r)) {
			l->unacked = l->in_flight;
			l->in_flight = 0;
		}
	}
	if (r && rx_closed(r)) {
		l->discarded += l->rcvq;
		l->rcvq = 0;
	}
}

static void direction_update(struct mconn *c, int from)
{
	struct msock *s = c->c.end[from] ? sock_of(c->c.end[from]) : NULL;
	struct msock *r = c->c.end[!from] ? sock_of(c->c.end[!from]) : NULL;

	s = is_stream(s) ? s : NULL;
	r = is_stream(r) ? r : NULL;
	align(c, from, s, r);
	show_base(s);
	show_base(r);
	if (r)
		urgent_stepped(c, from, r);
	c->c.dir[from] = amounts(s, r);
	bury(&c->c.dir[from], s, r);
	assert(ledger_check(&c->c.dir[from]));
}

void ledger_update(struct mconn *c)
{
	if (c->frozen)
		return;
	if (c->c.protocol != IPPROTO_TCP) {
		ledger_of_counts(c, 0);
		ledger_of_counts(c, 1);
		return;
	}
	direction_update(c, 0);
	/* A socket connected to itself has one stream only: all of it is in direction 0. */
	if (!c->c.end[0] || c->c.end[0] != c->c.end[1])
		direction_update(c, 1);
}

static __u64 apart(__u64 a, __u64 b)
{
	return a > b ? a - b : b - a;
}

/* What S's last sample lacks of what arrived, or left, by other accounts. */
static __u64 unexplained(const struct ledger *l, const struct msock *s)
{
	return s ? l->written - track_pos(&s->tx, TX_WRITE) : 0;
}

/* Where no call is seen, any end may be in a send. */
static bool may_be_sending(const struct mconn *c, const struct msock *s)
{
	return ledger_sending(c, s) || (!c->c.ended && c->c.untraced & LAYER_APP);
}

static void direction_settle(struct mconn *c, int from)
{
	const struct msock *s = c->c.end[from] ? sock_of(c->c.end[from]) : NULL;
	const struct msock *r = c->c.end[!from] ? sock_of(c->c.end[!from]) : NULL;
	struct ledger *l = &c->c.dir[from];

	s = is_stream(s) ? s : NULL;
	r = is_stream(r) ? r : NULL;
	l->residual = may_be_sending(c, s) ? 0 : unexplained(l, s);
	if (c->c.untraced & LAYER_APP) /* splice() and the like move bytes that only the call tells of */
		return;
	if (s && s->tx.exact && !s->untold && !ledger_sending(c, s))
		l->residual = max64(l->residual, apart(l->written, l->calls_wrote));
	if (r && r->rx.exact && !r->untold && (c->c.ended || !r->receiving))
		l->residual = max64(l->residual, apart(l->read + l->reread, l->calls_read));
}

void ledger_settle(struct mconn *c)
{
	if (c->frozen ||
	    c->c.protocol != IPPROTO_TCP) /* where calls are all there is, nothing can differ */
		return;
	direction_settle(c, 0);
	if (!c->c.end[0] || c->c.end[0] != c->c.end[1])
		direction_settle(c, 1);
}

/* AF_UNIX has neither sequence numbers nor a wire: what was sent is in the peer's queue. */
static void unix_ledger(struct mconn *c, int from)
{
	const struct counts *n = &c->counts[from];
	const struct msock *s = c->c.end[from] ? sock_of(c->c.end[from]) : NULL;
	const struct msock *r = c->c.end[!from] ? sock_of(c->c.end[!from]) : NULL;
	struct ledger l = { .tx_seen = s, .rx_seen = r, .read = n->read.bytes };

	l.written = max64(n->sent.bytes, n->read.bytes);
	l.rcvq = r ? l.written - l.read : 0;
	l.partial = (s && s->s.seeded) || (r && r->s.seeded);
	if (r && rx_closed(r)) {
		l.discarded = l.rcvq;
		l.rcvq = 0;
	}
	c->c.dir[from] = l;
	assert(ledger_check(&l));
}

void ledger_of_counts(struct mconn *c, int from)
{
	if (c->c.protocol == IPPROTO_UDP)
		dgram_ledger(c, from);
	else
		unix_ledger(c, from);
}
