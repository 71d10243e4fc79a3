// SPDX-License-Identifier: MIT
/*
 * Calls that wait longer than the threshold. What is wrong is told while they still wait, at the
 * first look at which it is clear; an ordinary wait is an aside at the return, once for a socket.
 * poll() and its kin are here only where they stand for one such call: waiting is what they are for.
 */
#include <poll.h>
#include <stdio.h>

#include "../event/names.h"
#include "../model/step.h"
#include "block.h"

const struct rule block_rules[BLOCK_RULES] = {
	[BLOCK_DEADLOCK] = { "block-deadlock", "Both ends wait to send and neither reads",
			     WEIGHT_ALARM },
	[BLOCK_SEND_READER] = { "block-send-reader",
				"send() waits: the peer's program does not read", WEIGHT_NEWS },
	[BLOCK_SEND_UNACCEPTED] = { "block-send-unaccepted",
				    "send() waits: the server has not called accept()",
				    WEIGHT_NEWS },
	[BLOCK_SEND_WINDOW] = { "block-send-window",
				"send() waits: the window of a peer out of sight is 0",
				WEIGHT_NEWS },
	[BLOCK_SEND_LOST] = { "block-send-lost", "send() waits: what was sent is not acknowledged",
			      WEIGHT_NEWS },
	[BLOCK_SEND_LINK] = { "block-send-link", "send() waited: a slow way or a small send buffer",
			      WEIGHT_ASIDE },
	[BLOCK_RECV] = { "block-recv", "recv() waited until the peer sent", WEIGHT_ASIDE },
	[BLOCK_RECV_LOST] = { "block-recv-lost",
			      "recv() waits: what was sent is lost on the way and sent again",
			      WEIGHT_NEWS },
	[BLOCK_RECV_REST] = { "block-recv-rest",
			      "recv(MSG_WAITALL) waits: the peer sent less than was asked for",
			      WEIGHT_NEWS },
	[BLOCK_RECV_BOTH] = { "block-recv-both", "Both ends wait in recv() and neither sends",
			      WEIGHT_NEWS },
	[BLOCK_RECV_SILENT] = { "block-recv-silent",
				"recv() waits: the peer says nothing and keeps the connection open",
				WEIGHT_NEWS },
	[BLOCK_ACCEPT] = { "block-accept", "accept() waited for a client", WEIGHT_ASIDE },
	[BLOCK_CONNECT] = { "block-connect", "connect() waited for the answer to its SYN",
			    WEIGHT_NEWS },
	[BLOCK_CONNECT_FULL] = { "block-connect-full",
				 "connect() waits: the server's accept queue was full",
				 WEIGHT_NEWS },
	[BLOCK_CONNECT_SILENT] = { "block-connect-silent",
				   "connect() waits: nobody answers the SYN", WEIGHT_ALARM },
	[BLOCK_CLOSE_LINGER] = { "block-close-linger", "close() waits: SO_LINGER asked for it",
				 WEIGHT_NEWS },
	[BLOCK_ENDED] = { "block-ended", "What ended a wait that was told of before",
			  WEIGHT_ASIDE },
	[BLOCK_KILLED] = { "block-killed", "A call never returned: its process ended in it",
			   WEIGHT_ASIDE },
};

#define LOOK_NS (NS_PER_S / 10) /* between two looks at all sockets */

static struct block_note *own_of(const struct explain *x, struct note *n)
{
	return note_own(x, n, &explain_block);
}

/* --- the conversation as it stands --- */

static __u64 positions(const struct ledger *l)
{
	return 4 * l->written - 3 * l->unsent - 2 * l->in_flight - l->rcvq;
}

bool scene_look(const struct explain *x, struct note *n, __u64 now_ns, struct scene *sc)
{
	const struct sock *s = model_sock(x->m, n->sid);
	int out = n->role == ROLE_SERVER;
	const struct block_note *other;
	__u64 moved;

	if (!s || !s->conn)
		return false;
	*sc = (struct scene){
		.n = n,
		.peer = note_peer(x, n),
		.sock = s,
		.to = s->conn->dir[out],
		.from = s->conn->dir[!out],
		.own = own_of(x, n),
		.now_ns = now_ns,
	};
	moved = positions(&sc->to) + positions(&sc->from);
	if (moved != sc->own->moved || !sc->own->t_moved) {
		sc->own->moved = moved;
		sc->own->t_moved = now_ns;
	}
	other = sc->peer ? own_of(x, sc->peer) : NULL;
	if (other && other->moved == moved && other->t_moved && other->t_moved < sc->own->t_moved)
		sc->own->t_moved = other->t_moved; /* it was looked at earlier from there */
	return true;
}

__u64 scene_still_ns(const struct scene *sc)
{
	return sc->now_ns > sc->own->t_moved ? sc->now_ns - sc->own->t_moved : 0;
}

char *fmt_times(char *buf, size_t size, __s64 n)
{
	if (n == 1)
		snprintf(buf, size, "once");
	else
		snprintf(buf, size, "%lld times", (long long)n);
	return buf;
}

char *fmt_waiting(char *buf, size_t size, const struct waiting *w)
{
	const struct event_call c = { .call = w->call, .fd = w->fd };

	return fmt_call(buf, size, &c);
}

const struct waiting *call_of_process(const struct explain *x, __u32 pid)
{
	const struct waiting *w;

	TAILQ_FOREACH(w, &x->waiting, link)
	{
		if (pid && w->pid == pid)
			return w;
	}
	return NULL;
}

char *fmt_instead(char *buf, size_t size, const struct explain *x, const struct waiting *w,
		  __u32 pid)
{
	const struct waiting *other = call_of_process(x, pid);
	char call[48];

	if (pid == w->pid)
		snprintf(buf, size, "; both ends are of this one process");
	else if (other)
		snprintf(buf, size, "; it sits in %s", fmt_waiting(call, sizeof(call), other));
	else
		snprintf(buf, size, "; it is in no socket call");
	return buf;
}

void block_start(struct explain *x, struct verdict *v, const struct rule *r, struct waiting *w,
		 struct note *n)
{
	char call[48];

	w->told = true;
	verdict_start_at(x, v, r, n, w->id, w->t_ns);
	v->pid = w->pid;
	verdict_ask(v, "Why does %s not return?", fmt_waiting(call, sizeof(call), w));
}

/* Data that nobody had before, and a retransmission brings it while a recv() waits. */
static void data_came(const struct explain *x, const struct step *s, struct note *n)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;
	const struct mark *rtx = note_mark(note_peer(x, n), MARK_RTX);
	const struct waiting *w = rtx ? call_waiting(x, n->sid, false) : NULL;

	if (w && s->sflags & STEP_RTX && rtx->t_ns >= w->t_ns &&
	    !seq_before(g->seq, s->sock->lv.copied_seq))
		own_of(x, n)->recv.lost = s->id;
}

/* --- killed --- */

/*
 * A fatal signal ends the wait as any signal does: inside the kernel the call returns, with
 * ERESTARTSYS and its kin (512 to 516, include/linux/errno.h) or with what it had moved so far.
 */
static void note_cut(const struct explain *x, const struct step *s, const struct event_call *c,
		     struct note *n)
{
	bool restart = c->ret <= -512 && c->ret >= -516;
	bool some = call_is_send(c) && c->ret > 0 && (__u64)c->ret < c->len;

	if (restart || some || c->cflags & CALLF_KILLED)
		own_of(x, n)->cut = (struct block_cut){
			.id = s->id,
			.enter_id = s->enter_id,
			.took_ns = s->took_ns,
			.pid = c->e.pid,
			.call = c->call,
			.fd = c->fd,
		};
}

static int tell_killed(struct explain *x, const struct step *s, struct note *n, unsigned int signal)
{
	const struct rule *r = &block_rules[BLOCK_KILLED];
	const struct block_cut *cut = &own_of(x, n)->cut;
	const struct event_call c = { .call = cut->call, .fd = cut->fd };
	struct verdict v;
	char call[48], took[32];

	if (note_told(n, r))
		return 0;
	verdict_start(x, &v, r, s);
	v.sid = n->sid;
	v.sock = n->number;
	v.conn = n->conn;
	v.role = n->role;
	fmt_call(call, sizeof(call), &c);
	verdict_ask(&v, "Why did %s never return?", call);
	verdict_say(
		&v,
		"%s never returned to its program: signal %u killed the process, which had waited "
		"in it for %s",
		call, signal, fmt_ns(took, sizeof(took), cut->took_ns));
	verdict_prove(&v, cut->enter_id);
	verdict_prove(&v, cut->id);
	return verdict_tell(x, &v);
}

static int process_ended(struct explain *x, const struct step *s, const struct event_proc *p)
{
	struct note *n;
	size_t pos = 0;
	int err = 0;

	if (p->what != PROC_EXIT || !(p->code & 0x7f))
		return 0;
	while (!err && (n = notes_next(x, &pos)))
		if (own_of(x, n)->cut.id && own_of(x, n)->cut.pid == p->e.pid)
			err = tell_killed(x, s, n, p->code & 0x7f);
	return err;
}

/* --- steps and ticks --- */

/* The levels of an entry that is told late are those of the look: n->received is older. */
static void call_began(const struct explain *x, const struct step *s, const struct event_call *c,
		       struct note *n)
{
	const struct note *peer = note_peer(x, n);
	const struct ledger *in = &s->dir[!step_out(s)];
	bool sends = call_is_send(c);
	struct block_note *own = own_of(x, n);

	if (!sends && !call_is_receive(c))
		return;
	*(sends ? &own->send : &own->recv) = (struct block_call){
		.read = in->partial ? in->read : n->received,
		.rtx = sends ? n->marks[MARK_RTX].n :
		       peer  ? peer->marks[MARK_RTX].n :
			       0,
		.recvs = peer ? peer->recvs : 0,
		.received = peer ? peer->received : 0,
		.zero = sends && note_mark(n, MARK_ZERO_WIN) ? n->marks[MARK_ZERO_WIN].id : 0,
	};
}

/* poll() and its kin wait for others. */
static bool waits_itself(const struct event_call *c)
{
	return call_is_send(c) || call_is_receive(c) || c->call == CALL_ACCEPT ||
	       c->call == CALL_ACCEPT4 || c->call == CALL_CONNECT || c->call == CALL_CLOSE;
}

static int call_ended(struct explain *x, const struct step *s, const struct event_call *c,
		      struct note *n)
{
	const struct waiting *w = hash_get(x->callers, c->e.tid);
	bool told = w && w->id == s->enter_id && w->told;
	struct scene sc;

	own_of(x, n)->cut.id = 0;
	if (s->took_ns < x->o.blocked_ns || !waits_itself(c))
		return 0;
	note_cut(x, s, c, n);
	if (c->cflags & CALLF_KILLED)
		return 0;
	if (call_is_accept(c))
		return accept_done(x, s, c, n);
	if (c->call == CALL_CONNECT)
		return c->ret ? 0 : connect_done(x, s, n, s->took_ns, told);
	if (c->call == CALL_CLOSE)
		return close_done(x, s, c, told, n);
	if (!scene_look(x, n, s->t_ns, &sc))
		return 0;
	if (call_is_send(c))
		return send_done(x, s, c, told, &sc);
	return call_is_receive(c) && !told ? recv_done(x, s, c, &sc) : 0;
}

static int segment_came(const struct explain *x, const struct step *s, struct note *n)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;
	const struct mark *zero = note_mark(n, MARK_ZERO_WIN);

	if (!(g->sflags & SEGF_IN))
		return 0;
	if (zero)
		own_of(x, n)->send.zero = zero->id;
	if (g->len)
		data_came(x, s, n);
	return 0;
}

static int block_step(struct explain *x, const struct step *s)
{
	struct note *n = s->ev && s->sock ? note_of(x, s->sock->sid) : NULL;
	const struct event_call *c;

	if (s->ev && s->ev->kind == EV_PROC)
		return process_ended(x, s, (const struct event_proc *)s->ev);
	if (!n)
		return 0;
	if ((c = step_call(s, PHASE_ENTER)))
		call_began(x, s, c, n);
	else if ((c = step_call(s, PHASE_EXIT)))
		return call_ended(x, s, c, n);
	else if (s->ev->kind == EV_SEGMENT)
		return segment_came(x, s, n);
	else if (s->ev->kind == EV_STATE && n->marks[MARK_STATE].n == TCP_S_ESTABLISHED)
		return handshake_done(x, s, n);
	return 0;
}

/* An epoll names no socket: those of its process whose peer grants no window may be waited for. */
static int epoll_look(struct explain *x, struct waiting *w, __u64 now_ns)
{
	struct scene sc;
	struct note *n;
	int err = 0;

	for (n = notes_living(x, NULL); !err && n; n = notes_living(x, n))
		if (n->pid == w->pid && !n->dead && note_mark(n, MARK_ZERO_WIN) &&
		    scene_look(x, n, now_ns, &sc))
			err = room_wait(x, w, &sc);
	return err;
}

static int poll_look(struct explain *x, struct waiting *w, __u64 now_ns)
{
	struct scene sc;
	struct note *n;
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < w->n_on; i++) {
		n = note_of(x, w->on[i].sid);
		if (!n || !scene_look(x, n, now_ns, &sc))
			continue;
		if (w->on[i].events & POLLOUT)
			err = room_wait(x, w, &sc);
		if (!err && w->asked == 1 && w->on[i].events & POLLIN)
			err = silence_wait(x, w, &sc);
	}
	return err;
}

static int block_look(struct explain *x, struct waiting *w, __u64 now_ns)
{
	const struct event_call c = { .call = w->call };
	struct note *n = note_of(x, w->sid);
	struct scene sc;

	if (!n)
		return 0;
	if (w->call == CALL_CONNECT)
		return connect_wait(x, w, n, now_ns);
	if (!scene_look(x, n, now_ns, &sc))
		return 0;
	if (call_is_send(&c))
		return send_wait(x, w, &sc);
	if (call_is_receive(&c))
		return recv_wait(x, w, &sc);
	return w->call == CALL_CLOSE ? close_wait(x, w, &sc) : 0;
}

static int block_tick(struct explain *x, __u64 now_ns)
{
	struct block_state *state = family_state(x, &explain_block);
	bool all = now_ns >= state->next_ns;
	struct waiting *w;
	int err = 0;

	if (all)
		state->next_ns = now_ns + LOOK_NS;
	TAILQ_FOREACH(w, &x->waiting, link)
	{
		if (err || now_ns < w->t_ns + x->o.blocked_ns)
			continue;
		if (call_is_epoll(w->call))
			err = all ? epoll_look(x, w, now_ns) : 0;
		else
			err = w->n_on ? poll_look(x, w, now_ns) : block_look(x, w, now_ns);
	}
	return err;
}

static int block_finish(struct explain *x, __u64 now_ns)
{
	struct waiting *w;
	struct note *n;
	struct scene sc;
	int err = 0;

	TAILQ_FOREACH(w, &x->waiting, link)
	{
		const struct event_call c = { .call = w->call };

		n = w->n_on ? note_of(x, w->on[0].sid) : note_of(x, w->sid);
		if (err || !n || (!call_is_receive(&c) && w->asked != 1))
			continue;
		if (scene_look(x, n, now_ns, &sc))
			err = silence_left(x, w, &sc);
	}
	return err;
}

const struct family explain_block = {
	.name = "block",
	.rules = block_rules,
	.n_rules = BLOCK_RULES,
	.note_size = sizeof(struct block_note),
	.state_size = sizeof(struct block_state),
	.step = block_step,
	.tick = block_tick,
	.finish = block_finish,
};
