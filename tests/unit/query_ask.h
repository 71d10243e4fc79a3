/* SPDX-License-Identifier: MIT */
/* A database to ask in tests: answers as text, rows joined by '\n', columns by '|', NULL is "-". */
#ifndef SOCKLENS_TESTS_QUERY_ASK_H
#define SOCKLENS_TESTS_QUERY_ASK_H

#include <stdio.h>
#include <string.h>

#include "query/query.h"

#define ANSWER_MAX 8192

struct answer {
	char text[ANSWER_MAX];
	size_t len;
	char err[QUERY_ERROR];
};

static inline void answer_add(struct answer *a, const char *bytes, size_t len)
{
	if (a->len + len >= sizeof(a->text))
		len = sizeof(a->text) - 1 - a->len;
	memcpy(a->text + a->len, bytes, len);
	a->len += len;
	a->text[a->len] = '\0';
}

static inline int answer_columns(void *ctx, const char *const *names, size_t n)
{
	(void)ctx;
	(void)names;
	return n ? 0 : -1;
}

static inline void answer_value(struct answer *a, const struct value *v)
{
	char number[64];

	if (v->type == VALUE_TEXT || v->type == VALUE_BLOB) {
		answer_add(a, v->bytes, v->len);
		return;
	}
	if (v->type == VALUE_INT)
		snprintf(number, sizeof(number), "%lld", v->num);
	else if (v->type == VALUE_REAL)
		snprintf(number, sizeof(number), "%g", v->real);
	else
		snprintf(number, sizeof(number), "-");
	answer_add(a, number, strlen(number));
}

static inline int answer_row(void *ctx, const struct value *values, size_t n)
{
	struct answer *a = ctx;
	size_t i;

	if (a->len)
		answer_add(a, "\n", 1);
	for (i = 0; i < n; i++) {
		if (i)
			answer_add(a, "|", 1);
		answer_value(a, &values[i]);
	}
	return 0;
}

/* The answer, or "error: ..." */
static inline const char *ask(struct query *q, struct answer *a, const char *sql)
{
	const struct query_rows rows = { answer_columns, answer_row, a };

	a->len = 0;
	a->text[0] = '\0';
	a->err[0] = '\0';
	if (query_select(q, sql, &rows, a->err, sizeof(a->err)))
		snprintf(a->text, sizeof(a->text), "error: %s", a->err);
	return a->text;
}

static inline struct query *query_empty(void)
{
	char err[QUERY_ERROR];

	return query_new(NULL, err, sizeof(err));
}

static const struct session_meta ask_meta = {
	.start_boot_ns = 1000,
	.start_unix_ns = 7,
	.kernel = "6.1",
	.backend = "fentry",
	.version = "1",
	.scope = "all",
};

static inline struct render *load_begin(struct query *q)
{
	return query_loader.open(&(struct view){ .sink = q }, &ask_meta);
}

static inline int load_end(struct render *r, const struct frame_loss *total)
{
	int err = query_loader.finish(r, total, true);

	query_loader.close(r);
	return err;
}

#endif
