// SPDX-License-Identifier: MIT
/*
 * Message boundaries: a byte stream has none. k writes become n segments and m reads, each cut as it
 * suits the kernel and the buffers (RFC 9293 section 2.2: a stream of octets).
 *
 * With each sending socket the positions of its latest sends are kept, as the ledger counts: a send
 * is the bytes [start, end). What leaves or is read before the send has returned lies beyond the
 * last known end and is counted as `past`, for the send in progress.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"

#define SENDS 16	 /* remembered of a direction */
#define MESSAGE_MAX 4096 /* bytes: more than that is bulk, and nobody looks for messages in it */
#define UNKNOWN (~0ULL)	 /* index of a send that was forgotten, or never seen */

enum { BOUNDS_MERGED, BOUNDS_CUT, BOUNDS_SPLIT, BOUNDS_PACKED, BOUNDS_SEGMENTED, BOUNDS_TALLY };

static const struct rule rules[] = {
	[BOUNDS_MERGED] = { "bounds-merged", "One recv() returned the bytes of several sends",
			    WEIGHT_NEWS },
	[BOUNDS_CUT] = { "bounds-cut", "A recv() ended in the middle of a send", WEIGHT_ASIDE },
	[BOUNDS_SPLIT] = { "bounds-split", "The bytes of one send took several recvs",
			   WEIGHT_ASIDE },
	[BOUNDS_PACKED] = { "bounds-packed", "One segment carried the bytes of several sends",
			    WEIGHT_ASIDE },
	[BOUNDS_SEGMENTED] = { "bounds-segmented", "The bytes of one send left in several segments",
			       WEIGHT_ASIDE },
	[BOUNDS_TALLY] = { "bounds-tally", "How many writes, segments and reads moved the bytes",
			   WEIGHT_ASIDE },
};

/* How often the bytes of a send were touched, and by which step first. */
struct touched {
	__u32 n;
	__u64 first; /* id */
};

struct sent {
	__u64 start, end, id;
	struct touched reads, segments;
};

/* Of a socket that sends. */
struct bounds_note {
	__u32 told; /* a bit for each rule */
	__u64 n;    /* sends so far; the last SENDS of them are in sent[] */
	__u64 end;  /* where the last one ended */
	__u64 read; /* how far the peer has read */
	__u64 at;   /* index of the send that holds the next byte to read, or UNKNOWN */
	struct touched reads_past; /* beyond `end` */
	struct touched segments_past;
	struct sent sent[SENDS];
};

struct bounds_state {
	struct heard heard;
};

static struct bounds_note *own_of(const struct explain *x, struct note *n)
{
	return note_own(x, n, &explain_bounds);
}

static bool told_before(struct bounds_note *own, unsigned int rule)
{
	bool told = own->told & 1U << rule;

	own->told |= 1U << rule;
	return told;
}

static __u64 oldest(const struct bounds_note *own)
{
	return own->n > SENDS ? own->n - SENDS : 0;
}

static struct sent *sent_at(struct bounds_note *own, __u64 index)
{
	return &own->sent[index % SENDS];
}

/* Index of the send that holds the byte at pos; own->n: one that has not returned. */
static __u64 sent_find(struct bounds_note *own, __u64 pos)
{
	__u64 i;

	if (pos >= own->end)
		return own->n;
	for (i = own->n; i > oldest(own); i--)
		if (sent_at(own, i - 1)->start <= pos)
			return i - 1;
	return UNKNOWN;
}

static void touch(struct touched *t, __u64 id)
{
	if (!t->n++)
		t->first = id;
}

/* [from, to) of the stream was moved by step `id`. */
static void touch_all(struct bounds_note *own, __u64 from, __u64 to, __u64 id, bool read)
{
	struct sent *t;
	__u64 i;

	for (i = oldest(own); i < own->n; i++) {
		t = sent_at(own, i);
		if (from < t->end && to > t->start)
			touch(read ? &t->reads : &t->segments, id);
	}
	if (to > own->end)
		touch(read ? &own->reads_past : &own->segments_past, id);
}

/* Bytes moved by calls that were not seen, or not in order: what is known of cuts ends here. */
static void forget(struct bounds_note *own, __u64 written, __u64 read)
{
	own->n = 0;
	own->end = written;
	own->read = read;
	own->at = read < written ? UNKNOWN : 0;
	own->reads_past = own->segments_past = (struct touched){ 0 };
}

/* --- one send, several recvs or segments --- */

static int tell_split(struct explain *x, const struct step *s, struct note *n, const struct sent *t,
		      unsigned int rule)
{
	const struct touched *by = rule == BOUNDS_SPLIT ? &t->reads : &t->segments;
	struct verdict v;
	char bytes[40];

	if (by->n < 2 || told_before(own_of(x, n), rule))
		return 0;
	verdict_start_at(x, &v, &rules[rule], n, s->id, s->t_ns);
	fmt_bytes(bytes, sizeof(bytes), t->end - t->start);
	if (rule == BOUNDS_SPLIT) {
		verdict_ask(&v, "How many recvs does one send need?");
		verdict_say(&v,
			    "The %s of one send were read by %u recvs: each returns what is "
			    "there, not what was sent at once",
			    bytes, by->n);
		verdict_do(&v, "Call recv() again until the message is whole, and say in the "
			       "message how long it is");
	} else {
		verdict_ask(&v, "How many segments does one send make?");
		verdict_say(&v,
			    "The %s of one send left in %u segments, cut by window, segment "
			    "size and room in the queues",
			    bytes, by->n);
	}
	verdict_prove(&v, t->id);
	verdict_prove(&v, by->first);
	return verdict_tell(x, &v);
}

/* --- several sends, one recv or segment --- */

/* "3 + 3", of the first ones */
static void fmt_parts(char *buf, size_t size, struct bounds_note *own, __u64 lo, __u64 hi,
		      __u64 from, __u64 to)
{
	__u64 i, start, end;
	size_t at = 0;

	buf[0] = '\0';
	for (i = lo; i <= hi && at < size; i++) {
		if (i - lo == 4 && hi > i) {
			at += (size_t)snprintf(buf + at, size - at, " + ...");
			break;
		}
		start = i == own->n ? own->end : sent_at(own, i)->start;
		end = i == own->n ? to : sent_at(own, i)->end;
		start = start > from ? start : from;
		end = end < to ? end : to;
		at += (size_t)snprintf(buf + at, size - at, "%s%llu", i == lo ? "" : " + ",
				       (unsigned long long)(end - start));
	}
}

/* The sends as far as they are remembered, and the one in progress. */
static void prove_sends(const struct explain *x, struct verdict *v, struct bounds_note *own,
			const struct note *n, __u64 lo, __u64 hi)
{
	const struct waiting *w = hi >= own->n ? call_waiting(x, n->sid, true) : NULL;
	__u64 i;

	if (w)
		verdict_prove(v, w->id);
	for (i = hi + 1; i > lo; i--)
		if (i <= own->n && i > oldest(own))
			verdict_prove(v, sent_at(own, i - 1)->id);
}

static int tell_merged(struct explain *x, const struct step *s, const struct event_call *c,
		       struct note *n, __u64 lo, __u64 hi, __u64 from, __u64 to)
{
	struct bounds_state *state = family_state(x, &explain_bounds);
	struct bounds_note *own = own_of(x, n);
	char call[48], bytes[40], parts[96] = "";
	struct verdict v;

	if (told_before(own, BOUNDS_MERGED))
		return 0;
	verdict_start(x, &v, &rules[BOUNDS_MERGED], s);
	if (to - from > MESSAGE_MAX || heard_of(&state->heard, v.pid, v.role))
		v.weight = WEIGHT_ASIDE;
	fmt_call(call, sizeof(call), c);
	fmt_bytes(bytes, sizeof(bytes), to - from);
	verdict_ask(&v, "Why did %s return %s at once?", call, bytes);
	if (lo >= oldest(own))
		fmt_parts(parts, sizeof(parts), own, lo, hi, from, to);
	verdict_say(&v,
		    "%s returned bytes of %llu sends at once, %s%s%s%s: a stream keeps no "
		    "boundaries between them",
		    call, (unsigned long long)(hi - lo + 1), bytes, parts[0] ? " (" : "", parts,
		    parts[0] ? ")" : "");
	prove_sends(x, &v, own, n, lo, hi);
	verdict_do(&v, "Mark where a message ends: send its length first, or a delimiter behind "
		       "it, and cut by that");
	return verdict_tell(x, &v);
}

static int tell_cut(struct explain *x, const struct step *s, const struct event_call *c,
		    struct note *n, const struct sent *t, __u64 to)
{
	struct verdict v;
	char call[48], part[80];

	if (told_before(own_of(x, n), BOUNDS_CUT))
		return 0;
	verdict_start(x, &v, &rules[BOUNDS_CUT], s);
	fmt_call(call, sizeof(call), c);
	verdict_ask(&v, "Where did %s cut the stream?", call);
	verdict_say(&v,
		    "%s ended in the middle of a send: it has %s, the rest comes with the next "
		    "recv",
		    call, fmt_part(part, sizeof(part), to - t->start, t->end - t->start));
	verdict_prove(&v, t->id);
	verdict_do(&v, "Keep what is left of a message in your buffer and go on behind it");
	return verdict_tell(x, &v);
}

static int tell_packed(struct explain *x, const struct step *s, struct note *n, __u64 lo, __u64 hi,
		       __u64 bytes)
{
	struct bounds_note *own = own_of(x, n);
	struct verdict v;
	char text[40];

	if (told_before(own, BOUNDS_PACKED))
		return 0;
	verdict_start(x, &v, &rules[BOUNDS_PACKED], s);
	verdict_ask(&v, "How many segments do several sends make?");
	verdict_say(&v, "One segment of %s carries bytes of %llu sends that waited in the queue",
		    fmt_bytes(text, sizeof(text), bytes), (unsigned long long)(hi - lo + 1));
	prove_sends(x, &v, own, n, lo, hi);
	return verdict_tell(x, &v);
}

/* --- what moved --- */

/* Was that send seen, as one that returned or as one in progress? */
static bool seen_send(const struct explain *x, struct note *n, __u64 index)
{
	return index < own_of(x, n)->n || call_waiting(x, n->sid, true);
}

/* A send of n has returned. */
static int bounds_sent(struct explain *x, const struct step *s, const struct event_call *c,
		       struct note *n)
{
	struct bounds_note *own = own_of(x, n);
	const struct ledger *out = &s->dir[step_out(s)];
	__u64 bytes = call_moved(c);
	struct sent *t;
	int err = 0;

	if (!bytes || !out->tx_seen)
		return 0;
	if (own->end + bytes != out->written)
		forget(own, out->written - bytes, out->read);
	t = sent_at(own, own->n++);
	*t = (struct sent){
		.start = own->end,
		.end = out->written,
		.id = s->id,
		.reads = own->reads_past,
		.segments = own->segments_past,
	};
	own->end = t->end;
	own->reads_past = own->segments_past = (struct touched){ 0 };
	if (own->read >= t->end)
		own->at = own->n;
	if (own->read >= t->end)
		err = tell_split(x, s, n, t, BOUNDS_SPLIT);
	if (!err && !out->unsent)
		err = tell_split(x, s, n, t, BOUNDS_SEGMENTED);
	return err;
}

/* The sends that ended within what was moved up to `to` are complete. */
static int tell_complete(struct explain *x, const struct step *s, struct note *n, __u64 from,
			 __u64 to, unsigned int rule)
{
	struct bounds_note *own = own_of(x, n);
	struct sent *t;
	__u64 i;
	int err = 0;

	for (i = oldest(own); !err && i < own->n; i++) {
		t = sent_at(own, i);
		if (t->end > from && t->end <= to)
			err = tell_split(x, s, n, t, rule);
	}
	return err;
}

/* The socket of the step has read what n sent. */
static int bounds_read(struct explain *x, const struct step *s, const struct event_call *c,
		       struct note *n)
{
	struct bounds_note *own = own_of(x, n);
	const struct ledger *in = &s->dir[!step_out(s)];
	__u64 bytes = call_moved(c), from, to = in->read, lo, hi;
	int err = 0;

	if (!bytes || to < bytes || !in->tx_seen)
		return 0;
	from = to - bytes;
	if (from != own->read) { /* others read, too: who took which bytes cannot be told */
		forget(own, in->written, to);
		return 0;
	}
	lo = own->at;
	hi = sent_find(own, to - 1);
	own->read = to;
	own->at = sent_find(own, to);
	touch_all(own, from, to, s->id, true);
	if (lo == UNKNOWN || hi == UNKNOWN || !seen_send(x, n, hi))
		return 0;
	if (hi > lo)
		err = tell_merged(x, s, c, n, lo, hi, from, to);
	if (!err && hi > lo && hi < own->n && to < sent_at(own, hi)->end)
		err = tell_cut(x, s, c, n, sent_at(own, hi), to);
	return err ? err : tell_complete(x, s, n, from, to, BOUNDS_SPLIT);
}

/* Where a number relative to the ISN, that of the first byte being 1, stands in a stream about at `near`. */
static __u64 stream_pos(__u32 rel_seq, __u64 near)
{
	return near + (__u64)(__s64)seq_diff(rel_seq - 1, (__u32)near);
}

static int bounds_segment(struct explain *x, const struct step *s, struct note *n)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;
	struct bounds_note *own = own_of(x, n);
	const struct ledger *out = &s->dir[step_out(s)];
	__u64 from, to, lo, hi;
	int err = 0;

	if (g->sflags & SEGF_IN || !g->len || s->sflags & STEP_RTX || !s->rel_known || out->partial)
		return 0;
	from = stream_pos(s->rel_seq, out->written);
	to = from + g->len;
	lo = sent_find(own, from);
	hi = sent_find(own, to - 1);
	touch_all(own, from, to, s->id, false);
	if (lo == UNKNOWN || hi == UNKNOWN)
		return 0;
	if (hi > lo && seen_send(x, n, hi))
		err = tell_packed(x, s, n, lo, hi, g->len);
	return err ? err : tell_complete(x, s, n, from, to, BOUNDS_SEGMENTED);
}

/* --- the end of a conversation --- */

static size_t fmt_count(char *buf, size_t size, __u64 n, const char *noun)
{
	return (size_t)snprintf(buf, size, "%llu %s%s, ", (unsigned long long)n, noun,
				n == 1 ? "" : "s");
}

/* "client to server: 5 writes, 3 segments, 2 reads for 700 bytes"; what is out of sight is left out */
static void fmt_tally(char *buf, size_t size, const struct conn *c, int from, const struct note *tx,
		      const struct note *rx)
{
	__u64 segments = tx ? tx->data_out : rx ? rx->data_in : 0;
	char counts[96] = "", bytes[40];
	size_t at = 0;

	if (tx)
		at += fmt_count(counts, sizeof(counts), c->calls[from][0], "write");
	if (segments && c->protocol == IPPROTO_TCP)
		at += fmt_count(counts + at, sizeof(counts) - at, segments, "segment");
	if (rx)
		at += fmt_count(counts + at, sizeof(counts) - at, c->calls[!from][1], "read");
	if (at)
		counts[at - 2] = '\0'; /* the last comma */
	snprintf(buf, size, "%s to %s: %s for %s", from ? "server" : "client",
		 from ? "client" : "server", counts,
		 fmt_bytes(bytes, sizeof(bytes), c->dir[from].written));
}

static void prove_tally(struct verdict *v, const struct note *n)
{
	verdict_prove_mark(v, n, MARK_SEND_FIRST);
	verdict_prove_mark(v, n, MARK_SEND);
	verdict_prove_mark(v, n, MARK_RECV);
}

static int tell_tally(struct explain *x, const struct step *s)
{
	const struct conn *c = s->conn;
	struct note *end[2];
	char tally[2][160] = { "", "" };
	struct verdict v;
	int i;

	for (i = 0; i < 2; i++)
		end[i] = c->end[i] ? note_of(x, c->end[i]->sid) : NULL;
	for (i = 0; i < 2; i++)
		if (c->dir[i].written)
			fmt_tally(tally[i], sizeof(tally[i]), c, i, end[i], end[!i]);
	if (!tally[0][0] && !tally[1][0])
		return 0;
	verdict_start_at(x, &v, &rules[BOUNDS_TALLY], end[0] ? end[0] : end[1], s->id, s->t_ns);
	v.conn = c->id;
	verdict_ask(&v, "How many writes, segments and reads moved the bytes?");
	verdict_say(&v, "%s%s%s", tally[0], tally[0][0] && tally[1][0] ? "; " : "", tally[1]);
	if (c->dir[0].partial || c->dir[1].partial)
		verdict_infer(&v, "what was seen of a connection that is older than the trace");
	prove_tally(&v, end[0]);
	prove_tally(&v, end[1]);
	return verdict_tell(x, &v);
}

static bool is_stream_conn(const struct conn *c)
{
	const struct sock *k = c ? c->end[0] ? c->end[0] : c->end[1] : NULL;

	return k && k->type == SOCK_STREAM && (c->protocol == IPPROTO_TCP || c->family == AF_UNIX);
}

static int bounds_call(struct explain *x, const struct step *s, struct note *n)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	struct note *peer = note_of(x, n->peer);

	if (!c)
		return 0;
	if (call_is_send(c))
		return bounds_sent(x, s, c, n);
	if (!call_is_receive(c) || !peer || call_msg_flags(c) & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE))
		return 0;
	return bounds_read(x, s, c, peer);
}

static int bounds_step(struct explain *x, const struct step *s)
{
	struct note *n = s->ev && step_is_stream(s) ? note_of(x, s->sock->sid) : NULL;

	if (s->kind == STEP_SUMMARY && is_stream_conn(s->conn))
		return tell_tally(x, s);
	if (!n || n->listening)
		return 0;
	return s->ev->kind == EV_SEGMENT ? bounds_segment(x, s, n) : bounds_call(x, s, n);
}

const struct family explain_bounds = {
	.name = "bounds",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct bounds_note),
	.state_size = sizeof(struct bounds_state),
	.step = bounds_step,
};
