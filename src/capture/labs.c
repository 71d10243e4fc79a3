// SPDX-License-Identifier: MIT
#include "labs.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/netns.h"

#define NETNS_DIR "/run/netns"

static bool is_lab_name(const char *name)
{
	return !strncmp(name, "lab-", 4) || !strncmp(name, "socklens-", 9);
}

static struct lab *find(struct labs *l, __u32 ino)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (l->at[i].ino == ino)
			return &l->at[i];
	return NULL;
}

/* False: no room; fd is the caller's again. */
static bool list(struct labs *l, struct trace_bpf *skel, int fd, __u32 ino)
{
	__u32 yes = 1;

	if (l->n == LABS_MAX || bpf_map_update_elem(bpf_map__fd(skel->maps.netns_set), &ino, &yes, BPF_ANY))
		return false;
	l->at[l->n++] = (struct lab){ .ino = ino, .fd = fd, .named = true };
	return true;
}

/* False: there is no room for it. What is no namespace needs none: `ip netns add` makes an empty file first. */
static bool look_at(struct labs *l, struct trace_bpf *skel, const char *path)
{
	struct lab *known;
	__u32 ino;
	int fd = netns_open(path, &ino);

	if (fd < 0)
		return true;
	known = find(l, ino);
	if (known)
		known->named = true;
	else if (list(l, skel, fd, ino))
		return true;
	close(fd);
	return known;
}

static void drop_nameless(struct labs *l, struct trace_bpf *skel)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < l->n; i++) {
		struct lab *lab = &l->at[i];

		if (lab->named) {
			l->at[kept++] = *lab;
			continue;
		}
		bpf_map_delete_elem(bpf_map__fd(skel->maps.netns_set), &lab->ino);
		close(lab->fd);
	}
	l->n = kept;
}

void labs_look(struct labs *l, struct trace_bpf *skel)
{
	DIR *dir = opendir(NETNS_DIR);
	unsigned int missed = 0;
	struct dirent *e;
	char path[sizeof(NETNS_DIR) + sizeof(e->d_name) + 1];

	for (unsigned int i = 0; i < l->n; i++)
		l->at[i].named = false;
	while (dir && (e = readdir(dir))) {
		snprintf(path, sizeof(path), NETNS_DIR "/%s", e->d_name);
		if (is_lab_name(e->d_name) && !look_at(l, skel, path))
			missed++;
	}
	if (dir)
		closedir(dir);
	drop_nameless(l, skel);
	if (missed > l->missed)
		l->missed = missed;
}

void labs_close(struct labs *l)
{
	for (unsigned int i = 0; i < l->n; i++)
		close(l->at[i].fd);
	l->n = 0;
}
