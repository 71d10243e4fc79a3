/* SPDX-License-Identifier: MIT */
#include "inherited.h"

#include <stdio.h>
#include <unistd.h>

/* The kernel's list is of a thread's children; those of exec and of orphans are the first thread's. */
static FILE *children(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	return fopen(path, "re");
}

void inherited_note(struct inherited *in)
{
	FILE *f = children();

	in->n = 0;
	if (!f)
		return;
	while (in->n < INHERITED_MAX && fscanf(f, "%d", &in->pids[in->n]) == 1)
		in->n++;
	fclose(f);
}

static bool is_inherited(const struct inherited *in, pid_t pid)
{
	size_t i;

	for (i = 0; i < in->n; i++)
		if (in->pids[i] == pid)
			return true;
	return false;
}

void inherited_forget(struct inherited *in, pid_t pid)
{
	size_t i;

	for (i = 0; i < in->n; i++)
		if (in->pids[i] == pid)
			in->pids[i] = in->pids[--in->n];
}

bool inherited_only(const struct inherited *in)
{
	FILE *f = in->n ? children() : NULL;
	bool only = f;
	pid_t pid;

	while (only && fscanf(f, "%d", &pid) == 1)
		only = is_inherited(in, pid);
	if (f)
		fclose(f);
	return only;
}
