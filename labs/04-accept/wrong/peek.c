/* SPDX-License-Identifier: MIT */
/* fails: a client that has closed is told */
/* Believes: who has sent something is still there; the FIN would come
 * first. */
/* Accepts N clients, and says of each, by its port, how things stand with it
 * when accept() returns: "PORT alive", "PORT closed" or "PORT reset".
 * usage: server PORT N */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *state(int conn)
{
	char byte;
	ssize_t n = recv(conn, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN ? "alive" : "reset";
	return n > 0 ? "alive" : "closed";
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET }, peer;
	int listener, conn, on = 1, i, n;
	socklen_t len;

	if (argc != 3)
		errx(1, "usage: server PORT N");
	addr.sin_port = htons(atoi(argv[1]));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	n = atoi(argv[2]);

	if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "setsockopt SO_REUSEADDR");
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to 127.0.0.1 port %s", argv[1]);
	if (listen(listener, 64))
		err(1, "listen");
	setlinebuf(stdout); /* a pipe would hold the lines back */
	getchar();	    /* meanwhile the clients come, and some go */

	for (i = 0; i < n; i++) {
		len = sizeof(peer);
		conn = accept(listener, (struct sockaddr *)&peer, &len);
		if (conn < 0)
			err(1, "accept");
		printf("%d %s\n", ntohs(peer.sin_port), state(conn));
		if (close(conn))
			err(1, "close");
	}
	if (close(listener))
		err(1, "close");
	return 0;
}
