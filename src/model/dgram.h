/* SPDX-License-Identifier: MIT */
/*
 * Sums of datagrams, and the ends of a direction: for the files that count them.
 */
#ifndef SOCKLENS_MODEL_DGRAM_H
#define SOCKLENS_MODEL_DGRAM_H

#include "../event/names.h"
#include "inside.h"

static inline void sum_add(struct dgram_sum *to, __u64 n, __u64 bytes)
{
	to->n += n;
	to->bytes += bytes;
}

static inline struct dgram_sum sum_plus(struct dgram_sum a, struct dgram_sum b)
{
	return (struct dgram_sum){ a.n + b.n, a.bytes + b.bytes };
}

static inline __u64 u64_minus(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

static inline struct dgram_sum sum_minus(struct dgram_sum a, struct dgram_sum b)
{
	return (struct dgram_sum){ u64_minus(a.n, b.n), u64_minus(a.bytes, b.bytes) };
}

static inline struct dgram_sum sum_max(struct dgram_sum a, struct dgram_sum b)
{
	return (struct dgram_sum){ a.n > b.n ? a.n : b.n, a.bytes > b.bytes ? a.bytes : b.bytes };
}

/* A socket that sends to itself is both ends, and has but one seat. */
static inline bool is_loop(const struct mconn *c)
{
	return addr_equal(&c->c.addr[0], &c->c.addr[1]);
}

static inline struct msock *end_sock(const struct mconn *c, int end)
{
	const struct sock *s = c->c.end[end];

	if (!s && is_loop(c))
		s = c->c.end[!end];
	return s ? sock_of(s) : NULL;
}

/* The direction in which that end sends or receives. */
static inline int dgram_direction(const struct mconn *c, int side, bool sending)
{
	if (is_loop(c))
		return 0;
	return sending ? side : !side;
}

#endif
