/* SPDX-License-Identifier: MIT */
/*
 * What one end of a random conversation can do, and the account it keeps of what its calls
 * returned: an independent witness of the bytes. The account lies in shared memory, so that it
 * outlives a process that is killed; what a call in progress may still move stands beside it. Before
 * it leaves, an end also asks its kernel what is in its queues.
 */
#ifndef TESTS_CONVERSE_H
#define TESTS_CONVERSE_H

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "live.h"

#define BIG (4 << 20) /* bytes: the longest single call */
#define PIPE_ROOM 65536
#define MANY 100 /* messages of one sendmmsg() */

struct random {
	unsigned long long x;
};

/* splitmix64: any seed will do, and neighbours have nothing in common. */
static inline unsigned long long draw(struct random *r)
{
	unsigned long long z = (r->x += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline unsigned int below(struct random *r, unsigned int n)
{
	return draw(r) % n;
}

static inline bool chance(struct random *r, unsigned int percent)
{
	return below(r, 100) < percent;
}

/* What the kernel says is in the queues of a socket; its sums count a FIN that waits, too. */
struct queues {
	int unread;  /* SIOCINQ */
	int unacked; /* SIOCOUTQ: written and not acknowledged */
	int unsent;  /* SIOCOUTQNSD: of these, never sent */
};

/* By one end of one conversation. */
struct account {
	_Atomic unsigned long long sent, got; /* sums of results; of receives that did not peek */
	_Atomic unsigned long long sending, getting; /* asked for by the call in progress */
	_Atomic int port;			     /* its own; 0: it never got that far */
	struct queues queues;			     /* valid with state */
	_Atomic int state; /* TCP_ESTABLISHED etc. while these did not change; 0: they did */
};

/* One end while it acts. */
struct actor {
	int fd;
	int file; /* BIG bytes, for sendfile() */
	int pipe[2];
	struct random rnd;
	struct account *a;
	long long left; /* bytes it may still send */
	bool calm;	/* leaves in order, when all is read */
};

static char buffer[BIG];

static inline void account_begin(_Atomic unsigned long long *sum, unsigned long long most)
{
	atomic_store(sum, most);
}

/* The result is in the books before the call is out of them: a kill in between leaves a range. */
static inline long account_end(_Atomic unsigned long long *sum, _Atomic unsigned long long *open,
			       long ret)
{
	if (ret > 0)
		atomic_fetch_add(sum, ret);
	atomic_store(open, 0);
	return ret;
}

static inline size_t random_size(struct random *r)
{
	unsigned int kind = below(r, 100);

	if (kind < 4)
		return 0;
	if (kind < 30)
		return 1 + below(r, 20);
	if (kind < 60)
		return 1 + below(r, 1500);
	if (kind < 88)
		return 1 + below(r, 70000);
	if (kind < 95)
		return 1 + below(r, 500000);
	return 1 + below(r, BIG);
}

static inline int random_parts(struct random *r, struct iovec *v, size_t size)
{
	size_t first = size ? below(r, size) : 0;

	v[0] = (struct iovec){ buffer, first };
	v[1] = (struct iovec){ buffer + first, 0 };
	v[2] = (struct iovec){ buffer + first, size - first };
	return 3;
}

static inline long sum_of_messages(const struct mmsghdr *m, long n)
{
	long sum = 0;

	for (long i = 0; i < n; i++)
		sum += m[i].msg_len;
	return sum;
}

/* Several messages in one call; now and then more of them than a tracer might look at. */
static inline long many_messages(struct actor *e, size_t size, bool sending)
{
	struct mmsghdr m[MANY] = { 0 };
	struct iovec v[MANY];
	unsigned int n = chance(&e->rnd, 20) ? MANY : 1 + below(&e->rnd, 5);
	long ret;

	for (unsigned int i = 0; i < n; i++) {
		v[i] = (struct iovec){ buffer, size / n };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	ret = sending ? sendmmsg(e->fd, m, n, 0) : recvmmsg(e->fd, m, n, MSG_WAITFORONE, NULL);
	return sum_of_messages(m, ret);
}

/* Fill the pipe, then move what is in it; what the socket did not take is thrown away. */
static inline long splice_out(struct actor *e, size_t size)
{
	long in, ret;

	in = write(e->pipe[1], buffer, size < PIPE_ROOM ? size : PIPE_ROOM);
	if (in <= 0)
		return in;
	ret = splice(e->pipe[0], NULL, e->fd, NULL, in, 0);
	while (read(e->pipe[0], buffer, PIPE_ROOM) > 0)
		;
	return ret;
}

static inline long splice_in(struct actor *e, size_t size)
{
	long ret = splice(e->fd, NULL, e->pipe[1], NULL, size, 0);

	while (read(e->pipe[0], buffer, PIPE_ROOM) > 0)
		;
	return ret;
}

static inline long send_somehow(struct actor *e, unsigned int how, size_t size)
{
	struct iovec v[3];
	struct msghdr m = { .msg_iov = v };
	off_t at = 0;

	m.msg_iovlen = random_parts(&e->rnd, v, size);
	switch (how) {
	case 0:
		return write(e->fd, buffer, size);
	case 1:
		return writev(e->fd, v, 3);
	case 2:
		return sendmsg(e->fd, &m, 0);
	case 3:
		return many_messages(e, size, true);
	case 4:
		return sendfile(e->fd, e->file, &at, size);
	case 5:
		return splice_out(e, size);
	case 6:
		return send(e->fd, buffer, size, chance(&e->rnd, 40) ? MSG_OOB : 0);
	case 7:
		return send(e->fd, buffer, size, MSG_DONTWAIT);
	case 8:
		return send(e->fd, buffer, size, MSG_MORE);
	default:
		return send(e->fd, buffer, size, 0);
	}
}

static inline long act_send(struct actor *e)
{
	size_t size = random_size(&e->rnd);
	unsigned int how = below(&e->rnd, 14);

	if ((long long)size > e->left)
		size = e->left;
	if (how == 6 && size > 3 && chance(&e->rnd, 80))
		size = 1 + size % 3;
	account_begin(&e->a->sending, size);
	size = account_end(&e->a->sent, &e->a->sending, send_somehow(e, how, size));
	if ((long)size > 0)
		e->left -= size;
	return size;
}

static inline long receive_somehow(struct actor *e, unsigned int how, size_t size)
{
	struct iovec v[3];
	struct msghdr m = { .msg_iov = v };

	m.msg_iovlen = random_parts(&e->rnd, v, size);
	switch (how) {
	case 0:
		return read(e->fd, buffer, size);
	case 1:
		return readv(e->fd, v, 3);
	case 2:
		return recvmsg(e->fd, &m, 0);
	case 3:
		return many_messages(e, size, false);
	case 4:
		return splice_in(e, size);
	case 5:
		return recv(e->fd, buffer, size, chance(&e->rnd, 60) ? MSG_OOB : 0);
	case 6:
		return recv(e->fd, buffer, size, MSG_WAITALL);
	case 7:
		return recv(e->fd, buffer, size, MSG_DONTWAIT);
	case 8:
		return recv(e->fd, NULL, size, MSG_TRUNC);
	default:
		return recv(e->fd, buffer, size, 0);
	}
}

static inline long act_receive(struct actor *e)
{
	size_t size = random_size(&e->rnd);
	unsigned int how = below(&e->rnd, 14);

	if (how == 9) /* takes nothing */
		return recv(e->fd, buffer, size, MSG_PEEK | (chance(&e->rnd, 30) ? MSG_OOB : 0));
	account_begin(&e->a->getting, size);
	return account_end(&e->a->got, &e->a->getting, receive_somehow(e, how, size));
}

/* Whatever else may be done to an open connection. */
static inline void act_otherwise(struct actor *e)
{
	int yes = below(&e->rnd, 2), copy;
	static const int hows[] = { SHUT_WR, SHUT_WR, SHUT_RD, SHUT_RDWR };

	switch (below(&e->rnd, 7)) {
	case 0:
		shutdown(e->fd, hows[below(&e->rnd, 4)]);
		break;
	case 1:
		setsockopt(e->fd, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof(yes));
		break;
	case 2:
		setsockopt(e->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		break;
	case 3:
		setsockopt(e->fd, IPPROTO_TCP, TCP_CORK, &yes, sizeof(yes));
		break;
	case 4:
		copy = dup(e->fd);
		close(e->fd);
		e->fd = copy;
		break;
	default:
		usleep(below(&e->rnd, 20000)); /* a slow reader, a slow writer */
	}
}

static inline bool look(int fd, struct queues *q)
{
	return !ioctl(fd, SIOCINQ, &q->unread) && !ioctl(fd, SIOCOUTQ, &q->unacked) &&
	       !ioctl(fd, SIOCOUTQNSD, &q->unsent);
}

/*
 * Without a read and a write of ours a queue only fills or only drains: if it is the same before
 * and after a call, it was so all the time. The call is one that a tracer shows with its own account.
 */
static inline void act_look(struct actor *e)
{
	struct queues before, after;
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (!look(e->fd, &before) || getsockopt(e->fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return;
	if (!look(e->fd, &after) || memcmp(&before, &after, sizeof(before)))
		return;
	e->a->queues = before;
	atomic_store(&e->a->state, info.tcpi_state);
}

/* Half-close, and read to the end. */
static inline void act_calm_end(struct actor *e)
{
	struct timeval t = { .tv_usec = 400000 };
	int idle = 0;

	setsockopt(e->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	shutdown(e->fd, SHUT_WR);
	while (idle < 8) /* a call that asks for nothing gets nothing, too */
		idle = act_receive(e) > 0 ? 0 : idle + 1;
	close(e->fd);
}

/* How an end leaves; the caller exits afterwards. */
static inline void act_end(struct actor *e)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	struct linger l = { .l_onoff = 1 };

	act_look(e);
	if (e->calm) {
		act_calm_end(e);
		return;
	}
	switch (below(&e->rnd, 12)) {
	case 0: /* by exit, descriptor open */
		return;
	case 1:
		kill(getpid(), SIGKILL);
		break;
	case 2:
	case 3:
		setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
		break;
	case 4:
		l.l_linger = 1;
		setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
		break;
	case 5:
		connect(e->fd, &nowhere, sizeof(nowhere));
		if (chance(&e->rnd, 50))
			act_receive(e);
		break;
	case 6: /* half-closed, and not quite to the end */
		shutdown(e->fd, SHUT_WR);
		for (int i = 0; i < 10 && act_receive(e) > 0; i++)
			;
		break;
	}
	close(e->fd);
}

#endif
