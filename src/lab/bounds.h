/* SPDX-License-Identifier: MIT */
/*
 * The rules that hold for every lab: a program ends by itself, with 0, and keeps within its limits.
 */
#ifndef SOCKLENS_LAB_BOUNDS_H
#define SOCKLENS_LAB_BOUNDS_H

#include <stdbool.h>

#include "trial.h"

struct bound {
	const char *name; /* as a check has one; NULL: none is broken */
	char why[240];
};

/* The one that the learner's program broke in that trial, which is recorded. False: it kept them all. */
bool bounds_broken(const struct trial *t, struct bound *b);

#endif
