/* SPDX-License-Identifier: MIT */
/* Calls that do not suit the socket, calls that cannot be served now, buffers and their numbers. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/un.h>

#include "live.h"

static char big[70000];

static void nothing(int signal)
{
	(void)signal;
}

static void listener(void)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	int ls = listening(AF_INET, 1);

	connected(AF_INET, port_of(ls));
	CHECK(accept(ls, NULL, NULL));
	FAILS(getpeername(ls, (struct sockaddr *)&at, &len), ENOTCONN);
	FAILS(recv(ls, big, 10, 0), ENOTCONN);
}

static void unconnected(void)
{
	FAILS(recv(CHECK(socket(AF_INET, SOCK_STREAM, 0)), big, 10, 0), ENOTCONN);
}

/* The connection is reset before it is asked about. */
static void over(void)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	struct pollfd p = { .events = 0 };
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	int s[2];

	tcp_pair(s);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	CHECK(close(s[0]));
	p.fd = s[1];
	MUST(poll(&p, 1, -1) == 1);
	FAILS(getpeername(s[1], (struct sockaddr *)&at, &len), ENOTCONN);
}

static void not_listening(void)
{
	FAILS(accept(bound(AF_INET, SOCK_STREAM), NULL, NULL), EINVAL);
}

static void accept_connection(void)
{
	int s[2];

	tcp_pair(s);
	FAILS(accept(s[1], NULL, NULL), EINVAL);
	FAILS(listen(s[1], 1), EINVAL);
}

static void no_stream(void)
{
	FAILS(listen(bound(AF_INET, SOCK_DGRAM), 1), EOPNOTSUPP);
}

static void no_address(void)
{
	FAILS(send(CHECK(socket(AF_INET, SOCK_DGRAM, 0)), "x", 1, 0), EDESTADDRREQ);
}

static void too_big(void)
{
	int fd = CHECK(socket(AF_INET, SOCK_DGRAM, 0));

	connect_to(fd, AF_INET, port_of(bound(AF_INET, SOCK_DGRAM)));
	FAILS(send(fd, big, 65508, 0), EMSGSIZE);
}

static void pointer(void)
{
	int s[2];

	tcp_pair(s);
	FAILS(send(s[0], (char *)8, 4, MSG_NOSIGNAL), EFAULT);
}

/* More control data than net.core.optmem_max allows. */
static void no_buffers(void)
{
	struct msghdr m = { .msg_controllen = 64 << 20 };
	int s[2];

	tcp_pair(s);
	m.msg_control = malloc(m.msg_controllen);
	MUST(m.msg_control);
	FAILS(sendmsg(s[0], &m, MSG_NOSIGNAL), ENOBUFS);
}

/* An AF_UNIX listener whose queue is full, and a client that does not wait. */
static void unix_full(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int ls = CHECK(socket(AF_UNIX, SOCK_STREAM, 0)), i, fd, failed = 0;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", getenv("LIVE_PATH"));
	CHECK(bind(ls, (struct sockaddr *)&at, sizeof(at)));
	CHECK(listen(ls, 0));
	for (i = 0; i < 4 && !failed; i++) {
		fd = CHECK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
		failed = connect(fd, (struct sockaddr *)&at, sizeof(at)) == -1;
	}
	MUST(failed && errno == EAGAIN);
}

/* EAGAIN where a program waits with poll(): no fault. */
static void again(void)
{
	struct pollfd p = { .events = POLLIN };
	int s[2], ls = listening(AF_INET, 1), i;

	CHECK(fcntl(ls, F_SETFL, O_NONBLOCK));
	FAILS(accept(ls, NULL, NULL), EAGAIN);
	tcp_pair(s);
	p.fd = s[1];
	for (i = 0; i < 300; i++) {
		FAILS(recv(s[1], big, 10, MSG_DONTWAIT), EAGAIN);
		CHECK(poll(&p, 1, 0));
	}
	CHECK(fcntl(s[0], F_SETFL, O_NONBLOCK));
	while (send(s[0], big, sizeof(big), MSG_NOSIGNAL) > 0)
		;
	MUST(errno == EAGAIN);
}

static void spin(void)
{
	int s[2], i;

	tcp_pair(s);
	for (i = 0; i < 300; i++)
		FAILS(recv(s[1], big, 10, MSG_DONTWAIT), EAGAIN);
}

static void timeout(void)
{
	struct timeval t = { .tv_usec = 30000 };
	int s[2];

	tcp_pair(s);
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	FAILS(recv(s[1], big, 10, 0), EAGAIN);
}

static void knock(void *arg)
{
	pid_t pid = *(pid_t *)arg;

	wait_inside(pid, pid, SYS_recvfrom);
	CHECK(kill(pid, SIGUSR1));
}

/* A signal while recv() waits. With a timeout set, even SA_RESTART does not go on. */
static void signalled(int flags, int timed)
{
	struct sigaction act = { .sa_handler = nothing, .sa_flags = flags };
	struct timeval t = { .tv_sec = 10 };
	pid_t me = getpid(), child;
	int s[2];

	tcp_pair(s);
	CHECK(sigaction(SIGUSR1, &act, NULL));
	if (timed)
		CHECK(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	child = spawn(knock, &me);
	FAILS(recv(s[1], big, 10, 0), EINTR);
	CHECK(close(s[1]));
	reap(child);
}

struct accepting {
	struct gate tid;
	int ls;
};

static void *accepts(void *arg)
{
	struct accepting *a = arg;

	gate_open(&a->tid, (int)syscall(SYS_gettid));
	CHECK(accept(a->ls, NULL, NULL));
	return NULL;
}

/* One thread waits for a client, another one ends the program. */
static void exits(void)
{
	struct accepting a = { .tid = gate_new(), .ls = listening(AF_INET, 1) };
	pthread_t thread;

	MUST(pthread_create(&thread, NULL, accepts, &a) == 0);
	wait_inside(getpid(), gate_wait(&a.tid), SYS_accept);
	exit(0);
}

static void interrupted(void)
{
	signalled(SA_RESTART, 1);
}

static void interrupted_plain(void)
{
	signalled(0, 0);
}

struct knocks {
	pid_t pid;
	int fd;
};

static struct gate handled;

static void tell_handled(int signal)
{
	gate_open(&handled, signal);
}

static void knock_then_send(void *arg)
{
	struct knocks *k = arg;

	knock(&k->pid);
	gate_wait(&handled);
	send_all(k->fd, "hello", 5);
}

/* The handler runs while recv() waits, and the bytes come after it: the program notices nothing. */
static void restarted(void)
{
	struct sigaction act = { .sa_handler = tell_handled, .sa_flags = SA_RESTART };
	struct knocks k = { .pid = getpid() };
	pid_t child;
	int s[2];

	tcp_pair(s);
	handled = gate_new();
	k.fd = s[0];
	CHECK(sigaction(SIGUSR1, &act, NULL));
	child = spawn(knock_then_send, &k);
	MUST(recv(s[1], big, 10, 0) == 5);
	reap(child);
}

static void buffers(void)
{
	int size = 10000, tiny = 1, ls = listening(AF_INET, 1), c;

	CHECK(setsockopt(ls, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	c = connected(AF_INET, port_of(ls));
	CHECK(setsockopt(c, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	c = CHECK(socket(AF_INET, SOCK_STREAM, 0));
	CHECK(setsockopt(c, SOL_SOCKET, SO_SNDBUF, &tiny, sizeof(tiny)));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "listener", listener },
		{ "unconnected", unconnected },
		{ "over", over },
		{ "not-listening", not_listening },
		{ "accept-connection", accept_connection },
		{ "no-stream", no_stream },
		{ "no-address", no_address },
		{ "too-big", too_big },
		{ "pointer", pointer },
		{ "no-buffers", no_buffers },
		{ "unix-full", unix_full },
		{ "again", again },
		{ "spin", spin },
		{ "timeout", timeout },
		{ "interrupted", interrupted },
		{ "interrupted-plain", interrupted_plain },
		{ "restarted", restarted },
		{ "exits", exits },
		{ "buffers", buffers },
	};

	return RUN_SCENARIO(list);
}
