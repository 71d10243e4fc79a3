/* SPDX-License-Identifier: MIT */
/*
 * An arena: where programs of a lab run, those of learners among them.
 *
 * It has namespaces of its own for processes, network, mounts and IPC; a second one for the network,
 * the far one, if the lab has a script for it. In it every file system is
 * read-only but for a /tmp of 16 MiB that holds the programs; they run as a
 * user who owns nothing, without a terminal, and cannot gain rights. Whatever they do, they end with
 * the arena, and so do its namespaces and files; should ./lab itself be killed, the kernel ends the
 * arena.
 */
#ifndef SOCKLENS_LAB_ARENA_H
#define SOCKLENS_LAB_ARENA_H

#include <sys/types.h>

#include "lines.h"
#include "user.h"

#define ARENA_PATH \
	"/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin" /* its programs' PATH */
#define ARENA_FILES 32
#define ARENA_SETTINGS 32
#define ARENA_TASKS 64	   /* processes; more is taken for a mistake */
#define ARENA_MEMORY 512   /* MiB each process may map */
#define ARENA_DISK 16	   /* MiB in /tmp */
#define ARENA_RECORDING 24 /* MiB of what is recorded of it; more is taken for a loop without end */
#define ARENA_FAR 99	   /* descriptor of its first process: the second network */

/* What is put into the arena's folder, and what is started there. */
struct arena_plan {
	const struct user *user;
	const char *script;	/* name of the file that is run; it ends, the arena ends */
	bool prepare;		/* there is a file "arena": run it first, with root's rights */
	bool far;		/* there is a file "far": it is the script of a second network */
	int files[ARENA_FILES]; /* descriptors, open for reading */
	const char *names[ARENA_FILES];
	size_t n_files;
	char *settings[ARENA_SETTINGS + 1]; /* environment, "NAME=value", NULL-terminated */
	size_t n_settings;
};

enum arena_how {
	ARENA_ENDED,	   /* the script ended by itself */
	ARENA_LIMIT,	   /* the time was over */
	ARENA_FLOOD,	   /* it printed too much */
	ARENA_CROWD,	   /* it started too many processes */
	ARENA_CALLS,	   /* it made too many calls */
	ARENA_INTERRUPTED, /* somebody wants us to end */
};

/* What a run is ended by, if it does not end by itself and prints little. */
struct arena_bounds {
	unsigned int limit_ms;
	const char *recording;	   /* of the run, while it is written */
	bool (*interrupted)(void); /* asked after each signal: is the run to be given up? */
};

struct arena {
	pid_t pid; /* its first process, as we see it; 0: there is no arena */
	bool far;  /* it has a second network */
	int go, said, out;
	struct lines lines;
	size_t echoed; /* of these lines, printed as they came */
	enum arena_how how;
	int status; /* of wait(2), of the script; valid if ENDED */
};

/* 0, or negative errno with one sentence in err: that is no fault of what runs in there. */
int arena_open(struct arena *a, const struct arena_plan *plan, char *err, size_t size);
/*
 * Start the script and wait, within these bounds. echo: print each line as it comes. 0, or negative
 * errno with one sentence in err.
 */
int arena_run(struct arena *a, const struct arena_bounds *bounds, bool echo, char *err,
	      size_t size);
/* Ends everything in it. Nothing is left when this returns. */
void arena_close(struct arena *a);

#endif
