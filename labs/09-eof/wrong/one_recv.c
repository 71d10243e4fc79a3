/* SPDX-License-Identifier: MIT */
/* fails: the client sees the end of the reply */
/* Believes: one reply is one recv(). */
/* Sends a request of SIZE bytes, then reads the reply to its end.
 * usage: client PORT SIZE */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	static char request[1 << 20], buf[65536];
	ssize_t size, n;
	long total = 0;
	int fd;

	if (argc != 3)
		errx(1, "usage: client PORT SIZE");
	addr.sin_port = htons(atoi(argv[1]));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	size = atol(argv[2]); /* at most 1 MiB */

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to 127.0.0.1 port %s", argv[1]);
	if (send(fd, request, size, 0) != size)
		err(1, "send");

	if (shutdown(fd, SHUT_WR))
		err(1, "shutdown");
	if ((n = recv(fd, buf, sizeof(buf), 0)) < 0)
		err(1, "recv");
	total += n;

	printf("reply: %ld bytes\n", total);
	if (close(fd))
		err(1, "close");
	return 0;
}
