/* SPDX-License-Identifier: MIT */
/* The client that your server talks to: uploads, and reads the answer after
 * that. It sends more than it announced, EXTRA bytes that come when the answer
 * is on its way already; if ENDLESS is 1 it never stops, a byte each 50 ms.
 * usage: tester PORT UPLOAD EXTRA ENDLESS */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char buf[1 << 20];

/* False: the server does not take it. */
static int upload(int fd, long bytes)
{
	ssize_t n = 0;

	for (; bytes > 0 && n >= 0; bytes -= n)
		n = send(fd, buf, bytes < 20000 ? bytes : 20000, MSG_NOSIGNAL);
	return n >= 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), n;
	char first;

	if (argc != 5)
		errx(1, "usage: tester PORT UPLOAD EXTRA ENDLESS");
	addr.sin_port = htons(atoi(argv[1]));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		warn("connect to 127.0.0.1 port %s", argv[1]);
		return 0; /* nobody listens: the evidence says so */
	}

	n = snprintf(buf, sizeof(buf), "PUT %s\n", argv[2]);
	if (send(fd, buf, n, MSG_NOSIGNAL) == n && upload(fd, atol(argv[2])) &&
	    recv(fd, &first, 1, MSG_PEEK) == 1)
		upload(fd, atol(argv[3]));
	while (argv[4][0] == '1' && upload(fd, 1))
		usleep(50000);
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	close(fd);
	return 0;
}
