// SPDX-License-Identifier: MIT
/*
 * "Not now": EAGAIN of a call that does not wait or has waited long enough, the same one over and over,
 * and a signal that came in between.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"

#define SPIN_CALLS 256	  /* failures in a row */
#define SPIN_NS NS_PER_MS /* less than that between two of them, on average */
#define TIDS 64

/* What the kernel returns where a handler decides whether the call goes on; include/linux/errno.h. */
#define ERESTARTSYS_NR 512
#define ERESTART_LAST_NR 516

enum {
	AGAIN_RECV,
	AGAIN_SEND,
	AGAIN_ACCEPT,
	AGAIN_QUEUE,
	AGAIN_TIMEOUT,
	AGAIN_SPIN,
	INTERRUPTED,
	RESTARTED,
};

static const struct rule rules[] = {
	[AGAIN_RECV] = { "again-recv", "EAGAIN: nothing to read yet", WEIGHT_ASIDE },
	[AGAIN_SEND] = { "again-send", "EAGAIN: no room in the send queue", WEIGHT_ASIDE },
	[AGAIN_ACCEPT] = { "again-accept", "EAGAIN: no connection waits", WEIGHT_ASIDE },
	[AGAIN_QUEUE] = { "again-connect", "EAGAIN by connect(): the listener's queue is full",
			  WEIGHT_NEWS },
	[AGAIN_TIMEOUT] = { "again-timeout", "EAGAIN: the time that was set has passed",
			    WEIGHT_NEWS },
	[AGAIN_SPIN] = { "again-spin", "The same failure over and over: the program spins",
			 WEIGHT_ALARM },
	[INTERRUPTED] = { "interrupted", "EINTR: a signal handler ran while the call waited",
			  WEIGHT_NEWS },
	[RESTARTED] = { "interrupted-restart",
			"A signal came while the call waited, and it began anew", WEIGHT_ASIDE },
};

/* Failures in a row of one thread on one socket. */
struct again_note {
	__u64 first, first_ns; /* step and time of the first */
	__s32 err;
	__u32 tid, n;
};

/* A call that a signal has ended. */
struct broken {
	__u32 pid, tid, sid; /* tid 0: none */
	__u16 call;
	bool final; /* EINTR, whatever the handler says */
	__s32 fd;
	__u64 id, t_ns, took_ns;
};

struct again_state {
	struct broken broken[TIDS]; /* by tid modulo */
	__u64 waited[TIDS];	    /* by tid modulo: latest step of poll() and its kin */
};

static struct again_note *own(const struct explain *x, struct note *n)
{
	return note_own(x, n, &explain_again);
}

/* --- not now --- */

static bool has_flags(const struct event_call *c)
{
	return c->call == CALL_SENDTO || c->call == CALL_SENDMSG || c->call == CALL_SENDMMSG ||
	       c->call == CALL_RECVFROM || c->call == CALL_RECVMSG || c->call == CALL_RECVMMSG;
}

static bool is_nonblocking(const struct event_call *c)
{
	return c->cflags & CALLF_NONBLOCK || (has_flags(c) && c->x[0] & MSG_DONTWAIT);
}

static int tell_timeout(struct explain *x, const struct step *s, const struct event_call *c,
			struct note *n)
{
	bool sending = call_is_send(c);
	const struct mark *set = &n->opts[sending ? OPT_SNDTIMEO : OPT_RCVTIMEO];
	const char *option = sending ? "SO_SNDTIMEO" : "SO_RCVTIMEO";
	const char *what = sending ? "no room came in the send queue" : "nothing came";
	struct verdict v;
	char took[32];

	if (!verdict_start_failed(x, &v, &rules[AGAIN_TIMEOUT], s, n))
		return 0;
	if (call_is_accept(c))
		what = "nobody connected";
	verdict_say(&v, "%s is over: %s in %s. The connection is as it was", option, what,
		    fmt_ns(took, sizeof(took), s->took_ns));
	if (call_is_accept(c) || n->protocol == IPPROTO_UDP)
		verdict_say(&v, "%s is over: %s in %s", option, what, took);
	if (!set->id)
		verdict_infer(
			&v,
			"that the call blocks and EAGAIN ends it; the option was set out of sight");
	verdict_do(&v, "A timeout is no end: call again, or give up and close()");
	verdict_prove(&v, set->id);
	verdict_prove(&v, s->enter_id);
	return verdict_tell(x, &v);
}

static void say_full(struct verdict *v, const struct event_call *c)
{
	char waits[40], limit[40];

	if (c->lv.flags & LV_TCP)
		verdict_say(v, "No room: the send queue holds %s that the peer has not taken yet",
			    fmt_bytes(waits, sizeof(waits), c->lv.write_seq - c->lv.snd_una));
	else if (c->lv.sndbuf)
		verdict_say(v, "No room: the send queue takes %s of memory, of %s allowed",
			    fmt_bytes(waits, sizeof(waits), c->lv.wmem_queued),
			    fmt_bytes(limit, sizeof(limit), c->lv.sndbuf));
	else
		verdict_say(v, "No room in the send queue");
	verdict_do(v, "Wait with poll() for POLLOUT, then send the rest");
}

static int tell_again(struct explain *x, const struct step *s, const struct event_call *c,
		      struct note *n)
{
	struct verdict v;

	if (c->call == CALL_CONNECT) {
		if (n->family != AF_UNIX || !verdict_start_failed(x, &v, &rules[AGAIN_QUEUE], s, n))
			return 0;
		verdict_say(&v, "The listener's queue is full, and this socket does not wait");
		verdict_do(
			&v,
			"Connect later, or let the server accept faster or listen with more backlog");
		return verdict_tell(x, &v);
	}
	if (has_flags(c) && c->x[0] & MSG_ERRQUEUE)
		return 0;
	if (!is_nonblocking(c))
		return tell_timeout(x, s, c, n);
	if (call_is_accept(c)) {
		if (!verdict_start_failed(x, &v, &rules[AGAIN_ACCEPT], s, n))
			return 0;
		verdict_say(
			&v,
			"No connection waits to be accepted, and the socket does not wait for one");
		verdict_do(&v, "Wait with poll() for POLLIN, then accept()");
	} else if (call_is_send(c)) {
		if (!verdict_start_failed(x, &v, &rules[AGAIN_SEND], s, n))
			return 0;
		say_full(&v, c);
	} else {
		if (!verdict_start_failed(x, &v, &rules[AGAIN_RECV], s, n))
			return 0;
		verdict_say(
			&v,
			"Nothing has come yet, and the call does not wait: this is no end and no fault");
		verdict_do(&v, "Wait with poll() for POLLIN, then receive");
	}
	return verdict_tell(x, &v);
}

/* --- over and over --- */

static void failed_again(const struct explain *x, const struct step *s, const struct event_call *c,
			 struct again_note *m)
{
	const struct again_state *st = family_state(x, &explain_again);
	bool waited = c->ret == -EAGAIN && st->waited[c->e.tid % TIDS] > m->first;

	if (!m->n || m->tid != c->e.tid || m->err != c->ret || waited)
		*m = (struct again_note){
			.first = s->id,
			.first_ns = s->t_ns,
			.err = (__s32)c->ret,
			.tid = c->e.tid,
		};
	m->n++;
}

static bool can_spin(const struct event_call *c)
{
	return c->ret == -EAGAIN || ((c->ret == -EMFILE || c->ret == -ENFILE) && call_is_accept(c));
}

static int watch_spin(struct explain *x, const struct step *s, const struct event_call *c,
		      struct note *n)
{
	struct again_note *m = own(x, n);
	char call[48], took[32];
	struct verdict v;
	__u64 ns;

	if (!call_is_send(c) && !call_is_receive(c) && !call_is_accept(c))
		return 0;
	if (!can_spin(c)) {
		m->n = 0;
		return 0;
	}
	failed_again(x, s, c, m);
	ns = s->t_ns > m->first_ns ? s->t_ns - m->first_ns : 0;
	if (m->n < SPIN_CALLS || ns > SPIN_NS * m->n || note_told(n, &rules[AGAIN_SPIN]))
		return 0;
	verdict_start(x, &v, &rules[AGAIN_SPIN], s);
	fmt_call(call, sizeof(call), c);
	verdict_ask(&v, "What is %s doing?", call);
	verdict_say(
		&v,
		"%s failed %u times in a row with %s, in %s: the program spins and does not wait",
		call, m->n, errno_name((int)c->ret), fmt_ns(took, sizeof(took), ns));
	if (c->ret == -EAGAIN)
		verdict_do(&v, "Between two tries wait with poll(), or let the call itself block");
	else
		verdict_do(
			&v,
			"Free a descriptor first, or leave the listener out of poll() for a while");
	verdict_prove(&v, m->first);
	return verdict_tell(x, &v);
}

/* --- signals --- */

/* A signal ended the wait. Seen before its handler ran: what the program gets is known by its next call. */
static void remember_signal(struct explain *x, const struct step *s, const struct event_call *c)
{
	struct again_state *st = family_state(x, &explain_again);

	st->broken[c->e.tid % TIDS] = (struct broken){
		.pid = c->e.pid,
		.tid = c->e.tid,
		.sid = s->sock->sid,
		.call = c->call,
		.final = c->ret == -EINTR,
		.fd = c->fd,
		.id = s->id,
		.t_ns = s->t_ns,
		.took_ns = s->took_ns,
	};
}

static int tell_signal(struct explain *x, const struct broken *b, bool again)
{
	const struct event_call made = { .call = b->call, .fd = b->fd };
	const struct rule *r = &rules[again ? RESTARTED : INTERRUPTED];
	struct note *n = note_of(x, b->sid);
	char call[48], took[32];
	struct verdict v;

	if (!n || note_told(n, r))
		return 0;
	verdict_start_at(x, &v, r, n, b->id, b->t_ns);
	verdict_ask(&v, "What ended %s?", fmt_call(call, sizeof(call), &made));
	fmt_ns(took, sizeof(took), b->took_ns);
	if (again)
		verdict_say(&v,
			    "A signal, after %s of waiting; then the call began anew: by "
			    "SA_RESTART, or because the program took EINTR for what it is",
			    took);
	else
		verdict_say(&v,
			    "A signal handler ran after %s of waiting: EINTR. Nothing was moved, "
			    "and nothing is broken",
			    took);
	if (!again)
		verdict_do(&v, "Call again. A handler with SA_RESTART does that by itself, unless "
			       "SO_RCVTIMEO or SO_SNDTIMEO is set");
	return verdict_tell(x, &v);
}

static int next_call(struct explain *x, const struct event_call *c)
{
	struct again_state *st = family_state(x, &explain_again);
	struct broken *b = &st->broken[c->e.tid % TIDS];

	if (!b->tid || b->tid != c->e.tid)
		return 0;
	b->tid = 0;
	return tell_signal(x, b, !b->final && b->call == c->call && b->fd == c->fd);
}

/*
 * Its call never gave the program an answer: to end all threads exit() sends them a fatal signal of
 * the kernel's own, and there was no handler, though the exit status is 0. Whether the thread came
 * back from its call before that is not known.
 */
static void proc_ended(struct explain *x, const struct event_proc *e)
{
	struct again_state *st = family_state(x, &explain_again);
	struct broken *b;

	if (e->what != PROC_EXIT)
		return;
	for (b = st->broken; b < st->broken + TIDS; b++)
		if (b->pid == e->e.pid)
			b->tid = 0;
}

static int call_failed(struct explain *x, const struct step *s, const struct event_call *c,
		       struct note *n)
{
	if (c->ret == -EINTR || (c->ret <= -ERESTARTSYS_NR && c->ret >= -ERESTART_LAST_NR))
		remember_signal(x, s, c);
	return c->ret == -EAGAIN ? tell_again(x, s, c, n) : 0;
}

static bool is_wait(const struct event_call *c)
{
	return (c->call >= CALL_POLL && c->call <= CALL_PSELECT6) ||
	       (c->call >= CALL_EPOLL_WAIT && c->call <= CALL_EPOLL_PWAIT2);
}

static int returned(struct explain *x, const struct step *s, const struct event_call *c)
{
	struct again_state *st = family_state(x, &explain_again);
	struct note *n = s->sock ? note_of(x, s->sock->sid) : NULL;
	int err;

	if (is_wait(c))
		st->waited[c->e.tid % TIDS] = s->id;
	if (!n || is_wait(c) || c->cflags & CALLF_KILLED)
		return 0;
	err = c->ret < 0 ? call_failed(x, s, c, n) : 0;
	return err ? err : watch_spin(x, s, c, n);
}

static int again_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_call(s, PHASE_ENTER);

	if (s->ev && s->ev->kind == EV_PROC)
		proc_ended(x, (const struct event_proc *)s->ev);
	if (c)
		return next_call(x, c);
	c = step_call(s, PHASE_EXIT);
	return c ? returned(x, s, c) : 0;
}

const struct family explain_again = {
	.name = "again",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct again_note),
	.state_size = sizeof(struct again_state),
	.step = again_step,
};
