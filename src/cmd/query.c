/* SPDX-License-Identifier: MIT */
/*
 * trace query: one SELECT over a recording.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "cmd.h"
#include "database.h"
#include "render/table.h"
#include "util/log.h"
#include "util/options.h"
#include "util/text.h"

enum query_option_id { QUERY_SCHEMA = OPTION_LONG, QUERY_JSON, QUERY_CSV };

static const struct option_row query_rows[] = {
	{ .id = 'f',
	  .name = "file",
	  .argname = "FILE",
	  .help = "read the SELECT from FILE; '-': standard input" },
	{ .id = QUERY_SCHEMA, .name = "schema", .help = "print all tables and columns and end" },
	{ .id = QUERY_JSON, .name = "json", .help = "one JSON object a row" },
	{ .id = QUERY_CSV, .name = "csv", .help = "comma-separated values, names first" },
	{ .id = 'h', .name = "help", .help = "show this text and end" },
	{ 0 },
};

struct query_options {
	enum table_format format;
	bool schema, help;
	const char *sql_file; /* NULL: sql */
	const char *file, *sql;
	char *err;
	size_t err_size;
};

static int on_option(void *ctx, int id, const char *arg)
{
	struct query_options *o = ctx;

	switch (id) {
	case 'f':
		o->sql_file = arg;
		break;
	case QUERY_SCHEMA:
		o->schema = true;
		break;
	case QUERY_JSON:
		o->format = TABLE_JSON;
		break;
	case QUERY_CSV:
		o->format = TABLE_CSV;
		break;
	case 'h':
		o->help = true;
		break;
	}
	return 0;
}

static int on_operand(void *ctx, const char *arg)
{
	struct query_options *o = ctx;

	if (!o->file)
		o->file = arg;
	else if (!o->sql)
		o->sql = arg;
	else
		text_sentence(
			o->err, o->err_size,
			"one recording and one SELECT; '%s' is too many: put the SELECT in quotes",
			arg);
	return o->err[0] ? -EINVAL : 0;
}

static int check_operands(struct query_options *o)
{
	if (o->help || o->schema)
		return 0;
	if (!o->file)
		text_sentence(
			o->err, o->err_size,
			"which recording? trace query FILE 'SELECT ...'; --schema lists the tables");
	else if (!o->sql && !o->sql_file)
		text_sentence(
			o->err, o->err_size,
			"what shall be asked? trace query FILE 'SELECT ...'; --schema lists the "
			"tables");
	else if (o->sql && o->sql_file)
		text_sentence(o->err, o->err_size,
			      "the SELECT is on the command line or in the file of -f, not both");
	else if (o->sql_file && !strcmp(o->sql_file, "-") && !strcmp(o->file, "-"))
		text_sentence(o->err, o->err_size,
			      "the recording and the SELECT cannot both come from standard input");
	return o->err[0] ? -EINVAL : 0;
}

static int query_parse(struct query_options *o, int argc, char **argv)
{
	const struct arguments a = { .rows = query_rows,
				     .option = on_option,
				     .operand = on_operand,
				     .ctx = o,
				     .err = o->err,
				     .err_size = o->err_size };
	int ret = arguments_parse(&a, argc, argv);

	return ret ? ret : check_operands(o);
}

static int fail(const char *err)
{
	log_error("%s", err);
	return EXIT_TRACE;
}

static int on_columns(void *ctx, const char *const *names, size_t n)
{
	return table_columns(ctx, names, n);
}

static int on_row(void *ctx, const struct value *values, size_t n)
{
	return table_row(ctx, values, n);
}

/* A reader that went away is no failure. */
static int output_status(int err)
{
	if (!err || err == -EPIPE)
		return 0;
	log_error("cannot write the output: %s", strerror(-err));
	return EXIT_TRACE;
}

/* How rows are come by: ask_loaded(), or ask_along(). */
typedef int (*ask_fn)(struct query *q, const char *sql, const struct query_rows *rows, void *ctx, char *err,
		      size_t size);

static int answer(struct query *q, const char *sql, enum table_format format, ask_fn ask, void *ctx)
{
	struct table *t = table_new(stdout, format);
	const struct query_rows rows = { .columns = on_columns, .row = on_row, .ctx = t };
	char err[QUERY_ERROR] = "";
	int ret;

	if (!t)
		return fail("out of memory");
	ret = ask(q, sql, &rows, ctx, err, sizeof(err));
	if (!ret)
		ret = table_finish(t);
	table_free(t);
	return err[0] ? fail(err) : output_status(ret);
}

static int ask_loaded(struct query *q, const char *sql, const struct query_rows *rows, void *ctx, char *err,
		      size_t size)
{
	(void)ctx;
	return query_select(q, sql, rows, err, size);
}

static void warn_lost(const struct query *q)
{
	struct query_loaded l = query_loaded(q);

	if (l.lost)
		log_warn("%llu %s lost while recording, so rows are missing; table 'loss' says which "
			 "kinds",
			 (unsigned long long)l.lost, l.lost == 1 ? "event was" : "events were");
}

static int query_loaded_tables(struct query *q, struct recording *rec, const char *sql, enum table_format format)
{
	int status, said;
	bool usable;

	status = database_load(q, rec, "loaded", &usable);
	if (!usable)
		return status;
	warn_lost(q);
	said = answer(q, sql, format, ask_loaded, NULL);
	return status ? status : said;
}

/* A recording that is read as its rows are asked for. */
struct along {
	struct recording *rec;
	struct pipeline *p;
	int more; /* what recording_step() said last: 1, 0 at its end, negative errno */
};

static int along_pull(void *ctx)
{
	struct along *a = ctx;

	a->more = recording_step(a->rec, a->p);
	return a->more;
}

static int ask_along(struct query *q, const char *sql, const struct query_rows *rows, void *ctx, char *err,
		     size_t size)
{
	struct along *a = ctx;
	int ret = query_stream(q, sql, along_pull, a, rows, err, size);

	return a->more < 0 ? 0 : ret; /* what could be read is answered */
}

/* The rest of a recording is not read for those who have their rows. */
static int query_along(struct query *q, struct recording *rec, const char *sql, enum table_format format)
{
	struct along a = { .rec = rec, .p = pipeline_new(0), .more = 1 };
	int status, said;

	if (!a.p)
		return fail("out of memory");
	pipeline_view(a.p, &query_streamer, &(struct view){ .sink = q });
	said = answer(q, sql, format, ask_along, &a);
	if (!a.more)
		warn_lost(q);
	status = a.more > 0 ? 0 : recording_result(rec, a.p, a.more, "answered");
	pipeline_free(a.p);
	return status ? status : said;
}

/* What cannot be answered is refused before the recording is read. */
static int query_recording(const struct query_options *o, struct recording *rec, const char *sql)
{
	char err[QUERY_ERROR];
	struct query *q = query_new(NULL, err, sizeof(err));
	int status;

	if (!q || query_accepts(q, sql, err, sizeof(err)))
		status = fail(err);
	else if (query_streams(q, sql))
		status = query_along(q, rec, sql, o->format);
	else
		status = query_loaded_tables(q, rec, sql, o->format);
	query_free(q);
	return status;
}

static int query_file(const struct query_options *o)
{
	struct recording rec;
	char *text = NULL;
	int status = recording_open(&rec, o->file);

	if (!status && o->sql_file) {
		text = database_sql(o->sql_file);
		status = text ? 0 : EXIT_TRACE;
	}
	if (!status)
		status = query_recording(o, &rec, text ? text : o->sql);
	free(text);
	recording_close(&rec);
	return status;
}

static int print_schema(void)
{
	struct buf b = { 0 };

	query_schema(&b);
	if (b.err)
		return fail("out of memory");
	fputs(b.data, stdout);
	buf_free(&b);
	return 0;
}

int cmd_query(int argc, char **argv)
{
	char err[512] = "";
	struct query_options o = { .err = err, .err_size = sizeof(err) };

	if (query_parse(&o, argc, argv))
		return fail(err);
	if (o.help) {
		fputs("Usage: trace query [OPTIONS] FILE 'SELECT ...'\n"
		      "       trace query [OPTIONS] FILE -f SQLFILE\n"
		      "       trace query --schema\n\n"
		      "Ask a recording ('-': standard input) in SQL. Nothing is changed by it.\n\n",
		      stdout);
		options_help(stdout, query_rows);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN); /* a pager that was left is no failure */
	return o.schema ? print_schema() : query_file(&o);
}
