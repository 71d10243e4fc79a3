// SPDX-License-Identifier: MIT
/*
 * Nagle's algorithm meets a delayed ACK. A segment that is not full is held back while an earlier
 * one is not acknowledged (RFC 9293 section 3.7.4), and the receiver waits with its ACK, hoping for
 * an answer to send it with (RFC 9293 section 3.8.6.3; 40 ms on Linux, TCP_DELACK_MIN). No event says
 * that a segment is held back: it is inferred from what was missing, which is nothing but that ACK.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"

enum { NAGLE_WAIT, NAGLE_TOTAL };

static const struct rule rules[] = {
	[NAGLE_WAIT] = { "nagle-wait", "A small segment waited for the ACK of the one before it",
			 WEIGHT_NEWS },
	[NAGLE_TOTAL] = { "nagle-total",
			  "How often small segments waited for an ACK on one connection",
			  WEIGHT_ASIDE },
};

#define MSS_LEAST 536		  /* RFC 9293 section 3.7.1 */
#define PROMPT_NS (5 * NS_PER_MS) /* so soon after the ACK: because of it */

/* A send whose bytes stayed behind. id 0: none. */
struct held {
	__u64 id, enter_id, t_ns;
	__u64 before; /* segment that is not acknowledged */
	__u32 seq;    /* raw, of the first byte held back */
	__u64 bytes;
	__s32 fd;
	__u16 call;
};

struct nagle {
	struct held held;
	__u64 ack_id, t_ack; /* latest ACK that came */
	__u32 ack;
	__u32 mss; /* of a SYN that left or came, 0 = not seen */
	bool corked;
	__u64 times, ns; /* so far, and in all */
};

static struct nagle *own_of(const struct explain *x, struct note *n)
{
	return note_own(x, n, &explain_nagle);
}

static __u32 mss_of(const struct explain *x, struct note *n)
{
	struct note *l = note_of(x, n->listener);
	__u32 mss = own_of(x, n)->mss;

	if (!mss && l) /* the SYN came to the listener */
		mss = own_of(x, l)->mss;
	return mss ? mss : MSS_LEAST;
}

static bool option_on(const struct explain *x, const struct note *n, enum option_kind kind)
{
	const struct note *l = note_of(x, n->listener); /* what it had is inherited */

	return n->opts[kind].id ? n->opts[kind].n : l && l->opts[kind].id && l->opts[kind].n;
}

/* More is announced: then it is the program that asks to wait. */
static bool more_follows(const struct event_call *c)
{
	if (c->call == CALL_SENDTO || c->call == CALL_SENDMSG || c->call == CALL_SENDMMSG)
		return c->x[0] & MSG_MORE;
	return c->call != CALL_WRITE && c->call != CALL_WRITEV;
}

/* Did all of it leave? What stays though the window has room, behind one small segment, is held. */
static bool holds_back(const struct explain *x, struct note *n, const struct levels *lv)
{
	__s32 unsent = seq_diff(lv->write_seq, lv->snd_nxt);
	__s32 under_way = seq_diff(lv->snd_nxt, lv->snd_una);
	__s32 mss = (__s32)mss_of(x, n);

	return unsent > 0 && unsent < mss && under_way > 0 && under_way < mss &&
	       (__u32)(unsent + under_way) <= lv->snd_wnd;
}

static void sent(const struct explain *x, const struct step *s, const struct event_call *c,
		 struct note *n)
{
	const struct mark *before = note_mark(n, MARK_DATA_OUT);
	const struct levels *lv = step_levels(s);
	struct nagle *own = own_of(x, n);

	if (c->ret <= 0 || !lv || !(lv->flags & LV_TCP) || !before)
		return;
	if (lv->state != TCP_S_ESTABLISHED && lv->state != TCP_S_CLOSE_WAIT)
		return;
	if (own->corked || s->sock->seeded || option_on(x, n, OPT_NODELAY) || more_follows(c) ||
	    !holds_back(x, n, lv)) {
		own->held.id = 0;
		return;
	}
	if (!own->held.id || own->held.seq != lv->snd_nxt)
		own->held = (struct held){
			.id = s->id,
			.enter_id = s->enter_id,
			.t_ns = s->t_ns,
			.before = before->id,
			.seq = lv->snd_nxt,
			.fd = c->fd,
			.call = c->call,
		};
	own->held.bytes = lv->write_seq - lv->snd_nxt;
}

static int tell_wait(struct explain *x, const struct step *s, struct note *n, __u64 waited)
{
	const struct nagle *own = own_of(x, n);
	const struct held *h = &own->held;
	const struct event_call c = { .call = h->call, .fd = h->fd };
	const struct note *peer = note_peer(x, n);
	const struct mark *came = note_mark(peer, MARK_DATA_IN);
	char call[48], bytes[40], took[32], who[96], delay[32];
	struct verdict v;

	if (note_told(n, &rules[NAGLE_WAIT]))
		return 0;
	verdict_start(x, &v, &rules[NAGLE_WAIT], s);
	fmt_call(call, sizeof(call), &c);
	fmt_bytes(bytes, sizeof(bytes), h->bytes);
	fmt_ns(took, sizeof(took), waited);
	verdict_ask(&v, "Why did %s of %s leave %s late?", bytes, call, took);
	if (came && own->t_ack >= came->t_ns + x->o.blocked_ns)
		verdict_say(
			&v,
			"%s of %s waited %s: Nagle holds a small segment back until the one before "
			"it is acknowledged, and the kernel of %s delayed that ACK by %s",
			bytes, call, took, fmt_note(who, sizeof(who), x, peer),
			fmt_ns(delay, sizeof(delay), own->t_ack - came->t_ns));
	else
		verdict_say(
			&v,
			"%s of %s waited %s: Nagle holds a small segment back until the one before "
			"it is acknowledged, and that ACK came so late",
			bytes, call, took);
	verdict_do(&v,
		   "Write a message in one call (one buffer, or writev()), or set TCP_NODELAY on "
		   "this socket; the receiver's setting does not help");
	verdict_infer(&v,
		      "the gap: window open, no TCP_NODELAY, no TCP_CORK, sent right behind that "
		      "ACK; the same run with TCP_NODELAY would prove it");
	verdict_prove(&v, h->before);
	verdict_prove(&v, h->id);
	verdict_prove(&v, own->ack_id);
	verdict_prove(&v, came ? came->id : 0);
	return verdict_tell(x, &v);
}

/* What was held back leaves. Because of the ACK? */
static int leaves(struct explain *x, const struct step *s, const struct event_segment *g,
		  struct note *n)
{
	struct nagle *own = own_of(x, n);
	const struct mark *rtx = note_mark(n, MARK_RTX);
	struct held *h = &own->held;
	__u64 waited;
	int err = 0;

	if (!h->id || g->seq != h->seq)
		return 0;
	waited = s->t_ns > h->t_ns ? s->t_ns - h->t_ns : 0;
	if (waited >= x->o.blocked_ns && own->ack_id > h->before && own->ack == h->seq &&
	    s->t_ns < own->t_ack + PROMPT_NS && own->t_ack >= h->t_ns &&
	    !(rtx && rtx->t_ns >= h->t_ns)) {
		own->times++;
		own->ns += waited;
		err = tell_wait(x, s, n, waited);
	}
	h->id = 0;
	return err;
}

static int segment(struct explain *x, const struct step *s, struct note *n)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;
	struct nagle *own = own_of(x, n);

	if (g->flags & TCPF_SYN && g->mss && (!own->mss || g->mss < own->mss))
		own->mss = g->mss;
	if (g->sflags & SEGF_IN) {
		if (!(g->flags & TCPF_ACK) || (own->ack_id && own->ack == g->ack))
			return 0;
		own->ack_id = s->id;
		own->t_ack = s->t_ns;
		own->ack = g->ack;
		return 0;
	}
	return g->len ? leaves(x, s, g, n) : 0;
}

static void cork(const struct explain *x, const struct event_call *c, struct note *n)
{
	if (!c->ret && c->x[0] == IPPROTO_TCP && c->x[1] == TCP_CORK)
		own_of(x, n)->corked = (__u32)c->len != 0;
}

/* One line for a conversation that had it more than once. */
static int over(struct explain *x, const struct step *s, struct note *n)
{
	struct nagle *own = n ? own_of(x, n) : NULL;
	char who[96], took[32];
	struct verdict v;

	if (!own || own->times < 2)
		return 0;
	verdict_start(x, &v, &rules[NAGLE_TOTAL], s);
	v.sid = n->sid;
	v.sock = n->number;
	v.role = n->role;
	v.pid = n->pid;
	verdict_ask(&v, "How much did waiting for ACKs cost?");
	verdict_say(&v, "%llu times %s had a small segment wait for a late ACK, %s in all",
		    (unsigned long long)own->times, fmt_note(who, sizeof(who), x, n),
		    fmt_ns(took, sizeof(took), own->ns));
	verdict_do(&v, "Write a message in one call, or set TCP_NODELAY on this socket");
	verdict_infer(&v, "the gaps, each closed by an ACK");
	verdict_prove(&v, own->ack_id);
	own->times = 0;
	return verdict_tell(x, &v);
}

static int conversation_over(struct explain *x, const struct step *s)
{
	int end, err = 0;

	for (end = 0; !err && s->conn && end < 2; end++)
		if (s->conn->end[end])
			err = over(x, s, note_of(x, s->conn->end[end]->sid));
	return err;
}

static int nagle_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	struct note *n = s->ev && step_is_tcp(s) ? note_of(x, s->sock->sid) : NULL;

	if (s->kind == STEP_SUMMARY)
		return conversation_over(x, s);
	if (!n)
		return 0;
	if (s->ev->kind == EV_SEGMENT)
		return segment(x, s, n);
	if (c && call_is_send(c))
		sent(x, s, c, n);
	else if (c && c->call == CALL_SETSOCKOPT)
		cork(x, c, n);
	return 0;
}

const struct family explain_nagle = {
	.name = "nagle",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct nagle),
	.step = nagle_step,
};
