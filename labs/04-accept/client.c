/* SPDX-License-Identifier: MIT */
/* Connects, sends 50,000 bytes, closes, and is gone:
 * cc client.c -o client && ./client [PORT] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, fd;
	struct sockaddr_in addr = { .sin_family = AF_INET };
	static char bytes[50000];
	ssize_t n;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	/* Returns when the kernel of the server has answered. */
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to 127.0.0.1 port %d", port);
	printf("connect() returned 0\n");
	if ((n = send(fd, bytes, sizeof(bytes), 0)) < 0)
		err(1, "send");
	printf("send() returned %zd\n", n);
	if (close(fd))
		err(1, "close");
	printf("closed, and the process ends\n");
	return 0;
}
