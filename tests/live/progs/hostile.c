/* SPDX-License-Identifier: MIT */
/*
 * Names that would steer a terminal or break a format, wherever a program may choose one: argv[1] is
 * the name in hexadecimal, and the test's folder is the current one. Without a name, a conversation
 * in the name of the program's file.
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/un.h>

#include "live.h"

#define NAME_MAX_LEN 255

static char name[NAME_MAX_LEN + 1];
static size_t name_len;

static void take_name(const char *hex)
{
	unsigned int byte;

	MUST(strlen(hex) / 2 <= NAME_MAX_LEN);
	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		name[name_len++] = (char)byte;
	MUST(name_len);
}

/* The name again and again, as much as fits. */
static void fill(char *to, size_t size)
{
	size_t i;

	for (i = 0; i < size - 1; i++)
		to[i] = name[i % name_len];
	to[i] = '\0';
}

static void *converse(void *thread)
{
	char buf[5];
	int s[2];

	if (thread)
		CHECK(prctl(PR_SET_NAME, name));
	tcp_pair(s);
	send_all(s[0], "five.", 5);
	CHECK(close(s[0]));
	recv_all(s[1], buf, 5);
	recv_eof(s[1]);
	CHECK(close(s[1]));
	return NULL;
}

static void named_thread(void)
{
	pthread_t thread;

	MUST(!pthread_create(&thread, NULL, converse, name));
	MUST(!pthread_join(thread, NULL));
}

/* The path, or, where it begins with a zero byte, the abstract name. */
static socklen_t address(struct sockaddr_un *at, const char *path, size_t len)
{
	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(at->sun_path, path, len);
	return offsetof(struct sockaddr_un, sun_path) + len;
}

static void unix_stream(const char *path, size_t path_len)
{
	struct sockaddr_un at;
	socklen_t len = address(&at, path, path_len);
	int fd, ls = CHECK(socket(AF_UNIX, SOCK_STREAM, 0));
	int other = CHECK(socket(AF_UNIX, SOCK_STREAM, 0));

	CHECK(bind(ls, (struct sockaddr *)&at, len));
	FAILS(bind(other, (struct sockaddr *)&at, len), EADDRINUSE);
	CHECK(listen(ls, 1));
	CHECK(connect(other, (struct sockaddr *)&at, len));
	fd = CHECK(accept(ls, NULL, NULL));
	send_all(other, "five.", 5);
	CHECK(close(fd)); /* with five bytes unread */
	CHECK(close(other));
	CHECK(close(ls));
}

static void unix_datagram(const char *path, size_t path_len)
{
	struct sockaddr_un at;
	socklen_t len = address(&at, path, path_len);
	int to = CHECK(socket(AF_UNIX, SOCK_DGRAM, 0)),
	    from = CHECK(socket(AF_UNIX, SOCK_DGRAM, 0));

	FAILS(sendto(from, "five.", 5, 0, (struct sockaddr *)&at, len), ENOENT);
	FAILS(connect(from, (struct sockaddr *)&at, len), ENOENT);
	CHECK(bind(to, (struct sockaddr *)&at, len));
	MUST(sendto(from, "five.", 5, 0, (struct sockaddr *)&at, len) == 5);
	CHECK(close(to));
	CHECK(close(from));
}

static void unix_names(void)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)], abstract[60];

	fill(path, sizeof(path));
	unix_stream(path, sizeof(path));
	CHECK(unlink(path));
	unix_datagram(name, name_len + 1);
	CHECK(unlink(name));
	abstract[0] = '\0';
	fill(abstract + 1, sizeof(abstract) - 1);
	unix_stream(abstract, sizeof(abstract));
}

/* Numeric, so that nobody is asked; the name is what counts. */
static void host_names(void)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *list;
	char longer[200];

	fill(longer, sizeof(longer));
	MUST(getaddrinfo(name, name, &hints, &list) != 0);
	MUST(getaddrinfo(longer, longer, &hints, &list) != 0);
	hints.ai_flags |= AI_NUMERICSERV;
	MUST(getaddrinfo("127.0.0.1", name, &hints, &list) != 0);
}

static void options(void)
{
	int s = CHECK(socket(AF_INET, SOCK_STREAM, 0));

	FAILS(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name, name_len), ENOENT);
	FAILS(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, name_len), ENODEV);
	FAILS(setsockopt(s, IPPROTO_TCP, 12345, name, name_len), ENOPROTOOPT);
	CHECK(close(s));
}

/* In a process that is new to whoever watches: what had another name before keeps it there. */
static void named_process(void *unused)
{
	(void)unused;
	converse(NULL);
	named_thread();
	unix_names();
	host_names();
	options();
}

int main(int argc, char **argv)
{
	alarm(LIVE_SECONDS);
	if (argc > 1) {
		take_name(argv[1]);
		CHECK(prctl(PR_SET_NAME, name));
		reap(spawn(named_process, NULL));
	} else {
		converse(NULL);
	}
	return 0;
}
