/* SPDX-License-Identifier: MIT */
/* fails: a conversation has two descriptors */
/* Believes: without a second one the first one will do for both. */
/* Says hello at each of N ports, where somebody is there.
 * usage: client PORT N */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two descriptors of one socket: one to read from, one to write to. */
struct talk {
	int in, out;
};

/* 0, or -1: nobody is there, and nothing is left open. */
static int talk_open(struct talk *t, int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((t->in = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		return -1;
	if (connect(t->in, (struct sockaddr *)&addr, sizeof(addr))) {
		close(t->in);
		return -1;
	}
	if ((t->out = dup(t->in)) < 0)
		t->out = t->in;
	return 0;
}

static void talk_close(const struct talk *t)
{
	if (close(t->in))
		warn("close(%d)", t->in);
	if (t->out != t->in && close(t->out))
		warn("close(%d)", t->out);
}

static void say_hello(const struct talk *t, int port)
{
	char buf[100];
	ssize_t n;

	if (send(t->out, "hello", 5, MSG_NOSIGNAL) < 0)
		warn("send");
	while ((n = recv(t->in, buf, sizeof(buf), 0)) > 0)
		printf("port %d: \"%.*s\"\n", port, (int)n, buf);
	if (n < 0)
		warn("recv");
}

int main(int argc, char **argv)
{
	struct talk t;
	int port, i, n;

	if (argc != 3)
		errx(1, "usage: client PORT N");
	port = atoi(argv[1]);
	n = atoi(argv[2]);
	for (i = 0; i < n; i++) {
		if (talk_open(&t, port + i)) {
			warn("port %d", port + i);
			continue;
		}
		say_hello(&t, port + i);
		talk_close(&t);
	}
	return 0;
}
