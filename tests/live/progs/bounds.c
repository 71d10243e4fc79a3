/* SPDX-License-Identifier: MIT */
/*
 * More of one thing at once than one of the tracer's maps holds: LIVE_N of them; every number that comes out of it is
 * known beforehand.
 */
#include <netdb.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "live.h"

#define KEPT 16 /* calls of a socket of which it is not known yet whether it is to be shown */

#define SHARES 4

static int n;

/* Ports that are held until all are: by several processes, as one may not have so many descriptors. */
struct share {
	struct gate ready, go;
	int n;
};

static void hold_ports(void *arg)
{
	struct share *share = arg;

	for (int i = 0; i < share->n; i++)
		bound(AF_INET, SOCK_DGRAM);
	gate_open(&share->ready, 1);
	gate_wait(&share->go);
}

static void ports(void)
{
	struct share share = { gate_new(), gate_new(), n / SHARES };
	pid_t holders[SHARES];

	for (int i = 0; i < SHARES; i++)
		holders[i] = spawn(hold_ports, &share);
	for (int i = 0; i < SHARES; i++)
		gate_wait(&share.ready);
	for (int i = 0; i < SHARES; i++)
		gate_open(&share.go, 1);
	for (int i = 0; i < SHARES; i++)
		reap(holders[i]);
}

/* socket() and options first, then all of them come to the loopback. */
static void kept(void)
{
	const int on = 1;
	int *s = calloc(n, sizeof(*s));

	for (int i = 0; i < n; i++) {
		s[i] = CHECK(socket(AF_INET, SOCK_STREAM, 0));
		for (int k = 1; k < KEPT; k++)
			CHECK(setsockopt(s[i], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
	}
	for (int i = 0; i < n; i++) {
		struct sockaddr_storage at;
		socklen_t len = loopback(AF_INET, 0, &at);

		CHECK(bind(s[i], (struct sockaddr *)&at, len));
	}
	for (int i = 0; i < n; i++)
		CHECK(close(s[i]));
}

static void pairs(void)
{
	int(*s)[2] = calloc(n, sizeof(*s));
	char buf[3];

	for (int i = 0; i < n; i++)
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s[i]));
	for (int i = 0; i < n; i++) {
		send_all(s[i][0], "ask", 3);
		recv_all(s[i][1], buf, 3);
	}
	for (int i = 0; i < n; i++) {
		CHECK(close(s[i][0]));
		CHECK(close(s[i][1]));
	}
}

/* Each watches the same connection, and is asked once. */
static void epolls(void)
{
	int *ep = calloc(n, sizeof(*ep)), ls = listening(AF_INET, 1), c = connected(AF_INET, port_of(ls));
	struct epoll_event ev = { .events = EPOLLIN }, got;

	for (int i = 0; i < n; i++) {
		ep[i] = CHECK(epoll_create1(0));
		CHECK(epoll_ctl(ep[i], EPOLL_CTL_ADD, c, &ev));
	}
	for (int i = 0; i < n; i++)
		CHECK(epoll_wait(ep[i], &got, 1, 0));
	for (int i = 0; i < n; i++)
		CHECK(close(ep[i]));
	CHECK(close(c));
	CHECK(close(ls));
}

/* Threads that all have looked up a name before the first of them makes a socket. */
static pthread_barrier_t asked, there;
static int lookup_port;

static void *look_up(void *arg)
{
	struct addrinfo *list;

	if (getaddrinfo("127.0.0.1", NULL, NULL, &list))
		_exit(1);
	freeaddrinfo(list);
	pthread_barrier_wait(&asked);
	pthread_barrier_wait(&there);
	CHECK(close(connected(AF_INET, lookup_port)));
	return arg;
}

static void lookups(void)
{
	pthread_t *threads = calloc(n, sizeof(*threads));
	pthread_attr_t attr;
	int ls;

	pthread_barrier_init(&asked, NULL, n + 1);
	pthread_barrier_init(&there, NULL, n + 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], &attr, look_up, NULL))
			_exit(1);
	pthread_barrier_wait(&asked);
	ls = listening(AF_INET, 4096);
	lookup_port = port_of(ls);
	pthread_barrier_wait(&there);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	CHECK(close(ls));
}

/* While a connection says nothing, datagrams go to so many places; then it goes on. */
static void flows(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int s[2], d = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
	char byte;

	tcp_pair(s);
	send_all(s[0], "1", 1);
	recv_all(s[1], &byte, 1);
	for (int i = 0; i < n; i++) {
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i / 10000);
		to.sin_port = htons(10000 + i % 10000);
		CHECK(sendto(d, "", 0, 0, (struct sockaddr *)&to, sizeof(to)));
	}
	send_all(s[0], "2", 1);
	recv_all(s[1], &byte, 1);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
	CHECK(close(d));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "ports", ports }, { "kept", kept }, { "pairs", pairs }, { "epolls", epolls },
		{ "lookups", lookups }, { "flows", flows },
	};
	struct rlimit r;

	n = getenv("LIVE_N") ? atoi(getenv("LIVE_N")) : 1;
	r.rlim_cur = r.rlim_max = (n < 8000 ? 2 * n : n / SHARES) + 64;
	CHECK(setrlimit(RLIMIT_NOFILE, &r));
	return RUN_SCENARIO(list);
}
