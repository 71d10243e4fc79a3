/* SPDX-License-Identifier: MIT */
/*
 * Mutations that keep the form: records and frames are changed, doubled, left out and mixed, and
 * lengths still say the truth. Now and then plain bytes change, which is what damage looks like.
 */
#ifndef SOCKLENS_TESTS_MUTATE_H
#define SOCKLENS_TESTS_MUTATE_H

#include <stddef.h>
#include <stdint.h>

struct piece {
	const uint8_t *data;
	size_t len;
};

struct room {
	uint8_t *data;
	size_t size;
};

/* Each as the custom mutator, or the custom crossover, of a target. Records alone: */
size_t mutate_records(uint8_t *data, size_t len, size_t size, unsigned int seed);
size_t cross_records(struct piece a, struct piece b, struct room out, unsigned int seed);
/* A recording: header, frames, records in its batches. */
size_t mutate_recording(uint8_t *data, size_t len, size_t size, unsigned int seed);
size_t cross_recordings(struct piece a, struct piece b, struct room out, unsigned int seed);

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#endif
