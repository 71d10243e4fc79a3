/* SPDX-License-Identifier: MIT */
/* A socket across exec: kept, and closed by close-on-exec. "use FD" is what is executed. */
#define _GNU_SOURCE
#include <fcntl.h>

#include "live.h"

struct child_end {
	int fd;	   /* to be kept or lost */
	int other; /* not the child's */
};

static void become_user(void *arg)
{
	struct child_end *e = arg;
	char number[16];

	CHECK(close(e->other));
	snprintf(number, sizeof(number), "%d", e->fd);
	CHECK(execl("/proc/self/exe", "exec", "use", number, NULL));
}

static void across(int cloexec)
{
	struct child_end e;
	char buf[4];
	pid_t child;
	int s[2];

	tcp_pair(s);
	if (cloexec)
		CHECK(fcntl(s[0], F_SETFD, FD_CLOEXEC));
	e = (struct child_end){ .fd = s[0], .other = s[1] };
	child = spawn(become_user, &e);
	CHECK(close(s[0]));
	if (!cloexec)
		recv_all(s[1], buf, 4);
	recv_eof(s[1]);
	CHECK(close(s[1]));
	reap(child);
}

static void keep(void)
{
	across(0);
}

static void cloexec(void)
{
	across(1);
}

/* The descriptor is either ours or gone; the program ends without close() either way. */
static int use(int fd)
{
	if (fcntl(fd, F_GETFD) == -1)
		return errno == EBADF ? 0 : 1;
	send_all(fd, "kept", 4);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = { { "keep", keep }, { "cloexec", cloexec } };

	if (argc == 3 && strcmp(argv[1], "use") == 0)
		return use(atoi(argv[2]));
	return RUN_SCENARIO(list);
}
