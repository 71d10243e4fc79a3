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

#include "symbol.h"

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

static void note_missed(struct libcs *l, const char *path, const char *why)
{
	l->missed++;
	snprintf(l->why, sizeof(l->why), "%.80s: %s", path, why);
}

/* The next of the list, probed or not: what failed is not tried again. */
static int probe(struct libcs *l, struct trace_bpf *skel, const char *path, const struct stat *st, long offset)
{
	const struct bpf_program *programs[] = { skel->progs.getaddrinfo__uretprobe,
						 skel->progs.getaddrinfo__uprobe };
	struct libc *c = &l->at[l->n++];
	int err = offset < 0 ? (int)offset : 0;

	*c = (struct libc){ .dev = st->st_dev, .ino = st->st_ino, .probes = { { .fd = -1 }, { .fd = -1 } } };
	for (int i = 0; i < 2 && !err; i++)
		err = uprobe_attach(&c->probes[i], bpf_program__fd(programs[i]), path, offset, i == 0);
	if (err)
		note_missed(l, path, c->probes[0].refused ? "this kernel wants cap_sys_admin for it" :
							    strerror(-err));
	return err;
}

int libcs_begin(struct libcs *l, struct trace_bpf *skel)
{
	size_t offset = own_offset();
	char path[4500];
	struct stat st;

	if (!offset || libc_path(0, path, sizeof(path)) || stat(path, &st)) {
		snprintf(l->why, sizeof(l->why), "our own libc is not found");
		return -ENOENT;
	}
	return probe(l, skel, path, &st, offset);
}

static bool is_known(const struct libcs *l, const struct stat *st)
{
	for (int i = 0; i < l->n; i++)
		if (l->at[i].dev == st->st_dev && l->at[i].ino == st->st_ino)
			return true;
	return false;
}

static int add(struct libcs *l, struct trace_bpf *skel, __u32 pid)
{
	char path[4500];
	struct stat st;
	int ret = libc_path(pid, path, sizeof(path));

	if (ret)
		return ret;
	if (stat(path, &st))
		return -errno;
	if (is_known(l, &st))
		return 0;
	if (l->n == LIBCS_MAX) {
		note_missed(l, path, "too many of them");
		return -ENOSPC;
	}
	return probe(l, skel, path, &st, symbol_offset(path, "getaddrinfo"));
}

/* A program that has just begun has not mapped its libc yet: look once more, a second later. */
static void note_later(struct libcs *l, __u32 pid)
{
	l->later[l->n_later++ % LIBCS_LATER] = pid;
}

void libcs_again(struct libcs *l, struct trace_bpf *skel)
{
	__u32 pids[LIBCS_LATER];
	unsigned int n = l->n_later < LIBCS_LATER ? l->n_later : LIBCS_LATER;

	memcpy(pids, l->later, sizeof(pids));
	l->n_later = 0;
	for (unsigned int i = 0; i < n; i++)
		add(l, skel, pids[i]);
}

int libcs_add(struct libcs *l, struct trace_bpf *skel, __u32 pid)
{
	int ret = add(l, skel, pid);

	if (ret == -ENOENT)
		note_later(l, pid);
	return ret;
}

bool libcs_free_to_grow(const struct libcs *l)
{
	return l->n && l->at[0].probes[0].free;
}

void libcs_close(struct libcs *l)
{
	for (int i = 0; i < l->n; i++)
		for (int k = 0; k < 2; k++)
			if (l->at[i].probes[k].fd >= 0)
				close(l->at[i].probes[k].fd);
	memset(l, 0, sizeof(*l));
}
