/* SPDX-License-Identifier: MIT */
/* One client process and one server process: "Hello, Server!", "Hello, Client!", client closes first. */
#include <fcntl.h>

#include "live.h"

struct side {
	struct gate port;
	int server_family;
	int client_family;
	size_t bytes; /* 0: the two greetings */
};

static const char to_server[] = "Hello, Server!";
static const char to_client[] = "Hello, Client!";

static int server_socket(const struct side *s)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(wanted_port()) };
	int fd, off = 0;

	if (s->server_family == s->client_family)
		return listening(s->server_family, 8);
	fd = CHECK(socket(AF_INET6, SOCK_STREAM, 0));
	CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)));
	CHECK(bind(fd, (struct sockaddr *)&any, sizeof(any)));
	CHECK(listen(fd, 8));
	return fd;
}

static void drink(int fd, size_t bytes)
{
	char buf[65536];
	size_t got = 0;

	while (got < bytes) {
		ssize_t n = CHECK(recv(fd, buf, sizeof(buf), 0));

		MUST(n > 0);
		got += n;
	}
}

static void pour(int fd, size_t bytes)
{
	static const char buf[65536];

	while (bytes) {
		size_t part = bytes < sizeof(buf) ? bytes : sizeof(buf);

		bytes -= CHECK(send(fd, buf, part, MSG_NOSIGNAL));
	}
}

static void server(void *arg)
{
	struct side *s = arg;
	char buf[64];
	int ls = server_socket(s), fd;

	gate_open(&s->port, port_of(ls));
	fd = CHECK(accept(ls, NULL, NULL));
	if (s->bytes) {
		drink(fd, s->bytes);
	} else {
		recv_all(fd, buf, strlen(to_server));
		send_all(fd, to_client, strlen(to_client));
	}
	recv_eof(fd);
	CHECK(close(fd));
	CHECK(close(ls));
}

static void client(struct side *s, int port)
{
	char buf[64];
	int fd = connected(s->client_family, port);

	if (s->bytes) {
		pour(fd, s->bytes);
	} else {
		send_all(fd, to_server, strlen(to_server));
		recv_all(fd, buf, strlen(to_client));
	}
	CHECK(close(fd));
}

static void both(struct side s)
{
	pid_t child;

	s.port = gate_new();
	child = spawn(server, &s);
	client(&s, gate_wait(&s.port));
	reap(child);
}

static void v4(void)
{
	both((struct side){ .server_family = AF_INET, .client_family = AF_INET });
}

static void v6(void)
{
	both((struct side){ .server_family = AF_INET6, .client_family = AF_INET6 });
}

static void mapped(void)
{
	both((struct side){ .server_family = AF_INET6, .client_family = AF_INET });
}

static void bulk(void)
{
	both((struct side){ .server_family = AF_INET, .client_family = AF_INET, .bytes = 3000000 });
}

/* Both ends in one thread: the kernel answers the connect, the program accepts later. */
static void alone(void)
{
	char buf[64];
	int s[2];

	tcp_pair(s);
	send_all(s[0], to_server, strlen(to_server));
	recv_all(s[1], buf, strlen(to_server));
	send_all(s[1], to_client, strlen(to_client));
	recv_all(s[0], buf, strlen(to_client));
	CHECK(close(s[0]));
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

/* As alone, but the descriptors stay open until standard input ends; "ready" tells the test. */
static void held(void)
{
	char buf[64];
	int s[2];

	tcp_pair(s);
	send_all(s[0], to_server, strlen(to_server));
	recv_all(s[1], buf, 5);
	send_all(s[1], to_client, strlen(to_client));
	recv_all(s[0], buf, strlen(to_client));
	wait_acked(s[0]);
	wait_acked(s[1]);
	MUST(puts("ready") >= 0 && fflush(stdout) == 0);
	hold();
	recv_all(s[1], buf, strlen(to_server) - 5);
	CHECK(close(s[0]));
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

/* LIVE_AFTER is a FIFO: says "moved", and goes on when somebody opens that for writing. */
static void wait_to_close(void)
{
	const char *fifo = getenv("LIVE_AFTER");

	if (!fifo)
		return;
	MUST(puts("moved") >= 0 && fflush(stdout) == 0);
	CHECK(close(CHECK(open(fifo, O_RDONLY | O_CLOEXEC))));
}

/*
 * "ready"; when standard input ends, LIVE_ROUNDS round trips of 64 bytes as fast as they go; "done".
 * Four calls a round, and eleven before and after.
 */
static void burst(void)
{
	char buf[64] = "";
	int s[2], rounds = atoi(getenv("LIVE_ROUNDS") ?: "1");

	tcp_pair(s);
	MUST(puts("ready") >= 0 && fflush(stdout) == 0);
	hold();
	for (int i = 0; i < rounds; i++) {
		send_all(s[0], buf, sizeof(buf));
		MUST(recv(s[1], buf, sizeof(buf), 0) == sizeof(buf));
		send_all(s[1], buf, sizeof(buf));
		MUST(recv(s[0], buf, sizeof(buf), 0) == sizeof(buf));
	}
	wait_to_close();
	CHECK(close(s[0]));
	recv_eof(s[1]);
	CHECK(close(s[1]));
	MUST(puts("done") >= 0 && fflush(stdout) == 0);
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "v4", v4 },	{ "v6", v6 },	    { "mapped", mapped },
		{ "bulk", bulk }, { "alone", alone }, { "held", held },
		{ "burst", burst },
	};

	return RUN_SCENARIO(list);
}
