/* SPDX-License-Identifier: MIT */
/*
 * COMMAND: a child of ours that waits until tracing runs, and all that descends from it.
 */
#ifndef SOCKLENS_CMD_COMMAND_H
#define SOCKLENS_CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "inherited.h"
#include "invoker.h"

struct command_run {
	pid_t pid;    /* 0 = there is no COMMAND */
	int go;	      /* pipe to the waiting child, -1 once it was released */
	int fault;    /* pipe on which a failing execve() reports, -1 once read */
	int leash[2]; /* pipe whose writing makes the kernel signal COMMAND: see command.c */
	bool ended;
	int status;   /* of wait(2), valid when ended */
	bool alone;   /* no descendant is left */
	struct inherited inherited;
	bool stopped; /* command_stop() has sent it SIGTERM */
};

#define COMMAND_NONE ((struct command_run){ .go = -1, .fault = -1, .leash = { -1, -1 } })

/*
 * Fork it as the invoking user and look it up in PATH, but do not run it yet. Returns 0, or the
 * exit status that says why not (125, 126, 127) with one sentence in err. Call it before
 * signals_start(), so that COMMAND starts with the signals as we got them.
 */
int command_start(struct command_run *c, char **argv, const struct invoker *who, char *err,
		  size_t err_size);

/* Let it run. Same result as command_start() should execve() refuse it. */
int command_release(struct command_run *c, const char *name, char *err, size_t err_size);

/* Not to be run after all; does nothing without a waiting COMMAND. */
void command_cancel(struct command_run *c);

/* After SIGCHLD: collect what ended. */
void command_reap(struct command_run *c);

/* Pass a signal on, if it still runs. */
void command_signal(struct command_run *c, int sig);
/* Our own limit was reached: end it if it still runs, and do not count that as its failure. */
void command_stop(struct command_run *c);

/*
 * Tracing is over: wait for COMMAND (not for what it left behind) and return our exit status, as
 * strace has it: COMMAND's own. Does not return where COMMAND was killed by a signal that we did
 * not send, nor when forced(), asked after each signal (see signals.h), names one: then COMMAND is
 * told to end, and we end by that signal.
 */
int command_result(struct command_run *c, int (*forced)(void));

#endif
