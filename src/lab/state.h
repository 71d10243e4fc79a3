/* SPDX-License-Identifier: MIT */
/*
 * What a learner has done: small text files, one a fact, in
 * $XDG_STATE_HOME/socklens/labs/NN-name/ (~/.local/state if it is not set), always those of the
 * person behind sudo. The copy of the starter that a learner works on is theirs to see, so it is in
 * ~/socklens-labs/NN-name/ ($SOCKLENS_LABS if that is set).
 */
#ifndef SOCKLENS_LAB_STATE_H
#define SOCKLENS_LAB_STATE_H

#include "labs.h"
#include "user.h"

/* Names of facts. */
#define STATE_PREDICTION "prediction" /* letters, one a question, and below them the reason */
#define STATE_PASSED "passed"
#define STATE_GAVE_UP "gave-up"
#define STATE_HINTS "hints" /* how many were shown */

struct state {
	char dir[PATH_MAX];  /* of this lab */
	char work[PATH_MAX]; /* where the learner's file of this lab is */
	uid_t who;	     /* whose all of it is */
};

/* Folders are made when something is written: see cmd/place.h for where nothing is. */
void state_find(struct state *s, const struct user *u, const struct lab *l);

/* 0, or negative errno with one sentence in err. */
int state_write(const struct state *s, const char *fact, const char *text, char *err, size_t size);
char *state_read(const struct state *s, const char *fact); /* the caller frees; NULL: unknown */
bool state_has(const struct state *s, const char *fact);
void state_forget(const struct state *s, const char *fact);

/* The folder of these. 0, or negative errno with one sentence in err. */
int state_make_folder(const struct state *s, char *err, size_t size);

/*
 * The learner's own file into path[PATH_MAX]; made from the starter if it is not there, and then
 * *fresh is true. 0, or negative errno with one sentence in err.
 */
int state_work_file(const struct state *s, const struct lab *l, char *path, bool *fresh, char *err,
		    size_t size);
/* The learner's file out of the way: its new name into path. False: there was none. */
bool state_work_aside(const struct state *s, const struct lab *l, char *path);

#endif
