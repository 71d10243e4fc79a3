// SPDX-License-Identifier: MIT
/*
 * What is left of a connection: TIME_WAIT at the end that sent the first FIN (RFC 9293 section
 * 3.6), FIN_WAIT2 that waits for a FIN that does not come, CLOSE_WAIT that waits for a close() that
 * does not come, and connections that were dead before accept() handed them out.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../model/step.h"
#include "families.h"
#include "leaving.h"

enum { TIME_WAIT, CLOSE_WAIT, CLOSE_WAIT_UNREAD, FIN_WAIT2, ACCEPT_LEFT, ACCEPT_RESET };

static const struct rule rules[] = {
	[TIME_WAIT] = { "time-wait", "Which end got TIME_WAIT, and why that one?", WEIGHT_ASIDE },
	[CLOSE_WAIT] = { "close-wait", "CLOSE_WAIT stays: EOF was read, but nobody calls close()",
			 WEIGHT_ALARM },
	[CLOSE_WAIT_UNREAD] = { "close-wait-unread",
				"CLOSE_WAIT stays: the peer closed, and the program does not call recv()",
				WEIGHT_ASIDE },
	[FIN_WAIT2] = { "fin-wait2", "FIN_WAIT2 stays: closed here, but not at the other end",
			WEIGHT_ASIDE },
	[ACCEPT_LEFT] = { "accept-left", "accept() handed out a connection whose peer had left",
			  WEIGHT_NEWS },
	[ACCEPT_RESET] = { "accept-reset", "accept() handed out a connection that was reset",
			   WEIGHT_NEWS },
};

#define IDLE_NS (2 * NS_PER_S)	     /* nothing happens for so long: it was forgotten */
#define LOOK_NS (NS_PER_S / 4)	     /* between two looks at all sockets */
#define AT_THE_END_NS (NS_PER_S / 4) /* the trace ends: nobody will see whether it is closed yet */
#define CLOSE_WAITS_TOLD 3	     /* aloud: a program that forgets one forgets many */
#define TIME_WAIT_S 60		     /* TCP_TIMEWAIT_LEN, include/net/tcp.h */

/* Of each socket. */
struct own {
	__u64 id, t_ns; /* closed in FIN_WAIT2: a time-wait entry awaits its peer's FIN */
	bool active;	/* it sent its FIN before it had the peer's */
};

struct state {
	__u64 next_ns;
	unsigned int close_waits; /* told */
};

/* --- TIME_WAIT --- */

/* Only a server minds: it wants its port back. What was set before tracing began is not known. */
static bool blocks_restart(const struct explain *x, const struct note *n, struct note **listener)
{
	*listener = n->role == ROLE_SERVER ? note_of(x, n->listener) : NULL;
	return note_mark(*listener, MARK_BIND) && !(*listener)->opts[OPT_REUSEADDR].n;
}

/* Each sent its FIN before it had the other's. */
static bool fins_crossed(const struct explain *x, struct note *n)
{
	struct note *peer = note_peer(x, n);
	const struct own *own = note_own(x, n, &explain_ends);

	return own->active && peer && ((struct own *)note_own(x, peer, &explain_ends))->active;
}

static int tell_time_wait(struct explain *x, const struct step *s, struct note *n, bool both)
{
	struct note *listener;
	struct verdict v;
	char who[96];

	if (note_told(n, &rules[TIME_WAIT]))
		return 0;
	verdict_start(x, &v, &rules[TIME_WAIT], s);
	v.role = n->role; /* the step may be a segment of the peer */
	v.pid = n->pid;
	fmt_note(who, sizeof(who), x, n);
	verdict_ask(&v, "Why does %s have TIME_WAIT?", who);
	if (both)
		verdict_say(&v,
			    "TIME_WAIT: both ends sent their FIN before they saw the other's, so "
			    "both keep it for %d s",
			    TIME_WAIT_S);
	else
		verdict_say(
			&v,
			"TIME_WAIT: %s sent the first FIN, so its port %u stays taken for %d s; "
			"the other end is free at once",
			who, n->src.port, TIME_WAIT_S);
	if (blocks_restart(x, n, &listener)) {
		if (!note_told(listener, &rules[TIME_WAIT]))
			v.weight = WEIGHT_NEWS;
		verdict_prove_mark(&v, listener, MARK_BIND);
		verdict_do(&v,
			   "Set SO_REUSEADDR before bind(), else a restart on port %u fails with "
			   "EADDRINUSE until then",
			   n->src.port);
	}
	verdict_prove_mark(&v, n, MARK_CLOSE);
	verdict_prove_mark(&v, n, MARK_FIN_OUT);
	verdict_prove_mark(&v, n, MARK_FIN_IN);
	return verdict_tell(x, &v);
}

static int state_changed(struct explain *x, const struct step *s, const struct event_sock *k,
			 struct note *n)
{
	struct own *own = note_own(x, n, &explain_ends);

	own->active = own->active || k->b == TCP_S_FIN_WAIT1;
	if (!(s->sflags & STEP_TIME_WAIT))
		return 0;
	if (k->a == TCP_S_CLOSING || k->lv.flags & LV_FIN_IN || note_mark(n, MARK_FIN_IN))
		return tell_time_wait(x, s, n, k->a == TCP_S_CLOSING || fins_crossed(x, n));
	own->id = s->id;
	own->t_ns = s->t_ns;
	return 0;
}

/* The FIN that a time-wait entry in state FIN_WAIT2 has waited for. */
static int segment_came(struct explain *x, const struct step *s, const struct event_segment *g,
			struct note *n)
{
	const struct own *own = note_own(x, n, &explain_ends);

	if (!own->id || !(g->sflags & SEGF_IN) || !(g->flags & TCPF_FIN))
		return 0;
	return tell_time_wait(x, s, n, fins_crossed(x, n));
}

/* --- accepted too late --- */

static void say_accepted(struct explain *x, struct verdict *v, const struct note *n,
			 const struct note *peer, __u64 unread)
{
	const struct mark *left = note_left(peer);
	char who[96], how[96], bytes[40];

	fmt_note(who, sizeof(who), x, peer);
	fmt_left(how, sizeof(how), x, peer, left);
	if (v->rule == &rules[ACCEPT_RESET])
		verdict_say(v,
			    "Dead on arrival: %s had sent an RST before accept() handed the "
			    "connection out",
			    who);
	else
		verdict_say(v, "Before accept() returned, %s %s: %s to read, then comes EOF", who,
			    left ? how : "had sent its FIN",
			    unread ? fmt_bytes(bytes, sizeof(bytes), unread) : "nothing");
	verdict_prove_mark(v, n, MARK_ESTABLISHED);
	verdict_prove(v, left ? left->id : 0);
	verdict_prove_mark(v, n, v->rule == &rules[ACCEPT_RESET] ? MARK_RST_IN : MARK_FIN_IN);
}

static int accepted(struct explain *x, const struct step *s)
{
	const struct sock *child = s->sock2;
	struct note *n = child ? note_of(x, child->sid) : NULL;
	bool reset = n && (note_mark(n, MARK_RST_IN) || child->state == TCP_S_CLOSE);
	const struct rule *r = &rules[reset ? ACCEPT_RESET : ACCEPT_LEFT];
	const struct note *peer;
	struct verdict v;

	if (!n || child->protocol != IPPROTO_TCP ||
	    (!reset && child->state != TCP_S_CLOSE_WAIT && !note_mark(n, MARK_FIN_IN)))
		return 0;
	if (note_told(n, r))
		return 0;
	peer = note_peer(x, n);
	verdict_start(x, &v, r, s);
	v.sid = n->sid;
	v.sock = n->number;
	verdict_ask(&v, "Is the connection that accept() returned alive?");
	say_accepted(x, &v, n, peer, child->conn ? child->conn->dir[0].rcvq : 0);
	if (reset && !note_mark(n, MARK_RST_IN))
		verdict_infer(&v, "its state, CLOSE; the RST itself was not seen");
	if (!reset && peer && !note_closed(peer)) {
		v.weight = WEIGHT_ASIDE; /* a request and a half-close: nothing is wrong */
		verdict_do(&v, "The peer still reads: answer, then close()");
	} else {
		verdict_do(&v, "accept() does not say whether the peer is still there: the first "
			       "recv() does");
	}
	return verdict_tell(x, &v);
}

/* --- left behind --- */

static __u64 last_call_ns(const struct note *n)
{
	static const enum mark_kind kinds[] = { MARK_FIN_IN,   MARK_EOF,      MARK_SEND,
						MARK_SEND_ERR, MARK_RECV_ERR, MARK_RECV,
						MARK_SHUT_WR,  MARK_ACCEPTED };
	const struct mark *m;
	__u64 last = 0;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		m = note_mark(n, kinds[i]);
		if (m && m->t_ns > last)
			last = m->t_ns;
	}
	return last;
}

/* The peer's FIN has come, and a socket in this state is of no more use: the peer does not read. */
static bool is_useless(const struct explain *x, const struct note *n, unsigned int state)
{
	const struct note *peer = note_peer(x, n);

	return state == TCP_S_CLOSE_WAIT && n->protocol == IPPROTO_TCP &&
	       note_mark(n, MARK_FIN_IN) && (!peer || note_closed(peer));
}

/* by: who has it, and as which descriptor. */
static void say_close_wait(struct explain *x, struct verdict *v, const struct note *n,
			   const struct holder *by, const char *missing)
{
	const struct note *peer = note_peer(x, n);
	const struct mark *eof = note_mark(n, MARK_EOF), *fin = note_mark(n, MARK_FIN_IN);
	char who[96], left[96], ago[24];

	fmt_who(who, sizeof(who), x, n->role, by->pid);
	fmt_note(left, sizeof(left), x, peer);
	fmt_ns(ago, sizeof(ago), v->t_ns - fin->t_ns);
	verdict_ask(v, "Why does descriptor %d stay in CLOSE_WAIT?", by->fd);
	verdict_say(v, "CLOSE_WAIT: the FIN of %s came %s ago%s %s %s close(%d)", left, ago,
		    eof ? " and was read as EOF, but" : ", no recv() has seen it, and", who,
		    missing, by->fd);
	verdict_prove_mark(v, peer, MARK_CLOSE);
	verdict_prove(v, fin->id);
	verdict_prove(v, eof ? eof->id : 0);
	verdict_do(v,
		   "close(%d) when recv() returns 0: CLOSE_WAIT has no timeout and ends with "
		   "nothing else",
		   by->fd);
}

static const struct rule *close_wait_rule(const struct note *n)
{
	return &rules[note_mark(n, MARK_EOF) ? CLOSE_WAIT : CLOSE_WAIT_UNREAD];
}

static int tell_close_wait(struct explain *x, struct note *n, __u64 now_ns)
{
	const struct mark *eof = note_mark(n, MARK_EOF);
	const struct rule *r = close_wait_rule(n);
	struct verdict v;
	struct holder by;

	if (!model_holders(x->m, n->sid, &by, 1) || note_told(n, r))
		return 0;
	verdict_start_at(x, &v, r, n, eof ? eof->id : n->marks[MARK_FIN_IN].id, now_ns);
	if (!n->peer)
		v.weight = eof ? WEIGHT_NEWS : WEIGHT_ASIDE;
	if (((struct state *)family_state(x, &explain_ends))->close_waits++ >= CLOSE_WAITS_TOLD)
		v.weight = WEIGHT_ASIDE; /* by now it is known */
	v.pid = by.pid;
	say_close_wait(x, &v, n, &by, "has not called");
	verdict_infer(
		&v, n->peer ? "no call on it for some time; a close() that still comes would "
			      "show that it was not forgotten" :
			      "no call on it for some time; the other end is out of sight and may "
			      "have shut down sending only");
	return verdict_tell(x, &v);
}

/* The end of the process does what it had not done for some time. */
static int dropped(struct explain *x, const struct step *s, const struct event_call *c,
		   struct note *n)
{
	const struct holder by = { .pid = c->e.pid, .fd = c->fd };
	struct verdict v;

	if (!is_useless(x, n, s->sock->state) || s->t_ns < last_call_ns(n) + AT_THE_END_NS ||
	    note_told(n, close_wait_rule(n)))
		return 0;
	verdict_start(x, &v, close_wait_rule(n), s);
	v.weight = WEIGHT_ASIDE;
	say_close_wait(x, &v, n, &by, "ended without");
	return verdict_tell(x, &v);
}

static int tell_fin_wait2(struct explain *x, struct note *n, const struct own *own, __u64 now_ns)
{
	const struct note *peer = note_peer(x, n);
	struct verdict v;
	char who[96], left[96], ago[24];

	if (note_told(n, &rules[FIN_WAIT2]))
		return 0;
	fmt_note(who, sizeof(who), x, n);
	fmt_note(left, sizeof(left), x, peer);
	verdict_start_at(x, &v, &rules[FIN_WAIT2], n, own->id, now_ns);
	verdict_ask(&v, "What does the closed socket of %s wait for?", who);
	verdict_say(&v,
		    "FIN_WAIT2: %s closed %s ago, %s has not; no process has this end any more, "
		    "and the kernel forgets it after tcp_fin_timeout",
		    who, fmt_ns(ago, sizeof(ago), now_ns - own->t_ns), left);
	verdict_prove_mark(&v, n, MARK_CLOSE);
	verdict_prove_mark(&v, n, MARK_FIN_OUT);
	if (!peer)
		verdict_infer(&v, "no FIN arrived here; the other end is out of sight");
	verdict_do(&v, "The other end has to close: what it sends now is answered by an RST");
	return verdict_tell(x, &v);
}

static int look(struct explain *x, struct note *n, __u64 now_ns, __u64 idle_ns)
{
	const struct own *own = note_own(x, n, &explain_ends);
	const struct sock *s = model_sock(x->m, n->sid);

	if (own->id && !note_mark(n, MARK_FIN_IN) && !note_mark(n, MARK_RST_OUT) &&
	    now_ns >= own->t_ns + idle_ns)
		return tell_fin_wait2(x, n, own, now_ns);
	if (!s || note_mark(n, MARK_CLOSE) || !is_useless(x, n, s->state))
		return 0;
	return now_ns >= last_call_ns(n) + idle_ns ? tell_close_wait(x, n, now_ns) : 0;
}

/* The dead as well: of an end in FIN_WAIT2 that no process holds, the kernel keeps an entry and frees the socket. */
static int look_at_all(struct explain *x, __u64 now_ns, __u64 idle_ns)
{
	struct note *n;
	size_t pos = 0;
	int err = 0;

	while (!err && (n = notes_next(x, &pos)))
		err = look(x, n, now_ns, idle_ns);
	return err;
}

static int ends_step(struct explain *x, const struct step *s)
{
	struct note *n = s->ev && s->sock ? note_of(x, s->sock->sid) : NULL;
	const struct event_call *c;

	if (!n)
		return 0;
	if (s->ev->kind == EV_STATE)
		return state_changed(x, s, (const struct event_sock *)s->ev, n);
	if (s->ev->kind == EV_SEGMENT)
		return segment_came(x, s, (const struct event_segment *)s->ev, n);
	if (step_returned(s, CALL_ACCEPT) || step_returned(s, CALL_ACCEPT4))
		return accepted(x, s);
	c = step_call(s, PHASE_POINT);
	if (c && c->cflags & CALLF_BY_EXIT && c->cflags & CALLF_LAST_REF)
		return dropped(x, s, c, n);
	return 0;
}

static int ends_tick(struct explain *x, __u64 now_ns)
{
	struct state *state = family_state(x, &explain_ends);

	if (now_ns < state->next_ns)
		return 0;
	state->next_ns = now_ns + LOOK_NS;
	return look_at_all(x, now_ns, IDLE_NS);
}

static int ends_finish(struct explain *x, __u64 now_ns)
{
	return look_at_all(x, now_ns, AT_THE_END_NS);
}

const struct family explain_ends = {
	.name = "ends",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct own),
	.state_size = sizeof(struct state),
	.step = ends_step,
	.tick = ends_tick,
	.finish = ends_finish,
};
