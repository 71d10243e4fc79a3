/* SPDX-License-Identifier: MIT */
/* What becomes of datagrams: cut short, dropped, sent to nobody or to a stranger, left unread. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <sys/uio.h>

#include "live.h"

#define SMALL_RCVBUF 4096
#define BURST 50
#define BYTES 500

/* s[0] is connected to s[1], which is bound. */
static void udp_pair(int s[2])
{
	s[1] = bound(AF_INET, SOCK_DGRAM);
	s[0] = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
	connect_to(s[0], AF_INET, port_of(s[1]));
}

static void send_to(int fd, int port, const char *bytes, size_t len)
{
	struct sockaddr_storage at;
	socklen_t size = loopback(AF_INET, port, &at);

	MUST(sendto(fd, bytes, len, 0, (struct sockaddr *)&at, size) == (ssize_t)len);
}

/* A port that was somebody's a moment ago. */
static int dead_port(void)
{
	int fd = bound(AF_INET, SOCK_DGRAM), port = port_of(fd);

	CHECK(close(fd));
	return port;
}

static void wait_error(int fd)
{
	struct pollfd p = { .fd = fd };

	MUST(poll(&p, 1, LIVE_SECONDS * 1000) == 1 && p.revents & POLLERR);
}

static void cut(void)
{
	char buf[4];
	int s[2];

	udp_pair(s);
	send_all(s[0], "0123456789", 10);
	send_all(s[0], "0123456", 7);
	MUST(recv(s[1], buf, sizeof(buf), 0) == 4);
	MUST(recv(s[1], buf, sizeof(buf), 0) == 4);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

static void cut_asked(void)
{
	char buf[4];
	int s[2];

	udp_pair(s);
	send_all(s[0], "0123456789", 10);
	MUST(recv(s[1], buf, sizeof(buf), MSG_TRUNC) == 10);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

static void cut_marked(void)
{
	char buf[4];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int s[2];

	udp_pair(s);
	send_all(s[0], "0123456789", 10);
	MUST(recvmsg(s[1], &m, 0) == 4 && m.msg_flags & MSG_TRUNC);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* Says how many were read; the others found the queue full. */
static void burst(void)
{
	char buf[BYTES] = "";
	int s[2], got = 0, size = SMALL_RCVBUF;

	udp_pair(s);
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	for (int i = 0; i < BURST; i++)
		send_all(s[0], buf, sizeof(buf));
	while (recv(s[1], buf, sizeof(buf), MSG_DONTWAIT) == sizeof(buf))
		got++;
	MUST(errno == EAGAIN && got > 0 && got < BURST);
	printf("%d\n", got);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* Sent, refused and not sent, sent. */
static void refused(void)
{
	int fd = CHECK(socket(AF_INET, SOCK_DGRAM, 0));

	connect_to(fd, AF_INET, dead_port());
	send_all(fd, "abc", 3);
	wait_error(fd);
	FAILS(send(fd, "defg", 4, 0), ECONNREFUSED);
	send_all(fd, "hi", 2);
	CHECK(close(fd));
}

static void refused_recv(void)
{
	int fd = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
	char c;

	connect_to(fd, AF_INET, dead_port());
	send_all(fd, "abc", 3);
	FAILS(recv(fd, &c, 1, 0), ECONNREFUSED);
	CHECK(close(fd));
}

static void nobody(void)
{
	int fd = CHECK(socket(AF_INET, SOCK_DGRAM, 0)), port = dead_port();
	char c;

	send_to(fd, port, "abc", 3);
	send_to(fd, port, "def", 3);
	FAILS(recv(fd, &c, 1, MSG_DONTWAIT), EAGAIN);
	CHECK(close(fd));
}

/* The server has connected its socket to the first client; the second is not heard. */
static void stranger(void)
{
	int server = bound(AF_INET, SOCK_DGRAM), first = bound(AF_INET, SOCK_DGRAM);
	int second = bound(AF_INET, SOCK_DGRAM);
	char c;

	connect_to(server, AF_INET, port_of(first));
	send_to(first, port_of(server), "a", 1);
	send_to(second, port_of(server), "bcd", 3);
	MUST(recv(server, &c, 1, 0) == 1 && c == 'a');
	CHECK(close(server));
	CHECK(close(first));
	CHECK(close(second));
}

static void unread(void)
{
	char buf[20];
	int s[2];

	udp_pair(s);
	send_all(s[0], "abc", 3);
	send_all(s[0], "defgh", 5);
	send_all(s[0], "ijklmno", 7);
	MUST(recv(s[1], buf, sizeof(buf), 0) == 3);
	CHECK(close(s[1]));
	CHECK(close(s[0]));
}

/* The test stops what goes to the port on its way in. */
static void stopped(void)
{
	int s[2];

	udp_pair(s);
	send_all(s[0], "abc", 3);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* The receiver has a filter of its own: nothing passes. */
static void filtered(void)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = { .len = 1, .filter = &nothing };
	int s[2];
	char c;

	udp_pair(s);
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)));
	send_all(s[0], "abc", 3);
	send_all(s[0], "def", 3);
	FAILS(recv(s[1], &c, 1, MSG_DONTWAIT), EAGAIN);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* A socket of the namespace that the file LIVE_FAR names; the process is back in its own after it. */
static int far_socket(const struct sockaddr_in *at)
{
	int home = CHECK(open("/proc/self/ns/net", O_RDONLY));
	int there = CHECK(open(getenv("LIVE_FAR"), O_RDONLY)), fd;

	CHECK(setns(there, CLONE_NEWNET));
	fd = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
	CHECK(bind(fd, (const struct sockaddr *)at, sizeof(*at)));
	CHECK(setns(home, CLONE_NEWNET));
	CHECK(close(home));
	CHECK(close(there));
	return fd;
}

/* The receiver is at 10.9.0.2, where a large datagram does not fit through: the test sees to it. */
static void lost(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(7007) };
	char buf[4000] = "";
	int s[2];

	MUST(inet_pton(AF_INET, "10.9.0.2", &at.sin_addr) == 1);
	s[1] = far_socket(&at);
	s[0] = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
	CHECK(connect(s[0], (struct sockaddr *)&at, sizeof(at)));
	send_all(s[0], buf, 4);
	MUST(recv(s[1], buf, sizeof(buf), 0) == 4);
	send_all(s[0], buf, sizeof(buf));
	FAILS(recv(s[1], buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* All is well: questions and answers, one of them empty, two clients. */
static void clean(void)
{
	int server = bound(AF_INET, SOCK_DGRAM), port = port_of(server), client[2];
	struct sockaddr_storage from;
	char buf[100];
	socklen_t len;

	for (int i = 0; i < 2; i++)
		client[i] = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
	connect_to(client[1], AF_INET, port);
	for (int i = 0; i < 10; i++) {
		send_to(client[i % 2], port, "0123456789", i);
		len = sizeof(from);
		MUST(recvfrom(server, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len) == i);
		MUST(sendto(server, buf, i, 0, (struct sockaddr *)&from, len) == i);
		MUST(recv(client[i % 2], buf, sizeof(buf), 0) == i);
	}
	CHECK(close(client[0]));
	CHECK(close(client[1]));
	CHECK(close(server));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "cut", cut },
		{ "cut-asked", cut_asked },
		{ "cut-marked", cut_marked },
		{ "burst", burst },
		{ "refused", refused },
		{ "refused-recv", refused_recv },
		{ "nobody", nobody },
		{ "stranger", stranger },
		{ "unread", unread },
		{ "stopped", stopped },
		{ "filtered", filtered },
		{ "lost", lost },
		{ "clean", clean },
	};

	return RUN_SCENARIO(list);
}
