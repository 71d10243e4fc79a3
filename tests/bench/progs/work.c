/* SPDX-License-Identifier: MIT */
/*
 * The loads of the benchmark: a client and a server on the loopback of a network namespace of their own, or one
 * process that makes no socket call. It prints "ready PID [PID]", waits for a line, works for a time or for a number
 * of operations, and prints what that took:
 *
 *   ops N ns N cpu_ns N calls N     ns: by the clock; cpu_ns: of both processes; calls: socket, connect, accept, send, recv
 *
 * usage: work MODE [-t MILLISECONDS | -n OPERATIONS] [-c CONNECTIONS] [-p CLIENT_CPU,SERVER_CPU]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_SEC 1000000000LL
#define MESSAGE 64 /* bytes, there and back */
#define ACTIVE 8   /* of a crowd of connections */
#define READ_BYTES 65536

static char buffer[READ_BYTES];

/* Of one process; in memory that both see. */
struct side {
	long calls;
	long long cpu_ns;
};

struct job {
	const struct mode *mode;
	long ops, ms, conns;
	int cpus[2]; /* client, server; -1: any */
	long done;   /* operations so far */
	long long began_ns, deadline_ns, ended_ns;
	long long client_cpu_ns; /* at the end */
	struct side *client, *server;
};

struct mode {
	const char *name;
	void (*client)(struct job *j, const struct sockaddr_in *to);
	void (*server)(struct job *j, int listener); /* NULL: one process, without sockets */
	size_t size;				     /* bytes of a message */
	long stride;				     /* operations between looks at the clock */
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static long long clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

/* --- the calls that count --- */

static void do_send(int fd, const void *data, size_t len, struct side *s)
{
	s->calls++;
	must(send(fd, data, len, 0) == (ssize_t)len, "send");
}

/* 0 at the end of the stream. */
static ssize_t do_recv(int fd, size_t len, int flags, struct side *s)
{
	ssize_t n = recv(fd, buffer, len, flags);

	s->calls++;
	must(n >= 0, "recv");
	return n;
}

static int do_connect(const struct sockaddr_in *to, struct side *s)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	s->calls += 2;
	must(fd >= 0, "socket");
	must(!connect(fd, (const struct sockaddr *)to, sizeof(*to)), "connect");
	return fd;
}

static int do_accept(int listener, struct side *s)
{
	int fd = accept(listener, NULL, NULL);

	s->calls++;
	must(fd >= 0, "accept");
	return fd;
}

/* --- how long --- */

/* What came before (connections) is not measured. */
static void begin(struct job *j)
{
	j->client->cpu_ns -= clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	j->began_ns = clock_ns(CLOCK_MONOTONIC);
	j->deadline_ns = j->began_ns + j->ms * 1000000LL;
}

static void server_begin(struct job *j)
{
	j->server->cpu_ns = -clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* Nor what comes after it: connections that are closed. */
static void finish(struct job *j)
{
	j->ended_ns = clock_ns(CLOCK_MONOTONIC);
	j->client_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static bool more(struct job *j)
{
	bool over = j->ops ? j->done >= j->ops :
			     j->done % j->mode->stride == 0 && clock_ns(CLOCK_MONOTONIC) >= j->deadline_ns;

	if (over)
		finish(j);
	else
		j->done++;
	return !over;
}

/* --- pingpong: a message there and back --- */

static void ask(int fd, struct job *j)
{
	do_send(fd, buffer, j->mode->size, j->client);
	do_recv(fd, j->mode->size, MSG_WAITALL, j->client);
}

static bool answer(int fd, struct job *j)
{
	if (!do_recv(fd, j->mode->size, MSG_WAITALL, j->server))
		return false;
	do_send(fd, buffer, j->mode->size, j->server);
	return true;
}

static void pingpong_client(struct job *j, const struct sockaddr_in *to)
{
	int fd = do_connect(to, j->client);

	begin(j);
	while (more(j))
		ask(fd, j);
	close(fd);
}

static void pingpong_server(struct job *j, int listener)
{
	int fd = do_accept(listener, j->server);

	while (answer(fd, j))
		;
	close(fd);
}

/* --- bulk: one way, until all of it is read --- */

static void bulk_client(struct job *j, const struct sockaddr_in *to)
{
	int fd = do_connect(to, j->client);

	begin(j);
	while (more(j))
		do_send(fd, buffer, j->mode->size, j->client);
	shutdown(fd, SHUT_WR);
	do_recv(fd, 1, 0, j->client);
	finish(j); /* now that all of it was read */
	close(fd);
}

static void bulk_server(struct job *j, int listener)
{
	int fd = do_accept(listener, j->server);

	while (do_recv(fd, READ_BYTES, 0, j->server) > 0)
		;
	close(fd);
}

/* --- churn: a connection for a byte each way --- */

static void churn_client(struct job *j, const struct sockaddr_in *to)
{
	begin(j);
	while (more(j)) {
		int fd = do_connect(to, j->client);

		ask(fd, j);
		close(fd);
	}
	close(do_connect(to, j->client)); /* says nothing: it was the last */
}

static void churn_server(struct job *j, int listener)
{
	for (bool last = false; !last;) {
		int fd = do_accept(listener, j->server);

		last = !answer(fd, j);
		close(fd);
	}
}

/* --- crowd: many connections, of which a few are in use --- */

static void crowd_client(struct job *j, const struct sockaddr_in *to)
{
	int *fds = calloc(j->conns, sizeof(*fds));

	must(fds != NULL, "calloc");
	for (long i = 0; i < j->conns; i++) {
		fds[i] = do_connect(to, j->client);
		do_recv(fds[i], 1, 0, j->client); /* its turn is over when it was accepted */
	}
	begin(j);
	while (more(j))
		ask(fds[j->done % ACTIVE * (j->conns / ACTIVE)], j);
	for (long i = 0; i < j->conns; i++)
		close(fds[i]);
	free(fds);
}

static int crowd_gather(struct job *j, int listener)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(0);

	for (long i = 0; i < j->conns; i++) {
		ev.data.fd = do_accept(listener, j->server);
		must(!epoll_ctl(ep, EPOLL_CTL_ADD, ev.data.fd, &ev), "epoll_ctl");
		do_send(ev.data.fd, buffer, 1, j->server);
	}
	return ep;
}

static void crowd_server(struct job *j, int listener)
{
	int ep = crowd_gather(j, listener);
	struct epoll_event ev;

	server_begin(j);
	do
		must(epoll_wait(ep, &ev, 1, -1) == 1, "epoll_wait");
	while (answer(ev.data.fd, j));
}

/* --- neighbours: no socket at all --- */

static void getppid_work(struct job *j, const struct sockaddr_in *unused)
{
	(void)unused;
	begin(j);
	while (more(j))
		syscall(SYS_getppid);
}

static void read_work(struct job *j, const struct sockaddr_in *unused)
{
	int fd = open("/dev/zero", O_RDONLY);

	(void)unused;
	must(fd >= 0, "/dev/zero");
	begin(j);
	while (more(j))
		must(read(fd, buffer, 1) == 1, "read");
	close(fd);
}

static const struct mode modes[] = {
	{ "pingpong", pingpong_client, pingpong_server, MESSAGE, 16 },
	{ "bulk1k", bulk_client, bulk_server, 1024, 64 },
	{ "bulk64k", bulk_client, bulk_server, 65536, 16 },
	{ "churn", churn_client, churn_server, 1, 4 },
	{ "crowd", crowd_client, crowd_server, MESSAGE, 16 },
	{ "getppid", getppid_work, NULL, 0, 1024 },
	{ "read", read_work, NULL, 0, 1024 },
};

/* --- the two processes --- */

static void pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(!sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

/* As few traces of other programs as of other runs. */
static void own_loopback(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	must(!unshare(CLONE_NEWNET), "unshare");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	must(fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &lo), "lo");
	close(fd);
}

static void many_descriptors(long conns)
{
	struct rlimit r = { conns + 100, conns + 100 };

	must(!setrlimit(RLIMIT_NOFILE, &r), "setrlimit");
}

/* Waits for the client to begin, makes the listener and tells its port. */
static void serve(struct job *j, int in, int out)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener;
	char go;

	pin(j->cpus[1]);
	if (read(in, &go, 1) != 1)
		exit(0); /* never begun */
	listener = socket(AF_INET, SOCK_STREAM, 0);
	j->server->calls++;
	must(!bind(listener, (struct sockaddr *)&addr, len), "bind");
	must(!listen(listener, 128), "listen");
	must(!getsockname(listener, (struct sockaddr *)&addr, &len), "getsockname");
	must(write(out, &addr, sizeof(addr)) == sizeof(addr), "write");
	server_begin(j);
	j->mode->server(j, listener);
	j->server->cpu_ns += clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	exit(0);
}

static pid_t start_server(struct job *j, int *to, int *from)
{
	int there[2], back[2];
	pid_t pid;

	must(!pipe(there) && !pipe(back), "pipe");
	pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		close(there[1]);
		serve(j, there[0], back[1]);
	}
	close(there[0]);
	close(back[1]);
	*to = there[1];
	*from = back[0];
	return pid;
}

static void wait_for_go(pid_t server)
{
	char line[8];

	printf(server ? "ready %d %d\n" : "ready %d\n", getpid(), server);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(0);
}

static void run(struct job *j)
{
	struct sockaddr_in addr = { 0 };
	int to = -1, from = -1, status = 0;
	pid_t server = j->mode->server ? start_server(j, &to, &from) : 0;

	pin(j->cpus[0]);
	wait_for_go(server);
	if (server)
		must(write(to, "", 1) == 1 && read(from, &addr, sizeof(addr)) == sizeof(addr), "server");
	j->mode->client(j, &addr);
	j->client->cpu_ns += j->client_cpu_ns;
	must(!server || wait(&status) == server, "wait");
	printf("ops %ld ns %lld cpu_ns %lld calls %ld\n", j->done, j->ended_ns - j->began_ns,
	       j->client->cpu_ns + j->server->cpu_ns, j->client->calls + j->server->calls);
	exit(status ? 1 : 0);
}

static const struct mode *mode_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (name && !strcmp(modes[i].name, name))
			return &modes[i];
	fprintf(stderr, "usage: work MODE [-t MS | -n OPS] [-c CONNS] [-p CPU,CPU]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct job j = { .ms = 250, .conns = 1000, .cpus = { -1, -1 } };
	int c;

	while ((c = getopt(argc, argv, "t:n:c:p:")) != -1)
		if (c == 't')
			j.ms = atol(optarg);
		else if (c == 'n')
			j.ops = atol(optarg);
		else if (c == 'c')
			j.conns = atol(optarg);
		else if (c != 'p' || sscanf(optarg, "%d,%d", &j.cpus[0], &j.cpus[1]) != 2)
			mode_by_name(NULL);
	j.mode = mode_by_name(argv[optind]);
	j.client = mmap(NULL, 2 * sizeof(*j.client), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(j.client != MAP_FAILED, "mmap");
	j.server = j.client + 1;
	many_descriptors(j.conns);
	own_loopback();
	run(&j);
	return 0;
}
