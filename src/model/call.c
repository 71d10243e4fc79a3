// SPDX-License-Identifier: MIT
/*
 * System calls: what they do to descriptors, roles and counts. The entry of a call tells who is at
 * it; what it achieved is known at its return. Only close() acts at its entry: the kernel frees
 * the descriptor first, and another thread may have the number again before close() returns.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "fdtable.h"
#include "inside.h"

#define BYTES_MAX (1ULL << 42) /* more than one call can move: 1024 messages of 2 GiB */

#define RCV_SHUTDOWN 1 /* struct levels */

/* A call while its effects are worked out. */
struct act {
	struct model *m;
	const struct event_call *c;
	struct mproc *p;
	struct msock *s;  /* NULL: the call has none */
	struct msock *s2; /* second socket */
	struct step *st;
	__u64 t_ns;
};

typedef int (*effect_fn)(struct act *a);

static int fd_is(struct act *a, __s64 fd, const struct msock *s, bool cloexec)
{
	if (fd < 0 || fd > INT_MAX || !s || !a->p)
		return 0;
	return fdtable_set(a->m, a->p, (int)fd, s->s.sid, cloexec);
}

/* --- calls that make or name sockets --- */

static int did_socket(struct act *a)
{
	if (a->c->ret < 0 || !a->s)
		return 0;
	sock_opened(a->s, a->c->e.pid, (int)a->c->ret);
	return fd_is(a, a->c->ret, a->s, a->c->x[1] & SOCK_CLOEXEC);
}

static int did_socketpair(struct act *a)
{
	bool cloexec = a->c->x[1] & SOCK_CLOEXEC;
	int err;

	if (a->c->ret || !a->s || !a->s2 || a->s == a->s2)
		return 0;
	sock_opened(a->s, a->c->e.pid, a->c->fd);
	sock_opened(a->s2, a->c->e.pid, (int)a->c->x[3]);
	sock_set_role(a->m, a->s, ROLE_CLIENT, a->c->e.pid);
	sock_set_role(a->m, a->s2, ROLE_SERVER, a->c->e.pid);
	err = fd_is(a, a->c->fd, a->s, cloexec);
	if (!err)
		err = fd_is(a, (__s32)a->c->x[3], a->s2, cloexec);
	return err ? err : pair_peers(a->m, a->s2, a->s, a->t_ns);
}

/* A datagram socket bound to a name of its choice waits to be spoken to. */
static int did_bind(struct act *a)
{
	struct ev_addr addr = { .family = 0 };
	const char *path = NULL;
	size_t path_len = 0;

	if (a->c->ret || !a->s)
		return 0;
	a->s->bound = true;
	if (a->s->s.type != SOCK_DGRAM || call_addr(a->c, &addr, &path, &path_len))
		return 0;
	if (path_len)
		unix_bound(a->m, a->s, path, path_len);
	if (addr.port || (addr.family == AF_UNIX && path_len))
		sock_set_role(a->m, a->s, ROLE_SERVER, a->c->e.pid);
	return 0;
}

static int did_listen(struct act *a)
{
	if (!a->c->ret && a->s)
		sock_listen(a->m, a->s, a->c->e.pid);
	return 0;
}

static bool takes_apart(const struct event_call *c)
{
	struct ev_addr to = { .family = AF_INET };
	const char *path = NULL;
	size_t path_len = 0;

	return !call_addr(c, &to, &path, &path_len) && to.family == AF_UNSPEC;
}

static int did_connect(struct act *a)
{
	struct mconn *c = a->s && a->s->s.conn ? conn_of(a->s->s.conn) : NULL;

	if (!a->s)
		return 0;
	if (!a->c->ret && a->s->s.dst.family)
		sock_set_role(a->m, a->s, ROLE_CLIENT, a->c->e.pid);
	if (!a->c->ret && takes_apart(a->c))
		sock_taken_apart(a->s);
	if (c && a->c->ret == -ECONNREFUSED && !c->c.established)
		c->refused = true;
	if (c && a->c->ret == -ETIMEDOUT)
		c->timed_out = true;
	return 0;
}

static int did_accept(struct act *a)
{
	if (a->c->ret < 0 || !a->s2)
		return 0;
	sock_opened(a->s2, a->c->e.pid, (int)a->c->ret);
	sock_set_role(a->m, a->s2, ROLE_SERVER, a->c->e.pid);
	if (a->s && a->s != a->s2 && !a->s2->s.listener) {
		a->s2->s.listener = &a->s->s;
		a->s->refs++;
	}
	return fd_is(a, a->c->ret, a->s2, a->c->call == CALL_ACCEPT4 && a->c->x[0] & SOCK_CLOEXEC);
}

/* --- calls on descriptors --- */

/* The new number may have been another socket: that one loses a descriptor. */
static int did_dup(struct act *a)
{
	bool cloexec = a->c->call == CALL_DUP3 && a->c->x[1] & O_CLOEXEC;

	if (a->c->ret < 0 || a->c->ret > INT_MAX || !a->p)
		return 0;
	if (a->c->ret == a->c->fd) /* dup2() onto itself changes nothing */
		return 0;
	if (a->s)
		return fd_is(a, a->c->ret, a->s, cloexec);
	fdtable_drop(a->m, a->p, (int)a->c->ret);
	return 0;
}

static int did_fcntl(struct act *a)
{
	if (a->c->ret < 0 || !a->p)
		return 0;
	if (a->c->x[0] == F_DUPFD || a->c->x[0] == F_DUPFD_CLOEXEC)
		return fd_is(a, a->c->ret, a->s, a->c->x[0] == F_DUPFD_CLOEXEC);
	if (a->c->x[0] == F_SETFD)
		fdtable_set_cloexec(a->p, a->c->fd, a->c->x[1] & FD_CLOEXEC);
	return 0;
}

static int did_close(struct act *a)
{
	struct mconn *c = a->s && a->s->s.conn ? conn_of(a->s->s.conn) : NULL;
	int side = c ? conn_side(c, a->s) : -1;

	if (!a->s)
		return 0;
	if (a->c->x[0] && !a->s->s.fds && !(a->c->cflags & CALLF_LAST_REF))
		a->st->sflags |= STEP_HELD;
	if (a->c->cflags & CALLF_LAST_REF)
		sock_orphan(a->m, a->s, a->t_ns);
	else if (side >= 0 && c->c.pid[side] == a->c->e.pid)
		a->s->owner_left = true;
	return 0;
}

/* --- calls that move bytes --- */

static bool is_recv(const struct event_call *c)
{
	if (c->call == CALL_SPLICE)
		return c->x[2];
	return c->call >= CALL_RECVFROM && c->call <= CALL_READV;
}

static bool is_send(const struct event_call *c)
{
	if (c->call == CALL_SPLICE)
		return !c->x[2];
	return c->call >= CALL_SENDTO && c->call <= CALL_SPLICE;
}

static bool has_flags(const struct event_call *c)
{
	return c->call != CALL_READ && c->call != CALL_READV && c->call != CALL_WRITE &&
	       c->call != CALL_WRITEV && c->call != CALL_SPLICE && c->call != CALL_SENDFILE;
}

static struct traffic traffic_of(const struct event_call *c)
{
	bool many = c->call == CALL_SENDMMSG || c->call == CALL_RECVMMSG;
	__u64 bytes = many ? c->len : (__u64)c->ret;

	return (struct traffic){
		.sending = is_send(c),
		.peek = has_flags(c) && c->x[0] & (MSG_PEEK | MSG_ERRQUEUE),
		.bytes = bytes < BYTES_MAX ? bytes : BYTES_MAX,
		.messages = many ? (__u64)c->ret : 1,
	};
}

/* Several processes may hold a socket; who talks on it is the one to name once the first left. */
static void note_owner(struct act *a, struct mconn *c, int side)
{
	if (c->c.pid[side] && !a->s->owner_left)
		return;
	c->c.pid[side] = a->c->e.pid;
	a->s->owner_left = false;
}

/* A receiver that was not told the sender: the oldest datagram waiting is the one it got. */
static struct mconn *conn_waiting(struct msock *s)
{
	struct mconn *best = NULL;
	struct seat *seat;
	int from;

	LIST_FOREACH(seat, &s->seats, link)
	{
		from = !conn_side(seat->c, s);
		if (seat->c->c.dgrams[from][0] > seat->c->c.dgrams[from][1])
			best = seat->c; /* the list is newest first */
	}
	return best;
}

static bool is_unix_dgram(const struct msock *s)
{
	return s->s.family == AF_UNIX && s->s.type == SOCK_DGRAM;
}

/* By the name in the call; a sender without a name has put its datagram into our queue. */
static struct mconn *conn_of_unix(struct act *a, const struct traffic *t)
{
	struct ev_addr addr = { .family = 0 };
	const char *path = NULL;
	size_t path_len = 0;
	struct mconn *c = NULL;

	if (!call_addr(a->c, &addr, &path, &path_len) && path_len)
		c = unix_pair(a->m, a->s, path, path_len, a->t_ns);
	if (!c && !t->sending)
		c = conn_waiting(a->s);
	if (c)
		a->s->s.conn = &c->c;
	return c || !a->s->s.conn ? c : conn_of(a->s->s.conn);
}

static struct mconn *conn_of_call(struct act *a, const struct traffic *t)
{
	if (a->s->s.protocol == IPPROTO_UDP)
		return dgram_call(a->m, a->s, a->c, t, a->st);
	if (a->c->ret < 0)
		return NULL;
	if (is_unix_dgram(a->s))
		return conn_of_unix(a, t);
	return a->s->s.conn ? conn_of(a->s->s.conn) : NULL;
}

/* splice() also returns 0 at an urgent byte that was not fetched. */
static bool stops_short(const struct event_call *c)
{
	return c->call == CALL_SPLICE && !(c->lv.shutdown & RCV_SHUTDOWN) &&
	       c->lv.state != TCP_S_CLOSE;
}

/*
 * recvmmsg() counts messages: at the end of a stream it returns as many as it was asked for, of 0
 * bytes each. If there was a byte in the first of them, it does not tell whether the last had one.
 */
static bool got_no_byte(const struct event_call *c)
{
	if (c->call == CALL_RECVMMSG)
		return c->ret > 0 && !c->len;
	return !c->ret && c->len;
}

static bool at_eof(const struct act *a)
{
	return a->s && !stops_short(a->c) && is_recv(a->c) && got_no_byte(a->c) &&
	       (a->s->s.type == SOCK_STREAM || sock_is_tcp(a->s)) && !traffic_of(a->c).peek;
}

/* AF_UNIX: a datagram is taken out whole, whatever fits the caller's buffer. */
static void note_cut(struct act *a, struct traffic *t)
{
	const struct event_call *c = a->c;
	bool told = c->call == CALL_RECVMSG && c->x[2] & MSG_TRUNC;
	bool whole = has_flags(c) && c->x[0] & MSG_TRUNC && (__u64)c->ret > c->len;

	if (t->sending || t->peek || !is_unix_dgram(a->s) || c->ret < 0 || !(told || whole))
		return;
	a->st->sflags |= STEP_TRUNC;
	if (!whole) /* how much is not known */
		return;
	a->st->n = (__u64)c->ret - c->len;
	t->bytes = c->len;
}

/* The calls' own account, to hold against the kernel's counters. */
static void note_stream(struct act *a, const struct traffic *t)
{
	bool urgent = has_flags(a->c) && a->c->x[0] & MSG_OOB;
	struct msock *s = a->s;
	struct mconn *c = s->s.conn ? conn_of(s->s.conn) : NULL;

	if (t->peek || a->c->ret < 0 || !sock_is_tcp(s))
		return;
	if (t->sending) {
		s->out += t->bytes;
		s->urgent.marked += urgent ? t->messages : 0;
	} else if (!urgent) {
		s->in_line += t->bytes;
	} else if (t->bytes) {
		urgent_fetched(s, a->c->x[3]);
	}
	if (c)
		ledger_update(c);
}

static int did_move(struct act *a)
{
	struct traffic t = traffic_of(a->c);
	struct mconn *c;
	int side;

	if (at_eof(a))
		a->st->sflags |= STEP_EOF;
	if (a->s) {
		note_cut(a, &t);
		note_stream(a, &t);
	}
	c = a->s ? conn_of_call(a, &t) : NULL;
	side = c ? conn_side(c, a->s) : -1;
	if (side < 0)
		return 0;
	a->st->conn = &c->c;
	note_owner(a, c, side);
	if (t.bytes && !t.peek)
		c->c.calls[side][!t.sending]++;
	if (c->c.family == AF_UNIX && !(a->st->sflags & STEP_EOF))
		dgram_moved(c, side, &t);
	return 0;
}

static const effect_fn did[CALL_MAX] = {
	[CALL_SOCKET] = did_socket,	[CALL_SOCKETPAIR] = did_socketpair,
	[CALL_BIND] = did_bind,		[CALL_LISTEN] = did_listen,
	[CALL_CONNECT] = did_connect,	[CALL_ACCEPT] = did_accept,
	[CALL_ACCEPT4] = did_accept,	[CALL_SENDTO] = did_move,
	[CALL_SENDMSG] = did_move,	[CALL_SENDMMSG] = did_move,
	[CALL_WRITE] = did_move,	[CALL_WRITEV] = did_move,
	[CALL_SENDFILE] = did_move,	[CALL_SPLICE] = did_move,
	[CALL_RECVFROM] = did_move,	[CALL_RECVMSG] = did_move,
	[CALL_RECVMMSG] = did_move,	[CALL_READ] = did_move,
	[CALL_READV] = did_move,	[CALL_CLOSE] = did_close,
	[CALL_DUP] = did_dup,		[CALL_DUP2] = did_dup,
	[CALL_DUP3] = did_dup,		[CALL_FCNTL] = did_fcntl,
	[CALL_CLOSE_RANGE] = did_close,
};

/* A descriptor may have come by ways nobody sees (SCM_RIGHTS): the call itself tells. */
static int learn_fd(struct act *a)
{
	if (!a->s || !a->p || a->c->call == CALL_SOCKET || a->c->call == CALL_SOCKETPAIR)
		return 0;
	if (a->c->fd < 0 || fdtable_get(a->p, a->c->fd) == a->s->s.sid)
		return 0;
	return fd_is(a, a->c->fd, a->s, false);
}

static void note_target(struct act *a)
{
	struct ev_addr to = { .family = 0 };
	const char *path = NULL;
	size_t path_len = 0;
	bool connects = a->c->call == CALL_CONNECT;

	if (!a->s || (!connects && !is_send(a->c)) || call_addr(a->c, &to, &path, &path_len))
		return;
	/* connect() to AF_UNSPEC takes a connection apart */
	if (connects && a->s->s.type != SOCK_DGRAM && to.family != AF_UNSPEC)
		sock_set_role(a->m, a->s, ROLE_CLIENT, a->c->e.pid);
	/* Before the receiver can return with it. */
	if (path_len && is_unix_dgram(a->s))
		unix_pair(a->m, a->s, path, path_len, a->t_ns);
	if (to.port && (connects || !a->s->s.src.port))
		pair_aim(a->m, a->s, &to);
}

static int entered(struct act *a)
{
	if (a->s) {
		a->s->calling++;
		a->s->receiving += is_recv(a->c);
	}
	if (a->c->call == CALL_CLOSE || a->c->call == CALL_CLOSE_RANGE) {
		if (a->p)
			fdtable_drop(a->m, a->p, a->c->fd);
		return 0;
	}
	note_target(a);
	return learn_fd(a);
}

/* Bytes may have moved, and the result does not say how many: the call was cut off, or it sent data along with a SYN and
 * failed, since its result is then the RST that came back, whatever was delivered before (tcp_sendmsg_fastopen()). */
static bool says_nothing(const struct event_call *c)
{
	if (c->cflags & CALLF_KILLED)
		return is_recv(c) || is_send(c);
	return is_send(c) && c->ret < 0 && has_flags(c) && c->x[0] & MSG_FASTOPEN;
}

static int returned(struct act *a)
{
	if (a->s && a->s->calling)
		a->s->calling--;
	if (a->s && a->s->receiving && is_recv(a->c))
		a->s->receiving--;
	if (a->s && says_nothing(a->c))
		a->s->untold = true;
	if (a->s && (a->c->call == CALL_CONNECT || is_send(a->c)))
		pair_unaim(a->m, a->s);
	if (a->c->cflags & CALLF_KILLED || a->c->call >= CALL_MAX || !did[a->c->call])
		return 0;
	return did[a->c->call](a);
}

/* The kernel closes a descriptor because its process ends or runs another program. */
static int closed_by_kernel(struct act *a)
{
	if (a->p)
		fdtable_drop(a->m, a->p, a->c->fd);
	return did_close(a);
}

static enum levels_from levels_from(const struct event_call *c)
{
	return is_recv(c) && c->ret > 0 ? LEVELS_READ : LEVELS_KERNEL;
}

/*
 * A call in progress is told from its entry on, but its record holds the levels of the look at it, which may be long
 * after: what came in between would meet levels of later. For TCP the look is told once more, at its own time (EV_LEVELS).
 */
static bool levels_are_of_now(const struct event_call *c, enum phase phase)
{
	return phase != PHASE_ENTER || (c->cflags & CALLF_PENDING && !(c->lv.flags & LV_TCP));
}

int call_event(struct model *m, const struct moment *mo, struct step *st)
{
	struct act a = {
		.m = m,
		.c = (const struct event_call *)mo->ev,
		.p = proc_find(m, mo->ev->pid),
		.s = st->sock ? sock_of(st->sock) : NULL,
		.st = st,
		.t_ns = mo->t_ns,
	};

	if (a.c->sid2 && mo->phase != PHASE_ENTER) { /* born by the call: known at its return */
		a.s2 = sock_get(m, a.c->sid2, mo->t_ns);
		if (!a.s2)
			return -ENOMEM;
		st->sock2 = &a.s2->s;
	}
	if (a.s && levels_are_of_now(a.c, mo->phase) &&
	    levels_apply(m, a.s, &a.c->lv, a.c->lv.state, levels_from(a.c)))
		st->sflags |= STEP_LV;
	switch (mo->phase) {
	case PHASE_ENTER:
		return entered(&a);
	case PHASE_EXIT:
		return returned(&a);
	case PHASE_POINT:
		return closed_by_kernel(&a);
	}
	return 0;
}
