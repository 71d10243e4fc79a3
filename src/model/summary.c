// SPDX-License-Identifier: MIT
/*
 * Summaries: one step for each conversation, when it is over and its story is told.
 *
 * The end of the sockets is not the last thing to happen: the close() in which the kernel freed a
 * socket has yet to return, and the last ACK has yet to leave. A summary waits for both.
 */
#include <netinet/in.h>

#include "inside.h"

#define SETTLE_NS NS_PER_MS /* stragglers of a conversation come within this */
#define CALLS_NS NS_PER_S   /* a call that has not returned by then never told us */

enum conn_end conn_how(const struct mconn *c)
{
	if (!c->c.ended)
		return END_OPEN;
	if (c->c.protocol != IPPROTO_TCP)
		return END_GONE;
	if (c->refused)
		return END_REFUSED;
	if (c->timed_out)
		return END_TIMEOUT;
	if (c->c.rst_by >= 0)
		return c->c.established ? END_RST : END_REFUSED;
	return c->c.fin_seen[0] || c->c.fin_seen[1] ? END_FIN : END_GONE;
}

static int summary_emit(struct model *m, struct mconn *c, __u64 t_ns)
{
	struct step s = {
		.t_ns = t_ns,
		.kind = STEP_SUMMARY,
		.phase = PHASE_POINT,
		.layer = LAYER_APP,
		.conn = &c->c,
		.how = conn_how(c),
		.n = m->lost - c->lost_before,
	};

	ledger_settle(c);
	dgram_settle(c, s.n);
	c->told = true;
	return model_emit(m, &s);
}

static bool calls_open(const struct mconn *c)
{
	return (c->seat[0].s && c->seat[0].s->calling && !c->seat[0].left) ||
	       (c->seat[1].s && c->seat[1].s->calling && !c->seat[1].left);
}

int summary_flush(struct model *m, __u64 now_ns)
{
	struct mconn *c = TAILQ_FIRST(&m->over), *next;
	int err;

	for (; c; c = next) {
		next = TAILQ_NEXT(c, over);
		if (c->t_over + SETTLE_NS > now_ns)
			break;
		if (calls_open(c) && c->t_over + CALLS_NS > now_ns)
			continue;
		TAILQ_REMOVE(&m->over, c, over);
		err = summary_emit(m, c, now_ns);
		if (err)
			return err;
	}
	return 0;
}

int summary_rest(struct model *m)
{
	struct mconn *c;
	int err;

	TAILQ_FOREACH(c, &m->all, all)
	{
		if (c->told)
			continue;
		if (c->c.ended)
			TAILQ_REMOVE(&m->over, c, over);
		err = summary_emit(m, c, m->now_ns);
		if (err)
			return err;
	}
	return 0;
}
