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
 * arrived = max(rcv_nxt, snd_una, copied), sent = max(snd_nxt, arrived), written = max(write_seq,
 * sent). That makes copied_seq <= rcv_nxt <= peer snd_nxt <= peer write_seq hold by construction,
 * whatever comes in, and no amount can be negative.
 *
 * One end. Without R: arrived = snd_una; what is acknowledged has left our sight and is neither
 * in rcvq nor in read. Without S: written = sent = arrived.
 *
 * The end. When the kernel closes S for good (CLOSE, destroyed) its send queue is freed: unsent
 * bytes are destroyed. Bytes in flight may still arrive as long as R can take them; when R cannot,
 * or is not seen, they stay unacknowledged for good (unacked). When R's last descriptor is closed, or the kernel frees
 * it, what was not read is discarded. An RST alone does not discard: the data may still be read.
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
	return s->s.destroyed || s->orphaned || s->s.lv.flags & LV_DEAD;
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
	__u64 read = r ? track_pos(&r->rx, RX_COPIED) : 0;
	__u64 arrived = max64(read, r ? track_pos(&r->rx, RX_NXT) : 0);
	__u64 sent, written;

	if (s)
		arrived = max64(arrived, track_pos(&s->tx, TX_UNA));
	sent = max64(arrived, s ? track_pos(&s->tx, TX_NXT) : 0);
	written = max64(sent, s ? track_pos(&s->tx, TX_WRITE) : 0);
	return (struct ledger){
		.written = written,
		.unsent = written - sent,
		.in_flight = sent - arrived,
		.rcvq = r ? arrived - read : 0,
		.read = read,
		.tx_seen = s,
		.rx_seen = r,
		.partial = !(s && s->tx.exact) && !(r && r->rx.exact),
		.fin = (s && s->tx.fin_known) || (r && r->rx.fin_known),
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
		l->discarded = l->rcvq;
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

/*
 * Without sequence numbers: what the calls moved. A datagram cut short by a small buffer leaves no
 * trace in the queue: when as many datagrams were read or dropped as arrived, the queue is empty
 * and the rest was discarded.
 */
void ledger_of_counts(struct mconn *c, int from)
{
	const struct counts *n = &c->counts[from];
	const struct msock *s = c->c.end[from] ? sock_of(c->c.end[from]) : NULL;
	const struct msock *r = c->c.end[!from] ? sock_of(c->c.end[!from]) : NULL;
	__u64 arrived = max64(n->arrived, n->read + n->dropped);
	struct ledger l = { .tx_seen = s, .rx_seen = r, .read = n->read, .destroyed = n->dropped };

	/* AF_UNIX has no wire: what was sent is in the peer's queue. */
	if (c->c.family == AF_UNIX && r)
		arrived = max64(arrived, n->sent);
	l.written = max64(n->sent, arrived);
	l.in_flight = n->arrived_n ? l.written - arrived : 0;
	l.rcvq = r ? arrived - n->read - n->dropped : 0;
	l.partial = (s && s->s.seeded) || (r && r->s.seeded);
	if (n->arrived_n && n->arrived_n <= c->c.dgrams[from][1] + c->c.dgrams[from][2]) {
		l.discarded = l.rcvq;
		l.rcvq = 0;
	}
	if (r && rx_closed(r)) {
		l.discarded += l.rcvq;
		l.rcvq = 0;
	}
	c->c.dir[from] = l;
	assert(ledger_check(&l));
}
