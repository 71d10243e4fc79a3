/* SPDX-License-Identifier: MIT */
/* What is left of a connection: TIME_WAIT, CLOSE_WAIT, FIN_WAIT2; descriptors that outlive a close(). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>

#include "live.h"

/* --- TIME_WAIT --- */

static void pair_with(int reuse, int s[2])
{
	int ls = CHECK(socket(AF_INET, SOCK_STREAM, 0));
	struct sockaddr_storage at;
	socklen_t len = loopback(AF_INET, wanted_port(), &at);

	CHECK(setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)));
	CHECK(bind(ls, (struct sockaddr *)&at, len));
	CHECK(listen(ls, 1));
	s[0] = connected(AF_INET, port_of(ls));
	s[1] = CHECK(accept(ls, NULL, NULL));
	CHECK(close(ls));
}

/* Close one end, then the other; the FINs do not cross. */
static void close_both(int first, int second)
{
	CHECK(shutdown(first, SHUT_WR));
	recv_eof(second);
	CHECK(close(second));
	recv_eof(first);
	CHECK(close(first));
}

static void client_first(void)
{
	int s[2];

	pair_with(0, s);
	close_both(s[0], s[1]);
}

static void server_first(void)
{
	int s[2];

	pair_with(0, s);
	close_both(s[1], s[0]);
}

static void server_reuse(void)
{
	int s[2];

	pair_with(1, s);
	close_both(s[1], s[0]);
}

/* Closed by a process that is gone before the other end closes: a time-wait entry waits for its FIN. */
static void orphan(void)
{
	int s[2];

	tcp_pair(s);
	CHECK(shutdown(s[0], SHUT_WR));
	wait_acked(s[0]); /* the FIN, too: FIN_WAIT2 */
	CHECK(close(s[0]));
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

/* Both ends close, and the first FIN gets lost on its way (the test sees to it): they pass each other. */
static void cross(void)
{
	int s[2];

	tcp_pair(s);
	CHECK(shutdown(s[0], SHUT_WR));
	CHECK(shutdown(s[1], SHUT_WR));
	recv_eof(s[0]);
	recv_eof(s[1]);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* --- CLOSE_WAIT and FIN_WAIT2: until the test ends our standard input --- */

static void close_wait(void)
{
	int s[2];

	tcp_pair(s);
	CHECK(close(s[0]));
	recv_eof(s[1]);
	hold();
	CHECK(close(s[1]));
}

static void not_looked(void)
{
	int s[2];

	tcp_pair(s);
	CHECK(close(s[0]));
	hold();
	CHECK(close(s[1]));
}

/* The peer shut down sending only: it waits for an answer, and nothing is wrong. */
static void half_open(void)
{
	int s[2];

	tcp_pair(s);
	CHECK(shutdown(s[0], SHUT_WR));
	recv_eof(s[1]);
	close_wait(); /* tells the test when enough time has passed */
	CHECK(close(s[1]));
	CHECK(close(s[0]));
}

/* --- accept() --- */

static void accept_left(void)
{
	int fd, ls = listening(AF_INET, 1), c = connected(AF_INET, port_of(ls));
	char buf[5];

	send_all(c, "hello", 5);
	CHECK(close(c));
	fd = CHECK(accept(ls, NULL, NULL));
	recv_all(fd, buf, 5);
	recv_eof(fd);
	CHECK(close(fd));
	CHECK(close(ls));
}

static void accept_half(void)
{
	int fd, ls = listening(AF_INET, 1), c = connected(AF_INET, port_of(ls));

	CHECK(shutdown(c, SHUT_WR));
	fd = CHECK(accept(ls, NULL, NULL));
	recv_eof(fd);
	CHECK(close(fd));
	CHECK(close(c));
	CHECK(close(ls));
}

static void accept_reset(void)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	int fd, ls = listening(AF_INET, 1), c = connected(AF_INET, port_of(ls));
	char b;

	CHECK(setsockopt(c, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	CHECK(close(c));
	fd = CHECK(accept(ls, NULL, NULL));
	FAILS(recv(fd, &b, 1, 0), ECONNRESET);
	CHECK(close(fd));
	CHECK(close(ls));
}

/* --- more than one holder --- */

struct ends {
	int s[2];
	struct gate ready, go, closed;
};

static void answer_and_leave(void *arg)
{
	struct ends *e = arg;
	char buf[4];

	recv_all(e->s[1], buf, 4);
	send_all(e->s[1], "pong", 4);
}

static void client(void *arg)
{
	struct ends *e = arg;
	char buf[4];

	CHECK(close(e->s[1]));
	send_all(e->s[0], "ping", 4);
	recv_all(e->s[0], buf, 4);
	recv_eof(e->s[0]);
}

/* A server that forks and forgets to close its own descriptor: the client gets no EOF. */
static void forgot(void)
{
	struct ends e;
	pid_t c, w;

	tcp_pair(e.s);
	c = spawn(client, &e);
	CHECK(close(e.s[0]));
	w = spawn(answer_and_leave, &e);
	reap(w);
	hold();
	CHECK(close(e.s[1]));
	reap(c);
}

static void holds(void *arg)
{
	gate_wait(arg);
}

static void polling_client(void *arg)
{
	struct ends *e = arg;
	struct pollfd p = { .fd = e->s[0], .events = POLLIN };
	char buf[4];

	CHECK(close(e->s[1]));
	gate_open(&e->ready, 0);
	gate_wait(&e->closed); /* it waits for the EOF, never for the answer */
	recv_all(e->s[0], buf, 4);
	MUST(poll(&p, 1, -1) == 1);
	recv_eof(e->s[0]);
}

/* A server answers and closes, but a child still has the socket; the client waits in poll(). */
static void kept(void)
{
	struct ends e = { .ready = gate_new(), .go = gate_new(), .closed = gate_new() };
	pid_t c, w;

	tcp_pair(e.s);
	c = spawn(polling_client, &e);
	gate_wait(&e.ready);
	CHECK(close(e.s[0]));
	w = spawn(holds, &e.go);
	send_all(e.s[1], "pong", 4);
	CHECK(close(e.s[1]));
	gate_open(&e.closed, 0);
	hold();
	gate_open(&e.go, 0);
	reap(w);
	reap(c);
}

/* Run cat in a child that has inherited everything that is not close-on-exec; it ends with its input. */
static pid_t run_cat(struct gate *g)
{
	pid_t child;

	for (int i = 0; i < 2; i++)
		CHECK(fcntl(g->fd[i], F_SETFD, FD_CLOEXEC));
	child = CHECK(fork());
	if (child == 0) {
		CHECK(dup2(g->fd[0], STDIN_FILENO));
		CHECK(execl("/bin/cat", "cat", NULL));
	}
	return child;
}

/* Until the child is the other program: it reads its standard input. */
static void wait_cat(pid_t child)
{
	char path[64], name[16] = "";

	snprintf(path, sizeof(path), "/proc/%d/comm", child);
	while (strcmp(name, "cat\n") != 0) {
		FILE *f = fopen(path, "r");

		MUST(f && fgets(name, sizeof(name), f));
		fclose(f);
		sched_yield();
	}
	wait_inside(child, child, SYS_read); /* it has its name before the program is told of */
}

/* A child with another program keeps the listening socket. */
static void stray(void)
{
	int again, ls = listening(AF_INET, 1);
	struct gate g = gate_new();
	struct sockaddr_storage at;
	socklen_t len = loopback(AF_INET, port_of(ls), &at);
	pid_t child = run_cat(&g);

	wait_cat(child);
	CHECK(close(ls));
	again = CHECK(socket(AF_INET, SOCK_STREAM, 0));
	FAILS(bind(again, (struct sockaddr *)&at, len), EADDRINUSE);
	CHECK(close(g.fd[1]));
	reap(child);
	CHECK(bind(again, (struct sockaddr *)&at, len));
	CHECK(close(again));
}

/* Several descriptors of a socket that has nobody to send a FIN to. */
static void unconnected(void)
{
	int fd = CHECK(socket(AF_INET, SOCK_STREAM, 0)), copy = CHECK(dup(fd));

	CHECK(close(fd));
	CHECK(close(copy));
}

struct blocked {
	struct gate tid;
	int fd;
	int way; /* 0 recv, 1 accept, 2 poll */
};

static void *block(void *arg)
{
	struct blocked *b = arg;
	struct pollfd p = { .fd = b->fd, .events = POLLIN };
	char buf[8];

	gate_open(&b->tid, (int)syscall(SYS_gettid));
	if (b->way == 0)
		MUST(recv(b->fd, buf, sizeof(buf), 0) == 4);
	else if (b->way == 1)
		CHECK(accept(b->fd, NULL, NULL));
	else
		CHECK(poll(&p, 1, -1));
	return NULL;
}

static void start(pthread_t *thread, struct blocked *b, long call)
{
	b->tid = gate_new();
	MUST(pthread_create(thread, NULL, block, b) == 0);
	wait_inside(getpid(), gate_wait(&b->tid), call);
}

/* close() does not wake recv() in another thread: data that comes later is still received. */
static void in_recv(void)
{
	struct blocked b = { .way = 0 };
	pthread_t thread;
	int s[2];

	tcp_pair(s);
	b.fd = s[1];
	start(&thread, &b, SYS_recvfrom);
	CHECK(close(s[1]));
	send_all(s[0], "late", 4);
	MUST(pthread_join(thread, NULL) == 0);
	recv_eof(s[0]);
	CHECK(close(s[0]));
}

static void in_accept(void)
{
	int ls = listening(AF_INET, 1), port = port_of(ls);
	struct blocked b = { .way = 1, .fd = ls };
	pthread_t thread;

	start(&thread, &b, SYS_accept);
	CHECK(close(ls));
	CHECK(close(connected(AF_INET, port)));
	MUST(pthread_join(thread, NULL) == 0);
}

static void in_poll(void)
{
	struct blocked b = { .way = 2 };
	pthread_t thread;
	int s[2];

	tcp_pair(s);
	b.fd = s[1];
	start(&thread, &b, SYS_poll);
	CHECK(close(s[1]));
	send_all(s[0], "late", 4);
	MUST(pthread_join(thread, NULL) == 0);
	CHECK(close(s[0]));
}

/* The only other descriptor is on its way through a socket of AF_UNIX: nobody has it. */
static void in_flight(void)
{
	int s[2], via[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, via));
	tcp_pair(s);
	rights(via[0], s[0]);
	CHECK(close(s[0]));
	CHECK(close(rights(via[1], -1)));
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "client-first", client_first },
		{ "server-first", server_first },
		{ "server-reuse", server_reuse },
		{ "orphan", orphan },
		{ "cross", cross },
		{ "close-wait", close_wait },
		{ "not-looked", not_looked },
		{ "half-open", half_open },
		{ "accept-left", accept_left },
		{ "accept-half", accept_half },
		{ "accept-reset", accept_reset },
		{ "forgot", forgot },
		{ "kept", kept },
		{ "stray", stray },
		{ "unconnected", unconnected },
		{ "in-recv", in_recv },
		{ "in-accept", in_accept },
		{ "in-poll", in_poll },
		{ "in-flight", in_flight },
	};

	return RUN_SCENARIO(list);
}
