// SPDX-License-Identifier: MIT
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "families.h"
#include "port.h"

#define TIME_WAIT_NS (60 * NS_PER_S) /* TCP_TIMEWAIT_LEN, include/net/tcp.h */

static struct port_note *own(const struct explain *x, const struct note *n)
{
	return note_own(x, (struct note *)n, &explain_bind);
}

struct claims port_claims(const struct explain *x, const struct note *n)
{
	const struct sock *s = model_sock(x->m, n->sid);
	struct claims c = own(x, n)->claims;

	if (own(x, n)->inherited)
		return c;
	c.known = !n->listener && (!s || !s->seeded);
	c.reuseaddr = n->opts[OPT_REUSEADDR].n;
	c.reuseport = n->opts[OPT_REUSEPORT].n;
	return c;
}

/* --- memory --- */

static void remember_time_wait(struct explain *x, const struct step *s, const struct note *n)
{
	struct port_state *p = family_state(x, &explain_bind);

	p->waits[p->next++ % TIME_WAITS] = (struct time_wait){
		.id = s->id,
		.t_ns = s->t_ns,
		.src = n->src,
		.dst = n->dst,
		.netns = n->netns,
		.claims = port_claims(x, n),
	};
}

static void remember_birth(struct explain *x, struct note *n)
{
	const struct note *l = note_of(x, n->listener);
	struct port_note *p = own(x, n);

	if (!l || p->inherited)
		return;
	p->claims = port_claims(x, l);
	p->inherited = true;
}

void port_step(struct explain *x, const struct step *s, struct note *n)
{
	const struct event_call *c = step_returned(s, CALL_SETSOCKOPT);

	if (n->listener)
		remember_birth(x, n);
	if (s->sflags & STEP_TIME_WAIT)
		remember_time_wait(x, s, n);
	if (c && !c->ret && c->x[0] == IPPROTO_IPV6 && c->x[1] == IPV6_V6ONLY)
		own(x, n)->claims.v6only = (__u32)c->len;
}

/* --- who is in the way --- */

static bool is_any(const struct ev_addr *a)
{
	static const __u8 zero[16];

	return !memcmp(a->addr, zero, a->family == AF_INET ? 4 : 16);
}

/* As inet_rcv_saddr_equal(): :: takes IPv4 too, unless it is IPV6_V6ONLY. */
static bool addrs_meet(const struct ev_addr *a, bool a_v6only, const struct ev_addr *b,
		       bool b_v6only)
{
	struct ev_addr p = addr_on_wire(a), q = addr_on_wire(b);

	if (p.family == q.family)
		return is_any(&p) || is_any(&q) ||
		       !memcmp(p.addr, q.addr, p.family == AF_INET ? 4 : 16);
	if (p.family == AF_INET6)
		return is_any(&p) && !a_v6only;
	return is_any(&q) && !b_v6only;
}

/* At CLOSE the kernel takes back a port that bind() had not asked for (tcp_set_state). */
static bool holds_port(const struct explain *x, const struct note *n)
{
	const struct sock *s = model_sock(x->m, n->sid);

	if (n->dead || !n->src.port)
		return false;
	if (n->protocol != IPPROTO_TCP || (s && s->state != TCP_S_CLOSE))
		return true;
	return note_mark(n, MARK_BIND);
}

static bool get_along(const struct claims *a, const struct claims *b, bool listens)
{
	return (a->reuseaddr && b->reuseaddr && !listens) || (a->reuseport && b->reuseport);
}

static enum hold hold_of(const struct explain *x, const struct note *n)
{
	const struct sock *s = model_sock(x->m, n->sid);

	if (n->protocol != IPPROTO_TCP)
		return HOLD_BOUND;
	if (s && s->listening)
		return HOLD_LISTENER;
	return n->dst.port ? HOLD_LIVING : HOLD_BOUND;
}

static bool in_the_way(const struct explain *x, const struct wanted *want, const struct note *n)
{
	struct claims c = port_claims(x, n);

	return n != want->n && n->protocol == want->n->protocol && n->netns == want->n->netns &&
	       holds_port(x, n) && addrs_meet(&want->at, want->claims.v6only, &n->src, c.v6only) &&
	       !get_along(&want->claims, &c, hold_of(x, n) == HOLD_LISTENER);
}

static void find_socket(const struct explain *x, const struct wanted *want, struct found *f)
{
	const struct note *n;
	enum hold hold;

	for (n = notes_at(x, want->at.port, NULL); n; n = notes_at(x, want->at.port, n)) {
		if (!in_the_way(x, want, n))
			continue;
		hold = hold_of(x, n);
		f->many = hold > f->hold ? 1 : f->many + (hold == f->hold);
		if (hold < f->hold || (hold == f->hold && n->sid > f->n->sid))
			continue;
		f->hold = hold;
		f->n = n;
	}
	if (f->n)
		f->claims = port_claims(x, f->n);
}

static bool wait_is_over(const struct explain *x, const struct time_wait *w)
{
	return !w->id || x->now_ns > w->t_ns + TIME_WAIT_NS;
}

static void find_time_wait(const struct explain *x, const struct wanted *want, struct found *f)
{
	const struct port_state *p = family_state(x, &explain_bind);
	const struct time_wait *w;

	for (w = p->waits; w < p->waits + TIME_WAITS; w++) {
		if (wait_is_over(x, w) || w->netns != want->n->netns ||
		    w->src.port != want->at.port ||
		    !addrs_meet(&want->at, want->claims.v6only, &w->src, w->claims.v6only) ||
		    get_along(&want->claims, &w->claims, false))
			continue;
		f->many++;
		if (f->w && f->w->id > w->id)
			continue;
		f->hold = HOLD_TIME_WAIT;
		f->w = w;
		f->claims = w->claims;
	}
}

struct found port_find(const struct explain *x, const struct wanted *want)
{
	struct found f = { .hold = HOLD_NONE };

	find_socket(x, want, &f);
	if (!f.hold && want->n->protocol == IPPROTO_TCP)
		find_time_wait(x, want, &f);
	return f;
}

const struct time_wait *port_time_wait(const struct explain *x, __u32 netns,
				       const struct ev_addr *src, const struct ev_addr *dst)
{
	const struct port_state *p = family_state(x, &explain_bind);
	const struct time_wait *w;

	for (w = p->waits; w < p->waits + TIME_WAITS; w++)
		if (!wait_is_over(x, w) && w->netns == netns && addr_equal(&w->src, src) &&
		    addr_equal(&w->dst, dst))
			return w;
	return NULL;
}
