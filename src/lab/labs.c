/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "labs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX (1 << 20) /* bytes of a file of a lab */

char *lab_path(char *buf, const char *dir, const char *name)
{
	if (snprintf(buf, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		buf[0] = '\0';
	return buf;
}

static bool exists(const char *dir, const char *name)
{
	char path[PATH_MAX];

	return !access(lab_path(path, dir, name), F_OK);
}

/* --- places --- */

static int own_folder(char *dir)
{
	ssize_t n = readlink("/proc/self/exe", dir, PATH_MAX - 1);
	char *slash;

	if (n < 0)
		return -errno;
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	return 0;
}

int places_find(struct places *p, char *err, size_t size)
{
	char dir[PATH_MAX];
	int ret = own_folder(dir);

	if (ret) {
		snprintf(err, size, "cannot find out where this program is: %s; mount /proc",
			 strerror(-ret));
		return ret;
	}
	lab_path(p->trace, dir, "trace");
	lab_path(p->labs, dir, "labs");
	lab_path(p->programs, dir, ".output/labs");
	if (exists(dir, "labs"))
		return 0;
	lab_path(p->labs, dir, "../share/socklens/labs");
	lab_path(p->programs, dir, "../lib/socklens/labs");
	if (exists(p->labs, "."))
		return 0;
	snprintf(err, size,
		 "there are no labs beside '%s/lab'; start it in the tree, or install it", dir);
	return -ENOENT;
}

/* --- one lab --- */

char *lab_text(const char *dir, const char *file)
{
	char path[PATH_MAX], *text = malloc(TEXT_MAX + 1);
	FILE *in = fopen(lab_path(path, dir, file), "re");
	size_t n;

	if (!text || !in) {
		free(text);
		if (in)
			fclose(in);
		return NULL;
	}
	n = fread(text, 1, TEXT_MAX, in);
	text[n] = '\0';
	if (ferror(in)) {
		free(text);
		text = NULL;
	}
	fclose(in);
	return text;
}

bool lab_has(const struct lab *l, const char *file)
{
	return exists(l->dir, file);
}

static int is_source(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 2 && !strcmp(d->d_name + len - 2, ".c");
}

int lab_source(const struct lab *l, const char *folder, char *name)
{
	char path[PATH_MAX];
	struct dirent **found;
	int n = scandir(lab_path(path, l->dir, folder), &found, is_source, alphasort), i;

	if (n < 0)
		return -ENOENT;
	if (n > 0)
		snprintf(name, NAME_MAX + 1, "%s", found[0]->d_name);
	for (i = 0; i < n; i++)
		free(found[i]);
	free(found);
	return n > 0 ? 0 : -ENOENT;
}

/* The handout begins "# NN-name: TITLE"; a line of it says "NN minutes". */
static void read_handout(struct lab *l)
{
	char *text = lab_text(l->dir, "README.md"), *line, *rest, *colon, *at;

	if (!text)
		return;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		colon = strstr(line, ": ");
		if (!l->title[0] && line[0] == '#' && colon)
			snprintf(l->title, sizeof(l->title), "%s", colon + 2);
		at = strstr(line, " minutes");
		while (at && at > line && isdigit((unsigned char)at[-1]))
			at--;
		if (at && isdigit((unsigned char)*at) && !l->minutes)
			l->minutes = (unsigned int)strtoul(at, NULL, 10);
	}
	free(text);
}

/* What an exercise consists of; a tour has nothing of it. Less than all is a lab that is not complete. */
static bool has_exercise(const struct lab *l)
{
	static const char *const parts[] = { "starter",	   "solution",	"wrong",    "tester.c",
					     "grade",	   "variants",	"check.sql", "predict.md",
					     "settle.sql", "hint.md" };
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (lab_has(l, parts[i]))
			return true;
	return false;
}

static void lab_fill(struct lab *l, const struct places *p, const char *name)
{
	snprintf(l->name, sizeof(l->name), "%.*s", LAB_NAME - 1, name);
	snprintf(l->number, sizeof(l->number), "%.2s", name);
	lab_path(l->dir, p->labs, name);
	lab_path(l->programs, p->programs, name);
	read_handout(l);
	l->exercise = has_exercise(l);
}

/* --- all --- */

static int is_lab(const struct dirent *d)
{
	const char *n = d->d_name;

	return isdigit((unsigned char)n[0]) && isdigit((unsigned char)n[1]) && n[2] == '-' &&
	       strlen(n) < LAB_NAME;
}

int labs_find(struct labs *l, const struct places *p, char *err, size_t size)
{
	struct dirent **found;
	int n = scandir(p->labs, &found, is_lab, alphasort), i;

	*l = (struct labs){ 0 };
	if (n < 0) {
		snprintf(err, size, "cannot read '%s': %s", p->labs, strerror(errno));
		return -errno;
	}
	l->at = calloc((size_t)n + 1, sizeof(*l->at));
	for (i = 0; i < n; i++) {
		if (l->at)
			lab_fill(&l->at[l->n++], p, found[i]->d_name);
		free(found[i]);
	}
	free(found);
	if (l->at)
		return 0;
	snprintf(err, size, "out of memory");
	return -ENOMEM;
}

void labs_free(struct labs *l)
{
	free(l->at);
	*l = (struct labs){ 0 };
}

const struct lab *labs_get(const struct labs *l, const char *word)
{
	char *end;
	unsigned long number = strtoul(word, &end, 10);
	bool by_number = isdigit((unsigned char)word[0]) && !*end;
	size_t i;

	for (i = 0; i < l->n; i++)
		if (by_number ? strtoul(l->at[i].number, NULL, 10) == number :
				!strcmp(l->at[i].name, word))
			return &l->at[i];
	return NULL;
}
