/* SPDX-License-Identifier: MIT */
/*
 * More of one thing at once than one of the tracer's maps holds: LIVE_N of them; every number that comes out of it is
 * known beforehand.
 */
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

int main(int argc, char **argv)
{
	static const struct scenario list[] = { { "ports", ports }, { "kept", kept }, { "pairs", pairs } };
	struct rlimit r;

	n = getenv("LIVE_N") ? atoi(getenv("LIVE_N")) : 1;
	r.rlim_cur = r.rlim_max = (n < 8000 ? 2 * n : n / SHARES) + 64;
	CHECK(setrlimit(RLIMIT_NOFILE, &r));
	return RUN_SCENARIO(list);
}
