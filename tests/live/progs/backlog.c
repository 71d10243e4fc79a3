/* SPDX-License-Identifier: MIT */
/*
 * An accept queue that is full: listen(fd, BACKLOG) holds BACKLOG + 1 connections, the next SYN is
 * ignored, and the client's kernel tries again after a second, when there is room.
 */
#include <poll.h>

#include "live.h"

#define BACKLOG 1
#define FIT (BACKLOG + 1)

int main(void)
{
	struct sockaddr_storage at;
	struct pollfd p = { .events = POLLOUT };
	int ls, fd[FIT + 1], err = -1;
	socklen_t len, size = sizeof(err);
	long before;

	alarm(LIVE_SECONDS);
	ls = listening(AF_INET, BACKLOG);
	before = netstat("ListenOverflows");
	for (int i = 0; i < FIT; i++)
		fd[i] = connected(AF_INET, port_of(ls));

	len = loopback(AF_INET, port_of(ls), &at);
	fd[FIT] = CHECK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	FAILS(connect(fd[FIT], (struct sockaddr *)&at, len), EINPROGRESS);
	while (netstat("ListenOverflows") == before)
		sched_yield();

	for (int i = 0; i < FIT; i++)
		CHECK(close(CHECK(accept(ls, NULL, NULL))));
	p.fd = fd[FIT];
	MUST(poll(&p, 1, -1) == 1);
	CHECK(getsockopt(fd[FIT], SOL_SOCKET, SO_ERROR, &err, &size));
	MUST(err == 0);
	CHECK(close(CHECK(accept(ls, NULL, NULL))));
	for (int i = 0; i <= FIT; i++)
		CHECK(close(fd[i]));
	CHECK(close(ls));
	return 0;
}
