/* SPDX-License-Identifier: MIT */
/* Connects, and reads to the end what the server has to say:
 * cc client.c -o client && ./client [PORT] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, fd;
	struct sockaddr_in addr = { .sin_family = AF_INET };
	long total = 0, began;
	char buf[64];
	ssize_t n;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	/* Returns when the server's kernel has answered. It answers as long as
	 * there is a place in the listener's queue; the program has no part
	 * in it. */
	began = now_ms();
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to 127.0.0.1 port %d", port);
	printf("connect() took %ld ms\n", now_ms() - began);

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		total += n;
	if (n < 0)
		err(1, "recv");
	printf("the server said %ld bytes\n", total);
	if (close(fd))
		err(1, "close");
	return 0;
}
