/* SPDX-License-Identifier: MIT */
/*
 * Sequence numbers of one end of one direction, carried on in 64 bits: raw numbers wrap after
 * 4 GiB, these do not. A value only grows; how many data bytes it stands for is track_pos().
 */
#ifndef SOCKLENS_MODEL_TRACK_H
#define SOCKLENS_MODEL_TRACK_H

#include <linux/types.h>
#include <stdbool.h>

enum track_tx { TX_WRITE = 0, TX_NXT = 1, TX_UNA = 2 };
enum track_rx { RX_NXT = 0, RX_COPIED = 1 };
#define TRACK_MAX 3

struct track {
	__u64 v[TRACK_MAX]; /* low 32 bits: the raw number */
	__u64 base;	    /* of the first data byte we count */
	__u64 fin;	    /* of the FIN: data ends before it; valid with fin_known */
	bool seen;	    /* v and base mean something */
	bool exact;	    /* base is the first byte of the stream, not of our sight */
	bool fin_known;
};

/* The 64-bit number nearest to `near` whose low half is raw. */
__u64 track_extend(__u64 near, __u32 raw);
/* First sight: values in the order of the enum. base counts from values[from]. */
void track_start(struct track *t, const __u32 *values, unsigned int n, unsigned int from);
/* Let a value grow. Returns 1 if it did, 0 if it was the same, -1 if raw is older. */
int track_grow(struct track *t, unsigned int i, __u32 raw);
void track_set_base(struct track *t, __u32 raw);	/* the stream's true first byte */
void track_set_fin(struct track *t, __u32 raw);		/* first word counts */
__u64 track_pos(const struct track *t, unsigned int i); /* data bytes since base; 0 if not seen */
__u64 track_place(const struct track *t, __u64 v);	/* the same of any number on the scale of v[] */

#endif
