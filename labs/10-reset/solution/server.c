/* SPDX-License-Identifier: MIT */
/* Takes an upload, refuses it with an answer of REPLY bytes, and closes.
 * usage: server PORT REPLY */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define DRAIN_BYTES (16 << 20)

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	static char reply[2 << 20], buf[65536];
	int listener, conn, on = 1;
	const struct timeval patience = { .tv_usec = 100000 };
	time_t deadline = time(NULL) + 2;
	long drained = 0;
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
	/* Our FIN, behind the last byte of the answer: the client reads to its
	 * end and then closes. */
	if (shutdown(conn, SHUT_WR))
		err(1, "shutdown");
	/* What still comes must be read: unread bytes, or bytes after close(),
	 * would be answered by an RST, and that may cost the answer. The
	 * timeout is for a client that says nothing, the deadline for one that
	 * never stops. */
	if (setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)))
		err(1, "setsockopt SO_RCVTIMEO");
	do {
		n = recv(conn, buf, sizeof(buf), 0);
		drained += n > 0 ? n : 0;
	} while ((n > 0 || (n < 0 && errno == EAGAIN)) &&
		 drained < DRAIN_BYTES && time(NULL) < deadline);

	if (close(conn) || close(listener))
		err(1, "close");
	return 0;
}
