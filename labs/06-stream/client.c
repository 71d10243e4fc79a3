/* SPDX-License-Identifier: MIT */
/* Sends BYTES bytes, TIMES times, then closes:
 * cc client.c -o client && ./client [PORT [TIMES BYTES]] */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, on = 1, fd, i;
	int times = argc > 3 ? atoi(argv[2]) : 3;
	size_t bytes = argc > 3 ? atoi(argv[3]) : 3;
	struct sockaddr_in addr = { .sin_family = AF_INET };
	static char buf[1000000];
	ssize_t n;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bytes > sizeof(buf))
		errx(1, "at most %zu bytes a time", sizeof(buf));

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	/* Each send() shall leave at once, in a segment of its own. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		err(1, "setsockopt TCP_NODELAY");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to 127.0.0.1 port %d", port);
	for (i = 0; i < times; i++) {
		if ((n = send(fd, buf, bytes, 0)) < 0)
			err(1, "send");
		printf("send() returned %zd\n", n);
	}
	if (close(fd))
		err(1, "close");
	return 0;
}
