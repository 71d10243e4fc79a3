/* SPDX-License-Identifier: MIT */
/* Several descriptors of one socket: the FIN waits for the last close(). */
#define _GNU_SOURCE
#include <fcntl.h>

#include "live.h"

#define AT 20 /* first descriptor number asked for; nothing else is that high */

/* Close the first descriptor, use the second: the connection must not notice. */
static void outlives(int s[2], int copy)
{
	char buf[4];

	CHECK(close(s[0]));
	send_all(copy, "copy", 4);
	recv_all(s[1], buf, 4);
	CHECK(close(copy));
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

static void plain(void)
{
	int s[2];

	tcp_pair(s);
	outlives(s, CHECK(dup(s[0])));
}

static void two(void)
{
	int s[2];

	tcp_pair(s);
	outlives(s, CHECK(dup2(s[0], AT)));
}

static void three(void)
{
	int s[2];

	tcp_pair(s);
	outlives(s, CHECK(dup3(s[0], AT, O_CLOEXEC)));
}

static void by_fcntl(void)
{
	int s[2], copy;

	tcp_pair(s);
	copy = CHECK(fcntl(s[0], F_DUPFD, AT));
	MUST(fcntl(copy, F_DUPFD_CLOEXEC, AT) == AT + 1);
	CHECK(close(AT + 1));
	outlives(s, copy);
}

/* dup2() onto another socket closes that one without a word. */
static void over(void)
{
	int s[2], t[2];
	char buf[4];

	tcp_pair(s);
	tcp_pair(t);
	MUST(dup2(s[0], t[0]) == t[0]);
	recv_eof(t[1]);
	send_all(t[0], "over", 4);
	recv_all(s[1], buf, 4);
	CHECK(close(s[0]));
	CHECK(close(t[0]));
	recv_eof(s[1]);
	CHECK(close(s[1]));
	CHECK(close(t[1]));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "dup", plain }, { "dup2", two },  { "dup3", three },
		{ "fcntl", by_fcntl }, { "over", over },
	};

	return RUN_SCENARIO(list);
}
