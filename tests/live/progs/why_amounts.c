/* SPDX-License-Identifier: MIT */
/* Calls that move less than was asked for, nothing, or the same bytes twice. */
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>

#include "live.h"

#define LARGE 8000000 /* bytes, more than both buffers take */

static char buf[LARGE];

static void end(int s[2])
{
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

static void narrow(int fd)
{
	int little = 16384;

	CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)));
}

/* A send that must not wait takes what fits. */
static void nonblock(void)
{
	int s[2];
	ssize_t n;

	tcp_pair(s);
	narrow(s[0]);
	n = CHECK(send(s[0], buf, LARGE, MSG_DONTWAIT));
	MUST(n > 0 && n < LARGE);
	recv_all(s[1], buf, n);
	end(s);
}

/* A send that waits, and not longer than SO_SNDTIMEO. */
static void timeout(void)
{
	struct timeval little = { .tv_usec = 50000 };
	int s[2];
	ssize_t n;

	tcp_pair(s);
	narrow(s[0]);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &little, sizeof(little)));
	n = CHECK(send(s[0], buf, LARGE, 0));
	MUST(n > 0 && n < LARGE);
	recv_all(s[1], buf, n);
	end(s);
}

static void nothing(int signo)
{
	(void)signo;
}

static void handle_usr1(void)
{
	struct sigaction sa = { .sa_handler = nothing };

	CHECK(sigaction(SIGUSR1, &sa, NULL));
}

/* When the parent sleeps in the call, a signal. */
static void poke(void *arg)
{
	pid_t parent = getppid();

	wait_inside(parent, parent, *(long *)arg);
	CHECK(kill(parent, SIGUSR1));
}

/* A send that waits is interrupted when a part was taken. */
static void interrupted(void)
{
	long call = SYS_sendto;
	int s[2];
	pid_t child;
	ssize_t n;

	handle_usr1();
	tcp_pair(s);
	narrow(s[0]);
	child = spawn(poke, &call);
	n = CHECK(send(s[0], buf, LARGE, 0));
	MUST(n > 0 && n < LARGE);
	reap(child);
	recv_all(s[1], buf, n);
	end(s);
}

/* Asked for 100, there are 14. */
static void little(void)
{
	int s[2];

	tcp_pair(s);
	send_all(s[0], "Hello, Server!", 14);
	wait_queued(s[1], 14);
	MUST(recv(s[1], buf, 100, 0) == 14);
	send_all(s[0], "Hello, Server!", 14);
	wait_queued(s[1], 14);
	MUST(recv(s[1], buf, 100, 0) == 14);
	end(s);
}

/* MSG_WAITALL, and the FIN comes first. */
static void waitall_eof(void)
{
	int s[2];

	tcp_pair(s);
	send_all(s[0], "abc", 3);
	CHECK(shutdown(s[0], SHUT_WR));
	MUST(recv(s[1], buf, 100, MSG_WAITALL) == 3);
	end(s);
}

static void waitall_timeout(void)
{
	struct timeval little = { .tv_usec = 50000 };
	int s[2];

	tcp_pair(s);
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &little, sizeof(little)));
	send_all(s[0], "abc", 3);
	MUST(recv(s[1], buf, 100, MSG_WAITALL) == 3);
	end(s);
}

static void waitall_signal(void)
{
	long call = SYS_recvfrom;
	int s[2];
	pid_t child;

	handle_usr1();
	tcp_pair(s);
	send_all(s[0], "abc", 3);
	wait_queued(s[1], 3);
	child = spawn(poke, &call);
	MUST(recv(s[1], buf, 100, MSG_WAITALL) == 3);
	reap(child);
	end(s);
}

/* Two looks, and then the same three bytes. */
static void peek(void)
{
	int s[2];

	tcp_pair(s);
	send_all(s[0], "abc", 3);
	wait_queued(s[1], 3);
	MUST(recv(s[1], buf, 100, MSG_PEEK) == 3);
	MUST(recv(s[1], buf, 100, MSG_PEEK) == 3);
	MUST(recv(s[1], buf, 3, 0) == 3);
	end(s);
}

/* On TCP, MSG_TRUNC takes bytes and writes none. */
static void trunc_tcp(void)
{
	int s[2];

	tcp_pair(s);
	send_all(s[0], "abcdef", 6);
	wait_queued(s[1], 6);
	buf[0] = '-';
	MUST(recv(s[1], buf, 3, MSG_TRUNC) == 3);
	MUST(buf[0] == '-');
	recv_all(s[1], buf, 3);
	MUST(buf[0] == 'd');
	end(s);
}

/* The peer does not notice. */
static void empty(void)
{
	int s[2];

	tcp_pair(s);
	MUST(send(s[0], "", 0, 0) == 0);
	FAILS(recv(s[1], buf, 100, MSG_DONTWAIT), EAGAIN);
	end(s);
}

/* Everything is taken, and asked for exactly. */
static void whole(void)
{
	int s[2];

	tcp_pair(s);
	for (int i = 0; i < 3; i++) {
		send_all(s[0], "abc", 3);
		recv_all(s[1], buf, 3);
	}
	end(s);
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "nonblock", nonblock },
		{ "timeout", timeout },
		{ "interrupted", interrupted },
		{ "little", little },
		{ "waitall-eof", waitall_eof },
		{ "waitall-timeout", waitall_timeout },
		{ "waitall-signal", waitall_signal },
		{ "peek", peek },
		{ "trunc", trunc_tcp },
		{ "empty", empty },
		{ "whole", whole },
	};

	return RUN_SCENARIO(list);
}
