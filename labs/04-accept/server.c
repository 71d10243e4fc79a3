/* SPDX-License-Identifier: MIT */
/* Listens, and calls accept() only when Enter is pressed:
 * cc server.c -o server && ./server [PORT] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, on = 1, listener, conn;
	struct sockaddr_in addr = { .sin_family = AF_INET };
	static char buf[65536];
	long total = 0;
	ssize_t n;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "setsockopt SO_REUSEADDR");
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to 127.0.0.1 port %d", port);
	/* From here on the kernel answers, whatever this program does. */
	if (listen(listener, 5))
		err(1, "listen");
	setlinebuf(stdout); /* a pipe would hold the lines back */
	printf("listening on 127.0.0.1 port %d; Enter accepts\n", port);
	getchar();

	/* Takes the first connection from the queue, in whatever state it is
	 * by now; waits only if the queue is empty. */
	if ((conn = accept(listener, NULL, NULL)) < 0)
		err(1, "accept");
	printf("accept() returned %d\n", conn);
	while ((n = recv(conn, buf, sizeof(buf), 0)) > 0)
		total += n;
	if (n < 0)
		warn("recv after %ld bytes", total);
	else
		printf("recv() returned 0 after %ld bytes\n", total);
	if (close(conn) || close(listener))
		err(1, "close");
	return 0;
}
