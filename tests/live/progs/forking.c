/* SPDX-License-Identifier: MIT */
/* A server that forks a child for each of three clients; the child answers, then exits without close(). */
#include "live.h"

#define CLIENTS 3

static void answer(void *arg)
{
	int fd = *(int *)arg;
	char buf[4];

	recv_all(fd, buf, 4);
	send_all(fd, "pong!", 5);
	recv_eof(fd);
}

static void serve(void *arg)
{
	pid_t child[CLIENTS];
	int ls = listening(AF_INET, CLIENTS);

	gate_open(arg, port_of(ls));
	for (int i = 0; i < CLIENTS; i++) {
		int fd = CHECK(accept(ls, NULL, NULL));

		child[i] = spawn(answer, &fd);
		CHECK(close(fd));
	}
	for (int i = 0; i < CLIENTS; i++)
		reap(child[i]);
	CHECK(close(ls));
}

int main(void)
{
	struct gate port = gate_new();
	char buf[5];
	pid_t server;
	int at;

	alarm(LIVE_SECONDS);
	server = spawn(serve, &port);
	at = gate_wait(&port);
	for (int i = 0; i < CLIENTS; i++) {
		int fd = connected(AF_INET, at);

		send_all(fd, "ping", 4);
		recv_all(fd, buf, 5);
		CHECK(close(fd));
	}
	reap(server);
	return 0;
}
