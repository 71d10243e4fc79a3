// SPDX-License-Identifier: MIT
/*
 * AF_UNIX datagrams: they go to a name, and the kernel tells no peer. Sockets are found by the name
 * they were bound to, letter by letter: another way to write the same path is not followed.
 */
#include <string.h>
#include <sys/socket.h>

#include "inside.h"

/* Bit 31 is never set in a key of a port: no protocol of those is above 255. */
#define KEY_OF_NAME (1ULL << 31)

/* FNV-1a, 64 bits */
__u64 unix_key(const char *name, size_t len)
{
	__u64 h = 0xcbf29ce484222325ULL;
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3ULL;
	return h | KEY_OF_NAME;
}

void unix_bound(struct model *m, struct msock *s, const char *name, size_t len)
{
	if (!len || len >= sizeof(s->s.path) || s->s.family != AF_UNIX)
		return;
	memmove(s->s.path, name, len); /* it may be its own */
	s->s.path[len] = '\0';
	s->s.path_len = (unsigned int)len;
	sock_bound_as(m, s, unix_key(name, len));
}

/* An abstract name is one of its network namespace, a path is not. */
static bool is_named(const struct msock *s, __u32 netns, const char *name, size_t len)
{
	return s->s.type == SOCK_DGRAM && s->s.path_len == len && !memcmp(s->s.path, name, len) &&
	       (name[0] || s->s.netns == netns);
}

static struct msock *find(const struct model *m, __u32 netns, const char *name, size_t len)
{
	struct msock *s = len ? hash_get(m->bound, unix_key(name, len)) : NULL;

	while (s && !is_named(s, netns, name, len))
		s = s->next_bound;
	return s;
}

/* Their conversation so far, whoever began it. */
static struct mconn *between(const struct msock *a, const struct msock *b)
{
	struct seat *seat;

	LIST_FOREACH(seat, &a->seats, link)
	if (!seat->c->c.ended && conn_side(seat->c, a) >= 0 && conn_side(seat->c, b) >= 0)
		return seat->c;
	return NULL;
}

struct mconn *unix_pair(struct model *m, struct msock *s, const char *name, size_t len, __u64 t_ns)
{
	static const struct ev_addr unix_addr = { .family = AF_UNIX };
	struct msock *r = s->s.type == SOCK_DGRAM ? find(m, s->s.netns, name, len) : NULL;
	struct mconn *c = r ? between(s, r) : NULL;

	if (c || !r || r == s || s->s.destroyed)
		return c;
	c = conn_new(m, s->s.netns, 0, &unix_addr, &unix_addr, t_ns);
	if (!c)
		return NULL;
	if (LIST_EMPTY(&s->seats)) { /* if bound, then only to be answered: it speaks first */
		s->s.role = ROLE_CLIENT;
		sock_set_role(m, s, ROLE_CLIENT, 0);
	}
	conn_sit(m, c, s, 0);
	conn_sit(m, c, r, 1);
	c->sure = true;
	sock_set_role(m, r, ROLE_SERVER, 0);
	return c;
}
