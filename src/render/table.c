/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../util/buf.h"
#include "../util/utf8.h"
#include "json.h"

struct column {
	char *name;
	size_t width;
	bool text; /* holds something that is no number: aligned to the left */
};

struct table {
	FILE *out;
	enum table_format format;
	struct column *columns;
	size_t n;
	bool drawn;   /* the widths are settled */
	char **cells; /* of the rows held back, row by row */
	size_t rows, bytes;
	struct buf buf; /* a cell, or a row */
	struct json json;
};

struct table *table_new(FILE *out, enum table_format format)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->out = out;
	t->format = format;
	return t;
}

static void forget_rows(struct table *t)
{
	size_t i;

	for (i = 0; i < t->rows * t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	t->cells = NULL;
	t->rows = 0;
}

void table_free(struct table *t)
{
	size_t i;

	if (!t)
		return;
	forget_rows(t);
	for (i = 0; i < t->n; i++)
		free(t->columns[i].name);
	free(t->columns);
	buf_free(&t->buf);
	json_free(&t->json);
	free(t);
}

static int write_out(struct table *t, const char *data, size_t len)
{
	errno = 0;
	if (fwrite(data, 1, len, t->out) == len)
		return 0;
	return errno ? -errno : -EIO;
}

/* --- values as text --- */

static void add_blob(struct buf *b, const struct value *v)
{
	size_t i;

	for (i = 0; i < v->len; i++)
		buf_printf(b, "%02x", (unsigned char)v->bytes[i]);
}

/* kept: control characters that may stay. NULL is nothing. */
static void add_value(struct buf *b, const struct value *v, const char *kept)
{
	switch (v->type) {
	case VALUE_NULL:
		break;
	case VALUE_INT:
		buf_s64(b, v->num);
		break;
	case VALUE_REAL:
		buf_printf(b, "%.15g", v->real);
		break;
	case VALUE_TEXT:
		utf8_show(b, v->bytes, v->len, kept);
		break;
	case VALUE_BLOB:
		add_blob(b, v);
		break;
	}
}

/* --- text in columns --- */

/* Columns on the screen, of what add_text() has made. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void widen(struct column *c, const char *text)
{
	size_t width = text_width(text);

	if (width > c->width)
		c->width = width;
}

static void add_cell(struct table *t, const struct column *c, const char *text)
{
	size_t width = text_width(text);
	int pad = width < c->width ? (int)(c->width - width) : 0;

	if (c->text)
		buf_printf(&t->buf, "%s%*s", text, pad, "");
	else
		buf_printf(&t->buf, "%*s%s", pad, "", text);
}

/* Ends the row in buf: without blanks at its end. */
static int end_line(struct table *t)
{
	while (t->buf.len && t->buf.data[t->buf.len - 1] == ' ')
		t->buf.len--;
	buf_add(&t->buf, "\n", 1);
	return t->buf.err ? t->buf.err : write_out(t, t->buf.data, t->buf.len);
}

static int draw_line(struct table *t, char **cells)
{
	size_t i;

	buf_reset(&t->buf);
	for (i = 0; i < t->n; i++) {
		if (i)
			buf_puts(&t->buf, "  ");
		add_cell(t, &t->columns[i], cells ? cells[i] : t->columns[i].name);
	}
	return end_line(t);
}

/* Widths are settled: the names, and all that was held back. */
static int draw(struct table *t)
{
	size_t i;
	int err;

	t->drawn = true;
	err = t->n ? draw_line(t, NULL) : 0;
	for (i = 0; !err && i < t->rows; i++)
		err = draw_line(t, t->cells + i * t->n);
	forget_rows(t);
	return err;
}

static char *value_text(struct table *t, const struct value *v)
{
	buf_reset(&t->buf);
	add_value(&t->buf, v, "");
	return t->buf.err ? NULL : strdup(t->buf.data ? t->buf.data : "");
}

static void free_cells(char **cells, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(cells[i]);
}

static int fill_cells(struct table *t, char **cells, const struct value *values)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		cells[i] = value_text(t, &values[i]);
		if (!cells[i]) {
			free_cells(cells, i);
			return -ENOMEM;
		}
	}
	return 0;
}

static int hold_row(struct table *t, const struct value *values)
{
	char **cells = realloc(t->cells, (t->rows + 1) * t->n * sizeof(*cells));
	size_t i;
	int err;

	if (!cells)
		return -ENOMEM;
	t->cells = cells;
	cells += t->rows * t->n;
	err = fill_cells(t, cells, values);
	if (err)
		return err;
	t->rows++;
	for (i = 0; i < t->n; i++) {
		widen(&t->columns[i], cells[i]);
		t->columns[i].text |= values[i].type == VALUE_TEXT || values[i].type == VALUE_BLOB;
		t->bytes += strlen(cells[i]);
	}
	return t->rows == TABLE_SAMPLE || t->bytes >= TABLE_SAMPLE_BYTES ? draw(t) : 0;
}

static int draw_row(struct table *t, const struct value *values)
{
	char **cells = calloc(t->n, sizeof(*cells));
	int err = cells ? fill_cells(t, cells, values) : -ENOMEM;

	if (!err) {
		err = draw_line(t, cells);
		free_cells(cells, t->n);
	}
	free(cells);
	return err;
}

/* --- CSV --- */

/* The text of a row from `from` on becomes a quoted cell. */
static void quote_csv(struct buf *b, size_t from)
{
	char *cell = strdup(b->data + from), *at, *quote;

	if (!cell) {
		b->err = -ENOMEM;
		return;
	}
	b->len = from;
	buf_puts(b, "\"");
	for (at = cell; (quote = strchr(at, '"')); at = quote + 1) {
		buf_add(b, at, (size_t)(quote - at));
		buf_puts(b, "\"\"");
	}
	buf_puts(b, at);
	buf_puts(b, "\"");
	free(cell);
}

static void add_csv(struct buf *b, const struct value *v)
{
	size_t from = b->len;

	add_value(b, v, "\t\n");
	if (v->type != VALUE_INT && !b->err && b->data && b->data[from + strcspn(b->data + from, ",\"\r\n")])
		quote_csv(b, from);
}

static int csv_row(struct table *t, const struct value *values)
{
	size_t i;

	buf_reset(&t->buf);
	for (i = 0; i < t->n; i++) {
		if (i)
			buf_puts(&t->buf, ",");
		add_csv(&t->buf, &values[i]);
	}
	buf_puts(&t->buf, "\r\n");
	return t->buf.err ? t->buf.err : write_out(t, t->buf.data, t->buf.len);
}

static int csv_names(struct table *t)
{
	struct value *names = calloc(t->n, sizeof(*names));
	size_t i;
	int err;

	if (!names)
		return -ENOMEM;
	for (i = 0; i < t->n; i++)
		names[i] = (struct value){ .type = VALUE_TEXT,
					   .bytes = t->columns[i].name,
					   .len = strlen(t->columns[i].name) };
	err = csv_row(t, names);
	free(names);
	return err;
}

/* --- JSON --- */

static bool is_taken(const struct table *t, size_t before, const char *name)
{
	size_t i;

	for (i = 0; i < before; i++)
		if (!strcmp(t->columns[i].name, name))
			return true;
	return false;
}

/* The bytes of a text that is no UTF-8 stand in KEY_hex, unless a column has this name. */
static int add_json_text(struct table *t, const char *key, const struct value *v)
{
	char *hex;
	bool taken;

	if (utf8_valid(v->bytes, v->len)) {
		json_bytes(&t->json, key, v->bytes, v->len);
		return 0;
	}
	if (asprintf(&hex, "%s_hex", key) < 0)
		return -ENOMEM;
	taken = is_taken(t, t->n, hex);
	free(hex);
	(taken ? json_bytes : json_foreign)(&t->json, key, v->bytes, v->len);
	return 0;
}

static int add_json(struct table *t, const char *key, const struct value *v)
{
	struct json *j = &t->json;
	struct buf hex = { 0 };

	switch (v->type) {
	case VALUE_NULL:
		json_null(j, key);
		break;
	case VALUE_INT:
		json_s64(j, key, v->num);
		break;
	case VALUE_REAL:
		json_real(j, key, v->real);
		break;
	case VALUE_TEXT:
		return add_json_text(t, key, v);
	case VALUE_BLOB:
		add_blob(&hex, v);
		json_bytes(j, key, hex.data, hex.len);
		buf_free(&hex);
		break;
	}
	return 0;
}

static int json_row(struct table *t, const struct value *values)
{
	struct json *j = &t->json;
	int err = 0;
	size_t i;

	json_reset(j);
	json_object(j, NULL);
	for (i = 0; !err && i < t->n; i++)
		err = add_json(t, t->columns[i].name, &values[i]);
	if (err)
		return err;
	json_end_object(j);
	buf_add(&j->buf, "\n", 1);
	return j->buf.err ? j->buf.err : write_out(t, j->buf.data, j->buf.len);
}

/* An object has each key once: the second "id" is "id_2". */
static char *own_name(const struct table *t, size_t at, const char *name)
{
	unsigned int number = 2;
	char *own = strdup(name);

	while (own && t->format == TABLE_JSON && is_taken(t, at, own)) {
		free(own);
		if (asprintf(&own, "%s_%u", name, number++) < 0)
			own = NULL;
	}
	return own;
}

/* Names may hold anything, as values do. */
static int set_name(struct table *t, size_t at, const char *name)
{
	struct column *c = &t->columns[at];

	buf_reset(&t->buf);
	if (t->format == TABLE_TEXT)
		utf8_show(&t->buf, name, strlen(name), "");
	else
		buf_puts(&t->buf, name);
	c->name = t->buf.err ? NULL : own_name(t, at, t->buf.data ? t->buf.data : "");
	if (!c->name)
		return -ENOMEM;
	widen(c, c->name);
	return 0;
}

int table_columns(struct table *t, const char *const *names, size_t n)
{
	int err = 0;

	t->columns = calloc(n, sizeof(*t->columns));
	if (!t->columns)
		return -ENOMEM;
	for (t->n = 0; !err && t->n < n; t->n++)
		err = set_name(t, t->n, names[t->n]);
	if (err)
		return err;
	return t->format == TABLE_CSV ? csv_names(t) : 0;
}

int table_row(struct table *t, const struct value *values, size_t n)
{
	if (n != t->n)
		return -EINVAL;
	switch (t->format) {
	case TABLE_TEXT:
		return t->drawn ? draw_row(t, values) : hold_row(t, values);
	case TABLE_CSV:
		return csv_row(t, values);
	case TABLE_JSON:
		return json_row(t, values);
	}
	return -EINVAL;
}

int table_finish(struct table *t)
{
	int err = t->format == TABLE_TEXT && !t->drawn ? draw(t) : 0;

	if (err)
		return err;
	errno = 0;
	return fflush(t->out) ? (errno ? -errno : -EIO) : 0;
}
