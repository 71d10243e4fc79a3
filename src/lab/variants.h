/* SPDX-License-Identifier: MIT */
/*
 * With what an exercise is run: each line of a lab's file `variants` is a name and settings,
 * NAME=NUMBER or NAME=LOW..HIGH, of which one is drawn. "limit" is the time in ms that the run may take.
 */
#ifndef SOCKLENS_LAB_VARIANTS_H
#define SOCKLENS_LAB_VARIANTS_H

#include <linux/types.h>
#include <stddef.h>

#define VARIANTS_MAX 16
#define VARIANT_SETTINGS 16
#define VARIANT_LIMIT_MS 5000

struct setting {
	char name[24];
	long low, high;
};

struct variant {
	char name[32];
	unsigned int limit_ms;
	struct setting at[VARIANT_SETTINGS];
	size_t n;
};

struct variants {
	struct variant at[VARIANTS_MAX];
	size_t n;
};

/* From the text of the file; NULL: one variant without settings. 0, or -EINVAL with a sentence. */
int variants_parse(struct variants *v, const char *text, char *err, size_t size);

/* A number from LOW to HIGH; the same seed gives the same sequence. */
long variants_draw(__u64 *seed, long low, long high);
/* A seed nobody can guess, small enough to be typed. */
__u64 variants_seed(void);

#endif
