/* SPDX-License-Identifier: MIT */
/* The reasons of an RST: each scenario makes a kernel send one. */
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>

#include "live.h"

#define PART 4096   /* bytes of the receive buffer asked for */
#define MUCH 100000 /* bytes: more than such a receiver takes, less than a send queue holds */

static char bytes[MUCH];

/* s[0] = client with a small receive buffer, s[1] = server that has a large send queue. */
static void narrow_pair(int s[2])
{
	int ls = listening(AF_INET, 1), small = PART, large = 4 * MUCH;

	s[0] = CHECK(socket(AF_INET, SOCK_STREAM, 0));
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)));
	connect_to(s[0], AF_INET, port_of(ls));
	s[1] = CHECK(accept(ls, NULL, NULL));
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_SNDBUF, &large, sizeof(large)));
	CHECK(close(ls));
}

static void option(int fd, int level, int name, int value)
{
	CHECK(setsockopt(fd, level, name, &value, sizeof(value)));
}

/* What is in the queue can still be read, then the reset is told. */
static void drain(int fd)
{
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		;
	MUST(n == -1 && errno == ECONNRESET);
}

/* A server that answers without having read the request. */
static void unread(void)
{
	int s[2];

	narrow_pair(s);
	send_all(s[0], "1234", 4);
	wait_queued(s[1], 4);
	send_all(s[1], bytes, sizeof(bytes));
	wait_queued(s[0], 1000);
	CHECK(close(s[1]));
	drain(s[0]);
	CHECK(close(s[0]));
}

/* The same, but the process is killed. */
static void killed_server(void *arg)
{
	int *s = arg;

	CHECK(close(s[0]));
	pause();
}

static void killed(void)
{
	pid_t child;
	int s[2], status;

	tcp_pair(s);
	send_all(s[0], "1234567", 7);
	wait_queued(s[1], 7);
	child = spawn(killed_server, s);
	CHECK(close(s[1]));
	wait_inside(child, child, SYS_pause);
	CHECK(kill(child, SIGKILL));
	CHECK(waitpid(child, &status, 0));
	FAILS(recv(s[0], bytes, 1, 0), ECONNRESET);
	CHECK(close(s[0]));
}

/* The server closes with a full send queue; 4 bytes come after that. */
static void late(void)
{
	int s[2];

	narrow_pair(s);
	send_all(s[1], bytes, sizeof(bytes));
	wait_queued(s[0], 1000);
	CHECK(close(s[1]));
	send_all(s[0], "late", 4);
	drain(s[0]);
	CHECK(close(s[0]));
}

/* Is the socket at that port, or what is left of it, in FIN_WAIT2? */
static bool in_fin_wait2(int port)
{
	FILE *f = fopen("/proc/self/net/tcp", "r");
	char line[256], want[40];
	bool found = false;

	MUST(f);
	snprintf(want, sizeof(want), ":%04X 0100007F:", (unsigned int)port);
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, want) && strstr(line, " 05 ");
	fclose(f);
	return found;
}

/* Until its FIN was acknowledged, which may take a delayed ACK. */
static void wait_fin_wait2(int port)
{
	while (!in_fin_wait2(port))
		sched_yield();
}

/* Of the server only a time-wait entry is left when the bytes come. */
static void timewait(void)
{
	int s[2], port;

	tcp_pair(s);
	port = port_of(s[1]);
	CHECK(close(s[1]));
	recv_eof(s[0]);
	wait_fin_wait2(port);
	send_all(s[0], "late", 4);
	FAILS(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[0]));
}

/* The time-wait entry is gone as well when the bytes come: the server waits for the FIN no longer than 1 s. */
static void gone(void)
{
	int s[2], port;

	tcp_pair(s);
	port = port_of(s[1]);
	option(s[1], IPPROTO_TCP, TCP_LINGER2, 1);
	CHECK(close(s[1]));
	recv_eof(s[0]);
	wait_fin_wait2(port);
	while (in_fin_wait2(port))
		usleep(1000);
	send_all(s[0], "later", 5);
	FAILS(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[0]));
}

/* The server does not wait for the client's FIN at all. */
static void no_wait(void)
{
	int s[2];

	tcp_pair(s);
	CHECK(shutdown(s[1], SHUT_WR));
	wait_acked(s[1]); /* the FIN, too: FIN_WAIT2 */
	option(s[1], IPPROTO_TCP, TCP_LINGER2, -1);
	CHECK(close(s[1]));
	FAILS(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[0]));
}

/* Both ways shut down, the descriptor still open: what comes is refused. */
static void shut(void)
{
	int s[2];

	tcp_pair(s);
	CHECK(shutdown(s[1], SHUT_RDWR));
	recv_eof(s[0]);
	send_all(s[0], "12345", 5);
	FAILS(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

static void linger(void)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	int s[2];

	narrow_pair(s);
	send_all(s[1], bytes, sizeof(bytes));
	wait_queued(s[0], 1000);
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	CHECK(close(s[1]));
	drain(s[0]);
	CHECK(close(s[0]));
}

/* One is accepted, two wait; then the listener is closed. */
static void listener(void)
{
	int ls = listening(AF_INET, 5), fd[3], s, port = port_of(ls);

	fd[0] = connected(AF_INET, port);
	s = CHECK(accept(ls, NULL, NULL));
	fd[1] = connected(AF_INET, port);
	fd[2] = connected(AF_INET, port);
	send_all(fd[1], "hello", 5);
	CHECK(close(ls));
	FAILS(recv(fd[1], bytes, 1, 0), ECONNRESET);
	FAILS(recv(fd[2], bytes, 1, 0), ECONNRESET);
	send_all(s, "ok", 2);
	recv_all(fd[0], bytes, 2);
	CHECK(close(fd[0]));
	recv_eof(s);
	CHECK(close(s));
	CHECK(close(fd[1]));
	CHECK(close(fd[2]));
}

static void disconnect(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int s[2];

	tcp_pair(s);
	CHECK(connect(s[0], &none, sizeof(none)));
	FAILS(recv(s[1], bytes, 1, 0), ECONNRESET);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* From here on nothing passes: everything sent is lost. */
static void cut_loopback(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	int fd = CHECK(socket(AF_INET, SOCK_DGRAM, 0));

	CHECK(ioctl(fd, SIOCGIFFLAGS, &r));
	r.ifr_flags &= (short)~IFF_UP;
	CHECK(ioctl(fd, SIOCSIFFLAGS, &r));
	CHECK(close(fd));
}

static void keepalive(void)
{
	int s[2];

	tcp_pair(s);
	option(s[0], SOL_SOCKET, SO_KEEPALIVE, 1);
	option(s[0], IPPROTO_TCP, TCP_KEEPIDLE, 1);
	option(s[0], IPPROTO_TCP, TCP_KEEPINTVL, 1);
	option(s[0], IPPROTO_TCP, TCP_KEEPCNT, 1);
	cut_loopback();
	FAILS(recv(s[0], bytes, 1, 0), ETIMEDOUT);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

static void user_timeout(void)
{
	int s[2];

	tcp_pair(s);
	option(s[0], IPPROTO_TCP, TCP_USER_TIMEOUT, 300);
	cut_loopback();
	send_all(s[0], "123456", 6);
	FAILS(recv(s[0], bytes, 1, 0), ETIMEDOUT);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* Everything is read before each close(): no reason for an RST. */
static void clean(void)
{
	int s[2];

	tcp_pair(s);
	send_all(s[0], "question", 8);
	recv_all(s[1], bytes, 8);
	send_all(s[1], "reply", 5);
	recv_all(s[0], bytes, 5);
	CHECK(close(s[0]));
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "unread", unread },	    { "killed", killed },
		{ "late", late },	    { "time-wait", timewait },
		{ "shut", shut },	    { "linger", linger },
		{ "listener", listener },   { "disconnect", disconnect },
		{ "keepalive", keepalive }, { "user-timeout", user_timeout },
		{ "gone", gone },	    { "no-wait", no_wait },
		{ "clean", clean },
	};

	return RUN_SCENARIO(list);
}
