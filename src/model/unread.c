// SPDX-License-Identifier: MIT
/*
 * The queue of a UDP socket as we saw it fill: whose datagrams wait in it, and how long each is. What
 * a receive call with too small a buffer cuts off shows in no counter, and a call need not tell whose
 * datagram it got; the queue knows both.
 *
 * A datagram is entered when it arrives at the host; the kernel then says that it was queued
 * (EV_DATA_READY) or that it was dropped. Two processors may do that at the same time, so the order
 * here is not quite that of the kernel: a call gets the first one that fits its result. With any
 * doubt the list is given up until the queue is known to be empty.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define UNREAD_MAX 65536  /* datagrams remembered of one socket: 2 MB */
#define UNREAD_SWAPPED 32 /* datagrams that others may have overtaken */

struct unread {
	size_t head, n, cap; /* of at[]: head..head+n are in use */
	struct unread_dgram *at;
	bool doubt;
};

static void empty(struct unread *u, bool doubt)
{
	u->head = u->n = 0;
	u->doubt = doubt;
}

/* Out of memory only costs a remark. */
static struct unread *of(struct msock *s)
{
	if (!s->unread) {
		s->unread = calloc(1, sizeof(*s->unread));
		if (s->unread)
			s->unread->doubt = s->s.seeded;
	}
	return s->unread;
}

static bool make_room(struct unread *u)
{
	size_t cap = u->cap ? u->cap * 2 : 64;
	struct unread_dgram *at;

	if (u->head + u->n < u->cap)
		return true;
	if (u->head) {
		memmove(u->at, u->at + u->head, u->n * sizeof(*u->at));
		u->head = 0;
		return true;
	}
	at = cap <= UNREAD_MAX ? realloc(u->at, cap * sizeof(*at)) : NULL;
	if (!at)
		return false;
	u->at = at;
	u->cap = cap;
	return true;
}

bool unread_arrived(struct msock *s, const struct unread_dgram *d)
{
	struct unread *u = of(s);

	if (!u || u->doubt)
		return false;
	if (!make_room(u)) {
		empty(u, true);
		return false;
	}
	u->at[u->head + u->n++] = *d;
	return true;
}

/* i: counted from the oldest. */
static struct unread_dgram take_out(struct unread *u, size_t i)
{
	struct unread_dgram *at = u->at + u->head, d = at[i];

	if (i < u->n - i) { /* nearer to the oldest: move those */
		memmove(at + 1, at, i * sizeof(*at));
		u->head++;
	} else {
		memmove(at + i, at + i + 1, (u->n - i - 1) * sizeof(*at));
	}
	if (!--u->n)
		u->head = 0;
	return d;
}

/* The latest: an older one that nothing was heard of was stopped before it came to the socket. */
bool unread_queued(struct msock *s, struct unread_dgram *d)
{
	struct unread *u = s->unread;
	struct unread_dgram *at;
	size_t i;

	for (i = u ? u->n : 0; i; i--) {
		at = &u->at[u->head + i - 1];
		if (at->queued)
			continue;
		at->queued = true;
		*d = *at;
		return true;
	}
	return false;
}

/* The latest of those not known to be queued; of that length, if there is one. */
bool unread_dropped(struct msock *s, const struct mconn *c, __u32 len, struct unread_dgram *d)
{
	struct unread *u = s->unread;
	const struct unread_dgram *at;
	size_t i, best = 0;
	bool found = false;

	for (i = u ? u->n : 0; i; i--) {
		at = &u->at[u->head + i - 1];
		if (at->queued || (c && at->conn != c))
			continue;
		if (!found || at->len == len)
			best = i - 1;
		found = true;
		if (at->len == len)
			break;
	}
	if (found)
		*d = take_out(u, best);
	return found;
}

static bool fits(const struct unread_dgram *d, const struct unread_take *t)
{
	if ((t->conn && d->conn != t->conn) || (t->queued && !d->queued))
		return false;
	return t->got < t->room ? d->len == t->got : d->len >= t->got;
}

/* Those that never came to the socket, and now lie first. */
static void drop_stale(struct unread *u, __u64 t_ns)
{
	while (u->n && !u->at[u->head].queued && u->at[u->head].t_ns + NS_PER_S < t_ns) {
		u->head++;
		u->n--;
	}
}

bool unread_taken(struct msock *s, const struct unread_take *t, struct unread_dgram *d)
{
	struct unread *u = s->unread;
	const struct unread_dgram *at;
	size_t i, tried = 0;

	if (!u || u->doubt)
		return false;
	for (i = 0; i < u->n && tried < UNREAD_SWAPPED; i++) {
		at = &u->at[u->head + i];
		if (fits(at, t)) {
			*d = take_out(u, i);
			drop_stale(u, d->t_ns);
			return true;
		}
		tried += (!t->conn || at->conn == t->conn) && (!t->queued || at->queued);
	}
	/* Of an empty list: its arrival was not seen. */
	if (tried)
		empty(u, true);
	return false;
}

void unread_none(struct msock *s, __u64 t_ns)
{
	struct unread *u = s->unread;
	size_t i, kept = 0;

	if (!u)
		return;
	for (i = 0; i < u->n; i++)
		if (u->at[u->head + i].t_ns >= t_ns)
			u->at[kept++] = u->at[u->head + i];
	empty(u, false);
	u->n = kept;
}

void unread_doubted(struct msock *s)
{
	if (s->unread)
		empty(s->unread, true);
}

void unread_forget(struct msock *s, const struct mconn *c)
{
	struct unread *u = s->unread;
	size_t i;

	for (i = 0; u && i < u->n; i++)
		if (u->at[u->head + i].conn == c)
			u->at[u->head + i].conn = NULL;
}

void unread_free(struct msock *s)
{
	if (s->unread)
		free(s->unread->at);
	free(s->unread);
	s->unread = NULL;
}
