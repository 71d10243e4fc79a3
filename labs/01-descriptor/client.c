/* SPDX-License-Identifier: MIT */
/* One socket with two numbers, and one number for two sockets:
 * cc client.c -o client && ./client [PORT] */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, first, second, other;
	struct sockaddr_in addr = { .sin_family = AF_INET };

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	/* The number is not the socket: it is an index into a table that the
	 * kernel keeps for this process. The entry leads to the socket. */
	if ((first = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	setlinebuf(stdout); /* a pipe would hold the lines back */
	printf("socket() returned %d\n", first);
	if (connect(first, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to 127.0.0.1 port %d", port);
	printf("connected; Enter goes on\n");
	getchar();

	/* A second entry, which leads to the same socket. */
	if ((second = dup(first)) < 0)
		err(1, "dup");
	printf("dup(%d) returned %d\n", first, second);

	if (close(first))
		err(1, "close");
	printf("close(%d) returned 0\n", first);
	if (close(first) == 0)
		errx(1, "close(%d) a second time was no error", first);
	printf("close(%d) again returned -1: %s\n", first, strerror(errno));

	if (send(second, "still here", 10, 0) != 10)
		err(1, "send");
	printf("send(%d, 10 bytes) returned 10\n", second);
	if (close(second))
		err(1, "close");
	printf("close(%d) returned 0\n", second);

	/* The lowest number that is free. */
	if ((other = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	printf("another socket() returned %d\n", other);
	if (close(other))
		err(1, "close");
	return 0;
}
