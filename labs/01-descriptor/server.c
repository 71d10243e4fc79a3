/* SPDX-License-Identifier: MIT */
/* Reads what one client says, until that client has nothing more to say:
 * cc server.c -o server && ./server [PORT] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int port = argc > 1 ? atoi(argv[1]) : 65430, on = 1, listener, conn;
	char buf[100];
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
	printf("accepted\n");

	/* 0: the client's end of the conversation is over. */
	while ((n = recv(conn, buf, sizeof(buf), 0)) > 0)
		printf("recv() returned %zd: \"%.*s\"\n", n, (int)n, buf);
	if (n < 0)
		err(1, "recv");
	printf("recv() returned 0\n");
	if (close(conn) || close(listener))
		err(1, "close");
	return 0;
}
