// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* dl_iterate_phdr */
#include "libc.h"

#include <errno.h>
#include <link.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "uprobe.h"

/* glibc, musl (whose loader is its libc). */
static bool is_libc(const char *path)
{
	const char *base = strrchr(path, '/');

	if (!base)
		return false;
	base++;
	return !strncmp(base, "libc.so", 7) || !strncmp(base, "libc-2.", 7) || !strncmp(base, "ld-musl-", 8) ||
	       !strncmp(base, "libc.musl-", 10);
}

/* Path of the libc mapped by pid, as seen from that process's root. */
static int libc_path(__u32 pid, char *path, size_t size)
{
	char name[64], line[4400], *at;
	int ret = -ENOENT;
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%u/maps", pid);
	maps = fopen(pid ? name : "/proc/self/maps", "re");
	if (!maps)
		return -errno;
	while (ret && fgets(line, sizeof(line), maps)) {
		at = strchr(line, '/');
		if (!at)
			continue;
		at[strcspn(at, "\n")] = 0;
		if (!is_libc(at))
			continue;
		if (pid)
			snprintf(path, size, "/proc/%u/root%s", pid, at);
		else
			snprintf(path, size, "%s", at);
		ret = 0;
	}
	fclose(maps);
	return ret;
}

/* Finds the segment of our own address space that holds the function; turns its address into a file offset. */
static int find_segment(struct dl_phdr_info *info, size_t size, void *ctx)
{
	size_t *at = ctx, address = *at;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		size_t start = info->dlpi_addr + h->p_vaddr;

		if (h->p_type != PT_LOAD || address < start || address >= start + h->p_memsz)
			continue;
		*at = address - start + h->p_offset;
		return 1;
	}
	return 0;
}

/* Offset of getaddrinfo in the libc we run on ourselves: known without reading its symbols. 0 = unknown. */
static size_t own_offset(void)
{
	size_t at = (size_t)(void *)getaddrinfo;

	return dl_iterate_phdr(find_segment, &at) ? at : 0;
}

static void *open_own(void *ctx)
{
	struct libcs *l = ctx;

	for (int i = 0; i < 2; i++)
		l->own.events[i] = uprobe_open(l->own.path, l->own.offset, i == 0);
	return NULL;
}

void libcs_prepare(struct libcs *l)
{
	struct stat st;

	l->own.events[0] = l->own.events[1] = -ENOENT;
	l->own.offset = own_offset();
	if (!l->own.offset || libc_path(0, l->own.path, sizeof(l->own.path)) || stat(l->own.path, &st))
		return;
	l->own.dev = st.st_dev;
	l->own.ino = st.st_ino;
	l->own.running = !pthread_create(&l->own.thread, NULL, open_own, l);
	if (!l->own.running)
		open_own(l);
}

static void join_own(struct libcs *l)
{
	if (l->own.running)
		pthread_join(l->own.thread, NULL);
	l->own.running = false;
}

int libcs_begin(struct libcs *l, struct trace_bpf *skel)
{
	const struct bpf_program *programs[] = { skel->progs.getaddrinfo__uretprobe,
						 skel->progs.getaddrinfo__uprobe };
	int err = 0;

	join_own(l);
	for (int i = 0; i < 2 && !err; i++) {
		err = l->own.events[i];
		if (err >= 0)
			err = uprobe_run(l->own.events[i], bpf_program__fd(programs[i]));
	}
	if (err)
		snprintf(l->why, sizeof(l->why), "%.90s: %s", l->own.path[0] ? l->own.path : "our own libc",
			 strerror(-err));
	return err;
}

static struct bpf_link *attach(struct bpf_program *p, const char *path, bool at_return)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = "getaddrinfo", .retprobe = at_return);

	return bpf_program__attach_uprobe_opts(p, -1, path, 0, &opts);
}

int libcs_add(struct libcs *l, struct trace_bpf *skel, __u32 pid)
{
	char path[4500];
	struct stat st;
	int ret = libc_path(pid, path, sizeof(path));

	if (ret)
		return ret;
	if (stat(path, &st))
		return -errno;
	if (st.st_dev == l->own.dev && st.st_ino == l->own.ino)
		return 0;
	for (int i = 0; i < l->n; i++)
		if (l->seen[i].dev == st.st_dev && l->seen[i].ino == st.st_ino)
			return 0;
	if (l->n == LIBCS_MAX)
		return -ENOSPC;
	l->seen[l->n].dev = st.st_dev;
	l->seen[l->n].ino = st.st_ino;
	l->seen[l->n].links[0] = attach(skel->progs.getaddrinfo__uretprobe, path, true);
	l->seen[l->n].links[1] = attach(skel->progs.getaddrinfo__uprobe, path, false);
	if (!l->seen[l->n].links[0] || !l->seen[l->n].links[1]) {
		ret = -errno;
		snprintf(l->why, sizeof(l->why), "%.90s: %s", path, strerror(-ret));
	}
	l->n++; /* also if it failed: it is not tried again */
	return ret;
}

static void *close_event(void *ctx)
{
	close(*(int *)ctx);
	return NULL;
}

/* The kernel waits for all CPUs and tasks, some 100 ms, at the close of each: wait once for both. */
static void close_own(struct libcs *l)
{
	int *events = l->own.events;
	pthread_t other;
	bool beside = events[0] > 0 && events[1] > 0 && !pthread_create(&other, NULL, close_event, &events[1]);

	if (events[0] > 0)
		close(events[0]);
	if (beside)
		pthread_join(other, NULL);
	else if (events[1] > 0)
		close(events[1]);
}

void libcs_close(struct libcs *l)
{
	join_own(l);
	close_own(l);
	for (int i = 0; i < l->n; i++)
		for (int k = 0; k < 2; k++)
			bpf_link__destroy(l->seen[i].links[k]);
	memset(l, 0, sizeof(*l));
}
