/* SPDX-License-Identifier: MIT */
/*
 * The table call: entry and return in one row, written at the return. An entry whose return is not
 * certain is kept until that comes, or until its thread enters another call, or the trace ends. A
 * thread is in one call at a time, and maybe in a getaddrinfo around it, so what is kept is bounded
 * by the number of threads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../event/describe.h"
#include "../event/names.h"
#include "../model/step.h"
#include "../util/hash.h"
#include "load.h"

/* Whose call it is, by value. */
struct caller {
	__u64 sock, sock2;
	__u32 pid, tid;
	__u32 sid, sid2;
	__u32 conn;
	enum role role;
	char comm[EVENT_COMM_LEN + 1];
};

struct entry {
	__u64 id, t_ns;
	struct caller who;
	_Alignas(8) unsigned char ev[];
};

struct calls {
	struct hash *open; /* by thread: struct entry */
};

struct calls *load_calls_new(void)
{
	struct calls *c = calloc(1, sizeof(*c));

	if (c)
		c->open = hash_new();
	if (c && c->open)
		return c;
	free(c);
	return NULL;
}

void load_calls_free(struct calls *c)
{
	void *entry;
	size_t pos = 0;

	if (!c)
		return;
	while (hash_next(c->open, &pos, NULL, &entry))
		free(entry);
	hash_free(c->open);
	free(c);
}

static __u64 entry_key(const struct event *ev)
{
	return (__u64)ev->tid << 1 | (ev->kind == EV_GAI);
}

static void caller_of(struct caller *who, const struct step *s)
{
	const struct conn *c = step_conn(s);

	*who = (struct caller){
		.sock = sock_number(s->sock),
		.sock2 = sock_number(s->sock2),
		.pid = s->ev->pid,
		.tid = s->ev->tid,
		.sid = step_sid(s),
		.sid2 = s->sock2 ? s->sock2->sid : 0,
		.conn = c ? c->id : 0,
		.role = step_own_role(s),
	};
	if (s->proc)
		memcpy(who->comm, s->proc->comm, sizeof(who->comm));
}

static void put_caller(struct rows *row, const struct caller *who)
{
	put_known(row, COL_CALL_PID, who->pid);
	put_known(row, COL_CALL_TID, who->tid);
	put_text(row, COL_CALL_COMM, who->comm);
	put_known(row, COL_CALL_SOCK, who->sock);
	put_known(row, COL_CALL_SID, who->sid);
	put_known(row, COL_CALL_SOCK2, who->sock2);
	put_known(row, COL_CALL_SID2, who->sid2);
	put_known(row, COL_CALL_CONN, who->conn);
	put_word(row, COL_CALL_ROLE, role_name(who->role));
}

static void put_field(struct rows *row, int column, const struct field *f)
{
	switch (f->type) {
	case FIELD_U64:
	case FIELD_S64:
	case FIELD_BOOL:
		put_int(row, column, (__s64)f->num);
		break;
	case FIELD_TEXT:
	case FIELD_LIST:
		put_text(row, column, f->text);
		break;
	case FIELD_BYTES:
		put_bytes(row, column, f->bytes, f->len);
		break;
	}
}

/* Names that say the same of different kinds of values. */
static const char *field_column(const char *key)
{
	if (!strcmp(key, "path"))
		return "addr";
	return strcmp(key, "value_text") ? key : "value";
}

static void put_described(struct rows *row, const struct field *f)
{
	const struct table_def *t = schema_table(TABLE_CALL);
	const char *key = field_column(f->key);
	size_t i;

	if (!strcmp(key, "flags") && !strcmp(f->text, "0"))
		return;
	for (i = 0; i < t->n; i++)
		if (t->columns[i].described && !strcmp(t->columns[i].name, key)) {
			put_field(row, (int)i, f);
			return;
		}
}

static const char *made_by(const struct event_call *c)
{
	if (c->cflags & CALLF_BY_EXIT)
		return "exit";
	if (c->cflags & CALLF_BY_EXEC)
		return "exec";
	return c->cflags & CALLF_IN_GAI ? "libc" : NULL;
}

static void put_call(struct rows *row, const struct event_call *c, bool returned)
{
	bool no_call = c->cflags & (CALLF_BY_EXIT | CALLF_BY_EXEC);

	put_word(row, COL_CALL_NAME, call_word(c));
	put_word(row, COL_CALL_SYSCALL, call_name(c->call));
	put_word(row, COL_CALL_MADE_BY, made_by(c));
	if (c->fd >= 0)
		put_int(row, COL_CALL_FD, c->fd);
	put_int(row, COL_CALL_NONBLOCK, (c->cflags & CALLF_NONBLOCK) != 0);
	if (!returned || no_call)
		return;
	put_int(row, COL_CALL_RET, c->ret < 0 ? -1 : c->ret);
	put_word(row, COL_CALL_ERRNO, load_errno(c->ret));
}

static void put_gai(struct rows *row, const struct event_gai *g, bool returned)
{
	put_word(row, COL_CALL_NAME, "getaddrinfo");
	if (!returned)
		return;
	put_int(row, COL_CALL_RET, g->ret);
	put_word(row, COL_CALL_ERRNO, g->ret ? gai_error_name(g->ret) : NULL);
}

/* A call that only moves bytes on a connected socket: millions of these, and little to describe. */
static bool is_plain_transfer(const struct event *ev)
{
	const struct event_call *c = (const struct event_call *)ev;

	if (ev->kind != EV_CALL || c->tail_kind != TAIL_NONE)
		return false;
	return c->call == CALL_SENDTO || c->call == CALL_WRITE || c->call == CALL_RECVFROM ||
	       c->call == CALL_READ;
}

static void put_transfer(struct rows *row, const struct event_call *c, bool returned)
{
	char flags[256];

	if (c->x[0])
		put_text(row, COL_CALL_FLAGS, fmt_msg_flags(flags, sizeof(flags), c->x[0]));
	put_int(row, COL_CALL_REQUESTED, (__s64)c->len);
	if (returned && c->ret >= 0)
		put_int(row, COL_CALL_LEN, c->ret);
}

/* Columns of the call itself, and the end of the row: described texts live no longer. */
static int finish_row(struct rows *row, const struct event *ev, enum phase phase, bool returned)
{
	struct field fields[DESCRIBE_MAX];
	size_t i, n = 0;

	if (ev->kind == EV_GAI)
		put_gai(row, (const struct event_gai *)ev, returned);
	else
		put_call(row, (const struct event_call *)ev, returned);
	if (is_plain_transfer(ev))
		put_transfer(row, (const struct event_call *)ev, returned);
	else
		n = describe_fields(ev, phase, fields);
	for (i = 0; i < n; i++)
		put_described(row, &fields[i]);
	return rows_end(row);
}

static bool never_returned(const struct event *ev)
{
	return ev->kind == EV_CALL &&
	       ((const struct event_call *)ev)->cflags & (CALLF_PENDING | CALLF_KILLED);
}

static int write_return(struct render *r, const struct step *s)
{
	struct rows *row = load_row(r, TABLE_CALL);
	bool returned = !never_returned(s->ev);
	struct caller who;

	caller_of(&who, s);
	put_caller(row, &who);
	put_int(row, COL_CALL_ID,
		(__s64)(s->phase == PHASE_EXIT && s->enter_id ? s->enter_id : s->id));
	put_int(row, COL_CALL_T_ENTER_NS, load_time(r, s->t_ns - s->took_ns));
	put_int(row, COL_CALL_PENDING, 0);
	if (returned)
		put_int(row, COL_CALL_RETURN_ID, (__s64)s->id);
	put_int(row, COL_CALL_T_NS, load_time(r, s->t_ns));
	put_int(row, COL_CALL_TOOK_NS, (__s64)s->took_ns);
	if (s->sflags & STEP_EOF)
		put_int(row, COL_CALL_EOF, 1);
	if (s->sflags & STEP_TRUNC)
		put_int(row, COL_CALL_TRUNCATED, (__s64)s->n);
	return finish_row(row, s->ev, s->phase, returned);
}

static int write_entry(struct render *r, const struct entry *e)
{
	struct rows *row = load_row(r, TABLE_CALL);

	put_caller(row, &e->who);
	put_int(row, COL_CALL_ID, (__s64)e->id);
	put_int(row, COL_CALL_T_ENTER_NS, load_time(r, e->t_ns));
	put_int(row, COL_CALL_PENDING, 1);
	return finish_row(row, (const struct event *)e->ev, PHASE_ENTER, false);
}

/* Takes the entry of that thread out: it returned, or it never will. */
static struct entry *entry_take(struct calls *c, const struct event *ev)
{
	return hash_count(c->open) ? hash_del(c->open, entry_key(ev)) : NULL;
}

static int entry_keep(struct render *r, const struct step *s)
{
	struct entry *e = entry_take(r->calls, s->ev);
	int err = 0;

	if (e)
		err = write_entry(r, e);
	free(e);
	if (err || s->exit_known)
		return err;
	e = malloc(sizeof(*e) + s->ev->size);
	if (!e)
		return -ENOMEM;
	e->id = s->id;
	e->t_ns = s->t_ns;
	caller_of(&e->who, s);
	memcpy(e->ev, s->ev, s->ev->size);
	err = hash_put(r->calls->open, entry_key(s->ev), e);
	if (err)
		free(e);
	return err;
}

int load_calls_step(struct render *r, const struct step *s)
{
	struct entry *e;

	if (s->phase == PHASE_ENTER)
		return entry_keep(r, s);
	e = s->phase == PHASE_EXIT ? entry_take(r->calls, s->ev) : NULL;
	free(e);
	return write_return(r, s);
}

int load_calls_finish(struct render *r)
{
	void *entry;
	size_t pos = 0;
	int err = 0;

	while (!err && hash_next(r->calls->open, &pos, NULL, &entry))
		err = write_entry(r, entry);
	return err;
}
