/* SPDX-License-Identifier: MIT */
/* Where bytes are that send() took: unread, unsent, left behind by close(), never read. */
#include <netinet/tcp.h>
#include <signal.h>

#include "live.h"

#define LARGE 300000 /* bytes, more than a small receive buffer takes */

static char buf[LARGE];

/* A connection whose reader has little room and whose writer has much. s[0] = client. */
static void narrow_pair(int s[2])
{
	int little = 4096, much = 4 * LARGE, ls = bound(AF_INET, SOCK_STREAM);

	/* before listen(): the child inherits it, and its window scale fits */
	CHECK(setsockopt(ls, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)));
	CHECK(listen(ls, 1));
	s[0] = CHECK(socket(AF_INET, SOCK_STREAM, 0));
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_SNDBUFFORCE, &much, sizeof(much)));
	connect_to(s[0], AF_INET, port_of(ls));
	s[1] = CHECK(accept(ls, NULL, NULL));
	CHECK(close(ls));
}

/* In the receive queue before send() returns; read later. */
static void arrived(void)
{
	int s[2];

	tcp_pair(s);
	send_all(s[0], "Hello, Server!", 14);
	wait_queued(s[1], 14);
	recv_all(s[1], buf, 14);
	CHECK(close(s[0]));
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

/* The server has not even called accept(). */
static void unaccepted(void)
{
	int ls = listening(AF_INET, 1), fd = connected(AF_INET, port_of(ls)), child;

	send_all(fd, buf, 5000);
	child = CHECK(accept(ls, NULL, NULL));
	recv_all(child, buf, 5000);
	CHECK(close(fd));
	recv_eof(child);
	CHECK(close(child));
	CHECK(close(ls));
}

/* Most of it has not left when send() returns. */
static void unsent(void)
{
	int s[2];

	narrow_pair(s);
	send_all(s[0], buf, LARGE);
	recv_all(s[1], buf, LARGE);
	CHECK(close(s[0]));
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

/* The first send leaves at once, of the second a part waits. */
static void later(void)
{
	int s[2];

	narrow_pair(s);
	send_all(s[0], buf, 100);
	send_all(s[0], buf, LARGE);
	recv_all(s[1], buf, 100);
	recv_all(s[1], buf, LARGE);
	CHECK(close(s[0]));
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

/* close() with a full send queue; the reader takes its time, then reads everything. */
static void left(void)
{
	int s[2];

	narrow_pair(s);
	send_all(s[0], buf, LARGE);
	CHECK(close(s[0]));
	usleep(100000); /* a slow reader */
	recv_all(s[1], buf, LARGE);
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

struct leaving {
	int s[2];
	struct gate alone; /* the parent has closed its copy */
};

static void leave(void *arg)
{
	struct leaving *l = arg;

	CHECK(close(l->s[1]));
	gate_wait(&l->alone);
	send_all(l->s[0], buf, LARGE);
	_exit(0);
}

/* The same by the end of a process. */
static void exited(void)
{
	struct leaving l = { .alone = gate_new() };
	pid_t child;

	narrow_pair(l.s);
	child = spawn(leave, &l);
	CHECK(close(l.s[0]));
	gate_open(&l.alone, 1);
	reap(child);
	recv_all(l.s[1], buf, LARGE);
	recv_eof(l.s[1]);
	CHECK(close(l.s[1]));
}

/* close() with a full send queue, and then the peer speaks: an RST, and the queue is gone. */
static void lost(void)
{
	int s[2];

	narrow_pair(s);
	send_all(s[0], buf, LARGE);
	CHECK(close(s[0]));
	send_all(s[1], "late", 4);
	while (recv(s[1], buf, sizeof(buf), 0) > 0)
		;
	CHECK(close(s[1]));
}

static void sit(void *arg)
{
	int *s = arg;

	CHECK(close(s[0]));
	for (;;)
		pause();
}

/* The reader is stopped; its kernel acknowledges. When the test lets go it is killed. */
static void stopped(void)
{
	int s[2], status;
	pid_t child;

	tcp_pair(s);
	child = spawn(sit, s);
	CHECK(close(s[1]));
	wait_inside(child, child, SYS_pause);
	CHECK(kill(child, SIGSTOP));
	CHECK(waitpid(child, &status, WUNTRACED));
	send_all(s[0], buf, 5000);
	wait_acked(s[0]);
	hold();
	CHECK(kill(child, SIGKILL));
	CHECK(waitpid(child, &status, 0));
	CHECK(close(s[0]));
}

/* The reader closes with bytes unread. */
static void unread(void)
{
	int s[2];

	tcp_pair(s);
	send_all(s[0], buf, 1000);
	wait_queued(s[1], 1000);
	recv_all(s[1], buf, 400);
	CHECK(close(s[1]));
	CHECK(close(s[0]));
}

/* Nobody accepts, and the listener goes. */
static void ignored(void)
{
	int ls = listening(AF_INET, 1), fd = connected(AF_INET, port_of(ls));

	send_all(fd, buf, 700);
	wait_acked(fd);
	CHECK(close(ls));
	CHECK(close(fd));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "arrived", arrived }, { "unaccepted", unaccepted },
		{ "unsent", unsent },	{ "later", later },
		{ "left", left },	{ "exited", exited },
		{ "lost", lost },	{ "stopped", stopped },
		{ "unread", unread },	{ "ignored", ignored },
	};

	return RUN_SCENARIO(list);
}
