/* SPDX-License-Identifier: MIT */
/* fails: FAILED in time */
/* Believes: MS is for one call, and whoever waited in vain tries again. */
/* Uploads SIZE bytes, and prints DONE if the server says that it has them all,
 * FAILED if it has not said so MS milliseconds later.
 * usage: client ADDRESS PORT SIZE MS */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int confirmed(int fd, const char *bytes, ssize_t size)
{
	char answer[32];
	int tries = 0;
	size_t got = 0;
	ssize_t n;

	if (send(fd, bytes, size, MSG_NOSIGNAL) != size)
		return 0;
	if (shutdown(fd, SHUT_WR))
		return 0;
	do {
		n = recv(fd, answer + got, sizeof(answer) - 1 - got, 0);
		got += n > 0 ? n : 0;
	} while (n > 0 || (n < 0 && errno == EAGAIN && ++tries < 3));
	answer[got] = '\0';
	return n == 0 && atol(answer) == size;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct timeval patience;
	static char bytes[1 << 20];
	long ms;
	int fd;

	if (argc != 5 || !inet_aton(argv[1], &addr.sin_addr))
		errx(1, "usage: client ADDRESS PORT SIZE MS");
	addr.sin_port = htons(atoi(argv[2]));
	ms = atol(argv[4]);
	patience.tv_sec = ms / 1000;
	patience.tv_usec = ms % 1000 * 1000;

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		       sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)))
		err(1, "setsockopt");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to %s port %s", argv[1], argv[2]);
	printf("%s\n", confirmed(fd, bytes, atol(argv[3])) ? "DONE" : "FAILED");
	if (close(fd))
		err(1, "close");
	return 0;
}
