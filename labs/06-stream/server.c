/* SPDX-License-Identifier: MIT */
/* Reads from one client, with a buffer of SIZE bytes, when Enter is pressed:
 * cc server.c -o server && ./server [PORT [SIZE]] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, on = 1, listener, conn;
	size_t size = argc > 2 ? atoi(argv[2]) : 100;
	struct sockaddr_in addr = { .sin_family = AF_INET };
	static char buf[1000000];
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
	printf("accepted; Enter begins to read\n");
	getchar();

	/* Each call returns what is there: at least one byte, at most SIZE.
	 * How the bytes were sent is not known here any more. */
	while ((n = recv(conn, buf, size < sizeof(buf) ? size : sizeof(buf),
			 0)) > 0)
		printf("recv() returned %zd\n", n);
	if (n < 0)
		err(1, "recv");
	printf("recv() returned 0\n");
	if (close(conn) || close(listener))
		err(1, "close");
	return 0;
}
