// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "btf_names.h"

#include <fcntl.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
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

/* The section of strings; every name in it stands between two NULs. The caller frees it. */
static char *read_strings(int fd, size_t *len)
{
	struct btf_header h;
	char *text;

	if (!read_at(fd, &h, sizeof(h), 0) || h.magic != BTF_MAGIC)
		return NULL;
	text = malloc(h.str_len ? h.str_len : 1);
	if (text && !read_at(fd, text, h.str_len, (off_t)h.hdr_len + h.str_off)) {
		free(text);
		return NULL;
	}
	*len = h.str_len;
	return text;
}

bool btf_names(const char *name)
{
	int fd = open(BTF_PATH, O_RDONLY | O_CLOEXEC), n;
	char wanted[64], *text = NULL;
	bool found = false;
	size_t len = 0;

	if (fd < 0)
		return false;
	wanted[0] = 0;
	n = snprintf(wanted + 1, sizeof(wanted) - 1, "%s", name);
	text = read_strings(fd, &len);
	if (text && n > 0 && (size_t)n < sizeof(wanted) - 1)
		found = memmem(text, len, wanted, n + 2) != NULL;
	free(text);
	close(fd);
	return found;
}
