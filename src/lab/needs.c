/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "needs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"

static bool is_there(const char *program)
{
	char dirs[] = ARENA_PATH, path[PATH_MAX], *dir, *rest;

	for (dir = strtok_r(dirs, ":", &rest); dir; dir = strtok_r(NULL, ":", &rest))
		if (!access(lab_path(path, dir, program), X_OK))
			return true;
	return false;
}

size_t needs_read(const struct lab *l, struct need *needs)
{
	char *text = lab_text(l->dir, "needs"), *line, *rest;
	size_t n = 0;

	for (line = text ? strtok_r(text, "\n", &rest) : NULL; line && n < NEEDS_MAX;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, " %31[^# \t] %63s", needs[n].program, needs[n].package) != 2)
			continue;
		needs[n].there = is_there(needs[n].program);
		n++;
	}
	free(text);
	return n;
}

char *need_remedy(const struct need *n, char *buf, size_t size)
{
	snprintf(buf, size, "'sudo apt-get install %s' brings it", n->package);
	return buf;
}
