/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../util/clock.h"
#include "../util/text.h"
#include "text.h"

#define LOSS_KINDS (sizeof(((struct frame_loss *)0)->lost) / sizeof(__u64))

static unsigned int text_width(const struct render *r)
{
	if (!r->view.width || r->view.width > SHEET_WIDTH)
		return SHEET_WIDTH;
	return r->view.width < COLUMNS_MIN ? COLUMNS_MIN : r->view.width;
}

int text_say(struct render *r, enum style style, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sheet_clear(&r->sheet);
	sheet_wrap(&r->sheet, 0, 0, text_width(r), text, style);
	return sheet_write(&r->sheet, &r->view);
}

/* A label, and text that stays in its own column when it needs further rows. */
static int say_labeled(struct render *r, const char *label, enum style style, const char *text)
{
	const unsigned int label_x = 4, text_x = 22;

	sheet_clear(&r->sheet);
	sheet_put(&r->sheet, 0, label_x, label, strlen(label), STYLE_PLAIN);
	sheet_wrap(&r->sheet, 0, text_x, text_width(r) - text_x, text, style);
	return sheet_write(&r->sheet, &r->view);
}

static int say_end(struct render *r, const struct step *s, int end)
{
	const struct conn *c = s->conn;
	char addr[160], text[256];

	fmt_end(addr, sizeof(addr), c, end);
	if (c->pid[end])
		snprintf(text, sizeof(text), "%s, process %u", addr, c->pid[end]);
	else if (s->how == END_REFUSED && end == 1)
		snprintf(text, sizeof(text), "%s, nobody listens", addr);
	else if (!c->end[end] && c->udp[!end].nobody.n)
		snprintf(text, sizeof(text), "%s, no socket takes it", addr);
	else if (!c->end[end])
		snprintf(text, sizeof(text), "%s, not seen from here", addr);
	else if (c->end[end]->passive && !(c->untraced & LAYER_APP))
		snprintf(text, sizeof(text), "%s, never accepted", addr);
	else
		snprintf(text, sizeof(text), "%s", addr);
	return say_labeled(r, conn_end_word(end), STYLE_PLAIN, text);
}

/* Who closed first, and how it ended. */
static void how_words(struct text *t, const struct conn *c, enum conn_end how)
{
	switch (how) {
	case END_OPEN:
		text_add(t, "still open when tracing ended");
		break;
	case END_FIN:
		text_add(t, "closed in order: FIN from both ends");
		break;
	case END_RST:
		text_add(t, "cut off by RST");
		if (c->rst_by >= 0)
			text_printf(t, " from the %s", conn_end_word(c->rst_by));
		break;
	case END_REFUSED:
		text_add(t, "refused: RST in answer to the SYN");
		break;
	case END_TIMEOUT:
		text_add(t, "given up: no answer came");
		break;
	case END_GONE:
		text_add(t, c->protocol == IPPROTO_TCP && c->family != AF_UNIX ?
				    "gone without FIN or RST seen" :
				    "closed");
		break;
	}
	if (c->first_fin >= 0)
		text_printf(t, "; the %s closed first", conn_end_word(c->first_fin));
}

static void add_term(struct text *t, bool *any, __u64 bytes, const char *where)
{
	if (!bytes)
		return;
	text_printf(t, "%s%llu %s", *any ? " + " : "", (unsigned long long)bytes, where);
	*any = true;
}

static const char *plural(__u64 n)
{
	return n == 1 ? "" : "s";
}

/* Of bytes whose both ends are in sight: those that are nowhere. */
static __u64 missing(const struct ledger *l)
{
	__u64 placed = l->unsent + l->in_flight + l->rcvq + l->read + l->destroyed + l->discarded +
		       l->unacked + l->truncated;

	if (!l->tx_seen || !l->rx_seen)
		return 0;
	return placed < l->written ? l->written - placed : placed - l->written;
}

static __u64 residual(const struct ledger *l)
{
	return l->residual > missing(l) ? l->residual : missing(l);
}

/* lost: events, in the conversation's time. */
static void residual_words(struct text *t, const struct ledger *l, __u64 lost)
{
	if (!residual(l))
		return;
	if (lost)
		text_printf(t, "; %llu event%s lost: %llu B not accounted for",
			    (unsigned long long)lost, lost == 1 ? " was" : "s were",
			    (unsigned long long)residual(l));
	else
		text_printf(t, ", residual %llu B", (unsigned long long)residual(l));
	if (!l->residual)
		return;
	if (l->tx_seen)
		text_printf(t, "; calls wrote %llu B", (unsigned long long)l->calls_wrote);
	if (l->rx_seen)
		text_printf(t, "; calls read %llu B", (unsigned long long)l->calls_read);
}

static void arrived_words(struct text *t, const struct ledger *l)
{
	bool any = true;

	text_printf(t, "%llu B arrived = %llu read",
		    (unsigned long long)(l->read + l->rcvq + l->discarded),
		    (unsigned long long)l->read);
	add_term(t, &any, l->rcvq, "unread");
	add_term(t, &any, l->discarded, "thrown away unread");
	text_add(t, "; the writer is not seen from here");
}

/* "14 B written = 14 read; balanced": every byte in one place, or the residual said aloud. */
static void ledger_words(struct text *t, const struct ledger *l)
{
	bool any = false;

	if (!l->tx_seen) {
		arrived_words(t, l);
		return;
	}
	text_printf(t, "%llu B written", (unsigned long long)l->written);
	if (!l->rx_seen) {
		text_printf(t, " = %llu acknowledged",
			    (unsigned long long)(l->written - l->unsent - l->in_flight -
						 l->destroyed - l->unacked));
		any = true;
		add_term(t, &any, l->in_flight, "not acknowledged");
		add_term(t, &any, l->unsent, "unsent");
		add_term(t, &any, l->unacked, "never acknowledged");
		add_term(t, &any, l->destroyed, "thrown away unsent");
		text_add(t, "; the reader is not seen from here");
		return;
	}
	text_add(t, " = ");
	add_term(t, &any, l->read, "read");
	add_term(t, &any, l->rcvq, "unread");
	add_term(t, &any, l->in_flight, "in flight");
	add_term(t, &any, l->unsent, "unsent");
	add_term(t, &any, l->discarded, "thrown away unread");
	add_term(t, &any, l->unacked, "never acknowledged");
	add_term(t, &any, l->destroyed, "thrown away unsent");
	if (!any)
		text_add(t, "0 read");
	if (l->reread)
		text_printf(t, " (%llu urgent byte%s read twice)", (unsigned long long)l->reread,
			    plural(l->reread));
	if (!residual(l))
		text_add(t, "; balanced");
}

static int say_counts(struct render *r, const struct conn *c, int d)
{
	char words[160];
	struct text t;

	text_start(&t, words, sizeof(words));
	if (c->family != AF_UNIX && !(c->untraced & LAYER_WIRE))
		text_printf(&t, "%llu segment%s, %u retransmitted; ",
			    (unsigned long long)c->segments[d], plural(c->segments[d]),
			    c->retransmits[d]);
	if (c->untraced & LAYER_APP)
		text_add(&t, "calls were not traced");
	else
		text_printf(&t, "%u call%s wrote, %u call%s read", c->calls[d][0],
			    plural(c->calls[d][0]), c->calls[!d][1], plural(c->calls[!d][1]));
	return say_labeled(r, "", STYLE_DIM, words);
}

static void add_dgrams(struct text *t, bool *any, const struct dgram_sum *sum, const char *where)
{
	if (!sum->n)
		return;
	text_printf(t, "%s%llu %s (%llu B)", *any ? " + " : "", (unsigned long long)sum->n, where,
		    (unsigned long long)sum->bytes);
	*any = true;
}

static void dgram_places(struct text *t, const struct dgram_ledger *d)
{
	bool any = false;

	if (d->read.n && d->truncated.n) {
		text_printf(t, "%llu read (%llu B, and %llu B cut off)",
			    (unsigned long long)d->read.n, (unsigned long long)d->read.bytes,
			    (unsigned long long)d->truncated.bytes);
		any = true;
	} else {
		add_dgrams(t, &any, &d->read, "read");
	}
	add_dgrams(t, &any, &d->queued, "unread");
	add_dgrams(t, &any, &d->discarded, "thrown away unread");
	add_dgrams(t, &any, &d->dropped, "dropped at the socket");
	add_dgrams(t, &any, &d->nobody, "to nobody");
	add_dgrams(t, &any, &d->lost, "lost on the way");
	add_dgrams(t, &any, &d->in_flight, "not seen to arrive");
}

/* What is known of them without the calls that read. */
static void dgram_ends(struct text *t, const struct dgram_ledger *d)
{
	bool any = false;

	if (d->dropped.n || d->nobody.n)
		text_add(t, ": ");
	add_dgrams(t, &any, &d->dropped, "dropped at the socket");
	add_dgrams(t, &any, &d->nobody, "to nobody");
	text_add(t, "; what was read is not known, calls were not traced");
}

/* "5 datagrams sent (500 B) = 3 read (300 B) + 2 dropped at the socket (200 B); balanced" */
static void dgram_words(struct text *t, const struct conn *c, int from, __u64 lost)
{
	const struct dgram_ledger *d = &c->udp[from];
	const struct ledger *l = &c->dir[from];

	text_printf(t, "%llu datagram%s %s", (unsigned long long)d->sent.n, plural(d->sent.n),
		    l->tx_seen ? "sent" : "came");
	if (!d->sent.n)
		return;
	text_printf(t, " (%llu B)", (unsigned long long)d->sent.bytes);
	if (c->untraced & LAYER_APP) {
		dgram_ends(t, d);
		return;
	}
	if (!l->rx_seen && !d->nobody.n && !d->lost.n) {
		text_add(t, "; the receiver is not seen from here");
		return;
	}
	text_add(t, " = ");
	dgram_places(t, d);
	if (lost && d->residual.n)
		text_printf(t, "; %llu event%s lost: %llu not accounted for",
			    (unsigned long long)lost, lost == 1 ? " was" : "s were",
			    (unsigned long long)d->residual.n);
	else if (d->residual.n || d->residual.bytes)
		text_printf(t, "; residual %llu (%llu B)", (unsigned long long)d->residual.n,
			    (unsigned long long)d->residual.bytes);
	else if (!d->in_flight.n)
		text_add(t, "; balanced");
}

static const char *drop_words(__u32 error)
{
	if (error == ENOMEM)
		return "no room in the receive buffer";
	if (error == ENOBUFS)
		return "no memory left for UDP";
	return error ? errno_name((int)error) : "by the kernel";
}

/* Why some did not get through: the queue's level, and the kernel's own count. */
static int say_drops(struct render *r, const struct dgram_ledger *d)
{
	const struct dgram_why *w = &d->why;
	char words[256];
	struct text t;

	text_start(&t, words, sizeof(words));
	if (d->dropped.n) {
		text_printf(&t, "dropped: %s", drop_words(w->error));
		if (w->reason)
			text_printf(&t, " (%s)", w->reason);
		if (w->rcvbuf)
			text_printf(&t, ", %u of %u B of memory in use", w->rmem, w->rcvbuf);
		if (w->counter)
			text_printf(&t, "; the kernel counts %u at this socket", w->counter);
	}
	if (w->lost_reason)
		text_printf(&t, "%scame to no socket: %s", d->dropped.n ? "; " : "",
			    w->lost_reason);
	return t.len ? say_labeled(r, "", STYLE_DIM, words) : 0;
}

/* Why a ledger does not begin with the first byte. */
static const char *since_words(const struct conn *c)
{
	if ((c->end[0] && c->end[0]->seeded) || (c->end[1] && c->end[1]->seeded))
		return " (counted since tracing began)";
	return " (counted since events were lost)";
}

/* d: 0 = from client to server. */
static int say_direction(struct render *r, const struct step *s, int d)
{
	const struct ledger *l = &s->dir[d];
	bool udp = s->conn->protocol == IPPROTO_UDP;
	char words[400], label[32];
	struct text t;
	int err;

	text_start(&t, words, sizeof(words));
	if (udp)
		dgram_words(&t, s->conn, d, s->n);
	else if (l->tx_seen || l->rx_seen)
		ledger_words(&t, l);
	else
		text_add(&t, "bytes not counted");
	if (!udp)
		residual_words(&t, l, s->n);
	if (l->partial)
		text_add(&t, since_words(s->conn));
	snprintf(label, sizeof(label), "%s -> %s", conn_end_word(d), conn_end_word(!d));
	err = say_labeled(r, label, residual(l) ? STYLE_ALARM : STYLE_PLAIN, words);
	if (err)
		return err;
	return udp ? say_drops(r, &s->conn->udp[d]) : say_counts(r, s->conn, d);
}

/* Nothing to count: no connection came about, or a pair inside a program was never used. */
static bool is_bare(const struct step *s)
{
	if (s->conn->family == AF_UNIX)
		return !s->dir[0].written && !s->dir[1].written;
	return s->how == END_REFUSED || s->how == END_TIMEOUT;
}

int summary_conn(struct render *r, const struct step *s)
{
	const struct conn *c = s->conn;
	char words[160], lasted[32], names[240];
	struct text t;
	int err, d;

	if (!c)
		return 0;
	text_start(&t, words, sizeof(words));
	how_words(&t, c, s->how);
	fmt_duration(lasted, sizeof(lasted), conn_lasted_ns(s));
	err = text_say(r, STYLE_BOLD, "== #%u %s, %s: %s", heads_number(r, c->id), conn_kind(c),
		       lasted, words);
	for (d = 0; !err && d < 2; d++)
		err = say_end(r, s, d);
	for (d = 0; !err && d < 2 && !is_bare(s); d++)
		err = say_direction(r, s, d);
	if (!err && why_names(r, c->id, names, sizeof(names)))
		err = say_labeled(r, "verdicts", STYLE_PLAIN, names);
	return err;
}

/* " (segment 100, call 23)" for what was lost since `before`; "" when nothing was. */
static __u64 loss_words(struct text *t, const struct frame_loss *now,
			const struct frame_loss *before)
{
	__u64 n, sum = 0;
	unsigned int kind;

	for (kind = 0; kind < LOSS_KINDS; kind++) {
		n = now->lost[kind] - (before ? before->lost[kind] : 0);
		if (!n)
			continue;
		text_printf(t, "%s%s %llu", sum ? ", " : " (", kind_name(kind),
			    (unsigned long long)n);
		sum += n;
	}
	if (sum)
		text_add(t, ")");
	return sum;
}

int summary_loss(struct render *r, const struct frame_loss *now, const struct frame_loss *before)
{
	char kinds[512];
	struct text t;
	__u64 sum;
	int err;

	text_start(&t, kinds, sizeof(kinds));
	sum = loss_words(&t, now, before);
	if (!sum)
		return 0;
	err = draft_flush(r);
	return err ? err :
		     text_say(r, STYLE_ALARM, "!! %llu event%s lost here%s",
			      (unsigned long long)sum, sum == 1 ? " was" : "s were", kinds);
}

/* Each moment no probe sees: "moment=missing: why". What nobody asked to see is not missed. */
static int say_missing(struct render *r)
{
	const char *const *probe = r->meta.probes;
	const char *how;
	char name[64];
	int err = 0;

	for (; probe && *probe && !err; probe++) {
		how = strchr(*probe, '=');
		if (!how || strncmp(how + 1, "missing", strlen("missing")))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(how - *probe), *probe);
		err = text_say(r, STYLE_WARN, "!! not seen here: %s (%s)", name, how + 1);
	}
	return err;
}

int summary_end(struct render *r, const struct frame_loss *total, bool complete)
{
	__u64 seen = 0, lost;
	unsigned int kind;
	char kinds[512];
	struct text t;
	int err;

	for (kind = 0; kind < LOSS_KINDS; kind++)
		seen += total->seen[kind];
	text_start(&t, kinds, sizeof(kinds));
	lost = loss_words(&t, total, NULL);
	err = say_missing(r);
	if (!err && !complete)
		err = text_say(r, STYLE_ALARM, "!! the recording is cut short here");
	if (err)
		return err;
	return text_say(r, lost ? STYLE_ALARM : STYLE_PLAIN, "%llu events, %llu lost%s",
			(unsigned long long)seen, (unsigned long long)lost, kinds);
}
