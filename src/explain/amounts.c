// SPDX-License-Identifier: MIT
/*
 * A call moved another amount than a program may expect: less than it asked for, nothing, or the
 * same bytes twice. send(2), recv(2) and tcp(7) say when; the levels say how full a queue was.
 */
#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"

enum { SHORT_SEND, SHORT_RECV, SHORT_WAITALL, PEEK_AGAIN, TRUNC_GONE, EMPTY_SEND };

static const struct rule rules[] = {
	[SHORT_SEND] = { "short-send", "send() took fewer bytes than it was given", WEIGHT_NEWS },
	[SHORT_RECV] = { "short-recv", "recv() returned fewer bytes than it had room for",
			 WEIGHT_ASIDE },
	[SHORT_WAITALL] = { "short-waitall",
			    "recv() with MSG_WAITALL returned fewer bytes all the same",
			    WEIGHT_NEWS },
	[PEEK_AGAIN] = { "peek-again", "recv() returned the bytes that MSG_PEEK had shown",
			 WEIGHT_ASIDE },
	[TRUNC_GONE] = { "trunc-gone", "MSG_TRUNC on TCP: the bytes were taken and thrown away",
			 WEIGHT_NEWS },
	[EMPTY_SEND] = { "empty-send", "A send of 0 bytes on TCP: the peer learns nothing",
			 WEIGHT_NEWS },
};

struct amounts_note {
	__u32 told;    /* a bit for each rule */
	__u32 looks;   /* with MSG_PEEK, before anything was read behind one */
	__u64 look_id; /* the latest of them */
};

struct amounts_state {
	struct heard heard;
};

/* Why a call came back early. */
struct early {
	const char *because;
	const char *inferred_from; /* NULL: proved */
	enum mark_kind proof;	   /* MARK_MAX: none */
	enum option_kind option;   /* OPT_MAX: none */
};

static struct amounts_note *own_of(const struct explain *x, struct note *n)
{
	return note_own(x, n, &explain_amounts);
}

static bool told_before(const struct explain *x, struct note *n, unsigned int rule)
{
	struct amounts_note *own = own_of(x, n);
	bool told = own->told & 1U << rule;

	own->told |= 1U << rule;
	return told;
}

static bool must_not_wait(const struct event_call *c)
{
	return c->cflags & CALLF_NONBLOCK || call_msg_flags(c) & MSG_DONTWAIT;
}

/* Bytes in the receive queue; the peer's FIN, which takes a number too, is none. */
static __s32 queued(const struct levels *lv)
{
	__s32 n = seq_diff(lv->rcv_nxt, lv->copied_seq);

	return n > 0 && lv->flags & LV_FIN_IN ? n - 1 : n;
}

/* What ends a call that waits, best known first. */
static struct early early_of(const struct step *s, const struct note *n, bool sending)
{
	const struct levels *lv = step_levels(s);
	enum option_kind timeout = sending ? OPT_SNDTIMEO : OPT_RCVTIMEO;
	struct early e = { .proof = MARK_MAX, .option = OPT_MAX };

	if (!sending && lv && lv->flags & LV_FIN_IN && !queued(lv)) {
		e.because = "the peer's FIN came and nothing can follow it";
		e.proof = MARK_FIN_IN;
	} else if (lv && lv->state == TCP_S_CLOSE) {
		e.because = "the connection ended meanwhile";
		e.proof = note_mark(n, MARK_RST_IN) ? MARK_RST_IN : MARK_LAST_STATE;
	} else if (n->opts[timeout].id) {
		e.because = sending ? "the time that SO_SNDTIMEO allows was over" :
				      "the time that SO_RCVTIMEO allows was over";
		e.inferred_from = "the option on this socket; a signal would look the same";
		e.option = timeout;
	} else {
		e.because = "a signal interrupted it";
		e.inferred_from =
			"what is left when the connection is whole and no timeout is set; "
			"the signal itself was not seen";
	}
	return e;
}

static void prove_early(struct verdict *v, const struct note *n, const struct early *e)
{
	if (e->proof != MARK_MAX)
		verdict_prove_mark(v, n, e->proof);
	if (e->option != OPT_MAX)
		verdict_prove(v, n->opts[e->option].id);
	if (e->inferred_from)
		verdict_infer(v, "%s", e->inferred_from);
}

/* --- sending --- */

static void say_no_room(struct verdict *v, const struct step *s, const struct event_call *c,
			const char *call)
{
	const struct levels *lv = step_levels(s);
	char part[80], full[80] = "";

	if (lv && lv->sndbuf && lv->wmem_queued)
		snprintf(full, sizeof(full), " (%u bytes of memory, limit %u)", lv->wmem_queued,
			 lv->sndbuf);
	verdict_say(v,
		    "%s took %s: the send queue%s had no room for more, and the call must not wait",
		    call, fmt_part(part, sizeof(part), (__u64)c->ret, c->len), full);
	verdict_do(v, "Send the other %llu bytes yourself, once poll() says that there is room",
		   (unsigned long long)(c->len - (__u64)c->ret));
}

static int tell_short_send(struct explain *x, const struct step *s, const struct event_call *c,
			   struct note *n)
{
	struct amounts_state *state = family_state(x, &explain_amounts);
	const struct levels *lv = step_levels(s);
	struct early e;
	struct verdict v;
	char call[48], part[80];

	if (told_before(x, n, SHORT_SEND))
		return 0;
	verdict_start(x, &v, &rules[SHORT_SEND], s);
	fmt_call(call, sizeof(call), c);
	verdict_ask(&v, "Why did %s return %lld and not %llu?", call, (long long)c->ret,
		    (unsigned long long)c->len);
	if (must_not_wait(c) && !(lv && lv->state == TCP_S_CLOSE)) {
		if (heard_of(&state->heard, v.pid, v.role))
			v.weight = WEIGHT_ASIDE;
		say_no_room(&v, s, c, call);
		return verdict_tell(x, &v);
	}
	e = early_of(s, n, true);
	verdict_say(&v, "%s took %s and waited for room until %s", call,
		    fmt_part(part, sizeof(part), (__u64)c->ret, c->len), e.because);
	prove_early(&v, n, &e);
	verdict_do(&v, "Look at the result of every send(): the other %llu bytes were not taken",
		   (unsigned long long)(c->len - (__u64)c->ret));
	return verdict_tell(x, &v);
}

static int tell_empty_send(struct explain *x, const struct step *s, const struct event_call *c,
			   struct note *n)
{
	struct verdict v;
	char call[48];

	if (told_before(x, n, EMPTY_SEND))
		return 0;
	verdict_start(x, &v, &rules[EMPTY_SEND], s);
	fmt_call(call, sizeof(call), c);
	verdict_ask(&v, "What did %s of 0 bytes do?", call);
	verdict_say(&v, "No segment leaves for 0 bytes, and the peer's recv() does not "
			"return for them");
	verdict_do(&v,
		   "To say that nothing more will come, shutdown(%d, SHUT_WR); to say "
		   "something, send at least 1 byte",
		   c->fd);
	return verdict_tell(x, &v);
}

/* A file may be shorter than what sendfile() was asked for, and so may a pipe. */
static int amounts_sent(struct explain *x, const struct step *s, const struct event_call *c,
			struct note *n)
{
	if (c->call < CALL_SENDTO || c->call > CALL_WRITEV || c->call == CALL_SENDMMSG)
		return 0;
	if (!c->ret && !c->len && step_is_tcp(s) && s->sock->state != TCP_S_CLOSE)
		return tell_empty_send(x, s, c, n);
	if (c->ret > 0 && (__u64)c->ret < c->len)
		return tell_short_send(x, s, c, n);
	return 0;
}

/* --- receiving --- */

static int tell_short_recv(struct explain *x, const struct step *s, const struct event_call *c,
			   struct note *n)
{
	const struct levels *lv = step_levels(s);
	struct verdict v;
	char call[48], bytes[40];

	if (!lv || !(lv->flags & LV_TCP) || told_before(x, n, SHORT_RECV))
		return 0;
	verdict_start(x, &v, &rules[SHORT_RECV], s);
	fmt_call(call, sizeof(call), c);
	fmt_bytes(bytes, sizeof(bytes), (__u64)c->ret);
	verdict_ask(&v, "Why did %s not return the %llu bytes asked for?", call,
		    (unsigned long long)c->len);
	verdict_say(&v,
		    "%s had room for %llu bytes and returned %s: that was all there was, and "
		    "recv() does not wait to fill a buffer",
		    call, (unsigned long long)c->len, bytes);
	if (queued(lv))
		verdict_infer(&v, "the result: what lies in the queue now came since, or is urgent "
				  "data, before which recv() stops too");
	verdict_prove_mark(&v, n, MARK_DATA_IN);
	verdict_do(&v, "Ask again until the message is whole; the length is only an upper limit");
	return verdict_tell(x, &v);
}

static int tell_short_waitall(struct explain *x, const struct step *s, const struct event_call *c,
			      struct note *n)
{
	struct early e = early_of(s, n, false);
	struct verdict v;
	char call[48], part[80];

	if (told_before(x, n, SHORT_WAITALL))
		return 0;
	verdict_start(x, &v, &rules[SHORT_WAITALL], s);
	fmt_call(call, sizeof(call), c);
	if (must_not_wait(c))
		e = (struct early){ .because = "the call must not wait",
				    .proof = MARK_MAX,
				    .option = OPT_MAX };
	verdict_ask(&v, "Why did %s return %lld in spite of MSG_WAITALL?", call, (long long)c->ret);
	verdict_say(&v, "%s got %s: MSG_WAITALL waits for the whole, but %s", call,
		    fmt_part(part, sizeof(part), (__u64)c->ret, c->len), e.because);
	prove_early(&v, n, &e);
	verdict_do(&v, "Compare the result with what you asked for, MSG_WAITALL or not");
	return verdict_tell(x, &v);
}

static int tell_trunc(struct explain *x, const struct step *s, const struct event_call *c,
		      struct note *n)
{
	struct verdict v;
	char call[48], bytes[40];

	if (told_before(x, n, TRUNC_GONE))
		return 0;
	verdict_start(x, &v, &rules[TRUNC_GONE], s);
	fmt_call(call, sizeof(call), c);
	fmt_bytes(bytes, sizeof(bytes), (__u64)c->ret);
	verdict_ask(&v, "Where did %s put its %s?", call, bytes);
	verdict_say(&v,
		    "With MSG_TRUNC on TCP, %s took %s out of the receive queue and wrote nothing "
		    "to the buffer",
		    call, bytes);
	verdict_do(&v, "Leave MSG_TRUNC to datagrams, unless skipping bytes is what you want");
	return verdict_tell(x, &v);
}

static int tell_peek_again(struct explain *x, const struct step *s, const struct event_call *c,
			   struct note *n, const struct amounts_note *look)
{
	struct verdict v;
	char call[48], bytes[40], times[32] = "";

	if (told_before(x, n, PEEK_AGAIN))
		return 0;
	verdict_start(x, &v, &rules[PEEK_AGAIN], s);
	fmt_call(call, sizeof(call), c);
	fmt_bytes(bytes, sizeof(bytes), (__u64)c->ret);
	if (look->looks > 1)
		snprintf(times, sizeof(times), " %u times", look->looks);
	verdict_ask(&v, "Why did %s return bytes that were read before?", call);
	verdict_say(&v,
		    "%s took %s that MSG_PEEK had shown%s before: a look leaves bytes in the "
		    "receive queue",
		    call, bytes, times);
	verdict_prove(&v, look->look_id);
	return verdict_tell(x, &v);
}

static int amounts_received(struct explain *x, const struct step *s, const struct event_call *c,
			    struct note *n)
{
	__u32 flags = call_msg_flags(c);
	struct amounts_note *own = own_of(x, n);
	bool is_short = (__u64)c->ret < c->len;
	int err = 0;

	if (c->ret <= 0 || c->call < CALL_RECVFROM || c->call > CALL_READV ||
	    c->call == CALL_RECVMMSG || flags & (MSG_OOB | MSG_ERRQUEUE))
		return 0;
	if (flags & MSG_PEEK) {
		own->looks++;
		own->look_id = s->id;
		return 0;
	}
	if (own->looks)
		err = tell_peek_again(x, s, c, n, own);
	if (!err && flags & MSG_TRUNC && step_is_tcp(s))
		err = tell_trunc(x, s, c, n);
	if (!err && is_short && flags & MSG_WAITALL)
		err = tell_short_waitall(x, s, c, n);
	else if (!err && is_short && step_is_tcp(s))
		err = tell_short_recv(x, s, c, n);
	return err;
}

static int amounts_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	struct note *n = c && step_is_stream(s) ? note_of(x, s->sock->sid) : NULL;

	if (!n || n->listening)
		return 0;
	if (call_is_send(c))
		return amounts_sent(x, s, c, n);
	return call_is_receive(c) ? amounts_received(x, s, c, n) : 0;
}

const struct family explain_amounts = {
	.name = "amounts",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct amounts_note),
	.state_size = sizeof(struct amounts_state),
	.step = amounts_step,
};
