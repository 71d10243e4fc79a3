/* SPDX-License-Identifier: MIT */
/* fails: it ends by itself */
/* Believes: only recv() can wait for a server that does nothing. */
/* Uploads SIZE bytes, and prints DONE if the server says that it has them all,
 * FAILED if it has not said so MS milliseconds later.
 * usage: client ADDRESS PORT SIZE MS */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct timeval patience;
	static char bytes[1 << 20];
	ssize_t size, n;
	long ms;
	int fd;

	if (argc != 5 || !inet_aton(argv[1], &addr.sin_addr))
		errx(1, "usage: client ADDRESS PORT SIZE MS");
	addr.sin_port = htons(atoi(argv[2]));
	size = atol(argv[3]); /* at most 1 MiB */
	ms = atol(argv[4]);

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to %s port %s", argv[1], argv[2]);

	patience.tv_sec = ms / 1000;
	patience.tv_usec = ms % 1000 * 1000;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)))
		err(1, "setsockopt SO_RCVTIMEO");
	n = send(fd, bytes, size, MSG_NOSIGNAL);
	if (n == size && !shutdown(fd, SHUT_WR))
		n = recv(fd, bytes, sizeof(bytes) - 1, 0);
	else
		n = 0;
	bytes[n > 0 ? n : 0] = '\0';
	printf("%s\n", atol(bytes) == size ? "DONE" : "FAILED");
	if (close(fd))
		err(1, "close");
	return 0;
}
