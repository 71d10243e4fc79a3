/* SPDX-License-Identifier: MIT */
/*
 * Waiting until a file is saved, by whatever way an editor does that.
 */
#ifndef SOCKLENS_LAB_SAVED_H
#define SOCKLENS_LAB_SAVED_H

#include <stdbool.h>

/* 0: it was saved; -EINTR: interrupted() said so; or negative errno. */
int saved_wait(const char *path, bool (*interrupted)(void));

#endif
