/* SPDX-License-Identifier: MIT */
/* Connects, reads nothing until Enter is pressed, then reads everything:
 * cc client.c -o client && ./client [PORT] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, room = 32768, fd;
	struct sockaddr_in addr = { .sin_family = AF_INET };
	static char buf[65536];
	long total = 0;
	ssize_t n;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	/* A small receive queue: most bytes must wait at the server's. It has
	 * to be set before connect(), which announces it to the server. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)))
		err(1, "setsockopt SO_RCVBUF");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to 127.0.0.1 port %d", port);
	setlinebuf(stdout);
	printf("connected; Enter begins to read\n");
	getchar();

	/* Each call takes what is there, at least one byte, and makes room for
	 * more; 0 is the end: the server's FIN, behind its last byte. */
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		total += n;
	if (n < 0)
		warn("recv after %ld bytes", total);
	else
		printf("recv() returned 0 after %ld bytes\n", total);
	if (close(fd))
		err(1, "close");
	return 0;
}
