// SPDX-License-Identifier: MIT
/*
 * Pairing: which conversation a socket, a datagram or a segment belongs to.
 *
 * Both ends are in one network namespace: mirrored addresses settle it (a v4-mapped address is
 * its IPv4 address). In two namespaces equal addresses may mean two different pairs of machines:
 * then exactly one conversation may qualify, loopback never does, and where initial sequence
 * numbers are known at both places they must agree.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "inside.h"

#define EPHEMERAL_MIN 32768 /* net.ipv4.ip_local_port_range, the usual lower bound */

/* Can this socket be that end of it? */
static bool seat_open(const struct mconn *c, const struct msock *s, int end)
{
	const struct sock *other = c->c.end[!end];

	if (c->c.ended || c->frozen || c->c.end[end])
		return false;
	return !other || other == &s->s || !sock_gone(sock_of(other));
}

static int side_of(const struct mconn *c, const struct msock *s)
{
	if (!conn_matches(c, &s->s.src, &s->s.dst))
		return -1;
	return conn_addr_side(c, &s->s.src);
}

/* The first bytes both places know of must be the same. */
static bool bases_agree(const struct mconn *c, const struct msock *s, int end)
{
	const struct msock *other = c->c.end[!end] ? sock_of(c->c.end[!end]) : NULL;
	const struct wire *ours = &c->wire[end], *theirs = &c->wire[!end];

	if (s->tx.exact && ours->isn_known && (__u32)s->tx.base != ours->isn + 1)
		return false;
	if (s->rx.exact && theirs->isn_known && (__u32)s->rx.base != theirs->isn + 1)
		return false;
	if (!other || !s->tx.exact || !other->tx.exact)
		return true;
	return (__u32)s->tx.base == (__u32)other->rx.base &&
	       (__u32)s->rx.base == (__u32)other->tx.base;
}

static bool crosses(const struct ev_addr *a, const struct ev_addr *b)
{
	return !addr_is_loopback(a) && !addr_is_loopback(b) && !addr_is_any(a) && !addr_is_any(b);
}

static struct mconn *find_for_sock(const struct model *m, const struct msock *s, int *end)
{
	struct mconn *c = conn_first(m, s->s.protocol, s->s.src.port, s->s.dst.port);
	struct mconn *abroad = NULL;
	int side, n_abroad = 0;

	for (; c; c = c->next_key) {
		side = side_of(c, s);
		if (side < 0 || !seat_open(c, s, side))
			continue;
		if (conn_in_netns(c, s->s.netns)) {
			*end = side;
			return c;
		}
		if (!crosses(&s->s.src, &s->s.dst) || !bases_agree(c, s, side))
			continue;
		abroad = c;
		*end = side;
		n_abroad++;
	}
	return n_abroad == 1 ? abroad : NULL;
}

/* Which end is it? Sure if it opened or was opened under our eyes, else the ports tell. */
static int end_of(const struct msock *s)
{
	if (s->s.role != ROLE_NONE)
		return s->s.role == ROLE_SERVER;
	return s->s.src.port < EPHEMERAL_MIN && s->s.dst.port >= EPHEMERAL_MIN;
}

static struct mconn *conn_for_sock(struct model *m, struct msock *s, int *end, __u64 t_ns)
{
	struct mconn *c = find_for_sock(m, s, end);
	const struct ev_addr *a[2];

	if (c)
		return c;
	*end = end_of(s);
	a[*end] = &s->s.src;
	a[!*end] = &s->s.dst;
	c = conn_new(m, s->s.netns, s->s.protocol, a[0], a[1], t_ns);
	if (c)
		c->sure = s->s.role != ROLE_NONE && s->s.protocol == IPPROTO_TCP;
	return c;
}

/* Still the same conversation, perhaps with an address known better now. */
static bool still(struct msock *s)
{
	struct mconn *c = s->s.conn ? conn_of(s->s.conn) : NULL;
	int side = c ? conn_side(c, s) : -1;

	if (side < 0 || c->c.addr[side].port != s->s.src.port)
		return false;
	if (c->c.addr[!side].port != s->s.dst.port)
		return false;
	if (s->s.protocol == IPPROTO_UDP && !conn_matches(c, &s->s.src, &s->s.dst))
		return false;
	c->c.addr[side] = s->s.src;
	c->c.addr[!side] = s->s.dst;
	return true;
}

int pair_sock(struct model *m, struct msock *s, __u64 t_ns)
{
	struct mconn *c;
	int end;

	if (s->s.protocol != IPPROTO_TCP && s->s.protocol != IPPROTO_UDP)
		return 0;
	if (!s->s.src.port || !s->s.dst.port || s->s.destroyed || still(s))
		return 0;
	if (sock_is_tcp(s) && s->s.conn && s->established)
		return 0; /* addresses of a live connection do not change */
	if (sock_is_tcp(s))
		conn_leave(m, s, t_ns); /* an attempt that failed */
	c = conn_for_sock(m, s, &end, t_ns);
	if (!c)
		return -ENOMEM;
	conn_sit(m, c, s, end);
	if (addr_equal(&s->s.src, &s->s.dst) && !c->c.end[!end])
		conn_sit(m, c, s, !end);
	/* What was guessed from a flow gives way to what the socket knows. */
	if (!c->sure && s->s.role != ROLE_NONE && s->s.protocol == IPPROTO_TCP)
		sock_set_role(m, s, s->s.role, 0);
	return 0;
}

int pair_peers(struct model *m, struct msock *s, struct msock *peer, __u64 t_ns)
{
	static const struct ev_addr unix_addr = { .family = AF_UNIX };
	struct mconn *c;
	int end;

	if (s == peer || s->s.destroyed || (s->s.conn && s->s.peer == &peer->s))
		return 0;
	c = peer->s.conn ? conn_of(peer->s.conn) : NULL;
	end = c ? !conn_side(c, peer) : 0;
	if (!c || !seat_open(c, s, end)) {
		c = conn_new(m, s->s.netns, 0, &unix_addr, &unix_addr, t_ns);
		if (!c)
			return -ENOMEM;
		end = s->s.role == ROLE_SERVER || peer->s.role == ROLE_CLIENT;
		conn_sit(m, c, peer, !end);
	}
	conn_sit(m, c, s, end);
	return 0;
}

/* --- datagrams --- */

static struct mconn *find_dgram(const struct model *m, const struct msock *s,
				const struct ev_addr *remote)
{
	struct mconn *c = conn_first(m, s->s.protocol, s->s.src.port, remote->port);

	for (; c; c = c->next_key) {
		if (c->c.ended || !conn_in_netns(c, s->s.netns))
			continue;
		if (conn_matches(c, &s->s.src, remote))
			return c;
	}
	return NULL;
}

/* The server bound its port on purpose; where that does not tell, the client sent first. */
static int dgram_end(const struct msock *s, const struct msock *other, bool sending)
{
	bool bound = s->s.role == ROLE_SERVER;
	bool other_bound = other && other->s.role == ROLE_SERVER;

	if (other && bound != other_bound)
		return bound;
	if (!other && bound && !sending)
		return 1;
	return !sending;
}

static struct mconn *dgram_new(struct model *m, struct msock *s, const struct ev_addr *remote,
			       bool sending, __u64 t_ns)
{
	struct msock *other = sock_bound(m, s->s.netns, s->s.protocol, remote, &s->s.src);
	int end = dgram_end(s, other, sending);
	struct ev_addr a[2];

	a[end] = s->s.src;
	a[!end] = *remote;
	/* Loopback: both ends have the same address, whatever the socket is bound to. */
	if (addr_is_any(&a[end]) && addr_is_loopback(remote)) {
		a[end] = *remote;
		a[end].port = s->s.src.port;
	}
	return conn_new(m, s->s.netns, s->s.protocol, &a[0], &a[1], t_ns);
}

/* Take the seat of that address, but keep the address: the socket may be bound to a wildcard. */
static void dgram_sit(struct model *m, struct mconn *c, struct msock *s, int end)
{
	struct ev_addr was = c->c.addr[end];

	if (c->c.end[end])
		return;
	conn_sit(m, c, s, end);
	if (addr_is_any(&s->s.src))
		c->c.addr[end] = was;
	if (s->s.role == ROLE_NONE)
		sock_set_role(m, s, end ? ROLE_SERVER : ROLE_CLIENT, 0);
}

struct mconn *pair_dgram(struct model *m, struct msock *s, const struct ev_addr *remote,
			 bool sending, __u64 t_ns)
{
	struct mconn *c;
	int end;

	if (!s->s.src.port || !remote->port || s->s.destroyed)
		return NULL;
	c = find_dgram(m, s, remote);
	if (!c)
		c = dgram_new(m, s, remote, sending, t_ns);
	if (!c)
		return NULL;
	end = conn_addr_side(c, remote) == 0;
	if (conn_side(c, s) < 0)
		dgram_sit(m, c, s, end);
	if (conn_side(c, s) >= 0)
		s->s.conn = &c->c;
	return c;
}

/* --- a name known from the wire first --- */

/*
 * connect() and sendto() choose the source address on the way, and the first segment leaves before
 * anybody announces it. While such a call is in progress, the segment is the announcement.
 */
void pair_aim(struct model *m, struct msock *s, const struct ev_addr *to)
{
	pair_unaim(m, s);
	s->aim = *to;
	s->aiming = true;
	TAILQ_INSERT_TAIL(&m->nameless, s, nameless);
}

void pair_unaim(struct model *m, struct msock *s)
{
	if (!s->aiming)
		return;
	s->aiming = false;
	TAILQ_REMOVE(&m->nameless, s, nameless);
}

static bool aims_at(const struct msock *s, const struct ev_addr *src, const struct ev_addr *dst)
{
	if (s->s.src.port && s->s.src.port != src->port)
		return false;
	/* Sent to the wildcard address, it goes to this host. */
	return addr_equal(&s->aim, dst) || (s->aim.port == dst->port && addr_is_any(&s->aim));
}

struct msock *pair_nameless(const struct model *m, const struct flow *f, const struct ev_addr *src,
			    const struct ev_addr *dst)
{
	struct msock *s, *found = NULL;

	TAILQ_FOREACH(s, &m->nameless, nameless)
	{
		if (s->s.netns != f->netns || s->s.protocol != f->protocol || s->s.conn ||
		    s->s.destroyed || !aims_at(s, src, dst))
			continue;
		if (found)
			return NULL; /* two of a kind: it may be either */
		found = s;
	}
	return found;
}

/* --- flows --- */

static bool first_syn(const struct event_segment *g)
{
	return (g->flags & (TCPF_SYN | TCPF_ACK | TCPF_RST)) == TCPF_SYN;
}

/* A SYN with another number than the one this conversation began with begins another. */
static bool begins_another(const struct mconn *c, const struct flow *f,
			   const struct event_segment *g)
{
	int from = conn_addr_side(c, &f->end[!!(g->sflags & SEGF_FROM_B)]);

	if (f->protocol != IPPROTO_TCP || !first_syn(g))
		return c->c.ended && f->protocol == IPPROTO_UDP;
	if (from < 0)
		return true;
	if (!c->wire[from].isn_known)
		return c->c.ended || (c->c.established && !c->c.end[from]);
	return c->wire[from].isn != g->seq;
}

/* Did this very segment leave in another namespace a moment ago? */
static bool left_elsewhere(const struct mconn *c, int from, const struct event_segment *g)
{
	const struct wire *w = &c->wire[from];
	unsigned int i;

	if (g->flags & TCPF_SYN)
		return w->isn_known && w->isn == g->seq;
	for (i = 0; i < SEEN_MAX; i++)
		if (w->seen[i].used && w->seen[i].seq == g->seq && w->seen[i].len == g->len &&
		    w->seen[i].flags == g->flags && w->seen[i].ack == g->ack)
			return true;
	return false;
}

static struct mconn *find_for_flow(const struct model *m, const struct flow *f,
				   const struct event_segment *g)
{
	struct mconn *c = conn_first(m, f->protocol, f->end[0].port, f->end[1].port);
	const struct ev_addr *src = &f->end[!!(g->sflags & SEGF_FROM_B)];
	struct mconn *abroad = NULL, *late = NULL;
	int side, n_abroad = 0;

	for (; c; c = c->next_key) {
		if (!conn_matches(c, &f->end[0], &f->end[1]) || begins_another(c, f, g))
			continue;
		side = conn_addr_side(c, src);
		if (conn_in_netns(c, f->netns) && !c->c.ended)
			return c;
		if (conn_in_netns(c, f->netns)) {
			late = late ? late : c;
		} else if (crosses(&f->end[0], &f->end[1]) && left_elsewhere(c, side, g)) {
			abroad = c;
			n_abroad++;
		}
	}
	return n_abroad == 1 ? abroad : late;
}

static struct mconn *conn_for_flow(struct model *m, const struct flow *f,
				   const struct event_segment *g, __u64 t_ns)
{
	bool from_b = g->sflags & SEGF_FROM_B;
	/* The answer to a SYN comes from the server, all else we begin with from the client. */
	bool by_server = g->flags & TCPF_SYN && g->flags & TCPF_ACK;
	bool client_b = from_b != by_server;
	struct msock *src = sock_bound(m, f->netns, f->protocol, &f->end[from_b], &f->end[!from_b]);
	struct msock *dst = sock_bound(m, f->netns, f->protocol, &f->end[!from_b], &f->end[from_b]);
	struct mconn *c;

	if (f->protocol == IPPROTO_TCP && !(g->flags & TCPF_SYN))
		return NULL; /* a straggler of something long forgotten */
	if (f->protocol == IPPROTO_UDP && src && src->s.role == ROLE_SERVER)
		client_b = dst && dst->s.role == ROLE_SERVER ? from_b : !from_b;
	c = conn_new(m, f->netns, f->protocol, &f->end[client_b], &f->end[!client_b], t_ns);
	if (c)
		c->sure = f->protocol == IPPROTO_TCP;
	return c;
}

struct mconn *pair_flow(struct model *m, const struct flow *f, const struct event_segment *g,
			__u64 t_ns)
{
	struct mconn *c = f->conn;

	if (c && !begins_another(c, f, g))
		return c;
	c = find_for_flow(m, f, g);
	return c ? c : conn_for_flow(m, f, g, t_ns);
}
