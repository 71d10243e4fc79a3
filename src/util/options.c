/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define OPTIONS_MAX 64
#define HELP_COLUMN 26 /* where the explanations begin */

static bool row_is_end(const struct option_row *row)
{
	return !row->id && !row->name;
}

/* Fill what getopt_long() wants. Both arrays have room for OPTIONS_MAX rows. */
static int options_compile(const struct option_row *rows, char *shorts, struct option *longs)
{
	const struct option_row *row;
	size_t n = 0;

	*shorts++ =
		'+'; /* stop at the first operand: it may be a COMMAND with options of its own */
	*shorts++ = ':'; /* tell a missing value from an unknown option */
	for (row = rows; !row_is_end(row); row++) {
		if (row - rows >= OPTIONS_MAX)
			return -E2BIG;
		if (row->id < OPTION_LONG) {
			*shorts++ = (char)row->id;
			if (row->argname)
				*shorts++ = ':';
		}
		if (row->name)
			longs[n++] = (struct option){
				.name = row->name,
				.has_arg = row->argname ? required_argument : no_argument,
				.val = row->id,
			};
	}
	*shorts = '\0';
	longs[n] = (struct option){ 0 };
	return 0;
}

static const struct option_row *row_by_id(const struct option_row *rows, int id)
{
	const struct option_row *row;

	for (row = rows; !row_is_end(row); row++)
		if (row->id == id)
			return row;
	return NULL;
}

/* One sentence on what getopt_long() refused; word is the argument it stopped at. */
static void options_explain(char *err, size_t size, const struct option_row *rows, int result,
			    const char *word)
{
	const struct option_row *row = optopt ? row_by_id(rows, optopt) : NULL;
	bool is_long = !strncmp(word, "--", 2);

	if (result == ':' && row)
		text_sentence(err, size, "option %s%.*s needs a value: %s", is_long ? "" : "-",
			      is_long ? (int)strlen(word) : 1,
			      is_long ? word : (char[]){ (char)optopt, 0 }, row->argname);
	else if (row)
		text_sentence(err, size, "option --%s takes no value", row->name);
	else if (optopt)
		text_sentence(err, size, "unknown option -%c", optopt);
	else
		text_sentence(err, size, "unknown or ambiguous option %s", word);
}

int options_parse(int argc, char **argv, const struct option_row *rows, option_fn fn, void *ctx,
		  char *err, size_t err_size)
{
	struct option longs[OPTIONS_MAX + 1];
	char shorts[2 * OPTIONS_MAX + 3];
	int id, ret, at;

	if (err_size)
		err[0] = '\0';
	ret = options_compile(rows, shorts, longs);
	if (ret)
		return ret;
	opterr = 0;
	optind = 0; /* glibc: forget the previous scan */
	for (;;) {
		at = optind ? optind : 1;
		id = getopt_long(argc, argv, shorts, longs, NULL);
		if (id == -1)
			return optind;
		if (id == '?' || id == ':') {
			options_explain(err, err_size, rows, id, argv[at]);
			return -EINVAL;
		}
		ret = fn(ctx, id, optarg);
		if (ret)
			return ret;
	}
}

/* "  -p, --pid PID" padded; a form too long for the column stands on a line of its own. */
static void help_form(FILE *out, const struct option_row *row)
{
	int n = 0;

	if (row->id < OPTION_LONG)
		n += fprintf(out, "  -%c%s", row->id, row->name ? ", " : "");
	else
		n += fprintf(out, "      ");
	if (row->name)
		n += fprintf(out, "--%s", row->name);
	if (row->argname)
		n += fprintf(out, " %s", row->argname);
	if (n >= HELP_COLUMN)
		n = fprintf(out, "\n") - 1;
	fprintf(out, "%*s", HELP_COLUMN - n, "");
}

static void help_text(FILE *out, const char *text)
{
	size_t len = strcspn(text, "\n");

	fprintf(out, "%.*s\n", (int)len, text);
	while (text[len]) {
		text += len + 1;
		len = strcspn(text, "\n");
		fprintf(out, "%*s%.*s\n", HELP_COLUMN, "", (int)len, text);
	}
}

void options_help(FILE *out, const struct option_row *rows)
{
	const struct option_row *row;

	for (row = rows; !row_is_end(row); row++) {
		if (row->group)
			fprintf(out, "%s%s:\n", row == rows ? "" : "\n", row->group);
		help_form(out, row);
		help_text(out, row->help ? row->help : "");
	}
}

int option_number(const char *arg, long min, long max, long *value)
{
	char *end;
	long n;

	if (!arg || !strchr("0123456789-", arg[0]) || !arg[0])
		return -EINVAL;
	errno = 0;
	n = strtol(arg, &end, 10);
	if (end == arg || *end)
		return -EINVAL;
	if (errno == ERANGE || n < min || n > max)
		return -ERANGE;
	*value = n;
	return 0;
}
