// SPDX-License-Identifier: MIT
/*
 * Sockets: who they are (EV_SOCK), who has them, what part they play, when they are gone.
 *
 * A record may name a socket nobody has announced yet (socket() enters before the socket exists):
 * it gets an object without identity, filled in when the announcement comes. An object that is
 * never announced is the echo of a socket already forgotten; gc.c frees it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "inside.h"

struct msock *sock_find(const struct model *m, __u32 sid)
{
	return sid ? hash_get(m->socks, sid) : NULL;
}

struct msock *sock_get(struct model *m, __u32 sid, __u64 t_ns)
{
	struct msock *s = sock_find(m, sid);

	if (s) {
		if (t_ns > s->t_last)
			s->t_last = t_ns;
		return s;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->s.sid = sid;
	s->s.opener_fd = -1;
	s->s.state = TCP_S_CLOSE;
	s->t_last = t_ns;
	mortal_touch(m, &s->mortal);
	LIST_INIT(&s->seats);
	if (hash_put(m->socks, sid, s)) {
		free(s);
		return NULL;
	}
	mortal_add(m, &s->mortal, MORTAL_SOCK, t_ns);
	return s;
}

bool sock_is_tcp(const struct msock *s)
{
	if (s->s.protocol || s->s.family)
		return s->s.protocol == IPPROTO_TCP;
	return s->s.lv.flags & LV_TCP;
}

bool sock_gone(const struct msock *s)
{
	return s->s.destroyed || (s->orphaned && sock_is_tcp(s) && s->s.state == TCP_S_CLOSE);
}

bool addr_is_any(const struct ev_addr *a)
{
	static const __u8 zero[16], mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->family == AF_INET)
		return !memcmp(a->addr, zero, 4);
	if (!memcmp(a->addr, zero, 16))
		return true;
	return !memcmp(a->addr, mapped, 12) && !memcmp(a->addr + 12, zero, 4);
}

/* --- who is bound to a port --- */

static __u64 bound_key(__u32 netns, __u16 protocol, __u16 port)
{
	return (__u64)netns << 32 | (__u64)protocol << 16 | port;
}

static void bound_del(struct model *m, struct msock *s)
{
	struct msock *head = s->bound_key ? hash_get(m->bound, s->bound_key) : NULL;
	struct msock *at = head;

	if (!head)
		return;
	if (head == s && s->next_bound)
		hash_put(m->bound, s->bound_key, s->next_bound); /* the key is there: cannot fail */
	else if (head == s)
		hash_del(m->bound, s->bound_key);
	while (at && at->next_bound != s)
		at = at->next_bound;
	if (at)
		at->next_bound = s->next_bound;
	s->bound_key = 0;
	s->next_bound = NULL;
}

/* Out of memory only costs a pairing, which is a guess then. */
void sock_bound_as(struct model *m, struct msock *s, __u64 key)
{
	if (s->bound_key == key || s->s.destroyed)
		return;
	bound_del(m, s);
	s->next_bound = hash_get(m->bound, key);
	if (!hash_put(m->bound, key, s))
		s->bound_key = key;
	else
		s->next_bound = NULL;
}

static void bound_add(struct model *m, struct msock *s)
{
	if (s->s.src.port && (s->s.listening || s->s.protocol == IPPROTO_UDP))
		sock_bound_as(m, s, bound_key(s->s.netns, s->s.protocol, s->s.src.port));
}

/* How well a bound socket fits, as the kernel scores it: connected, exact address, wildcard. */
static int bound_score(const struct msock *s, const struct ev_addr *to, const struct ev_addr *from)
{
	int score = 1;

	if (s->s.dst.port) {
		if (!from || !addr_equal(&s->s.dst, from))
			return 0;
		score += 4;
	}
	if (addr_is_any(&s->s.src))
		return score;
	return addr_equal(&s->s.src, to) ? score + 2 : 0;
}

struct msock *sock_bound(const struct model *m, __u32 netns, __u16 protocol,
			 const struct ev_addr *to, const struct ev_addr *from)
{
	struct msock *s = hash_get(m->bound, bound_key(netns, protocol, to->port));
	struct msock *best = NULL;
	int score, best_score = 0;

	for (; s; s = s->next_bound) {
		score = bound_score(s, to, from);
		if (score > best_score) {
			best = s;
			best_score = score;
		}
	}
	return best;
}

void sock_named(struct model *m, struct msock *s, const struct ev_addr *src,
		const struct ev_addr *dst)
{
	if (sock_is_tcp(s)) {
		s->s.src = *src;
		s->s.dst = *dst;
	} else if (!s->s.src.port) {
		s->s.src.family = src->family; /* its address stays the wildcard */
		s->s.src.port = src->port;
	}
	bound_add(m, s);
}

/* --- parts and owners --- */

void sock_set_role(struct model *m, struct msock *s, enum role role, __u32 pid)
{
	struct mproc *p = proc_find(m, pid ? pid : sock_owner(s));
	struct mconn *c = s->s.conn ? conn_of(s->s.conn) : NULL;

	if (s->s.role == ROLE_NONE)
		s->s.role = role;
	if (p && p->p.role == ROLE_NONE)
		p->p.role = s->s.role;
	if (!c || c->sure || s->s.role != role || role == ROLE_NONE)
		return;
	if (conn_side(c, s) != (role == ROLE_SERVER))
		conn_swap(c);
	c->sure = true;
}

void sock_listen(struct model *m, struct msock *s, __u32 pid)
{
	s->s.listening = true;
	s->s.state = TCP_S_LISTEN;
	sock_set_role(m, s, ROLE_SERVER, pid);
	bound_add(m, s);
}

void sock_opened(struct msock *s, __u32 pid, int fd)
{
	struct seat *seat;
	int side;

	if (s->s.opener_pid)
		return;
	s->s.opener_pid = pid;
	s->s.opener_fd = fd;
	LIST_FOREACH(seat, &s->seats, link)
	{
		side = conn_side(seat->c, s);
		if (side >= 0 && !seat->c->c.pid[side])
			seat->c->c.pid[side] = pid;
	}
}

__u32 sock_owner(const struct msock *s)
{
	const struct mconn *c = s->s.conn ? conn_of(s->s.conn) : NULL;
	int side = c ? conn_side(c, s) : -1;

	if (side >= 0 && c->c.pid[side])
		return c->c.pid[side];
	if (!s->s.opener_pid && s->s.listener)
		return s->s.listener->opener_pid;
	return s->s.opener_pid;
}

/* --- identity --- */

static void sock_identify(struct msock *s, const struct event_sockinfo *e)
{
	size_t room = sizeof(s->s.path);

	s->announced = true;
	s->s.family = e->family;
	s->s.protocol = e->protocol;
	s->s.type = e->type;
	s->s.netns = e->netns;
	if (e->cookie)
		s->s.cookie = e->cookie;
	if (e->ino)
		s->s.ino = e->ino;
	if (e->src.family)
		s->s.src = e->src;
	if (e->dst.family)
		s->s.dst = e->dst;
	if (e->e.flags & EVF_SEED)
		s->s.seeded = true;
	if (e->path_len) {
		s->s.path_len = e->path_len < room ? e->path_len : room - 1;
		memcpy(s->s.path, e->path, s->s.path_len);
		/* the kernel counts the zero that ends a path in the file system, not one in an abstract name */
		if (s->s.path[0] && !s->s.path[s->s.path_len - 1])
			s->s.path_len--;
		s->s.path[s->s.path_len] = '\0';
	}
}

static void sock_set_listener(struct model *m, struct msock *s, __u32 parent)
{
	struct msock *l = sock_find(m, parent);

	if (s->s.listener || s->s.listening)
		return;
	if (!l && s->s.passive)
		l = sock_bound(m, s->s.netns, s->s.protocol, &s->s.src, NULL);
	if (!l || l == s)
		return;
	s->s.listener = &l->s;
	l->refs++;
}

/*
 * A connection that is older than the trace does not say who opened it. The end whose port is
 * listened on is the server.
 */
static void sock_guess_role(struct model *m, struct msock *s)
{
	if (s->s.role != ROLE_NONE || !s->s.seeded || s->s.listening || !s->s.dst.port)
		return;
	if (sock_bound(m, s->s.netns, IPPROTO_TCP, &s->s.src, NULL))
		sock_set_role(m, s, ROLE_SERVER, 0);
	else if (sock_bound(m, s->s.netns, IPPROTO_TCP, &s->s.dst, NULL))
		sock_set_role(m, s, ROLE_CLIENT, 0);
}

static int sock_pair(struct model *m, struct msock *s, __u32 peer_sid, __u64 t_ns)
{
	struct msock *peer;

	if (s->s.family != AF_UNIX)
		return s->s.listening ? 0 : pair_sock(m, s, t_ns);
	if (!peer_sid || peer_sid == s->s.sid)
		return 0;
	peer = sock_get(m, peer_sid, t_ns);
	return peer ? pair_peers(m, s, peer, t_ns) : -ENOMEM;
}

static void sock_take_state(struct model *m, struct msock *s, const struct event_sockinfo *e)
{
	if (e->family == AF_UNIX || s->s.destroyed)
		return;
	if (e->protocol == IPPROTO_TCP && e->state)
		s->s.state = e->state;
	if (e->protocol == IPPROTO_TCP && e->state == TCP_S_LISTEN)
		sock_listen(m, s, e->e.pid);
	if (e->protocol == IPPROTO_TCP &&
	    (e->state == TCP_S_ESTABLISHED || e->state == TCP_S_CLOSE_WAIT))
		s->established = true;
}

int sock_event(struct model *m, const struct moment *mo, struct step *st)
{
	const struct event_sockinfo *e = (const struct event_sockinfo *)mo->ev;
	struct msock *s = st->sock ? sock_of(st->sock) : NULL;
	int err;

	if (!s)
		return 0;
	sock_identify(s, e);
	if (e->sflags & SOCKF_PASSIVE) {
		s->s.passive = true;
		sock_set_listener(m, s, e->parent);
		sock_set_role(m, s, ROLE_SERVER, e->e.pid);
	}
	if (m->untraced & LAYER_APP && e->e.pid)
		sock_opened(s, e->e.pid, -1);
	sock_take_state(m, s, e);
	bound_add(m, s);
	if (s->s.seeded && s->s.type == SOCK_DGRAM && s->s.path_len && !e->peer_sid)
		unix_bound(m, s, s->s.path, s->s.path_len);
	sock_guess_role(m, s);
	err = sock_pair(m, s, e->peer_sid, mo->t_ns);
	if (err)
		return err;
	dgram_pay(m, s, mo->t_ns);
	if (levels_apply(m, s, &e->lv, e->state ? e->state : e->lv.state, LEVELS_KERNEL))
		st->sflags |= STEP_LV;
	return 0;
}

/* --- the end --- */

void sock_check_gone(struct model *m, struct msock *s, __u64 t_ns)
{
	struct seat *seat;

	if (sock_gone(s))
		mortal_add(m, &s->mortal, MORTAL_SOCK, t_ns);
	LIST_FOREACH(seat, &s->seats, link)
	{
		ledger_update(seat->c);
		conn_check_over(m, seat->c, t_ns);
	}
}

void sock_die(struct model *m, struct msock *s, __u64 t_ns)
{
	s->s.destroyed = true;
	s->s.listening = false;
	bound_del(m, s);
	pair_unaim(m, s);
	sock_check_gone(m, s, t_ns);
}

void sock_orphan(struct model *m, struct msock *s, __u64 t_ns)
{
	s->orphaned = true;
	if (sock_is_tcp(s))
		sock_check_gone(m, s, t_ns);
	else
		sock_die(m, s, t_ns);
}

void sock_taken_apart(struct msock *s)
{
	if (!sock_is_tcp(s) || s->s.state != TCP_S_CLOSE)
		return;
	s->taken_apart = true;
	if (s->s.conn)
		ledger_update(conn_of(s->s.conn));
}

void sock_restart(struct model *m, struct msock *s, __u64 t_ns)
{
	conn_leave(m, s, t_ns);
	s->s.base_known = false;
	s->established = false;
	s->tx = (struct track){ .seen = false };
	s->tx_acked = 0;
	s->rx = (struct track){ .seen = false };
	s->urgent = (struct urgent){ .marked = 0 };
	s->out = s->in_line = 0;
	s->untold = s->taken_apart = false;
	memset(&s->s.lv, 0, sizeof(s->s.lv));
	if (!s->bound) /* tcp_set_state() gave the port back at CLOSE */
		memset(&s->s.src, 0, sizeof(s->s.src));
}

void sock_free(struct model *m, struct msock *s)
{
	bound_del(m, s);
	pair_unaim(m, s);
	if (s->s.listener)
		sock_of(s->s.listener)->refs--;
	hash_del(m->socks, s->s.sid);
	unread_free(s);
	free(s);
}
