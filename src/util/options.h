/* SPDX-License-Identifier: MIT */
/*
 * Command-line options from one table: the same rows are parsed and printed as help, so that the
 * two cannot disagree. Never prints an error and never exits: the caller does.
 */
#ifndef SOCKLENS_UTIL_OPTIONS_H
#define SOCKLENS_UTIL_OPTIONS_H

#include <stdio.h>

/* A table ends with a row that is all zero. */
struct option_row {
	int id;		     /* its letter ('p' is -p); above 255: no short form */
	const char *name;    /* long form without the dashes, NULL = none */
	const char *argname; /* word for its value in the help, NULL = takes none */
	const char *help;    /* "\n" starts a further line */
	const char *group; /* heading printed above this row, NULL = still that of the row before */
};

/* First number of an option without a short form. */
#define OPTION_LONG 256

/*
 * Called for each option in the order given. arg is NULL where the row has no argname.
 * Returns 0 to go on; anything else stops and is handed up.
 */
typedef int (*option_fn)(void *ctx, int id, const char *arg);

/*
 * Parse argv[1..]. Options end at the first operand or after "--". Returns the index of the first
 * operand (argc if there is none), or a negative number: what fn returned (which must be negative),
 * or -EINVAL with one sentence in err for an unknown option, a missing or a superfluous value.
 * err is empty unless this function filled it. May be called any number of times.
 */
int options_parse(int argc, char **argv, const struct option_row *rows, option_fn fn, void *ctx,
		  char *err, size_t err_size);

/* The rows as help, two columns, in the order of the table. */
void options_help(FILE *out, const struct option_row *rows);

/* A whole number within [min, max] and nothing else: 0, or -EINVAL (no number), -ERANGE. */
int option_number(const char *arg, long min, long max, long *value);

#endif
