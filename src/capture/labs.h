/* SPDX-License-Identifier: MIT */
/*
 * The network namespaces of labs: those that a bare run looks into because of their names in /run/netns.
 */
#ifndef SOCKLENS_CAPTURE_LABS_H
#define SOCKLENS_CAPTURE_LABS_H

#include <linux/types.h>
#include <stdbool.h>

#include "loader.h"

#define LABS_MAX 256

/* A namespace's inode number is given to another one as soon as it is gone: it is held while it is listed. */
struct lab {
	__u32 ino;
	int fd;
	bool named; /* a name for it was found at this look */
};

struct labs {
	struct lab at[LABS_MAX];
	unsigned int n;
	unsigned int missed; /* names that found no room at once, at most */
};

/* List those that have a name by now, and let go of those whose name is gone. Cheap enough for once a second. */
void labs_look(struct labs *l, struct trace_bpf *skel);
void labs_close(struct labs *l);

#endif
