// SPDX-License-Identifier: MIT
/*
 * Refused: there is no listener at that address and port. Often there is one nearby: at another
 * address, not listening yet, gone a moment ago, or at the port whose number has its bytes swapped,
 * which is what htons() left out makes of it (5001 becomes 35091).
 */
#include <netinet/in.h>
#include <stdio.h>

#include "../event/names.h"
#include "connect.h"

/* What may have been meant; the better guess first. */
enum nearby {
	NEAR_ADDRESS,
	NEAR_BOUND,
	NEAR_SWAPPED,
	NEAR_GONE,
	NEAR_UDP,
	NEAR_NETNS,
	NEAR_NOTHING
};

static __u16 swapped(__u16 port)
{
	return (__u16)(port << 8 | port >> 8);
}

static bool listens(const struct note *n)
{
	return n->listening && !n->dead && !note_mark(n, MARK_CLOSE) &&
	       !(note_mark(n, MARK_STATE) && n->marks[MARK_STATE].n == TCP_S_CLOSE);
}

static bool only_bound(const struct note *n)
{
	return !n->listening && !n->dead && note_mark(n, MARK_BIND) && !note_mark(n, MARK_CLOSE) &&
	       !n->dst.port;
}

static enum nearby nearness(const struct note *n, const struct attempt *a, const struct note *m)
{
	bool same = m->src.port == a->to.port, tcp = m->protocol == IPPROTO_TCP;

	if (m == n)
		return NEAR_NOTHING;
	if (m->netns != n->netns)
		return same && tcp && listens(m) ? NEAR_NETNS : NEAR_NOTHING;
	if (!tcp)
		return same && m->protocol == IPPROTO_UDP && only_bound(m) ? NEAR_UDP :
									     NEAR_NOTHING;
	if (same && listens(m)) /* one at this very address came too late */
		return addr_equal(&m->src, &a->to) ? NEAR_NOTHING : NEAR_ADDRESS;
	if (same && only_bound(m))
		return NEAR_BOUND;
	if (listens(m) && m->src.port == swapped(a->to.port))
		return NEAR_SWAPPED;
	return same && m->listening ? NEAR_GONE : NEAR_NOTHING;
}

struct guess {
	enum nearby near;
	const struct note *meant;
};

static void look_at_port(const struct explain *x, const struct note *n, const struct attempt *a,
			 __u16 port, struct guess *best)
{
	enum nearby one;
	struct note *m;

	for (m = notes_at(x, port, NULL); m; m = notes_at(x, port, m)) {
		one = nearness(n, a, m);
		/* of two that are gone, the later one */
		if (one > best->near || one == NEAR_NOTHING ||
		    (one == best->near && one == NEAR_GONE && m->t_dead < best->meant->t_dead))
			continue;
		*best = (struct guess){ one, m };
	}
}

static enum nearby nearest(const struct explain *x, const struct note *n, const struct attempt *a,
			   const struct note **meant)
{
	struct guess best = { NEAR_NOTHING, NULL };

	look_at_port(x, n, a, a->to.port, &best);
	if (swapped(a->to.port) != a->to.port)
		look_at_port(x, n, a, swapped(a->to.port), &best);
	*meant = best.meant;
	return best.near;
}

const struct rule *refused_why(const struct explain *x, const struct note *n,
			       const struct attempt *a, const struct note **meant)
{
	static const enum connect_rule rule[] = {
		[NEAR_ADDRESS] = CONNECT_ADDRESS, [NEAR_BOUND] = CONNECT_BOUND,
		[NEAR_SWAPPED] = CONNECT_SWAPPED, [NEAR_GONE] = CONNECT_GONE,
		[NEAR_UDP] = CONNECT_REFUSED,	  [NEAR_NETNS] = CONNECT_ADDRESS,
		[NEAR_NOTHING] = CONNECT_REFUSED,
	};

	return &connect_rules[rule[nearest(x, n, a, meant)]];
}

/* Somebody on this machine sent the RST, and it was no socket. */
static bool refused_here(const struct attempt *a)
{
	return a->rst_id || addr_is_loopback(&a->to);
}

static void say_nobody(struct verdict *v, const struct attempt *a, const char *at)
{
	if (refused_here(a)) {
		verdict_say(v,
			    "Nobody listens on %s: the kernel there answered the SYN with an RST",
			    at);
	} else {
		verdict_say(v,
			    "The SYN to %s was answered with an RST: nobody listens on that port",
			    at);
		verdict_infer(v,
			      "the RST alone; a firewall can send one, too. A trace of that host "
			      "would prove it");
	}
	verdict_do(
		v,
		"Start the server first, and compare address and port with what it listens on (ss -ltn)");
}

static void say_gone(struct verdict *v, const struct attempt *a, const struct note *m,
		     const char *at, const char *who)
{
	const struct mark *closed = note_mark(m, MARK_CLOSE);
	char ago[24];

	if (closed && a->t_ns > closed->t_ns + NS_PER_MS / 10)
		verdict_say(v, "Nobody listens on %s any more: %s closed its listener %s before",
			    at, who, fmt_ns(ago, sizeof(ago), a->t_ns - closed->t_ns));
	else
		verdict_say(v, "Nobody listens on %s any more: %s has closed its listener", at,
			    who);
	verdict_do(v, "Keep the listener open for as long as clients may come");
	verdict_prove_mark(v, m, MARK_CLOSE);
}

static void say_address(struct verdict *v, const struct note *n, const struct note *m,
			const char *at, const char *who)
{
	char other[64];

	fmt_addr(other, sizeof(other), &m->src);
	if (m->netns != n->netns) {
		verdict_say(
			v, "Nobody listens on %s in this network namespace; %s does in another one",
			at, who);
		verdict_do(v, "Each network namespace has ports and a loopback address of its own");
	} else {
		verdict_say(v,
			    "Nobody listens on %s: %s listens on that port at another address, %s",
			    at, who, other);
		verdict_do(v,
			   "Connect to %s, or bind the server to an address that includes this one",
			   other);
	}
	verdict_prove_mark(v, m, MARK_LISTEN);
}

static void say_swapped(struct verdict *v, const struct note *m, const char *at, const char *who)
{
	verdict_say(
		v,
		"Nobody listens on %s; %s listens on port %u, which is %u with its two bytes swapped: "
		"htons() forgotten?",
		at, who, m->src.port, swapped(m->src.port));
	verdict_infer(
		v,
		"the two numbers; the source would show which of them was given without htons()");
	verdict_do(v, "sin_port is in network byte order: htons(port), in connect() as in bind()");
	verdict_prove_mark(v, m, MARK_LISTEN);
	verdict_prove_mark(v, m, MARK_BIND);
}

void refused_say(struct explain *x, struct verdict *v, const struct note *n,
		 const struct attempt *a, const struct note *meant)
{
	char at[64], who[96];

	fmt_addr(at, sizeof(at), &a->to);
	fmt_note(who, sizeof(who), x, meant);
	verdict_prove(v, a->rst_id);
	if (!meant) {
		say_nobody(v, a, at);
	} else if (v->rule == &connect_rules[CONNECT_ADDRESS]) {
		say_address(v, n, meant, at, who);
	} else if (v->rule == &connect_rules[CONNECT_SWAPPED]) {
		say_swapped(v, meant, at, who);
	} else if (v->rule == &connect_rules[CONNECT_GONE]) {
		say_gone(v, a, meant, at, who);
	} else if (v->rule == &connect_rules[CONNECT_BOUND]) {
		verdict_say(v,
			    "Nobody listens on %s: %s has bound that port, and not called listen()",
			    at, who);
		verdict_do(v, "Only listen() makes the kernel answer for a port");
		verdict_prove_mark(v, meant, MARK_BIND);
	} else {
		verdict_say(
			v,
			"Nobody listens on %s; %s has the UDP port of that number, which is another",
			at, who);
		verdict_do(
			v,
			"A SOCK_STREAM client needs a SOCK_STREAM server: TCP and UDP have ports each");
		verdict_prove_mark(v, meant, MARK_BIND);
	}
}

/* --- the same from the other side: a port that is bound --- */

static const struct refusal *refusal_at(const struct explain *x, __u32 netns, __u16 port)
{
	const struct connect_state *st = connect_state(x);
	unsigned int i;

	for (i = 0; i < REFUSALS_MAX; i++)
		if (st->refusals[i].id && st->refusals[i].port == port &&
		    st->refusals[i].netns == netns)
			return &st->refusals[i];
	return NULL;
}

static const struct note *holder_of(const struct explain *x, const struct note *n, __u16 port)
{
	struct note *m;

	for (m = notes_at(x, port, NULL); m; m = notes_at(x, port, m))
		if (m != n && m->netns == n->netns && m->protocol == n->protocol &&
		    (listens(m) || only_bound(m)))
			return m;
	return NULL;
}

int bind_look(struct explain *x, const struct step *s, const struct event_call *c)
{
	struct note *n = s->sock ? note_of(x, s->sock->sid) : NULL;
	const struct refusal *r = NULL;
	const struct note *m;
	struct ev_addr at;
	struct verdict v;
	const char *path;
	size_t len;
	char who[96];
	__u16 twin;

	if (!n || c->ret || call_addr(c, &at, &path, &len) || !at.port)
		return 0;
	twin = swapped(at.port);
	m = twin != at.port ? holder_of(x, n, twin) : NULL;
	if (!m && twin != at.port && n->protocol == IPPROTO_TCP)
		r = refusal_at(x, n->netns, twin);
	if (!m && !r)
		return 0;
	verdict_start(x, &v, &connect_rules[BIND_SWAPPED], s);
	verdict_ask(&v, "Is %u the port that was meant?", at.port);
	if (m)
		verdict_say(&v,
			    "Port %u is %u with its two bytes swapped, and %u is in use by %s: "
			    "htons() forgotten?",
			    at.port, twin, twin, fmt_note(who, sizeof(who), x, m));
	else
		verdict_say(&v,
			    "Port %u is %u with its two bytes swapped, and %s was refused at %u: "
			    "htons() forgotten?",
			    at.port, twin, fmt_who(who, sizeof(who), x, ROLE_CLIENT, r->pid), twin);
	verdict_infer(&v, "the two numbers; the source would show whether htons() was left out");
	verdict_do(&v, "sin_port is in network byte order: htons(port)");
	verdict_prove_mark(&v, m, MARK_BIND);
	verdict_prove(&v, r ? r->id : 0);
	return verdict_tell(x, &v);
}
