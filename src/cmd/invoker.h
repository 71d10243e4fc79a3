/* SPDX-License-Identifier: MIT */
/*
 * The person behind sudo: files and COMMAND are theirs, not root's.
 */
#ifndef SOCKLENS_CMD_INVOKER_H
#define SOCKLENS_CMD_INVOKER_H

#include <stdbool.h>
#include <sys/types.h>

struct invoker {
	bool other; /* someone else than this process runs as; else nothing below matters */
	uid_t uid;
	gid_t gid;
	char name[64]; /* "" = the password database does not know the number */
	char home[256];
};

/* From SUDO_UID and SUDO_GID when we are root, or from the real ids of a set-user-id program. */
void invoker_find(struct invoker *who);

/* For good: groups, ids, HOME, USER and LOGNAME. 0 or negative errno; then the process must end. */
int invoker_become(const struct invoker *who);

/* open(2) with the invoker's rights, close-on-exec. Descriptor or negative errno. */
int invoker_open(const struct invoker *who, const char *path, int flags, mode_t mode);

#endif
