/* SPDX-License-Identifier: MIT */
/*
 * A trial: a lab's experiment, or its exercise with the learner's program, run once in an arena while
 * the tracer records it.
 */
#ifndef SOCKLENS_LAB_TRIAL_H
#define SOCKLENS_LAB_TRIAL_H

#include "arena.h"
#include "labs.h"
#include "user.h"
#include "variants.h"

#define TRIAL_MINE "mine" /* what the learner's program is called in the arena */

struct trial {
	const struct lab *lab;
	const struct user *user;
	const struct places *places;
	const char *script;	       /* "run" or "grade" */
	const struct variant *variant; /* NULL: the experiment, which is always the same */
	__u64 seed;
	const char *program;   /* the learner's, compiled; NULL: none */
	const char *recording; /* where it is kept */
	bool echo;	       /* show what the programs print while they do */
	bool (*interrupted)(void);
	/* Filled in: */
	enum arena_how how;
	int status;	    /* of wait(2), if it ended by itself */
	struct lines lines; /* lines_free() is the caller's */
};

/* 0: there is a recording; or negative errno with one sentence in err: nothing of the learner's. */
int trial_run(struct trial *t, char *err, size_t size);

/* Could it be run? Its arena is made, and nothing started. 0, or as trial_run() has it. */
int trial_try(struct trial *t, char *err, size_t size);

/* How long it may take. */
unsigned int trial_limit_ms(const struct trial *t);

/* What it was run with, "size 1234, port 5678", for somebody who wants it again. */
void trial_settings(const struct trial *t, char *buf, size_t size);

#endif
