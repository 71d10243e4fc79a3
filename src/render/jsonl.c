/* SPDX-License-Identifier: MIT */
/*
 * JSON lines: a header, a line per step, a trailer. Nothing waits and nothing is folded; what depends
 * on the kind of a record comes from describe_fields(). schema.json is the description for readers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../event/describe.h"
#include "../event/names.h"
#include "json.h"
#include "json_conn.h"
#include "json_verdict.h"
#include "render.h"
#include "../model/step.h"

#define JSON_FORMAT 1
#define LOSS_KINDS (sizeof(((struct frame_loss *)0)->lost) / sizeof(__u64))

struct render {
	struct view view;
	struct session_meta meta;
	struct json json;
	struct frame_loss loss; /* totals last told */
	__u64 steps, verdicts;
};

extern const char schema_json[]; /* made from schema.json by the Makefile */

const char *render_json_schema(void)
{
	return schema_json;
}

/* Ends the line; 0 or a negative errno. */
static int line_end(struct render *r)
{
	struct buf *b = &r->json.buf;

	json_end_object(&r->json);
	buf_add(b, "\n", 1);
	if (b->err)
		return b->err;
	errno = 0;
	if (fwrite(b->data, 1, b->len, r->view.out) != b->len ||
	    (r->view.line_flush && fflush(r->view.out)))
		return errno ? -errno : -EIO;
	return 0;
}

static struct json *line_start(struct render *r, const char *type)
{
	json_reset(&r->json);
	json_object(&r->json, NULL);
	if (type) /* of a step, "type" is that of its socket */
		json_text(&r->json, "type", type);
	return &r->json;
}

/* These do not fit 2^53 for long: always text. */
static void add_ns_text(struct json *j, const char *key, __u64 ns)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)ns);
	json_text(j, key, text);
}

static void add_probes(struct json *j, const struct session_meta *meta)
{
	const char *const *probe = meta->probes;
	const char *how;

	json_list(j, "probes");
	for (; probe && *probe; probe++) {
		how = strchr(*probe, '=');
		json_object(j, NULL);
		json_bytes(j, "moment", *probe, how ? (size_t)(how - *probe) : strlen(*probe));
		json_text(j, "seen_by", how ? how + 1 : "");
		json_end_object(j);
	}
	json_end_list(j);
}

static int write_header(struct render *r)
{
	struct json *j = line_start(r, "header");

	json_u64(j, "format", JSON_FORMAT);
	json_text(j, "version", r->meta.version);
	json_text(j, "kernel", r->meta.kernel);
	json_text(j, "backend", r->meta.backend);
	json_text(j, "scope", r->meta.scope);
	add_ns_text(j, "start_boot_ns", r->meta.start_boot_ns);
	add_ns_text(j, "start_unix_ns", r->meta.start_unix_ns);
	add_probes(j, &r->meta);
	return line_end(r);
}

static void jsonl_close(struct render *r)
{
	if (!r)
		return;
	json_free(&r->json);
	free(r);
}

static struct render *jsonl_open(const struct view *v, const struct session_meta *meta)
{
	struct render *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->view = *v;
	r->meta = *meta;
	/* A full disk shows again, and is told, with the first step. */
	if (write_header(r) == -ENOMEM) {
		jsonl_close(r);
		return NULL;
	}
	return r;
}

/* What every step has: see "required" in the schema. */
static void add_common(struct json *j, const struct render *r, const struct step *s)
{
	const struct proc *p = s->proc;
	const struct conn *c = step_conn(s);

	json_u64(j, "id", s->id);
	json_s64(j, "t_ns", (__s64)(s->t_ns - r->meta.start_boot_ns));
	json_text(j, "kind", step_kind_word(s));
	json_text(j, "layer", layer_word(s->layer));
	json_text(j, "phase", phase_word(s->phase));
	json_u64(j, "pid", s->ev && s->ev->pid ? s->ev->pid : p ? p->pid : 0);
	json_u64(j, "tid", s->ev ? s->ev->tid : 0);
	json_foreign(j, "comm", p ? p->comm : "", p ? strlen(p->comm) : 0);
	json_u64(j, "sock", sock_number(s->sock));
	json_u64(j, "conn", c ? c->id : 0);
	json_text(j, "role", role_name(step_own_role(s)));
}

static void add_path(struct json *j, const struct sock *s)
{
	if (s->family == AF_UNIX && s->path_len)
		json_foreign(j, "path", s->path, s->path_len);
}

/* AF_UNIX has no addresses: the other end is told by its process and its socket. */
static void add_peer(struct json *j, const struct step *s)
{
	const struct conn *c = s->conn ? s->conn : s->sock->conn;
	int other;

	if (s->sock->family != AF_UNIX || !c || (c->end[0] != s->sock && c->end[1] != s->sock))
		return;
	other = c->end[0] == s->sock;
	if (conn_pid(c, other))
		json_u64(j, "peer_pid", conn_pid(c, other));
	if (c->end[other])
		json_u64(j, "peer_sock", sock_number(c->end[other]));
}

static void add_addrs(struct json *j, const struct ev_addr *src, const struct ev_addr *dst)
{
	char text[80];

	if (src->family)
		json_text(j, "src", fmt_addr(text, sizeof(text), src));
	if (dst->family)
		json_text(j, "dst", fmt_addr(text, sizeof(text), dst));
}

/* A segment is described by who sends it, whichever end it is seen at. */
static void add_segment(struct json *j, const struct step *s)
{
	int from = s->seg_from == ROLE_SERVER;
	const struct event_segment *g = (const struct event_segment *)s->ev;

	if (s->seg_from != ROLE_NONE && s->conn) {
		struct ev_addr ends[] = { addr_on_wire(&s->conn->addr[from]),
					  addr_on_wire(&s->conn->addr[!from]) };

		add_addrs(j, &ends[0], &ends[1]);
	}
	json_text(j, "from", role_name(s->seg_from));
	json_bool(j, "arrival", g->sflags & SEGF_IN);
	if (g->sflags & SEGF_UDP)
		return;
	if (s->rel_known) {
		json_u64(j, "seq", s->rel_seq);
		json_u64(j, "ack", s->rel_ack);
	}
	json_bool(j, "relative", s->rel_known);
	json_u64(j, "win", s->win_bytes);
	json_bool(j, "win_scaled", s->win_scaled);
	json_bool(j, "retransmission", s->sflags & STEP_RTX);
	json_bool(j, "pure_ack", s->sflags & STEP_PURE_ACK);
}

static void add_sock(struct json *j, const struct step *s)
{
	if (s->ev && s->ev->kind == EV_SEGMENT)
		add_segment(j, s);
	if (!s->sock)
		return;
	json_text(j, "family", family_name(s->sock->family));
	if (s->sock->type)
		json_text(j, "type", socktype_name(s->sock->type));
	add_addrs(j, &s->sock->src, &s->sock->dst);
	add_path(j, s->sock);
	add_peer(j, s);
	if (s->sock2)
		json_u64(j, "sock2", sock_number(s->sock2));
}

static void add_levels(struct json *j, const struct step *s)
{
	const struct levels *lv = step_levels(s);

	if (!lv || s->phase == PHASE_ENTER)
		return;
	json_u64(j, "sndbuf", lv->sndbuf);
	json_u64(j, "rcvbuf", lv->rcvbuf);
	if (!(lv->flags & LV_LISTEN))
		return;
	json_object(j, "accept_queue");
	json_u64(j, "depth", lv->ack_backlog);
	json_u64(j, "limit", lv->max_ack_backlog);
	json_end_object(j);
}

static void add_timing(struct json *j, const struct step *s)
{
	if (s->phase == PHASE_EXIT) {
		json_u64(j, "took_ns", s->took_ns);
		json_u64(j, "enter_id", s->enter_id);
	}
	if (s->reason)
		json_text(j, "reason", s->reason);
	if (s->sflags & STEP_EOF)
		json_bool(j, "eof", true);
	if (s->sflags & STEP_TRUNC)
		json_u64(j, "truncated", s->n);
	if (s->ev && s->ev->flags & EVF_SEED)
		json_bool(j, "seed", true);
	if (s->ev && s->ev->flags & EVF_EARLY)
		json_bool(j, "early", true);
}

static void add_list(struct json *j, const char *key, const char *words)
{
	const char *end;

	json_list(j, key);
	for (; *words; words = *end ? end + 1 : end) {
		end = words + strcspn(words, ",");
		json_bytes(j, NULL, words, (size_t)(end - words));
	}
	json_end_list(j);
}

static void add_fields(struct json *j, const struct step *s)
{
	struct field fields[DESCRIBE_MAX];
	size_t i, n = describe_fields(s->ev, s->phase, fields);

	for (i = 0; i < n; i++) {
		const struct field *f = &fields[i];

		switch (f->type) {
		case FIELD_U64:
			json_u64(j, f->key, f->num);
			break;
		case FIELD_S64:
			json_s64(j, f->key, (__s64)f->num);
			break;
		case FIELD_TEXT:
			json_text(j, f->key, f->text);
			break;
		case FIELD_BYTES:
			json_foreign(j, f->key, f->bytes, f->len);
			break;
		case FIELD_BOOL:
			json_bool(j, f->key, f->num != 0);
			break;
		case FIELD_LIST:
			add_list(j, f->key, f->text);
			break;
		}
	}
}

static int jsonl_step(struct render *r, const struct step *s)
{
	struct json *j;

	if (s->kind == STEP_EVENT && !(s->layer & r->view.layers))
		return 0;
	j = line_start(r, NULL);
	add_common(j, r, s);
	r->steps++;
	if (s->kind == STEP_LOST)
		json_u64(j, "n", s->n);
	if (s->kind == STEP_SUMMARY)
		json_summary(j, s);
	if (s->kind != STEP_EVENT)
		return line_end(r);
	add_timing(j, s);
	add_sock(j, s);
	add_fields(j, s);
	add_levels(j, s);
	json_ledgers(j, s);
	return line_end(r);
}

static int jsonl_verdict(struct render *r, const struct verdict *v)
{
	json_verdict(line_start(r, NULL), v, r->meta.start_boot_ns);
	r->verdicts++;
	return line_end(r);
}

static int jsonl_tick(struct render *r, __u64 horizon_ns)
{
	(void)r;
	(void)horizon_ns;
	return 0; /* nothing is ever held back */
}

static int jsonl_loss(struct render *r, const struct frame_loss *l)
{
	r->loss = *l;
	return 0;
}

static void add_loss(struct json *j, const struct frame_loss *l)
{
	__u64 seen = 0, lost = 0;
	unsigned int kind;

	for (kind = 0; kind < LOSS_KINDS; kind++) {
		seen += l->seen[kind];
		lost += l->lost[kind];
	}
	json_u64(j, "events", seen);
	json_u64(j, "lost", lost);
	json_object(j, "lost_by_kind");
	for (kind = 0; kind < LOSS_KINDS; kind++)
		if (l->lost[kind])
			json_u64(j, kind_name(kind), l->lost[kind]);
	json_end_object(j);
}

static int jsonl_finish(struct render *r, const struct frame_loss *total, bool complete)
{
	struct json *j = line_start(r, "trailer");
	int err;

	add_loss(j, total ? total : &r->loss);
	json_u64(j, "steps", r->steps);
	json_u64(j, "verdicts", r->verdicts);
	json_bool(j, "complete", complete);
	err = line_end(r);
	if (!err && fflush(r->view.out))
		err = -errno;
	return err;
}

const struct renderer render_json = {
	.name = "json",
	.open = jsonl_open,
	.step = jsonl_step,
	.verdict = jsonl_verdict,
	.tick = jsonl_tick,
	.loss = jsonl_loss,
	.finish = jsonl_finish,
	.close = jsonl_close,
};
