/* SPDX-License-Identifier: MIT */
/*
 * The person behind sudo: files and COMMAND are theirs, not root's.
 */
#ifndef SOCKLENS_CMD_INVOKER_H
#define SOCKLENS_CMD_INVOKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "parent.h"

struct invoker {
	bool other; /* someone else than this process runs as; else nothing below matters */
	uid_t uid;
	gid_t gid;
	char name[64]; /* "" = the password database does not know the number */
	char home[256];
};

/* From SUDO_UID and SUDO_GID when we are root, or from the real ids of a set-user-id program. */
void invoker_find(struct invoker *who);

/* For good: groups and ids. 0 or negative errno; then the process must end. */
int invoker_take_ids(const struct invoker *who);
/* And HOME, USER and LOGNAME. */
int invoker_become(const struct invoker *who);

#define INVOKER_GROUPS 1024
struct invoker_rights {
	int n;
	gid_t groups[INVOKER_GROUPS];
	struct parent parent;
};

/* What happens between these two happens with the invoker's rights, and only theirs. 0 or negative errno: then do not
 * go on to the second. */
int invoker_begin(const struct invoker *who, struct invoker_rights *before);
void invoker_end(const struct invoker *who, const struct invoker_rights *before);

#endif
