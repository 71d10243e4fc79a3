/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cell.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/mount.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From <sys/mount.h>, which some C libraries cannot have beside <linux/mount.h>. */
#define PRIVATE (1 << 18)

/* Behind those of people, services and containers, and still positive as an int. */
#define UID_FIRST 0x70000000u
#define UID_COUNT 0x0fffffffu
#define CPU_SECONDS 20 /* of one process */
#define COPY_MAX (1L << 30)

static int mount_new(const char *type, const char *where, const char *data)
{
	return (int)syscall(SYS_mount, type, where, type, 0, data);
}

/*
 * A copy of all mounts becomes the new root: one that can be made read-only as a whole, and private,
 * so that nothing done here is seen outside. It is put over /proc, because that is a mount point
 * even in a plain chroot, where / is none.
 */
int cell_mounts(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID,
				   .propagation = PRIVATE };
	char size[32];
	int tree;

	tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/",
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0)
		return -errno;
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
		    sizeof(attr)) ||
	    syscall(SYS_mount, NULL, "/proc", NULL, PRIVATE, NULL) ||
	    syscall(SYS_move_mount, tree, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH))
		return -errno;
	if (chdir("/proc") || chroot(".") || chdir("/"))
		return -errno;
	snprintf(size, sizeof(size), "size=%dm,mode=1777", ARENA_DISK);
	if (mount_new("tmpfs", "/tmp", size) || mount_new("proc", "/proc", NULL))
		return -errno;
	close(tree);
	return 0;
}

int cell_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		err = -errno;
	close(fd);
	return err;
}

static int new_network(void)
{
	int fd, err;

	if (unshare(CLONE_NEWNET))
		return -errno;
	err = cell_loopback();
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!err && (fd < 0 || dup3(fd, ARENA_FAR, O_CLOEXEC) < 0))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

int cell_far(void)
{
	int near = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), err;

	if (near < 0)
		return -errno;
	err = new_network();
	if (setns(near, CLONE_NEWNET) && !err)
		err = -errno;
	close(near);
	return err;
}

int cell_go_far(void)
{
	return setns(ARENA_FAR, CLONE_NEWNET) ? -errno : 0;
}

static int copy_in(int from, const char *name)
{
	char path[128];
	ssize_t n = 1;
	int to;

	snprintf(path, sizeof(path), CELL_FOLDER "/%s", name);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (to < 0)
		return -errno;
	while (n > 0)
		n = sendfile(to, from, NULL, COPY_MAX);
	if (n < 0 || fchmod(to, 0755))
		n = -errno;
	close(to);
	return (int)n;
}

/* The folder is the user's, who may write in it; the programs are root's, who may not be fooled. */
int cell_files(const struct arena_plan *plan)
{
	size_t i;
	int err = 0;

	if (mkdir(CELL_FOLDER, 0777) || chmod(CELL_FOLDER, 01777))
		return -errno;
	for (i = 0; !err && i < plan->n_files; i++)
		err = copy_in(plan->files[i], plan->names[i]);
	return err;
}

/* Told to the kernel's killer of processes: these first. It is no loss if that cannot be said. */
static void first_to_go(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1000", 4) != 4)
		errno = 0;
	close(fd);
}

int cell_limits(void)
{
	const struct {
		int what;
		rlim_t limit;
	} limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_CPU, CPU_SECONDS },
		{ RLIMIT_FSIZE, (rlim_t)ARENA_DISK << 20 },
		{ RLIMIT_AS, (rlim_t)ARENA_MEMORY << 20 },
		{ RLIMIT_NOFILE, 1024 },
		{ RLIMIT_MSGQUEUE, 0 },
		/* Threads are tasks, too; and the keeper must see that there are more than it allows. */
		{ RLIMIT_NPROC, 2 * ARENA_TASKS },
	};
	struct rlimit r;
	size_t i;

	first_to_go();
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		r.rlim_cur = r.rlim_max = limits[i].limit;
		if (setrlimit(limits[i].what, &r))
			return -errno;
	}
	return 0;
}

uid_t cell_uid(void)
{
	uid_t any = 0;

	if (getrandom(&any, sizeof(any), 0) != sizeof(any))
		any = (uid_t)getpid();
	return UID_FIRST + any % UID_COUNT;
}

int cell_become(uid_t uid)
{
	const gid_t gid = uid;

	if (setgroups(1, &gid) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}
