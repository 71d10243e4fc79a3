/* SPDX-License-Identifier: MIT */
/*
 * Blocks of a few sizes, cheap to get and to put back: for records that come and go by the million.
 * Memory grows with the largest number of blocks in use at one time, and is kept for reuse.
 */
#ifndef SOCKLENS_UTIL_POOL_H
#define SOCKLENS_UTIL_POOL_H

#include <stddef.h>

#define POOL_STEP 64 /* bytes between two block sizes */
#define POOL_SIZES 16
#define POOL_BLOCK_MAX (POOL_STEP * POOL_SIZES)

struct pool_block;
struct pool_chunk;

/* Start with { 0 }. */
struct pool {
	struct pool_block *unused[POOL_SIZES];
	struct pool_chunk *chunks; /* the first one is being cut up */
	size_t bytes;		   /* in all chunks */
	size_t used;		   /* of the first chunk */
	size_t in_use;		   /* blocks given out */
};

void *pool_get(struct pool *p,
	       size_t size); /* 1 to POOL_BLOCK_MAX; 8-byte aligned; NULL: no memory */
void pool_put(struct pool *p, void *block, size_t size); /* size as it was got */
/* Give all memory back if no block is in use and it is more than `keep` bytes. */
void pool_trim(struct pool *p, size_t keep);
void pool_free(struct pool *p); /* every block becomes invalid; the pool may be used again */

#endif
