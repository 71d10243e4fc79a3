// SPDX-License-Identifier: MIT
#include "uprobe.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEVICE "/sys/bus/event_source/devices/uprobe/"

/* The part of union bpf_attr that BPF_LINK_CREATE reads for many uprobes: commit 89ae89f53d20. */
struct link_many {
	__u32 prog_fd, target_fd, attach_type, flags;
	__u64 path, offsets, ref_ctr_offsets, cookies;
	__u32 count, many_flags, pid, pad;
};
#define MANY_AT_RETURN 1

static int open_link(int prog_fd, const char *path, size_t offset, bool at_return)
{
	__u64 offsets[] = { offset };
	struct link_many attr = {
		.prog_fd = prog_fd,
		.attach_type = UPROBE_ATTACH_TYPE,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)offsets,
		.count = 1,
		.many_flags = at_return ? MANY_AT_RETURN : 0,
	};
	int fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

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

static int open_event(const char *path, size_t offset, bool at_return)
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

static int run_event(int event, int prog_fd)
{
	int err;

	if (!ioctl(event, PERF_EVENT_IOC_SET_BPF, prog_fd) && !ioctl(event, PERF_EVENT_IOC_ENABLE, 0))
		return 0;
	err = -errno;
	close(event);
	return err;
}

/* Neither the kind of link nor its arguments are known. */
static bool link_unknown(int err)
{
	return err == -EINVAL || err == -E2BIG;
}

int uprobe_attach(struct uprobe *u, int prog_fd, const char *path, size_t offset, bool at_return)
{
	int fd = open_link(prog_fd, path, offset, at_return), err;

	*u = (struct uprobe){ .fd = -1 };
	if (fd >= 0) {
		*u = (struct uprobe){ .fd = fd, .free = true };
		return 0;
	}
	if (!link_unknown(fd))
		return fd;
	fd = open_event(path, offset, at_return);
	err = fd < 0 ? fd : run_event(fd, prog_fd);
	if (!err)
		u->fd = fd;
	u->refused = fd == -EACCES;
	return err;
}
