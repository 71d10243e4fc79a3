/* SPDX-License-Identifier: MIT */
/* The server that your client talks to. Of PORTS ports from PORT on it listens
 * at those whose bit is set in ANSWERS. It tells each client where it is, and
 * waits for the client's end. Ends with its standard input.
 * usage: tester PORT PORTS ANSWERS */
#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS 16
#define ALL 256 /* standard input, listeners, and behind them the clients */

static int listen_at(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(fd, 64))
		err(1, "listen on port %d", port);
	return fd;
}

static int greet(int listener, int port)
{
	char text[64];
	int fd = accept(listener, NULL, NULL), len;

	if (fd < 0)
		err(1, "accept");
	len = snprintf(text, sizeof(text), "this is port %d", port);
	send(fd, text, len, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	return fd;
}

int main(int argc, char **argv)
{
	struct pollfd p[ALL] = { { .fd = STDIN_FILENO, .events = POLLIN } };
	int port, ports, answers, i, n = 1, clients = 0, over = 0;
	char buf[4096];

	if (argc != 4 || (ports = atoi(argv[2])) > PORTS)
		errx(1, "usage: tester PORT PORTS ANSWERS");
	port = atoi(argv[1]);
	answers = atoi(argv[3]);
	for (i = 0; i < ports; i++, n++)
		p[n].fd = answers & 1 << i ? listen_at(port + i) : -1;
	for (i = 0; i < ALL; i++)
		p[i].events = POLLIN;
	setlinebuf(stdout);
	printf("listening\n");
	while ((!over || clients) && n < ALL && poll(p, n, -1) > 0) {
		if (p[0].revents) {
			over = 1; /* the program has ended: no more clients */
			p[0].fd = -1;
		}
		for (i = 1; i <= ports; i++)
			if (p[i].fd >= 0 && p[i].revents) {
				p[n++].fd = greet(p[i].fd, port + i - 1);
				clients++;
			}
		for (i = 1 + ports; i < n; i++)
			if (p[i].fd >= 0 && p[i].revents &&
			    recv(p[i].fd, buf, sizeof(buf), 0) <= 0) {
				close(p[i].fd);
				p[i].fd = -1;
				clients--;
			}
	}
	return 0;
}
