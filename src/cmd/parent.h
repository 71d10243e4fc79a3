/* SPDX-License-Identifier: MIT */
/*
 * Ending with our parent (PR_SET_PDEATHSIG), if it has asked for that before it became us. The kernel
 * forgets it at every change of rights: between these two there may be one.
 */
#ifndef SOCKLENS_CMD_PARENT_H
#define SOCKLENS_CMD_PARENT_H

#include <sys/types.h>

struct parent {
	int death; /* signal that its end is to bring; 0: none */
	pid_t pid;
};

int parent_note(struct parent *p); /* 0 or negative errno */
/* Again as noted. If the parent has ended since, this is the end. */
void parent_heed(const struct parent *p);

#endif
