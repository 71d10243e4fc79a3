/* SPDX-License-Identifier: MIT */
/* Listens, is busy until Enter is pressed, and then greets CLIENTS clients:
 * cc server.c -o server && ./server [PORT [BACKLOG [CLIENTS]]] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, on = 1, listener, conn;
	int backlog = argc > 2 ? atoi(argv[2]) : 1;
	int clients = argc > 3 ? atoi(argv[3]) : 5;
	struct sockaddr_in addr = { .sin_family = AF_INET };

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "setsockopt SO_REUSEADDR");
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to 127.0.0.1 port %d", port);
	/* How many finished connections may wait for accept(). The kernel
	 * takes net.core.somaxconn if that is less, and lets one more wait. */
	if (listen(listener, backlog))
		err(1, "listen");
	setlinebuf(stdout); /* a pipe would hold the lines back */
	printf("listening on 127.0.0.1 port %d; Enter accepts\n", port);
	getchar();

	for (; clients > 0; clients--) {
		/* Takes the first one out of the queue, and waits if there
		 * is none. A place becomes free. */
		if ((conn = accept(listener, NULL, NULL)) < 0)
			err(1, "accept");
		if (send(conn, "hello\n", 6, 0) != 6)
			err(1, "send");
		if (close(conn))
			err(1, "close");
	}
	if (close(listener))
		err(1, "close");
	return 0;
}
