// SPDX-License-Identifier: MIT
/*
 * Forgetting. What ended waits in one queue, oldest first; model_gc() looks at those that have
 * waited a second. An object is freed when nothing refers to it and the last step that pointed to
 * it is two calls of model_gc() and a second ago; otherwise it queues again.
 *
 * Conversations without an end of their own end here: datagrams when one end is gone and nothing
 * was said for a while, flows of which no socket is in sight, and the longest idle UDP ones when there
 * are very many.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "inside.h"

#define WAIT_NS NS_PER_S
#define ECHO_NS (10 * NS_PER_S)	    /* a socket nobody announced by now is an echo */
#define HALF_GONE_NS (5 * NS_PER_S) /* UDP: silence after one end closed */
#define IDLE_NS (60 * NS_PER_S)
#define CONNS_MANY 16384

void mortal_add(struct model *m, struct mortal *d, enum mortal_kind kind, __u64 t_ns)
{
	if (d->queued)
		return;
	d->kind = kind;
	d->queued = true;
	d->t_ns = t_ns;
	TAILQ_INSERT_TAIL(&m->mortals, d, link);
}

void mortal_touch(const struct model *m, struct mortal *d)
{
	d->touched = m->gc_seq;
	d->touched_ns = m->now_ns;
}

static bool settled(const struct model *m, const struct mortal *d)
{
	return d->touched + 2 <= m->gc_seq && d->touched_ns + WAIT_NS <= m->now_ns;
}

enum verdict { KEEP_LIVING = 0, QUEUE_AGAIN = 1, FREED = 2 };

static enum verdict bury_sock(struct model *m, struct msock *s, __u64 now_ns)
{
	bool echo = !s->announced && s->t_last + ECHO_NS <= now_ns && !s->s.fds;

	if (!sock_gone(s) && !echo)
		return s->announced ? KEEP_LIVING : QUEUE_AGAIN;
	if (s->refs || !settled(m, &s->mortal))
		return QUEUE_AGAIN;
	sock_free(m, s);
	return FREED;
}

static bool of_dgrams(const struct mconn *c)
{
	const struct msock *s = c->seat[0].s ? c->seat[0].s : c->seat[1].s;

	return s && s->s.type == SOCK_DGRAM;
}

/* An open conversation: does anything else than this queue watch over its end? */
static enum verdict watch_conn(struct model *m, struct mconn *c, __u64 now_ns)
{
	bool tcp = c->c.protocol == IPPROTO_TCP;
	bool in_sight = c->seat[0].s || c->seat[1].s;
	bool half_gone = (c->seat[0].s && sock_gone(c->seat[0].s)) ||
			 (c->seat[1].s && sock_gone(c->seat[1].s));
	__u64 silent_ns = now_ns > c->c.t_last_ns ? now_ns - c->c.t_last_ns : 0;

	if (in_sight && (tcp || (c->c.family == AF_UNIX && !of_dgrams(c))))
		return KEEP_LIVING;
	if (half_gone && dgram_waits(c) && m->n_conns <= CONNS_MANY) /* it may be read yet */
		return QUEUE_AGAIN;
	if ((half_gone && silent_ns >= HALF_GONE_NS) ||
	    (silent_ns >= IDLE_NS && (!in_sight || m->n_conns > CONNS_MANY)))
		conn_end(m, c, now_ns);
	return QUEUE_AGAIN;
}

static enum verdict bury_conn(struct model *m, struct mconn *c, __u64 now_ns)
{
	if (!c->c.ended)
		return watch_conn(m, c, now_ns);
	if (!c->told || !settled(m, &c->mortal))
		return QUEUE_AGAIN;
	flow_forget_conn(m, c);
	conn_free(m, c);
	return FREED;
}

static enum verdict bury_proc(struct model *m, struct mproc *p)
{
	if (!settled(m, &p->mortal))
		return QUEUE_AGAIN;
	proc_free(m, p);
	return FREED;
}

#define HOLDER(ptr, type) ((type *)((char *)(ptr)-offsetof(type, mortal)))

static enum verdict bury(struct model *m, struct mortal *d, __u64 now_ns)
{
	switch (d->kind) {
	case MORTAL_SOCK:
		return bury_sock(m, HOLDER(d, struct msock), now_ns);
	case MORTAL_CONN:
		return bury_conn(m, HOLDER(d, struct mconn), now_ns);
	case MORTAL_PROC:
		return bury_proc(m, HOLDER(d, struct mproc));
	}
	return KEEP_LIVING;
}

void model_gc(struct model *m, __u64 now_ns)
{
	struct mortal *d, *last = TAILQ_LAST(&m->mortals, mortal_head);
	enum verdict v;
	bool more;

	m->gc_seq++;
	if (now_ns > m->now_ns)
		m->now_ns = now_ns;
	if (!m->err)
		m->err = summary_flush(m, now_ns);
	for (more = last; more;) {
		d = TAILQ_FIRST(&m->mortals);
		if (d->t_ns + WAIT_NS > now_ns)
			return;
		more = d != last;
		TAILQ_REMOVE(&m->mortals, d, link);
		d->queued = false;
		v = bury(m, d, now_ns);
		if (v == QUEUE_AGAIN)
			mortal_add(m, d, d->kind, now_ns);
	}
}
