/* SPDX-License-Identifier: MIT */
/*
 * Inside of src/query: the database, shared by its files and seen by nobody else.
 */
#ifndef SOCKLENS_QUERY_DB_H
#define SOCKLENS_QUERY_DB_H

#include <sqlite3.h>
#include <stdbool.h>

#include "query.h"
#include "rows.h"
#include "schema.h"

struct stream; /* of stream.c */

struct query {
	sqlite3 *db;
	struct writer *writer;	   /* these two while it is loaded */
	struct rows *rows[TABLES];
	struct query_loaded loaded;
	const char *refused; /* what the statement being prepared wanted to do; NULL: nothing bad */
	struct stream *stream; /* it is read as a SELECT goes; NULL: it is not */
	bool ready;	     /* loaded: nothing is written any more */
	bool guarded;	     /* and nothing can be */
};

/* Negative errno for a result of SQLite. */
int db_errno(int code);
/* Run our own SQL. 0 or negative errno. */
int db_exec(struct query *q, const char *sql);
/* The load is over: all rows are written, and there to be read. 0 or negative errno. */
int db_ready(struct query *q);
/*
 * One SELECT of a stranger, prepared. 0 or -EINVAL with one sentence in err: what it is allowed to
 * be is told with query_select().
 */
int db_prepare(struct query *q, const char *sql, sqlite3_stmt **st, char *err, size_t size);
/* The next row: 1, 0 after the last, -EINVAL with one sentence in err. */
int db_next(struct query *q, sqlite3_stmt *st, char *err, size_t size);
struct value db_value(sqlite3_stmt *st, int column);

#endif
