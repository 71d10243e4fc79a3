/* SPDX-License-Identifier: MIT */
/* fails: a second server is refused */
/* Believes: with the option bind() cannot fail; no need to look. */
/* Serves until a client tells it to end. Can be started again at once.
 * usage: server PORT */
#include <arpa/inet.h>
#include <err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* As Python's create_server(): a listening socket at 127.0.0.1, ready for
 * accept(), at a port that was in use a moment ago. */
static int create_server(int port, int backlog)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fd, on = 1;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "setsockopt SO_REUSEADDR");
	bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	if (listen(fd, backlog))
		err(1, "listen");
	return fd;
}

int main(int argc, char **argv)
{
	int listener, conn;
	char word = 0;

	if (argc != 2)
		errx(1, "usage: server PORT");
	listener = create_server(atoi(argv[1]), 16);

	/* A client says one letter. "b", bye: is sent away. "s", stay: remains
	 * connected as long as we live. "q", quit: we end. */
	while (word != 'q') {
		if ((conn = accept(listener, NULL, NULL)) < 0)
			err(1, "accept");
		if (recv(conn, &word, 1, 0) != 1)
			errx(1, "a client said nothing");
		if (send(conn, "ok", 2, MSG_NOSIGNAL) != 2)
			err(1, "send");
		if (word != 's' && close(conn))
			err(1, "close");
	}
	/* The kernel closes what is still open. */
	return 0;
}
