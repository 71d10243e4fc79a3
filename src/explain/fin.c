// SPDX-License-Identifier: MIT
/*
 * A close() after which no FIN left: the socket is released with the last reference to its open
 * file, and dup(), fork(), an executed program or a call in progress may hold another one (fput() in
 * fs/file_table.c). A listening socket keeps its port in the same way.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"

enum { FIN_HELD, FIN_HELD_CALL, FIN_HELD_UNSEEN, FIN_MISSING, LISTENER_HELD, HELD_OPEN };

static const struct rule rules[] = {
	[FIN_HELD] = { "fin-held", "close() sent no FIN: another descriptor of the socket is open",
		       WEIGHT_NEWS },
	[FIN_HELD_CALL] = { "fin-held-call",
			    "close() changed nothing: a call in another thread holds the socket",
			    WEIGHT_ALARM },
	[FIN_HELD_UNSEEN] = { "fin-held-unseen",
			      "close() sent no FIN: something out of sight holds the socket",
			      WEIGHT_NEWS },
	[FIN_MISSING] = { "fin-missing",
			  "recv() waits for an EOF: the peer closed, but another descriptor is open",
			  WEIGHT_ALARM },
	[LISTENER_HELD] = { "listener-held",
			    "The port is still taken: another process has the listening socket",
			    WEIGHT_NEWS },
	[HELD_OPEN] = { "held-open",
			"close() left the socket open: another descriptor refers to it",
			WEIGHT_ASIDE },
};

#define MISSED_NS NS_PER_S     /* so long a reader waits before it is told that no FIN comes */
#define LOOK_NS (NS_PER_S / 4) /* between two looks at all sockets */
#define HOLDERS 8	       /* looked at */
#define STANDARD_FDS 3	       /* what is passed on purpose gets one of these numbers */

struct state {
	__u64 next_ns;
};

/* Who closed it, kept for when that process is gone; of each socket the latest. */
struct closer {
	__u32 pid, ppid;
	char comm[sizeof(((struct proc *)0)->comm)];
};

/* Who else has it. */
struct held {
	const struct closer *closer;
	struct holder by[HOLDERS];
	size_t n;     /* in by[] */
	size_t total; /* known in all */
};

static struct closer closer_of(const struct explain *x, __u32 pid)
{
	const struct proc *p = model_proc(x->m, pid);
	struct closer c = { .pid = pid, .ppid = p ? p->ppid : 0 };

	if (p)
		memcpy(c.comm, p->comm, sizeof(c.comm));
	return c;
}

/* but_closer: it ends, and with it all its descriptors. */
static struct held held_by(const struct explain *x, __u32 sid, const struct closer *c,
			   bool but_closer)
{
	struct held h = { .closer = c };
	size_t i, kept = 0;

	h.total = model_holders(x->m, sid, h.by, HOLDERS);
	h.n = h.total < HOLDERS ? h.total : HOLDERS;
	for (i = 0; i < h.n; i++)
		if (!but_closer || h.by[i].pid != c->pid)
			h.by[kept++] = h.by[i];
	h.total -= h.n - kept;
	h.n = kept;
	return h;
}

static bool same_program(const struct proc *p, const struct closer *c)
{
	return p && !memcmp(p->comm, c->comm, sizeof(c->comm));
}

static bool is_child(const struct proc *p, const struct closer *c)
{
	return p && c->pid && p->ppid == c->pid;
}

/* By a program that the closer started and that has the socket by oversight. */
static bool is_stray(const struct explain *x, const struct held *h)
{
	const struct proc *p = model_proc(x->m, h->by[0].pid);
	const struct closer *c = h->closer;

	return is_child(p, c) && c->comm[0] && !same_program(p, c) && h->by[0].fd >= STANDARD_FDS;
}

/* "a child, nc (process 12), has it from fork() as descriptor 4" */
static void fmt_holder(char *buf, size_t size, const struct explain *x, const struct held *h)
{
	const struct holder *by = &h->by[0];
	const struct proc *p = model_proc(x->m, by->pid);
	const struct closer *c = h->closer;
	char who[96], more[40] = "";

	fmt_who(who, sizeof(who), x, ROLE_NONE, by->pid);
	if (h->total > 1)
		snprintf(more, sizeof(more), " (and %zu more)", h->total - 1);
	if (by->pid == c->pid)
		snprintf(buf, size, "descriptor %d of the same process refers to it, too%s", by->fd,
			 more);
	else if (is_child(p, c))
		snprintf(buf, size, "a child, %s, has %s as descriptor %d%s", who,
			 same_program(p, c) ? "it from fork()" : "inherited it", by->fd, more);
	else if (by->pid == c->ppid)
		snprintf(buf, size, "the parent, %s, still has it as descriptor %d%s", who, by->fd,
			 more);
	else
		snprintf(buf, size, "%s has it as descriptor %d%s", who, by->fd, more);
}

static void remedy_for(struct verdict *v, const struct explain *x, const struct held *h)
{
	const struct holder *by = &h->by[0];

	if (is_stray(x, h))
		verdict_do(v, "Open it close-on-exec: SOCK_CLOEXEC in socket() and accept4()");
	else if (by->pid == h->closer->ppid)
		verdict_do(v, "In the parent, close(%d) right after fork()", by->fd);
	else
		verdict_do(v,
			   "close(%d) there, too, or end the conversation for all of them with "
			   "shutdown(SHUT_WR)",
			   by->fd);
}

/* --- at the close --- */

/* Did this process talk on the socket? Otherwise it only passed it on. */
static bool used_by(const struct note *n, __u32 pid)
{
	static const enum mark_kind kinds[] = { MARK_SEND, MARK_RECV, MARK_EOF, MARK_CONNECTED };
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct mark *m = note_mark(n, kinds[i]);

		if (m && m->pid == pid)
			return true;
	}
	return false;
}

/* Is there a peer that waits for a FIN (or what AF_UNIX has in its place)? */
static bool has_fin_to_send(const struct note *n, const struct sock *s)
{
	if (note_mark(n, MARK_SHUT_WR) || note_mark(n, MARK_FIN_OUT) || note_mark(n, MARK_RST_IN))
		return false;
	if (n->family == AF_UNIX)
		return n->type == SOCK_STREAM && n->peer;
	return s->state == TCP_S_ESTABLISHED || s->state == TCP_S_CLOSE_WAIT;
}

static const char *missing_word(const struct note *n)
{
	return n->family == AF_UNIX ? "No EOF for the peer" : "No FIN";
}

static int tell_listener(struct explain *x, const struct step *s, const struct event_call *c,
			 struct note *n, const struct held *h)
{
	const struct mark *listened = note_mark(n, MARK_LISTEN);
	struct verdict v;
	char who[200], call[48];

	if (note_told(n, &rules[LISTENER_HELD]))
		return 0;
	fmt_holder(who, sizeof(who), x, h);
	verdict_start(x, &v, &rules[LISTENER_HELD], s);
	if (is_stray(x, h))
		v.weight = WEIGHT_ALARM;
	else if (listened && listened->pid != c->e.pid)
		v.weight = WEIGHT_ASIDE; /* a worker lets go of what it inherited */
	verdict_ask(&v, "Why is the port still taken after %s?", fmt_call(call, sizeof(call), c));
	if (n->src.port)
		verdict_say(&v, "Port %u is still listened on: %s", n->src.port, who);
	else
		verdict_say(&v, "It is still listened on: %s", who);
	verdict_prove_mark(&v, n, MARK_LISTEN);
	if (is_stray(x, h))
		verdict_do(&v, "Open it with SOCK_CLOEXEC; until that process ends, bind() to the "
			       "port fails with EADDRINUSE");
	else
		verdict_do(&v, "The port is free when the last of them closes it");
	return verdict_tell(x, &v);
}

static int tell_open(struct explain *x, const struct step *s, const struct event_call *c,
		     struct note *n, const struct held *h)
{
	struct verdict v;
	char who[200], call[48];

	if (note_told(n, &rules[HELD_OPEN]))
		return 0;
	fmt_holder(who, sizeof(who), x, h);
	verdict_start(x, &v, &rules[HELD_OPEN], s);
	verdict_ask(&v, "Why is the socket still open after %s?", fmt_call(call, sizeof(call), c));
	verdict_say(&v, "The socket lives on: %s; %s", who,
		    note_mark(n, MARK_SHUT_WR) || note_mark(n, MARK_FIN_OUT) ?
			    "its FIN had left before" :
			    "it has no connection that a FIN could end");
	return verdict_tell(x, &v);
}

static int tell_held(struct explain *x, const struct step *s, const struct event_call *c,
		     struct note *n, const struct held *h)
{
	struct verdict v;
	bool aside;
	char who[200], call[48];

	if (n->listening)
		return tell_listener(x, s, c, n, h);
	if (!has_fin_to_send(n, s->sock))
		return tell_open(x, s, c, n, h);
	/* passed on, as a server does that forks: the aside does not stand for the news */
	aside = !used_by(n, c->e.pid);
	if (note_told(n, &rules[aside ? HELD_OPEN : FIN_HELD]))
		return 0;
	fmt_holder(who, sizeof(who), x, h);
	verdict_start(x, &v, &rules[FIN_HELD], s);
	if (aside)
		v.weight = WEIGHT_ASIDE;
	verdict_ask(&v, "Why did %s send no FIN?", fmt_call(call, sizeof(call), c));
	verdict_say(&v, "%s: %s", missing_word(n), who);
	remedy_for(&v, x, h);
	return verdict_tell(x, &v);
}

/* A call of another thread on that very socket; polls hold sockets, too, but do not name them. */
static const struct waiting *holding_call(const struct explain *x, const struct event_call *c,
					  bool polls)
{
	const struct waiting *w;

	TAILQ_FOREACH(w, &x->waiting, link)
	{
		bool poll = w->call >= CALL_POLL && w->call <= CALL_PSELECT6;

		if (w->tid == c->e.tid)
			continue;
		if (polls ? poll && w->pid == c->e.pid : w->sid == c->e.sid)
			return w;
	}
	return NULL;
}

static int tell_call(struct explain *x, const struct step *s, const struct event_call *c,
		     struct note *n, const struct waiting *w)
{
	const struct event_call there = { .call = w->call, .fd = w->fd };
	struct verdict v;
	char call[48], held[48];

	if (note_told(n, &rules[FIN_HELD_CALL]))
		return 0;
	fmt_call(held, sizeof(held), &there);
	fmt_call(call, sizeof(call), c);
	verdict_start(x, &v, &rules[FIN_HELD_CALL], s);
	if (n->listening) {
		verdict_ask(&v, "Why is the port still taken after %s?", call);
		verdict_say(&v,
			    "%s in thread %u goes on: it holds the listening socket, and close() "
			    "does not wake it",
			    held, w->tid);
	} else {
		verdict_ask(&v, "Why did %s send no FIN?", call);
		verdict_say(&v,
			    "%s: %s in thread %u goes on; it holds the socket, and close() does "
			    "not wake it",
			    missing_word(n), held, w->tid);
	}
	verdict_prove(&v, w->id);
	verdict_do(&v,
		   "Call shutdown(%d, SHUT_RDWR) first: that wakes it and ends the conversation",
		   c->fd);
	return verdict_tell(x, &v);
}

static int tell_unseen(struct explain *x, const struct step *s, const struct event_call *c,
		       struct note *n)
{
	const struct waiting *w = holding_call(x, c, true);
	struct verdict v;
	char call[48];

	if (note_told(n, &rules[FIN_HELD_UNSEEN]))
		return 0;
	verdict_start(x, &v, &rules[FIN_HELD_UNSEEN], s);
	if (!n->listening && !has_fin_to_send(n, s->sock))
		v.weight = WEIGHT_ASIDE;
	verdict_ask(&v, "Why is the socket still open after %s?", fmt_call(call, sizeof(call), c));
	verdict_say(&v, "%s: the kernel still counts %u reference%s to the socket%s",
		    n->listening ? "Still listening" : missing_word(n), c->x[0],
		    c->x[0] == 1 ? "" : "s", w ? ", and another thread polls meanwhile" : "");
	if (w) {
		verdict_infer(&v, "the kernel's count; the poll in progress is the likely holder");
		verdict_prove(&v, w->id);
	} else {
		verdict_infer(&v, "the kernel's count; a descriptor in another process, one on its "
				  "way to it, or a call in progress is not seen");
	}
	return verdict_tell(x, &v);
}

/* close() tells at its return what it did; a kernel that closes for a process has no return. */
static int fin_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	const struct waiting *w;
	struct closer *closer;
	struct note *n;
	struct held h;

	if (!c)
		c = step_call(s, PHASE_POINT);
	if (!c || !s->sock || !call_is_close(c) || c->cflags & CALLF_LAST_REF || !c->x[0])
		return 0;
	n = note_of(x, s->sock->sid);
	if (!n || note_mark(n, MARK_CLOSE))
		return 0;
	closer = note_own(x, n, &explain_fin);
	*closer = closer_of(x, c->e.pid);
	h = held_by(x, n->sid, closer, c->cflags & CALLF_BY_EXIT);
	if (h.n)
		return tell_held(x, s, c, n, &h);
	if (!(s->sflags & STEP_HELD))
		return 0;
	w = holding_call(x, c, false);
	return w ? tell_call(x, s, c, n, w) : tell_unseen(x, s, c, n);
}

/* --- a reader that waits for the FIN --- */

/* The close was meant as the end: its process had talked there, and nobody did after it. */
static const struct mark *meant_end(const struct note *n)
{
	const struct mark *some = note_mark(n, MARK_CLOSE_SOME), *send = note_mark(n, MARK_SEND),
			  *recv = note_mark(n, MARK_RECV);

	if (!some || n->listening || n->dead || note_mark(n, MARK_CLOSE) ||
	    note_mark(n, MARK_SHUT_WR) || note_mark(n, MARK_FIN_OUT) || note_mark(n, MARK_RST_IN))
		return NULL;
	if ((send && send->id > some->id) || (recv && recv->id > some->id))
		return NULL;
	return used_by(n, some->pid) ? some : NULL;
}

bool fin_missing(const struct note *n)
{
	return meant_end(n);
}

/*
 * A process that shares a socket on purpose looks the same. It was an end if who closed had said its
 * last word there, if the socket has got to the holder by oversight, or if who accepted it kept it.
 */
static bool is_fault(const struct explain *x, const struct note *n, const struct held *h,
		     const struct mark *some)
{
	const struct mark *accepted = note_mark(n, MARK_ACCEPTED), *sent = note_mark(n, MARK_SEND);

	if (is_stray(x, h))
		return true;
	if (sent && sent->pid == some->pid && h->by[0].fd >= STANDARD_FDS)
		return true;
	return accepted && accepted->pid == h->by[0].pid && h->by[0].pid != some->pid;
}

static int tell_missing(struct explain *x, struct note *n, struct note *peer,
			const struct mark *some, const struct waiting *w)
{
	struct held h = held_by(x, n->sid, note_own(x, n, &explain_fin), false);
	struct verdict v;
	char who[200], reader[96], closer[96], waited[24];

	if (!h.n || note_told(peer, &rules[FIN_MISSING]))
		return 0;
	fmt_holder(who, sizeof(who), x, &h);
	fmt_note(reader, sizeof(reader), x, peer);
	fmt_who(closer, sizeof(closer), x, n->role, some->pid);
	fmt_ns(waited, sizeof(waited), x->now_ns - some->t_ns);
	verdict_start_at(x, &v, &rules[FIN_MISSING], peer, w->id, x->now_ns);
	if (!is_fault(x, n, &h, some))
		v.weight = WEIGHT_NEWS;
	verdict_ask(&v, "Why does %s get no EOF?", reader);
	verdict_say(&v, "No EOF: %s closed descriptor %d %s ago, but %s", closer, some->fd, waited,
		    who);
	verdict_prove(&v, some->id);
	verdict_prove_mark(&v, n, MARK_ACCEPTED);
	verdict_infer(&v, "nothing was sent since that close(); data that still comes would show "
			  "that the socket is shared on purpose");
	remedy_for(&v, x, &h);
	return verdict_tell(x, &v);
}

/* In recv(), or in poll() and its kin until there is something to receive. */
static const struct waiting *wants_data(const struct explain *x, const struct note *n)
{
	const struct waiting *w = call_waiting(x, n->sid, false);

	return w ? w : call_polling(x, n, POLLIN);
}

static int fin_tick(struct explain *x, __u64 now_ns)
{
	struct state *state = family_state(x, &explain_fin);
	const struct waiting *w;
	const struct mark *some;
	struct note *n, *peer;
	int err = 0;

	if (now_ns < state->next_ns)
		return 0;
	state->next_ns = now_ns + LOOK_NS;
	for (n = notes_living(x, NULL); !err && n; n = notes_living(x, n)) {
		some = meant_end(n);
		peer = some ? note_peer(x, n) : NULL;
		w = peer ? wants_data(x, peer) : NULL;
		if (w && now_ns >= some->t_ns + MISSED_NS && now_ns >= w->t_ns + MISSED_NS)
			err = tell_missing(x, n, peer, some, w);
	}
	return err;
}

const struct family explain_fin = {
	.name = "fin",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct closer),
	.state_size = sizeof(struct state),
	.step = fin_step,
	.tick = fin_tick,
};
