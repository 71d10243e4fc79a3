/* SPDX-License-Identifier: MIT */
/*
 * A thread that writes rows into the database while the next ones are gathered: of the time a load
 * takes, SQLite's part is the larger. From writer_new() to writer_end() the statements and the
 * database are the thread's alone.
 */
#ifndef SOCKLENS_QUERY_WRITER_H
#define SOCKLENS_QUERY_WRITER_H

#include <linux/types.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#define BATCH_ROWS 16
#define BATCH_TEXT 65536 /* bytes of copied text in a batch */
#define BATCHES 24	 /* a table has at most, waiting ones included */
#define BATCH_ROWS_TAKEN 256 /* of one that is not written */

struct cell {
	const char *text; /* NULL: num */
	__s64 num;	  /* of a text: its bytes */
	bool set;
};

/* The statements of a table: for one row, and for BATCH_ROWS. Without them: for rows_take(). */
struct inserts {
	sqlite3_stmt *one, *batch;
	size_t columns; /* cells of a row */
	unsigned int rows; /* of a batch that is full */
};

/* Rows of one table. */
struct batch {
	struct batch *next;
	const struct inserts *into;
	struct batch **home; /* where it goes when it is written */
	struct cell *cells;  /* row by row */
	unsigned int n;	     /* rows */
	char *text;	     /* what was copied */
	size_t text_len;
};

struct batch *batch_new(const struct inserts *into, struct batch **home); /* NULL: out of memory */
void batch_free(struct batch *b);					  /* NULL is accepted */

struct writer;
struct writer *writer_new(void); /* NULL: no thread to be had */
/* Take one from this list, wait if it is empty: some of its batches are on their way. */
struct batch *writer_take(struct writer *w, struct batch **home);
/* Have it written; it goes home then. 0, or the first error of any before: negative errno. */
int writer_put(struct writer *w, struct batch *b);
/* Wait for all to be written, and end the thread. 0 or the first error. NULL is accepted. */
int writer_end(struct writer *w);

#endif
