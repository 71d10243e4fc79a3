/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"

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

struct rows *rows_new(sqlite3 *db, enum table_id table)
{
	struct rows *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->columns = schema_table(table)->n;
	r->cells = calloc(ROWS_BATCH * r->columns, sizeof(*r->cells));
	r->text = malloc(ROWS_TEXT);
	r->one = prepare(db, table, 1);
	r->batch = prepare(db, table, ROWS_BATCH);
	if (r->cells && r->text && r->one && r->batch)
		return r;
	rows_free(r);
	return NULL;
}

void rows_free(struct rows *r)
{
	if (!r)
		return;
	sqlite3_finalize(r->one);
	sqlite3_finalize(r->batch);
	free(r->cells);
	free(r->text);
	free(r);
}

static void bind(sqlite3_stmt *st, const struct cell *cells, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!cells[i].set)
			continue;
		if (cells[i].text)
			sqlite3_bind_text(st, (int)i + 1, cells[i].text, (int)cells[i].num,
					  SQLITE_STATIC);
		else
			sqlite3_bind_int64(st, (int)i + 1, cells[i].num);
	}
}

static int run(struct rows *r, sqlite3_stmt *st, size_t first, unsigned int rows)
{
	sqlite3_clear_bindings(st);
	bind(st, r->cells + first * r->columns, rows * r->columns);
	sqlite3_step(st);
	return db_errno(sqlite3_reset(st));
}

int rows_flush(struct rows *r)
{
	unsigned int i;

	if (r->n == ROWS_BATCH)
		r->err = run(r, r->batch, 0, ROWS_BATCH);
	for (i = 0; !r->err && r->n < ROWS_BATCH && i < r->n; i++)
		r->err = run(r, r->one, i, 1);
	r->n = 0;
	r->text_len = 0;
	return r->err;
}

void rows_start(struct rows *r)
{
	if (r->n && ROWS_TEXT - r->text_len < ROWS_TEXT_ROW)
		rows_flush(r);
	memset(rows_cell(r, 0), 0, r->columns * sizeof(*r->cells));
}

int rows_end(struct rows *r)
{
	r->n++;
	return r->n == ROWS_BATCH || r->err ? rows_flush(r) : 0;
}

void put_word(struct rows *r, int column, const char *word)
{
	if (word && *word)
		*rows_cell(r, column) = (struct cell){ word, (__s64)strlen(word), true };
}

void put_bytes(struct rows *r, int column, const char *bytes, size_t len)
{
	char *copy = r->text + r->text_len;

	if (len > ROWS_TEXT - r->text_len)
		len = ROWS_TEXT - r->text_len;
	memcpy(copy, bytes, len);
	r->text_len += len;
	*rows_cell(r, column) = (struct cell){ copy, (__s64)len, true };
}

void put_text(struct rows *r, int column, const char *text)
{
	if (text && *text)
		put_bytes(r, column, text, strlen(text));
}
