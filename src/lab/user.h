/* SPDX-License-Identifier: MIT */
/*
 * Whose lab it is. Under sudo everything is done with the effective rights of the person behind it,
 * and root's are taken back only where namespaces and the tracer need them.
 */
#ifndef SOCKLENS_LAB_USER_H
#define SOCKLENS_LAB_USER_H

#include <stdbool.h>

#include "cmd/invoker.h"

struct user {
	struct invoker who; /* uid, gid: whose files these are */
	bool root;	    /* root's rights can be had */
	char home[256];
};

/* Finds the user and becomes them, effectively. 0 or negative errno. */
int user_start(struct user *u);

/* Root's rights until user_again(). Only where u->root; neither can fail then. */
void user_be_root(const struct user *u);
void user_again(const struct user *u);

/* In a child, for good: the user; or root, as sudo gave it. 0 or negative errno. */
int user_become(const struct user *u);
int user_become_root(const struct user *u);

#endif
