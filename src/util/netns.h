/* SPDX-License-Identifier: MIT */
/*
 * Network namespaces by the files that stand for them: /proc/PID/ns/net, /run/netns/NAME, and what containers have
 * (namespaces(7), ioctl_ns(2)).
 */
#ifndef SOCKLENS_UTIL_NETNS_H
#define SOCKLENS_UTIL_NETNS_H

#include <linux/types.h>

/*
 * A descriptor, which the caller closes, and the namespace's inode number. As long as it is open the kernel gives that
 * number to no other namespace. Negative errno; -EINVAL for a file that stands for none, which is not opened.
 */
int netns_open(const char *path, __u32 *ino);

#endif
