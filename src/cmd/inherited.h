/* SPDX-License-Identifier: MIT */
/*
 * Children that were here before we were: those of the program that became us by exec(2), as a shell
 * does with `exec ./trace -w >(cat >file)`. They are no part of COMMAND, and may be waiting for our end.
 */
#ifndef SOCKLENS_CMD_INHERITED_H
#define SOCKLENS_CMD_INHERITED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define INHERITED_MAX 64 /* more are taken for COMMAND's */

struct inherited {
	pid_t pids[INHERITED_MAX];
	size_t n;
};

/* Who is there now. Where the kernel lists no children (CONFIG_PROC_CHILDREN), nobody. */
void inherited_note(struct inherited *in);
/* After wait(2) returned this one: its number may become another's. */
void inherited_forget(struct inherited *in, pid_t pid);
/* Is every child that we have one of them? */
bool inherited_only(const struct inherited *in);

#endif
