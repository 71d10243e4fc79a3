/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel has it */
#define TRIES 8	     /* at a name that somebody makes and removes */

enum writers { US_ONLY, SOME, EVERYBODY };

/* A directory's writers: root may everything, and does not count. */
static enum writers writers_of(const struct stat *dir, uid_t who)
{
	if (dir->st_mode & S_IWOTH)
		return EVERYBODY;
	if (dir->st_mode & S_IWGRP || (dir->st_uid != 0 && dir->st_uid != who))
		return SOME;
	return US_ONLY;
}

static enum writers writers(const struct place *p)
{
	struct stat st;

	return fstat(p->dir, &st) ? EVERYBODY : writers_of(&st, p->who);
}

bool place_is_everybodys(const struct place *p)
{
	struct stat st;

	return fstat(p->dir, &st) || (st.st_mode & (S_IWOTH | S_ISVTX)) == S_IWOTH;
}

static bool link_is_trusted(const struct place *p, const struct stat *link)
{
	switch (writers(p)) {
	case US_ONLY:
		return true;
	case SOME:
		return (link->st_uid == 0 || link->st_uid == p->who) && link->st_nlink == 1;
	case EVERYBODY:
		break;
	}
	return false;
}

/* A second name may have been given to a file of ours elsewhere. */
static bool file_is_trusted(const struct place *p, const struct stat *file)
{
	return writers(p) == US_ONLY ||
	       (file->st_uid == p->who && (!S_ISREG(file->st_mode) || file->st_nlink == 1));
}

/* The way that is still to go. */
struct way {
	char rest[PATH_MAX];
	int links;
	bool follow;
};

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Cut the first name off. 0, -ENOENT: the way is empty; -EISDIR: it ends in a directory. *last: nothing follows. */
static int next_name(struct way *w, char *name, bool *last)
{
	size_t skip = strspn(w->rest, "/"), len = strcspn(w->rest + skip, "/");
	bool slash = w->rest[skip + len] == '/';

	if (!len)
		return skip ? -EISDIR : -ENOENT;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, w->rest + skip, len);
	name[len] = '\0';
	memmove(w->rest, w->rest + skip + len, strlen(w->rest + skip + len) + 1);
	*last = !w->rest[strspn(w->rest, "/")];
	return *last && (slash || is_dots(name)) ? -EISDIR : 0;
}

static void enter(struct place *p, int dir)
{
	place_close(p);
	p->dir = dir;
}

/* To where the way begins. */
static int enter_first(struct place *p, const char *path)
{
	int dir = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	enter(p, dir);
	return 0;
}

/* The link's text takes the place of its name. */
static int insert_link(struct place *p, struct way *w, int link)
{
	char text[PATH_MAX], joined[PATH_MAX];
	ssize_t len = readlinkat(link, "", text, sizeof(text) - 1);

	if (len <= 0)
		return len < 0 ? -errno : -ENOENT;
	text[len] = '\0';
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (snprintf(joined, sizeof(joined), "%s%s", text, w->rest) >= (int)sizeof(joined))
		return -ENAMETOOLONG;
	strcpy(w->rest, joined);
	return *text == '/' ? enter_first(p, text) : 0;
}

static bool on_proc(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

/* A link of /proc stands for a thing, not for a path. */
static int enter_magic(struct place *p)
{
	int dir = openat(p->dir, p->name, O_PATH | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	enter(p, dir);
	return 0;
}

/* 1: the place is found, 0: go on, negative errno. */
static int pass_link(struct place *p, struct way *w, int fd, const struct stat *st, bool last)
{
	if (last && !w->follow)
		return 1;
	if (!link_is_trusted(p, st))
		return -ELOOP;
	if (!on_proc(p->dir))
		return insert_link(p, w, fd);
	p->magic = last;
	return last ? 1 : enter_magic(p);
}

/* One name further: as pass_link() has it. */
static int pass_name(struct place *p, struct way *w)
{
	bool last;
	int err = next_name(w, p->name, &last), fd;
	struct stat st;

	if (err)
		return err;
	fd = openat(p->dir, p->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return last && errno == ENOENT ? 1 : -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (S_ISLNK(st.st_mode))
		err = pass_link(p, w, fd, &st, last);
	else if (last)
		err = 1;
	else {
		enter(p, fd);
		return 0;
	}
	close(fd);
	return err;
}

int place_find(struct place *p, const char *path, uid_t who, bool follow)
{
	struct way w = { .follow = follow };
	int err;

	*p = (struct place){ .dir = -1, .who = who };
	if (snprintf(w.rest, sizeof(w.rest), "%s", path) >= (int)sizeof(w.rest))
		return -ENAMETOOLONG;
	err = enter_first(p, path);
	while (!err)
		err = pass_name(p, &w);
	return err < 0 ? err : 0;
}

void place_close(struct place *p)
{
	if (p->dir >= 0)
		close(p->dir);
	p->dir = -1;
}

int place_create(const struct place *p)
{
	int fd = openat(p->dir, p->name, O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

/* Looked at first and opened then, as the very same thing: opening a device or a pipe does something already. */
static int open_existing(const struct place *p)
{
	int look = openat(p->dir, p->name, O_PATH | O_NOFOLLOW | O_CLOEXEC), fd = -1;
	char path[40];
	struct stat st;

	if (look < 0 || fstat(look, &st)) {
		fd = -errno;
	} else if (S_ISLNK(st.st_mode)) {
		fd = -ELOOP;
	} else if (!file_is_trusted(p, &st)) {
		fd = S_ISDIR(st.st_mode) ? -EISDIR : -EEXIST;
	} else {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", look);
		fd = open(path, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	if (look >= 0)
		close(look);
	return fd;
}

int place_open(const struct place *p)
{
	int fd = -EEXIST, tries;

	if (p->magic) {
		fd = openat(p->dir, p->name, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	for (tries = 0; tries < TRIES; tries++) {
		fd = place_create(p);
		if (fd == -EEXIST)
			fd = open_existing(p);
		if (fd != -ENOENT)
			break;
	}
	return fd;
}

static int make_one(const char *path, uid_t who)
{
	struct place p;
	int err = place_find(&p, path, who, true);

	if (!err && mkdirat(p.dir, p.name, 0700) && errno != EEXIST)
		err = -errno;
	place_close(&p);
	return err == -EISDIR ? 0 : err; /* it ends in dots: it is there */
}

static int is_own(const char *path, uid_t who)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return st.st_uid == who && !(st.st_mode & S_IWOTH) ? 0 : -EPERM;
}

int place_folder(const char *path, uid_t who)
{
	char part[PATH_MAX];
	size_t len;
	int err = 0;

	if (strlen(path) >= sizeof(part))
		return -ENAMETOOLONG;
	for (len = 1; !err && path[len - 1]; len++) {
		if (path[len - 1] == '/' || (path[len] && path[len] != '/'))
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)len, path);
		err = make_one(part, who);
	}
	return err ? err : is_own(path, who);
}
