// SPDX-License-Identifier: MIT
/*
 * A table maps a descriptor to a socket id and the close-on-exec bit. Both fit into the pointer
 * the hash keeps, so an entry costs no allocation.
 */
#include "fdtable.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

struct fdtable {
	unsigned int refs; /* processes */
	struct hash *fds;
};

static_assert(sizeof(void *) == 8, "an entry is a socket id and one bit, kept in a pointer");

static void *entry_make(__u32 sid, bool cloexec)
{
	return (void *)((uintptr_t)sid << 1 | cloexec);
}

static __u32 entry_sid(const void *entry)
{
	return (__u32)((uintptr_t)entry >> 1);
}

static bool entry_cloexec(const void *entry)
{
	return (uintptr_t)entry & 1;
}

static struct fdtable *table_new(void)
{
	struct fdtable *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->refs = 1;
	t->fds = hash_new();
	if (t->fds)
		return t;
	free(t);
	return NULL;
}

static void count(struct model *m, __u32 sid, int delta)
{
	struct msock *s = sock_find(m, sid);

	if (!s || (delta < 0 && !s->s.fds))
		return;
	s->s.fds += (unsigned int)delta;
}

static void table_put(struct model *m, struct fdtable *t)
{
	size_t pos = 0;
	void *entry;

	if (!t || --t->refs)
		return;
	while (hash_next(t->fds, &pos, NULL, &entry))
		count(m, entry_sid(entry), -1);
	hash_free(t->fds);
	free(t);
}

static struct fdtable *table_copy(struct model *m, const struct fdtable *from)
{
	struct fdtable *t = table_new();
	size_t pos = 0;
	__u64 fd;
	void *entry;

	if (!t)
		return NULL;
	while (hash_next(from->fds, &pos, &fd, &entry)) {
		if (hash_put(t->fds, fd, entry)) {
			table_put(m, t);
			return NULL;
		}
		count(m, entry_sid(entry), 1);
	}
	return t;
}

int fdtable_set(struct model *m, struct mproc *p, int fd, __u32 sid, bool cloexec)
{
	void *old;

	if (fd < 0 || !sid)
		return 0;
	if (!p->files)
		p->files = table_new();
	if (!p->files)
		return -ENOMEM;
	old = hash_get(p->files->fds, (__u64)fd);
	if (hash_put(p->files->fds, (__u64)fd, entry_make(sid, cloexec)))
		return -ENOMEM;
	if (old)
		count(m, entry_sid(old), -1);
	count(m, sid, 1);
	return 0;
}

__u32 fdtable_get(const struct mproc *p, int fd)
{
	if (fd < 0 || !p || !p->files)
		return 0;
	return entry_sid(hash_get(p->files->fds, (__u64)fd));
}

void fdtable_drop(struct model *m, struct mproc *p, int fd)
{
	void *old;

	if (fd < 0 || !p->files)
		return;
	old = hash_del(p->files->fds, (__u64)fd);
	if (old)
		count(m, entry_sid(old), -1);
}

void fdtable_set_cloexec(struct mproc *p, int fd, bool cloexec)
{
	__u32 sid = fdtable_get(p, fd);

	if (sid) /* the key is there: replacing it cannot fail */
		hash_put(p->files->fds, (__u64)fd, entry_make(sid, cloexec));
}

int fdtable_fork(struct model *m, struct mproc *parent, struct mproc *child, bool share)
{
	struct fdtable *t;

	if (parent == child)
		return 0;
	if (share && !parent->files)
		parent->files = table_new();
	if (!parent->files)
		return share ? -ENOMEM : 0;
	t = share ? parent->files : table_copy(m, parent->files);
	if (!t)
		return -ENOMEM;
	t->refs += share;
	table_put(m, child->files);
	child->files = t;
	return 0;
}

/* The kernel gives an exec'ing process a table of its own first (unshare_files). */
int fdtable_exec(struct model *m, struct mproc *p)
{
	struct fdtable *t = p->files;
	size_t pos = 0;
	__u64 fd;
	void *entry;

	if (!t)
		return 0;
	if (t->refs > 1) {
		t = table_copy(m, p->files);
		if (!t)
			return -ENOMEM;
		table_put(m, p->files);
		p->files = t;
	}
	while (hash_next(t->fds, &pos, &fd, &entry)) {
		if (entry_cloexec(entry)) {
			hash_del(t->fds, fd);
			count(m, entry_sid(entry), -1);
		}
	}
	return 0;
}

void fdtable_exit(struct model *m, struct mproc *p)
{
	table_put(m, p->files);
	p->files = NULL;
}

size_t fdtable_count(const struct mproc *p)
{
	return p->files ? hash_count(p->files->fds) : 0;
}

int fdtable_find(const struct mproc *p, __u32 sid, int from)
{
	size_t pos = 0;
	__u64 fd;
	void *entry;
	int best = -1;

	while (p->files && hash_next(p->files->fds, &pos, &fd, &entry))
		if (entry_sid(entry) == sid && (int)fd >= from && (best < 0 || (int)fd < best))
			best = (int)fd;
	return best;
}
