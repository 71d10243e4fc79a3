/* SPDX-License-Identifier: MIT */
/* Calls that cannot work: on a descriptor that was closed, on one that is no socket, on a port in use. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "live.h"

static void closed(void)
{
	char c = 'x';
	int s[2];

	tcp_pair(s);
	CHECK(close(s[0]));
	FAILS(recv(s[0], &c, 1, 0), EBADF);
	FAILS(send(s[0], &c, 1, MSG_NOSIGNAL), EBADF);
	FAILS(write(s[0], &c, 1), EBADF);
	FAILS(read(s[0], &c, 1), EBADF);
	FAILS(close(s[0]), EBADF);
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

static void no_socket(void)
{
	int pipes[2], fd = CHECK(memfd_create("live", 0));

	CHECK(pipe(pipes));
	FAILS(send(pipes[1], "x", 1, 0), ENOTSOCK);
	FAILS(send(fd, "xy", 2, 0), ENOTSOCK);
	FAILS(listen(fd, 1), ENOTSOCK);
}

static void taken(void)
{
	struct sockaddr_storage at;
	int ls = listening(AF_INET, 1), fd = CHECK(socket(AF_INET, SOCK_STREAM, 0));
	socklen_t len = loopback(AF_INET, port_of(ls), &at);

	FAILS(bind(fd, (struct sockaddr *)&at, len), EADDRINUSE);
	CHECK(close(fd));
	CHECK(close(ls));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "closed", closed },
		{ "no-socket", no_socket },
		{ "taken", taken },
	};

	return RUN_SCENARIO(list);
}
