/* SPDX-License-Identifier: MIT */
/*
 * The invariants of the byte ledger, for assertions and tests. The theory is in ledger.c.
 */
#ifndef SOCKLENS_MODEL_LEDGER_H
#define SOCKLENS_MODEL_LEDGER_H

#include "inside.h"

/* Bytes of a direction that are accounted for. */
static inline __u64 ledger_sum(const struct ledger *l)
{
	return l->unsent + l->in_flight + l->rcvq + l->read + l->destroyed + l->discarded +
	       l->unacked + l->truncated;
}

/* The end is in a send whose return would have told more: tracing stops in the middle of it. s: NULL is accepted. */
static inline bool ledger_sending(const struct mconn *c, const struct msock *s)
{
	return s && !c->c.ended && s->calling != s->receiving;
}

/* No more bytes than were written, and with both ends in sight exactly those. */
static inline bool ledger_check(const struct ledger *l)
{
	const __u64 part[] = {
		l->unsent,    l->in_flight, l->rcvq,	l->destroyed,
		l->discarded, l->read,	    l->unacked, l->truncated,
	};
	size_t i;

	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		if (part[i] > l->written)
			return false;
	return ledger_sum(l) <= l->written;
}

/* With both ends in sight nothing may be missing. */
static inline bool ledger_balanced(const struct ledger *l)
{
	if (!l->tx_seen || !l->rx_seen)
		return ledger_check(l);
	return ledger_check(l) && ledger_sum(l) == l->written;
}

#endif
