/* SPDX-License-Identifier: MIT */
/* The server that your client talks to: reads a request to its end, and only
 * then sends a reply, CUT bytes at a time with PAUSE ms in between.
 * usage: tester PORT REPLY CUT PAUSE */
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The client has ended, and never came. */
static void give_up(int sig)
{
	(void)sig;
	_exit(0);
}

static int accept_one(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), conn;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(listener, 1))
		err(1, "listen on port %d", port);
	signal(SIGUSR1, give_up);
	setlinebuf(stdout);
	printf("listening\n");
	if ((conn = accept(listener, NULL, NULL)) < 0)
		err(1, "accept");
	signal(SIGUSR1, SIG_IGN); /* there is one: we go on to our end */
	close(listener);
	return conn;
}

int main(int argc, char **argv)
{
	static char buf[1 << 20];
	long left, cut, pause;
	ssize_t n;
	int conn;

	if (argc != 5)
		errx(1, "usage: tester PORT REPLY CUT PAUSE");
	left = atol(argv[2]);
	cut = atol(argv[3]);
	pause = atol(argv[4]);
	conn = accept_one(atoi(argv[1]));

	while ((n = recv(conn, buf, sizeof(buf), 0)) > 0)
		;
	if (n < 0)
		warn("recv");
	while (n == 0 && left > 0) {
		n = send(conn, buf, left < cut ? left : cut, MSG_NOSIGNAL);
		if (n < 0)
			break; /* the client has gone: the trace says how */
		left -= n;
		n = 0;
		if (left && pause)
			usleep(pause * 1000);
	}
	close(conn);
	return 0;
}
