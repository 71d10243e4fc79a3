// SPDX-License-Identifier: MIT
#include "libc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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

void libcs_close(struct libcs *l)
{
	for (int i = 0; i < l->n; i++)
		for (int k = 0; k < 2; k++)
			bpf_link__destroy(l->seen[i].links[k]);
	l->n = 0;
}
