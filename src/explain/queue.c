// SPDX-License-Identifier: MIT
/*
 * The accept queue: connections whose handshake the kernel has finished and that accept() has not
 * taken yet. It takes one more than the limit (sk_acceptq_is_full(), include/net/sock.h: depth >
 * limit); a SYN that finds it full is dropped without an answer, so that its sender tries again.
 */
#include <netinet/in.h>
#include <stdio.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"

enum { QUEUE_FULL, QUEUE_CLAMPED, QUEUE_WAITED, QUEUE_LEFT, QUEUE_SUMMARY };

static const struct rule rules[] = {
	[QUEUE_FULL] = { "queue-full", "The accept queue is full: the SYN of a client is dropped",
			 WEIGHT_ALARM },
	[QUEUE_CLAMPED] = { "queue-clamped",
			    "listen() got a shorter queue than it asked for: net.core.somaxconn",
			    WEIGHT_NEWS },
	[QUEUE_WAITED] = { "queue-waited", "How long a client was connected before accept()",
			   WEIGHT_NEWS },
	[QUEUE_LEFT] = { "queue-left", "Connections that were never accepted", WEIGHT_NEWS },
	[QUEUE_SUMMARY] = { "queue-summary", "How full an accept queue was, and who waited",
			    WEIGHT_ASIDE },
};

#define LONG_NS NS_PER_S /* in the queue: the client's program has noticed */

/* Of a listener. */
struct queue {
	__u32 limit;	  /* as the kernel has it */
	__u32 deepest;	  /* connections at once */
	__u64 deepest_id; /* step that showed it */
	__u64 accepted;
	__u64 longest_ns; /* from ESTABLISHED to accept() */
	__u64 longest_id; /* that accept() */
	bool told_long, over;
};

static struct queue *queue_of(const struct explain *x, struct note *n)
{
	return note_own(x, n, &explain_queue);
}

/* --- listen() --- */

static int tell_clamped(struct explain *x, const struct step *s, const struct event_call *c,
			struct note *n)
{
	const struct levels *lv = step_levels(s);
	const struct rule *r = &rules[QUEUE_CLAMPED];
	struct verdict v;

	if (c->ret || !lv || !(lv->flags & LV_LISTEN) || lv->max_ack_backlog >= c->x[0] ||
	    note_told(n, r))
		return 0;
	verdict_start(x, &v, r, s);
	verdict_ask(&v, "How long is the queue that listen(%d, %d) got?", c->fd, (__s32)c->x[0]);
	verdict_say(&v,
		    "listen(%d, %d) got a queue limit of %u, not %d, and no error says so: "
		    "net.core.somaxconn is the most it gives",
		    c->fd, (__s32)c->x[0], lv->max_ack_backlog, (__s32)c->x[0]);
	verdict_do(&v, "For a longer queue raise net.core.somaxconn first; a faster accept() helps "
		       "more");
	if ((__s32)c->x[0] < 0) { /* an idiom: as long as it may be */
		v.weight = WEIGHT_ASIDE;
		verdict_say(&v,
			    "listen(%d, %d) got a queue limit of %u: net.core.somaxconn, the most "
			    "it gives",
			    c->fd, (__s32)c->x[0], lv->max_ack_backlog);
	}
	return verdict_tell(x, &v);
}

/* --- full --- */

static int tell_full(struct explain *x, const struct step *s, struct note *n)
{
	const struct rule *r = &rules[QUEUE_FULL];
	const struct mark *syn = note_mark(n, MARK_SYN_IN);
	const struct note *from = syn ? note_of(x, (__u32)syn->n) : NULL;
	const struct levels *lv = step_levels(s);
	struct verdict v;
	char who[96], client[96];

	if (!lv || !(lv->flags & LV_LISTEN) || note_told(n, r))
		return 0;
	verdict_start(x, &v, r, s);
	if (from)
		fmt_note(client, sizeof(client), x, from);
	else
		snprintf(client, sizeof(client), "a client");
	verdict_ask(&v, "Why does the SYN of %s get no answer?", client);
	verdict_say(&v,
		    "The accept queue is full: %u connection%s and %s accepts none; the SYN of %s "
		    "is dropped, unanswered (limit %u, and one more fits)",
		    lv->ack_backlog, lv->ack_backlog == 1 ? " waits" : "s wait",
		    fmt_note(who, sizeof(who), x, n), client, lv->max_ack_backlog);
	verdict_do(&v, "Call accept() sooner or in more threads; a larger backlog of listen() only "
		       "puts it off. The client's kernel repeats the SYN after 1 s, 2 s, 4 s");
	verdict_prove_mark(&v, n, MARK_LISTEN);
	verdict_prove_mark(&v, n, MARK_SYN_IN);
	verdict_prove_mark(&v, from, MARK_SYN_OUT);
	return verdict_tell(x, &v);
}

/* --- who waits --- */

static int tell_waited(struct explain *x, const struct step *s, const struct event_call *c,
		       struct note *n, struct queue *q, const struct note *child)
{
	const struct mark *since = note_mark(child, MARK_ESTABLISHED);
	const struct mark *drop = note_mark(n, MARK_DROP);
	__u64 waited = since && s->t_ns > since->t_ns ? s->t_ns - since->t_ns : 0;
	bool news = waited >= LONG_NS || (since && drop && drop->t_ns > since->t_ns);
	char call[48], took[32], who[96];
	struct verdict v;

	if (waited > q->longest_ns) {
		q->longest_ns = waited;
		q->longest_id = s->id;
	}
	if (waited < x->o.blocked_ns)
		return 0;
	verdict_start(x, &v, &rules[QUEUE_WAITED], s);
	if (!news || q->told_long)
		v.weight = WEIGHT_ASIDE;
	q->told_long |= news;
	fmt_call(call, sizeof(call), c);
	fmt_ns(took, sizeof(took), waited);
	if (note_peer(x, child))
		fmt_note(who, sizeof(who), x, note_peer(x, child));
	else
		snprintf(who, sizeof(who), "the client");
	verdict_ask(&v, "How long had the client waited that %s gave?", call);
	verdict_say(&v,
		    "%s had been connected for %s before %s took it out of the queue; what it sent "
		    "lay there unread",
		    who, took, call);
	if (note_peer(x, child) && !note_mark(note_peer(x, child), MARK_SEND))
		verdict_say(&v, "%s had been connected for %s before %s took it out of the queue",
			    who, took, call);
	verdict_do(&v, "Call accept() as soon as poll() shows the listener readable");
	verdict_prove(&v, since->id);
	verdict_prove(&v, s->enter_id);
	return verdict_tell(x, &v);
}

static int accepted(struct explain *x, const struct step *s, const struct event_call *c,
		    struct note *n)
{
	struct queue *q = queue_of(x, n);

	if (c->ret < 0 || !s->sock2)
		return 0;
	q->accepted++;
	return tell_waited(x, s, c, n, q, note_of(x, s->sock2->sid));
}

/* --- the end of a listener --- */

struct left {
	unsigned int n;
	__u64 bytes, first_id;
};

static struct left count_left(const struct explain *x, const struct note *l)
{
	struct left left = { 0 };
	const struct mark *since;
	const struct sock *s;
	struct note *n;

	for (n = notes_living(x, NULL); n; n = notes_living(x, n)) {
		s = model_sock(x->m, n->sid);
		since = note_mark(n, MARK_ESTABLISHED);
		if (n->listener != l->sid || n->dead || !since || !s || s->seeded ||
		    note_mark(n, MARK_ACCEPTED))
			continue;
		left.n++;
		left.bytes += s->conn ? s->conn->dir[0].rcvq : 0;
		if (!left.first_id || since->id < left.first_id)
			left.first_id = since->id;
	}
	return left;
}

static int tell_left(struct explain *x, struct verdict *v, const struct note *l,
		     const struct left *left, bool closes)
{
	char where[64], bytes[40], who[96];

	fmt_addr(where, sizeof(where), &l->src);
	fmt_bytes(bytes, sizeof(bytes), left->bytes);
	fmt_note(who, sizeof(who), x, l);
	verdict_ask(v, "Who waits in the accept queue of %s?", where);
	verdict_say(
		v,
		"%u %s never accepted: connected at %s to a kernel, not to a program; %s sent and "
		"unread",
		left->n, left->n == 1 ? "client was" : "clients were", where, bytes);
	if (closes) { /* the resets that follow are told on their own */
		v->weight = WEIGHT_ASIDE;
		verdict_do(v, "Accept what waits before closing the listener");
	} else {
		verdict_do(v, "%s must call accept()", who);
	}
	verdict_prove(v, left->first_id);
	verdict_prove_mark(v, l, MARK_LISTEN);
	return verdict_tell(x, v);
}

static int tell_summary(struct explain *x, struct verdict *v, const struct note *l,
			const struct queue *q)
{
	char where[64], longest[64] = "", drops[64], took[32];

	fmt_addr(where, sizeof(where), &l->src);
	if (q->accepted && q->longest_ns >= NS_PER_MS)
		snprintf(longest, sizeof(longest), ", after %s at most",
			 fmt_ns(took, sizeof(took), q->longest_ns));
	if (l->marks[MARK_DROP].n)
		snprintf(drops, sizeof(drops), "%lld SYN%s dropped",
			 (long long)l->marks[MARK_DROP].n,
			 l->marks[MARK_DROP].n == 1 ? " was" : "s were");
	else
		snprintf(drops, sizeof(drops), "no SYN was dropped");
	verdict_ask(v, "How full was the accept queue of %s?", where);
	verdict_say(v, "The accept queue of %s held %u at most, limit %u%s; %llu accepted%s; %s",
		    where, q->deepest, q->limit, q->deepest > q->limit ? " (one more fits)" : "",
		    (unsigned long long)q->accepted, longest, drops);
	verdict_prove_mark(v, l, MARK_LISTEN);
	verdict_prove(v, q->deepest_id);
	verdict_prove(v, q->longest_id);
	verdict_prove_mark(v, l, MARK_DROP);
	return verdict_tell(x, v);
}

/* s: the step that closes it; NULL: the trace ends. */
static int listener_over(struct explain *x, const struct step *s, struct note *n)
{
	const struct mark *listen = note_mark(n, MARK_LISTEN);
	struct queue *q = queue_of(x, n);
	struct left left = count_left(x, n);
	struct verdict v;
	int err = 0;

	if (q->over || !listen) /* one that is older than the trace is not known well enough */
		return 0;
	q->over = true;
	if (left.n) {
		if (s)
			verdict_start(x, &v, &rules[QUEUE_LEFT], s);
		else
			verdict_start_at(x, &v, &rules[QUEUE_LEFT], n, listen->id, listen->t_ns);
		err = tell_left(x, &v, n, &left, s);
	}
	if (err || !q->deepest)
		return err;
	if (s)
		verdict_start(x, &v, &rules[QUEUE_SUMMARY], s);
	else
		verdict_start_at(x, &v, &rules[QUEUE_SUMMARY], n, listen->id, listen->t_ns);
	return tell_summary(x, &v, n, q);
}

static int queue_finish(struct explain *x, __u64 now_ns)
{
	struct note *n;
	int err = 0;

	(void)now_ns;
	for (n = notes_living(x, NULL); !err && n; n = notes_living(x, n))
		if (n->listening && !n->dead && n->protocol == IPPROTO_TCP)
			err = listener_over(x, NULL, n);
	return err;
}

/* --- steps --- */

static void look_at_depth(const struct explain *x, const struct step *s, struct note *n)
{
	const struct levels *lv = step_levels(s);
	struct queue *q;

	if (!lv || !(lv->flags & LV_LISTEN) || s->phase == PHASE_ENTER)
		return;
	q = queue_of(x, n);
	q->limit = lv->max_ack_backlog;
	if (lv->ack_backlog > q->deepest) {
		q->deepest = lv->ack_backlog;
		q->deepest_id = s->id;
	}
}

static int queue_call(struct explain *x, const struct step *s, struct note *n)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);

	if (!c)
		return 0;
	switch (c->call) {
	case CALL_LISTEN:
		return tell_clamped(x, s, c, n);
	case CALL_ACCEPT:
	case CALL_ACCEPT4:
		return accepted(x, s, c, n);
	}
	return 0;
}

static int queue_step(struct explain *x, const struct step *s)
{
	const struct event_sock *k = (const struct event_sock *)s->ev;
	struct note *n = s->ev && step_is_tcp(s) ? note_of(x, s->sock->sid) : NULL;

	if (!n)
		return 0;
	if (n->listening)
		look_at_depth(x, s, n);
	switch (s->ev->kind) {
	case EV_CALL:
		return queue_call(x, s, n);
	case EV_RCVQ_FULL:
		return n->listening ? tell_full(x, s, n) : 0;
	case EV_STATE:
		return k->a == TCP_S_LISTEN && k->b == TCP_S_CLOSE ? listener_over(x, s, n) : 0;
	}
	return 0;
}

const struct family explain_queue = {
	.name = "queue",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct queue),
	.step = queue_step,
	.finish = queue_finish,
};
