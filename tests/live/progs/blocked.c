/* SPDX-License-Identifier: MIT */
/* A call that blocks until the test closes our standard input. */
#include "live.h"

#define BUFFER 8192	/* bytes asked for on both sides */
#define PAYLOAD 1000000 /* bytes in one send() */

static void set_buffer(int fd, int option)
{
	int size = BUFFER;

	CHECK(setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size)));
}

/* Buffers are set on the listener: the accepted socket inherits them before a byte arrives. */
static void slow_reader(void *arg)
{
	static char buf[PAYLOAD];
	int fd, ls = bound(AF_INET, SOCK_STREAM);

	set_buffer(ls, SO_RCVBUF);
	CHECK(listen(ls, 1));
	gate_open(arg, port_of(ls));
	fd = CHECK(accept(ls, NULL, NULL));
	hold();
	recv_all(fd, buf, sizeof(buf));
	recv_eof(fd);
	CHECK(close(fd));
	CHECK(close(ls));
}

static void blocked_send(void)
{
	static const char buf[PAYLOAD];
	struct gate port = gate_new();
	pid_t child = spawn(slow_reader, &port);
	int fd = CHECK(socket(AF_INET, SOCK_STREAM, 0));

	set_buffer(fd, SO_SNDBUF);
	connect_to(fd, AF_INET, gate_wait(&port));
	send_all(fd, buf, sizeof(buf));
	CHECK(close(fd));
	reap(child);
}

static void late_writer(void *arg)
{
	int fd, ls = listening(AF_INET, 1);

	gate_open(arg, port_of(ls));
	fd = CHECK(accept(ls, NULL, NULL));
	hold();
	send_all(fd, "at last", 7);
	recv_eof(fd);
	CHECK(close(fd));
	CHECK(close(ls));
}

static void blocked_recv(void)
{
	struct gate port = gate_new();
	pid_t child = spawn(late_writer, &port);
	int fd = connected(AF_INET, gate_wait(&port));
	char buf[7];

	recv_all(fd, buf, sizeof(buf));
	CHECK(close(fd));
	reap(child);
}

static void late_client(void *arg)
{
	int fd, port = gate_wait(arg);

	hold();
	fd = connected(AF_INET, port);
	recv_eof(fd);
	CHECK(close(fd));
}

static void blocked_accept(void)
{
	struct gate port = gate_new();
	pid_t child = spawn(late_client, &port);
	int fd, ls = listening(AF_INET, 1);

	gate_open(&port, port_of(ls));
	fd = CHECK(accept(ls, NULL, NULL));
	CHECK(close(fd));
	CHECK(close(ls));
	reap(child);
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "send", blocked_send },
		{ "recv", blocked_recv },
		{ "accept", blocked_accept },
	};

	return RUN_SCENARIO(list);
}
