/* SPDX-License-Identifier: MIT */
/* poll, ppoll, select, pselect6 and epoll: one wait that finds nothing, one that finds a byte. */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "live.h"

static void finish(int s[2])
{
	char c;

	recv_all(s[1], &c, 1);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

static void by_poll(void)
{
	struct pollfd p = { .events = POLLIN };
	int s[2];

	tcp_pair(s);
	p.fd = s[1];
	MUST(poll(&p, 1, 0) == 0);
	send_all(s[0], "x", 1);
	MUST(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
	finish(s);
}

/* The socket stands behind twenty descriptors that are none. */
static void by_poll_far(void)
{
	struct pollfd p[21];
	int s[2], pipes[2];

	tcp_pair(s);
	CHECK(pipe(pipes));
	for (int i = 0; i < 20; i++)
		p[i] = (struct pollfd){ .fd = pipes[0], .events = POLLIN };
	p[20] = (struct pollfd){ .fd = s[1], .events = POLLIN };
	MUST(poll(p, 21, 0) == 0);
	send_all(s[0], "x", 1);
	MUST(poll(p, 21, -1) == 1 && p[20].revents == POLLIN);
	finish(s);
}

static void by_ppoll(void)
{
	struct pollfd p = { .events = POLLIN };
	struct timespec none = { 0 };
	int s[2];

	tcp_pair(s);
	p.fd = s[1];
	MUST(ppoll(&p, 1, &none, NULL) == 0);
	send_all(s[0], "x", 1);
	MUST(ppoll(&p, 1, NULL, NULL) == 1 && p.revents == POLLIN);
	finish(s);
}

/* The raw call where there is one (arm64 has none): libc's select() may use another. */
static int plain_select(int n, fd_set *in, struct timeval *limit)
{
#ifdef SYS_select
	return syscall(SYS_select, n, in, NULL, NULL, limit);
#else
	return select(n, in, NULL, NULL, limit);
#endif
}

static void by_select(void)
{
	struct timeval none = { 0 };
	fd_set in;
	int s[2];

	tcp_pair(s);
	FD_ZERO(&in);
	FD_SET(s[1], &in);
	MUST(plain_select(s[1] + 1, &in, &none) == 0);
	send_all(s[0], "x", 1);
	FD_SET(s[1], &in);
	MUST(plain_select(s[1] + 1, &in, NULL) == 1 && FD_ISSET(s[1], &in));
	finish(s);
}

static void by_pselect(void)
{
	struct timespec none = { 0 };
	fd_set in;
	int s[2];

	tcp_pair(s);
	FD_ZERO(&in);
	FD_SET(s[1], &in);
	MUST(pselect(s[1] + 1, &in, NULL, NULL, &none, NULL) == 0);
	send_all(s[0], "x", 1);
	FD_SET(s[1], &in);
	MUST(pselect(s[1] + 1, &in, NULL, NULL, NULL, NULL) == 1 && FD_ISSET(s[1], &in));
	finish(s);
}

static void by_epoll(void)
{
	struct epoll_event want = { .events = EPOLLIN, .data.u64 = 77 }, got;
	int s[2], ep = CHECK(epoll_create1(0));

	tcp_pair(s);
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, s[1], &want));
	MUST(epoll_wait(ep, &got, 1, 0) == 0);
	send_all(s[0], "x", 1);
	MUST(epoll_wait(ep, &got, 1, -1) == 1 && got.events == EPOLLIN && got.data.u64 == 77);
	CHECK(epoll_ctl(ep, EPOLL_CTL_DEL, s[1], NULL));
	finish(s);
	CHECK(close(ep));
}

/* A wait on a pipe alone: no socket takes part, so it is nobody's business. */
static void no_socket(void)
{
	struct gate g = gate_new();
	struct pollfd p = { .fd = g.fd[0], .events = POLLIN };
	int s[2];

	tcp_pair(s);
	gate_open(&g, 1);
	MUST(poll(&p, 1, -1) == 1);
	gate_wait(&g);
	send_all(s[0], "x", 1);
	finish(s);
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "poll-far", by_poll_far }, { "poll", by_poll },	{ "ppoll", by_ppoll },
		{ "select", by_select },     { "pselect", by_pselect }, { "epoll", by_epoll },
		{ "none", no_socket },
	};

	return RUN_SCENARIO(list);
}
