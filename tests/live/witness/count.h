/* SPDX-License-Identifier: MIT */
#ifndef TESTS_WITNESS_COUNT_H
#define TESTS_WITNESS_COUNT_H

/* The names the recording gives these kinds stand in count.c. */
enum counted {
	COUNTED_CALL,
	COUNTED_STATE,
	COUNTED_DESTROY,
	COUNTED_DATA_READY,
	COUNTED_SEGMENT,
	COUNTED_MAX
};

#endif
