/* SPDX-License-Identifier: MIT */
/*
 * The file `needs` of a lab: the programs that its scripts start and that not every system has. A line is a program
 * and the Debian package that brings it; '#' begins a comment.
 */
#ifndef SOCKLENS_LAB_NEEDS_H
#define SOCKLENS_LAB_NEEDS_H

#include "labs.h"

#define NEEDS_MAX 16 /* lines that are read */

struct need {
	char program[32], package[64];
	bool there; /* in the arena's PATH */
};

/* All that the lab names; how many. */
size_t needs_read(const struct lab *l, struct need *needs);
/* What to do about one that is not there. */
char *need_remedy(const struct need *n, char *buf, size_t size);

#endif
