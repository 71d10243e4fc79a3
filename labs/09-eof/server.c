/* SPDX-License-Identifier: MIT */
/* Sends 400,000 bytes to one client, closes, and is gone:
 * cc server.c -o server && ./server [PORT] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BYTES 400000

int main(int argc, char **argv)
{
	static char bytes[BYTES];
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int port = argc > 1 ? atoi(argv[1]) : 65430, on = 1, listener, conn;
	ssize_t n;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "setsockopt SO_REUSEADDR");
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to 127.0.0.1 port %d", port);
	if (listen(listener, 1))
		err(1, "listen");
	setlinebuf(stdout); /* a pipe would hold the lines back */
	printf("listening on 127.0.0.1 port %d\n", port);
	if ((conn = accept(listener, NULL, NULL)) < 0)
		err(1, "accept");

	/* The client reads nothing yet. There is room in our own kernel: the
	 * call returns when all bytes are copied there. */
	if ((n = send(conn, bytes, sizeof(bytes), 0)) < 0)
		err(1, "send");
	printf("send() returned %zd\n", n);
	/* Most of them are still in our send queue. */
	if (close(conn) || close(listener))
		err(1, "close");
	printf("closed, and the process ends\n");
	return 0;
}
