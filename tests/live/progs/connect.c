/* SPDX-License-Identifier: MIT */
/* connect(): refused; non-blocking, answered and refused. */
#include <fcntl.h>
#include <poll.h>

#include "live.h"

/* A port of ours that nobody listens on (any more). */
static int dead_port(void)
{
	int fd = bound(AF_INET, SOCK_STREAM), port = port_of(fd);

	CHECK(close(fd));
	return port;
}

static void refused(void)
{
	struct sockaddr_storage at;
	socklen_t len = loopback(AF_INET, dead_port(), &at);
	int fd = CHECK(socket(AF_INET, SOCK_STREAM, 0));

	FAILS(connect(fd, (struct sockaddr *)&at, len), ECONNREFUSED);
	CHECK(close(fd));
}

/* Non-blocking connect, poll for its end, ask how it went. Returns the descriptor. */
static int later(int port, int expect)
{
	struct sockaddr_storage at;
	socklen_t len = loopback(AF_INET, port, &at), size = sizeof(int);
	int err = -1, fd = CHECK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	FAILS(connect(fd, (struct sockaddr *)&at, len), EINPROGRESS);
	MUST(poll(&p, 1, -1) == 1);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size));
	MUST(err == expect);
	return fd;
}

static void nonblock(void)
{
	int ls = listening(AF_INET, 1), fd = later(port_of(ls), 0);

	CHECK(close(CHECK(accept(ls, NULL, NULL))));
	CHECK(close(fd));
	CHECK(close(ls));
}

static void nonblock_refused(void)
{
	CHECK(close(later(dead_port(), ECONNREFUSED)));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "refused", refused },
		{ "nonblock", nonblock },
		{ "nonblock-refused", nonblock_refused },
	};

	return RUN_SCENARIO(list);
}
