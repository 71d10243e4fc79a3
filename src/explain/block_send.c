// SPDX-License-Identifier: MIT
/*
 * A send call that waits. It does so only while the send queue is full (tcp(7)), so the question is
 * why that queue does not drain: nobody reads at the other end, so that its window closes; segments
 * or their ACKs are lost; or the way is slow and nothing is wrong.
 */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>

#include "../model/step.h"
#include "block.h"

/* Segments and acknowledgements under way (an ACK may be held back for 40 ms) have had their time. */
#define STILL_TIMES 5

static bool scene_still(const struct explain *x, const struct scene *sc)
{
	return scene_still_ns(sc) >= STILL_TIMES * x->o.blocked_ns;
}

/* Since when nobody has taken a byte out of the peer's queue. */
static __u64 unread_since(const struct note *peer)
{
	static const enum mark_kind kinds[] = { MARK_RECV, MARK_ACCEPTED, MARK_ESTABLISHED };
	__u64 t = 0;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (note_mark(peer, kinds[i]) && peer->marks[kinds[i]].t_ns > t)
			t = peer->marks[kinds[i]].t_ns;
	return t;
}

static bool unaccepted(const struct explain *x, const struct note *peer)
{
	const struct sock *s = model_sock(x->m, peer->sid);

	return peer->role == ROLE_SERVER && peer->protocol == IPPROTO_TCP &&
	       !note_mark(peer, MARK_ACCEPTED) && s && s->passive && !s->seeded;
}

/* Nobody reads what was sent, and that is what holds the sender up. */
static bool reader_sleeps(const struct explain *x, const struct scene *sc)
{
	if (!sc->peer || !sc->to.rcvq || call_waiting(x, sc->peer->sid, false))
		return false;
	if (sc->now_ns - unread_since(sc->peer) < x->o.blocked_ns)
		return false;
	return sc->n->protocol != IPPROTO_TCP || note_mark(sc->n, MARK_ZERO_WIN) ||
	       scene_still(x, sc);
}

static void say_reader(struct explain *x, struct verdict *v, const struct waiting *w,
		       const struct scene *sc, const struct rule *r)
{
	const struct note *peer = sc->peer, *listener = note_of(x, peer->listener);
	bool zero = note_mark(sc->n, MARK_ZERO_WIN);
	__u64 wait = sc->to.unsent + sc->to.in_flight;
	char call[48], who[96], since[32], there[40], here[40], instead[80];

	fmt_waiting(call, sizeof(call), w);
	fmt_bytes(there, sizeof(there), sc->to.rcvq);
	fmt_bytes(here, sizeof(here), wait);
	fmt_ns(since, sizeof(since), sc->now_ns - unread_since(peer));
	if (r == &block_rules[BLOCK_SEND_UNACCEPTED]) {
		fmt_who(who, sizeof(who), x, ROLE_SERVER, listener ? listener->pid : peer->pid);
		verdict_say(v,
			    "%s waits: %s has not called accept() for %s; %s %s in a queue that "
			    "nobody can read yet%s, %s %s here",
			    call, who, since, there, verb(sc->to.rcvq, "lies", "lie"),
			    zero ? " (window 0)" : "", here, verb(wait, "waits", "wait"));
		verdict_do(v, "The server must accept() the connection and read from it");
	} else {
		fmt_note(who, sizeof(who), x, peer);
		fmt_instead(instead, sizeof(instead), x, w, peer->pid);
		verdict_say(v,
			    "%s waits: %s has read nothing for %s; %s %s unread in its queue%s, %s "
			    "%s here%s",
			    call, who, since, there, verb(sc->to.rcvq, "lies", "lie"),
			    zero ? " (window 0)" : "", here, verb(wait, "waits", "wait"), instead);
		verdict_do(
			v,
			"The reader must read; larger buffers only put it off. A sender that must not wait "
			"uses MSG_DONTWAIT, or poll() and POLLOUT");
	}
	if (!zero && sc->n->protocol == IPPROTO_TCP)
		verdict_infer(
			v, "nothing has moved for a while; a segment with window 0 would prove it");
	verdict_prove_mark(v, peer, MARK_RECV);
	verdict_prove_mark(v, peer, MARK_ACCEPTED);
	verdict_prove_mark(v, sc->n, MARK_DATA_OUT);
	verdict_prove_mark(v, sc->n, MARK_ZERO_WIN);
}

static void say_window(struct verdict *v, const struct waiting *w, const struct scene *sc)
{
	const struct mark *zero = note_mark(sc->n, MARK_ZERO_WIN);
	__u64 wait = sc->to.unsent + sc->to.in_flight;
	char call[48], since[32], here[40];

	verdict_say(v,
		    "%s waits: the peer's window has been 0 for %s, its program does not read; %s "
		    "%s here",
		    fmt_waiting(call, sizeof(call), w),
		    fmt_ns(since, sizeof(since), sc->now_ns - zero->t_ns),
		    fmt_bytes(here, sizeof(here), wait), verb(wait, "waits", "wait"));
	verdict_do(v, "Look at the program at the other end: it must read");
	verdict_infer(v, "the window in its segments; a trace of the peer would show its calls");
	verdict_prove(v, zero->id);
}

static void say_lost(struct verdict *v, const struct waiting *w, const struct scene *sc)
{
	char call[48], since[32], bytes[40], times[32];

	verdict_say(v,
		    "%s waits: %s %s under way, unanswered for %s and sent again %s: data or "
		    "ACKs are lost",
		    fmt_waiting(call, sizeof(call), w),
		    fmt_bytes(bytes, sizeof(bytes), sc->to.in_flight),
		    verb(sc->to.in_flight, "is", "are"),
		    fmt_ns(since, sizeof(since), scene_still_ns(sc)),
		    fmt_times(times, sizeof(times), sc->n->marks[MARK_RTX].n - sc->own->send.rtx));
	verdict_do(v, "Look for a filter, a cable or a host that is gone; TCP_USER_TIMEOUT bounds "
		      "the wait");
	verdict_infer(v,
		      "retransmissions without an answer; a capture at the peer would tell which "
		      "way they are lost");
	verdict_prove_mark(v, sc->n, MARK_RTX);
	verdict_prove_mark(v, sc->n, MARK_ACK_IN);
}

/* In send(), or in poll() and its kin until there is room. */
static struct waiting *wants_room(const struct explain *x, const struct note *n)
{
	struct waiting *w = call_waiting(x, n->sid, true);

	return w ? w : call_polling(x, n, POLLOUT);
}

static bool sends(const struct waiting *w)
{
	const struct event_call c = { .call = w->call };

	return call_is_send(&c);
}

/* For a poll(), which may wait for something else: it has bytes to send, and no window for them. */
static bool has_no_room(const struct note *n, const struct ledger *to)
{
	return note_mark(n, MARK_ZERO_WIN) && to->unsent + to->in_flight;
}

/*
 * Both in send(), both queues towards both ends full, nobody reads, nothing moves: since neither
 * call returns before the other end reads, that lasts. With unread bytes there, a poll() that
 * still waits does not ask for them.
 */
static bool deadlocked(const struct explain *x, const struct scene *sc)
{
	const struct waiting *w, *other;

	if (!sc->peer || !sc->to.rcvq || !sc->from.rcvq || !scene_still(x, sc))
		return false;
	w = wants_room(x, sc->n);
	other = wants_room(x, sc->peer);
	if (!w || !other || call_waiting(x, sc->peer->sid, false) ||
	    call_waiting(x, sc->n->sid, false))
		return false;
	if (!sends(w) && !has_no_room(sc->n, &sc->to))
		return false;
	if (!sends(other))
		return has_no_room(sc->peer, &sc->from);
	return sc->now_ns - other->t_ns >= STILL_TIMES * x->o.blocked_ns;
}

static int tell_deadlock(struct explain *x, struct waiting *w, struct scene *sc)
{
	const struct rule *r = &block_rules[BLOCK_DEADLOCK];
	struct waiting *other = wants_room(x, sc->peer);
	bool again = note_told(sc->peer, r), in_send = sends(w) && sends(other);
	char call[48], back[48], who[96], whom[96], how[128], b[4][40];
	struct verdict v;

	if (note_told(sc->n, r) || again)
		return 0;
	w->told = other->told = true;
	verdict_start_at(x, &v, r, sc->n, w->id, w->t_ns);
	v.pid = w->pid;
	verdict_ask(&v, "Why do %s and %s not return?", fmt_waiting(call, sizeof(call), w),
		    fmt_waiting(back, sizeof(back), other));
	if (in_send)
		snprintf(how, sizeof(how), "in send()");
	else if (w->call == other->call)
		snprintf(how, sizeof(how), "to send, in %s,", call);
	else
		snprintf(how, sizeof(how), "to send, in %s and %s,", call, back);
	verdict_say(
		&v,
		"Deadlock: %s and %s both wait %s and neither reads: towards the %s %s wait behind "
		"%s unread, the other way %s behind %s",
		fmt_who(who, sizeof(who), x, sc->n->role, w->pid),
		fmt_who(whom, sizeof(whom), x, sc->peer->role, other->pid), how,
		sc->peer->role == ROLE_NONE ? "latter" : role_name(sc->peer->role),
		fmt_bytes(b[0], sizeof(b[0]), sc->to.unsent + sc->to.in_flight),
		fmt_bytes(b[1], sizeof(b[1]), sc->to.rcvq),
		fmt_bytes(b[2], sizeof(b[2]), sc->from.unsent + sc->from.in_flight),
		fmt_bytes(b[3], sizeof(b[3]), sc->from.rcvq));
	verdict_do(&v, "Agree who speaks first, or read while you write: poll() for POLLIN and "
		       "POLLOUT with non-blocking sockets");
	if (!in_send)
		verdict_infer(&v, "unread bytes and a window of 0 both ways; a poll() may yet end "
				  "with its timeout, and its program read then");
	verdict_prove(&v, other->id);
	verdict_prove_mark(&v, sc->n, MARK_ZERO_WIN);
	verdict_prove_mark(&v, sc->peer, MARK_ZERO_WIN);
	verdict_prove_mark(&v, sc->n, MARK_DATA_OUT);
	verdict_prove_mark(&v, sc->peer, MARK_DATA_OUT);
	return verdict_tell(x, &v);
}

/* The reader that does not read waits in send() too: who is at fault shows when nothing moves. */
static bool deadlock_looms(const struct explain *x, const struct scene *sc)
{
	return sc->peer && sc->from.rcvq && wants_room(x, sc->peer) && !scene_still(x, sc);
}

/* NULL: not clear yet, or nothing is wrong. */
static const struct rule *send_cause(const struct explain *x, const struct scene *sc)
{
	if (deadlock_looms(x, sc))
		return NULL;
	if (reader_sleeps(x, sc))
		return &block_rules[unaccepted(x, sc->peer) ? BLOCK_SEND_UNACCEPTED :
							      BLOCK_SEND_READER];
	if (!sc->peer && note_mark(sc->n, MARK_ZERO_WIN))
		return &block_rules[BLOCK_SEND_WINDOW];
	if (sc->to.in_flight && scene_still(x, sc) && !note_mark(sc->n, MARK_ZERO_WIN) &&
	    sc->n->marks[MARK_RTX].n > sc->own->send.rtx)
		return &block_rules[BLOCK_SEND_LOST];
	return NULL;
}

/* Is it not clear yet who is at fault, wait for the next look. */
int send_wait(struct explain *x, struct waiting *w, struct scene *sc)
{
	const struct rule *r;
	struct verdict v;
	char call[48];

	if (deadlocked(x, sc))
		return tell_deadlock(x, w, sc);
	r = w->told ? NULL : send_cause(x, sc);
	if (!r)
		return 0;
	w->told = true;
	if (note_told(sc->n, r))
		return 0;
	verdict_start_at(x, &v, r, sc->n, w->id, w->t_ns);
	v.pid = w->pid;
	verdict_ask(&v, "Why does %s not return?", fmt_waiting(call, sizeof(call), w));
	if (r == &block_rules[BLOCK_SEND_WINDOW])
		say_window(&v, w, sc);
	else if (r == &block_rules[BLOCK_SEND_LOST])
		say_lost(&v, w, sc);
	else
		say_reader(x, &v, w, sc, r);
	return verdict_tell(x, &v);
}

int room_wait(struct explain *x, struct waiting *w, struct scene *sc)
{
	return deadlocked(x, sc) ? tell_deadlock(x, w, sc) : 0;
}

/* What the peer has read since the call began: "6 reads of 49,152 bytes" */
static bool fmt_reads(char *buf, size_t size, const struct scene *sc)
{
	const struct block_call *b = &sc->own->send;
	char bytes[40];
	__u64 n;

	if (!sc->peer || sc->peer->recvs <= b->recvs)
		return false;
	n = sc->peer->recvs - b->recvs;
	snprintf(buf, size, "%llu read%s of %s", (unsigned long long)n, n == 1 ? "" : "s",
		 fmt_bytes(bytes, sizeof(bytes), sc->peer->received - b->received));
	return true;
}

/* It has returned: who had to wait for whom, with the full time. */
int send_done(struct explain *x, const struct step *s, const struct event_call *c, bool told,
	      struct scene *sc)
{
	bool reader = told || sc->own->send.zero;
	const struct rule *r = &block_rules[told   ? BLOCK_ENDED :
					    reader ? BLOCK_SEND_READER :
						     BLOCK_SEND_LINK];
	const struct levels *lv = step_levels(s);
	char call[48], took[32], who[96], reads[80], room[40];
	struct verdict v;

	if (c->ret < 0 || (__u64)c->ret < c->len || (!told && note_told(sc->n, r)))
		return 0; /* it did not wait to its end: something else cut it short */
	verdict_start(x, &v, r, s);
	fmt_call(call, sizeof(call), c);
	fmt_ns(took, sizeof(took), s->took_ns);
	verdict_ask(&v, "Why did %s take %s?", call, took);
	if (reader && fmt_reads(reads, sizeof(reads), sc))
		verdict_say(&v, "%s took %s: there was room only as %s read, %s by now", call, took,
			    fmt_note(who, sizeof(who), x, sc->peer), reads);
	else if (reader)
		verdict_say(&v,
			    "%s took %s: the peer's window was 0 meanwhile, its program read late",
			    call, took);
	else
		verdict_say(
			&v,
			"%s took %s: its send queue of %s was full, and each byte in it had to be "
			"acknowledged first",
			call, took, fmt_bytes(room, sizeof(room), lv ? lv->sndbuf : 0));
	if (reader)
		verdict_do(&v, "The reader sets the pace; larger buffers only put it off");
	else
		verdict_infer(&v, "no window of 0 was seen, so the way or the buffer set the pace; "
				  "a larger SO_SNDBUF would tell");
	verdict_prove(&v, s->enter_id);
	verdict_prove(&v, sc->own->send.zero);
	verdict_prove_mark(&v, sc->n, MARK_ACK_IN);
	if (reader)
		verdict_prove_mark(&v, sc->peer, MARK_RECV);
	return verdict_tell(x, &v);
}
