// SPDX-License-Identifier: MIT
/*
 * Urgent bytes: the ones that leave the line.
 *
 * A pointer in the header marks one byte of the stream as urgent. What the receiving kernel does:
 * - recv(MSG_OOB) returns a copy of the byte, wherever it waits, and does not move copied_seq;
 * - a receive that comes to the byte steps over it (tcp_recvmsg_locked) unless SO_OOBINLINE is
 *   set: copied_seq grows by one that no call returned;
 * - the next mark does the same to a byte at the head of the queue (tcp_check_urg), and turns one
 *   that is not yet at the head into an ordinary byte. If that was fetched, it is returned twice.
 *
 * So copied_seq is ahead of the results by what was stepped over. That much, and not more than
 * there were marks on the wire, is taken for urgent bytes, so that no other gap hides here. Of
 * those stepped over the ones fetched count as read, the others as discarded.
 */
#include "../event/names.h"
#include "inside.h"

void urgent_marked(struct wire *w, const struct event_segment *g)
{
	__u32 at = g->seq + g->mss;

	if (!(g->flags & TCPF_URG) || g->flags & TCPF_SYN)
		return;
	if (w->urgent &&
	    !seq_before(w->urgent_at, at)) /* a mark stays in the header until acknowledged */
		return;
	w->urgent_at = at;
	w->urgent++;
}

static bool waits(const struct msock *r)
{
	return r->urgent.fetched && r->urgent.at >= r->rx.v[RX_COPIED];
}

void urgent_fetched(struct msock *r, __u32 seq)
{
	if (!r->rx.seen)
		return;
	if (waits(r)) /* the one before it lost its mark: it will be returned once more */
		r->urgent.again++;
	r->urgent.fetched++;
	r->urgent.at = track_extend(r->rx.v[RX_COPIED], seq);
}

/* Without a view of the wire each call that marks a byte is taken for one mark. */
static __u64 marks(const struct mconn *c, int from, const struct msock *s)
{
	if (c->c.segments[from])
		return c->wire[from].urgent;
	return s ? s->urgent.marked : 0;
}

void urgent_stepped(const struct mconn *c, int from, struct msock *r)
{
	const struct msock *s = c->c.end[from] ? sock_of(c->c.end[from]) : NULL;
	__u64 most = marks(c, from, s), copied = track_pos(&r->rx, RX_COPIED), over;

	/* While a receive is under way, copied_seq is ahead of what it will return. */
	if (!most || !r->rx.exact || r->receiving || copied < r->in_line)
		return;
	over = copied - r->in_line;
	r->urgent.stepped = over < most ? over : most;
}

struct urgent_share urgent_share(const struct msock *r)
{
	const struct urgent *u = &r->urgent;
	__u64 ahead = waits(r), passed = u->fetched - ahead - u->again;
	__u64 taken = passed < u->stepped ? passed : u->stepped;

	return (struct urgent_share){
		.ahead = ahead,
		.skipped = u->stepped - taken,
		.twice = u->again + passed - taken,
	};
}
