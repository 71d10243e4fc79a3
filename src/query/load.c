/* SPDX-License-Identifier: MIT */
/*
 * From steps to rows. Rows are written as they come and never looked at again, so memory does not
 * follow the recording's length. What is text here is constant or already there: nothing is
 * formatted that is the same for millions of rows.
 */
#include "load.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../event/names.h"
#include "../event/tcp.h"
#include "../model/step.h"
#include "../util/options.h"

const char *load_errno(__s64 ret)
{
	const char *name = ret < 0 && ret > -4096 ? errno_name((int)ret) : "?";

	return name[0] == '?' ? NULL : name;
}

/* --- segment and state --- */

/* Few combinations, and millions of segments. */
static const char *flags_text(struct render *r, unsigned int flags)
{
	char *text = r->flags[flags];

	return text[0] ? text : fmt_tcp_flags(text, TCP_FLAGS_TEXT, flags);
}

static void put_tcp(struct rows *row, const struct step *s, const char *flags)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;

	put_word(row, COL_SEGMENT_FLAGS, flags);
	put_int(row, COL_SEGMENT_SYN, (g->flags & TCPF_SYN) != 0);
	put_int(row, COL_SEGMENT_FIN, (g->flags & TCPF_FIN) != 0);
	put_int(row, COL_SEGMENT_RST, (g->flags & TCPF_RST) != 0);
	if (s->rel_known)
		put_int(row, COL_SEGMENT_SEQ, s->rel_seq);
	if (s->rel_known && g->flags & TCPF_ACK)
		put_int(row, COL_SEGMENT_ACK, s->rel_ack);
	put_int(row, COL_SEGMENT_WIN, (__s64)s->win_bytes);
	put_int(row, COL_SEGMENT_WIN_SCALED, s->win_scaled);
	put_int(row, COL_SEGMENT_RETRANSMISSION, (s->sflags & STEP_RTX) != 0);
	put_int(row, COL_SEGMENT_PURE_ACK, (s->sflags & STEP_PURE_ACK) != 0);
	/* One field of the record, as no SYN is urgent. */
	put_known(row, COL_SEGMENT_MSS, g->flags & TCPF_SYN ? g->mss : 0);
	if (g->flags & TCPF_URG)
		put_int(row, COL_SEGMENT_URGENT, g->mss);
}

int load_segment(struct render *r, const struct step *s)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;
	struct rows *row = load_row(r, TABLE_SEGMENT);
	const struct conn *c = step_conn(s);
	bool udp = g->sflags & SEGF_UDP;

	put_int(row, COL_SEGMENT_EVENT, (__s64)s->id);
	put_int(row, COL_SEGMENT_T_NS, load_time(r, s->t_ns));
	put_known(row, COL_SEGMENT_CONN, c ? c->id : 0);
	put_word(row, COL_SEGMENT_PROTOCOL, udp ? "udp" : "tcp");
	put_word(row, COL_SEGMENT_SENDER, role_name(s->seg_from));
	put_int(row, COL_SEGMENT_ARRIVAL, (g->sflags & SEGF_IN) != 0);
	put_int(row, COL_SEGMENT_PAIRED, (s->sflags & STEP_SEG_PAIR) != 0);
	put_known(row, COL_SEGMENT_SOCK, sock_number(s->sock));
	put_known(row, COL_SEGMENT_SID, step_sid(s));
	put_int(row, COL_SEGMENT_LEN, g->len);
	put_int(row, COL_SEGMENT_NETNS, g->netns);
	put_int(row, COL_SEGMENT_LOOPBACK, (g->sflags & SEGF_LOOPBACK) != 0);
	if (!udp)
		put_tcp(row, s, flags_text(r, g->flags));
	return rows_end(row);
}

int load_state(struct render *r, const struct step *s)
{
	const struct event_sock *m = (const struct event_sock *)s->ev;
	struct rows *row = load_row(r, TABLE_STATE);
	const struct conn *c = step_conn(s);

	put_int(row, COL_STATE_EVENT, (__s64)s->id);
	put_int(row, COL_STATE_T_NS, load_time(r, s->t_ns));
	put_known(row, COL_STATE_SOCK, sock_number(s->sock));
	put_known(row, COL_STATE_SID, step_sid(s));
	put_known(row, COL_STATE_CONN, c ? c->id : 0);
	put_known(row, COL_STATE_PID, s->ev->pid);
	put_word(row, COL_STATE_ROLE, role_name(step_own_role(s)));
	put_word(row, COL_STATE_OLD_STATE, tcp_state_name(m->a));
	put_word(row, COL_STATE_NEW_STATE, tcp_state_name(m->b));
	return rows_end(row);
}

static int load_kind(struct render *r, const struct step *s)
{
	switch (s->ev->kind) {
	case EV_CALL:
	case EV_GAI:
		return load_calls_step(r, s);
	case EV_SEGMENT:
		return load_segment(r, s);
	case EV_STATE:
		return load_state(r, s);
	default:
		return 0;
	}
}

static int load_step(struct render *r, const struct step *s)
{
	int err = load_event(r, s);

	if (s->kind == STEP_LOST)
		r->lost_id = s->id;
	if (!err && s->kind == STEP_SUMMARY && s->conn)
		err = load_summary(r, s);
	if (!err && s->kind == STEP_EVENT)
		err = load_kind(r, s);
	return err ? err : load_socks_step(r, s);
}

/* --- verdict --- */

static int load_evidence(struct render *r, const struct verdict *v)
{
	struct rows *row;
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < v->n_evidence; i++) {
		row = load_row(r, TABLE_VERDICT_EVIDENCE);
		put_int(row, COL_VERDICT_EVIDENCE_VERDICT, (__s64)v->id);
		put_int(row, COL_VERDICT_EVIDENCE_EVENT, (__s64)v->evidence[i]);
		err = rows_end(row);
	}
	return err;
}

static int load_verdict(struct render *r, const struct verdict *v)
{
	struct rows *row = load_row(r, TABLE_VERDICT);
	int err;

	put_int(row, COL_VERDICT_ID, (__s64)v->id);
	put_int(row, COL_VERDICT_T_NS, load_time(r, v->t_ns));
	put_word(row, COL_VERDICT_RULE, v->rule->name);
	put_word(row, COL_VERDICT_WEIGHT, weight_name(v->weight));
	put_text(row, COL_VERDICT_QUESTION, v->question);
	put_text(row, COL_VERDICT_CAUSE, v->cause);
	put_word(row, COL_VERDICT_CERTAINTY, certainty_name(v->certainty));
	put_text(row, COL_VERDICT_BASIS, v->basis);
	put_text(row, COL_VERDICT_TODO, v->remedy);
	put_known(row, COL_VERDICT_EVENT, v->step);
	put_known(row, COL_VERDICT_SOCK, v->sock);
	put_known(row, COL_VERDICT_SID, v->sid);
	put_known(row, COL_VERDICT_CONN, v->conn);
	put_known(row, COL_VERDICT_PID, v->pid);
	put_word(row, COL_VERDICT_ROLE, role_name(v->role));
	err = rows_end(row);
	return err ? err : load_evidence(r, v);
}

/* --- loss and meta --- */

static int load_loss(struct render *r, const struct frame_loss *l)
{
	struct rows *row;
	unsigned int kind;
	int err = 0;

	for (kind = 0; !err && kind < sizeof(l->lost) / sizeof(l->lost[0]); kind++) {
		if (l->lost[kind] <= r->loss.lost[kind])
			continue;
		row = load_row(r, TABLE_LOSS);
		put_known(row, COL_LOSS_EVENT, r->lost_id);
		put_int(row, COL_LOSS_T_NS, load_time(r, l->t_ns));
		put_word(row, COL_LOSS_KIND, kind_name(kind));
		put_int(row, COL_LOSS_LOST, (__s64)(l->lost[kind] - r->loss.lost[kind]));
		err = rows_end(row);
	}
	r->loss = *l;
	return err;
}

static int meta_text(struct render *r, const char *key, size_t len, const char *value)
{
	struct rows *row = load_row(r, TABLE_META);

	put_bytes(row, COL_META_KEY, key, len);
	put_bytes(row, COL_META_VALUE, value ? value : "", value ? strlen(value) : 0);
	return rows_end(row);
}

static int meta_int(struct render *r, const char *key, __u64 value)
{
	struct rows *row = load_row(r, TABLE_META);

	put_text(row, COL_META_KEY, key);
	put_int(row, COL_META_VALUE, (__s64)value);
	return rows_end(row);
}

/* A recording may name a probe twice: the first one stands. */
static int load_probes(struct render *r, const struct session_meta *meta)
{
	const char *const *probe = meta->probes;
	const char *how;
	char key[256];
	int len, err = 0;

	for (; !err && probe && *probe; probe++) {
		how = strchr(*probe, '=');
		len = snprintf(key, sizeof(key), "probe.%.*s",
			       how ? (int)(how - *probe) : (int)strlen(*probe), *probe);
		if (len >= (int)sizeof(key))
			len = sizeof(key) - 1;
		err = meta_text(r, key, (size_t)len, how ? how + 1 : "");
	}
	return err;
}

static int load_note(struct render *r, const char *key, size_t len, const char *value)
{
	char name[64];
	long n;

	if (option_number(value, 0, LONG_MAX, &n))
		return meta_text(r, key, len, value);
	snprintf(name, sizeof(name), "%.*s", (int)len, key);
	return meta_int(r, name, (__u64)n);
}

/* What ./lab added: numbers as numbers, so that checks can count with them. */
static int load_notes(struct render *r, const struct session_meta *meta)
{
	const char *const *note = meta->notes;
	const char *value;
	int err = 0;

	for (; !err && note && *note; note++) {
		value = strchr(*note, '=');
		if (value)
			err = load_note(r, *note, (size_t)(value - *note), value + 1);
	}
	return err;
}

static int load_meta(struct render *r, const struct session_meta *meta)
{
	int err = meta_text(r, "version", 7, meta->version);

	if (!err)
		err = meta_text(r, "kernel", 6, meta->kernel);
	if (!err)
		err = meta_text(r, "backend", 7, meta->backend);
	if (!err)
		err = meta_text(r, "scope", 5, meta->scope);
	if (!err)
		err = meta_int(r, "start_boot_ns", meta->start_boot_ns);
	if (!err)
		err = meta_int(r, "start_unix_ns", meta->start_unix_ns);
	if (!err)
		err = load_probes(r, meta);
	return err ? err : load_notes(r, meta);
}

static void load_close(struct render *r)
{
	if (!r)
		return;
	load_calls_free(r->calls);
	load_socks_free(r->socks);
	free(r);
}

static struct render *load_open(const struct view *v, const struct session_meta *meta)
{
	struct render *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->q = v->sink;
	r->start_ns = meta->start_boot_ns;
	r->calls = load_calls_new();
	r->socks = load_socks_new();
	/* A full disk shows again, and is told, with the first step. */
	if (r->calls && r->socks && load_meta(r, meta) != -ENOMEM)
		return r;
	load_close(r);
	return NULL;
}

void load_count(struct render *r, const struct frame_loss *total, bool complete)
{
	const struct frame_loss *all = total ? total : &r->loss;
	struct query_loaded *l = &r->q->loaded;
	size_t i;

	l->complete = complete;
	for (i = 0; i < sizeof(all->seen) / sizeof(all->seen[0]); i++) {
		l->events += all->seen[i];
		l->lost += all->lost[i];
	}
}

static int load_finish(struct render *r, const struct frame_loss *total, bool complete)
{
	int err = load_calls_finish(r);

	load_count(r, total, complete);
	if (!err)
		err = load_socks_finish(r);
	if (!err)
		err = meta_int(r, "events", r->q->loaded.events);
	if (!err)
		err = meta_int(r, "lost", r->q->loaded.lost);
	if (!err)
		err = meta_int(r, "complete", complete);
	return err ? err : db_ready(r->q);
}

const struct renderer query_loader = {
	.name = "query",
	.open = load_open,
	.step = load_step,
	.verdict = load_verdict,
	.loss = load_loss,
	.finish = load_finish,
	.close = load_close,
};
