/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../util/buf.h"

static sqlite3_stmt *prepare(sqlite3 *db, enum table_id table, unsigned int rows)
{
	sqlite3_stmt *st = NULL;
	struct buf b = { 0 };

	schema_insert(&b, table, rows);
	if (!b.err)
		sqlite3_prepare_v3(db, b.data, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
	buf_free(&b);
	return st;
}

static bool rows_make(struct rows *r, unsigned int batches)
{
	struct batch *b;
	unsigned int i;

	for (i = 0; i < batches; i++) {
		b = batch_new(&r->into, &r->home);
		if (!b)
			return false;
		b->next = r->home;
		r->home = b;
	}
	r->b = r->home;
	r->home = r->b->next;
	return true;
}

static struct rows *rows_alloc(enum table_id table, unsigned int rows)
{
	struct rows *r = calloc(1, sizeof(*r));

	assert(schema_table(table)->n <= COLUMNS_MAX);
	if (!r)
		return NULL;
	r->full_end = &r->full;
	r->into.rows = rows;
	return r;
}

struct rows *rows_new_to_take(enum table_id table, __u64 wanted)
{
	struct rows *r = rows_alloc(table, BATCH_ROWS_TAKEN);
	unsigned int cells = 0;
	size_t i;

	if (!r)
		return NULL;
	for (i = 0; i < schema_table(table)->n; i++)
		r->cell[i] = wanted >> i & 1 ? cells++ : COLUMNS_MAX;
	for (i = 0; i < schema_table(table)->n; i++)
		if (r->cell[i] == COLUMNS_MAX)
			r->cell[i] = cells;
	r->into.columns = cells + 1;
	if (rows_make(r, 1))
		return r;
	rows_free(r);
	return NULL;
}

struct rows *rows_new(sqlite3 *db, enum table_id table, struct writer *w)
{
	struct rows *r = rows_alloc(table, BATCH_ROWS);
	size_t i;

	if (!r)
		return NULL;
	r->into.columns = schema_table(table)->n;
	for (i = 0; i < r->into.columns; i++)
		r->cell[i] = (unsigned int)i;
	r->writer = w;
	r->into.one = prepare(db, table, 1);
	r->into.batch = prepare(db, table, BATCH_ROWS);
	if (r->into.one && r->into.batch && rows_make(r, BATCHES))
		return r;
	rows_free(r);
	return NULL;
}

static void batches_free(struct batch *b)
{
	struct batch *next;

	for (; b; b = next) {
		next = b->next;
		batch_free(b);
	}
}

void rows_free(struct rows *r)
{
	if (!r)
		return;
	batches_free(r->home);
	batches_free(r->full);
	batch_free(r->b);
	sqlite3_finalize(r->into.one);
	sqlite3_finalize(r->into.batch);
	free(r);
}

struct batch *rows_take(struct rows *r)
{
	struct batch *b = r->full;

	if (!b)
		return NULL;
	r->full = b->next;
	if (!r->full)
		r->full_end = &r->full;
	b->next = NULL;
	return b;
}

void rows_give_back(struct rows *r, struct batch *b)
{
	if (!b)
		return;
	b->n = 0;
	b->text_len = 0;
	b->next = r->home;
	r->home = b;
}

/* As many as one frame makes may lie ready. */
static int rows_lay_ready(struct rows *r)
{
	struct batch *empty = r->home ? r->home : batch_new(&r->into, &r->home);

	if (!empty)
		return -ENOMEM;
	if (empty == r->home)
		r->home = empty->next;
	r->b->next = NULL;
	*r->full_end = r->b;
	r->full_end = &r->b->next;
	r->b = empty;
	return 0;
}

int rows_flush(struct rows *r)
{
	int err;

	if (!r->b->n)
		return r->err;
	if (!r->writer)
		return rows_lay_ready(r);
	err = writer_put(r->writer, r->b);
	r->err = r->err ? r->err : err;
	r->b = writer_take(r->writer, &r->home);
	return r->err;
}

void rows_start(struct rows *r)
{
	if (r->b->n && BATCH_TEXT - r->b->text_len < ROWS_TEXT_ROW)
		rows_flush(r);
	memset(&r->b->cells[r->b->n * r->into.columns], 0, r->into.columns * sizeof(*r->b->cells));
}

int rows_end(struct rows *r)
{
	return ++r->b->n == r->into.rows || r->err ? rows_flush(r) : 0;
}

void put_word(struct rows *r, int column, const char *word)
{
	if (word && *word)
		*rows_cell(r, column) = (struct cell){ word, (__s64)strlen(word), true };
}

/* The cell of what nobody asks for, where there is one, is behind all others. */
static bool is_unwanted(const struct rows *r, int column)
{
	return !r->writer && r->cell[column] == r->into.columns - 1;
}

void put_bytes(struct rows *r, int column, const char *bytes, size_t len)
{
	char *copy = r->b->text + r->b->text_len;

	if (is_unwanted(r, column))
		return;
	if (len > BATCH_TEXT - r->b->text_len)
		len = BATCH_TEXT - r->b->text_len;
	memcpy(copy, bytes, len);
	r->b->text_len += len;
	*rows_cell(r, column) = (struct cell){ copy, (__s64)len, true };
}

void put_text(struct rows *r, int column, const char *text)
{
	if (text && *text)
		put_bytes(r, column, text, strlen(text));
}
