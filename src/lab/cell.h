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
/* A second network, with its loopback device up, open at descriptor ARENA_FAR. */
int cell_far(void);
int cell_files(const struct arena_plan *plan);
/* In the child that becomes a script: the far network, limits, another user for good, no way back. */
int cell_go_far(void);
int cell_limits(void);
int cell_become(uid_t uid);
/*
 * A user who is nobody else. The kernel counts the tasks of a user on the whole machine, so only then is the limit on them
 * the arena's own, and what the user behind sudo may read is out of reach, too.
 */
uid_t cell_uid(void);

#endif
