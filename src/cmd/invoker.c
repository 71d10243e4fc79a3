/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "invoker.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rights.h"
#include "util/options.h"

static bool env_number(const char *name, unsigned int *value)
{
	long n;

	if (option_number(getenv(name), 0, (long)UINT_MAX - 1, &n))
		return false;
	*value = (unsigned int)n;
	return true;
}

static void invoker_look_up(struct invoker *who)
{
	const struct passwd *pw = getpwuid(who->uid);

	if (!pw)
		return;
	snprintf(who->name, sizeof(who->name), "%s", pw->pw_name);
	snprintf(who->home, sizeof(who->home), "%s", pw->pw_dir);
}

void invoker_find(struct invoker *who)
{
	*who = (struct invoker){ .uid = getuid(), .gid = getgid() };
	if (geteuid() != 0)
		return;
	/* The environment is believed only where root gave it, as sudo does. */
	if (who->uid == 0 &&
	    (!env_number("SUDO_UID", &who->uid) || !env_number("SUDO_GID", &who->gid)))
		*who = (struct invoker){ 0 };
	who->other = who->uid != 0;
	if (who->other)
		invoker_look_up(who);
}

static int become_groups(const struct invoker *who)
{
	return who->name[0] ? initgroups(who->name, who->gid) : setgroups(1, &who->gid);
}

int invoker_take_ids(const struct invoker *who)
{
	if (!who->other)
		return 0;
	if (become_groups(who) || setresgid(who->gid, who->gid, who->gid) ||
	    setresuid(who->uid, who->uid, who->uid))
		return -errno;
	return 0;
}

int invoker_become(const struct invoker *who)
{
	int err = invoker_take_ids(who);

	if (err || !who->other || !who->name[0])
		return err;
	if (setenv("HOME", who->home, 1) || setenv("USER", who->name, 1) ||
	    setenv("LOGNAME", who->name, 1))
		return -errno;
	return 0;
}

int invoker_begin(const struct invoker *who, struct invoker_rights *before)
{
	before->n = getgroups(INVOKER_GROUPS, before->groups);
	if (before->n < 0 || parent_note(&before->parent))
		return -errno;
	if (!who->other) {
		rights_lower();
		return 0;
	}
	if (!become_groups(who) && !setegid(who->gid) && !seteuid(who->uid))
		return 0;
	invoker_end(who, before);
	return -EPERM;
}

void invoker_end(const struct invoker *who, const struct invoker_rights *before)
{
	if (!who->other)
		rights_raise();
	/* Going back cannot fail for root; if it does, nothing after this can be right. */
	else if (seteuid(0) || setegid(getgid()) || setgroups((size_t)before->n, before->groups))
		abort();
	parent_heed(&before->parent);
}
