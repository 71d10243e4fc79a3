/* SPDX-License-Identifier: MIT */
/* What Python's create_server() sets up: one listener for IPv4 and IPv6, and
 * one client after the other: cc server_any.c -o any && ./any [PORT] */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t stopping;

static void stop(int sig)
{
	(void)sig;
	stopping = 1;
	alarm(1); /* were we just before a blocking call: ring again */
}

static void converse(int conn)
{
	static const char reply[] = "Hello, Client!";
	char buf[1024];
	ssize_t n = recv(conn, buf, sizeof(buf), 0);

	if (n > 0) {
		printf("received: %.*s\n", (int)n, buf);
		n = send(conn, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
	}
	if (n < 0)
		warn("conversation"); /* this client's trouble alone */
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6 }; /* address :: */
	struct sigaction act = { .sa_handler = stop }; /* calls end in EINTR */
	int port = argc > 1 ? atoi(argv[1]) : 65430;
	int on = 1, off = 0, listener, conn;

	if (port < 1 || port > 65535)
		errx(1, "a port is a number from 1 to 65535, not %s", argv[1]);
	if (sigaction(SIGINT, &act, NULL) || sigaction(SIGTERM, &act, NULL) ||
	    sigaction(SIGALRM, &act, NULL))
		err(1, "sigaction");
	addr.sin6_port = htons(port);
	if ((listener = socket(AF_INET6, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	/* V6ONLY off: IPv4 clients are served too, as ::ffff:127.0.0.1. */
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)))
		err(1, "setsockopt");
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to [::] port %d", port);
	/* Up to 128 finished connections wait in the kernel for accept(). */
	if (listen(listener, 128))
		err(1, "listen on port %d", port);
	setlinebuf(stdout); /* a pipe would hold the lines back */
	printf("listening on [::] port %d\n", port);

	while (!stopping) {
		if ((conn = accept(listener, NULL, NULL)) >= 0) {
			converse(conn);
			if (close(conn)) /* the listener stays open */
				err(1, "close");
		} else if (errno != EINTR && errno != ECONNABORTED) {
			err(1, "accept");
		}
	}
	if (close(listener))
		err(1, "close");
	return 0;
}
