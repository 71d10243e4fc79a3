// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "btf_names.h"

#include <fcntl.h>
#include <linux/btf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel_btf.h"

#define NAME_SIZE 128 /* bytes, with the NUL; the names that are asked for are shorter */

/* One at a time: the piece is what was read last of one of its sections. */
struct btf_file {
	const char *map; /* all of it, size bytes; NULL: it is read from fd */
	size_t size;
	int fd;
	struct btf_header h;
	char piece[65536];
	__u32 at, n; /* where in the section of types the piece begins, and its length */
};

static bool read_at(const struct btf_file *f, void *to, size_t len, off_t at)
{
	if (f->map) {
		if ((size_t)at > f->size || len > f->size - at)
			return false;
		memcpy(to, f->map + at, len);
		return true;
	}
	while (len) {
		ssize_t n = pread(f->fd, to, len, at);

		if (n <= 0)
			return false;
		to = (char *)to + n;
		len -= n;
		at += n;
	}
	return true;
}

/* NULL is accepted. */
static void file_close(struct btf_file *f)
{
	if (f && f->map)
		munmap((void *)f->map, f->size);
	else if (f)
		close(f->fd);
}

/* NULL: it cannot be read. */
static struct btf_file *file_open(void)
{
	static struct btf_file f;

	f.map = kernel_btf_map(&f.size);
	f.n = 0;
	if (!f.map)
		f.fd = open(KERNEL_BTF_PATH, O_RDONLY | O_CLOEXEC);
	if (!f.map && f.fd < 0)
		return NULL;
	if (read_at(&f, &f.h, sizeof(f.h), 0) && f.h.magic == BTF_MAGIC)
		return &f;
	file_close(&f);
	return NULL;
}

/* --- strings --- */

/*
 * Where `name` begins in the section of strings; 0 = it is not there (what begins at 0 is the empty name). Looked for
 * in pieces that overlap, so that no seam hides it.
 */
static __u32 find_name(struct btf_file *f, const char *name)
{
	char wanted[NAME_SIZE + 1] = ""; /* every name stands between two NULs */
	int len = snprintf(wanted + 1, sizeof(wanted) - 1, "%s", name) + 2;
	const char *hit;

	if (len <= 2 || (size_t)len > sizeof(wanted))
		return 0;
	f->n = 0; /* no longer one of types */
	for (size_t at = 0; at < f->h.str_len; at += sizeof(f->piece) - len) {
		size_t left = f->h.str_len - at;
		size_t n = left < sizeof(f->piece) ? left : sizeof(f->piece);

		if (!read_at(f, f->piece, n, (off_t)f->h.hdr_len + f->h.str_off + at))
			return 0;
		hit = memmem(f->piece, n, wanted, len);
		if (hit)
			return at + (hit - f->piece) + 1;
	}
	return 0;
}

static bool name_at(const struct btf_file *f, __u32 off, char *name, size_t size)
{
	size_t n = off < f->h.str_len ? f->h.str_len - off : 0;

	n = n < size - 1 ? n : size - 1;
	name[n] = '\0';
	return n && read_at(f, name, n, (off_t)f->h.hdr_len + f->h.str_off + off);
}

bool btf_names(const char *name)
{
	struct btf_file *f = file_open();
	bool found = f && find_name(f, name);

	file_close(f);
	return found;
}

/* --- types --- */

/* What follows a type's first twelve bytes, in bytes; -1 = of a kind this does not know. */
static long more_of(const struct btf_type *t)
{
	__u32 n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(__u32);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return n * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return n * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return n * sizeof(struct btf_var_secinfo);
	default:
		return BTF_INFO_KIND(t->info) <= BTF_KIND_TYPE_TAG ? 0 : -1;
	}
}

/* What is at `at` among the types, at least `len` bytes; NULL = the section ends before, or cannot be read. */
static const void *types_at(struct btf_file *f, __u32 at, __u32 len)
{
	__u32 left = at < f->h.type_len ? f->h.type_len - at : 0;

	if (len > left)
		return NULL;
	if (at < f->at || at + len > f->at + f->n) {
		f->at = at;
		f->n = left < sizeof(f->piece) ? left : sizeof(f->piece);
		if (!read_at(f, f->piece, f->n, (off_t)f->h.hdr_len + f->h.type_off + at))
			return NULL;
	}
	return f->piece + (at - f->at);
}

/* Where the first enum of this name that has enumerators lists them, and how many; false = nowhere. */
static bool find_enum(struct btf_file *f, __u32 name_off, __u32 *at, __u32 *n)
{
	const struct btf_type *t;
	long more;

	*at = 0;
	while ((t = types_at(f, *at, sizeof(*t)))) {
		*at += sizeof(*t);
		*n = BTF_INFO_VLEN(t->info);
		if (t->name_off == name_off && BTF_INFO_KIND(t->info) == BTF_KIND_ENUM && *n)
			return true;
		more = more_of(t);
		if (more < 0)
			return false;
		*at += more;
	}
	return false;
}

void btf_enumerators(const char *type, void (*each)(void *ctx, const char *name, __u32 value),
		     void *ctx)
{
	struct btf_file *f = file_open();
	__u32 off = f ? find_name(f, type) : 0, at, n;
	char name[NAME_SIZE];
	const struct btf_enum *e;

	if (off && find_enum(f, off, &at, &n)) {
		for (; n && (e = types_at(f, at, sizeof(*e))); n--, at += sizeof(*e))
			if (name_at(f, e->name_off, name, sizeof(name)))
				each(ctx, name, e->val);
	}
	file_close(f);
}
