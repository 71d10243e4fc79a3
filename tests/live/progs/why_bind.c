/* SPDX-License-Identifier: MIT */
/* bind() and listen() that fail: the port is held in every way there is, or the name cannot be had. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/un.h>

#include <stdbool.h>

#include "live.h"

static int on = 1;

static int plain(int family, int type)
{
	return CHECK(socket(family, type, 0));
}

static int reusing(int option)
{
	int fd = plain(AF_INET, SOCK_STREAM);

	CHECK(setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)));
	return fd;
}

static int bind_to(int fd, int port)
{
	struct sockaddr_storage at;
	socklen_t len = loopback(AF_INET, port, &at);

	return bind(fd, (struct sockaddr *)&at, len);
}

/* SO_REUSEADDR on the new socket does not help against one that listens. */
static void listener(void)
{
	int ls = listening(AF_INET, 1), fd = reusing(SO_REUSEADDR);

	FAILS(bind_to(fd, port_of(ls)), EADDRINUSE);
}

/* What only a child has that a fork and an exec made of the server. */
static void inherited(void)
{
	int ls = listening(AF_INET, 1), port = port_of(ls), fd;
	struct gate done = gate_new();
	pid_t child;
	char number[16];

	child = CHECK(fork());
	if (child == 0) {
		snprintf(number, sizeof(number), "%d", done.fd[0]);
		CHECK(close(done.fd[1]));
		CHECK(execl("/proc/self/exe", "why_bind", "stay", number, NULL));
	}
	CHECK(close(ls));
	fd = plain(AF_INET, SOCK_STREAM);
	FAILS(bind_to(fd, port), EADDRINUSE);
	gate_open(&done, 1);
	reap(child);
}

/* Both may bind with SO_REUSEADDR; the second to listen fails. */
static void second(void)
{
	int a = reusing(SO_REUSEADDR), b = reusing(SO_REUSEADDR), port;

	CHECK(bind_to(a, 0));
	port = port_of(a);
	CHECK(bind_to(b, port));
	CHECK(listen(a, 1));
	FAILS(listen(b, 1), EADDRINUSE);
}

/* With SO_REUSEPORT on both, both listen. */
static void shared(void)
{
	int a = reusing(SO_REUSEPORT), b = reusing(SO_REUSEPORT);

	CHECK(bind_to(a, 0));
	CHECK(listen(a, 1));
	CHECK(bind_to(b, port_of(a)));
	CHECK(listen(b, 1));
}

static void udp(void)
{
	int a = bound(AF_INET, SOCK_DGRAM), b = plain(AF_INET, SOCK_DGRAM);

	FAILS(bind_to(b, port_of(a)), EADDRINUSE);
}

static void bound_only(void)
{
	int a = bound(AF_INET, SOCK_STREAM), b = plain(AF_INET, SOCK_STREAM);

	FAILS(bind_to(b, port_of(a)), EADDRINUSE);
}

/* [::] takes IPv4 as well, unless it is told not to. */
static void both_families(void)
{
	struct sockaddr_in6 all = { .sin6_family = AF_INET6 };
	int six = plain(AF_INET6, SOCK_STREAM), four = plain(AF_INET, SOCK_STREAM), port;

	CHECK(bind(six, (struct sockaddr *)&all, sizeof(all)));
	CHECK(listen(six, 1));
	port = port_of(six);
	FAILS(bind_to(four, port), EADDRINUSE);
	CHECK(close(six));
	six = plain(AF_INET6, SOCK_STREAM);
	CHECK(setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
	all.sin6_port = htons(port);
	CHECK(bind(six, (struct sockaddr *)&all, sizeof(all)));
	CHECK(listen(six, 1));
	CHECK(bind_to(four, port));
	CHECK(listen(four, 1));
}

/* A connection, whose server's end is fd[1]; the listener is closed. */
static int served(int ls, int fd[2])
{
	int port;

	CHECK(listen(ls, 1));
	port = port_of(ls);
	fd[0] = connected(AF_INET, port);
	fd[1] = CHECK(accept(ls, NULL, NULL));
	CHECK(close(ls));
	return port;
}

static void living(void)
{
	int s[2], ls = bound(AF_INET, SOCK_STREAM), port = served(ls, s);

	FAILS(bind_to(reusing(SO_REUSEADDR), port), EADDRINUSE);
}

static int stream_that(bool reuses)
{
	return reuses ? reusing(SO_REUSEADDR) : plain(AF_INET, SOCK_STREAM);
}

/* The server's end closes first: its port stays in TIME_WAIT. Another takes it then. */
static int restarted(bool old_reuses, bool new_reuses)
{
	int s[2], port, old = stream_that(old_reuses), new = stream_that(new_reuses);

	CHECK(bind_to(old, 0));
	port = served(old, s);
	CHECK(close(s[1]));
	recv_eof(s[0]);
	CHECK(close(s[0]));
	return bind_to(new, port);
}

static void wait_none(void)
{
	FAILS(restarted(false, false), EADDRINUSE);
}

static void wait_new(void)
{
	FAILS(restarted(false, true), EADDRINUSE);
}

static void wait_old(void)
{
	FAILS(restarted(true, false), EADDRINUSE);
}

static void wait_both(void)
{
	CHECK(restarted(true, true));
}

static void late(void)
{
	int fd = bound(AF_INET, SOCK_STREAM);

	CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
}

/* The port is held by a socket of somebody else, who is not traced. */
static void unseen(void)
{
	FAILS(bind_to(plain(AF_INET, SOCK_STREAM), wanted_port()), EADDRINUSE);
}

/* The namespace has a range of two ports: the third bind() finds none. */
static void no_port(void)
{
	for (int i = 0; i < 2; i++)
		CHECK(bind_to(plain(AF_INET, SOCK_STREAM), 0));
	FAILS(bind_to(plain(AF_INET, SOCK_STREAM), 0), EADDRINUSE);
}

static void foreign(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(7000) };

	CHECK(inet_pton(AF_INET, "192.0.2.1", &at.sin_addr));
	FAILS(bind(plain(AF_INET, SOCK_STREAM), (struct sockaddr *)&at, sizeof(at)), EADDRNOTAVAIL);
}

static void again(void)
{
	FAILS(bind_to(bound(AF_INET, SOCK_STREAM), 0), EINVAL);
}

static void wrong_family(void)
{
	FAILS(bind_to(plain(AF_INET6, SOCK_STREAM), 0), EINVAL);
}

static void denied(void)
{
	CHECK(setuid(65534));
	FAILS(bind_to(plain(AF_INET, SOCK_STREAM), 80), EACCES);
}

/* Two sockets of one port to the same server. */
static void twin(void)
{
	struct sockaddr_storage at;
	int ls = listening(AF_INET, 2), a = reusing(SO_REUSEADDR), b = reusing(SO_REUSEADDR);
	socklen_t len = loopback(AF_INET, port_of(ls), &at);

	CHECK(bind_to(a, 0));
	CHECK(bind_to(b, port_of(a)));
	CHECK(connect(a, (struct sockaddr *)&at, len));
	FAILS(connect(b, (struct sockaddr *)&at, len), EADDRNOTAVAIL);
}

static int bind_path(int fd)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", getenv("LIVE_PATH"));
	return bind(fd, (struct sockaddr *)&at, sizeof(at));
}

static void path(void)
{
	int old = plain(AF_UNIX, SOCK_STREAM);

	CHECK(bind_path(old));
	FAILS(bind_path(plain(AF_UNIX, SOCK_STREAM)), EADDRINUSE);
	CHECK(close(old));
	FAILS(bind_path(plain(AF_UNIX, SOCK_STREAM)), EADDRINUSE);
}

/* The child: it keeps what it inherited until it is told to end. */
static int stay(int fd)
{
	char c[4];

	alarm(LIVE_SECONDS);
	return read(fd, c, sizeof(c)) < 0;
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "listener", listener },
		{ "inherited", inherited },
		{ "second", second },
		{ "shared", shared },
		{ "udp", udp },
		{ "bound", bound_only },
		{ "families", both_families },
		{ "living", living },
		{ "wait-none", wait_none },
		{ "wait-new", wait_new },
		{ "wait-old", wait_old },
		{ "wait-both", wait_both },
		{ "late", late },
		{ "unseen", unseen },
		{ "no-port", no_port },
		{ "foreign", foreign },
		{ "again", again },
		{ "wrong-family", wrong_family },
		{ "denied", denied },
		{ "twin", twin },
		{ "path", path },
	};

	if (argc == 3 && strcmp(argv[1], "stay") == 0)
		return stay(atoi(argv[2]));
	return RUN_SCENARIO(list);
}
