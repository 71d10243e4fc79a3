// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "btf_names.h"

#include <fcntl.h>
#include <linux/btf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BTF_PATH "/sys/kernel/btf/vmlinux"

static bool read_at(int fd, void *to, size_t len, off_t at)
{
	while (len) {
		ssize_t n = pread(fd, to, len, at);

		if (n <= 0)
			return false;
		to = (char *)to + n;
		len -= n;
		at += n;
	}
	return true;
}

/*
 * Is `wanted`, len bytes of it, in the section of strings? Looked for in pieces, so that the kernel's megabytes of them
 * need no memory of their own; the pieces overlap, so that no seam hides it.
 */
static bool search_strings(int fd, const char *wanted, size_t len)
{
	static char piece[65536];
	struct btf_header h;

	if (!read_at(fd, &h, sizeof(h), 0) || h.magic != BTF_MAGIC)
		return false;
	for (size_t at = 0; at < h.str_len; at += sizeof(piece) - len) {
		size_t n = h.str_len - at < sizeof(piece) ? h.str_len - at : sizeof(piece);

		if (!read_at(fd, piece, n, (off_t)h.hdr_len + h.str_off + at))
			return false;
		if (memmem(piece, n, wanted, len))
			return true;
	}
	return false;
}

bool btf_names(const char *name)
{
	int fd = open(BTF_PATH, O_RDONLY | O_CLOEXEC), n;
	char wanted[64] = ""; /* every name stands between two NULs */
	bool found = false;

	if (fd < 0)
		return false;
	n = snprintf(wanted + 1, sizeof(wanted) - 1, "%s", name);
	if (n > 0 && (size_t)n < sizeof(wanted) - 1)
		found = search_strings(fd, wanted, n + 2);
	close(fd);
	return found;
}
