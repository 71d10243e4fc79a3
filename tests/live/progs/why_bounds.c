/* SPDX-License-Identifier: MIT */
/* Sends, segments and recvs of one stream, each cut differently. */
#include <netinet/tcp.h>

#include "live.h"

#define LARGE 200000 /* bytes, more than one segment on loopback */

static char buf[LARGE];

static void end(int s[2])
{
	CHECK(close(s[0]));
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

/* "AAA" and "BBB" come out as "AAABBB", with TCP_NODELAY too. */
static void merged(void)
{
	int s[2], on = 1;

	tcp_pair(s);
	CHECK(setsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	send_all(s[0], "AAA", 3);
	send_all(s[0], "BBB", 3);
	wait_queued(s[1], 6);
	MUST(recv(s[1], buf, sizeof(buf), 0) == 6);
	end(s);
}

static void many(void)
{
	int s[2];

	tcp_pair(s);
	for (int i = 0; i < 100; i++)
		send_all(s[0], "x", 1);
	wait_queued(s[1], 100);
	MUST(recv(s[1], buf, sizeof(buf), 0) == 100);
	end(s);
}

/* Two sends of 3, read as 4 and 2. */
static void cut(void)
{
	int s[2];

	tcp_pair(s);
	send_all(s[0], "AAA", 3);
	send_all(s[0], "BBB", 3);
	wait_queued(s[1], 6);
	MUST(recv(s[1], buf, 4, 0) == 4);
	MUST(recv(s[1], buf, sizeof(buf), 0) == 2);
	end(s);
}

/* One send of 10, read as 4, 4 and 2, after a look at all of it. */
static void split(void)
{
	int s[2];

	tcp_pair(s);
	send_all(s[0], "0123456789", 10);
	wait_queued(s[1], 10);
	MUST(recv(s[1], buf, 10, MSG_PEEK) == 10);
	MUST(recv(s[1], buf, 4, 0) == 4);
	MUST(recv(s[1], buf, 4, 0) == 4);
	MUST(recv(s[1], buf, 4, 0) == 2);
	end(s);
}

/* Held back by TCP_CORK, two sends leave as one segment. */
static void packed(void)
{
	int s[2], on = 1, off = 0;

	tcp_pair(s);
	CHECK(setsockopt(s[0], IPPROTO_TCP, TCP_CORK, &on, sizeof(on)));
	send_all(s[0], "AAA", 3);
	send_all(s[0], "BBB", 3);
	CHECK(setsockopt(s[0], IPPROTO_TCP, TCP_CORK, &off, sizeof(off)));
	recv_all(s[1], buf, 6);
	end(s);
}

static void drink(void *arg)
{
	int *s = arg;

	CHECK(close(s[0]));
	recv_all(s[1], buf, LARGE);
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

/* One large send; the reader reads while it goes on. */
static void large(void)
{
	int s[2];
	pid_t child;

	tcp_pair(s);
	child = spawn(drink, s);
	CHECK(close(s[1]));
	send_all(s[0], buf, LARGE);
	CHECK(close(s[0]));
	reap(child);
}

/* AF_UNIX streams keep no boundaries either; datagrams do. */
static void local(void)
{
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	send_all(s[0], "AAA", 3);
	send_all(s[0], "BBB", 3);
	MUST(recv(s[1], buf, sizeof(buf), 0) == 6);
	end(s);
}

static void datagrams(void)
{
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	send_all(s[0], "AAA", 3);
	send_all(s[0], "BBB", 3);
	MUST(recv(s[1], buf, sizeof(buf), 0) == 3);
	MUST(recv(s[1], buf, sizeof(buf), 0) == 3);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* Each send is read by one recv, ten times and both ways: nothing to tell. */
static void turns(void)
{
	int s[2];

	tcp_pair(s);
	for (int i = 0; i < 10; i++) {
		send_all(s[0], "question", 8);
		recv_all(s[1], buf, 8);
		send_all(s[1], "answer", 6);
		recv_all(s[0], buf, 6);
	}
	end(s);
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "merged", merged }, { "many", many },		  { "cut", cut },
		{ "split", split },   { "packed", packed },	  { "large", large },
		{ "local", local },   { "datagrams", datagrams }, { "turns", turns },
	};

	return RUN_SCENARIO(list);
}
