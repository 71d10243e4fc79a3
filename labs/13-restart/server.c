/* SPDX-License-Identifier: MIT */
/* Greets one client, and ends. "first": it closes at once; "last": when the
 * client has. "reuse": sets SO_REUSEADDR; "plain": does not.
 * cc server.c -o server && ./server [PORT [first|last [plain|reuse]]] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, on = 1, listener, conn;
	const char *when = argc > 2 ? argv[2] : "first";
	const char *how = argc > 3 ? argv[3] : "plain";
	struct sockaddr_in addr = { .sin_family = AF_INET };
	char byte;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	/* Has a meaning for bind(), and so stands before it. What accept()
	 * returns later inherits it. */
	if (!strcmp(how, "reuse") &&
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "setsockopt SO_REUSEADDR");
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to 127.0.0.1 port %d", port);
	if (listen(listener, 1))
		err(1, "listen");
	setlinebuf(stdout); /* a pipe would hold the lines back */
	printf("listening on 127.0.0.1 port %d\n", port);

	if ((conn = accept(listener, NULL, NULL)) < 0)
		err(1, "accept");
	if (send(conn, "hello\n", 6, 0) != 6)
		err(1, "send");
	/* The one whose FIN goes first keeps the connection in TIME_WAIT. */
	if (!strcmp(when, "last") && recv(conn, &byte, 1, 0) < 0)
		err(1, "recv");
	if (close(conn) || close(listener))
		err(1, "close");
	return 0;
}
