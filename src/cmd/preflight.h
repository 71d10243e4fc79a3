/* SPDX-License-Identifier: MIT */
/*
 * What can be known to be in the way of tracing before anything is loaded. Used before a live run
 * and by `trace doctor`.
 */
#ifndef SOCKLENS_CMD_PREFLIGHT_H
#define SOCKLENS_CMD_PREFLIGHT_H

#include <stddef.h>

#include "capture/capture.h"

struct preflight_check {
	const char *name;
	/* 0 and what was found in found, or -EPERM with *err filled. */
	int (*run)(char *found, size_t size, struct capture_error *err);
};

extern const struct preflight_check preflight_checks[]; /* ends with a NULL name */

/* All of them: 0, or -EPERM with the first that failed. */
int preflight_run(struct capture_error *err);

/* "trace: what; remedy" on stderr. */
void preflight_complain(const struct capture_error *err);

#endif
