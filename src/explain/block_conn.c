// SPDX-License-Identifier: MIT
/*
 * accept(), connect() and close() that wait: for a client, for the answer to a SYN, for the last
 * bytes under SO_LINGER.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "../event/names.h"
#include "../model/step.h"
#include "block.h"

int accept_done(struct explain *x, const struct step *s, const struct event_call *c, struct note *n)
{
	const struct rule *r = &block_rules[BLOCK_ACCEPT];
	char call[48], took[32];
	struct verdict v;

	if (c->ret < 0 || note_told(n, r))
		return 0;
	verdict_start(x, &v, r, s);
	fmt_call(call, sizeof(call), c);
	verdict_ask(&v, "Why did %s take %s?", call, fmt_ns(took, sizeof(took), s->took_ns));
	verdict_say(&v, "%s waited %s: until then no client had connected", call, took);
	verdict_prove(&v, s->enter_id);
	return verdict_tell(x, &v);
}

/* Of the full queue that dropped the SYN. */
static const struct note *listener_at(const struct explain *x, const struct note *n)
{
	struct note *l, *found = NULL;

	for (l = notes_at(x, n->dst.port, NULL); l; l = notes_at(x, n->dst.port, l))
		if (l->listening && !l->dead && note_mark(l, MARK_DROP) && l->netns == n->netns)
			found = l;
	return found;
}

/* v was started; since the SYN first left, ns have passed. */
static void say_connect(struct explain *x, struct verdict *v, struct note *n, const char *call,
			__u64 ns, bool over)
{
	const struct mark *drop = note_mark(n, MARK_SYN_DROP);
	const struct note *l = drop ? listener_at(x, n) : NULL;
	char where[64], took[32], who[96], times[32];

	fmt_addr(where, sizeof(where), &n->dst);
	fmt_ns(took, sizeof(took), ns);
	if (drop) {
		fmt_note(who, sizeof(who), x, l);
		verdict_say(v,
			    "%s %s %s: the accept queue of %s was full, so its SYN was dropped%s "
			    "and %s sent again after 1 s; %s accepts too slowly",
			    call, over ? "took" : "waits", took, where,
			    drop->n == 1 ? "" : " more than once", over ? "was" : "is", who);
		verdict_do(v, "The server must call accept() sooner; a larger backlog of listen() "
			      "only puts it off");
		verdict_prove_mark(v, n, MARK_SYN_OUT);
		verdict_prove(v, drop->id);
		verdict_prove_mark(v, n, MARK_RTX);
		return;
	}
	verdict_say(v, "%s waits %s: nobody answers at %s; the SYN was sent %s so far", call, took,
		    where, fmt_times(times, sizeof(times), n->marks[MARK_RTX].n + 1));
	verdict_do(
		v,
		"Check the address, and filters on the way: a closed port would answer with RST");
	verdict_infer(v,
		      "the silence; a capture at the other host would tell if the SYN gets there");
	verdict_prove_mark(v, n, MARK_SYN_OUT);
	verdict_prove_mark(v, n, MARK_RTX);
}

int connect_wait(struct explain *x, struct waiting *w, struct note *n, __u64 now_ns)
{
	const struct mark *drop = note_mark(n, MARK_SYN_DROP), *rtx = note_mark(n, MARK_RTX);
	const struct rule *r = &block_rules[drop ? BLOCK_CONNECT_FULL : BLOCK_CONNECT_SILENT];
	struct verdict v;
	char call[48];

	if (w->told || n->protocol != IPPROTO_TCP || note_mark(n, MARK_ESTABLISHED))
		return 0;
	if (!(drop && drop->t_ns >= w->t_ns) && !(rtx && rtx->t_ns >= w->t_ns))
		return 0;
	if (note_told(n, r))
		return 0;
	block_start(x, &v, r, w, n);
	say_connect(x, &v, n, fmt_waiting(call, sizeof(call), w), now_ns - w->t_ns, false);
	return verdict_tell(x, &v);
}

/* The handshake is over, in connect() or (non-blocking) behind it. */
int connect_done(struct explain *x, const struct step *s, struct note *n, __u64 ns, bool told)
{
	const struct mark *drop = note_mark(n, MARK_SYN_DROP);
	const struct rule *r = &block_rules[told ? BLOCK_ENDED :
					    drop ? BLOCK_CONNECT_FULL :
						   BLOCK_CONNECT];
	const struct mark *again = note_mark(n, MARK_RTX);
	const struct mark *to = note_mark(n, MARK_CONNECTED);
	char call[64], took[32];
	struct verdict v;

	if (!told && note_told(n, r))
		return 0;
	verdict_start(x, &v, r, s);
	snprintf(call, sizeof(call), "%sconnect(%d)",
		 to && to->n == -EINPROGRESS ? "the handshake after " : "", n->fd);
	fmt_ns(took, sizeof(took), ns);
	verdict_ask(&v, "Why did %s take %s?", call, took);
	if (drop) {
		say_connect(x, &v, n, call, ns, true);
	} else if (again) {
		verdict_say(
			&v,
			"%s took %s: its SYN, or the answer to it, was lost; the kernel sent it "
			"again and was answered",
			call, took);
		verdict_do(&v, "Look for what drops segments on the way");
		verdict_prove(&v, again->id);
	} else {
		v.weight = WEIGHT_ASIDE;
		verdict_say(&v, "%s took %s: so long its SYN waited for an answer", call, took);
	}
	verdict_prove_mark(&v, n, MARK_CONNECT);
	verdict_prove_mark(&v, n, MARK_SYN_OUT);
	return verdict_tell(x, &v);
}

/* A non-blocking connect() has long returned; its handshake was held up all the same. */
int handshake_done(struct explain *x, const struct step *s, struct note *n)
{
	const struct mark *from = note_mark(n, MARK_CONNECT), *to = note_mark(n, MARK_CONNECTED);

	if (!from || !to || to->n != -EINPROGRESS || !note_mark(n, MARK_SYN_DROP))
		return 0;
	return connect_done(x, s, n, s->t_ns - from->t_ns, false);
}

int close_wait(struct explain *x, struct waiting *w, const struct scene *sc)
{
	const struct rule *r = &block_rules[BLOCK_CLOSE_LINGER];
	const struct levels *lv = &sc->sock->lv;
	char call[48], bytes[40];
	struct verdict v;

	if (w->told || !(lv->flags & LV_LINGER) || note_told(sc->n, r))
		return 0;
	block_start(x, &v, r, w, sc->n);
	verdict_say(
		&v,
		"%s waits: SO_LINGER lets it, for up to %u s, until the last %s and the FIN are "
		"acknowledged",
		fmt_waiting(call, sizeof(call), w), lv->linger_s,
		fmt_bytes(bytes, sizeof(bytes), sc->to.unsent + sc->to.in_flight));
	verdict_do(&v, "To know that the peer's program has everything, shutdown(SHUT_WR) and read "
		       "until 0 instead");
	verdict_prove(&v, sc->n->opts[OPT_LINGER].id);
	verdict_prove_mark(&v, sc->n, MARK_DATA_OUT);
	return verdict_tell(x, &v);
}

int close_done(struct explain *x, const struct step *s, const struct event_call *c, bool told,
	       struct note *n)
{
	const struct ledger *out = &s->dir[step_out(s)];
	const struct rule *r = &block_rules[told ? BLOCK_ENDED : BLOCK_CLOSE_LINGER];
	__u64 left = out->unsent + out->in_flight;
	char call[48], took[32], bytes[40];
	struct verdict v;

	if (n->opts[OPT_LINGER].n <= 0 && !told)
		return 0;
	if (!told && note_told(n, r))
		return 0;
	verdict_start(x, &v, r, s);
	fmt_call(call, sizeof(call), c);
	fmt_ns(took, sizeof(took), s->took_ns);
	verdict_ask(&v, "Why did %s take %s?", call, took);
	if (left)
		verdict_say(&v,
			    "%s took %s and gave up: SO_LINGER's time was over, %s %s still not "
			    "acknowledged; the kernel goes on sending",
			    call, took, fmt_bytes(bytes, sizeof(bytes), left),
			    verb(left, "was", "were"));
	else
		verdict_say(&v,
			    "%s took %s: SO_LINGER made it wait until the peer's kernel had all",
			    call, took);
	verdict_do(&v, "Neither result says that the peer's program has read it");
	verdict_prove(&v, s->enter_id);
	verdict_prove(&v, n->opts[OPT_LINGER].id);
	return verdict_tell(x, &v);
}
