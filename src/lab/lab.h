/* SPDX-License-Identifier: MIT */
/*
 * Sub-commands of ./lab: src/lab/main.c holds the table. Each gets what the command line said.
 */
#ifndef SOCKLENS_LAB_H
#define SOCKLENS_LAB_H

#include "labs.h"
#include "state.h"
#include "user.h"

#define EXIT_LAB 125 /* our own failure, or the command line's */
#define EXIT_LAB_FAIL 1
#define EXIT_LAB_AGAIN 2

/* Columns that a learner's screen has, and as the command line of ./trace has it. */
#define LAB_WIDTH 80
#define LAB_WIDTH_WORD "80"

struct lab_options {
	bool skip_prediction, give_up, watch;
	const char *seed, *record, *word; /* word: what stands behind NN */
};

/* What every sub-command works on. */
struct session {
	struct lab_options opts;
	struct user user;
	struct places places;
	struct labs labs;
	const struct lab *lab; /* NULL for those that are about no lab */
	struct state state;    /* of that lab */
};

/* Each returns the exit status, and has said why where it is not 0. */
int lab_list(struct session *s);
int lab_show(struct session *s);
int lab_predict(struct session *s);
int lab_run(struct session *s);
int lab_watch(struct session *s);
int lab_check(struct session *s);
int lab_hint(struct session *s);
int lab_solution(struct session *s);
int lab_reset(struct session *s);
int lab_doctor(struct session *s);

/* --- what they share --- */

/* One sentence on standard error; returns EXIT_LAB. */
int lab_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Root is needed and can be had: 0; else EXIT_LAB after naming the command with sudo, and the one
 * that does without (NULL: none).
 */
int lab_need_root(const struct session *s, const char *command, const char *instead);

/* Ctrl-C and the like, and the end of whoever reads what we print, since lab_catch_signals(). */
void lab_catch_signals(void);
bool lab_interrupted(void);
int lab_fail_interrupted(void); /* says by what; returns EXIT_LAB */

#endif
