/* SPDX-License-Identifier: MIT */
/* Sends 400,000 bytes to one client, closes, and is gone:
 * cc server.c -o server && ./server PORT unread|late|linger */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	static char bytes[400000];
	struct sockaddr_in addr = { .sin_family = AF_INET };
	const char *how = argc > 2 ? argv[2] : "unread";
	int port = argc > 1 ? atoi(argv[1]) : 65430, on = 1, listener, conn;
	ssize_t n;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "setsockopt SO_REUSEADDR");
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to 127.0.0.1 port %d", port);
	if (listen(listener, 1))
		err(1, "listen");
	setlinebuf(stdout);
	printf("listening on 127.0.0.1 port %d\n", port);
	if ((conn = accept(listener, NULL, NULL)) < 0)
		err(1, "accept");

	/* unread: the client has sent 4 bytes. MSG_PEEK waits until they are
	 * there, and leaves them in the receive queue. */
	if (!strcmp(how, "unread") && recv(conn, bytes, 4, MSG_PEEK) < 0)
		err(1, "recv");
	/* linger: close() shall not wait, not even for the send queue. */
	if (!strcmp(how, "linger") &&
	    setsockopt(conn, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)))
		err(1, "setsockopt SO_LINGER");
	if ((n = send(conn, bytes, sizeof(bytes), 0)) < 0)
		err(1, "send");
	printf("send() returned %zd\n", n);
	if (close(conn) || close(listener))
		err(1, "close");
	printf("closed, and the process ends\n");
	return 0;
}
