/* SPDX-License-Identifier: MIT */
/* A server and a client that know nothing of each other but LIVE_PORT: only one of them is traced. */
#include "live.h"

static const char greeting[] = "fourteen bytes";
#define GREETING (sizeof(greeting) - 1)

static void server(void)
{
	int fd, ls = listening(AF_INET, 4);
	char buf[GREETING];

	puts("ready");
	fflush(stdout);
	fd = CHECK(accept(ls, NULL, NULL));
	recv_all(fd, buf, GREETING);
	send_all(fd, greeting, GREETING);
	recv_eof(fd);
	CHECK(close(fd));
	CHECK(close(ls));
}

static void client(void)
{
	int fd = connected(AF_INET, wanted_port());
	char buf[GREETING];

	send_all(fd, greeting, GREETING);
	recv_all(fd, buf, GREETING);
	CHECK(close(fd));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = { { "server", server }, { "client", client } };

	return RUN_SCENARIO(list);
}
