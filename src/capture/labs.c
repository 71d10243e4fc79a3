// SPDX-License-Identifier: MIT
#include "labs.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

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

/* Is it a namespace's file? `ip netns add` makes an empty one first. */
static bool is_namespace(int fd, struct stat *st)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == NSFS_MAGIC && !fstat(fd, st);
}

static bool list(struct labs *l, struct trace_bpf *skel, int fd, __u32 ino)
{
	__u32 yes = 1;

	if (l->n == LABS_MAX || bpf_map_update_elem(bpf_map__fd(skel->maps.netns_set), &ino, &yes, BPF_ANY))
		return false;
	l->at[l->n++] = (struct lab){ .ino = ino, .fd = fd, .named = true };
	return true;
}

/* False: there is no room for it. What is no namespace needs none. */
static bool look_at(struct labs *l, struct trace_bpf *skel, const char *path)
{
	struct stat st;
	struct lab *known;
	int fd;

	known = stat(path, &st) ? NULL : find(l, st.st_ino);
	if (known) {
		known->named = true;
		return true;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* should it be a FIFO */
	if (fd < 0)
		return true;
	if (is_namespace(fd, &st) && !find(l, st.st_ino)) {
		if (list(l, skel, fd, st.st_ino))
			return true;
		close(fd);
		return false;
	}
	close(fd);
	return true;
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
