/* SPDX-License-Identifier: MIT */
/*
 * A recording read by a command: opened, run through a pipeline to its end, and complained about,
 * the same way for every command.
 */
#ifndef SOCKLENS_CMD_RECORDING_H
#define SOCKLENS_CMD_RECORDING_H

#include <stdbool.h>

#include "pipeline.h"
#include "record/record.h"

struct recording {
	const char *file; /* as the user named it, "-" = standard input; not ours */
	struct source *source;
	struct source *second; /* the same file from its start, for recording_again(); NULL: none */
};

/*
 * Opens it, with root's rights where root asks, and gives up all rights for good: from here on this
 * process is the invoking user. 0, or EXIT_TRACE: one sentence on standard error has said why.
 */
int recording_open(struct recording *r, const char *file);
/*
 * The same, for a recording that recording_again() will read once more. It is opened twice here and
 * now, so it may be replaced meanwhile, and we may lose the right to open it; standard input is
 * copied to a file without a name first.
 */
int recording_open_twice(struct recording *r, const char *file);
/* From its first frame again. 0, or -EBADF where it was not opened twice, or was read twice. */
int recording_again(struct recording *r);
void recording_close(struct recording *r); /* after a failure to open it, too */

/*
 * Every frame through the pipeline, and its finish; stops early when a view's output fails. 0 or
 * negative errno.
 */
int recording_run(struct recording *r, struct pipeline *p);

/* One frame of it: 1, 0 after its finish, negative errno. Not again after these. */
int recording_step(struct recording *r, struct pipeline *p);

/* Once it has run: nothing is missing at its end. */
bool recording_complete(const struct recording *r);

/*
 * Exit status for what recording_run() returned, after saying what was wrong, if anything: 0 or
 * EXIT_TRACE. done is what became of a recording that is cut: "shown"; NULL: the caller speaks
 * of that. Output whose reader went away is no failure.
 */
int recording_result(const struct recording *r, const struct pipeline *p, int err,
		     const char *done);

#endif
