/* SPDX-License-Identifier: MIT */
/* Descriptors: none is left, the number means nothing, or the program never closed it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

#include "live.h"

/* The next descriptor would be one too many. */
static void no_more(void)
{
	struct rlimit limit;
	int next = CHECK(dup(0));

	CHECK(close(next));
	CHECK(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = next;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit));
}

/* The connection stays queued; it is accepted when there is a descriptor again. */
static void accept_full(void)
{
	int ls = listening(AF_INET, 4), spare = CHECK(open("/dev/null", O_RDONLY)), c;

	c = connected(AF_INET, port_of(ls));
	send_all(c, "hello", 5);
	no_more();
	FAILS(accept(ls, NULL, NULL), EMFILE);
	CHECK(close(spare));
	recv_all(CHECK(accept(ls, NULL, NULL)), (char[5]){ 0 }, 5);
}

static void socket_full(void)
{
	no_more();
	FAILS(socket(AF_INET, SOCK_STREAM, 0), EMFILE);
}

/* A loop that only tries again. */
static void accept_spin(void)
{
	int ls = listening(AF_INET, 4), i;
	struct pollfd p = { .fd = ls, .events = POLLIN };

	connected(AF_INET, port_of(ls));
	no_more();
	for (i = 0; i < 300; i++) {
		MUST(poll(&p, 1, -1) == 1);
		FAILS(accept(ls, NULL, NULL), EMFILE);
	}
}

/* Connections one after the other; those whose peer is done stay open. */
static void stale(int clients)
{
	int ls = listening(AF_INET, 1), i;

	for (i = 0; i < clients; i++) {
		int c = connected(AF_INET, port_of(ls)), s = CHECK(accept(ls, NULL, NULL));

		CHECK(close(c));
		recv_eof(s);
	}
}

static void leak(void)
{
	stale(4);
}

static void two_left(void)
{
	stale(2);
}

static void leak_full(void)
{
	int ls, c;

	stale(3);
	ls = listening(AF_INET, 1);
	c = connected(AF_INET, port_of(ls));
	no_more();
	FAILS(accept(ls, NULL, NULL), EMFILE);
	CHECK(close(c));
}

static void closed(void)
{
	char c = 'x';
	int s[2];

	tcp_pair(s);
	CHECK(close(s[0]));
	FAILS(send(s[0], &c, 1, MSG_NOSIGNAL), EBADF);
}

static void twice(void)
{
	int s[2];

	tcp_pair(s);
	CHECK(close(s[0]));
	FAILS(close(s[0]), EBADF);
}

/* Every number is closed, whatever is open: no fault. */
static void sweep(void)
{
	CHECK(socket(AF_INET, SOCK_STREAM, 0));
	for (int fd = 3; fd < 40; fd++)
		close(fd);
}

static void negative(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_UDP);

	MUST(fd == -1);
	FAILS(send(fd, "x", 1, 0), EBADF);
}

static void not_open(void)
{
	FAILS(listen(77, 1), EBADF);
}

/* The number of a closed socket, given to a file. */
static void reused(void)
{
	int fd = CHECK(socket(AF_INET, SOCK_STREAM, 0));

	CHECK(close(fd));
	MUST(open("/dev/null", O_WRONLY) == fd);
	FAILS(send(fd, "x", 1, 0), ENOTSOCK);
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "accept", accept_full }, { "socket", socket_full }, { "spin", accept_spin },
		{ "leak", leak },	   { "two", two_left },	      { "leak-full", leak_full },
		{ "closed", closed },	   { "twice", twice },	      { "sweep", sweep },
		{ "negative", negative },  { "not-open", not_open },  { "reused", reused },
	};

	return RUN_SCENARIO(list);
}
