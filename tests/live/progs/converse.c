/* SPDX-License-Identifier: MIT */
/*
 * Random conversations over TCP: converse SEED FIRST COUNT SIDE-BY-SIDE. Each is a client and a
 * server, two processes, that do what number and seed say; the line printed at its end tells what
 * their calls returned:
 *
 *	conversation N KIND client PORT sent S..T got G..H queues Q server PORT sent S..T got ...
 *
 * S and T differ by what a killed process was just asking for. Q is STATE/UNREAD/UNACKED/UNSENT,
 * or - where they moved while it looked. Ports tell who is who; the server's
 * is FIRST_PORT + N % PORTS, or that + PORTS where the test's rules drop segments.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>

#include "converse.h"

#define FIRST_PORT 10000
#define PORTS 10000
#define SEND_MOST (6 << 20) /* bytes one end sends in all */
#define STEPS_MOST 14
#define CALL_MS_MOST 60 /* a call blocks no longer: SO_SNDTIMEO, SO_RCVTIMEO */
#define END_MS 15000	/* sockets without an owner are gone by then */

struct books {
	struct account end[2]; /* client, server */
};

/* What is decided before anybody acts. */
struct plan {
	unsigned int number;
	struct random rnd;
	int family;  /* of the listener */
	bool mapped; /* IPv4 in IPv6 sockets */
	bool far;    /* the server lives in the other namespace */
	bool lossy;
	bool alone; /* a socket connected to itself */
	bool fast_open;
	bool calm;    /* both ends read all and leave in order */
	int kill_end; /* 0, 1: that process is killed; -1: none */
	unsigned int kill_us;
	int port;
	struct books *b;
};

static int file_of_zeros;

static struct plan plan_of(unsigned long long seed, unsigned int number, struct books *b)
{
	struct plan p = { .number = number, .rnd = { seed } };

	p.rnd.x = draw(&p.rnd) + number;
	p.rnd.x = draw(&p.rnd);
	p.family = chance(&p.rnd, 50) ? AF_INET : AF_INET6;
	p.mapped = p.family == AF_INET6 && chance(&p.rnd, 30);
	p.far = getenv("LIVE_FAR") && !p.mapped && chance(&p.rnd, 15);
	p.lossy = chance(&p.rnd, 20);
	p.alone = !p.far && !p.mapped && chance(&p.rnd, 3);
	p.fast_open = chance(&p.rnd, 8);
	p.calm = chance(&p.rnd, 35);
	p.kill_end = !p.calm && chance(&p.rnd, 20) ? (int)below(&p.rnd, 2) : -1;
	p.kill_us = below(&p.rnd, 30000);
	p.port = FIRST_PORT + number % PORTS + (p.lossy ? PORTS : 0);
	p.b = b;
	return p;
}

/* --- addresses --- */

static socklen_t server_addr(const struct plan *p, struct sockaddr_storage *at)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)at;
	socklen_t len = loopback(p->family, p->port, at);

	if (p->mapped)
		inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6->sin6_addr);
	if (p->far && p->family == AF_INET)
		inet_pton(AF_INET, "10.99.0.2", &v4->sin_addr);
	if (p->far && p->family == AF_INET6)
		inet_pton(AF_INET6, "fd99::2", &v6->sin6_addr);
	return len;
}

/* calm: not so small that a byte takes its time. */
static void random_buffers(struct random *r, int fd, bool calm)
{
	static const int sizes[] = { 1, 4096, 20000, 200000 };
	int least = calm ? 2 : 0, size = sizes[least + below(r, 4 - least)];

	if (chance(r, 40))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	size = sizes[least + below(r, 4 - least)];
	if (chance(r, 40))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static void patience(struct random *r, int fd)
{
	struct timeval t = { .tv_usec = 1000 + below(r, CALL_MS_MOST * 1000) };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

/* --- the ends --- */

static struct actor actor_of(struct plan *p, int end, int fd)
{
	struct actor e = {
		.fd = fd,
		.file = file_of_zeros,
		.rnd = { p->rnd.x + (end ? 1 : 2) },
		.a = &p->b->end[end],
		.calm = p->calm,
	};

	CHECK(pipe2(e.pipe, O_NONBLOCK));
	e.rnd.x = draw(&e.rnd);
	e.left = chance(&e.rnd, 15) ? SEND_MOST : below(&e.rnd, 300000);
	return e;
}

static void *sends_only(void *arg)
{
	struct actor *e = arg;

	for (unsigned int n = below(&e->rnd, STEPS_MOST); n; n--)
		if (act_send(e) < 0 && chance(&e->rnd, 30))
			break;
	return NULL;
}

/* One thread writes while another reads. */
static void both_at_once(struct actor *e)
{
	struct actor writer = *e;
	pthread_t t;

	writer.rnd.x = draw(&e->rnd);
	CHECK(pipe2(writer.pipe, O_NONBLOCK));
	MUST(!pthread_create(&t, NULL, sends_only, &writer));
	for (unsigned int n = below(&e->rnd, STEPS_MOST); n; n--)
		act_receive(e);
	pthread_join(t, NULL);
}

static void acts(struct actor *e)
{
	/* Who only sends, only receives, or does both in turn. */
	unsigned int sends = (unsigned int[]){ 90, 10, 50 }[below(&e->rnd, 3)];

	patience(&e->rnd, e->fd);
	if (chance(&e->rnd, 25)) {
		both_at_once(e);
	} else {
		for (unsigned int n = below(&e->rnd, STEPS_MOST); n; n--) {
			if (!e->calm && chance(&e->rnd, 15))
				act_otherwise(e);
			else if (chance(&e->rnd, sends))
				act_send(e);
			else
				act_receive(e);
		}
	}
	act_end(e);
}

/* The result of a failure is that of connect(): the SYN may have taken data along for all that, and how much nobody
 * says. The books stay open. */
static long connect_with_data(struct actor *e, const struct sockaddr *at, socklen_t len)
{
	size_t size = below(&e->rnd, 3000);
	long ret;

	account_begin(&e->a->sending, size);
	ret = sendto(e->fd, buffer, size, MSG_FASTOPEN, at, len);
	return ret < 0 ? ret : account_end(&e->a->sent, &e->a->sending, ret);
}

static void client(struct plan *p)
{
	struct sockaddr_storage at;
	socklen_t len = server_addr(p, &at);
	struct actor e = actor_of(p, 0, CHECK(socket(p->family, SOCK_STREAM, 0)));
	long ret;

	random_buffers(&e.rnd, e.fd, p->calm);
	if (p->fast_open)
		ret = connect_with_data(&e, (struct sockaddr *)&at, len);
	else
		ret = connect(e.fd, (struct sockaddr *)&at, len);
	e.a->port = port_of(e.fd);
	if (ret < 0) /* refused, or reset at once */
		exit(0);
	acts(&e);
}

static void enter_far(const struct plan *p)
{
	int ns;

	if (!p->far)
		return;
	ns = CHECK(open(getenv("LIVE_FAR"), O_RDONLY | O_CLOEXEC));
	CHECK(setns(ns, 0));
	CHECK(close(ns));
}

static void server(struct plan *p, const struct gate *ready)
{
	struct sockaddr_storage at;
	socklen_t len = server_addr(p, &at);
	int one = 1, ls, fd;
	struct actor e;

	enter_far(p);
	ls = CHECK(socket(p->family, SOCK_STREAM, 0));
	e = actor_of(p, 1, ls);
	random_buffers(&e.rnd, ls, p->calm);
	CHECK(setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	if (p->fast_open)
		CHECK(setsockopt(ls, IPPROTO_TCP, TCP_FASTOPEN, &one, sizeof(one)));
	CHECK(bind(ls, (struct sockaddr *)&at, len));
	CHECK(listen(ls, 3));
	e.a->port = p->port;
	gate_open(ready, 1);
	if (chance(&e.rnd, 40)) /* accepts late */
		usleep(below(&e.rnd, 40000));
	if (!p->calm &&
	    chance(&e.rnd, 8)) { /* never: the listener is closed with a connection waiting */
		usleep(below(&e.rnd, 40000));
		if (chance(&e.rnd, 50))
			close(ls);
		return;
	}
	patience(&e.rnd, ls);
	fd = accept(ls, NULL, NULL);
	if (fd < 0) /* nobody came in time, or went before */
		return;
	if (chance(&e.rnd, 50))
		close(ls);
	e.fd = fd;
	acts(&e);
}

/* A socket that connects to its own port: both SYNs cross, and it is its own peer. */
static void alone(struct plan *p)
{
	struct sockaddr_storage at;
	socklen_t len = server_addr(p, &at);
	int one = 1;
	struct actor e = actor_of(p, 0, CHECK(socket(p->family, SOCK_STREAM, 0)));

	CHECK(setsockopt(e.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	CHECK(bind(e.fd, (struct sockaddr *)&at, len));
	e.a->port = p->port;
	if (connect(e.fd, (struct sockaddr *)&at, len) == 0)
		acts(&e);
}

/* --- one conversation --- */

static pid_t begin(struct plan *p, int end, const struct gate *ready)
{
	pid_t pid = CHECK(fork());

	if (pid)
		return pid;
	alarm(LIVE_SECONDS);
	if (!chance(&p->rnd, 15))
		signal(SIGPIPE, SIG_IGN);
	if (p->alone)
		alone(p);
	else if (end)
		server(p, ready);
	else
		client(p);
	exit(0);
}

static void tell_end(const char *name, const struct account *a)
{
	unsigned long long sent = a->sent, got = a->got;

	printf(" %s %d sent %llu..%llu got %llu..%llu", name, a->port, sent, sent + a->sending, got,
	       got + a->getting);
	if (a->state)
		printf(" queues %d/%d/%d/%d", a->state, a->queues.unread, a->queues.unacked,
		       a->queues.unsent);
	else
		printf(" queues -");
}

static void tell(const struct plan *p)
{
	printf("conversation %u %s%s%s%s%s%s", p->number, p->family == AF_INET ? "v4" : "v6",
	       p->mapped ? "-mapped" : "", p->far ? "-far" : "", p->lossy ? "-lossy" : "",
	       p->alone	    ? "-alone" :
	       p->fast_open ? "-fastopen" :
			      "",
	       p->calm ? "-calm" : "");
	tell_end("client", &p->b->end[0]);
	tell_end("server", &p->b->end[1]);
	putchar('\n');
	fflush(stdout);
}

static void converse(struct plan *p)
{
	struct gate ready = gate_new();
	pid_t pid[2] = { 0, 0 };

	if (!p->alone) {
		pid[1] = begin(p, 1, &ready);
		gate_wait(&ready);
	}
	pid[0] = begin(p, 0, &ready);
	if (p->kill_end >= 0 && pid[p->kill_end]) {
		usleep(p->kill_us);
		kill(pid[p->kill_end], SIGKILL);
	}
	for (int end = 0; end < 2; end++)
		if (pid[end])
			CHECK(waitpid(pid[end], NULL, 0));
	tell(p);
	close(ready.fd[0]);
	close(ready.fd[1]);
}

/* --- all of them --- */

static void works(unsigned long long seed, unsigned int first, unsigned int behind,
		  unsigned int step)
{
	for (unsigned int n = first; n < behind; n += step) {
		struct books *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		struct plan p;

		MUST(b != MAP_FAILED);
		p = plan_of(seed, n, b);
		converse(&p);
		munmap(b, sizeof(*b));
	}
}

static void wait_for_the_rest(void)
{
	for (int ms = 0; ms < END_MS; ms += 10) {
		if (!sockets_left("/proc/self/net/tcp") && !sockets_left("/proc/self/net/tcp6"))
			return;
		usleep(10000);
	}
	fprintf(stderr, "sockets are left:\n");
	system("cat /proc/self/net/tcp /proc/self/net/tcp6 >&2");
	exit(1);
}

int main(int argc, char **argv)
{
	unsigned int i, first, count, beside;
	unsigned long long seed;
	struct plan here = { .far = true };

	if (argc != 5) {
		fprintf(stderr, "usage: converse SEED FIRST COUNT SIDE-BY-SIDE\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 10);
	first = atoi(argv[2]);
	count = atoi(argv[3]);
	beside = atoi(argv[4]);
	file_of_zeros = CHECK(memfd_create("zeros", MFD_CLOEXEC));
	CHECK(ftruncate(file_of_zeros, BIG));
	for (i = 0; i < beside; i++) {
		pid_t pid = CHECK(fork());

		if (!pid) {
			works(seed, first + i, first + count, beside);
			exit(0);
		}
	}
	for (i = 0; i < beside; i++) {
		int status;

		CHECK(wait(&status));
		MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	wait_for_the_rest();
	if (getenv("LIVE_FAR")) {
		enter_far(&here);
		wait_for_the_rest();
	}
	return 0;
}
