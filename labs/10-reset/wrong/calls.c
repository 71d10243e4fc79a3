/* SPDX-License-Identifier: MIT */
/* fails: the reading after the answer is bounded */
/* Believes: a hundred calls are soon over. */
/* Takes an upload, refuses it with an answer of REPLY bytes, and closes.
 * usage: server PORT REPLY */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	static char reply[2 << 20], buf[65536];
	int listener, conn, on = 1, i;
	ssize_t size, n;

	if (argc != 3)
		errx(1, "usage: server PORT REPLY");
	addr.sin_port = htons(atoi(argv[1]));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	size = atol(argv[2]); /* at most 2 MiB */

	if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "setsockopt SO_REUSEADDR");
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to 127.0.0.1 port %s", argv[1]);
	if (listen(listener, 16))
		err(1, "listen");
	if ((conn = accept(listener, NULL, NULL)) < 0)
		err(1, "accept");

	/* "PUT 123456\n", and the first bytes of the upload: enough to know
	 * that we do not want it. */
	if ((n = recv(conn, buf, sizeof(buf), 0)) < 0)
		err(1, "recv");
	if (send(conn, reply, size, 0) != size)
		err(1, "send");
	if (shutdown(conn, SHUT_WR))
		err(1, "shutdown");
	for (i = 0; i < 100; i++)
		if ((n = recv(conn, buf, sizeof(buf), 0)) <= 0)
			break;
	if (n < 0)
		err(1, "recv");
	if (close(conn) || close(listener))
		err(1, "close");
	return 0;
}
