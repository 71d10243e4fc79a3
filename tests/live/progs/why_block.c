/* SPDX-License-Identifier: MIT */
/* Calls that wait for a reason, until the test closes our standard input. */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>

#include "live.h"

#define BUFFER 8192	/* bytes asked for on both sides */
#define PAYLOAD 1000000 /* bytes in one send() */

static const char payload[PAYLOAD];

static void small(int fd, int option)
{
	int size = BUFFER;

	CHECK(setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size)));
}

/* Small buffers, which the accepted socket inherits. */
static int small_listener(void)
{
	int ls = bound(AF_INET, SOCK_STREAM);

	small(ls, SO_RCVBUF);
	small(ls, SO_SNDBUF);
	CHECK(listen(ls, 1));
	return ls;
}

static int small_client(int port)
{
	int fd = CHECK(socket(AF_INET, SOCK_STREAM, 0));

	small(fd, SO_RCVBUF);
	small(fd, SO_SNDBUF);
	connect_to(fd, AF_INET, port);
	return fd;
}

static void end(pid_t pid)
{
	int status;

	CHECK(kill(pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0));
}

/* Send more than all buffers hold; the sender is killed in it. */
static void pours(int fd)
{
	send(fd, payload, sizeof(payload), MSG_NOSIGNAL);
}

static void pouring_client(void *arg)
{
	pours(small_client(gate_wait(arg)));
}

static void pouring_server(void *arg)
{
	int ls = small_listener();

	gate_open(arg, port_of(ls));
	pours(CHECK(accept(ls, NULL, NULL)));
}

static void deadlock(void)
{
	struct gate port = gate_new();
	pid_t server = spawn(pouring_server, &port), client = spawn(pouring_client, &port);

	hold();
	end(client);
	end(server);
}

/* The same by poll(), with non-blocking sockets. */
static void pours_by_poll(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	while (poll(&p, 1, -1) == 1)
		if (send(fd, payload, sizeof(payload), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			MUST(errno == EAGAIN);
}

static void polling_client(void *arg)
{
	pours_by_poll(small_client(gate_wait(arg)));
}

static void polling_server(void *arg)
{
	int ls = small_listener();

	gate_open(arg, port_of(ls));
	pours_by_poll(CHECK(accept(ls, NULL, NULL)));
}

static void deadlock_poll(void)
{
	struct gate port = gate_new();
	pid_t server = spawn(polling_server, &port), client = spawn(polling_client, &port);

	hold();
	end(client);
	end(server);
}

/* The reader is willing; the test's filter lets no data through. */
static void reading_server(void *arg)
{
	int fd, ls = small_listener();
	char c;

	gate_open(arg, port_of(ls));
	fd = CHECK(accept(ls, NULL, NULL));
	recv(fd, &c, 1, 0);
}

static void filtered(void)
{
	struct gate port = gate_new();
	pid_t server = spawn(reading_server, &port), client = spawn(pouring_client, &port);

	hold();
	end(client);
	end(server);
}

/*
 * A host of our own making behind a TUN device, so that the other end of a connection is no socket of
 * this machine. It takes ROOM bytes and then closes its window.
 */
#define ROOM 2000

struct packet {
	struct iphdr ip;
	struct tcphdr tcp;
	char rest[2000];
};

static int far_device(void)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "far" };
	struct sockaddr_in *at = (struct sockaddr_in *)&r.ifr_addr;
	int s, fd = CHECK(open("/dev/net/tun", O_RDWR));

	CHECK(ioctl(fd, TUNSETIFF, &r));
	s = CHECK(socket(AF_INET, SOCK_DGRAM, 0));
	*at = (struct sockaddr_in){ .sin_family = AF_INET };
	at->sin_addr.s_addr = inet_addr("10.9.9.1");
	CHECK(ioctl(s, SIOCSIFADDR, &r));
	at->sin_addr.s_addr = inet_addr("255.255.255.0");
	CHECK(ioctl(s, SIOCSIFNETMASK, &r));
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	CHECK(ioctl(s, SIOCSIFFLAGS, &r));
	CHECK(close(s));
	return fd;
}

/* RFC 1071, over an even number of bytes. */
static unsigned int sum16(const void *bytes, size_t len, unsigned int sum)
{
	const char *at = bytes;
	unsigned short word; /* copied: the compiler must not think that it is no part of a struct */

	for (size_t i = 0; i < len; i += sizeof(word)) {
		memcpy(&word, at + i, sizeof(word));
		sum += word;
	}
	return sum;
}

static unsigned short folded(unsigned int sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (unsigned short)~(sum + (sum >> 16));
}

/* An answer without content to p: SYN,ACK or ACK. */
static void far_answers(int fd, const struct packet *p, unsigned int ack, unsigned int window)
{
	struct packet a = {
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP },
		.tcp = { .doff = 5, .ack = 1, .syn = p->tcp.syn },
	};

	a.ip.tot_len = htons(sizeof(a.ip) + sizeof(a.tcp));
	a.ip.saddr = p->ip.daddr;
	a.ip.daddr = p->ip.saddr;
	a.tcp.source = p->tcp.dest;
	a.tcp.dest = p->tcp.source;
	a.tcp.seq = htonl(p->tcp.syn ? 0 : 1);
	a.tcp.ack_seq = htonl(ack);
	a.tcp.window = htons(window);
	a.ip.check = folded(sum16(&a.ip, sizeof(a.ip), 0));
	a.tcp.check =
		folded(sum16(&a.tcp, sizeof(a.tcp),
			     sum16(&a.ip.saddr, 8, htons(IPPROTO_TCP) + htons(sizeof(a.tcp)))));
	MUST(write(fd, &a, sizeof(a.ip) + sizeof(a.tcp)) == sizeof(a.ip) + sizeof(a.tcp));
}

static void far_host(void *arg)
{
	unsigned int seq, len, next = 0, left = ROOM;
	int fd = far_device();
	struct packet p;

	gate_open(arg, 0);
	for (;;) {
		CHECK(read(fd, &p, sizeof(p)));
		if (p.ip.version != 4 || p.ip.protocol != IPPROTO_TCP || p.tcp.rst)
			continue;
		seq = ntohl(p.tcp.seq);
		len = ntohs(p.ip.tot_len) - sizeof(p.ip) - p.tcp.doff * 4;
		if (p.tcp.syn)
			next = seq + 1;
		else if (seq == next && len && len <= left)
			next += len, left -= len;
		if (p.tcp.syn || len)
			far_answers(fd, &p, next, left < 536 ? 0 : left);
	}
}

static void far_away(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(7001) };
	struct gate up = gate_new();
	pid_t host = spawn(far_host, &up), client;

	at.sin_addr.s_addr = inet_addr("10.9.9.2");
	gate_wait(&up);
	client = CHECK(fork());
	if (!client) {
		int fd = CHECK(socket(AF_INET, SOCK_STREAM, 0));

		small(fd, SO_SNDBUF);
		CHECK(connect(fd, (struct sockaddr *)&at, sizeof(at)));
		pours(fd);
		_exit(0);
	}
	hold();
	end(client);
	end(host);
}

/* Nobody calls accept(). */
static void unaccepted(void)
{
	struct gate port = gate_new();
	pid_t client = spawn(pouring_client, &port);
	int ls = small_listener();

	gate_open(&port, port_of(ls));
	hold();
	end(client);
	CHECK(close(ls));
}

/* One process has both ends. */
static void self(void *arg)
{
	int ls = small_listener(), fd = small_client(port_of(ls));

	CHECK(accept(ls, NULL, NULL));
	gate_open(arg, 0);
	pours(fd);
}

static void both_mine(void)
{
	struct gate started = gate_new();
	pid_t child = spawn(self, &started);

	gate_wait(&started);
	hold();
	end(child);
}

/* Three of the ten bytes that are waited for. */
static void three_bytes(void *arg)
{
	int fd = connected(AF_INET, gate_wait(arg));

	send_all(fd, "abc", 3);
	hold();
	send_all(fd, "defghij", 7);
	recv_eof(fd);
	CHECK(close(fd));
}

static void waitall(void)
{
	struct gate port = gate_new();
	pid_t child = spawn(three_bytes, &port);
	int fd, ls = listening(AF_INET, 1);
	char buf[10];

	gate_open(&port, port_of(ls));
	fd = CHECK(accept(ls, NULL, NULL));
	MUST(recv(fd, buf, sizeof(buf), MSG_WAITALL) == sizeof(buf));
	CHECK(close(fd));
	CHECK(close(ls));
	reap(child);
}

static void listens_to(int fd)
{
	char c;

	recv(fd, &c, 1, 0);
}

static void silent_client(void *arg)
{
	int fd = connected(AF_INET, gate_wait(arg));

	send_all(fd, "question", 8); /* and no newline, for which the server waits */
	listens_to(fd);
}

static void silent_server(void *arg)
{
	int fd, ls = listening(AF_INET, 1);
	char buf[8];

	gate_open(arg, port_of(ls));
	fd = CHECK(accept(ls, NULL, NULL));
	recv_all(fd, buf, sizeof(buf));
	listens_to(fd);
}

static void both_listen(void)
{
	struct gate port = gate_new();
	pid_t server = spawn(silent_server, &port), client = spawn(silent_client, &port);

	hold();
	end(client);
	end(server);
}

/* The client waits for an answer; the server has gone back to accept(). */
static void asking_client(void *arg)
{
	int fd = connected(AF_INET, gate_wait(arg));
	char answer;

	send_all(fd, "ping", 4);
	recv(fd, &answer, 1, 0);
}

static void forgetful_server(void *arg)
{
	int ls = listening(AF_INET, 1), fd;

	gate_open(arg, port_of(ls));
	fd = CHECK(accept(ls, NULL, NULL));
	CHECK(accept(ls, NULL, NULL));
	CHECK(close(fd));
}

static void no_answer(void)
{
	struct gate port = gate_new();
	pid_t server = spawn(forgetful_server, &port), client = spawn(asking_client, &port);

	hold();
	end(client);
	end(server);
}

/* Backlog 0 holds one connection; a second client's SYN is dropped until the first is accepted. */
static void second_client(void *arg)
{
	int port = gate_wait(arg), fd = connected(AF_INET, port);

	recv_eof(fd);
	CHECK(close(fd));
}

static void full_queue(void)
{
	struct gate port = gate_new();
	int ls = listening(AF_INET, 0), first = connected(AF_INET, port_of(ls));
	long before = netstat("ListenOverflows");
	pid_t child = spawn(second_client, &port);

	gate_open(&port, port_of(ls));
	while (netstat("ListenOverflows") == before)
		sched_yield();
	hold();
	CHECK(close(CHECK(accept(ls, NULL, NULL))));
	CHECK(close(CHECK(accept(ls, NULL, NULL))));
	CHECK(close(first));
	CHECK(close(ls));
	reap(child);
}

/* The test has set up a filter that swallows what goes to this port. */
static void knocks(void *arg)
{
	struct sockaddr_storage at;
	socklen_t len = loopback(AF_INET, wanted_port(), &at);

	(void)arg;
	connect(CHECK(socket(AF_INET, SOCK_STREAM, 0)), (struct sockaddr *)&at, len);
}

static void unanswered(void)
{
	pid_t child = spawn(knocks, NULL);

	hold();
	end(child);
}

/* close() waits for a reader that reads when the test says so. */
static void late_reader(void *arg)
{
	int fd, ls = small_listener();
	char buf[BUFFER];

	gate_open(arg, port_of(ls));
	fd = CHECK(accept(ls, NULL, NULL));
	hold();
	while (CHECK(recv(fd, buf, sizeof(buf), 0)) > 0)
		;
	CHECK(close(fd));
	CHECK(close(ls));
}

static void lingering(void)
{
	struct gate port = gate_new();
	struct linger on = { .l_onoff = 1, .l_linger = LIVE_SECONDS };
	pid_t child = spawn(late_reader, &port);
	int fd = CHECK(socket(AF_INET, SOCK_STREAM, 0)), size = PAYLOAD;

	CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &on, sizeof(on)));
	connect_to(fd, AF_INET, gate_wait(&port));
	send_all(fd, payload, 100000);
	CHECK(close(fd));
	reap(child);
}

/* A request and its answer; the test's filter drops the first segment with data. */
static void answers(void *arg)
{
	int fd, ls = listening(AF_INET, 1);
	char buf[4];

	gate_open(arg, port_of(ls));
	fd = CHECK(accept(ls, NULL, NULL));
	recv_all(fd, buf, sizeof(buf));
	send_all(fd, "pong", 4);
	recv_eof(fd);
	CHECK(close(fd));
	CHECK(close(ls));
}

static void asks(void)
{
	struct gate port = gate_new();
	pid_t child = spawn(answers, &port);
	int fd = connected(AF_INET, gate_wait(&port));
	char buf[4];

	send_all(fd, "ping", 4);
	recv_all(fd, buf, sizeof(buf));
	CHECK(close(fd));
	reap(child);
}

/* Several long waits on one connection, as an interactive client has them. */
static void chatter(void)
{
	struct gate port = gate_new();
	pid_t child = spawn(answers, &port);
	int fd = connected(AF_INET, gate_wait(&port));
	char buf[4];

	hold();
	send_all(fd, "ping", 4);
	recv_all(fd, buf, sizeof(buf));
	CHECK(close(fd));
	reap(child);
}

int main(int argc, char **argv)
{
	static const struct scenario list[] = {
		{ "deadlock", deadlock },
		{ "far", far_away },
		{ "filtered", filtered },
		{ "unaccepted", unaccepted },
		{ "self", both_mine },
		{ "waitall", waitall },
		{ "both-recv", both_listen },
		{ "full", full_queue },
		{ "silent", unanswered },
		{ "linger", lingering },
		{ "asks", asks },
		{ "deadlock-poll", deadlock_poll },
		{ "no-answer", no_answer },
		{ "chatter", chatter },
	};

	return RUN_SCENARIO(list);
}
