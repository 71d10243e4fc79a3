/* SPDX-License-Identifier: MIT */
/* Connects, waits for Enter, sends BYTES with one call, closes, and is gone:
 * cc client.c -o client && ./client [PORT [BYTES [ADDRESS]]] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, fd;
	size_t size = argc > 2 ? atol(argv[2]) : 1000000;
	const char *to = argc > 3 ? argv[3] : "127.0.0.1";
	struct sockaddr_in addr = { .sin_family = AF_INET };
	static char bytes[1000000];
	ssize_t n;

	addr.sin_port = htons(port);
	if (size > sizeof(bytes) || !inet_aton(to, &addr.sin_addr))
		errx(1, "usage: client [PORT [BYTES [ADDRESS]]]");

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to %s port %d", to, port);

	setlinebuf(stdout); /* a pipe would hold the lines back */
	printf("connected; Enter sends\n");
	getchar();

	/* Copies the bytes into the send queue of our own kernel. When they
	 * are all in there it returns, wherever they are going. */
	if ((n = send(fd, bytes, size, 0)) < 0)
		err(1, "send");
	printf("send() returned %zd\n", n);

	if (close(fd))
		err(1, "close");
	return 0;
}
