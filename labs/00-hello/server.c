/* SPDX-License-Identifier: MIT */
/* One conversation as a server: cc server.c -o server && ./server [PORT] */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char reply[] = "Hello, Client!";
	int port = argc > 1 ? atoi(argv[1]) : 65430, on = 1, listener, conn;
	struct sockaddr_in addr = { .sin_family = AF_INET };
	char buf[1024];
	ssize_t n;

	if (port < 1 || port > 65535)
		errx(1, "a port is a number from 1 to 65535, not %s", argv[1]);
	addr.sin_port = htons(port); /* addresses are in network byte order */
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK); /* 127.0.0.1 alone */

	/* A descriptor and nothing else: no address, no peer, no packet. */
	if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	/* Lets bind() pass while an old connection rests in TIME_WAIT. */
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "setsockopt SO_REUSEADDR");
	/* Takes address and port. A client is still refused. */
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to 127.0.0.1 port %d", port);
	/* From here on the kernel itself completes connections and queues
	 * them, whether or not anybody calls accept(). */
	if (listen(listener, 128))
		err(1, "listen on port %d", port);
	setlinebuf(stdout); /* a pipe would hold the lines back */
	printf("listening on 127.0.0.1 port %d\n", port);

	/* Takes one connection out of that queue, waiting for the first. A
	 * new descriptor for the conversation; the port stays the same. */
	if ((conn = accept(listener, NULL, NULL)) < 0)
		err(1, "accept");
	/* Waits until at least one byte is there; takes what is there, which
	 * may be less than one send() of the client. Adds no final zero. */
	if ((n = recv(conn, buf, sizeof(buf), 0)) < 0)
		err(1, "recv");
	if (n == 0)
		errx(1, "the client closed without a word");
	printf("received: %.*s\n", (int)n, buf);
	/* Copies into the kernel's send queue. That it returned does not mean
	 * that the client got anything. */
	if (send(conn, reply, sizeof(reply) - 1, 0) != sizeof(reply) - 1)
		err(1, "send");
	/* 0 is the end of file: the client's FIN came and all is read. */
	if ((n = recv(conn, buf, sizeof(buf), 0)) < 0)
		err(1, "recv");
	if (n > 0)
		errx(1, "the client went on talking: %zd bytes", n);
	/* Gives the descriptor back; the kernel sends what is queued, then our
	 * FIN. Nothing waits for that. */
	if (close(conn) || close(listener))
		err(1, "close");
	return 0;
}
