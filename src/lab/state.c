/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/output.h"
#include "cmd/part.h"
#include "cmd/place.h"

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
	s->who = u->who.uid;
}

/* --- files --- */

static int cannot_write(const char *path, int error, char *err, size_t size)
{
	output_explain(path, -error, err, size);
	return error;
}

/* Where is the name that its place is chosen by. */
static int make_folder(const char *path, uid_t who, const char *where, char *err, size_t size)
{
	int ret = place_folder(path, who);

	if (ret == -EPERM)
		snprintf(err, size,
			 "'%s' is another user's, or open to all; name a folder of your own in %s",
			 path, where);
	else if (ret)
		cannot_write(path, ret, err, size);
	return ret;
}

int state_make_folder(const struct state *s, char *err, size_t size)
{
	return make_folder(s->dir, s->who, "XDG_STATE_HOME", err, size);
}

static int write_text(int fd, void *text)
{
	FILE *out = fdopen(fd, "w");
	int err = 0;

	if (!out) {
		close(fd);
		return -ENOMEM;
	}
	if (fputs(text, out) < 0)
		err = -errno;
	if (fclose(out) && !err)
		err = -errno;
	return err;
}

static int write_file(const char *path, uid_t who, const char *text, char *err, size_t size)
{
	int ret = part_write(path, who, write_text, (void *)text);

	return ret ? cannot_write(path, ret, err, size) : 0;
}

int state_write(const struct state *s, const char *fact, const char *text, char *err, size_t size)
{
	char path[PATH_MAX];
	int ret = state_make_folder(s, err, size);

	return ret ? ret : write_file(lab_path(path, s->dir, fact), s->who, text, err, size);
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
	struct place p;

	if (!place_find(&p, lab_path(path, s->dir, fact), s->who, false))
		unlinkat(p.dir, p.name, 0);
	place_close(&p);
}

/* --- the learner's file --- */

static int cannot_read(const char *path, char *err, size_t size)
{
	int error = errno;

	snprintf(err, size, "cannot read the files in '%s': %s", path, strerror(error));
	return -error;
}

int state_work_file(const struct state *s, const struct lab *l, char *path, bool *fresh, char *err,
		    size_t size)
{
	char name[NAME_MAX + 1], from[PATH_MAX], *text;
	int ret = lab_source(l, "starter", name);

	*fresh = false;
	if (ret && l->exercise)
		snprintf(err, size, "lab %s is not complete: there is no C file in its starter/",
			 l->name);
	else if (ret)
		snprintf(err, size, "lab %s has no exercise; './lab show %s' says what to look at",
			 l->name, l->number);
	if (ret)
		return ret;
	if (!access(lab_path(path, s->work, name), F_OK))
		return 0;
	text = lab_text(lab_path(from, l->dir, "starter"), name);
	if (!text)
		return cannot_read(from, err, size);
	ret = make_folder(s->work, s->who, "SOCKLENS_LABS", err, size);
	if (!ret)
		ret = write_file(path, s->who, text, err, size);
	free(text);
	*fresh = !ret;
	return ret;
}

/* The first of NAME.1, NAME.2 and so on that is free. */
static bool move_aside(const struct place *p, int *number)
{
	char name[NAME_MAX + 12];

	for (*number = 1; *number < 1000; ++*number) {
		snprintf(name, sizeof(name), "%s.%d", p->name, *number);
		if (faccessat(p->dir, name, F_OK, AT_SYMLINK_NOFOLLOW))
			return !renameat(p->dir, p->name, p->dir, name);
	}
	return false;
}

bool state_work_aside(const struct state *s, const struct lab *l, char *path)
{
	char name[NAME_MAX + 1], from[PATH_MAX];
	struct place p;
	bool moved;
	int number;

	if (lab_source(l, "starter", name))
		return false;
	moved = !place_find(&p, lab_path(from, s->work, name), s->who, false) &&
		move_aside(&p, &number);
	place_close(&p);
	return moved && snprintf(path, PATH_MAX, "%s.%d", from, number) < PATH_MAX;
}
