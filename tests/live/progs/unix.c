/* SPDX-License-Identifier: MIT */
/* AF_UNIX: a named stream, an abstract one, datagrams, a pair, a descriptor passed to a stranger. */
#include <stddef.h>
#include <sys/un.h>

#include "live.h"

static socklen_t name(struct sockaddr_un *at, const char *path, size_t len)
{
	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(at->sun_path, path, len);
	return offsetof(struct sockaddr_un, sun_path) + len;
}

/* Where the test wants the socket file. */
static const char *wanted_path(void)
{
	const char *path = getenv("LIVE_PATH");

	MUST(path);
	return path;
}

struct side {
	struct gate ready;
	struct sockaddr_un at;
	socklen_t len;
};

static void serve(void *arg)
{
	struct side *s = arg;
	char buf[16];
	int fd, ls = CHECK(socket(AF_UNIX, SOCK_STREAM, 0));

	CHECK(bind(ls, (struct sockaddr *)&s->at, s->len));
	CHECK(listen(ls, 4));
	gate_open(&s->ready, 1);
	fd = CHECK(accept(ls, NULL, NULL));
	recv_all(fd, buf, 5);
	send_all(fd, "seven b", 7);
	recv_eof(fd);
	CHECK(close(fd));
	CHECK(close(ls));
}

static void stream_at(const char *path, size_t len)
{
	struct side s = { .ready = gate_new() };
	char buf[16];
	pid_t child;
	int fd;

	s.len = name(&s.at, path, len);
	child = spawn(serve, &s);
	gate_wait(&s.ready);
	fd = CHECK(socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK(connect(fd, (struct sockaddr *)&s.at, s.len));
	send_all(fd, "five.", 5);
	recv_all(fd, buf, 7);
	CHECK(close(fd));
	reap(child);
}

static void stream(void)
{
	stream_at(wanted_path(), strlen(wanted_path()) + 1);
	CHECK(unlink(wanted_path()));
}

static void abstract(void)
{
	static const char at[] = "\0live-abstract";

	stream_at(at, sizeof(at) - 1);
}

static void dgram(void)
{
	struct sockaddr_un at;
	socklen_t len = name(&at, wanted_path(), strlen(wanted_path()) + 1);
	int to = CHECK(socket(AF_UNIX, SOCK_DGRAM, 0)),
	    from = CHECK(socket(AF_UNIX, SOCK_DGRAM, 0));
	char buf[16];

	CHECK(bind(to, (struct sockaddr *)&at, len));
	MUST(sendto(from, "12345", 5, 0, (struct sockaddr *)&at, len) == 5);
	MUST(sendto(from, "123", 3, 0, (struct sockaddr *)&at, len) == 3);
	MUST(recv(to, buf, sizeof(buf), 0) == 5);
	MUST(recv(to, buf, sizeof(buf), 0) == 3);
	CHECK(close(from));
	CHECK(close(to));
	CHECK(unlink(wanted_path()));
}

/* Two sockets with names, each connected to the other's. */
static void dgram_connected(void)
{
	static const char names[2][11] = { "\0live-left", "\0live-rght" };
	struct sockaddr_un at[2];
	char buf[16];
	int s[2];

	for (int i = 0; i < 2; i++) {
		s[i] = CHECK(socket(AF_UNIX, SOCK_DGRAM, 0));
		CHECK(bind(s[i], (struct sockaddr *)&at[i], name(&at[i], names[i], 10)));
	}
	for (int i = 0; i < 2; i++)
		CHECK(connect(s[i], (struct sockaddr *)&at[!i], name(&at[!i], names[!i], 10)));
	send_all(s[0], "12345", 5);
	recv_all(s[1], buf, 5);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

static void pair(void)
{
	char buf[16];
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	send_all(s[0], "123456", 6);
	recv_all(s[1], buf, 6);
	CHECK(shutdown(s[0], SHUT_WR));
	recv_eof(s[1]);
	send_all(s[1], "12", 2);
	recv_all(s[0], buf, 2);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

static void heir(void *arg)
{
	int via = *(int *)arg, fd = rights(via, -1);

	send_all(fd, "from the heir", 13);
	CHECK(close(fd));
	CHECK(close(via));
}

/* The heir sends on a TCP socket it never opened; the FIN waits for the last of both descriptors. */
static void pass(void)
{
	char buf[16];
	int via[2], s[2];
	pid_t child;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, via));
	child = spawn(heir, &via[1]);
	tcp_pair(s);
	rights(via[0], s[0]);
	CHECK(close(s[0]));
	recv_all(s[1], buf, 13);
	reap(child);
	recv_eof(s[1]);
	CHECK(close(s[1]));
	CHECK(close(via[0]));
	CHECK(close(via[1]));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "stream", stream }, { "abstract", abstract },
		{ "dgram", dgram },   { "pair", pair },
		{ "pass", pass },     { "dgram-connected", dgram_connected },
	};

	return RUN_SCENARIO(list);
}
