/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "util/log.h"
#include "util/written.h"

static int cmd_help(int argc, char **argv);

static const struct command commands[] = {
	{ "show", cmd_show, "show a recording as it was seen live (no root needed)" },
	{ "explain", cmd_explain, "why things happened in a recording, and what proves it" },
	{ "query", cmd_query, "ask a recording in SQL" },
	{ "check", cmd_check, "run a file of SQL checks on a recording" },
	{ "export", cmd_export, "a recording as a SQLite database or as JSON lines" },
	{ "doctor", cmd_doctor, "what this kernel offers, and what is missing" },
	{ "help", cmd_help, "this text; 'trace help SUB-COMMAND' for one of them" },
	{ NULL, NULL, NULL },
};

static const struct command *command_find(const char *name)
{
	const struct command *c;

	for (c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int help_on(const char *name)
{
	const struct command *c = command_find(name);
	char *args[] = { (char *)name, "--help", NULL };

	if (c && c->run != cmd_help)
		return c->run(2, args);
	log_error("there is no sub-command '%s'; 'trace help' lists them", name);
	return EXIT_TRACE;
}

static int cmd_help(int argc, char **argv)
{
	char *args[] = { "trace", "--help", NULL };
	const struct command *c;
	int status;

	if (argc > 1 && argv[1][0] != '-')
		return help_on(argv[1]);
	status = cmd_live(2, args);
	printf("\nSub-commands:\n");
	for (c = commands; c->name; c++)
		printf("  trace %-18s%s\n", c->name, c->help);
	printf("\nManual: trace(8). To trace a program named like a sub-command: trace -- show\n");
	return status;
}

static int run(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";
	const struct command *c = command_find(first);

	if (c)
		return c->run(argc - 1, argv + 1);
	if (!strcmp(first, "--help") || !strcmp(first, "-h"))
		return cmd_help(1, argv);
	return cmd_live(argc, argv);
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	return status_after_output(stdout, run(argc, argv), EXIT_TRACE);
}
