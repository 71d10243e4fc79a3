/* SPDX-License-Identifier: MIT */
/* connect() that fails, or succeeds in a way that surprises: one scenario each. */
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/un.h>

#include "live.h"

/* Connect to a port at a 127.x.y.z address of ours. */
static int to_host(int fd, const char *host, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };

	MUST(inet_pton(AF_INET, host, &at.sin_addr) == 1);
	return connect(fd, (struct sockaddr *)&at, sizeof(at));
}

static int to_loopback(int fd, int family, int port)
{
	struct sockaddr_storage at;
	socklen_t len = loopback(family, port, &at);

	return connect(fd, (struct sockaddr *)&at, len);
}

static int tcp(int family, int flags)
{
	return CHECK(socket(family, SOCK_STREAM | flags, 0));
}

static void option(int fd, int level, int name, int value)
{
	CHECK(setsockopt(fd, level, name, &value, sizeof(value)));
}

/* What a port number becomes without htons(). */
static int swapped(int port)
{
	return (port & 255) << 8 | port >> 8;
}

/* Not its own twin, and neither is one that the kernel gives to others, or root's. */
#define PORT_WITH_TWIN 20001 /* 0x4e21; its twin is 8526 */

static int bound_with_twin(void)
{
	struct sockaddr_storage at;
	socklen_t len = loopback(AF_INET, PORT_WITH_TWIN, &at);
	int s = tcp(AF_INET, 0);

	CHECK(bind(s, (struct sockaddr *)&at, len));
	return s;
}

static int listening_with_twin(void)
{
	int s = bound_with_twin();

	CHECK(listen(s, 1));
	return s;
}

static void address(void)
{
	int ls = listening(AF_INET, 1), fd = tcp(AF_INET, 0);

	FAILS(to_host(fd, "127.0.0.2", port_of(ls)), ECONNREFUSED);
	CHECK(close(fd));
	CHECK(close(ls));
}

static void family(void)
{
	int ls = listening(AF_INET, 1), fd = tcp(AF_INET6, 0);

	FAILS(to_loopback(fd, AF_INET6, port_of(ls)), ECONNREFUSED);
	CHECK(close(fd));
	CHECK(close(ls));
}

static void only_bound(void)
{
	int s = bound(AF_INET, SOCK_STREAM), fd = tcp(AF_INET, 0);

	FAILS(to_loopback(fd, AF_INET, port_of(s)), ECONNREFUSED);
	CHECK(close(fd));
	CHECK(close(s));
}

static void no_htons(void)
{
	int ls = listening_with_twin(), fd = tcp(AF_INET, 0);

	FAILS(to_loopback(fd, AF_INET, swapped(port_of(ls))), ECONNREFUSED);
	CHECK(close(fd));
	CHECK(close(ls));
}

/* A second server takes the swapped twin of a port in use. */
static void bind_no_htons(void)
{
	int ls = listening_with_twin(), fd = tcp(AF_INET, 0);
	struct sockaddr_storage at;
	socklen_t len = loopback(AF_INET, swapped(port_of(ls)), &at);

	CHECK(bind(fd, (struct sockaddr *)&at, len));
	CHECK(close(fd));
	CHECK(close(ls));
}

/* The client asked at the right port before; the server has swapped it. */
static void bind_late(void)
{
	int s = bound_with_twin(), port = port_of(s), fd = tcp(AF_INET, 0);
	struct sockaddr_storage at;
	socklen_t len = loopback(AF_INET, swapped(port), &at);

	CHECK(close(s));
	FAILS(to_loopback(fd, AF_INET, port), ECONNREFUSED);
	CHECK(close(fd));
	fd = tcp(AF_INET, 0);
	CHECK(bind(fd, (struct sockaddr *)&at, len));
	CHECK(listen(fd, 1));
	CHECK(close(fd));
}

static void gone(void)
{
	int ls = listening(AF_INET, 1), port = port_of(ls), fd = tcp(AF_INET, 0);

	CHECK(close(ls));
	FAILS(to_loopback(fd, AF_INET, port), ECONNREFUSED);
	CHECK(close(fd));
}

static void udp(void)
{
	int s = bound(AF_INET, SOCK_DGRAM), fd = tcp(AF_INET, 0);

	FAILS(to_loopback(fd, AF_INET, port_of(s)), ECONNREFUSED);
	CHECK(close(fd));
	CHECK(close(s));
}

/* A client that tries the same again. */
static void thrice(void)
{
	int s = bound(AF_INET, SOCK_STREAM), port = port_of(s);

	CHECK(close(s));
	for (int i = 0; i < 3; i++) {
		int fd = tcp(AF_INET, 0);

		FAILS(to_loopback(fd, AF_INET, port), ECONNREFUSED);
		CHECK(close(fd));
	}
}

static void paths(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int s = CHECK(socket(AF_UNIX, SOCK_STREAM, 0)), fd[2];

	for (int i = 0; i < 2; i++)
		fd[i] = CHECK(socket(AF_UNIX, SOCK_STREAM, 0));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", getenv("LIVE_PATH"));
	FAILS(connect(fd[0], (struct sockaddr *)&at, sizeof(at)), ENOENT);
	CHECK(bind(s, (struct sockaddr *)&at, sizeof(at)));
	CHECK(close(s));
	FAILS(connect(fd[1], (struct sockaddr *)&at, sizeof(at)), ECONNREFUSED);
	CHECK(unlink(at.sun_path));
	CHECK(close(fd[0]));
	CHECK(close(fd[1]));
}

/* One SYN more, then no patience. */
static void impatient(int fd)
{
	option(fd, IPPROTO_TCP, TCP_SYNCNT, 1);
	option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500);
}

/* The test drops what comes in to this port. */
static void timeout(void)
{
	int fd = tcp(AF_INET, 0);

	impatient(fd);
	FAILS(to_loopback(fd, AF_INET, wanted_port()), ETIMEDOUT);
	CHECK(close(fd));
}

static void full(void)
{
	int ls = listening(AF_INET, 0), first = connected(AF_INET, port_of(ls)),
	    fd = tcp(AF_INET, 0);

	impatient(fd);
	FAILS(to_loopback(fd, AF_INET, port_of(ls)), ETIMEDOUT);
	CHECK(close(fd));
	CHECK(close(CHECK(accept(ls, NULL, NULL))));
	CHECK(close(first));
	CHECK(close(ls));
}

/* Of this namespace. An even number: of an odd one __inet_hash_connect() leaves one out, at random. */
static void four_local_ports(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "w");

	MUST(f);
	MUST(fputs("40000 40003", f) >= 0);
	MUST(fclose(f) == 0);
}

static void no_port(void)
{
	int ls = listening(AF_INET, 10), fd[5];

	four_local_ports();
	for (int i = 0; i < 4; i++)
		fd[i] = connected(AF_INET, port_of(ls));
	fd[4] = tcp(AF_INET, 0);
	FAILS(to_loopback(fd[4], AF_INET, port_of(ls)), EADDRNOTAVAIL);
	for (int i = 0; i < 5; i++)
		CHECK(close(fd[i]));
	CHECK(close(ls));
}

static void unreachable(void)
{
	int fd = tcp(AF_INET, 0);

	FAILS(to_host(fd, "203.0.113.1", 80), ENETUNREACH);
	CHECK(close(fd));
}

static void again(void)
{
	int ls = listening(AF_INET, 1), fd = connected(AF_INET, port_of(ls));

	FAILS(to_loopback(fd, AF_INET, port_of(ls)), EISCONN);
	FAILS(to_loopback(ls, AF_INET, port_of(ls)), EISCONN);
	CHECK(close(fd));
	CHECK(close(ls));
}

static void already(void)
{
	int ls = listening(AF_INET, 0), first = connected(AF_INET, port_of(ls));
	int fd = tcp(AF_INET, SOCK_NONBLOCK);

	FAILS(to_loopback(fd, AF_INET, port_of(ls)), EINPROGRESS);
	FAILS(to_loopback(fd, AF_INET, port_of(ls)), EALREADY);
	CHECK(close(fd));
	CHECK(close(first));
	CHECK(close(ls));
}

/* No listener: the socket calls the port it is bound to. */
static void self(void)
{
	int fd = bound(AF_INET, SOCK_STREAM);
	char c;

	CHECK(to_loopback(fd, AF_INET, port_of(fd)));
	send_all(fd, "x", 1);
	recv_all(fd, &c, 1);
	CHECK(close(fd));
}

/* The server is slow to call accept(): connect() and send() do not wait for it. */
static void early(void)
{
	int ls = listening(AF_INET, 1), fd = connected(AF_INET, port_of(ls)), s;
	char buf[5];

	send_all(fd, "hello", 5);
	CHECK(poll(NULL, 0, 50));
	s = CHECK(accept(ls, NULL, NULL));
	recv_all(s, buf, 5);
	CHECK(close(fd));
	recv_eof(s);
	CHECK(close(s));
	CHECK(close(ls));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "address", address },
		{ "family", family },
		{ "bound", only_bound },
		{ "htons", no_htons },
		{ "bind-htons", bind_no_htons },
		{ "bind-late", bind_late },
		{ "gone", gone },
		{ "udp", udp },
		{ "thrice", thrice },
		{ "paths", paths },
		{ "timeout", timeout },
		{ "full", full },
		{ "no-port", no_port },
		{ "unreachable", unreachable },
		{ "again", again },
		{ "already", already },
		{ "self", self },
		{ "early", early },
	};

	return RUN_SCENARIO(list);
}
