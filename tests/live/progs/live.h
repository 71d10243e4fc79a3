/* SPDX-License-Identifier: MIT */
/*
 * What the small programs of the live tests share: every call is checked, every wait is on a
 * condition (a pipe, a queue, a line of /proc), and an alarm bounds the whole program.
 */
#ifndef TESTS_LIVE_H
#define TESTS_LIVE_H

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* arm64 has neither; libc's poll() and pause() make the one call that is left. */
#ifndef SYS_poll
#define SYS_poll SYS_ppoll
#endif
#ifndef SYS_pause
#define SYS_pause SYS_ppoll
#endif

#define LIVE_SECONDS 20 /* no program lives longer */

/* The call's result; a negative one ends the program with the call's text and errno. */
#define CHECK(call) check((call), #call, __FILE__, __LINE__)
/* Any fact that must hold. */
#define MUST(fact) check((fact) ? 0 : -1, #fact, __FILE__, __LINE__)
/* A call that must fail, with exactly this errno. */
#define FAILS(call, err) check((call) == -1 && errno == (err) ? 0 : -1, #call, __FILE__, __LINE__)

static inline long check(long ret, const char *what, const char *file, int line)
{
	if (ret < 0) {
		fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, strerror(errno));
		exit(1);
	}
	return ret;
}

/* One scenario of a program: run by its name, argv[1]. */
struct scenario {
	const char *name;
	void (*run)(void);
};

static inline int run_scenario(const struct scenario *list, size_t n, int argc, char **argv)
{
	alarm(LIVE_SECONDS);
	for (size_t i = 0; argc > 1 && i < n; i++) {
		if (strcmp(list[i].name, argv[1]) == 0) {
			list[i].run();
			return 0;
		}
	}
	fprintf(stderr, "usage: %s", argv[0]);
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "%s%s", i ? " | " : " ", list[i].name);
	fputc('\n', stderr);
	return 2;
}

#define RUN_SCENARIO(list) run_scenario(list, sizeof(list) / sizeof((list)[0]), argc, argv)

/* A pipe used as a gate between processes; carries one number. */
struct gate {
	int fd[2];
};

static inline struct gate gate_new(void)
{
	struct gate g;

	CHECK(pipe(g.fd));
	return g;
}

static inline void gate_open(const struct gate *g, int number)
{
	CHECK(write(g->fd[1], &number, sizeof(number)));
}

static inline int gate_wait(const struct gate *g)
{
	int number = 0;

	MUST(read(g->fd[0], &number, sizeof(number)) == sizeof(number));
	return number;
}

/* Wait until whoever holds our standard input closes it: the test decides when. */
static inline void hold(void)
{
	char c;

	while (CHECK(read(STDIN_FILENO, &c, 1)) > 0)
		;
}

static inline pid_t spawn(void (*fn)(void *), void *arg)
{
	pid_t pid = CHECK(fork());

	if (pid == 0) {
		alarm(LIVE_SECONDS);
		fn(arg);
		exit(0);
	}
	return pid;
}

/* Wait for the child, which must have ended well. */
static inline void reap(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0));
	MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The loopback address of a family. */
static inline socklen_t loopback(int family, int port, struct sockaddr_storage *at)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)at;

	memset(at, 0, sizeof(*at));
	at->ss_family = family;
	if (family == AF_INET) {
		v4->sin_port = htons(port);
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*v4);
	}
	v6->sin6_port = htons(port);
	v6->sin6_addr = in6addr_loopback;
	return sizeof(*v6);
}

static inline int port_of(int fd)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	CHECK(getsockname(fd, (struct sockaddr *)&at, &len));
	return ntohs(at.ss_family == AF_INET ? ((struct sockaddr_in *)&at)->sin_port :
					       ((struct sockaddr_in6 *)&at)->sin6_port);
}

/* The port asked for by the test, 0 = the kernel chooses. */
static inline int wanted_port(void)
{
	const char *port = getenv("LIVE_PORT");

	return port ? atoi(port) : 0;
}

static inline int bound(int family, int type)
{
	struct sockaddr_storage at;
	socklen_t len = loopback(family, wanted_port(), &at);
	int fd = CHECK(socket(family, type, 0));

	CHECK(bind(fd, (struct sockaddr *)&at, len));
	return fd;
}

static inline int listening(int family, int backlog)
{
	int fd = bound(family, SOCK_STREAM);

	CHECK(listen(fd, backlog));
	return fd;
}

static inline void connect_to(int fd, int family, int port)
{
	struct sockaddr_storage at;
	socklen_t len = loopback(family, port, &at);

	CHECK(connect(fd, (struct sockaddr *)&at, len));
}

static inline int connected(int family, int port)
{
	int fd = CHECK(socket(family, SOCK_STREAM, 0));

	connect_to(fd, family, port);
	return fd;
}

/* Both ends of a TCP connection in this process; s[0] = client. The listener is gone. */
static inline void tcp_pair(int s[2])
{
	int ls = listening(AF_INET, 1);

	s[0] = connected(AF_INET, port_of(ls));
	s[1] = CHECK(accept(ls, NULL, NULL));
	CHECK(close(ls));
}

static inline void send_all(int fd, const char *bytes, size_t len)
{
	MUST(send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
}

/* Exactly len bytes, in as many calls as it takes. */
static inline void recv_all(int fd, char *bytes, size_t len)
{
	for (size_t got = 0; got < len;) {
		ssize_t n = CHECK(recv(fd, bytes + got, len - got, 0));

		MUST(n > 0);
		got += n;
	}
}

static inline void recv_eof(int fd)
{
	char c;

	MUST(recv(fd, &c, 1, 0) == 0);
}

/* Until the receive queue holds that many bytes. */
static inline void wait_queued(int fd, int bytes)
{
	int n = 0;

	while (n < bytes) {
		CHECK(ioctl(fd, SIOCINQ, &n));
		sched_yield();
	}
}

/* Until everything sent was acknowledged. */
static inline void wait_acked(int fd)
{
	int n = 1;

	while (n > 0) {
		CHECK(ioctl(fd, SIOCOUTQ, &n));
		sched_yield();
	}
}

/* Until the thread sits inside this system call. */
static inline void wait_inside(pid_t pid, pid_t tid, long call)
{
	char path[64];
	long now = -1;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	while (now != call) {
		FILE *f = fopen(path, "r");

		MUST(f);
		if (fscanf(f, "%ld", &now) != 1)
			now = -1;
		fclose(f);
		sched_yield();
	}
}

/* One SCM_RIGHTS descriptor beside one byte. fd < 0: receive it, and return it. */
static inline int rights(int via, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = { .buf = "" };
	char byte = 'x';
	struct iovec io = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = u.buf,
			    .msg_controllen = sizeof(u.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (fd < 0) {
		MUST(recvmsg(via, &m, 0) == 1);
		c = CMSG_FIRSTHDR(&m);
		MUST(c && c->cmsg_type == SCM_RIGHTS);
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		return fd;
	}
	*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
			       .cmsg_type = SCM_RIGHTS,
			       .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	MUST(sendmsg(via, &m, 0) == 1);
	return fd;
}

/* Sockets that are not in TIME_WAIT (6) yet: some outlive their processes. */
static inline int sockets_left(const char *table)
{
	FILE *f = fopen(table, "r");
	char line[512];
	unsigned int state;
	int n = 0;

	MUST(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " %*[0-9]: %*s %*s %x", &state) == 1 && state != 6)
			n++;
	fclose(f);
	return n;
}

/* A counter of /proc/net/netstat, such as "ListenOverflows". */
static inline long netstat(const char *name)
{
	char names[8192], values[8192], *n, *v, *np, *vp;
	FILE *f = fopen("/proc/self/net/netstat", "r");

	MUST(f);
	while (fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		n = strtok_r(names, " \n", &np);
		v = strtok_r(values, " \n", &vp);
		for (; n && v; n = strtok_r(NULL, " \n", &np), v = strtok_r(NULL, " \n", &vp)) {
			if (strcmp(n, name) == 0) {
				fclose(f);
				return atol(v);
			}
		}
	}
	fclose(f);
	MUST(!"counter known");
	return 0;
}

#endif
