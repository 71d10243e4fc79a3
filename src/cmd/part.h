/* SPDX-License-Identifier: MIT */
/*
 * A file that is whole or not there: written under a random name beside its own, which it gets in the end. What had that
 * name before stays until then. Found as place.h has it, mode 0600.
 */
#ifndef SOCKLENS_CMD_PART_H
#define SOCKLENS_CMD_PART_H

#include "place.h"

struct part {
	struct place place; /* where it lies, and what it is called until it is whole */
	const char *out;    /* where it is to be; must live as long */
	char name[NAME_MAX + 1];
	char path[PATH_MAX]; /* for who opens by name; "" = there is nothing to remove */
	int fd;		     /* to write; the caller closes it */
};

#define PART_NONE ((struct part){ .place.dir = -1, .fd = -1 })

/* Its directory; place.name is the name it is to get. 0 or negative errno. */
int part_find(struct part *p, const char *out, uid_t who);
/* The file, empty, after part_find(). 0 or negative errno. */
int part_create(struct part *p);
/* It is whole. replace: also where something has the name. 0 or negative errno, and then it is gone. */
int part_finish(struct part *p, bool replace);
/*
 * All of that: write() puts what ctx says into the file and closes fd, whatever happens; what has the name is replaced.
 * 0, or negative errno, write()'s own among it.
 */
int part_write(const char *out, uid_t who, int (*write)(int fd, void *ctx), void *ctx);
/* It is not to be. Safe in a signal handler, and where there is none. */
void part_remove(struct part *p);

#endif
