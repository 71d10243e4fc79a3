/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANCESTORS 16 /* processes above us that are looked at */

/* --- the user's own environment, which sudo takes away --- */

static int parent_of(int pid, uid_t *uid)
{
	char path[64], line[128];
	unsigned int real = 0;
	int parent = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in)) {
		sscanf(line, "PPid: %d", &parent);
		sscanf(line, "Uid: %u", &real);
	}
	if (in)
		fclose(in);
	*uid = real;
	return parent;
}

/* NAME's value in the environment that process was started with. */
static bool environ_of(int pid, const char *name, char *value, size_t size)
{
	char path[64], *line = NULL;
	size_t room = 0, len = strlen(name);
	bool found = false;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	in = fopen(path, "re");
	while (in && !found && getdelim(&line, &room, '\0', in) > 0) {
		found = !strncmp(line, name, len) && line[len] == '=';
		if (found)
			snprintf(value, size, "%s", line + len + 1);
	}
	free(line);
	if (in)
		fclose(in);
	return found;
}

/* Ours, or under sudo that of the shell it was typed in. */
static bool user_environment(const struct user *u, const char *name, char *value, size_t size)
{
	const char *own = getenv(name);
	int pid = getpid(), i;
	uid_t uid = 0;

	value[0] = '\0';
	if (own && *own)
		snprintf(value, size, "%s", own);
	if (value[0] || !u->who.other)
		return value[0];
	for (i = 0; i < ANCESTORS && pid > 1; i++) {
		pid = parent_of(pid, &uid);
		parent_of(pid, &uid);
		if (uid == u->who.uid)
			return environ_of(pid, name, value, size) && value[0];
	}
	return false;
}

void state_find(struct state *s, const struct user *u, const struct lab *l)
{
	char base[PATH_MAX], dir[PATH_MAX];

	if (!user_environment(u, "XDG_STATE_HOME", base, sizeof(base)))
		lab_path(base, u->home, ".local/state");
	lab_path(s->dir, lab_path(dir, base, "socklens/labs"), l->name);
	if (!user_environment(u, "SOCKLENS_LABS", base, sizeof(base)))
		lab_path(base, u->home, "socklens-labs");
	lab_path(s->work, base, l->name);
}

/* --- files --- */

int state_make_folder(const char *path)
{
	char part[PATH_MAX];
	size_t i;

	snprintf(part, sizeof(part), "%s", path);
	for (i = 1; part[i]; i++) {
		if (part[i] != '/')
			continue;
		part[i] = '\0';
		mkdir(part, 0777);
		part[i] = '/';
	}
	return mkdir(part, 0777) && errno != EEXIST ? -errno : 0;
}

/* A file with that text, which is whole or not there at all. 0 or negative errno. */
static int write_file(const char *path, const char *text)
{
	char next[PATH_MAX];
	FILE *out;
	int err = 0;

	if (snprintf(next, sizeof(next), "%s.new", path) >= (int)sizeof(next))
		return -ENAMETOOLONG;
	out = fopen(next, "we");
	if (!out)
		return -errno;
	if (fputs(text, out) < 0)
		err = -errno;
	if (fclose(out) && !err)
		err = -errno;
	if (!err && rename(next, path))
		err = -errno;
	if (err)
		unlink(next);
	return err;
}

static int cannot_write(const char *path, int error, char *err, size_t size)
{
	snprintf(err, size, "cannot write '%s': %s", path,
		 error == -ENOSPC || error == -EDQUOT ? "the disk is full; free some space" :
							strerror(-error));
	return error;
}

int state_write(const struct state *s, const char *fact, const char *text, char *err, size_t size)
{
	char path[PATH_MAX];
	int ret = state_make_folder(s->dir);

	if (!ret)
		ret = write_file(lab_path(path, s->dir, fact), text);
	return ret ? cannot_write(s->dir, ret, err, size) : 0;
}

char *state_read(const struct state *s, const char *fact)
{
	return lab_text(s->dir, fact);
}

bool state_has(const struct state *s, const char *fact)
{
	char path[PATH_MAX];

	return !access(lab_path(path, s->dir, fact), F_OK);
}

void state_forget(const struct state *s, const char *fact)
{
	char path[PATH_MAX];

	unlink(lab_path(path, s->dir, fact));
}

/* --- the learner's file --- */

int state_work_file(const struct state *s, const struct lab *l, char *path, bool *fresh, char *err,
		    size_t size)
{
	char name[NAME_MAX + 1], from[PATH_MAX], *text;
	int ret = lab_source(l, "starter", name);

	*fresh = false;
	if (ret) {
		snprintf(err, size, "lab %s has no exercise; './lab show %s' says what to look at",
			 l->name, l->number);
		return ret;
	}
	if (!access(lab_path(path, s->work, name), F_OK))
		return 0;
	text = lab_text(lab_path(from, l->dir, "starter"), name);
	if (!text)
		ret = -errno;
	if (!ret)
		ret = state_make_folder(s->work);
	if (!ret)
		ret = write_file(path, text);
	free(text);
	*fresh = !ret;
	return ret ? cannot_write(path, ret, err, size) : 0;
}

bool state_work_aside(const struct state *s, const struct lab *l, char *path)
{
	char name[NAME_MAX + 1], from[PATH_MAX];
	int i, len;

	if (lab_source(l, "starter", name) || access(lab_path(from, s->work, name), F_OK))
		return false;
	for (i = 1; i < 1000; i++) {
		len = snprintf(path, PATH_MAX, "%s.%d", from, i);
		if (len >= PATH_MAX)
			return false;
		if (access(path, F_OK))
			return !rename(from, path);
	}
	return false;
}
