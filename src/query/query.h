/* SPDX-License-Identifier: MIT */
/*
 * A recording as SQL tables: the pipeline's steps and verdicts are loaded into a SQLite database,
 * and SELECTs are answered from it. Tables and columns: query_schema(). Nothing here prints.
 *
 * Memory is bounded whatever the recording's size: QUERY_CACHE of pages (the rest of the database is
 * a file without a name), some MiB of the loader's, and QUERY_HEAP for all of SQLite together.
 */
#ifndef SOCKLENS_QUERY_QUERY_H
#define SOCKLENS_QUERY_QUERY_H

#include <stddef.h>

#include "../render/render.h"
#include "../util/buf.h"
#include "../util/value.h"

#define QUERY_CACHE (32 << 20) /* bytes of the database kept in memory */
#define QUERY_HEAP \
	(256 << 20) /* bytes SQLite may allocate at all: a SELECT that needs more fails */
#define QUERY_TEXT_MAX (4 << 20) /* bytes of the longest value a SELECT may make */
#define QUERY_ERROR 512		 /* bytes of a buffer for one sentence */

struct query;

/*
 * An empty database with all tables. path NULL: a temporary one, on disk only as far as it does not
 * fit the cache, gone with the process. Else a file, which must be empty or not exist. NULL: one
 * sentence in err.
 */
struct query *query_new(const char *path, char *err, size_t size);
void query_free(struct query *q); /* NULL is accepted */

/*
 * Fills the database: an outlet of the pipeline whose view.sink is the struct query. Its finish()
 * ends the load; from then on the database is only read.
 */
extern const struct renderer query_loader;

/* What was left out by the recorder, valid after the load. */
struct query_loaded {
	__u64 events;  /* records */
	__u64 lost;    /* records lost while recording */
	bool complete; /* the recording has its end */
};
struct query_loaded query_loaded(const struct query *q);

/* For a database that stays: its indexes, and everything on disk. 0, or -EIO with err. */
int query_finish_file(struct query *q, char *err, size_t size);

/* The CREATE statements of all tables, every column with its comment. */
void query_schema(struct buf *b);

/* Rows of one SELECT. columns() comes once, before the first row. What they return but 0 ends it. */
struct query_rows {
	int (*columns)(void *ctx, const char *const *names, size_t n);
	int (*row)(void *ctx, const struct value *values, size_t n);
	void *ctx;
};

/*
 * Run one SELECT. 0; what a function of rows returned; or -EINVAL with one sentence in err. Refused
 * before anything is run: several statements, none, and whatever is no SELECT.
 */
int query_select(struct query *q, const char *sql, const struct query_rows *rows, char *err,
		 size_t size);

/*
 * Can it be answered while the recording is read? It can if it walks one of the tables event, segment and state, once, and
 * looks at nothing else; then it is to be, by query_stream(). sql: as query_accepts() has accepted it; nothing is
 * loaded yet.
 */
bool query_streams(struct query *q, const char *sql);
/* The outlet of the pipeline then, in place of query_loader. */
extern const struct renderer query_streamer;
/*
 * Run it. pull feeds the pipeline some more: 1, 0 once it has fed all and finished it, negative errno. Returns as
 * query_select(), and what pull returned, with no sentence, if that was negative.
 */
int query_stream(struct query *q, const char *sql, int (*pull)(void *ctx), void *ctx, const struct query_rows *rows,
		 char *err, size_t size);

/* Is this SQL one that query_select() would run? 0 or -EINVAL with one sentence in err. */
int query_accepts(struct query *q, const char *sql, char *err, size_t size);

#endif
