/* SPDX-License-Identifier: MIT */
/*
 * Sub-commands of ./trace. Each file src/cmd/NAME.c has one entry `int cmd_NAME(int argc, char **argv)`,
 * argv[0] being its own name, returning the exit status; src/main.c holds the table.
 */
#ifndef SOCKLENS_CMD_H
#define SOCKLENS_CMD_H

/* Exit status of our own failure, as strace and env have it. */
#define EXIT_TRACE 125
#define EXIT_NOT_RUNNABLE 126
#define EXIT_NOT_FOUND 127

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help; /* one line */
};

int cmd_live(int argc, char **argv); /* no sub-command: trace [options] [-- COMMAND] */
int cmd_show(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_query(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

#endif
