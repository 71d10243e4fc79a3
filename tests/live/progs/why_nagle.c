/* SPDX-License-Identifier: MIT */
/* Requests written in two small pieces, each answered: with Nagle's algorithm and without. */
#include <netinet/tcp.h>

#include "live.h"

#define ROUNDS 6
#define PIECE 4

static void echo_server(void *arg)
{
	int fd, ls = listening(AF_INET, 1);
	char buf[2 * PIECE];

	gate_open(arg, port_of(ls));
	fd = CHECK(accept(ls, NULL, NULL));
	for (int i = 0; i < ROUNDS; i++) {
		recv_all(fd, buf, sizeof(buf));
		send_all(fd, buf, sizeof(buf));
	}
	recv_eof(fd);
	CHECK(close(fd));
	CHECK(close(ls));
}

static void rounds(int option, int flags)
{
	struct gate port = gate_new();
	pid_t child = spawn(echo_server, &port);
	int on = 1, off = 0, fd = connected(AF_INET, gate_wait(&port));
	char buf[2 * PIECE];

	if (option == TCP_NODELAY)
		CHECK(setsockopt(fd, IPPROTO_TCP, option, &on, sizeof(on)));
	for (int i = 0; i < ROUNDS; i++) {
		if (option == TCP_CORK)
			CHECK(setsockopt(fd, IPPROTO_TCP, option, &on, sizeof(on)));
		MUST(send(fd, "head", PIECE, MSG_NOSIGNAL | flags) == PIECE);
		send_all(fd, "body", PIECE);
		if (option == TCP_CORK)
			CHECK(setsockopt(fd, IPPROTO_TCP, option, &off, sizeof(off)));
		recv_all(fd, buf, sizeof(buf));
	}
	CHECK(close(fd));
	reap(child);
}

static void plain(void)
{
	rounds(0, 0);
}

static void nodelay(void)
{
	rounds(TCP_NODELAY, 0);
}

static void cork(void)
{
	rounds(TCP_CORK, 0);
}

static void more(void)
{
	rounds(0, MSG_MORE);
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "plain", plain },
		{ "nodelay", nodelay },
		{ "cork", cork },
		{ "more", more },
	};

	return RUN_SCENARIO(list);
}
