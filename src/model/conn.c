// SPDX-License-Identifier: MIT
/*
 * Conversations: their two ends, where they are found, when they are over.
 *
 * They are indexed by protocol and ports only; addresses are compared on the way. Addresses may
 * get known late (0.0.0.0 becomes 127.0.0.1 when a socket connects), ports identify well enough.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "inside.h"

static __u64 conn_key(__u16 protocol, __u16 a, __u16 b)
{
	__u16 low = a < b ? a : b, high = a < b ? b : a;

	return (__u64)protocol << 32 | (__u64)low << 16 | high;
}

struct mconn *conn_first(const struct model *m, __u16 protocol, __u16 port_a, __u16 port_b)
{
	return hash_get(m->conns, conn_key(protocol, port_a, port_b));
}

static int conn_index(struct model *m, struct mconn *c)
{
	c->key = conn_key(c->c.protocol, c->c.addr[0].port, c->c.addr[1].port);
	c->next_key = hash_get(m->conns, c->key);
	return hash_put(m->conns, c->key, c);
}

static void conn_unindex(struct model *m, struct mconn *c)
{
	struct mconn *at = hash_get(m->conns, c->key);

	if (at == c && c->next_key)
		hash_put(m->conns, c->key, c->next_key); /* the key is there: cannot fail */
	else if (at == c)
		hash_del(m->conns, c->key);
	while (at && at->next_key != c)
		at = at->next_key;
	if (at)
		at->next_key = c->next_key;
}

struct mconn *conn_new(struct model *m, __u32 netns, __u16 protocol, const struct ev_addr *client,
		       const struct ev_addr *server, __u64 t_ns)
{
	struct mconn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->c.id = m->last_conn + 1;
	c->c.family = client->family;
	c->c.protocol = protocol;
	c->c.addr[0] = *client;
	c->c.addr[1] = *server;
	c->c.t_first_ns = c->c.t_last_ns = t_ns;
	c->lost_before = m->lost;
	c->c.untraced = m->untraced;
	c->c.first_fin = c->c.rst_by = -1;
	mortal_touch(m, &c->mortal);
	conn_add_netns(c, netns);
	if (conn_index(m, c)) {
		free(c);
		return NULL;
	}
	m->last_conn++;
	m->n_conns++;
	TAILQ_INSERT_TAIL(&m->all, c, all);
	/* gc.c ends what has no end of its own: no socket in sight, no connection. */
	mortal_add(m, &c->mortal, MORTAL_CONN, t_ns);
	return c;
}

static void seat_leave(struct seat *seat)
{
	struct msock *s = seat->s;

	if (!s)
		return;
	if (s->s.conn == &seat->c->c)
		s->s.conn = NULL;
	unread_forget(s, seat->c);
	if (!seat->left)
		s->s.peer = NULL;
	s->refs--;
	LIST_REMOVE(seat, link);
	seat->s = NULL;
}

void conn_free(struct model *m, struct mconn *c)
{
	seat_leave(&c->seat[0]);
	seat_leave(&c->seat[1]);
	conn_unindex(m, c);
	if (c->c.ended && !c->told)
		TAILQ_REMOVE(&m->over, c, over);
	TAILQ_REMOVE(&m->all, c, all);
	m->n_conns--;
	free(c);
}

void conn_move(struct model *m, struct mconn *c, struct msock *from, struct msock *to)
{
	int end = conn_side(c, from);
	struct ev_addr was;

	if (end < 0)
		return;
	was = c->c.addr[end]; /* on the wire; the socket may be bound to a wildcard */
	c->c.end[end] = NULL;
	c->c.pid[end] = 0;
	seat_leave(c->seat[0].s == from ? &c->seat[0] : &c->seat[1]);
	conn_sit(m, c, to, end);
	c->c.addr[end] = was;
}

bool conn_in_netns(const struct mconn *c, __u32 netns)
{
	unsigned int i;

	for (i = 0; i < c->n_netns; i++)
		if (c->netns[i] == netns)
			return true;
	return false;
}

void conn_add_netns(struct mconn *c, __u32 netns)
{
	if (c->n_netns < CONN_NETNS_MAX && !conn_in_netns(c, netns))
		c->netns[c->n_netns++] = netns;
}

int conn_side(const struct mconn *c, const struct msock *s)
{
	if (c->c.end[0] == &s->s)
		return 0;
	return c->c.end[1] == &s->s ? 1 : -1;
}

static bool addr_like(const struct ev_addr *a, const struct ev_addr *b, __u16 protocol)
{
	if (addr_equal(a, b))
		return true;
	return protocol == IPPROTO_UDP && a->port == b->port && (addr_is_any(a) || addr_is_any(b));
}

int conn_addr_side(const struct mconn *c, const struct ev_addr *a)
{
	if (addr_like(a, &c->c.addr[0], c->c.protocol))
		return 0;
	return addr_like(a, &c->c.addr[1], c->c.protocol) ? 1 : -1;
}

bool conn_matches(const struct mconn *c, const struct ev_addr *a, const struct ev_addr *b)
{
	__u16 p = c->c.protocol;

	return (addr_like(a, &c->c.addr[0], p) && addr_like(b, &c->c.addr[1], p)) ||
	       (addr_like(a, &c->c.addr[1], p) && addr_like(b, &c->c.addr[0], p));
}

static void conn_meet(struct mconn *c)
{
	struct sock *a = c->c.end[0], *b = c->c.end[1];

	if (!a || !b)
		return;
	a->peer = b;
	b->peer = a;
}

/* A free place; a conversation has never more than two ends. */
static struct seat *seat_free(struct mconn *c)
{
	return c->seat[0].s ? &c->seat[1] : &c->seat[0];
}

void conn_sit(struct model *m, struct mconn *c, struct msock *s, int end)
{
	struct seat *seat = seat_free(c);

	c->c.end[end] = &s->s;
	if (s->s.src.port)
		c->c.addr[end] = s->s.src;
	if (s->s.dst.port && !c->c.addr[!end].port)
		c->c.addr[!end] = s->s.dst;
	if (!c->c.pid[end])
		c->c.pid[end] = s->s.opener_pid;
	conn_add_netns(c, s->s.netns);
	s->s.conn = &c->c;
	if (seat->s != s && c->seat[0].s != s) {
		seat->s = s;
		seat->c = c;
		s->refs++;
		LIST_INSERT_HEAD(&s->seats, seat, link);
	}
	if (s->established)
		c->c.established = true;
	conn_meet(c);
	if (c->sure)
		sock_set_role(m, s, end ? ROLE_SERVER : ROLE_CLIENT, 0);
	ledger_update(c);
}

#define SWAP(pair)                                     \
	do {                                           \
		__typeof__((pair)[0]) was = (pair)[0]; \
		(pair)[0] = (pair)[1];                 \
		(pair)[1] = was;                       \
	} while (0)

static void counts_swap(struct conn *c)
{
	__u64 dgrams[3];
	unsigned int calls[2];

	memcpy(dgrams, c->dgrams[0], sizeof(dgrams));
	memcpy(c->dgrams[0], c->dgrams[1], sizeof(dgrams));
	memcpy(c->dgrams[1], dgrams, sizeof(dgrams));
	memcpy(calls, c->calls[0], sizeof(calls));
	memcpy(c->calls[0], c->calls[1], sizeof(calls));
	memcpy(c->calls[1], calls, sizeof(calls));
}

/* The ends were guessed the wrong way round. */
void conn_swap(struct mconn *c)
{
	SWAP(c->c.end);
	SWAP(c->c.addr);
	SWAP(c->c.pid);
	SWAP(c->c.dir);
	SWAP(c->c.udp);
	SWAP(c->c.segments);
	SWAP(c->c.seg_bytes);
	SWAP(c->c.retransmits);
	SWAP(c->c.fin_seen);
	SWAP(c->wire);
	SWAP(c->counts);
	SWAP(c->rtx_wire);
	SWAP(c->rtx_kernel);
	SWAP(c->aligned);
	counts_swap(&c->c);
	if (c->c.first_fin >= 0)
		c->c.first_fin = !c->c.first_fin;
	if (c->c.rst_by >= 0)
		c->c.rst_by = !c->c.rst_by;
}

static struct seat *conn_seat(struct mconn *c, const struct msock *s)
{
	if (c->seat[0].s == s)
		return &c->seat[0];
	return c->seat[1].s == s ? &c->seat[1] : NULL;
}

/* Its socket connects anew: what this conversation knows of it is the last word. */
void conn_leave(struct model *m, struct msock *s, __u64 t_ns)
{
	struct mconn *c = s->s.conn ? conn_of(s->s.conn) : NULL;
	struct seat *seat = c ? conn_seat(c, s) : NULL;

	if (!seat)
		return;
	if (s->s.peer && s->s.peer->peer == &s->s)
		s->s.peer->peer = NULL;
	s->s.peer = NULL;
	s->s.conn = NULL;
	ledger_settle(c);
	seat->left = true;
	c->frozen = true;
	conn_check_over(m, c, t_ns);
}

static bool seat_over(const struct seat *seat)
{
	return !seat->s || !seat->s->announced || seat->left || sock_gone(seat->s);
}

/* Nobody in sight: over with an RST, or a FIN each way. */
static bool wire_over(const struct mconn *c)
{
	return c->c.rst_by >= 0 || (c->c.fin_seen[0] && c->c.fin_seen[1]);
}

void conn_end(struct model *m, struct mconn *c, __u64 t_ns)
{
	if (c->c.ended)
		return;
	c->c.ended = true;
	c->t_over = t_ns;
	ledger_update(c);
	TAILQ_INSERT_TAIL(&m->over, c, over);
	mortal_add(m, &c->mortal, MORTAL_CONN, t_ns);
}

void conn_check_over(struct model *m, struct mconn *c, __u64 t_ns)
{
	bool in_sight = c->seat[0].s || c->seat[1].s;

	if (in_sight ? seat_over(&c->seat[0]) && seat_over(&c->seat[1]) : wire_over(c))
		conn_end(m, c, t_ns);
	else if (in_sight && c->c.protocol != IPPROTO_TCP)
		mortal_add(m, &c->mortal, MORTAL_CONN, t_ns);
}
