// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

int netns_open(const char *path, __u32 *ino)
{
	struct statfs fs;
	struct stat st;
	int fd;

	if (statfs(path, &fs) || fs.f_type != NSFS_MAGIC)
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET && !fstat(fd, &st)) {
		*ino = st.st_ino;
		return fd;
	}
	close(fd);
	return -EINVAL;
}
