/* SPDX-License-Identifier: MIT */
/* Every way to move bytes through a socket that is not send() and recv(). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "live.h"

static char six[6] = "sixsix", ten[10] = "ten in all";
static struct iovec parts[2] = { { six, sizeof(six) }, { ten, sizeof(ten) } };
#define ALL (sizeof(six) + sizeof(ten))
#define MANY_PARTS 20
#define PART 11 /* bytes */
#define MANY_MESSAGES 30

static void finish(int s[2])
{
	CHECK(close(s[0]));
	recv_eof(s[1]);
	CHECK(close(s[1]));
}

static void msg(void)
{
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };
	int s[2];

	tcp_pair(s);
	MUST(sendmsg(s[0], &m, 0) == ALL);
	MUST(recvmsg(s[1], &m, MSG_WAITALL) == ALL);
	finish(s);
}

static void vec(void)
{
	int s[2];

	tcp_pair(s);
	MUST(writev(s[0], parts, 2) == ALL);
	MUST(readv(s[1], parts, 2) == ALL);
	finish(s);
}

static void rw(void)
{
	int s[2];

	tcp_pair(s);
	MUST(write(s[0], ten, sizeof(ten)) == sizeof(ten));
	MUST(read(s[1], ten, sizeof(ten)) == sizeof(ten));
	CHECK(close(s[0]));
	MUST(read(s[1], ten, sizeof(ten)) == 0);
	CHECK(close(s[1]));
}

static void mmsg(void)
{
	struct mmsghdr m[2] = {
		{ .msg_hdr = { .msg_iov = &parts[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &parts[1], .msg_iovlen = 1 } },
	};
	int s[2];

	s[1] = bound(AF_INET, SOCK_DGRAM);
	s[0] = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
	connect_to(s[0], AF_INET, port_of(s[1]));
	MUST(sendmmsg(s[0], m, 2, 0) == 2);
	MUST(recvmmsg(s[1], m, 2, 0, NULL) == 2);
	MUST(m[0].msg_len == sizeof(six) && m[1].msg_len == sizeof(ten));
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* More parts and more messages than fit one record. */
static void many(void)
{
	static char bytes[MANY_PARTS * PART], room[MANY_PARTS * PART];
	struct iovec from[MANY_PARTS], to[MANY_PARTS];
	int s[2];

	for (int i = 0; i < MANY_PARTS; i++) {
		from[i] = (struct iovec){ bytes + i * PART, PART };
		to[i] = (struct iovec){ room + i * PART, PART };
	}
	tcp_pair(s);
	MUST(writev(s[0], from, MANY_PARTS) == sizeof(bytes));
	wait_queued(s[1], sizeof(bytes));
	MUST(readv(s[1], to, MANY_PARTS) == sizeof(room));
	finish(s);
}

/* Message i has i + 1 bytes. */
static void mmany(void)
{
	static char bytes[MANY_MESSAGES];
	struct mmsghdr m[MANY_MESSAGES] = { 0 };
	struct iovec io[MANY_MESSAGES];
	int s[2];

	for (int i = 0; i < MANY_MESSAGES; i++) {
		io[i] = (struct iovec){ bytes, i + 1 };
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &io[i], .msg_iovlen = 1 };
	}
	s[1] = bound(AF_INET, SOCK_DGRAM);
	s[0] = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
	connect_to(s[0], AF_INET, port_of(s[1]));
	MUST(sendmmsg(s[0], m, MANY_MESSAGES, 0) == MANY_MESSAGES);
	MUST(recvmmsg(s[1], m, MANY_MESSAGES, 0, NULL) == MANY_MESSAGES);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* sendfile() out of a file, splice() into a pipe. */
static void file(void)
{
	char buf[5000] = "";
	int s[2], pipes[2], fd = CHECK(memfd_create("live", 0));

	tcp_pair(s);
	CHECK(pipe(pipes));
	MUST(write(fd, buf, sizeof(buf)) == sizeof(buf));
	CHECK(lseek(fd, 0, SEEK_SET));
	MUST(sendfile(s[0], fd, NULL, sizeof(buf)) == sizeof(buf));
	wait_queued(s[1], sizeof(buf));
	for (size_t got = 0; got < sizeof(buf);)
		got += CHECK(splice(s[1], NULL, pipes[1], NULL, sizeof(buf) - got, 0));
	for (size_t got = 0; got < sizeof(buf);)
		got += CHECK(splice(pipes[0], NULL, s[1], NULL, sizeof(buf) - got, 0));
	recv_all(s[0], buf, sizeof(buf));
	finish(s);
}

/* MSG_PEEK shows bytes and takes none. */
static void peek(void)
{
	int s[2];

	tcp_pair(s);
	send_all(s[0], ten, sizeof(ten));
	wait_queued(s[1], sizeof(ten));
	MUST(recv(s[1], ten, sizeof(ten), MSG_PEEK) == sizeof(ten));
	MUST(recv(s[1], six, sizeof(six), MSG_PEEK) == sizeof(six));
	recv_all(s[1], ten, sizeof(ten));
	FAILS(recv(s[1], ten, sizeof(ten), MSG_DONTWAIT), EAGAIN);
	finish(s);
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "msg", msg },	  { "vec", vec },   { "rw", rw },     { "mmsg", mmsg },
		{ "file", file }, { "peek", peek }, { "many", many }, { "mmany", mmany },
	};

	return RUN_SCENARIO(list);
}
