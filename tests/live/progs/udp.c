/* SPDX-License-Identifier: MIT */
/* Datagrams: boundaries, truncation, an empty one, drops at a full socket, a dead port. */
#include "live.h"

#define SMALL_RCVBUF 2304 /* bytes; the kernel's least */
#define FLOOD 64	  /* datagrams, far more than it holds */

static void receive_three(void *arg)
{
	struct gate *port = arg;
	int fd = bound(AF_INET, SOCK_DGRAM);
	char buf[100];

	gate_open(port, port_of(fd));
	MUST(recv(fd, buf, sizeof(buf), 0) == 5);
	MUST(recv(fd, buf, sizeof(buf), 0) == 7);
	MUST(recv(fd, buf, sizeof(buf), 0) == 9);
	CHECK(close(fd));
}

static void boundaries(void)
{
	struct gate port = gate_new();
	struct sockaddr_storage at;
	pid_t child = spawn(receive_three, &port);
	socklen_t len = loopback(AF_INET, gate_wait(&port), &at);
	int fd = CHECK(socket(AF_INET, SOCK_DGRAM, 0));

	for (int n = 5; n <= 9; n += 2)
		MUST(sendto(fd, "123456789", n, 0, (struct sockaddr *)&at, len) == n);
	reap(child);
	CHECK(close(fd));
}

/* s[0] is connected to s[1], which is bound. */
static void udp_pair(int s[2])
{
	s[1] = bound(AF_INET, SOCK_DGRAM);
	s[0] = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
	connect_to(s[0], AF_INET, port_of(s[1]));
}

static void udp_close(const int s[2])
{
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

static void truncated(int flags, ssize_t first)
{
	char buf[4];
	int s[2];

	udp_pair(s);
	send_all(s[0], "0123456789", 10);
	send_all(s[0], "abc", 3);
	MUST(recv(s[1], buf, sizeof(buf), flags) == first);
	MUST(recv(s[1], buf, sizeof(buf), flags) == 3);
	udp_close(s);
}

static void trunc_plain(void)
{
	truncated(0, 4);
}

static void trunc_flag(void)
{
	truncated(MSG_TRUNC, 10);
}

static void zero(void)
{
	char buf[16];
	int s[2];

	udp_pair(s);
	send_all(s[0], "", 0);
	send_all(s[0], "abc", 3);
	MUST(recv(s[1], buf, sizeof(buf), 0) == 0);
	MUST(recv(s[1], buf, sizeof(buf), 0) == 3);
	udp_close(s);
}

static void drop(void)
{
	char buf[512] = "";
	int s[2], got = 0, size = SMALL_RCVBUF;

	udp_pair(s);
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	for (int i = 0; i < FLOOD; i++)
		send_all(s[0], buf, sizeof(buf));
	while (recv(s[1], buf, sizeof(buf), MSG_DONTWAIT) == sizeof(buf))
		got++;
	MUST(errno == EAGAIN && got > 0 && got < FLOOD);
	printf("sent %d received %d\n", FLOOD, got);
	udp_close(s);
}

static void dead(void)
{
	char buf[4];
	int s[2];

	udp_pair(s);
	CHECK(close(s[1]));
	send_all(s[0], "abc", 3);
	FAILS(recv(s[0], buf, sizeof(buf), 0), ECONNREFUSED);
	CHECK(close(s[0]));
}

/* Three sockets share a port; the kernel chooses one for each client. */
static void shared(void)
{
	int server[3], client[6], one = 1, port = 0;
	struct sockaddr_storage at;
	socklen_t len;
	char buf[16];

	for (int i = 0; i < 3; i++) {
		server[i] = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
		CHECK(setsockopt(server[i], SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
		len = loopback(AF_INET, port, &at);
		CHECK(bind(server[i], (struct sockaddr *)&at, len));
		port = port_of(server[i]);
	}
	for (int i = 0; i < 6; i++) {
		client[i] = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
		connect_to(client[i], AF_INET, port);
		send_all(client[i], "0123456", i);
		send_all(client[i], "0123456", i);
	}
	for (int i = 0; i < 3; i++)
		while (recv(server[i], buf, sizeof(buf), MSG_DONTWAIT) >= 0)
			;
	for (int i = 0; i < 6; i++)
		CHECK(close(client[i]));
	for (int i = 0; i < 3; i++)
		CHECK(close(server[i]));
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "boundaries", boundaries },
		{ "trunc", trunc_plain },
		{ "trunc-flag", trunc_flag },
		{ "zero", zero },
		{ "drop", drop },
		{ "dead", dead },
		{ "shared", shared },
	};

	return RUN_SCENARIO(list);
}
