// SPDX-License-Identifier: MIT
/*
 * UDP datagrams that calls moved: whose they were, and what a short buffer cut off.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "dgram.h"

#define MMSG_MAX 1024	/* messages of one recvmmsg(): UIO_MAXIOV */
#define SHUT_RECEIVE 1	/* struct levels */
#define DGRAM_MAX 65535 /* bytes, and some: the length field of UDP has 16 bits */

void dgram_moved(struct mconn *c, int side, const struct traffic *t)
{
	int from = t->sending ? side : !side;

	if (t->peek)
		return;
	sum_add(t->sending ? &c->counts[from].sent : &c->counts[from].read, t->messages, t->bytes);
	c->c.dgrams[from][!t->sending] += t->messages;
	ledger_update(c);
}

static void sent(struct mconn *c, const struct msock *s, const struct traffic *t)
{
	int side = conn_side(c, s);

	if (side < 0)
		return;
	sum_add(&c->counts[dgram_direction(c, side, true)].sent, t->messages, t->bytes);
	ledger_update(c);
}

static struct mconn *call_sent(struct model *m, struct msock *s, const struct event_call *call,
			       const struct traffic *t, __u64 t_ns)
{
	struct traffic whole = *t;
	struct ev_addr remote;
	struct mconn *c = NULL;
	const char *path;
	size_t len;
	bool named = !call_addr(call, &remote, &path, &len);

	if (call->ret < 0)
		return NULL;
	if (call->call <= CALL_SENDMSG && call->x[0] & MSG_MORE)
		whole.messages = 0; /* the next one completes it */
	if (named && !s->s.src.port) {
		s->owed_to = remote;
		s->owed = whole;
	}
	if (named)
		c = pair_dgram(m, s, &remote, true, t_ns);
	if (!c && s->s.conn)
		c = conn_of(s->s.conn);
	/* sendmmsg() of a socket that is not connected names addresses we do not see: the wire counts. */
	if (c && (named || s->s.dst.port || call->call != CALL_SENDMMSG))
		sent(c, s, &whole);
	return c;
}

void dgram_pay(struct model *m, struct msock *s, __u64 t_ns)
{
	struct mconn *c;
	int side;

	if (!s->owed_to.port || !s->s.src.port)
		return;
	c = pair_dgram(m, s, &s->owed_to, true, t_ns);
	s->owed_to.port = 0;
	side = c ? conn_side(c, s) : -1;
	if (side < 0)
		return;
	sent(c, s, &s->owed);
	if (s->owed.bytes)
		c->c.calls[side][0]++;
}

/* A socket that talks to several: the one whose datagrams wait for longest. */
static struct mconn *conn_waiting(struct msock *s)
{
	struct mconn *best = NULL;
	struct seat *seat;
	int side;

	LIST_FOREACH(seat, &s->seats, link)
	{
		side = conn_side(seat->c, s);
		if (side >= 0 && seat->c->c.udp[dgram_direction(seat->c, side, false)].queued.n)
			best = seat->c; /* the list is newest first */
	}
	return best ? best : s->s.conn ? conn_of(s->s.conn) : NULL;
}

/* One datagram was read: got bytes of it, of len. */
static void took(struct mconn *c, const struct msock *s, const struct unread_dgram *d, __u64 got,
		 bool cut)
{
	int side = c ? conn_side(c, s) : -1;
	struct counts *k;

	if (side < 0)
		return;
	k = &c->counts[dgram_direction(c, side, false)];
	if (!d->queued && d->conn == c)
		sum_add(&k->queued, 1, d->len);
	sum_add(&k->read, 1, got);
	if (cut || d->len > got)
		sum_add(&k->cut, 1, u64_minus(d->len, got));
	ledger_update(c);
}

/* The call failed, and the datagram is gone all the same (EFAULT): the kernel counts it as dropped. */
static void spoiled(struct mconn *c, const struct msock *s, const struct unread_dgram *d)
{
	int side = c ? conn_side(c, s) : -1;
	struct counts *k;

	if (side < 0)
		return;
	k = &c->counts[dgram_direction(c, side, false)];
	if (d->queued)
		k->queued = sum_minus(k->queued, (struct dgram_sum){ 1, d->len });
	sum_add(&k->dropped, 1, d->len);
	k->why.error = EFAULT;
	ledger_update(c);
}

static bool asks_length(const struct event_call *call)
{
	return (call->call == CALL_RECVFROM || call->call == CALL_RECVMSG) &&
	       call->x[0] & MSG_TRUNC;
}

static void told_cut(struct step *st, __u64 bytes)
{
	st->sflags |= STEP_TRUNC;
	st->n += bytes;
}

static struct mconn *take_one(struct model *m, struct msock *s, struct mconn *c,
			      const struct event_call *call, struct step *st)
{
	bool marked = call->call == CALL_RECVMSG && call->x[2] & MSG_TRUNC;
	bool whole = asks_length(call) || (call->call == CALL_RECVMSG && !marked);
	__u64 ret = call->ret < 0 ? 0 : (__u64)call->ret, got = ret < call->len ? ret : call->len;
	struct unread_take want = {
		.conn = c,
		.got = ret,
		.room = call->ret < 0 ? 0 :
			whole	      ? ~0ULL :
					call->len,
		.queued = m->tells_queued,
	};
	struct unread_dgram d = { .conn = NULL };
	bool known = unread_taken(s, &want, &d);

	if (!known && !ret && call->lv.shutdown & SHUT_RECEIVE)
		return NULL; /* nothing came: it is shut down */
	if (!asks_length(call))
		got = ret;
	if (!known || m->lossy)
		d.len = (__u32)(ret < DGRAM_MAX ? ret : DGRAM_MAX);
	c = c ? c : d.conn ? d.conn : conn_waiting(s);
	if (call->ret < 0) {
		spoiled(c, s, &d);
		return c;
	}
	took(c, s, &d, got, marked);
	if (marked || d.len > got)
		told_cut(st, u64_minus(d.len, got));
	return c;
}

/* Bytes that buffers of this size take of them. */
static __u64 poured(const struct unread_dgram *d, size_t n, __u32 room)
{
	__u64 sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += d[i].len < room ? d[i].len : room;
	return sum;
}

/* recvmmsg() tells how much it got in all: the buffers are taken to be of one size. */
static __u32 room_of_each(const struct unread_dgram *d, size_t n, __u64 got)
{
	__u32 low = 0, high = DGRAM_MAX + 1, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (poured(d, n, mid) < got)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct mconn *take_many(struct model *m, struct msock *s, const struct event_call *call,
			       struct step *st)
{
	struct unread_take want = { .queued = m->tells_queued };
	struct unread_dgram d[MMSG_MAX];
	size_t i, n = (__u64)call->ret < MMSG_MAX ? (size_t)call->ret : MMSG_MAX, known;
	struct mconn *c = NULL, *other = conn_waiting(s);
	__u32 room;
	__u64 got;

	for (known = 0; known < n && unread_taken(s, &want, &d[known]); known++)
		;
	room = known < n || m->lossy ? DGRAM_MAX : room_of_each(d, known, call->len);
	for (i = 0; i < known; i++) {
		c = d[i].conn ? d[i].conn : other;
		got = d[i].len < room ? d[i].len : room;
		took(c, s, &d[i], got, false);
		if (d[i].len > got)
			told_cut(st, d[i].len - got);
	}
	for (; i < n; i++) { /* of these only the sum is known */
		struct unread_dgram unknown = { .conn = NULL };

		c = other;
		got = i == known ? u64_minus(call->len, poured(d, known, room)) : 0;
		took(c, s, &unknown, got, false);
	}
	return c;
}

static struct mconn *call_received(struct model *m, struct msock *s, const struct event_call *call,
				   const struct traffic *t, struct step *st)
{
	struct mconn *c = NULL;
	struct ev_addr remote;
	const char *path;
	size_t len;

	if (call->ret == -EAGAIN)
		unread_none(s, call->t_enter);
	if (call->ret < 0 && call->ret != -EFAULT)
		return NULL;
	if (!call_addr(call, &remote, &path, &len) && remote.port)
		c = pair_dgram(m, s, &remote, false, st->t_ns);
	if (t->peek)
		return c ? c : conn_waiting(s);
	if (call->call == CALL_RECVMMSG)
		return call->ret > 0 ? take_many(m, s, call, st) : NULL;
	return take_one(m, s, c, call, st);
}

struct mconn *dgram_call(struct model *m, struct msock *s, const struct event_call *call,
			 const struct traffic *t, struct step *st)
{
	return t->sending ? call_sent(m, s, call, t, st->t_ns) : call_received(m, s, call, t, st);
}

void dgram_moved_unseen(struct model *m, struct msock *s, __s32 result, bool sending)
{
	const struct traffic t = { .sending = true, .bytes = (__u32)result, .messages = 1 };
	struct unread_take want = { .got = (__u32)result, .queued = m->tells_queued };
	struct unread_dgram d = { .conn = NULL };
	struct mconn *c;

	if (result < 0)
		return;
	if (sending) {
		if (s->s.conn && s->s.dst.port)
			sent(conn_of(s->s.conn), s, &t);
		return;
	}
	if (!unread_taken(s, &want, &d))
		d.len = (__u32)result;
	c = d.conn ? d.conn : conn_waiting(s);
	took(c, s, &d, (__u32)result, false);
}
