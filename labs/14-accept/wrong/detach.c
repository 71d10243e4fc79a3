/* SPDX-License-Identifier: MIT */
/* fails: it ends after the last answer */
/* Believes: the children do the rest, and nobody needs me any more. */
/* Answers CLIENTS clients, after MS milliseconds of work for each.
 * usage: server PORT BACKLOG CLIENTS MS */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Stands for what takes its time: a disk, a database, another server. */
static void work(int ms)
{
	usleep(ms * 1000);
}

static void serve(int conn, int ms)
{
	work(ms);
	if (send(conn, "done\n", 5, MSG_NOSIGNAL) != 5)
		warn("send");
	if (close(conn))
		err(1, "close");
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int listener, on = 1, conn, clients, ms;

	if (argc != 5)
		errx(1, "usage: server PORT BACKLOG CLIENTS MS");
	addr.sin_port = htons(atoi(argv[1]));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	clients = atoi(argv[3]);
	ms = atoi(argv[4]);

	if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "setsockopt SO_REUSEADDR");
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to 127.0.0.1 port %s", argv[1]);
	if (listen(listener, atoi(argv[2])))
		err(1, "listen");

	for (; clients > 0; clients--) {
		if ((conn = accept(listener, NULL, NULL)) < 0)
			err(1, "accept");
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			serve(conn, ms);
			_exit(0);
		}
		if (close(conn))
			err(1, "close");
	}

	if (close(listener))
		err(1, "close");
	return 0;
}
