/* SPDX-License-Identifier: MIT */
/* Threads that share one socket: two readers; a reader that another thread wakes by shutdown(). */
#include <pthread.h>

#include "live.h"

struct reader {
	pthread_t thread;
	struct gate tid;
	int fd;
	ssize_t expect;
};

static void *reader(void *arg)
{
	struct reader *r = arg;
	char buf[8];

	gate_open(&r->tid, (int)syscall(SYS_gettid));
	MUST(recv(r->fd, buf, sizeof(buf), 0) == r->expect);
	return NULL;
}

/* Start a reader and wait until it sits in recv(). */
static void start(struct reader *r, int fd, ssize_t expect)
{
	*r = (struct reader){ .tid = gate_new(), .fd = fd, .expect = expect };
	MUST(pthread_create(&r->thread, NULL, reader, r) == 0);
	wait_inside(getpid(), gate_wait(&r->tid), SYS_recvfrom);
}

static void share(void)
{
	struct reader a, b;
	int s[2];

	tcp_pair(s);
	start(&a, s[1], 8);
	start(&b, s[1], 8);
	send_all(s[0], "0123456789abcdef", 16);
	MUST(pthread_join(a.thread, NULL) == 0);
	MUST(pthread_join(b.thread, NULL) == 0);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

static void wake(void)
{
	struct reader r;
	int s[2];

	tcp_pair(s);
	start(&r, s[1], 0);
	CHECK(shutdown(s[1], SHUT_RD));
	MUST(pthread_join(r.thread, NULL) == 0);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = { { "share", share }, { "wake", wake } };

	return RUN_SCENARIO(list);
}
