/* SPDX-License-Identifier: MIT */
/* One conversation as a client:
 * cc client.c -o client && ./client [PORT [HOST]] */
#include <err.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char hello[] = "Hello, Server!";
	const char *port = argc > 1 ? argv[1] : "65430";
	const char *host = argc > 2 ? argv[2] : "localhost";
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *a;
	int code, fd = -1;
	char buf[1024];
	ssize_t n;

	/* Turns a name into a list of addresses. It connects to none. */
	if ((code = getaddrinfo(host, port, &hints, &list)))
		errx(1, "getaddrinfo %s: %s", host, gai_strerror(code));

	/* "localhost" may be ::1 as well as 127.0.0.1, and the server may be
	 * at one of them only: try each, with a new socket each time. */
	for (a = list; a; a = a->ai_next) {
		/* A descriptor of that family: not connected to anything. */
		fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
		if (fd < 0)
			err(1, "socket");
		/* Sends a SYN, waits for the answer. Success comes from the
		 * server's kernel; the server may not have accepted yet. */
		if (!connect(fd, a->ai_addr, a->ai_addrlen))
			break;
		warn("connect to %s by IPv%d", host,
		     a->ai_family == AF_INET ? 4 : 6);
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	if (fd < 0)
		errx(1, "nobody listens at %s port %s", host, port);

	/* Copies into the kernel's send queue and returns; the kernel sends.
	 * A blocking send() takes all bytes or fails. */
	if (send(fd, hello, strlen(hello), 0) != (ssize_t)strlen(hello))
		err(1, "send");
	/* Waits for the first byte; 0 would be the server's FIN. */
	if ((n = recv(fd, buf, sizeof(buf), 0)) < 0)
		err(1, "recv");
	if (n == 0)
		errx(1, "the server closed without an answer");
	printf("received: %.*s\n", (int)n, buf);
	/* Everything sent has been answered, so our FIN can go out. */
	if (close(fd))
		err(1, "close");
	return 0;
}
