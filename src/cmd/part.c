/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "part.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

int part_find(struct part *p, const char *out, uid_t who)
{
	int err;

	*p = PART_NONE;
	p->out = out;
	err = place_find(&p->place, out, who, false);
	strcpy(p->name, p->place.name);
	return err;
}

/* The name with six random characters, in the same directory. */
static int random_name(struct part *p)
{
	const char *slash = strrchr(p->out, '/');
	int dir = slash ? (int)(slash - p->out + 1) : 0;
	unsigned long long any = 0;

	if (getrandom(&any, sizeof(any), 0) != sizeof(any))
		return -EAGAIN;
	if (snprintf(p->place.name, sizeof(p->place.name), "%s.%06llx", p->name, any & 0xffffff) >=
		    (int)sizeof(p->place.name) ||
	    snprintf(p->path, sizeof(p->path), "%.*s%s", dir, p->out, p->place.name) >=
		    (int)sizeof(p->path))
		return -ENAMETOOLONG;
	return 0;
}

int part_create(struct part *p)
{
	int fd = random_name(p);

	if (!fd)
		fd = place_create(&p->place);
	if (fd < 0)
		p->path[0] = '\0';
	p->fd = fd;
	return fd < 0 ? fd : 0;
}

void part_remove(struct part *p)
{
	if (p->path[0])
		unlinkat(p->place.dir, p->place.name, 0);
	p->path[0] = '\0';
	place_close(&p->place);
}

int part_finish(struct part *p, bool replace)
{
	const int dir = p->place.dir;
	int err = renameat2(dir, p->place.name, dir, p->name, replace ? 0 : RENAME_NOREPLACE);

	if (err && errno == EINVAL) /* a file system that cannot do that, such as NFS */
		err = renameat(dir, p->place.name, dir, p->name);
	err = err ? -errno : 0;
	if (!err)
		p->path[0] = '\0';
	part_remove(p);
	return err;
}

int part_write(const char *out, uid_t who, int (*write)(int fd, void *ctx), void *ctx)
{
	struct part p;
	int err = part_find(&p, out, who);

	if (!err)
		err = part_create(&p);
	if (!err)
		err = write(p.fd, ctx);
	if (!err)
		err = part_finish(&p, true);
	part_remove(&p);
	return err;
}
