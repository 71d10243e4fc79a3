/* SPDX-License-Identifier: MIT */
/* Reads a greeting. "first": closes at once; "last": when the server has:
 * cc client.c -o client && ./client [PORT [first|last]] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 65430, fd;
	const char *when = argc > 2 ? argv[2] : "last";
	struct sockaddr_in addr = { .sin_family = AF_INET };
	char buf[64];
	ssize_t n;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to 127.0.0.1 port %d", port);
	/* The greeting has 6 bytes. To be the last one to close we wait for
	 * the server's FIN behind them. */
	if ((n = recv(fd, buf, 6, MSG_WAITALL)) != 6)
		err(1, "recv");
	if (!strcmp(when, "last") && (n = recv(fd, buf, 1, 0)) < 0)
		err(1, "recv");
	if (close(fd))
		err(1, "close");
	return 0;
}
