// SPDX-License-Identifier: MIT
/*
 * A datagram that no socket took. The kernel it came to answers with ICMP; the sender's kernel hands
 * that on if its socket is connected, and then to the next call on it, whatever that is (udp(7)).
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "udp.h"

/* Somebody who has that port, and talks to one peer only. */
static const struct note *connected_there(const struct explain *x, const struct note *from,
					  const struct ev_addr *to)
{
	const struct note *m;

	for (m = notes_at(x, to->port, NULL); m; m = notes_at(x, to->port, m))
		if (m != from && m->protocol == IPPROTO_UDP && !m->dead &&
		    m->netns == from->netns && m->dst.port && !addr_equal(&m->dst, &from->src))
			return m;
	return NULL;
}

static void say_stranger(struct verdict *v, const struct note *there, const struct conn *c,
			 int from)
{
	char to[80], peer[80], here[80];

	verdict_say(v, "The socket at %s is connected to %s: it takes nothing from %s or others",
		    fmt_addr(to, sizeof(to), &c->addr[!from]),
		    fmt_addr(peer, sizeof(peer), &there->dst),
		    fmt_addr(here, sizeof(here), &c->addr[from]));
	verdict_prove_mark(v, there, MARK_CONNECTED);
	verdict_do(
		v,
		"A server for many clients does not connect() its socket; it answers with sendto()");
}

static void say_nobody(struct verdict *v, const struct note *n, const struct conn *c, int from)
{
	char to[80];

	fmt_addr(to, sizeof(to), &c->addr[!from]);
	if (n->dst.port) {
		verdict_say(
			v,
			"No socket takes what is sent to %s: the datagram is gone; a later call on "
			"this socket will say so (ECONNREFUSED)",
			to);
		verdict_do(v, "Is the server running, and bound to this address and port?");
		return;
	}
	verdict_say(
		v,
		"No socket takes what is sent to %s: the datagram is gone, and no call will say so, "
		"for this socket is not connected",
		to);
	verdict_do(
		v,
		"connect() the socket: then the next call fails with ECONNREFUSED; or wait for an answer "
		"with a time limit");
}

static void say_stopped(struct verdict *v, const char *reason, const struct conn *c, int from)
{
	bool filter = reason && !strcmp(reason, "NETFILTER_DROP");
	char to[80];

	verdict_say(v, "The kernel dropped it before it came to a socket at %s: %s",
		    fmt_addr(to, sizeof(to), &c->addr[!from]),
		    filter ? "a packet filter (nft, iptables) did not let it pass" :
		    reason ? reason :
			     "it gives no reason");
	verdict_do(v, "%s", filter ? "Look for the rule: nft list ruleset" : "");
}

int udp_no_socket(struct explain *x, const struct step *s)
{
	const struct conn *c = s->conn;
	int from = s->role == ROLE_CLIENT; /* role: where it was going */
	struct note *n = c && c->end[from] ? note_of(x, c->end[from]->sid) : NULL;
	bool nobody = s->reason && !strcmp(s->reason, "NO_SOCKET");
	const struct note *there = n && nobody ? connected_there(x, n, &c->addr[!from]) : NULL;
	const struct rule *r = &udp_rules[there ? UDP_STRANGER : nobody ? UDP_NOBODY : UDP_STOPPED];
	struct verdict v;

	if (!n)
		return 0;
	udp_own(x, n)->nobody = udp_mark(s, 0);
	if (note_told(n, r))
		return 0;
	verdict_start_at(x, &v, r, n, s->id, s->t_ns);
	v.conn = c->id;
	verdict_ask(&v, "What became of the datagram?");
	if (there) {
		say_stranger(&v, there, c, from);
	} else if (nobody) {
		if (n->dst.port) /* it will be told */
			v.weight = WEIGHT_NEWS;
		say_nobody(&v, n, c, from);
	} else {
		say_stopped(&v, s->reason, c, from);
	}
	verdict_prove_mark(&v, n, MARK_DATA_OUT);
	return verdict_tell(x, &v);
}

/* --- told later --- */

void udp_note_error(struct explain *x, const struct step *s, struct note *n)
{
	const struct mark *out = note_mark(n, MARK_DATA_OUT);
	struct udp_note *o = udp_own(x, n);

	o->error = udp_mark(s, ((const struct event_sock *)s->ev)->a);
	if (out)
		o->out = *out;
}

int udp_refused(struct explain *x, const struct step *s, const struct event_call *c, struct note *n)
{
	struct udp_note *o = udp_own(x, n);
	bool known = o->error.id && o->error.n == ECONNREFUSED;
	char call[48], to[80], ago[32];
	struct verdict v;

	if (c->ret != -ECONNREFUSED || note_told(n, &udp_rules[UDP_REFUSED]))
		return 0;
	verdict_start(x, &v, &udp_rules[UDP_REFUSED], s);
	fmt_call(call, sizeof(call), c);
	fmt_addr(to, sizeof(to), &n->dst);
	verdict_ask(&v, "Why did %s fail with ECONNREFUSED?", call);
	if (known && o->out.id)
		verdict_say(
			&v,
			"No socket at %s took the datagram sent %s before: that is told only now%s",
			to, fmt_ns(ago, sizeof(ago), s->t_ns - o->out.t_ns),
			call_is_send(c) ? ", and this call has sent nothing" : "");
	else
		verdict_say(&v, "No socket at %s took an earlier datagram: that is told only now%s",
			    to, call_is_send(c) ? ", and this call has sent nothing" : "");
	if (known) {
		verdict_prove(&v, o->error.id);
		verdict_prove(&v, o->out.id);
		verdict_prove(&v, o->nobody.id);
		verdict_prove(&v, s->enter_id);
	} else {
		verdict_infer(
			&v,
			"the error alone, which a connected UDP socket gets in no other way; the "
			"arrival of the ICMP message was not seen");
	}
	verdict_do(&v,
		   call_is_send(c) ?
			   "The error is cleared: call it again, once somebody is bound to %s" :
			   "The error is cleared; an answer can come once somebody is bound to %s",
		   to);
	return verdict_tell(x, &v);
}
