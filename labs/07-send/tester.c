/* SPDX-License-Identifier: MIT */
/* The server that your client talks to. What it does depends on HOW:
 *   reads    reads to the end, and answers how many bytes it has
 *   stopped  reads PART bytes, and is stopped
 *   unread   reads PART bytes, and is killed while others wait
 *   silent   reads to the end, and is killed before it has answered
 *   short    reads to the end, could keep only PART bytes, and answers so
 * usage: tester PORT HOW PART */
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int accept_one(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, conn;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = inet_addr("10.7.0.2");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(listener, 1))
		err(1, "listen on port %d", port);
	setlinebuf(stdout);
	printf("listening\n");
	if ((conn = accept(listener, NULL, NULL)) < 0)
		err(1, "accept");
	close(listener);
	return conn;
}

/* At most MAX bytes. */
static long take(int conn, long max)
{
	static char buf[65536];
	long total = 0;
	ssize_t n = 1;

	while (total < max && n > 0) {
		n = recv(conn, buf, max - total < 65536 ? max - total : 65536,
			 0);
		total += n > 0 ? n : 0;
	}
	return total;
}

int main(int argc, char **argv)
{
	char answer[32], next;
	const char *how;
	long part, got;
	int conn, n;

	if (argc != 4)
		errx(1, "usage: tester PORT HOW PART");
	how = argv[2];
	part = atol(argv[3]);
	conn = accept_one(atoi(argv[1]));

	if (!strcmp(how, "stopped") || !strcmp(how, "unread")) {
		take(conn, part);
		recv(conn, &next, 1, MSG_PEEK); /* until there is more */
		raise(how[0] == 's' ? SIGSTOP : SIGKILL);
	}
	got = take(conn, 1L << 40);
	if (!strcmp(how, "silent"))
		raise(SIGKILL);
	n = snprintf(answer, sizeof(answer), "%ld\n",
		     !strcmp(how, "short") ? part : got);
	send(conn, answer, n, MSG_NOSIGNAL);
	close(conn);
	return 0;
}
