/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "saved.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define LOOK_MS 200 /* between two looks at signals */
#define QUIET_MS 50 /* an editor writes more than once: then it is done */

/* One of the events is about that name. */
static bool about(const char *events, ssize_t len, const char *name)
{
	const struct inotify_event *e;
	ssize_t at;

	for (at = 0; at < len; at += (ssize_t)(sizeof(*e) + e->len)) {
		e = (const void *)(events + at);
		if (e->len && !strcmp(e->name, name))
			return true;
	}
	return false;
}

static int wait_for(int fd, const char *name, bool (*interrupted)(void))
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool saved = false;
	ssize_t n;

	for (;;) {
		if (interrupted())
			return -EINTR;
		if (poll(&p, 1, saved ? QUIET_MS : LOOK_MS) <= 0) {
			if (saved)
				return 0;
			continue;
		}
		n = read(fd, events, sizeof(events));
		if (n > 0 && about(events, n, name))
			saved = true;
	}
}

int saved_wait(const char *path, bool (*interrupted)(void))
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int fd = inotify_init1(IN_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	/* The folder: many editors write another file and rename it. */
	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
	if (inotify_add_watch(fd, dir, IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
		err = -errno;
	if (!err)
		err = wait_for(fd, slash ? slash + 1 : path, interrupted);
	close(fd);
	return err;
}
