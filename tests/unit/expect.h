/* SPDX-License-Identifier: MIT */
/*
 * What a ledger must say: while the conversation lives, and when it is over.
 */
#ifndef SOCKLENS_TESTS_EXPECT_H
#define SOCKLENS_TESTS_EXPECT_H

#include "build_events.h"

struct amounts {
	__u64 written, unsent, in_flight, rcvq, read;
};

static inline void expect(const struct ledger *l, struct amounts a)
{
	assert_int_equal(l->written, a.written);
	assert_int_equal(l->unsent, a.unsent);
	assert_int_equal(l->in_flight, a.in_flight);
	assert_int_equal(l->rcvq, a.rcvq);
	assert_int_equal(l->read, a.read);
}

static inline void expect_end(const struct ledger *l, __u64 written, __u64 read, __u64 destroyed,
			      __u64 discarded)
{
	assert_int_equal(l->written, written);
	assert_int_equal(l->read, read);
	assert_int_equal(l->destroyed, destroyed);
	assert_int_equal(l->discarded, discarded);
	assert_int_equal(l->unsent + l->in_flight + l->rcvq, 0);
}

static inline void expect_over(struct story *y, enum conn_end how)
{
	story_wait(y, 2 * NS_PER_MS);
	assert_int_equal(y->summaries, 1);
	assert_int_equal(y->summary.how, how);
	assert_true(y->over.ended);
}

#endif
