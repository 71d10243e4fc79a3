/* SPDX-License-Identifier: MIT */
/*
 * The reader's end of a BPF ring buffer. libbpf's own maps the data twice in a row, so that no record has a seam; that
 * counts twice as memory. Here it is mapped once, and a record over the seam is put together.
 */
#ifndef SOCKLENS_CAPTURE_RING_H
#define SOCKLENS_CAPTURE_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring;

/* NULL and errno on failure. map: the ring's descriptor, bytes: its size; stays the caller's. */
struct ring *ring_new(int map, size_t bytes);
void ring_free(struct ring *r);

/*
 * Takes records until there is none, or take() returns other than 0: that is then the result, and the record is taken
 * all the same. 0: what was there is out.
 */
int ring_take(struct ring *r, int (*take)(void *ctx, void *record, size_t size), void *ctx);

/* Is there one to take, or one that is being written? */
bool ring_waits(const struct ring *r);

/* Waits until a record is submitted that rings. 1: one was, 0: the time is over, or negative errno. */
int ring_wait(struct ring *r, int timeout_ms);

#endif
