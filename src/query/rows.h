/* SPDX-License-Identifier: MIT */
/*
 * Rows on their way into a table: gathered and written BATCH_ROWS at a time, which costs SQLite two
 * thirds of what single rows cost. Columns that are not put are NULL.
 */
#ifndef SOCKLENS_QUERY_ROWS_H
#define SOCKLENS_QUERY_ROWS_H

#include "schema.h"
#include "writer.h"

#define ROWS_TEXT_ROW 40960 /* bytes of text that one row may need: DESCRIBE_MAX fields and more */

#define COLUMNS_MAX 64 /* of any table */

struct rows {
	struct inserts into;
	unsigned int cell[COLUMNS_MAX]; /* of a column; that of all that nobody asks for is the last */
	struct writer *writer;
	struct batch *b;    /* being filled */
	struct batch *home; /* written and free: the writer's lock guards it */
	int err;	    /* of SQLite: nothing more is written */
	struct batch *full, **full_end; /* without a writer: for rows_take() */
};

/* The writer stays the caller's. NULL: out of memory. */
struct rows *rows_new(sqlite3 *db, enum table_id table, struct writer *w);
/*
 * Rows that nobody writes: rows_flush() lays them ready for rows_take(). wanted: a bit for each column that is
 * looked at; of the others nothing is kept.
 */
struct rows *rows_new_to_take(enum table_id table, __u64 wanted);
/* The oldest that lie ready, the caller's until rows_give_back(). NULL: none do. */
struct batch *rows_take(struct rows *r);
void rows_give_back(struct rows *r, struct batch *b); /* NULL is accepted */
/* After writer_end(); what was gathered is lost. NULL is accepted. */
void rows_free(struct rows *r);
int rows_flush(struct rows *r); /* on their way to be written; 0 or negative errno */

/* A row is begun with rows_start(), filled with put_*(), and ended with rows_end(). */
void rows_start(struct rows *r);
int rows_end(struct rows *r); /* 0 or negative errno */

static inline struct cell *rows_cell(struct rows *r, int column)
{
	return &r->b->cells[r->b->n * r->into.columns + r->cell[column]];
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

/* A constant, for as long as the load takes. NULL and "" leave it NULL. */
void put_word(struct rows *r, int column, const char *word);
/* Copied. */
void put_bytes(struct rows *r, int column, const char *bytes, size_t len);
/* Copied. NULL and "" leave it NULL. */
void put_text(struct rows *r, int column, const char *text);

#endif
