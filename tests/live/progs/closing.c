/* SPDX-License-Identifier: MIT */
/* The ways a connection ends: half-close, unread data, linger 0, exit without close(), a kill. */
#include <netinet/tcp.h>
#include <signal.h>

#include "live.h"

#define UNREAD 1000 /* bytes */

static void half_server(void *arg)
{
	int fd, ls = listening(AF_INET, 1);
	char buf[7];

	gate_open(arg, port_of(ls));
	fd = CHECK(accept(ls, NULL, NULL));
	recv_all(fd, buf, 7);
	recv_eof(fd);
	send_all(fd, "the reply", 9);
	CHECK(close(fd));
	CHECK(close(ls));
}

static void half(void)
{
	struct gate port = gate_new();
	pid_t child = spawn(half_server, &port);
	int fd = connected(AF_INET, gate_wait(&port));
	char buf[9];

	send_all(fd, "request", 7);
	CHECK(shutdown(fd, SHUT_WR));
	recv_all(fd, buf, 9);
	recv_eof(fd);
	CHECK(close(fd));
	reap(child);
}

/* close() with bytes nobody read: an RST instead of a FIN. */
static void unread(void)
{
	char buf[UNREAD] = "";
	int s[2];

	tcp_pair(s);
	send_all(s[1], buf, sizeof(buf));
	wait_queued(s[0], sizeof(buf));
	CHECK(close(s[0]));
	FAILS(recv(s[1], buf, sizeof(buf), 0), ECONNRESET);
	FAILS(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[1]));
}

static void linger(void)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	char buf[8];
	int s[2];

	tcp_pair(s);
	send_all(s[0], "12345", 5);
	wait_queued(s[1], 5);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	CHECK(close(s[0]));
	recv_all(s[1], buf, 5);
	FAILS(recv(s[1], buf, sizeof(buf), 0), ECONNRESET);
	CHECK(close(s[1]));
}

/* Data for a socket that is closed, but has not sent its last ACK: it answers with an RST. */
static void late(void)
{
	int stay = 100,
	    s[2]; /* seconds in FIN_WAIT2, more than TIME_WAIT lasts: no other socket takes over */

	tcp_pair(s);
	CHECK(setsockopt(s[0], IPPROTO_TCP, TCP_LINGER2, &stay, sizeof(stay)));
	CHECK(close(s[0]));
	recv_eof(s[1]);
	send_all(s[1], "too late", 8);
	FAILS(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[1]));
}

struct child_end {
	int s[2];
};

static void send_and_exit(void *arg)
{
	struct child_end *e = arg;

	CHECK(close(e->s[1]));
	send_all(e->s[0], "bye", 3);
	_exit(0);
}

static void by_exit(void)
{
	struct child_end e;
	char buf[3];
	pid_t child;

	tcp_pair(e.s);
	child = spawn(send_and_exit, &e);
	CHECK(close(e.s[0]));
	recv_all(e.s[1], buf, 3);
	recv_eof(e.s[1]);
	CHECK(close(e.s[1]));
	reap(child);
}

static void recv_for_ever(void *arg)
{
	struct child_end *e = arg;
	char c;

	CHECK(close(e->s[1]));
	CHECK(recv(e->s[0], &c, 1, 0));
}

static void by_kill(void)
{
	struct child_end e;
	int status;
	pid_t child;

	tcp_pair(e.s);
	child = spawn(recv_for_ever, &e);
	CHECK(close(e.s[0]));
	wait_inside(child, child, SYS_recvfrom);
	CHECK(kill(child, SIGKILL));
	recv_eof(e.s[1]);
	CHECK(close(e.s[1]));
	CHECK(waitpid(child, &status, 0));
	MUST(WIFSIGNALED(status));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "half", half }, { "unread", unread }, { "linger", linger },
		{ "late", late }, { "exit", by_exit },	{ "kill", by_kill },
	};

	return RUN_SCENARIO(list);
}
