/* SPDX-License-Identifier: MIT */
/*
 * The questions of a lab, from its predict.md:
 *
 *     ## How many bytes reach the client?
 *
 *     Text that sets the scene.
 *
 *     - A: none of them
 *     - B: all of them
 *
 *     > A: close() throws away what was not sent yet.
 *     > B, right: the kernel goes on sending.
 *
 * What stands in ">" lines is told after the run only. A line that begins with two blanks, or with
 * "> " and no letter, goes on with the one above.
 */
#ifndef SOCKLENS_LAB_QUESTION_H
#define SOCKLENS_LAB_QUESTION_H

#include "util/buf.h"

#define QUESTIONS_MAX 8
#define CHOICES_MAX 6

struct choice {
	struct buf text;   /* what is predicted */
	struct buf belief; /* what whoever predicts that believes */
};

struct question {
	struct buf title;
	struct buf text; /* lines, each with its newline */
	struct choice choices[CHOICES_MAX];
	int n;
	int right; /* index; -1: the file does not say */
};

struct questions {
	struct question at[QUESTIONS_MAX];
	int n;
};

/* From the text of the file. 0, -ENOMEM, or -EINVAL with one sentence in err. */
int questions_parse(struct questions *q, const char *text, char *err, size_t size);
void questions_free(struct questions *q);

/*
 * The letters of an answer, one a question, in either case: as indexes into picked[QUESTIONS_MAX].
 * 0, or -EINVAL with one sentence in err.
 */
int questions_pick(const struct questions *q, const char *letters, int *picked, char *err,
		   size_t size);

#endif
