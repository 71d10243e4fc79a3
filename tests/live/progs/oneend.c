/* SPDX-License-Identifier: MIT */
/*
 * A client and a server, two processes, on LIVE_PORT. Each sends SENT bytes; the server reads all,
 * the client reads READ of them and leaves with the rest unread.
 */
#include "live.h"

#define SENT 50000
#define READ 20000

static char bytes[SENT];

static void server(void *arg)
{
	int fd = CHECK(accept(*(int *)arg, NULL, NULL));

	recv_all(fd, bytes, SENT);
	send_all(fd, bytes, SENT);
	/* The client leaves with an RST. */
	MUST(recv(fd, bytes, SENT, 0) == -1 && errno == ECONNRESET);
}

int main(void)
{
	int fd, ls = listening(AF_INET, 1);
	pid_t pid = spawn(server, &ls);

	alarm(LIVE_SECONDS);
	fd = connected(AF_INET, port_of(ls));
	send_all(fd, bytes, SENT);
	recv_all(fd, bytes, READ);
	wait_queued(fd, SENT - READ);
	CHECK(close(fd));
	reap(pid);
	return 0;
}
