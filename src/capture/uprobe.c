// SPDX-License-Identifier: MIT
#include "uprobe.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEVICE "/sys/bus/event_source/devices/uprobe/"

static int read_number(const char *path, const char *format)
{
	FILE *f = fopen(path, "re");
	int n, ret;

	if (!f)
		return -errno;
	ret = fscanf(f, format, &n) == 1 ? n : -EINVAL;
	fclose(f);
	return ret;
}

int uprobe_open(const char *path, size_t offset, bool at_return)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .disabled = 1 };
	int type = read_number(DEVICE "type", "%d"), bit, fd;

	if (type < 0)
		return type;
	bit = at_return ? read_number(DEVICE "format/retprobe", "config:%d") : 0;
	if (bit < 0)
		return bit;
	attr.type = type;
	attr.config = at_return ? 1ull << bit : 0;
	attr.config1 = (uintptr_t)path;
	attr.config2 = offset;
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int uprobe_run(int event, int prog_fd)
{
	if (ioctl(event, PERF_EVENT_IOC_SET_BPF, prog_fd) || ioctl(event, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return 0;
}
