// SPDX-License-Identifier: MIT
/*
 * What became of bytes that send() accepted. Its result counts bytes copied into a kernel buffer:
 * they may be unsent, on the way, or in the peer's receive queue, and an acknowledgement comes from
 * the peer's kernel, not from its program (RFC 9293 section 3.8.6: nothing tells when data is read).
 * After close() the kernel goes on by itself; what a socket holds unread when it goes is thrown away.
 *
 * All is kept with the socket that sends; the steps of both ends move it on.
 */
#include <errno.h>
#include <stdio.h>

#include "../model/step.h"
#include "families.h"

/* Unread this many times longer than what counts as blocked: worth a word. */
#define WAITS 10

enum {
	BYTES_UNREAD,
	BYTES_UNSENT,
	BYTES_WAITING,
	BYTES_NEVER_READ,
	BYTES_AFTER_CLOSE,
	BYTES_DELIVERED,
	BYTES_LOST
};

static const struct rule rules[] = {
	[BYTES_UNREAD] = { "bytes-unread", "send() returned: where are the bytes now?",
			   WEIGHT_NEWS },
	[BYTES_UNSENT] = { "bytes-unsent",
			   "send() returned, and bytes had not even left the sending kernel",
			   WEIGHT_ASIDE },
	[BYTES_WAITING] = { "bytes-waiting",
			    "The peer's kernel has acknowledged bytes that its program does not read",
			    WEIGHT_NEWS },
	[BYTES_NEVER_READ] = { "bytes-never-read",
			       "The peer's kernel took bytes in, and its program never read them",
			       WEIGHT_NEWS },
	[BYTES_AFTER_CLOSE] = { "bytes-after-close",
				"close() returned while bytes were still in the send queue",
				WEIGHT_NEWS },
	[BYTES_DELIVERED] = { "bytes-delivered",
			      "The bytes that close() left in the send queue have arrived",
			      WEIGHT_NEWS },
	[BYTES_LOST] = { "bytes-lost", "Bytes that close() left in the send queue never arrived",
			 WEIGHT_NEWS },
};

/* Of a socket that sends. */
struct bytes_note {
	__u32 told;	      /* a bit for each rule */
	__u64 since_id, t_ns; /* the send since which the peer has read nothing; 0 = it has all */
	__u64 closed_id, t_closed_ns;
	__u64 left; /* at that close: unsent or on the way */
};

struct bytes_state {
	struct heard heard;  /* of BYTES_UNREAD: by role, whatever the process */
	struct heard closed; /* of BYTES_AFTER_CLOSE */
	__u64 due_ns;	     /* when the next unread bytes are worth a word, 0 = none wait */
};

static struct bytes_note *own_of(const struct explain *x, struct note *n)
{
	return note_own(x, n, &explain_bytes);
}

static bool told_before(struct bytes_note *own, unsigned int rule)
{
	bool told = own->told & 1U << rule;

	own->told |= 1U << rule;
	return told;
}

static __u64 unread(const struct ledger *l)
{
	return l->rx_seen ? l->written - l->read : l->unsent + l->in_flight;
}

/* The peer's name when only its address is in sight. */
static char *fmt_peer(char *buf, size_t size, const struct explain *x, const struct note *n)
{
	const struct note *peer = note_peer(x, n);

	if (peer)
		return fmt_note(buf, size, x, peer);
	snprintf(buf, size, "the peer");
	return buf;
}

/* Nobody has called accept() for this end yet. */
static bool unaccepted(const struct note *n)
{
	return n && n->role == ROLE_SERVER && n->listener && !note_mark(n, MARK_ACCEPTED) &&
	       note_mark(n, MARK_ESTABLISHED);
}

/* "395,904 bytes not sent yet, 4,096 bytes in its receive queue" */
static char *fmt_places(char *buf, size_t size, const struct ledger *l)
{
	const struct {
		__u64 bytes;
		const char *place;
	} rows[] = {
		{ l->unsent, "not sent yet" },
		{ l->in_flight, "sent and not acknowledged" },
		{ l->rcvq, "unread in its receive queue" },
	};
	size_t i, at = 0;
	char bytes[40];

	buf[0] = '\0';
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]) && at < size; i++)
		if (rows[i].bytes)
			at += (size_t)snprintf(buf + at, size - at, "%s%s %s", at ? ", " : "",
					       fmt_bytes(bytes, sizeof(bytes), rows[i].bytes),
					       rows[i].place);
	return buf;
}

/* Totals of a connection that is older than the trace begin at its first sight. */
static void doubt_totals(struct verdict *v, const struct ledger *l)
{
	if (l->partial)
		verdict_infer(v, "counters since the first sight of a connection that is older "
				 "than the trace");
}

/* --- send() has returned --- */

static void say_unread(struct explain *x, struct verdict *v, const struct step *s,
		       const struct note *n, const char *call)
{
	const struct ledger *out = &s->dir[step_out(s)];
	const struct note *peer = note_peer(x, n);
	bool there = out->rcvq == out->written; /* all of it in one place */
	const char *waits = verb(out->written, "it waits", "they wait");
	char who[96], places[160], all[40];

	fmt_peer(who, sizeof(who), x, n);
	fmt_bytes(all, sizeof(all), out->written);
	fmt_places(places, sizeof(places), out);
	if (!out->rx_seen)
		verdict_say(v, "%s only copied into the kernel: of %s, %s", call, all, places);
	else if (there && unaccepted(peer))
		verdict_say(v,
			    "%s only copied: nobody has read the %s yet; %s in the receive queue "
			    "of a connection that nobody has accepted",
			    call, all, waits);
	else if (there)
		verdict_say(v,
			    "%s only copied: nobody has read the %s yet; %s in the receive queue "
			    "of %s",
			    call, all, waits, who);
	else
		verdict_say(v, "%s only copied: of %s %s has read %llu; %s", call, all, who,
			    (unsigned long long)out->read, places);
	doubt_totals(v, out);
	verdict_prove_mark(v, n, MARK_DATA_OUT);
	verdict_prove_mark(v, peer, MARK_DATA_IN);
	verdict_prove_mark(v, peer, MARK_RECV);
	verdict_do(v, "If you must know that the peer's program has the bytes, let it answer: "
		      "send() only counts what was copied");
}

static int tell_unread(struct explain *x, const struct step *s, const struct event_call *c,
		       struct note *n)
{
	struct bytes_state *state = family_state(x, &explain_bytes);
	struct bytes_note *own = own_of(x, n);
	const struct ledger *out = &s->dir[step_out(s)];
	unsigned int rule = BYTES_UNREAD;
	struct verdict v;
	char call[48];

	if (own->told & 1U << rule && out->unsent)
		rule = BYTES_UNSENT;
	if (told_before(own, rule))
		return 0;
	if (out->unsent)
		told_before(own, BYTES_UNSENT);
	verdict_start(x, &v, &rules[rule], s);
	if (rule == BYTES_UNREAD && heard_of(&state->heard, 0, v.role))
		v.weight = WEIGHT_ASIDE;
	fmt_call(call, sizeof(call), c);
	verdict_ask(&v, "%s returned %lld: where are the bytes?", call, (long long)c->ret);
	say_unread(x, &v, s, n, call);
	return verdict_tell(x, &v);
}

static int after_send(struct explain *x, const struct step *s, const struct event_call *c,
		      struct note *n)
{
	struct bytes_state *state = family_state(x, &explain_bytes);
	struct bytes_note *own = own_of(x, n);
	const struct ledger *out = &s->dir[step_out(s)];
	__u64 due;

	if (!call_moved(c) || !out->tx_seen || !unread(out) ||
	    (step_is_tcp(s) && s->sock->state == TCP_S_CLOSE))
		return 0;
	if (out->rx_seen && step_is_tcp(s) && !own->since_id) {
		own->since_id = s->id;
		own->t_ns = s->t_ns;
		due = s->t_ns + WAITS * x->o.blocked_ns;
		state->due_ns = state->due_ns && state->due_ns < due ? state->due_ns : due;
	}
	return tell_unread(x, s, c, n);
}

/* The peer's program has read: what is left begins to wait anew. */
static void after_read(const struct explain *x, const struct step *s, struct note *sender)
{
	struct bytes_state *state = family_state(x, &explain_bytes);
	struct bytes_note *own = own_of(x, sender);
	const struct ledger *in = &s->dir[!step_out(s)];

	if (in->written == in->read)
		own->since_id = 0;
	else if (own->since_id)
		own->t_ns = s->t_ns;
	if (own->since_id && !state->due_ns)
		state->due_ns = s->t_ns + WAITS * x->o.blocked_ns;
}

/* --- acknowledged, and not read for long --- */

static int tell_waiting(struct explain *x, struct note *n, struct bytes_note *own,
			const struct ledger *out, __u64 now_ns)
{
	const struct note *peer = note_peer(x, n);
	char who[96], bytes[40], time[24];
	struct verdict v;

	told_before(own, BYTES_WAITING);
	verdict_start_at(x, &v, &rules[BYTES_WAITING], n, own->since_id, own->t_ns);
	fmt_bytes(bytes, sizeof(bytes), out->rcvq);
	fmt_ns(time, sizeof(time), now_ns - own->t_ns);
	fmt_note(who, sizeof(who), x, peer);
	verdict_ask(&v, "Has the peer got the %s?", bytes);
	if (unaccepted(peer))
		verdict_say(&v,
			    "For %s %s %s in the receive queue of a connection that nobody has "
			    "accepted: acknowledged is not read",
			    time, bytes, verb(out->rcvq, "lies", "lie"));
	else
		verdict_say(&v,
			    "For %s %s has not read the %s that its kernel took in: acknowledged "
			    "is not read",
			    time, who, bytes);
	verdict_prove_mark(&v, peer, MARK_DATA_IN);
	verdict_prove_mark(&v, n, MARK_ACK_IN);
	verdict_do(&v, "Wait for an answer of the peer's program, with a timeout of your own: "
		       "it may be busy, stopped or stuck");
	return verdict_tell(x, &v);
}

/* Unread over there, all acknowledged; a sender that is blocked has a verdict of its own. */
static bool worth_telling(const struct explain *x, const struct sock *k, const struct ledger *out)
{
	return out->rcvq && k->lv.snd_una == k->lv.snd_nxt && !call_waiting(x, k->sid, true);
}

static int look_waiting(struct explain *x, struct note *n, __u64 now_ns, __u64 *next_ns)
{
	struct bytes_note *own = own_of(x, n);
	const struct sock *k = own->since_id && !n->dead ? model_sock(x->m, n->sid) : NULL;
	const struct ledger *out;
	__u64 due;

	if (!k || !k->conn || own->told & 1U << BYTES_WAITING)
		return 0;
	out = &k->conn->dir[k->role == ROLE_SERVER];
	due = own->t_ns + WAITS * x->o.blocked_ns;
	if (due <= now_ns && worth_telling(x, k, out))
		return tell_waiting(x, n, own, out, now_ns);
	if (due <= now_ns)
		due = now_ns + WAITS * x->o.blocked_ns;
	*next_ns = *next_ns && *next_ns < due ? *next_ns : due;
	return 0;
}

static int bytes_tick(struct explain *x, __u64 now_ns)
{
	struct bytes_state *state = family_state(x, &explain_bytes);
	struct note *n;
	int err = 0;

	if (!state->due_ns || now_ns < state->due_ns)
		return 0;
	state->due_ns = 0;
	for (n = notes_living(x, NULL); !err && n; n = notes_living(x, n))
		err = look_waiting(x, n, now_ns, &state->due_ns);
	return err;
}

/* --- the receiving socket goes --- */

static int tell_never_read(struct explain *x, const struct step *s, struct note *sender,
			   const struct note *n)
{
	const struct ledger *in = &s->dir[!step_out(s)];
	const struct mark *closed = note_mark(n, MARK_CLOSE);
	bool ended = closed && closed->n & (CALLF_BY_EXIT | CALLF_BY_EXEC);
	char who[96], part[80], all[40];
	struct verdict v;

	if (told_before(own_of(x, sender), BYTES_NEVER_READ))
		return 0;
	verdict_start_at(x, &v, &rules[BYTES_NEVER_READ], sender, s->id, s->t_ns);
	if (!ended && note_mark(n, MARK_RST_WHY))
		v.weight = WEIGHT_ASIDE; /* the verdict about the RST says so already */
	fmt_part(part, sizeof(part), in->discarded, in->written);
	fmt_bytes(all, sizeof(all), in->written);
	fmt_note(who, sizeof(who), x, n);
	verdict_ask(&v, "Did the program at the other end get the %s?", all);
	if (unaccepted(n))
		verdict_say(&v,
			    "Never read: %s lay in the receive queue of a connection that nobody "
			    "ever accepted, and %s thrown away",
			    part, verb(in->discarded, "is", "are"));
	else
		verdict_say(&v,
			    "Never read: %s lay in the receive queue when %s %s: its kernel had "
			    "taken %s in, but its program had not",
			    part, who, ended ? "ended" : "closed the socket",
			    verb(in->discarded, "it", "them"));
	doubt_totals(&v, in);
	verdict_prove_mark(&v, sender, MARK_SEND);
	verdict_prove_mark(&v, sender, MARK_ACK_IN);
	verdict_prove_mark(&v, n, MARK_CLOSE);
	verdict_do(&v, "Neither send()'s result nor an acknowledgement says that a program has "
		       "read: let the peer confirm what it got");
	return verdict_tell(x, &v);
}

/* --- the sending socket goes, and its queue is not empty --- */

static int tell_after_close(struct explain *x, const struct step *s, const struct event_call *c,
			    struct note *n)
{
	const struct ledger *out = &s->dir[step_out(s)];
	struct bytes_state *state = family_state(x, &explain_bytes);
	struct bytes_note *own = own_of(x, n);
	char part[80], what[96];
	struct verdict v;

	own->left = out->unsent + out->in_flight;
	own->closed_id = s->id;
	own->t_closed_ns = s->t_ns;
	verdict_start(x, &v, &rules[BYTES_AFTER_CLOSE], s);
	if (!out->unsent || heard_of(&state->closed, v.pid, v.role))
		v.weight = WEIGHT_ASIDE;
	fmt_part(part, sizeof(part), own->left, out->written);
	if (s->phase == PHASE_POINT)
		fmt_who(what, sizeof(what), x, v.role, v.pid);
	else
		fmt_call(what, sizeof(what), c);
	verdict_ask(&v, "What becomes of the bytes that were not sent yet?");
	verdict_say(&v,
		    "%s %s with %s not delivered: the kernel goes on sending %s without the "
		    "program, and its FIN comes last",
		    what, s->phase == PHASE_POINT ? "ended" : "returned", part,
		    verb(own->left, "it", "them"));
	verdict_prove_mark(&v, n, MARK_SEND);
	verdict_do(&v, "No need to wait before close(). But an RST would destroy them: to be sure, "
		       "shutdown(SHUT_WR) and read until recv() returns 0");
	return verdict_tell(x, &v);
}

static int after_close(struct explain *x, const struct step *s, struct note *n)
{
	const struct event_call *c = s->ev->kind == EV_CALL ? (const void *)s->ev : NULL;
	const struct ledger *out = &s->dir[step_out(s)];

	if (!c || !call_is_close(c) || s->phase == PHASE_ENTER || !note_mark(n, MARK_CLOSE) ||
	    !step_is_tcp(s) || s->sock->state == TCP_S_CLOSE)
		return 0;
	if (own_of(x, n)->closed_id || !out->tx_seen || !(out->unsent + out->in_flight))
		return 0;
	return tell_after_close(x, s, c, n);
}

static int tell_delivered(struct explain *x, const struct step *s, struct note *n,
			  const struct ledger *out)
{
	struct bytes_note *own = own_of(x, n);
	char bytes[40], time[24], unread_there[40], rest[80] = "", who[96];
	struct verdict v;

	verdict_start_at(x, &v, &rules[BYTES_DELIVERED], n, s->id, s->t_ns);
	if (s->t_ns < own->t_closed_ns + x->o.blocked_ns)
		v.weight = WEIGHT_ASIDE; /* nobody could have noticed */
	fmt_bytes(bytes, sizeof(bytes), own->left);
	fmt_ns(time, sizeof(time), s->t_ns - own->t_closed_ns);
	if (out->rcvq)
		snprintf(rest, sizeof(rest), "; %s still unread there",
			 fmt_bytes(unread_there, sizeof(unread_there), out->rcvq));
	verdict_ask(&v, "Did the %s left at close() arrive?", bytes);
	verdict_say(&v,
		    "The kernel went on alone: %s after close(), the last of the %s it left has "
		    "reached %s%s",
		    time, bytes, fmt_peer(who, sizeof(who), x, n), rest);
	verdict_prove(&v, own->closed_id);
	verdict_prove_mark(&v, n, MARK_DATA_OUT);
	verdict_prove_mark(&v, n, MARK_ACK_IN);
	own->left = 0;
	return verdict_tell(x, &v);
}

static int tell_lost(struct explain *x, const struct step *s, struct note *n,
		     const struct ledger *out)
{
	struct bytes_note *own = own_of(x, n);
	const struct mark *error = note_mark(n, MARK_ERROR);
	char part[80], left[40];
	struct verdict v;

	verdict_start_at(x, &v, &rules[BYTES_LOST], n, s->id, s->t_ns);
	if (!error || error->n != ETIMEDOUT)
		v.weight = WEIGHT_ASIDE; /* the verdict about the RST says so, too */
	fmt_part(part, sizeof(part), out->destroyed + out->unacked, own->left);
	fmt_bytes(left, sizeof(left), own->left);
	verdict_ask(&v, "Did the %s left at close() arrive?", left);
	verdict_say(&v,
		    "Never delivered: %s that close() left in the send queue %s gone, and no call "
		    "can report it any more",
		    part, verb(out->destroyed + out->unacked, "is", "are"));
	verdict_prove(&v, own->closed_id);
	verdict_prove_mark(&v, n, MARK_RST_IN);
	verdict_prove_mark(&v, n, MARK_RST_WHY);
	verdict_prove_mark(&v, n, MARK_ERROR);
	verdict_do(&v, "Before close(), shutdown(SHUT_WR) and read until recv() returns 0: "
		       "then the peer has read to the end");
	own->left = 0;
	return verdict_tell(x, &v);
}

/* A socket was closed with a full queue: has the kernel brought it over? */
static int follow_close(struct explain *x, const struct step *s, struct note *n,
			const struct ledger *out)
{
	const struct bytes_note *own = n ? own_of(x, n) : NULL;

	if (!own || !own->left || own->closed_id == s->id)
		return 0;
	if (out->destroyed + out->unacked)
		return tell_lost(x, s, n, out);
	return out->unsent + out->in_flight ? 0 : tell_delivered(x, s, n, out);
}

static int bytes_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	struct note *n = s->ev && step_is_stream(s) ? note_of(x, s->sock->sid) : NULL;
	struct note *peer = n ? note_of(x, n->peer) : NULL;
	const struct ledger *out = n ? &s->dir[step_out(s)] : NULL;
	const struct ledger *in = n ? &s->dir[!step_out(s)] : NULL;
	int err;

	if (!n || n->listening)
		return 0;
	if (c && call_is_send(c))
		return after_send(x, s, c, n);
	if (c && call_is_receive(c) && peer)
		after_read(x, s, peer);
	err = after_close(x, s, n);
	if (!err)
		err = follow_close(x, s, n, out);
	if (!err && peer)
		err = follow_close(x, s, peer, in);
	if (!err && peer && in->discarded)
		err = tell_never_read(x, s, peer, n);
	return err;
}

const struct family explain_bytes = {
	.name = "bytes",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct bytes_note),
	.state_size = sizeof(struct bytes_state),
	.step = bytes_step,
	.tick = bytes_tick,
};
