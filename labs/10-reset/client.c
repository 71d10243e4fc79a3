/* SPDX-License-Identifier: MIT */
/* Connects, reads nothing until Enter is pressed, then reads what comes:
 * cc client.c -o client && ./client PORT unread|late|linger */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, room = 32768, fd;
	struct sockaddr_in addr = { .sin_family = AF_INET };
	const char *how = argc > 2 ? argv[2] : "unread";
	static char buf[65536];
	long total = 0;
	ssize_t n;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	/* A small receive queue: most bytes must wait at the server's. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)))
		err(1, "setsockopt SO_RCVBUF");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to 127.0.0.1 port %d", port);
	/* unread: 4 bytes that the server will never read. */
	if (!strcmp(how, "unread") && send(fd, "more", 4, 0) != 4)
		err(1, "send");
	setlinebuf(stdout);
	printf("connected; Enter goes on\n");
	getchar();

	/* late: 4 bytes for a server that is gone. send() does not know. */
	if (!strcmp(how, "late") && send(fd, "more", 4, 0) != 4)
		err(1, "send");
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
