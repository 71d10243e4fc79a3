/* SPDX-License-Identifier: MIT */
/*
 * Where a file is to be, found so that nobody else can lead us elsewhere.
 *
 * Each directory on the way is judged by who may write in it. In one that everybody may write in, no symbolic link is
 * followed; in one that a group or another user may write in, only those of root and of the invoking user are. What
 * exists there already must be the invoking user's, under this one name. This is what fs.protected_symlinks,
 * protected_regular, protected_fifos and protected_hardlinks do, which not every machine has set.
 */
#ifndef SOCKLENS_CMD_PLACE_H
#define SOCKLENS_CMD_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct place {
	int dir;		 /* descriptor of the directory, -1 = none */
	char name[NAME_MAX + 1]; /* in it */
	uid_t who;		 /* whose the file is to be */
	bool magic;		 /* a link of /proc, which only the kernel can follow */
};

/*
 * The directory that holds path and the name in it; follow: go on where the name itself is a link. The file need not
 * exist. 0 or negative errno, among it -ELOOP: a link that is not followed. place_close() in any case.
 */
int place_find(struct place *p, const char *path, uid_t who, bool follow);
void place_close(struct place *p);

/* May others put there, or swap, what they like? */
bool place_is_everybodys(const struct place *p);

/* A new file there, mode 0600. Descriptor or negative errno. */
int place_create(const struct place *p);
/* The file there, made or emptied. Descriptor or negative errno, among it -EEXIST: somebody else put something there. */
int place_open(const struct place *p);

/*
 * A folder and those above it, made where they are missing, mode 0700. 0 or negative errno, among it -EPERM: it is there
 * and another's, or everybody may write in it.
 */
int place_folder(const char *path, uid_t who);

#endif
