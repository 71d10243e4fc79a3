/* SPDX-License-Identifier: MIT */
/*
 * A stranger's SELECT, held by five things, each enough for its own kind of harm: the authorizer
 * lets through nothing but reading; sqlite3_stmt_readonly() refuses what never asks it (VACUUM
 * INTO); no other database can be attached; query_only stays on; memory has limits. A SELECT that
 * never ends is ended with ^C, and the temporary database is gone with the process.
 */
#include "db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../util/text.h"

/* What a SELECT needs, and nothing else. The words say what was wanted instead. */
static int authorize(void *ctx, int action, const char *a, const char *b, const char *c,
		     const char *d)
{
	struct query *q = ctx;

	(void)a;
	(void)c;
	(void)d;
	if (action == SQLITE_FUNCTION && b && !strcasecmp(b, "load_extension"))
		action = SQLITE_CREATE_VTABLE;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_FUNCTION:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
		q->refused = "attach or detach databases";
		break;
	case SQLITE_PRAGMA:
		q->refused = "use a PRAGMA";
		break;
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		q->refused = "begin or end a transaction";
		break;
	case SQLITE_CREATE_VTABLE:
		q->refused = "load code";
		break;
	default:
		q->refused = "do more than read these tables";
		break;
	}
	return SQLITE_DENY;
}

static int protect(struct query *q)
{
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(q->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(q->db, SQLITE_LIMIT_LENGTH, QUERY_TEXT_MAX);
	sqlite3_hard_heap_limit64(QUERY_HEAP);
	return db_exec(q, "PRAGMA query_only=ON");
}

/* Nothing but blanks, comments and semicolons? SQLite makes no statement of these. */
static bool is_blank(struct query *q, const char *sql)
{
	sqlite3_stmt *st = NULL;
	const char *tail = sql;
	bool blank = true;

	while (blank && *tail) {
		sql = tail;
		blank = !sqlite3_prepare_v2(q->db, sql, -1, &st, &tail) && !st;
		sqlite3_finalize(st);
		st = NULL;
		if (tail == sql)
			break;
	}
	return blank;
}

static void explain_refusal(struct query *q, char *err, size_t size)
{
	if (q->refused)
		text_sentence(
			err, size,
			"only SELECT is allowed, and this wants to %s; 'trace export --to sqlite' makes "
			"a database of your own to do that in",
			q->refused);
	else
		text_sentence(err, size, "SQL error: %s; 'trace query --schema' lists the columns",
			      sqlite3_errmsg(q->db));
}

static int prepare(struct query *q, const char *sql, sqlite3_stmt **st, char *err, size_t size)
{
	const char *tail;

	*st = NULL;
	q->refused = NULL;
	if (sqlite3_prepare_v2(q->db, sql, -1, st, &tail)) {
		explain_refusal(q, err, size);
		return -EINVAL;
	}
	if (!*st && !*tail) {
		text_sentence(err, size,
			      "there is no SQL in it; give a SELECT, such as "
			      "'SELECT * FROM call'");
		return -EINVAL;
	}
	if (*st && !sqlite3_stmt_readonly(*st)) {
		q->refused = "change something";
		explain_refusal(q, err, size);
		return -EINVAL;
	}
	if (*st && !is_blank(q, tail)) {
		text_sentence(err, size,
			      "one SELECT at a time; leave out what follows its semicolon");
		return -EINVAL;
	}
	return *st ? 0 : prepare(q, tail, st, err, size);
}

int db_prepare(struct query *q, const char *sql, sqlite3_stmt **st, char *err, size_t size)
{
	int ret = q->ready && !q->guarded ? protect(q) : 0;

	if (ret) {
		text_sentence(err, size, "cannot protect the database: %s", sqlite3_errmsg(q->db));
		return -EINVAL;
	}
	q->guarded = q->ready;
	sqlite3_set_authorizer(q->db, authorize, q);
	ret = prepare(q, sql, st, err, size);
	if (ret) {
		sqlite3_finalize(*st);
		*st = NULL;
	}
	/* The load writes. After it, a statement that SQLite prepares again asks again. */
	if (!q->ready)
		sqlite3_set_authorizer(q->db, NULL, NULL);
	return ret;
}

static void explain_failure(struct query *q, int code, char *err, size_t size)
{
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		text_sentence(
			err, size,
			"this SELECT needs more than %d MiB of memory; ask for less with WHERE or "
			"LIMIT",
			QUERY_HEAP >> 20);
		break;
	case SQLITE_TOOBIG:
		text_sentence(err, size, "this SELECT makes a value of more than %d MiB",
			      QUERY_TEXT_MAX >> 20);
		break;
	case SQLITE_FULL:
		text_sentence(err, size,
			      "there is no room left for temporary files; free some, or set "
			      "TMPDIR to a directory that has room");
		break;
	default:
		text_sentence(err, size, "SQL error: %s", sqlite3_errmsg(q->db));
		break;
	}
}

int db_next(struct query *q, sqlite3_stmt *st, char *err, size_t size)
{
	int code = sqlite3_step(st);

	if (code == SQLITE_ROW)
		return 1;
	if (code == SQLITE_DONE)
		return 0;
	explain_failure(q, code, err, size);
	return -EINVAL;
}

struct value db_value(sqlite3_stmt *st, int column)
{
	struct value v = { .type = VALUE_NULL };

	switch (sqlite3_column_type(st, column)) {
	case SQLITE_INTEGER:
		v.type = VALUE_INT;
		v.num = sqlite3_column_int64(st, column);
		break;
	case SQLITE_FLOAT:
		v.type = VALUE_REAL;
		v.real = sqlite3_column_double(st, column);
		break;
	case SQLITE_TEXT:
		v.type = VALUE_TEXT;
		v.bytes = (const char *)sqlite3_column_text(st, column);
		v.len = (size_t)sqlite3_column_bytes(st, column);
		break;
	case SQLITE_BLOB:
		v.type = VALUE_BLOB;
		v.bytes = sqlite3_column_blob(st, column);
		v.len = (size_t)sqlite3_column_bytes(st, column);
		break;
	}
	return v;
}

static int give_columns(sqlite3_stmt *st, const struct query_rows *rows, int n)
{
	const char **names = calloc((size_t)n, sizeof(*names));
	int i, ret;

	if (!names)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		names[i] = sqlite3_column_name(st, i);
	ret = rows->columns(rows->ctx, names, (size_t)n);
	free(names);
	return ret;
}

static int give_rows(struct query *q, sqlite3_stmt *st, const struct query_rows *rows, char *err,
		     size_t size)
{
	int i, ret, n = sqlite3_column_count(st);
	struct value *values = calloc((size_t)n, sizeof(*values));

	ret = values ? give_columns(st, rows, n) : -ENOMEM;
	while (!ret && (ret = db_next(q, st, err, size)) > 0) {
		for (i = 0; i < n; i++)
			values[i] = db_value(st, i);
		ret = rows->row(rows->ctx, values, (size_t)n);
	}
	free(values);
	return ret;
}

int query_select(struct query *q, const char *sql, const struct query_rows *rows, char *err,
		 size_t size)
{
	sqlite3_stmt *st;
	int ret = db_prepare(q, sql, &st, err, size);

	if (!ret)
		ret = give_rows(q, st, rows, err, size);
	sqlite3_finalize(st);
	return ret;
}

int query_accepts(struct query *q, const char *sql, char *err, size_t size)
{
	sqlite3_stmt *st;
	int ret = db_prepare(q, sql, &st, err, size);

	sqlite3_finalize(st);
	return ret;
}
