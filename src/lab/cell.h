/* SPDX-License-Identifier: MIT */
/*
 * The walls of an arena, put up from inside by its first process, as root. Each returns 0 or
 * negative errno.
 */
#ifndef SOCKLENS_LAB_CELL_H
#define SOCKLENS_LAB_CELL_H

#include "arena.h"

#define CELL_FOLDER "/tmp/lab" /* where the programs are */

int cell_mounts(void);	 /* everything read-only, a new /tmp, the /proc of these processes */
int cell_loopback(void); /* up */
int cell_files(const struct arena_plan *plan);
/* In the child that becomes the script: limits, the user's rights for good, no way back. */
int cell_limits(long tasks);
int cell_become(const struct user *u);
/* Who that is: the user, or nobody where there is only root. */
uid_t cell_uid(const struct user *u);

#endif
