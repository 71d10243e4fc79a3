/* SPDX-License-Identifier: MIT */
/* Clients that wait to be accepted, until the test closes our standard input. */
#include "live.h"

/* A client connects and sends; accept() comes when the test says so. */
static void waits(void)
{
	int ls = listening(AF_INET, 4), fd = connected(AF_INET, port_of(ls));

	send_all(fd, "hello", 5);
	hold();
	CHECK(close(CHECK(accept(ls, NULL, NULL))));
	CHECK(close(fd));
	CHECK(close(ls));
}

/* More than net.core.somaxconn. */
static void clamped(void)
{
	CHECK(close(listening(AF_INET, 100000)));
}

/* As long a queue as may be, by the idiom for it. */
static void longest(void)
{
	CHECK(close(listening(AF_INET, -1)));
}

/* Two connect, one is accepted; the listener lives as long as the test wants. */
static void left(void)
{
	int ls = listening(AF_INET, 4), a = connected(AF_INET, port_of(ls)),
	    b = connected(AF_INET, port_of(ls)), fd = CHECK(accept(ls, NULL, NULL));

	send_all(b, "hello", 5);
	puts("ready");
	fflush(stdout);
	hold();
	CHECK(close(fd));
	CHECK(close(a));
	CHECK(close(b));
	CHECK(close(ls));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "waits", waits },
		{ "clamped", clamped },
		{ "longest", longest },
		{ "left", left },
	};

	return RUN_SCENARIO(list);
}
