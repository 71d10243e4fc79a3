/* SPDX-License-Identifier: MIT */
/*
 * Rows of a query as text in columns, as CSV (RFC 4180) or as JSON, one object a line. Control
 * characters and bytes that are no UTF-8 come out as \xNN, in JSON as it escapes them, so that no
 * value can steer a terminal.
 *
 * Text in columns needs to know its widths: they are those of the first TABLE_SAMPLE rows, which are
 * held back until then, at most TABLE_SAMPLE_BYTES of them. A later value that is wider moves the
 * rest of its row.
 */
#ifndef SOCKLENS_RENDER_TABLE_H
#define SOCKLENS_RENDER_TABLE_H

#include <stdio.h>

#include "../util/value.h"

#define TABLE_SAMPLE 1000	     /* rows */
#define TABLE_SAMPLE_BYTES (4 << 20) /* about */

enum table_format { TABLE_TEXT = 0, TABLE_CSV = 1, TABLE_JSON = 2 };

struct table;

struct table *table_new(FILE *out, enum table_format format); /* NULL: out of memory */
void table_free(struct table *t);			      /* NULL is accepted */

/* All return 0 or a negative errno. Columns once, before rows and finish. Names are copied. */
int table_columns(struct table *t, const char *const *names, size_t n);
int table_row(struct table *t, const struct value *values, size_t n);
int table_finish(struct table *t);

#endif
