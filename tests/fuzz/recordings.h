/* SPDX-License-Identifier: MIT */
/*
 * For a fuzz target whose input is a recording: how libFuzzer makes the next one of one, or of two. Included by one file
 * of a target.
 */
#ifndef SOCKLENS_FUZZ_RECORDINGS_H
#define SOCKLENS_FUZZ_RECORDINGS_H

#include "mutate.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	return mutate_recording(data, size, max_size, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
				 uint8_t *out, size_t max_size, unsigned int seed)
{
	return cross_recordings((struct piece){ a, a_len }, (struct piece){ b, b_len },
				(struct room){ out, max_size }, seed);
}

#endif
