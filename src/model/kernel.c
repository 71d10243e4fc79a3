// SPDX-License-Identifier: MIT
/*
 * Moments the kernel itself tells of a socket: EV_STATE to EV_SOCK_CLOSED. The levels at such a
 * moment belong to the old state: the kernel announces a change before it makes it.
 */
#include <errno.h>
#include <netinet/in.h>

#include "inside.h"

static const struct event_sock *event_of(const struct moment *mo)
{
	return (const struct event_sock *)mo->ev;
}

static int side_in(const struct msock *s, struct mconn **c)
{
	*c = s->s.conn ? conn_of(s->s.conn) : NULL;
	return *c ? conn_side(*c, s) : -1;
}

/* What the states of one end tell of the FINs of both. */
static void note_fins(struct msock *s, unsigned int new)
{
	struct mconn *c;
	int side = side_in(s, &c), fin_of;

	if (side < 0)
		return;
	fin_of = new == TCP_S_FIN_WAIT1 ? side : !side;
	if (new == TCP_S_FIN_WAIT1 || new == TCP_S_CLOSE_WAIT || new == TCP_S_LAST_ACK) {
		c->c.fin_seen[fin_of] = true;
		if (c->c.first_fin < 0)
			c->c.first_fin = fin_of;
	}
	if (new == TCP_S_LAST_ACK)
		c->c.fin_seen[side] = true;
	if (s->rx.fin_known)
		c->c.fin_seen[!side] = true;
}

static bool failed_before(const struct msock *s)
{
	const struct mconn *c = s->s.conn ? conn_of(s->s.conn) : NULL;

	return s->established || (c && (c->refused || c->timed_out || c->wire[0].syn_seen));
}

/* A socket that begins to connect, be it once more after a failure. */
static void connecting(struct model *m, struct msock *s, __u64 t_ns)
{
	if (failed_before(s))
		sock_restart(m, s, t_ns);
	sock_set_role(m, s, ROLE_CLIENT, 0);
}

/*
 * In FIN_WAIT2 a socket becomes a time-wait entry with the peer's FIN, or before it if no process
 * holds it any more. Any other way to CLOSE resets the connection: unread data at close(), linger 0,
 * data that comes after close().
 */
static bool waits_on(const struct msock *s, const struct event_sock *e)
{
	struct mconn *c;
	int side = side_in(s, &c);

	if (e->b != TCP_S_CLOSE || !(e->lv.flags & LV_TCP) || (c && c->c.rst_by >= 0))
		return false;
	if (e->a == TCP_S_CLOSING || (e->a == TCP_S_FIN_WAIT2 && e->lv.flags & LV_FIN_IN))
		return true;
	if (e->a != TCP_S_FIN_WAIT2 || e->lv.rcv_nxt != e->lv.copied_seq || side < 0)
		return false;
	if (e->lv.flags & LV_LINGER && !e->lv.linger_s)
		return false;
	return c->c.fin_seen[!side] || segments_end_at(c, !side, e->lv.rcv_nxt);
}

static int state_changed(struct model *m, const struct moment *mo, struct msock *s, struct step *st)
{
	const struct event_sock *e = event_of(mo);
	unsigned int old = e->a, new = e->b;
	int err = 0;

	if (new == TCP_S_SYN_SENT && old == TCP_S_CLOSE)
		connecting(m, s, mo->t_ns);
	if (new == TCP_S_SYN_RECV && old == TCP_S_LISTEN)
		s->s.passive = true;
	if (new == TCP_S_LISTEN)
		sock_listen(m, s, e->e.pid);
	if (old == TCP_S_LISTEN && new == TCP_S_CLOSE)
		s->s.listening = false;
	if (new == TCP_S_ESTABLISHED)
		err = pair_sock(m, s, mo->t_ns);
	/* From SYN_RECV a shutdown or an early FIN can lead past ESTABLISHED. */
	if (new == TCP_S_ESTABLISHED ||
	    (old == TCP_S_SYN_RECV && (new == TCP_S_FIN_WAIT1 || new == TCP_S_CLOSE_WAIT)))
		levels_established(m, s, &e->lv);
	if (levels_apply(m, s, &e->lv, new == TCP_S_ESTABLISHED ? new : old, LEVELS_KERNEL))
		st->sflags |= STEP_LV;
	if ((new == TCP_S_FIN_WAIT1 || new == TCP_S_LAST_ACK) && e->lv.flags & LV_TCP)
		levels_fin_queued(s, e->lv.write_seq);
	if (waits_on(s, e))
		st->sflags |= STEP_TIME_WAIT;
	note_fins(s, new);
	if (new <= TCP_S_NEW_SYN_RECV)
		s->s.state = s->s.lv.state = (__u8) new;
	sock_check_gone(m, s, mo->t_ns);
	return err;
}

static void retransmitted(struct msock *s)
{
	struct mconn *c;
	int side = side_in(s, &c);

	if (side < 0)
		return;
	c->rtx_kernel[side]++;
	if (c->c.retransmits[side] < c->rtx_kernel[side])
		c->c.retransmits[side] = c->rtx_kernel[side];
}

/* Whose RST it is: the flow tells, for there may be no socket, or none any more. */
static void rst_sent(struct model *m, const struct event_sock *e, struct step *st)
{
	struct flow *f = flow_find(m, e->d);
	struct mconn *c = f ? flow_conn(m, f) : NULL;
	struct msock *s = st->sock ? sock_of(st->sock) : NULL;
	int side = c ? conn_addr_side(c, &f->end[e->c == 1]) : -1;

	if (side < 0 && s)
		side = side_in(s, &c);
	if (side < 0)
		return;
	if (!s || (!s->announced && c->c.end[side]))
		st->sock = c->c.end[side];
	st->conn = &c->c;
	st->role = side ? ROLE_SERVER : ROLE_CLIENT;
	if (c->c.rst_by < 0)
		c->c.rst_by = side;
}

static void error_set(struct msock *s, __u32 err)
{
	struct mconn *c;

	if (side_in(s, &c) < 0)
		return;
	if (err == ECONNREFUSED && !c->c.established)
		c->refused = true;
	if (err == ETIMEDOUT)
		c->timed_out = true;
}

/* Bytes moved without a call we follow: a kernel thread, io_uring. */
static void moved(struct model *m, struct msock *s, __s32 result, bool sending)
{
	struct mconn *c;
	int side = side_in(s, &c);
	const struct traffic t = {
		.sending = sending,
		.bytes = result > 0 ? (__u32)result : 0,
		.messages = 1,
	};

	if (sock_is_tcp(s))
		*(sending ? &s->out : &s->in_line) += t.bytes;
	else if (s->s.protocol == IPPROTO_UDP)
		dgram_moved_unseen(m, s, result, sending);
	else if (side >= 0 && result >= 0)
		dgram_moved(c, side, &t);
}

static bool take_levels(struct model *m, struct msock *s, const struct event_sock *e)
{
	struct levels lv = e->lv;
	bool reads = e->e.kind == EV_RECEIVED && (__s32)e->a > 0;
	enum levels_from from = reads ? LEVELS_READ : LEVELS_KERNEL;

	/* Is the FIN in write_seq already? That depends on the probe; the next sample tells. */
	if (e->e.kind == EV_FIN_QUEUED && !s->tx.fin_known)
		return false;
	if (e->e.kind == EV_FIN_RECEIVED)
		lv.flags |= LV_FIN_IN; /* rcv_nxt counts it, SOCK_DONE is not set yet */
	return levels_apply(m, s, &lv, lv.state, from);
}

int kernel_event(struct model *m, const struct moment *mo, struct step *st)
{
	const struct event_sock *e = event_of(mo);
	struct msock *s = st->sock ? sock_of(st->sock) : NULL;

	if (e->e.kind == EV_RST_SENT)
		rst_sent(m, e, st);
	if (!s && e->e.kind == EV_SKB_DROP)
		dgram_kernel(m, NULL, e, st);
	if (!s)
		return 0;
	if (e->e.kind == EV_STATE)
		return state_changed(m, mo, s, st);
	if (take_levels(m, s, e))
		st->sflags |= STEP_LV;
	switch (e->e.kind) {
	case EV_SENT:
		moved(m, s, (__s32)e->a, true);
		break;
	case EV_RECEIVED:
		moved(m, s, (__s32)e->a, false);
		break;
	case EV_RETRANSMIT:
	case EV_SYNACK_RETRANS:
		retransmitted(s);
		break;
	case EV_SOCK_ERROR:
		error_set(s, e->a);
		break;
	case EV_DATA_READY:
	case EV_UDP_DROP:
	case EV_SKB_DROP:
		dgram_kernel(m, s, e, st);
		break;
	case EV_DESTROY:
		sock_die(m, s, mo->t_ns);
		break;
	case EV_SOCK_CLOSED:
		sock_orphan(m, s, mo->t_ns);
		break;
	}
	return 0;
}
