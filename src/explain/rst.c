// SPDX-License-Identifier: MIT
/*
 * An RST: who sent it, why, and what it destroyed. Since about Linux 6.10 the kernel names a reason
 * (include/net/rstreason.h), but TCP_STATE stands for several; and there are kernels without. What
 * the reason leaves open is told apart by what the socket went through before.
 *
 * What an RST destroys: the send queues of both ends and what its sender had not read. What its
 * receiver already has can still be read on Linux (tcp_reset() leaves the receive queue alone).
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"
#include "rst.h"

#define RST_SETTLE_NS NS_PER_MS /* on loopback its sender tells of it after it has arrived */

static const struct rule rules[] = {
	[RST_UNREAD] = { "rst-unread", "An RST was sent: close() with bytes nobody had read",
			 WEIGHT_ALARM },
	[RST_LATE] = { "rst-late-data", "An RST was sent: data came after close()", WEIGHT_ALARM },
	[RST_SHUT] = { "rst-shutdown", "An RST was sent: data came after shutdown(SHUT_RDWR)",
		       WEIGHT_ALARM },
	[RST_LINGER] = { "rst-linger", "An RST was sent: close() with SO_LINGER 0", WEIGHT_ALARM },
	[RST_LISTENER] = { "rst-listener",
			   "An RST was sent: the listener was closed with the connection in its queue",
			   WEIGHT_ALARM },
	[RST_PORT] = { "rst-no-listener", "An RST was sent: nobody listens on that port",
		       WEIGHT_ASIDE },
	[RST_TIME_WAIT] = { "rst-time-wait", "An RST was sent: data came for a socket in TIME_WAIT",
			    WEIGHT_ALARM },
	[RST_GONE] = { "rst-gone", "An RST was sent: data came for a socket that is gone",
		       WEIGHT_ALARM },
	[RST_KEEPALIVE] = { "rst-keepalive", "An RST was sent: keepalive probes had no answer",
			    WEIGHT_ALARM },
	[RST_DISCONNECT] = { "rst-disconnect", "An RST was sent: connect() with AF_UNSPEC",
			     WEIGHT_ALARM },
	[RST_ABORTED] = { "rst-aborted", "An RST was sent: aborted from outside the program",
			  WEIGHT_ALARM },
	[RST_OTHER] = { "rst-other", "An RST was sent: for another reason of the kernel",
			WEIGHT_ALARM },
	[RST_PEER] = { "rst-peer", "An RST came: its sender is out of sight", WEIGHT_ALARM },
	[RST_TIMEOUT] = { "timeout-unacked",
			  "The kernel gave up: what was sent was not acknowledged", WEIGHT_ALARM },
};

/* What is kept of a socket. */
struct rst_page {
	bool told;	    /* the RST it sent, or that ended it */
	__u64 in_id, in_ns; /* an RST that arrived and that nobody has told of as sender */
};

#define RST_WAITING 64

/* Sockets at which an RST arrived, until its sender has told or cannot. */
struct rst_state {
	__u32 sid[RST_WAITING];
	unsigned int n;
	__u32 announced; /* conversation in which the kernel said last that it sends one; its segment is still to leave */
};

__u64 rst_unread(const struct shot *k)
{
	return k->in->rcvq + k->in->discarded;
}

/* --- why --- */

/* SO_LINGER with 0 seconds, by the call that set it or by the socket's field. */
static bool lingers_not(const struct note *n)
{
	return n->opts[OPT_LINGER].id ? !n->opts[OPT_LINGER].n :
					n->lv.flags & LV_LINGER && !n->lv.linger_s;
}

bool rst_after(const struct note *n, enum mark_kind later, enum mark_kind earlier)
{
	const struct mark *a = note_mark(n, later), *b = note_mark(n, earlier);

	return a && (!b || a->id > b->id);
}

/* The listener went while this one waited on it: closed, or shut down, which ends it as well. */
const struct mark *rst_listener_end(const struct explain *x, const struct note *n)
{
	const struct note *l = n ? note_of(x, n->listener) : NULL;
	const struct mark *m = note_mark(l, MARK_CLOSE);

	if (!l || note_mark(n, MARK_ACCEPTED))
		return NULL;
	return m ? m : note_mark(l, MARK_SHUT_RD);
}

/* A socket taken apart on purpose: every way has the reason TCP_STATE. */
static int by_call(const struct explain *x, const struct shot *k)
{
	if (!k->n)
		return -1;
	if (note_mark(k->n, MARK_CLOSE))
		return lingers_not(k->n) ? RST_LINGER : -1;
	if (rst_listener_end(x, k->n))
		return RST_LISTENER;
	/* Only with AF_UNSPEC does connect() go on in a connected socket. */
	if (rst_after(k->n, MARK_CONNECT, MARK_CONNECTED) && k->established)
		return RST_DISCONNECT;
	return -1;
}

static int by_data(const struct shot *k)
{
	return k->n && !note_mark(k->n, MARK_CLOSE) && note_mark(k->n, MARK_SHUT_RD) ? RST_SHUT :
										       RST_LATE;
}

/* What the kernel's reason says, -1: nothing. */
static int by_reason(const struct explain *x, const struct shot *k)
{
	const char *r = k->reason;
	int way;

	if (!r || !strcmp(r, "NOT_SPECIFIED"))
		return -1;
	if (!strcmp(r, "ABORT_ON_CLOSE"))
		return RST_UNREAD;
	if (!strcmp(r, "ABORT_ON_DATA"))
		return by_data(k);
	if (!strcmp(r, "ABORT_ON_LINGER"))
		return RST_OTHER; /* TCP_LINGER2 below 0, not SO_LINGER */
	if (!strcmp(r, "NO_SOCKET"))
		return k->established ? RST_GONE : RST_PORT;
	if (!strcmp(r, "TIMEWAIT_SOCKET"))
		return RST_TIME_WAIT;
	if (!strcmp(r, "KEEPALIVE_TIMEOUT"))
		return RST_KEEPALIVE;
	way = !strcmp(r, "STATE") ? by_call(x, k) : RST_OTHER;
	return way < 0 ? RST_ABORTED : way;
}

/* tcp_close() leaves these states for CLOSE only to reset. */
static bool was_open(const struct note *n)
{
	const struct mark *last = note_mark(n, MARK_LAST_STATE);

	return !last || last->n == TCP_S_ESTABLISHED || last->n == TCP_S_CLOSE_WAIT;
}

/* Was it in close(), or later? */
static bool reset_in_close(const struct note *n)
{
	return note_mark(n, MARK_CLOSE) && !rst_after(n, MARK_DATA_IN, MARK_CLOSE) && was_open(n);
}

/* Its last close() is not known as that: another call held the socket until it returned. */
static bool reset_when_let_go(const struct shot *k)
{
	return !note_mark(k->n, MARK_CLOSE) && !k->n->opts[OPT_KEEPALIVE].n && rst_unread(k) &&
	       was_open(k->n);
}

/* It came after close(): to an orphan, which it destroys, or to less than that. */
static int by_late_data(const struct note *n)
{
	if (note_mark(n, MARK_TIME_WAIT))
		return RST_TIME_WAIT;
	return note_mark(n, MARK_DESTROY) && rst_after(n, MARK_DATA_IN, MARK_DESTROY) ? RST_GONE :
											RST_LATE;
}

/* Without a reason: what the socket went through. */
static int by_fields(const struct explain *x, const struct shot *k)
{
	int way;

	if (!k->established)
		return k->n && k->n->listener ? RST_OTHER : RST_PORT;
	if (!k->n)
		return RST_GONE;
	if (reset_in_close(k->n) && rst_unread(k))
		return RST_UNREAD;
	if (rst_after(k->n, MARK_DATA_IN, MARK_CLOSE) && note_mark(k->n, MARK_CLOSE))
		return by_late_data(k->n);
	way = by_call(x, k);
	if (way >= 0)
		return way;
	if (rst_after(k->n, MARK_DATA_IN, MARK_SHUT_RD) && note_mark(k->n, MARK_SHUT_WR))
		return RST_SHUT;
	if (reset_when_let_go(k))
		return RST_UNREAD;
	return k->n->opts[OPT_KEEPALIVE].n ? RST_KEEPALIVE : RST_OTHER;
}

/* --- one that is sent --- */

/* Written, and not in the receiver's hands: gone. */
static __u64 lost(const struct ledger *way)
{
	return way->unsent + way->destroyed + way->in_flight + way->unacked;
}

/* Nobody lost anything, and the other end was done as well: no harm. */
static bool harmless(const struct shot *k)
{
	return k->to && note_mark(k->to, MARK_CLOSE) && !rst_unread(k) && !lost(k->out) &&
	       !lost(k->in);
}

static void fmt_sender(char *buf, size_t size, const struct explain *x, const struct shot *k)
{
	if (k->n)
		fmt_who(buf, size, x, k->s->role, k->n->pid);
	else
		fmt_who(buf, size, x, k->s->role,
			k->s->conn ? k->s->conn->pid[k->s->role == ROLE_SERVER] : 0);
}

static int tell_shot(struct explain *x, struct shot *k)
{
	int way = by_reason(x, k);
	bool proved = way >= 0;
	struct verdict v;
	char who[96];

	if (!proved)
		way = by_fields(x, k);
	verdict_start(x, &v, &rules[way], k->s);
	if (way == RST_PORT && !k->to)
		v.weight = WEIGHT_NEWS; /* else the connect() that was refused tells it */
	if (harmless(k))
		v.weight = WEIGHT_NEWS;
	fmt_sender(who, sizeof(who), x, k);
	verdict_ask(&v, "Why did %s send an RST?", way == RST_PORT ? "the kernel" : who);
	k->time_wait = way == RST_TIME_WAIT;
	rst_say(x, &v, (enum rst_way)way, k, who);
	if (!proved)
		verdict_infer(&v,
			      "what the socket went through; the kernel's reason would prove it");
	verdict_prove_mark(&v, k->n, MARK_RST_OUT);
	verdict_prove_mark(&v, k->to, MARK_RST_IN);
	return verdict_tell(x, &v);
}

static const char *reason_word(const char *reason)
{
	return reason && !strncmp(reason, "TCP_", 4) ? reason + 4 : reason;
}

static int rst_sent(struct explain *x, const struct step *s)
{
	const struct conn *c = step_conn(s);
	int from = s->role == ROLE_SERVER;
	struct shot k = {
		.s = s,
		.n = s->sock && !s->sock->listening ? note_of(x, s->sock->sid) : NULL,
		.to = c && c->end[!from] ? note_of(x, c->end[!from]->sid) : NULL,
		.out = &s->dir[from],
		.in = &s->dir[!from],
		.reason = reason_word(s->reason),
		.established = c && c->established,
	};
	struct rst_page *own = k.n ? note_own(x, k.n, &explain_rst) : NULL;
	struct rst_page *other = k.to ? note_own(x, k.to, &explain_rst) : NULL;

	/* Each segment still under way to a socket that is gone is answered with one more. */
	if ((own && own->told) || (!own && other && other->told && k.established))
		return 0;
	if (own)
		own->told = true;
	if (other && k.established)
		other->told = true;
	return tell_shot(x, &k);
}

static int rst_announced(struct explain *x, const struct step *s)
{
	struct rst_state *st = family_state(x, &explain_rst);
	const struct conn *c = step_conn(s);

	if (c)
		st->announced = c->id;
	return rst_sent(x, s);
}

/*
 * The segment itself. Until 6.10 (commit edefba66d929) the kernel says of none that it sends it where there is no
 * socket; later it says so before. Of sockets it says so in all versions, some afterwards.
 */
static int rst_leaves(struct explain *x, const struct step *s)
{
	struct rst_state *st = family_state(x, &explain_rst);
	const struct conn *c = step_conn(s);

	if (!c || (s->sock && !s->sock->listening && note_of(x, s->sock->sid)))
		return 0;
	if (st->announced == c->id) {
		st->announced = 0;
		return 0;
	}
	return rst_sent(x, s);
}

/* --- one that comes from somewhere out of sight --- */

/* It may be older than the trace. */
static bool was_connected(const struct note *n)
{
	return note_mark(n, MARK_ESTABLISHED) ||
	       (n->lv.state && n->lv.state != TCP_S_SYN_SENT && n->lv.state != TCP_S_SYN_RECV);
}

static void rst_arrived(struct explain *x, const struct step *s)
{
	struct note *n = s->sock ? note_of(x, s->sock->sid) : NULL;
	struct rst_page *own = n ? note_own(x, n, &explain_rst) : NULL;
	struct rst_state *st = family_state(x, &explain_rst);

	if (!own || own->told || own->in_id || n->listening || st->n == RST_WAITING ||
	    !was_connected(n))
		return;
	own->in_id = s->id;
	own->in_ns = s->t_ns;
	st->sid[st->n++] = n->sid;
}

static int tell_peer(struct explain *x, struct note *n, const struct rst_page *own)
{
	const struct sock *k = model_sock(x->m, n->sid);
	const struct ledger none = { 0 };
	const struct ledger *out = k && k->conn ? &k->conn->dir[k->role == ROLE_SERVER] : &none;
	char at[64], tail[80] = "", bytes[40];
	__u64 gone = lost(out);
	struct verdict v;

	verdict_start_at(x, &v, &rules[RST_PEER], n, own->in_id, own->in_ns);
	if (note_mark(n, MARK_CLOSE) && note_mark(n, MARK_CLOSE)->id < own->in_id)
		v.weight = WEIGHT_ASIDE; /* it was done with it */
	if (gone)
		snprintf(tail, sizeof(tail), "; %s this end had not delivered %s destroyed",
			 fmt_bytes(bytes, sizeof(bytes), gone), gone == 1 ? "is" : "are");
	verdict_ask(&v, "Why was the connection reset?");
	verdict_say(
		&v,
		"RST: the peer at %s has aborted the connection; why, only its own side can tell%s",
		fmt_addr(at, sizeof(at), &n->dst), tail);
	verdict_do(&v,
		   "What has arrived can still be read; trace the other end to learn the cause");
	return verdict_tell(x, &v);
}

static int rst_settle(struct explain *x, __u64 now_ns)
{
	struct rst_state *st = family_state(x, &explain_rst);
	unsigned int i, kept = 0, n = st->n;
	struct rst_page *own;
	struct note *note;
	int err = 0;

	for (i = 0; i < n; i++) {
		note = note_of(x, st->sid[i]);
		own = note ? note_own(x, note, &explain_rst) : NULL;
		if (!own || own->told)
			continue;
		if (err || now_ns < own->in_ns + RST_SETTLE_NS) {
			st->sid[kept++] = st->sid[i];
			continue;
		}
		own->told = true;
		if (!note_peer(x, note))
			err = tell_peer(x, note, own);
	}
	st->n = kept;
	return err;
}

static int rst_finish(struct explain *x, __u64 now_ns)
{
	return rst_settle(x, now_ns + RST_SETTLE_NS);
}

/* --- given up without one --- */

/* tcp_write_timeout(): after the last retransmission, or TCP_USER_TIMEOUT, no RST is sent. */
static int gave_up(struct explain *x, const struct step *s, const struct event_sock *e)
{
	struct note *n = s->sock ? note_of(x, s->sock->sid) : NULL;
	struct rst_page *own = n ? note_own(x, n, &explain_rst) : NULL;
	const struct ledger *out = &s->dir[step_out(s)];
	char bytes[40], quiet[40], limit[48] = "", again[48] = "";
	const struct mark *rtx = note_mark(n, MARK_RTX);
	struct verdict v;

	if (!own || own->told || !step_is_tcp(s) || !was_connected(n) ||
	    (e->a != ETIMEDOUT && e->a != EHOSTUNREACH && e->a != ENETUNREACH))
		return 0;
	if (!out->unsent && !out->in_flight && !out->unacked)
		return 0;
	own->told = true;
	verdict_start(x, &v, &rules[RST_TIMEOUT], s);
	fmt_silence(quiet, sizeof(quiet), n, s->t_ns);
	if (n->opts[OPT_USER_TIMEOUT].id)
		snprintf(limit, sizeof(limit), " (TCP_USER_TIMEOUT %lld ms)",
			 (long long)n->opts[OPT_USER_TIMEOUT].n);
	if (rtx)
		snprintf(again, sizeof(again), ", retransmitted %lld time%s", (long long)rtx->n,
			 rtx->n == 1 ? "" : "s");
	verdict_ask(&v, "Why did the connection end with %s?", errno_name((int)e->a));
	verdict_say(&v, "%s sent%s, and for %s nothing came back: the kernel gives up%s",
		    fmt_bytes(bytes, sizeof(bytes), out->unsent + out->in_flight + out->unacked),
		    again, quiet, limit);
	verdict_do(&v,
		   "The peer learns nothing of this: it may have got some of these bytes, or none");
	verdict_prove(&v, n->opts[OPT_USER_TIMEOUT].id);
	verdict_prove_mark(&v, n, MARK_SEND);
	verdict_prove_mark(&v, n, MARK_RTX);
	return verdict_tell(x, &v);
}

static int rst_step(struct explain *x, const struct step *s)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;

	if (!s->ev)
		return 0;
	if (s->ev->kind == EV_RST_SENT)
		return rst_announced(x, s);
	if (s->ev->kind == EV_SOCK_ERROR)
		return gave_up(x, s, (const struct event_sock *)s->ev);
	if (s->ev->kind != EV_SEGMENT || g->sflags & SEGF_UDP || !(g->flags & TCPF_RST))
		return 0;
	if (g->sflags & SEGF_OUT)
		return rst_leaves(x, s);
	rst_arrived(x, s);
	return 0;
}

const struct family explain_rst = {
	.name = "rst",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct rst_page),
	.state_size = sizeof(struct rst_state),
	.step = rst_step,
	.tick = rst_settle,
	.finish = rst_finish,
};
