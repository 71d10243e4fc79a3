// SPDX-License-Identifier: MIT
/*
 * UDP and AF_UNIX have no sequence numbers: what calls moved, what arrived on the wire and what
 * was dropped is counted. side and from are ends of the conversation.
 */
#include "inside.h"

void dgram_moved(struct mconn *c, int side, const struct traffic *t)
{
	int from = t->sending ? side : !side;

	if (t->peek)
		return;
	if (t->sending) {
		c->counts[from].sent += t->bytes;
		c->c.dgrams[from][0] += t->messages;
	} else {
		c->counts[from].read += t->bytes;
		c->c.dgrams[from][1] += t->messages;
	}
	ledger_update(c);
}

void dgram_owe(struct msock *s, const struct ev_addr *remote, const struct traffic *t)
{
	s->owed_to = *remote;
	s->owed = *t;
}

void dgram_pay(struct model *m, struct msock *s, __u64 t_ns)
{
	struct mconn *c;
	int side;

	if (!s->owed_to.port || !s->s.src.port)
		return;
	c = pair_dgram(m, s, &s->owed_to, s->owed.sending, t_ns);
	s->owed_to.port = 0;
	side = c ? conn_side(c, s) : -1;
	if (side < 0)
		return;
	dgram_moved(c, side, &s->owed);
	if (s->owed.bytes)
		c->c.calls[side][!s->owed.sending]++;
}

void dgram_arrived(struct mconn *c, int from, __u32 len)
{
	c->counts[from].arrived += len;
	c->counts[from].arrived_n++;
	if (!c->c.end[from]) /* whose calls nobody sees */
		c->c.dgrams[from][0]++;
	ledger_update(c);
}

void dgram_dropped(struct mconn *c, int from, __u32 len)
{
	c->counts[from].dropped += len;
	c->c.dgrams[from][2]++;
	ledger_update(c);
}
