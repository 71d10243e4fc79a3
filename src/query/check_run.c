/* SPDX-License-Identifier: MIT */
/*
 * One check: never a pass unless its SELECT said so in so many words.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../util/text.h"
#include "../util/utf8.h"
#include "checks.h"
#include "db.h"

#define NAME_SHOWN 60 /* bytes of a check's name, in a sentence on it */

/* A check being run. */
struct run {
	struct query *q;
	const struct check *check;
	sqlite3_stmt *st;
	struct check_result *result;
	int pass, evidence; /* columns, -1 = there is none */
	char *err;
	size_t err_size;
};

static int complain(const struct run *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int complain(const struct run *r, const char *format, ...)
{
	const char *name = r->check->name;
	char *what;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&what, format, args);
	va_end(args);
	if (len < 0)
		return -ENOMEM;
	text_sentence(r->err, r->err_size, "check '%.*s' %s", (int)utf8_cut(name, NAME_SHOWN), name,
		      what);
	free(what);
	return -EINVAL;
}

static int column_named(sqlite3_stmt *st, const char *name, size_t len)
{
	int i, n = sqlite3_column_count(st);
	const char *column;

	for (i = 0; i < n; i++) {
		column = sqlite3_column_name(st, i);
		if (column && strlen(column) == len && !strncasecmp(column, name, len))
			return i;
	}
	return -1;
}

/* "{name}" at text: its length without the braces, 0: it is none. */
static size_t placeholder(const char *text)
{
	size_t len = 0;

	if (*text != '{')
		return 0;
	while (isalnum((unsigned char)text[1 + len]) || text[1 + len] == '_')
		len++;
	return text[1 + len] == '}' ? len : 0;
}

static int check_sentence(const struct run *r, const char *text)
{
	size_t len;

	for (; *text; text++) {
		len = placeholder(text);
		if (len && column_named(r->st, text + 1, len) < 0)
			return complain(r,
					"speaks of {%.*s}, and its SELECT has no such column; add "
					"'... AS %.*s'",
					(int)len, text + 1, (int)len, text + 1);
	}
	return 0;
}

static int prepare(struct run *r)
{
	char why[QUERY_ERROR];
	int ret;

	if (db_prepare(r->q, r->check->sql, &r->st, why, sizeof(why)))
		return complain(r, "cannot be run: %s", why);
	r->pass = column_named(r->st, "pass", 4);
	r->evidence = column_named(r->st, "evidence", 8);
	if (r->pass < 0)
		return complain(r, "yields no column 'pass'; say which value decides: "
				   "SELECT ... AS pass");
	ret = check_sentence(r, r->check->sentence[0]);
	return ret ? ret : check_sentence(r, r->check->sentence[1]);
}

int check_accepts(struct query *q, const struct check *c, char *err, size_t size)
{
	struct run r = { .q = q, .check = c, .err = err, .err_size = size };
	int ret = prepare(&r);

	sqlite3_finalize(r.st);
	return ret;
}

/* --- the first row --- */

static void add_value(struct buf *b, sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	buf_puts(b, text ? text : "nothing");
}

static int fill_sentence(struct run *r, const char *text)
{
	struct buf b = { 0 };
	size_t len;

	for (; *text; text += len) {
		len = placeholder(text);
		if (len) {
			add_value(&b, r->st, column_named(r->st, text + 1, len));
			len += 2;
		} else {
			len = 1;
			buf_add(&b, text, 1);
		}
	}
	r->result->sentence = strdup(b.data ? b.data : "");
	buf_free(&b);
	return b.err || !r->result->sentence ? -ENOMEM : 0;
}

static int decide(struct run *r)
{
	const char *text;

	if (sqlite3_column_type(r->st, r->pass) == SQLITE_INTEGER &&
	    sqlite3_column_int64(r->st, r->pass) >= 0 &&
	    sqlite3_column_int64(r->st, r->pass) <= 1) {
		r->result->passed = sqlite3_column_int64(r->st, r->pass) == 1;
		return fill_sentence(r, r->check->sentence[r->result->passed]);
	}
	text = (const char *)sqlite3_column_text(r->st, r->pass);
	return complain(r, "decides nothing: 'pass' must be 1 or 0, and is %.40s",
			text ? text : "NULL");
}

/* --- evidence --- */

static int add_id(struct run *r, long long id)
{
	struct check_result *c = r->result;
	__u64 *more;

	if (id <= 0)
		return complain(r, "names event %lld as evidence; ids begin with 1", id);
	if (c->n && !(c->n & (c->n - 1))) { /* grow at powers of two */
		more = realloc(c->evidence, 2 * c->n * sizeof(*more));
		if (!more)
			return -ENOMEM;
		c->evidence = more;
	} else if (!c->n) {
		c->evidence = malloc(sizeof(*c->evidence));
		if (!c->evidence)
			return -ENOMEM;
	}
	c->evidence[c->n++] = (__u64)id;
	return 0;
}

/* "12, 13": numbers and nothing else, joined by commas or blanks. */
static int add_list(struct run *r, const char *text)
{
	long long id;
	char *end;
	int ret = 0;

	for (; !ret; text = end) {
		text += strspn(text, ", \t\n");
		if (!*text)
			return 0;
		errno = 0;
		id = strtoll(text, &end, 10);
		if (end == text || errno || (*end && !strchr(", \t\n", *end)))
			return complain(r,
					"has evidence '%.40s'; it is an id of event, or ids joined "
					"by commas",
					text);
		ret = add_id(r, id);
	}
	return ret;
}

static int add_evidence(struct run *r)
{
	const char *text;

	if (r->evidence < 0)
		return 0;
	switch (sqlite3_column_type(r->st, r->evidence)) {
	case SQLITE_NULL:
		return 0;
	case SQLITE_INTEGER:
		return add_id(r, sqlite3_column_int64(r->st, r->evidence));
	default:
		text = (const char *)sqlite3_column_text(r->st, r->evidence);
		return text ? add_list(r, text) : -ENOMEM;
	}
}

static int by_id(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static void sort_evidence(struct check_result *c)
{
	size_t i, n = 0;

	if (c->n)
		qsort(c->evidence, c->n, sizeof(*c->evidence), by_id);
	for (i = 0; i < c->n; i++)
		if (!i || c->evidence[i] != c->evidence[n - 1])
			c->evidence[n++] = c->evidence[i];
	c->n = n;
}

/* A proof by an event that never was proves nothing. */
static int events_exist(struct run *r)
{
	const struct check_result *c = r->result;
	sqlite3_stmt *st = NULL;
	size_t i;
	int ret = 0;

	if (sqlite3_prepare_v2(r->q->db, "SELECT 1 FROM event WHERE id = ?", -1, &st, NULL))
		return -ENOMEM;
	for (i = 0; !ret && i < c->n; i++) {
		sqlite3_bind_int64(st, 1, (sqlite3_int64)c->evidence[i]);
		if (sqlite3_step(st) != SQLITE_ROW)
			ret = complain(r,
				       "names event %llu as evidence, which the recording does not "
				       "have",
				       (unsigned long long)c->evidence[i]);
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	return ret;
}

static int next_row(struct run *r)
{
	char why[QUERY_ERROR];
	int ret = db_next(r->q, r->st, why, sizeof(why));

	return ret < 0 ? complain(r, "cannot be run: %s", why) : ret;
}

static int run(struct run *r)
{
	int more, ret = prepare(r);

	if (ret)
		return ret;
	more = next_row(r);
	if (!more)
		return complain(r, "yields no row, so it decides nothing; let its SELECT always "
				   "yield one, as count(*) does");
	if (more > 0)
		ret = decide(r);
	while (!ret && more > 0) {
		ret = add_evidence(r);
		if (!ret)
			more = next_row(r);
	}
	if (ret || more < 0)
		return ret ? ret : more;
	sort_evidence(r->result);
	return events_exist(r);
}

int check_run(struct query *q, const struct check *c, struct check_result *result, char *err,
	      size_t size)
{
	struct run r = { .q = q, .check = c, .result = result, .err = err, .err_size = size };
	int ret;

	*result = (struct check_result){ 0 };
	ret = run(&r);
	sqlite3_finalize(r.st);
	if (ret)
		check_result_free(result);
	return ret;
}

void check_result_free(struct check_result *r)
{
	free(r->sentence);
	free(r->evidence);
	*r = (struct check_result){ 0 };
}
