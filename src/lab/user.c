/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void find_home(struct user *u)
{
	const char *home = u->who.other ? u->who.home : getenv("HOME");
	const struct passwd *pw;

	if (!home || !*home) {
		pw = getpwuid(getuid());
		home = pw ? pw->pw_dir : "/";
	}
	snprintf(u->home, sizeof(u->home), "%s", home);
}

static int take_groups(const struct user *u)
{
	if (u->who.name[0])
		return initgroups(u->who.name, u->who.gid);
	return setgroups(1, &u->who.gid);
}

int user_start(struct user *u)
{
	invoker_find(&u->who);
	u->root = geteuid() == 0;
	find_home(u);
	if (!u->who.other) {
		u->who.uid = getuid();
		u->who.gid = getgid();
		return 0;
	}
	if (take_groups(u) || setegid(u->who.gid) || seteuid(u->who.uid))
		return -errno;
	return 0;
}

void user_be_root(const struct user *u)
{
	if (u->who.other && (seteuid(0) || setegid(getgid())))
		abort();
}

void user_again(const struct user *u)
{
	if (u->who.other && (setegid(u->who.gid) || seteuid(u->who.uid)))
		abort();
}

int user_become(const struct user *u)
{
	user_be_root(u);
	return invoker_become(&u->who);
}

int user_become_root(const struct user *u)
{
	const gid_t root = 0;

	if (!u->who.other)
		return 0;
	user_be_root(u);
	return setgroups(1, &root) || setresgid(0, 0, 0) || setresuid(0, 0, 0) ? -errno : 0;
}
