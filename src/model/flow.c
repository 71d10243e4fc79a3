// SPDX-License-Identifier: MIT
/*
 * Flows: the four-tuple behind a flow id, in one namespace, and the conversation it belongs to.
 */
#include <errno.h>
#include <stdlib.h>

#include "inside.h"

#define IDLE_FLOWS_MAX 4096 /* flows without conversation that are remembered */

struct flow *flow_find(const struct model *m, __u32 fid)
{
	return hash_get(m->flows, fid);
}

static void flow_free(struct model *m, struct flow *f)
{
	hash_del(m->flows, f->fid);
	free(f);
}

static void flow_unlink(struct model *m, struct flow *f)
{
	if (f->conn) {
		LIST_REMOVE(f, of);
		f->conn = NULL;
		return;
	}
	TAILQ_REMOVE(&m->idle_flows, f, idle);
	m->n_idle_flows--;
}

/* The kernel side names a flow once; forget those only that were idle longest. */
static void flow_rest(struct model *m, struct flow *f)
{
	struct flow *oldest;

	TAILQ_INSERT_TAIL(&m->idle_flows, f, idle);
	if (++m->n_idle_flows <= IDLE_FLOWS_MAX)
		return;
	oldest = TAILQ_FIRST(&m->idle_flows);
	flow_unlink(m, oldest);
	flow_free(m, oldest);
}

void flow_set_conn(struct model *m, struct flow *f, struct mconn *c)
{
	if (f->conn == c)
		return;
	flow_unlink(m, f);
	f->conn = c;
	LIST_INSERT_HEAD(&c->flows, f, of);
	conn_add_netns(c, f->netns);
}

void flow_forget_conn(struct model *m, struct mconn *c)
{
	struct flow *f;

	while ((f = LIST_FIRST(&c->flows))) {
		flow_unlink(m, f);
		flow_rest(m, f);
	}
}

void flow_free_all(struct model *m)
{
	size_t pos = 0;
	void *f;

	while (hash_next(m->flows, &pos, NULL, &f))
		free(f);
	hash_free(m->flows);
}

static void flow_fill(struct flow *f, const struct event_flow *e)
{
	f->fid = e->fid;
	f->netns = e->netns;
	f->protocol = e->protocol;
	f->end[0] = e->a;
	f->end[1] = e->b;
}

static struct mconn *conn_open(const struct model *m, const struct flow *f)
{
	struct mconn *c = conn_first(m, f->protocol, f->end[0].port, f->end[1].port);

	for (; c; c = c->next_key)
		if (!c->c.ended && conn_in_netns(c, f->netns) &&
		    conn_matches(c, &f->end[0], &f->end[1]))
			return c;
	return NULL;
}

struct mconn *flow_conn(const struct model *m, const struct flow *f)
{
	return f->conn ? f->conn : conn_open(m, f);
}

int flow_event(struct model *m, const struct moment *mo, struct step *s)
{
	const struct event_flow *e = (const struct event_flow *)mo->ev;
	struct flow *f = flow_find(m, e->fid);
	struct mconn *c;

	if (!f) {
		f = calloc(1, sizeof(*f));
		if (!f || hash_put(m->flows, e->fid, f)) {
			free(f);
			return -ENOMEM;
		}
		flow_fill(f, e);
		flow_rest(m, f);
	} else if (!f->conn) {
		flow_fill(f, e);
	}
	c = f->conn && !f->conn->c.ended ? f->conn : conn_open(m, f);
	s->conn = c ? &c->c : NULL;
	return 0;
}
