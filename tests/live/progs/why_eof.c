/* SPDX-License-Identifier: MIT */
/* Receive calls that return 0, for every reason there is. */
#include "live.h"

static void own_shutdown(void)
{
	char c;
	int s[2];

	tcp_pair(s);
	CHECK(shutdown(s[1], SHUT_RD));
	MUST(recv(s[1], &c, 1, 0) == 0);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

static void after_reset(void)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	char c;
	int s[2];

	tcp_pair(s);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	CHECK(close(s[0]));
	FAILS(recv(s[1], &c, 1, 0), ECONNRESET);
	MUST(recv(s[1], &c, 1, 0) == 0);
	MUST(recv(s[1], &c, 1, 0) == 0);
	CHECK(close(s[1]));
}

static void empty_datagram(void)
{
	int to = bound(AF_INET, SOCK_DGRAM), from = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
	char buf[8];

	connect_to(from, AF_INET, port_of(to));
	MUST(send(from, "four", 4, 0) == 4);
	MUST(send(from, "", 0, 0) == 0);
	MUST(recv(to, buf, sizeof(buf), 0) == 4);
	MUST(recv(to, buf, sizeof(buf), 0) == 0);
	CHECK(close(from));
	CHECK(close(to));
}

static void empty_request(void)
{
	char c;
	int s[2];

	tcp_pair(s);
	send_all(s[0], "data", 4);
	wait_queued(s[1], 4);
	MUST(read(s[1], &c, 0) == 0);
	recv_all(s[1], (char[4]){ 0 }, 4);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* A look at the end of file, and then the end of file itself. */
static void peek(void)
{
	char buf[8];
	int s[2];

	tcp_pair(s);
	send_all(s[0], "seen", 4);
	CHECK(close(s[0]));
	recv_all(s[1], buf, 4);
	MUST(recv(s[1], buf, sizeof(buf), MSG_PEEK) == 0);
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

static void unix_close(void)
{
	char buf[3];
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	send_all(s[0], "abc", 3);
	CHECK(close(s[0]));
	recv_all(s[1], buf, 3);
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

static void unix_own_shutdown(void)
{
	char c;
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK(shutdown(s[1], SHUT_RD));
	MUST(recv(s[1], &c, 1, 0) == 0);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

struct sender {
	int s[2];
	struct gate alone;
};

static void send_and_exit(void *arg)
{
	struct sender *e = arg;

	gate_wait(&e->alone);
	send_all(e->s[0], "bye", 3);
	_exit(0);
}

/* The child is the only one that has the socket when it exits without close(). */
static void by_exit(void)
{
	struct sender e = { .alone = gate_new() };
	char buf[3];
	pid_t child;

	tcp_pair(e.s);
	child = spawn(send_and_exit, &e);
	CHECK(close(e.s[0]));
	gate_open(&e.alone, 1);
	recv_all(e.s[1], buf, 3);
	recv_eof(e.s[1]);
	CHECK(close(e.s[1]));
	reap(child);
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "own", own_shutdown },
		{ "reset", after_reset },
		{ "datagram", empty_datagram },
		{ "request", empty_request },
		{ "peek", peek },
		{ "unix", unix_close },
		{ "unix-own", unix_own_shutdown },
		{ "exit", by_exit },
	};

	return RUN_SCENARIO(list);
}
