/* SPDX-License-Identifier: MIT */
/* Calls that fail with EPIPE or ECONNRESET, and the signal that comes with EPIPE. */
#include <netinet/tcp.h>
#include <signal.h>

#include "live.h"

static void own_shutdown(void)
{
	int s[2];

	tcp_pair(s);
	CHECK(shutdown(s[0], SHUT_WR));
	FAILS(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* A socket that stays in FIN_WAIT2 longer than TIME_WAIT lasts answers data by itself. */
static void stay(int fd)
{
	int seconds = 100;

	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds)));
}

/* The peer leaves; the first send works, the second fails, the third says nothing new. */
static void left(void)
{
	int s[2];

	tcp_pair(s);
	stay(s[0]);
	CHECK(close(s[0]));
	send_all(s[1], "first", 5);
	FAILS(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	FAILS(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[1]));
}

/* The peer neither sends nor reads any more, but has its socket. */
static void shut(void)
{
	int s[2];

	tcp_pair(s);
	CHECK(shutdown(s[0], SHUT_RDWR));
	send_all(s[1], "first", 5);
	FAILS(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[1]));
	CHECK(close(s[0]));
}

static void write_twice(void *arg)
{
	int fd = *(int *)arg;

	send_all(fd, "first", 5);
	send(fd, "second", 6, 0);
	exit(1); /* it does not come to this */
}

static void killed(void)
{
	int s[2], status;
	pid_t child;

	tcp_pair(s);
	stay(s[0]);
	CHECK(shutdown(s[0], SHUT_WR));
	CHECK(close(s[0]));
	child = spawn(write_twice, &s[1]);
	CHECK(close(s[1]));
	CHECK(waitpid(child, &status, 0));
	MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

static void fresh(void)
{
	int fd = CHECK(socket(AF_INET, SOCK_STREAM, 0));

	FAILS(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(fd));
}

static void on_listener(void)
{
	int ls = listening(AF_INET, 1);

	FAILS(send(ls, "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(ls));
}

static void refused(void)
{
	struct sockaddr_storage at;
	int gone = listening(AF_INET, 1), fd = CHECK(socket(AF_INET, SOCK_STREAM, 0));
	socklen_t len = loopback(AF_INET, port_of(gone), &at);

	CHECK(close(gone));
	FAILS(connect(fd, (struct sockaddr *)&at, len), ECONNREFUSED);
	FAILS(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(fd));
}

/* M47: what came before the RST is read first. */
static void queued(void)
{
	char buf[2000] = "";
	int s[2];

	tcp_pair(s);
	send_all(s[0], buf, sizeof(buf));
	send_all(s[1], "1234", 4);
	wait_queued(s[0], 4);
	wait_queued(s[1], sizeof(buf));
	CHECK(close(s[0]));
	recv_all(s[1], buf, sizeof(buf));
	FAILS(recv(s[1], buf, sizeof(buf), 0), ECONNRESET);
	CHECK(close(s[1]));
}

/* The same, and the reset meets a sender. */
static void sending(void)
{
	int s[2];

	tcp_pair(s);
	send_all(s[1], "1234", 4);
	wait_queued(s[0], 4);
	CHECK(close(s[0]));
	FAILS(send(s[1], "x", 1, MSG_NOSIGNAL), ECONNRESET);
	FAILS(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[1]));
}

/* The listener goes while a connection waits for accept(). */
static void not_accepted(void)
{
	int ls = listening(AF_INET, 1), fd = connected(AF_INET, port_of(ls));
	char c;

	CHECK(close(ls));
	FAILS(recv(fd, &c, 1, 0), ECONNRESET);
	CHECK(close(fd));
}

/* All that led to it is over when the test lets it go on. */
static void before(void)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	int s[2];
	char c;

	tcp_pair(s);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	CHECK(close(s[0]));
	FAILS(recv(s[1], &c, 1, 0), ECONNRESET);
	puts("over");
	fflush(stdout);
	hold();
	FAILS(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[1]));
}

static void unix_left(void)
{
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK(close(s[0]));
	FAILS(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[1]));
}

static void unix_deaf(void)
{
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK(shutdown(s[0], SHUT_RD));
	FAILS(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

static void unix_unread(void)
{
	char c;
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	send_all(s[1], "1234", 4);
	CHECK(close(s[0]));
	FAILS(recv(s[1], &c, 1, 0), ECONNRESET);
	CHECK(close(s[1]));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "own", own_shutdown },    { "left", left },
		{ "shut", shut },	    { "killed", killed },
		{ "fresh", fresh },	    { "listener", on_listener },
		{ "refused", refused },	    { "queued", queued },
		{ "sending", sending },	    { "not-accepted", not_accepted },
		{ "before", before },	    { "unix-left", unix_left },
		{ "unix-deaf", unix_deaf }, { "unix-unread", unix_unread },
	};

	return RUN_SCENARIO(list);
}
