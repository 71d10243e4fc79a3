/* SPDX-License-Identifier: MIT */
/* fails: DONE only when the server's program has the bytes */
/* Believes: with SO_LINGER close() waits for the server. */
/* Uploads SIZE bytes, and prints DONE if the server says that it has them all,
 * FAILED if it has not said so MS milliseconds later.
 * usage: client ADDRESS PORT SIZE MS */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct linger wait = { .l_onoff = 1 };
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

	n = send(fd, bytes, size, MSG_NOSIGNAL);
	wait.l_linger = (ms + 999) / 1000;
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait)))
		err(1, "setsockopt SO_LINGER");
	printf("%s\n", close(fd) == 0 && n == size ? "DONE" : "FAILED");
	return 0;
}
