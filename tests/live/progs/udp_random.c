/* SPDX-License-Identifier: MIT */
/*
 * Random UDP conversations, and the program's own account of them: udp_random SEED SERVERS. Each server
 * socket has one to three clients that send bursts of any size; it reads with buffers that may be too
 * short, by all kinds of calls, in between, at the end, in another process, or not at all.
 *
 * Prints for each pair of ports: what was sent, read and cut off, and what the server sent back; for
 * each server what its kernel socket says it dropped; and the kernel's count of all drops.
 */
#define _GNU_SOURCE 1 /* recvmmsg() */
#include "live.h"

#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define CLIENTS_MAX 3
#define DGRAMS_MAX 96  /* of one server */
#define LARGEST 65507  /* bytes, IPv4 */
#define LARGEST6 65527 /* of IPv6, whose length does not count its header */
#define BATCH 8	       /* messages of one recvmmsg() */

struct sum {
	long n, bytes;
};

struct peer {
	int fd, port;
	int connected;
	struct sum sent, read, cut, back;
};

/* Shared with the process that reads. */
struct talk {
	int family, server, port, mode;
	int n_clients, n_sent;
	struct peer client[CLIENTS_MAX];
	struct {
		int client, size;
	} sent[DGRAMS_MAX];
	int done; /* all was sent */
};

static unsigned int seed;

static unsigned int any(unsigned int n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

static char room[1 << 17];

static int size_of_dgram(const struct talk *t)
{
	switch (any(8)) {
	case 0:
		return any(4);
	case 1:
		return any((t->family == AF_INET ? LARGEST : LARGEST6) + 1);
	case 2:
		return t->family == AF_INET ? LARGEST : LARGEST6;
	default:
		return any(2000);
	}
}

static void send_one(struct talk *t)
{
	int c = any(t->n_clients), size = size_of_dgram(t), id = t->n_sent;
	struct peer *p = &t->client[c];
	struct sockaddr_storage at;
	socklen_t len = loopback(t->family, t->port, &at);

	memcpy(room, &id, sizeof(id)); /* the reader knows it by this */
	t->sent[id].client = c;
	t->sent[id].size = size;
	__atomic_store_n(&t->n_sent, id + 1, __ATOMIC_SEQ_CST);
	if (p->connected && any(2))
		MUST(write(p->fd, room, size) == size);
	else if (p->connected)
		MUST(send(p->fd, room, size, 0) == size);
	else
		MUST(sendto(p->fd, room, size, 0, (struct sockaddr *)&at, len) == size);
	p->sent.n++;
	p->sent.bytes += size;
}

/* A datagram of fewer bytes than its number takes is known by the address it came from, or not at all. */
static int sender_of(const struct talk *t, const char *bytes, long got, int port)
{
	int id;

	for (int c = 0; c < t->n_clients; c++)
		if (port && t->client[c].port == port)
			return c;
	MUST(got >= (long)sizeof(id));
	memcpy(&id, bytes, sizeof(id));
	MUST(id >= 0 && id < t->n_sent);
	return t->sent[id].client;
}

static void got_one(struct talk *t, const char *bytes, long got, int port)
{
	struct peer *p = &t->client[sender_of(t, bytes, got, port)];
	int id;

	p->read.n++;
	p->read.bytes += got;
	if (got < (long)sizeof(id))
		return;
	memcpy(&id, bytes, sizeof(id));
	if (t->sent[id].size > got) {
		p->cut.n++;
		p->cut.bytes += t->sent[id].size - got;
	}
}

static int port_in(const struct sockaddr_storage *at)
{
	return ntohs(at->ss_family == AF_INET ? ((struct sockaddr_in *)at)->sin_port :
						((struct sockaddr_in6 *)at)->sin6_port);
}

/* Room for the number at least. */
static size_t some_room(void)
{
	return any(3) ? sizeof(room) : 4 + any(1500);
}

/* Only of one client can datagrams too short for a number be told without an address. */
static int only_port(const struct talk *t)
{
	return t->n_clients == 1 ? t->client[0].port : 0;
}

static long read_batch(struct talk *t)
{
	static char buf[BATCH][LARGEST6 + 1];
	struct sockaddr_storage from[BATCH];
	struct mmsghdr m[BATCH] = { 0 };
	struct iovec iov[BATCH];
	size_t each = any(2) ? sizeof(buf[0]) : 4 + any(1500);
	int n;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ buf[i], each };
		m[i].msg_hdr = (struct msghdr){ &from[i], sizeof(from[i]), &iov[i], 1, NULL, 0, 0 };
	}
	n = recvmmsg(t->server, m, 1 + any(BATCH), MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		got_one(t, buf[i], m[i].msg_len, port_in(&from[i]));
	return n;
}

static long read_msg(struct talk *t, int flags)
{
	struct sockaddr_storage from;
	struct iovec iov[2] = { { room, 4 }, { room + 4, some_room() - 4 } };
	struct msghdr m = { &from, sizeof(from), iov, 2, NULL, 0, 0 };
	long n = recvmsg(t->server, &m, flags | MSG_DONTWAIT);

	if (n >= 0 && !(flags & MSG_PEEK))
		got_one(t, room, n, port_in(&from));
	return n;
}

static long read_from(struct talk *t, int flags)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	size_t size = some_room();
	long n = recvfrom(t->server, room, size, flags | MSG_DONTWAIT, (struct sockaddr *)&from,
			  &len);

	if (n >= 0 && !(flags & MSG_PEEK))
		got_one(t, room, n < (long)size ? n : (long)size, port_in(&from));
	return n;
}

/* Without the sender's address. */
static long read_plain(struct talk *t)
{
	long n = recv(t->server, room, some_room(), MSG_DONTWAIT);

	if (n >= 0)
		got_one(t, room, n, only_port(t));
	return n;
}

/* -1: nothing there. */
static long read_some(struct talk *t)
{
	switch (any(7)) {
	case 0:
		return read_batch(t);
	case 1:
		return read_msg(t, 0);
	case 2:
		return read_from(t, MSG_TRUNC);
	case 3:
		return read_from(t, MSG_PEEK);
	case 4:
		return t->n_clients == 1 ? read_plain(t) : read_msg(t, MSG_PEEK);
	default:
		return read_from(t, 0);
	}
}

static void read_all(struct talk *t)
{
	while (read_some(t) >= 0)
		;
	MUST(errno == EAGAIN);
}

/* In a process of its own, while the others send. */
static void reader(void *arg)
{
	struct talk *t = arg;
	struct pollfd p = { .fd = t->server, .events = POLLIN };

	while (!__atomic_load_n(&t->done, __ATOMIC_SEQ_CST)) {
		poll(&p, 1, 1);
		for (int i = any(5); i > 0; i--)
			read_some(t);
	}
	read_all(t);
}

static void answer(struct talk *t)
{
	struct peer *p = &t->client[any(t->n_clients)];
	struct sockaddr_storage at;
	socklen_t len = loopback(t->family, p->port, &at);
	int size = any(1000);

	MUST(sendto(t->server, room, size, 0, (struct sockaddr *)&at, len) == size);
	MUST(recv(p->fd, room, sizeof(room), 0) == size);
	p->back.n++;
	p->back.bytes += size;
}

enum { READ_BETWEEN, READ_LAST, READ_HALF, READ_ELSEWHERE, READ_NOTHING, MODES };

static void converse(struct talk *t)
{
	int n = 1 + any(DGRAMS_MAX);
	pid_t child = t->mode == READ_ELSEWHERE ? spawn(reader, t) : 0;

	for (int i = 0; i < n; i++) {
		send_one(t);
		if (t->mode == READ_BETWEEN && !any(3))
			read_some(t);
		if (t->mode == READ_BETWEEN && !any(8))
			answer(t);
	}
	__atomic_store_n(&t->done, 1, __ATOMIC_SEQ_CST);
	if (child)
		reap(child);
	if (t->mode == READ_BETWEEN || t->mode == READ_LAST)
		read_all(t);
	for (int i = n / 2; t->mode == READ_HALF && i > 0; i--)
		read_some(t);
}

static void open_sockets(struct talk *t)
{
	static const int sizes[] = { 0, 1, 4096, 20000, 200000 };
	int size = sizes[any(5)];

	t->server = bound(t->family, SOCK_DGRAM);
	t->port = port_of(t->server);
	if (size)
		CHECK(setsockopt(t->server, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	for (int i = 0; i < t->n_clients; i++) {
		struct peer *p = &t->client[i];

		p->fd = bound(t->family, SOCK_DGRAM);
		p->port = port_of(p->fd);
		p->connected = any(2);
		if (p->connected)
			connect_to(p->fd, t->family, t->port);
	}
}

static unsigned int drops(int fd)
{
	unsigned int info[SK_MEMINFO_VARS];
	socklen_t len = sizeof(info);

	CHECK(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len));
	return info[SK_MEMINFO_DROPS];
}

static void account(const struct talk *t)
{
	printf("server %d %u\n", t->port, drops(t->server));
	for (int i = 0; i < t->n_clients; i++) {
		const struct peer *p = &t->client[i];

		printf("pair %d %d %ld %ld %ld %ld %ld %ld %ld %ld\n", p->port, t->port, p->sent.n,
		       p->sent.bytes, p->read.n, p->read.bytes, p->cut.n, p->cut.bytes, p->back.n,
		       p->back.bytes);
	}
}

static void talk(void)
{
	struct talk *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	MUST(t != MAP_FAILED);
	t->family = any(3) ? AF_INET : AF_INET6;
	t->mode = any(MODES);
	t->n_clients = 1 + any(CLIENTS_MAX);
	open_sockets(t);
	converse(t);
	account(t);
	CHECK(close(t->server));
	for (int i = 0; i < t->n_clients; i++)
		CHECK(close(t->client[i].fd));
	CHECK(munmap(t, sizeof(*t)));
}

/* Of this namespace, both families. */
static long kernel_drops(void)
{
	char line[512], name[64];
	long sum = 0, value;
	FILE *f = fopen("/proc/self/net/snmp6", "r");

	MUST(f);
	while (fscanf(f, "%63s %ld", name, &value) == 2)
		sum += strcmp(name, "Udp6RcvbufErrors") ? 0 : value;
	fclose(f);
	f = fopen("/proc/self/net/snmp", "r");
	MUST(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Udp: %*d %*d %*d %*d %ld", &value) == 1)
			sum += value;
	fclose(f);
	return sum;
}

int main(int argc, char **argv)
{
	int servers = argc > 2 ? atoi(argv[2]) : 0;

	alarm(LIVE_SECONDS * 3);
	MUST(argc > 2);
	seed = atoi(argv[1]);
	setbuf(stdout, NULL); /* children have nothing of ours to write */
	for (int i = 0; i < servers; i++)
		talk();
	printf("drops %ld\n", kernel_drops());
	return 0;
}
