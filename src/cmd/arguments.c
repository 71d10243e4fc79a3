// SPDX-License-Identifier: MIT
#include "arguments.h"
#include "util/text.h"

#include <stdio.h>

int arguments_parse(const struct arguments *a, int argc, char **argv)
{
	const char *command = argv[0];
	char why[256];
	int at, err;

	a->err[0] = '\0';
	while (argc > 1) {
		at = options_parse(argc, argv, a->rows, a->option, a->ctx, why, sizeof(why));
		if (at < 0 && why[0])
			text_sentence(a->err, a->err_size,
				      "%s; 'trace %s --help' lists the options", why, command);
		if (at < 0)
			return at;
		err = at < argc ? a->operand(a->ctx, argv[at]) : 0;
		if (err)
			return err;
		argc -= at;
		argv += at;
	}
	return 0;
}
