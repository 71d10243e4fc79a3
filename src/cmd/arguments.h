/* SPDX-License-Identifier: MIT */
/*
 * The command line of a sub-command that takes operands: options may stand before, between and
 * behind them.
 */
#ifndef SOCKLENS_CMD_ARGUMENTS_H
#define SOCKLENS_CMD_ARGUMENTS_H

#include "util/options.h"

struct arguments {
	const struct option_row *rows;
	option_fn option;
	int (*operand)(void *ctx, const char *arg); /* 0, or negative with its sentence in err */
	void *ctx;
	char *err; /* one sentence of whoever found something wrong */
	size_t err_size;
};

/* argv[0]: the sub-command's own name. 0 or negative; err is "" only if nothing could be said. */
int arguments_parse(const struct arguments *a, int argc, char **argv);

#endif
