/* SPDX-License-Identifier: MIT */
/*
 * Many sockets: opened, used and closed by the thousand, or all open at once. LIVE_N says how many (of what, each
 * scenario says); every number that comes out of it is known beforehand.
 */
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "live.h"

#define SECONDS 110 /* the largest load is given as long as a test is */

static int wanted(int otherwise)
{
	const char *n = getenv("LIVE_N");

	return n ? atoi(n) : otherwise;
}

static void many_descriptors(rlim_t n)
{
	struct rlimit r = { .rlim_cur = n, .rlim_max = n };

	CHECK(setrlimit(RLIMIT_NOFILE, &r));
}

/* --- connections: 3 bytes there, 5 back --- */

static void question(int fd)
{
	send_all(fd, "ask", 3);
}

static void answer(int fd)
{
	char buf[3];

	recv_all(fd, buf, 3);
	send_all(fd, "reply", 5);
}

static void understood(int fd)
{
	char buf[5];

	recv_all(fd, buf, 5);
}

struct serving {
	struct gate port;
	int clients;
	void (*each)(int fd, int listener);
};

static void answer_and_close(int fd, int listener)
{
	(void)listener;
	answer(fd);
	recv_eof(fd);
	CHECK(close(fd));
}

/*
 * The server of the textbook: a child per client, which closes the listener and ends without close(). It ends after
 * its parent has closed the connection, so that it is always the child's end that lets go of it.
 */
static void answer_in_child(int fd, int listener)
{
	struct gate closed = gate_new();
	pid_t child = CHECK(fork());

	if (child == 0) {
		alarm(SECONDS);
		CHECK(close(listener));
		answer(fd);
		recv_eof(fd);
		gate_wait(&closed);
		_exit(0);
	}
	CHECK(close(fd));
	gate_open(&closed, 1);
	CHECK(close(closed.fd[0]));
	CHECK(close(closed.fd[1]));
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void serve(void *arg)
{
	struct serving *s = arg;
	int ls = listening(AF_INET, 128);

	alarm(SECONDS);
	gate_open(&s->port, port_of(ls));
	for (int i = 0; i < s->clients; i++)
		s->each(CHECK(accept(ls, NULL, NULL)), ls);
	CHECK(close(ls));
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* The kernel has ended all connections, too: the last FINs may come after the programs' own end. */
static void all_over(void)
{
	while (sockets_left("/proc/self/net/tcp"))
		sched_yield();
}

/* One after the other. */
static void visit(int clients, void (*each)(int fd, int listener))
{
	struct serving s = { gate_new(), clients, each };
	pid_t server = spawn(serve, &s);
	int port = gate_wait(&s.port);

	for (int i = 0; i < clients; i++) {
		int fd = connected(AF_INET, port);

		question(fd);
		understood(fd);
		CHECK(close(fd));
	}
	reap(server);
	all_over();
}

/* LIVE_N connections, one after the other. */
static void connections(void)
{
	alarm(SECONDS);
	visit(wanted(10000), answer_and_close);
}

/* LIVE_N clients of a forking server. */
static void forking(void)
{
	alarm(SECONDS);
	visit(wanted(300), answer_in_child);
}

/* --- all at once --- */

static void open_all(int *fds, int n, int port)
{
	for (int i = 0; i < n; i++)
		fds[i] = connected(AF_INET, port);
}

static void close_all(const int *fds, int n)
{
	for (int i = 0; i < n; i++)
		CHECK(close(fds[i]));
}

/* Takes every connection before it answers the first. */
static void serve_at_once(void *arg)
{
	struct serving *s = arg;
	int ls = listening(AF_INET, s->clients), *fds = calloc(s->clients, sizeof(*fds));

	alarm(SECONDS);
	MUST(fds);
	gate_open(&s->port, port_of(ls));
	for (int i = 0; i < s->clients; i++)
		fds[i] = CHECK(accept(ls, NULL, NULL));
	for (int i = 0; i < s->clients; i++)
		answer(fds[i]);
	for (int i = 0; i < s->clients; i++)
		recv_eof(fds[i]);
	close_all(fds, s->clients);
	CHECK(close(ls));
	free(fds);
}

/* LIVE_N connections open at once; says "open" and holds them until standard input ends. */
static void at_once(void)
{
	struct serving s = { gate_new(), wanted(2000), NULL };
	int *fds = calloc(s.clients, sizeof(*fds)), port;
	pid_t server;

	MUST(fds);
	many_descriptors(s.clients + 64);
	server = spawn(serve_at_once, &s);
	port = gate_wait(&s.port);
	open_all(fds, s.clients, port);
	for (int i = 0; i < s.clients; i++)
		question(fds[i]);
	for (int i = 0; i < s.clients; i++)
		understood(fds[i]);
	puts("open");
	fflush(stdout);
	hold();
	close_all(fds, s.clients);
	reap(server);
	all_over();
	free(fds);
}

/* --- descriptors: each makes two, and leaves none --- */

/* Closed as it was made. */
static void unused(int i)
{
	static const int kinds[][2] = {
		{ AF_INET, SOCK_STREAM }, { AF_INET, SOCK_DGRAM }, { AF_INET6, SOCK_STREAM },
		{ AF_INET6, SOCK_DGRAM }, { AF_UNIX, SOCK_STREAM }, { AF_UNIX, SOCK_DGRAM },
	};

	for (int k = 0; k < 2; k++) {
		const int *kind = kinds[(2 * i + k) % 6];

		CHECK(close(CHECK(socket(kind[0], kind[1], 0))));
	}
}

static void doubled(int i)
{
	int fd = CHECK(socket(AF_INET, i & 1 ? SOCK_DGRAM : SOCK_STREAM, 0)), copy = CHECK(dup(fd));

	CHECK(close(i & 2 ? fd : copy));
	CHECK(close(i & 2 ? copy : fd));
}

static void paired(int i)
{
	int s[2];

	CHECK(socketpair(AF_UNIX, i & 1 ? SOCK_DGRAM : SOCK_STREAM, 0, s));
	send_all(s[0], "x", 1);
	recv_all(s[1], (char[1]){ 0 }, 1);
	CHECK(close(s[0]));
	CHECK(close(s[1]));
}

/* Two bound UDP sockets, one datagram. */
static void datagram(int i)
{
	int from = bound(AF_INET, SOCK_DGRAM), to = bound(AF_INET, SOCK_DGRAM);

	(void)i;
	connect_to(from, AF_INET, port_of(to));
	send_all(from, "x", 1);
	recv_all(to, (char[1]){ 0 }, 1);
	CHECK(close(from));
	CHECK(close(to));
}

/* Passed on to ourselves: the second descriptor comes out of a message. */
static void passed(int i)
{
	static int via[2];
	int fd = CHECK(socket(AF_INET, SOCK_DGRAM, 0));

	if (i == 0)
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, via));
	rights(via[0], fd);
	CHECK(close(fd));
	CHECK(close(rights(via[1], -1)));
}

/* The message is thrown away with the queue it waits in: nobody closes the socket in it. */
static void lose(int fd)
{
	int via[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, via));
	rights(via[0], fd);
	CHECK(close(fd));
	CHECK(close(via[0]));
	CHECK(close(via[1]));
}

static void passed_to_nobody(int i)
{
	lose(CHECK(socket(i & 1 ? AF_INET : AF_UNIX, SOCK_DGRAM, 0)));
}

/* One of each kind, and then stay: the first has a port. */
static void lost(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = CHECK(socket(AF_INET, SOCK_DGRAM, 0));

	CHECK(bind(fd, (struct sockaddr *)&any, sizeof(any)));
	lose(fd);
	lose(CHECK(socket(AF_INET, SOCK_DGRAM, 0)));
	lose(CHECK(socket(AF_UNIX, SOCK_STREAM, 0)));
	lose(CHECK(socket(AF_INET, SOCK_STREAM, 0)));
	CHECK(write(STDOUT_FILENO, "lost\n", 5));
	hold();
}

/* Taken, and closed without a word. */
static void taken(int i)
{
	static int ls, port;
	int fd;

	if (i == 0) {
		ls = listening(AF_INET, 8);
		port = port_of(ls);
	}
	fd = connected(AF_INET, port);
	CHECK(close(CHECK(accept(ls, NULL, NULL))));
	CHECK(close(fd));
}

static void *in_thread(void *arg)
{
	paired(*(int *)arg);
	return NULL;
}

static void threaded(int i)
{
	pthread_t t;

	MUST(!pthread_create(&t, NULL, in_thread, &i));
	MUST(!pthread_join(t, NULL));
}

/* The parent's descriptor ends first, the child's with the child. */
static void inherited(int i)
{
	int fd = CHECK(socket(AF_INET, i & 1 ? SOCK_DGRAM : SOCK_STREAM, 0));
	pid_t child = CHECK(fork());

	if (child == 0)
		_exit(0);
	CHECK(close(fd));
	reap(child);
}

static const struct {
	const char *name;
	void (*run)(int i);
	int percent;
} churns[] = {
	{ "unused", unused, 30 },
	{ "doubled", doubled, 20 },
	{ "paired", paired, 20 },
	{ "datagram", datagram, 10 },
	{ "passed", passed, 10 },
	{ "passed-to-nobody", passed_to_nobody, 5 },
	{ "taken", taken, 3 },
	{ "threaded", threaded, 1 },
	{ "inherited", inherited, 1 },
};

/* LIVE_N turns of two descriptors each, of all kinds; or of LIVE_KIND alone. */
static void churn(void)
{
	const char *only = getenv("LIVE_KIND");
	int n = wanted(100000);

	alarm(SECONDS);
	for (size_t k = 0; k < sizeof(churns) / sizeof(churns[0]); k++) {
		int turns = only ? n : (int)((long)n * churns[k].percent / 100);

		if (only && strcmp(only, churns[k].name))
			continue;
		for (int i = 0; i < turns; i++)
			churns[k].run(i);
	}
}

/* --- without end --- */

#define TALKS 20
#define CONNECTIONS_A_LINE 50

static void serve_until_told(void *arg)
{
	struct gate *port = arg;
	int ls = listening(AF_INET, 16);
	char byte;

	alarm(SECONDS);
	gate_open(port, port_of(ls));
	do {
		int fd = CHECK(accept(ls, NULL, NULL));

		while (CHECK(recv(fd, &byte, 1, 0)) > 0 && byte != 'e')
			send_all(fd, "reply", 5);
		CHECK(close(fd));
	} while (byte != 'e');
	CHECK(close(ls));
}

static void talk_until(const volatile bool *end, int port)
{
	for (int n = 1;; n++) {
		int fd = connected(AF_INET, port);

		for (int i = 0; i < TALKS && !*end; i++) {
			send_all(fd, "a", 1);
			understood(fd);
		}
		if (*end)
			send_all(fd, "e", 1);
		CHECK(close(fd));
		if (*end)
			return;
		if (n % CONNECTIONS_A_LINE == 0)
			CHECK(write(STDOUT_FILENO, "on\n", 3));
	}
}

/* Connections and what is said on them, as fast as it goes, until standard input ends; a line now and then. */
static void busy(void)
{
	volatile bool *end = mmap(NULL, sizeof(*end), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct gate port = gate_new();
	pid_t server, client;
	int at;

	alarm(SECONDS);
	MUST(end != MAP_FAILED);
	server = spawn(serve_until_told, &port);
	at = gate_wait(&port);
	client = CHECK(fork());
	if (client == 0) {
		alarm(SECONDS);
		talk_until(end, at);
		_exit(0);
	}
	hold();
	*end = true;
	reap(client);
	reap(server);
}

/* --- exits --- */

#define THREADS 8

static void *stay(void *arg)
{
	gate_open(arg, CHECK(socket(AF_INET, SOCK_DGRAM, 0)));
	pause();
	return NULL;
}

/* LIVE_N processes that end with all their threads at once, each of which has left a socket open. */
static void exits(void)
{
	int n = wanted(300);

	for (int i = 0; i < n; i++) {
		pid_t child = CHECK(fork());
		struct gate ready;
		pthread_t t;

		if (child > 0) {
			reap(child);
			continue;
		}
		ready = gate_new();
		for (int k = 0; k < THREADS; k++)
			MUST(!pthread_create(&t, NULL, stay, &ready));
		for (int k = 0; k < THREADS; k++)
			gate_wait(&ready);
		_exit(0);
	}
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "connections", connections },
		{ "forking", forking },
		{ "at-once", at_once },
		{ "churn", churn },
		{ "busy", busy },
		{ "exits", exits },
		{ "lost", lost },
	};

	return RUN_SCENARIO(scenarios);
}
