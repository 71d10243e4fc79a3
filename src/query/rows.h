/* SPDX-License-Identifier: MIT */
/*
 * Rows on their way into a table: gathered and written ROWS_BATCH at a time, which costs SQLite two
 * thirds of what single rows cost. Columns that are not put are NULL.
 */
#ifndef SOCKLENS_QUERY_ROWS_H
#define SOCKLENS_QUERY_ROWS_H

#include <linux/types.h>
#include <sqlite3.h>

#include "schema.h"

#define ROWS_BATCH 16
#define ROWS_TEXT 65536	    /* bytes of copied text in a batch */
#define ROWS_TEXT_ROW 40960 /* bytes of it that one row may need: DESCRIBE_MAX fields and more */

struct cell {
	const char *text; /* NULL: num */
	__s64 num;	  /* of a text: its bytes */
	bool set;
};

struct rows {
	sqlite3_stmt *one, *batch;
	size_t columns;
	struct cell *cells; /* of a batch, row by row */
	unsigned int n;	    /* rows gathered */
	char *text;	    /* what was copied */
	size_t text_len;
	int err; /* of SQLite: nothing more is written */
};

struct rows *rows_new(sqlite3 *db, enum table_id table); /* NULL: out of memory */
void rows_free(struct rows *r); /* what was gathered is lost; NULL is accepted */
int rows_flush(struct rows *r); /* 0 or negative errno */

/* A row is begun with rows_start(), filled with put_*(), and ended with rows_end(). */
void rows_start(struct rows *r);
int rows_end(struct rows *r); /* 0 or negative errno */

static inline struct cell *rows_cell(struct rows *r, int column)
{
	return &r->cells[r->n * r->columns + (size_t)column];
}

static inline void put_int(struct rows *r, int column, __s64 value)
{
	*rows_cell(r, column) = (struct cell){ .num = value, .set = true };
}

/* 0 says that it is not known, or that there is none: NULL. */
static inline void put_known(struct rows *r, int column, __u64 value)
{
	if (value)
		put_int(r, column, (__s64)value);
}

/* A constant. NULL and "" leave it NULL. */
void put_word(struct rows *r, int column, const char *word);
/* Copied. */
void put_bytes(struct rows *r, int column, const char *bytes, size_t len);
/* Copied. NULL and "" leave it NULL. */
void put_text(struct rows *r, int column, const char *text);

#endif
