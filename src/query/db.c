/* SPDX-License-Identifier: MIT */
/*
 * The database: its tables, and how it is made fast to fill.
 */
#include "db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../util/text.h"

int db_errno(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return -EACCES;
	default:
		return -EIO;
	}
}

int db_exec(struct query *q, const char *sql)
{
	return db_errno(sqlite3_exec(q->db, sql, NULL, NULL, NULL));
}

/*
 * No journal and no waiting for the disk: a load that fails is thrown away as a whole. One
 * transaction, ended by db_ready().
 */
static int db_setup(struct query *q)
{
	char pragmas[256];

	snprintf(pragmas, sizeof(pragmas),
		 "PRAGMA page_size=16384; PRAGMA cache_size=-%d; PRAGMA journal_mode=OFF;"
		 "PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=FILE;",
		 QUERY_CACHE >> 10);
	/* "x" is a column, never a text: a name that is mistyped must not be an answer. */
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	return db_exec(q, pragmas);
}

static int create_tables(struct query *q)
{
	struct buf b = { 0 };
	int table, err = db_exec(q, "BEGIN");

	for (table = 0; !err && table < TABLES; table++) {
		buf_reset(&b);
		schema_create(&b, (enum table_id)table);
		err = b.err ? b.err : db_exec(q, b.data);
	}
	buf_free(&b);
	return err;
}

static int prepare_inserts(struct query *q)
{
	int table;

	q->writer = writer_new();
	if (!q->writer)
		return -EAGAIN;
	for (table = 0; table < TABLES; table++) {
		q->rows[table] = rows_new(q->db, (enum table_id)table, q->writer);
		if (!q->rows[table])
			return -ENOMEM;
	}
	return 0;
}

static int db_open(struct query *q, const char *path)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int err = db_errno(sqlite3_open_v2(path ? path : "", &q->db, flags, NULL));

	if (!err)
		err = db_setup(q);
	if (!err)
		err = create_tables(q);
	return err ? err : prepare_inserts(q);
}

struct query *query_new(const char *path, char *err, size_t size)
{
	struct query *q = calloc(1, sizeof(*q));
	int code = q ? db_open(q, path) : -ENOMEM;

	if (!code)
		return q;
	text_sentence(err, size, "cannot make %s: %s", path ? path : "a temporary database",
		      q && q->db && sqlite3_errcode(q->db) ? sqlite3_errmsg(q->db) :
							     strerror(-code));
	query_free(q);
	return NULL;
}

/* Waits for what is on its way. 0 or negative errno. */
static int drop_inserts(struct query *q)
{
	int table, err = writer_end(q->writer);

	q->writer = NULL;
	for (table = 0; table < TABLES; table++) {
		rows_free(q->rows[table]);
		q->rows[table] = NULL;
	}
	return err;
}

void query_free(struct query *q)
{
	if (!q)
		return;
	drop_inserts(q);
	sqlite3_close(q->db);
	free(q->stream);
	free(q);
}

int db_ready(struct query *q)
{
	int table, err = 0, written;

	for (table = 0; !err && table < TABLES; table++)
		err = rows_flush(q->rows[table]);
	written = drop_inserts(q);
	err = err ? err : written;
	q->ready = true;
	return err ? err : db_exec(q, "COMMIT");
}

static int create_indexes(struct query *q, const struct table_def *t)
{
	const char *const *column;
	char sql[128];
	int err = 0;

	for (column = t->indexes; !err && *column; column++) {
		snprintf(sql, sizeof(sql), "CREATE INDEX %s_%s ON %s(%s)", t->name, *column,
			 t->name, *column);
		err = db_exec(q, sql);
	}
	return err;
}

int query_finish_file(struct query *q, char *err, size_t size)
{
	int table, code = 0;

	for (table = 0; !code && table < TABLES; table++)
		code = create_indexes(q, schema_table((enum table_id)table));
	if (!code)
		code = db_exec(q, "PRAGMA optimize");
	if (!code)
		return 0;
	text_sentence(err, size, "%s", sqlite3_errmsg(q->db));
	return -EIO;
}

void query_schema(struct buf *b)
{
	int table;

	for (table = 0; table < TABLES; table++) {
		if (table)
			buf_puts(b, "\n");
		schema_create(b, (enum table_id)table);
	}
}

struct query_loaded query_loaded(const struct query *q)
{
	return q->loaded;
}
