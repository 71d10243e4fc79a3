/* SPDX-License-Identifier: MIT */
/* Reads what one client sends, to its end:
 * cc server.c -o server && ./server [PORT [ADDRESS]] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, on = 1, listener, conn;
	const char *at = argc > 2 ? argv[2] : "127.0.0.1";
	struct sockaddr_in addr = { .sin_family = AF_INET };
	static char buf[200000];
	long total = 0;
	ssize_t n;

	addr.sin_port = htons(port);
	if (!inet_aton(at, &addr.sin_addr))
		errx(1, "usage: server [PORT [ADDRESS]]");

	if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "setsockopt SO_REUSEADDR");
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to %s port %d", at, port);
	if (listen(listener, 1))
		err(1, "listen");
	setlinebuf(stdout); /* a pipe would hold the lines back */
	printf("listening on %s port %d\n", at, port);
	if ((conn = accept(listener, NULL, NULL)) < 0)
		err(1, "accept");
	printf("accepted\n");

	/* Each call takes what has arrived. MSG_WAITALL waits until the buffer
	 * is full, or the end has come: fewer calls to look at. */
	while ((n = recv(conn, buf, sizeof(buf), MSG_WAITALL)) > 0)
		total += n;
	if (n < 0)
		warn("recv after %ld bytes", total);
	printf("read %ld bytes to their end\n", total);
	if (close(conn) || close(listener))
		err(1, "close");
	return 0;
}
