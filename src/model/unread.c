// SPDX-License-Identifier: MIT
/*
 * Lengths of the datagrams that wait in a UDP socket's queue, oldest first: what a receive call
 * with too small a buffer cuts off shows in no counter. Only a whole and gapless list is of use;
 * with any doubt it is given up until the queue is known to be empty.
 */
#include <stdlib.h>

#include "inside.h"

#define UNREAD_MAX 512 /* datagrams remembered of one socket */

struct unread {
	unsigned int head, n;  /* of len[] */
	unsigned int overflow; /* behind those: came when the list was full */
	bool doubt;
	__u32 len[UNREAD_MAX]; /* bytes; UNREAD_UNKNOWN */
};

static void empty(struct unread *u, bool doubt)
{
	u->head = u->n = u->overflow = 0;
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

void unread_arrived(struct msock *s, __u32 len)
{
	struct unread *u = of(s);

	if (!u || u->doubt)
		return;
	if (u->n == UNREAD_MAX || u->overflow)
		u->overflow++;
	else
		u->len[(u->head + u->n++) % UNREAD_MAX] = len;
}

void unread_dropped(struct msock *s)
{
	struct unread *u = s->unread;

	if (u && u->overflow)
		u->overflow--;
	else if (u && u->n)
		u->n--;
}

__u32 unread_taken(struct msock *s)
{
	struct unread *u = s->unread;
	__u32 len;

	if (!u || u->doubt || !(u->n || u->overflow))
		return UNREAD_UNKNOWN;
	if (!u->n) {
		u->overflow--;
		return UNREAD_UNKNOWN;
	}
	len = u->len[u->head];
	u->head = (u->head + 1) % UNREAD_MAX;
	u->n--;
	return len;
}

void unread_none(struct msock *s)
{
	if (s->unread)
		empty(s->unread, false);
}

void unread_doubted(struct msock *s)
{
	if (s->unread)
		empty(s->unread, true);
}
