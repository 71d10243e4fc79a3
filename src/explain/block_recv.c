// SPDX-License-Identifier: MIT
/*
 * A receive call that waits. That is ordinary, and mostly nobody is at fault: told are the cases in
 * which what it waits for is lost, or does not come because nobody is going to send it.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "block.h"
#include "leaving.h"

/* In these times the threshold: the rest of a message, or a word of either end, is overdue. */
#define REST_TIMES 5
#define SILENCE_TIMES 50

static int tell_recv_lost(struct explain *x, struct waiting *w, const struct scene *sc)
{
	const struct rule *r = &block_rules[BLOCK_RECV_LOST];
	char call[48], bytes[40], who[96], times[32];
	struct verdict v;

	if (note_told(sc->n, r))
		return 0;
	block_start(x, &v, r, w, sc->n);
	verdict_say(&v,
		    "%s waits: %s of %s %s under way but %s not arrive; its kernel has sent %s "
		    "again %s",
		    fmt_waiting(call, sizeof(call), w),
		    fmt_bytes(bytes, sizeof(bytes), sc->from.in_flight),
		    fmt_note(who, sizeof(who), x, sc->peer), verb(sc->from.in_flight, "is", "are"),
		    verb(sc->from.in_flight, "does", "do"), verb(sc->from.in_flight, "it", "them"),
		    fmt_times(times, sizeof(times),
			      sc->peer->marks[MARK_RTX].n - sc->own->recv.rtx));
	verdict_do(&v, "Look for what drops segments between the two: a filter, a full queue");
	verdict_prove_mark(&v, sc->peer, MARK_DATA_OUT);
	verdict_prove_mark(&v, sc->peer, MARK_RTX);
	return verdict_tell(x, &v);
}

static int tell_recv_rest(struct explain *x, struct waiting *w, const struct scene *sc, __u64 have)
{
	const struct rule *r = &block_rules[BLOCK_RECV_REST];
	char call[48], want[40], who[96], since[32];
	struct verdict v;

	if (note_told(sc->n, r))
		return 0;
	block_start(x, &v, r, w, sc->n);
	verdict_say(
		&v,
		"%s with MSG_WAITALL has %llu of %s and waits for the rest: %s has sent no more "
		"for %s",
		fmt_waiting(call, sizeof(call), w), (unsigned long long)have,
		fmt_bytes(want, sizeof(want), w->len), fmt_note(who, sizeof(who), x, sc->peer),
		fmt_ns(since, sizeof(since), scene_still_ns(sc)));
	verdict_do(&v, "Ask for as many bytes as the peer sends, or drop MSG_WAITALL and loop");
	verdict_prove_mark(&v, sc->peer, MARK_SEND);
	verdict_prove_mark(&v, sc->n, MARK_DATA_IN);
	return verdict_tell(x, &v);
}

/* For so long both have waited, and nothing has moved. */
static __u64 both_for_ns(const struct scene *sc, const struct waiting *w,
			 const struct waiting *other)
{
	__u64 later = w->t_ns > other->t_ns ? w->t_ns : other->t_ns;
	__u64 ns = sc->now_ns > later ? sc->now_ns - later : 0;

	return ns < scene_still_ns(sc) ? ns : scene_still_ns(sc);
}

static int tell_recv_both(struct explain *x, struct waiting *w, const struct waiting *other,
			  const struct scene *sc)
{
	const struct rule *r = &block_rules[BLOCK_RECV_BOTH];
	bool again = note_told(sc->peer, r);
	char call[48], who[96], back[48], whom[96], since[32];
	struct verdict v;

	if (note_told(sc->n, r) || again)
		return 0;
	block_start(x, &v, r, w, sc->n);
	verdict_say(&v,
		    "Both ends wait to receive: %s in %s, %s in %s. Nothing is under way for %s",
		    fmt_who(who, sizeof(who), x, sc->n->role, w->pid),
		    fmt_waiting(call, sizeof(call), w),
		    fmt_who(whom, sizeof(whom), x, sc->peer->role, other->pid),
		    fmt_waiting(back, sizeof(back), other),
		    fmt_ns(since, sizeof(since), both_for_ns(sc, w, other)));
	verdict_do(&v, "One must speak. If it waits for the end of the other's message: mark that "
		       "end, by shutdown(SHUT_WR), a length or a delimiter");
	verdict_infer(&v, "the calls of one thread at each end; another thread may send yet");
	verdict_prove(&v, other->id);
	verdict_prove_mark(&v, sc->n, MARK_SEND);
	verdict_prove_mark(&v, sc->peer, MARK_SEND);
	return verdict_tell(x, &v);
}

/* --- silence --- */

static bool unaccepted(const struct explain *x, const struct note *peer)
{
	return peer->role == ROLE_SERVER && note_of(x, peer->listener) &&
	       !note_mark(peer, MARK_ACCEPTED);
}

/* Since when the peer has sent nothing; 0 = not known. */
static __u64 silent_since(const struct scene *sc)
{
	const struct mark *sent = note_mark(sc->peer, MARK_SEND);
	const struct mark *up = note_mark(sc->n, MARK_ESTABLISHED);

	return sent ? sent->t_ns : up ? up->t_ns : 0;
}

/* One waits, and nothing is there or under way for it, on a connection that goes on. */
static bool waits_in_silence(const struct explain *x, const struct scene *sc)
{
	const struct ledger *in = &sc->from;

	if (!sc->peer || sc->peer->dead || note_left(sc->peer) || sc->n->protocol != IPPROTO_TCP ||
	    sc->sock->state != TCP_S_ESTABLISHED || !silent_since(sc))
		return false;
	return !in->unsent && !in->in_flight && !in->rcvq && !fin_missing(sc->peer) &&
	       !call_waiting(x, sc->peer->sid, false);
}

static int tell_silent(struct explain *x, struct waiting *w, const struct scene *sc)
{
	const struct note *peer = sc->peer, *listener = note_of(x, peer->listener);
	bool queued = unaccepted(x, peer);
	__u32 pid = queued ? listener->pid : peer->pid;
	char call[48], who[96], since[32], bytes[40], unread[80] = "", instead[80];
	struct verdict v;

	block_start(x, &v, &block_rules[BLOCK_RECV_SILENT], w, sc->n);
	fmt_waiting(call, sizeof(call), w);
	fmt_who(who, sizeof(who), x, peer->role, pid);
	fmt_ns(since, sizeof(since), sc->now_ns - silent_since(sc));
	fmt_instead(instead, sizeof(instead), x, w, pid);
	if (sc->to.rcvq)
		snprintf(unread, sizeof(unread), ", nor read the %s it got",
			 fmt_bytes(bytes, sizeof(bytes), sc->to.rcvq));
	if (queued)
		verdict_say(&v, "%s waits: for %s %s has not called accept() for this connection%s",
			    call, since, who, instead);
	else
		verdict_say(
			&v,
			"%s waits: for %s %s has sent nothing%s, and the connection stays open%s",
			call, since, who, unread, instead);
	verdict_do(&v,
		   "Look what the other end does instead of sending. If it waits for the end "
		   "of a message: mark that end, by shutdown(SHUT_WR), a length or a delimiter");
	verdict_prove_mark(&v, peer, MARK_SEND);
	verdict_prove_mark(&v, sc->n, MARK_ESTABLISHED);
	verdict_prove_mark(&v, sc->n, MARK_SEND);
	return verdict_tell(x, &v);
}

static int tell_silent_once(struct explain *x, struct waiting *w, const struct scene *sc)
{
	struct block_state *state = family_state(x, &explain_block);

	if (w->told || heard_of(&state->silent, w->pid, sc->n->role))
		return 0;
	return tell_silent(x, w, sc);
}

/*
 * A client whose server says nothing is what people mean by "it hangs". The other way round it is
 * ordinary: a server waits for its client, and that one for its user.
 */
int silence_wait(struct explain *x, struct waiting *w, const struct scene *sc)
{
	if (sc->n->role != ROLE_CLIENT || sc->now_ns < w->t_ns + SILENCE_TIMES * x->o.blocked_ns)
		return 0;
	return waits_in_silence(x, sc) ? tell_silent_once(x, w, sc) : 0;
}

/* The trace ends: a server's wait counts, too, if its client sits in another call. */
int silence_left(struct explain *x, struct waiting *w, const struct scene *sc)
{
	bool client = sc->n->role == ROLE_CLIENT;
	unsigned int times = client ? REST_TIMES : SILENCE_TIMES;
	const struct proc *p = model_proc(x->m, w->pid);

	if ((p && p->exited) || sc->now_ns < w->t_ns + times * x->o.blocked_ns ||
	    !waits_in_silence(x, sc))
		return 0;
	return client || call_of_process(x, sc->peer->pid) ? tell_silent_once(x, w, sc) : 0;
}

int recv_wait(struct explain *x, struct waiting *w, const struct scene *sc)
{
	const struct waiting *other = call_waiting(x, sc->peer ? sc->peer->sid : 0, false);
	const struct ledger *in = &sc->from;
	__u64 have = in->read - sc->own->recv.read, still = scene_still_ns(sc);
	bool waitall = w->flags & MSG_WAITALL &&
		       (w->call == CALL_RECVFROM || w->call == CALL_RECVMSG);

	if (w->told || !sc->peer || sc->n->type != SOCK_STREAM)
		return 0;
	if (in->in_flight && sc->peer->marks[MARK_RTX].n > sc->own->recv.rtx)
		return tell_recv_lost(x, w, sc);
	if (in->unsent || in->in_flight || in->rcvq)
		return 0;
	if (waitall && have && have < w->len && still >= REST_TIMES * x->o.blocked_ns)
		return tell_recv_rest(x, w, sc, have);
	if (other && !sc->to.unsent && !sc->to.in_flight && !sc->to.rcvq &&
	    both_for_ns(sc, w, other) >= SILENCE_TIMES * x->o.blocked_ns)
		return tell_recv_both(x, w, other, sc);
	return silence_wait(x, w, sc);
}

int recv_done(struct explain *x, const struct step *s, const struct event_call *c,
	      const struct scene *sc)
{
	bool lost = sc->own->recv.lost;
	const struct rule *r = &block_rules[lost ? BLOCK_RECV_LOST : BLOCK_RECV];
	char call[48], took[32], who[96];
	struct verdict v;

	if (c->ret < 0 || note_told(sc->n, r))
		return 0;
	verdict_start(x, &v, r, s);
	fmt_call(call, sizeof(call), c);
	fmt_ns(took, sizeof(took), s->took_ns);
	fmt_note(who, sizeof(who), x, sc->peer);
	verdict_ask(&v, "Why did %s take %s?", call, took);
	if (lost) {
		verdict_say(
			&v,
			"%s took %s: what %s had sent was lost on the way and arrived only when "
			"its kernel sent it again",
			call, took, who);
		verdict_do(&v, "Look for what drops segments between the two");
		verdict_prove(&v, sc->own->recv.lost);
		verdict_prove_mark(&v, sc->peer, MARK_RTX);
	} else {
		verdict_say(&v, "%s waited %s until %s of %s came", call, took,
			    s->sflags & STEP_EOF ? "the EOF" : "bytes", who);
		verdict_prove_mark(&v, sc->peer, MARK_SEND);
	}
	verdict_prove(&v, s->enter_id);
	verdict_prove_mark(&v, sc->n, MARK_DATA_IN);
	return verdict_tell(x, &v);
}
