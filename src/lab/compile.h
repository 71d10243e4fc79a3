/* SPDX-License-Identifier: MIT */
/*
 * The learner's C file becomes a program, with the learner's rights and bounded in time and size.
 */
#ifndef SOCKLENS_LAB_COMPILE_H
#define SOCKLENS_LAB_COMPILE_H

#include <stddef.h>

#include "user.h"
#include "util/buf.h"

#define COMPILE_LIMIT_S 20

enum compile_result {
	COMPILE_OK,
	COMPILE_REFUSED,     /* the compiler found errors: the learner's */
	COMPILE_NO_FILE,     /* there is no such file: the learner's, too */
	COMPILE_NO_COMPILER, /* this machine has none */
	COMPILE_BROKEN,	     /* something of ours; one sentence in err */
};

/* What the compiler said is in `said`, also if it was only warnings. */
enum compile_result compile(const struct user *u, const char *source, const char *program,
			    struct buf *said, char *err, size_t size);

#endif
