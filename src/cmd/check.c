/* SPDX-License-Identifier: MIT */
/*
 * trace check: a file of named checks on a recording. Two passes: the first loads the tables that
 * the checks ask, the second finds the lines of the events they name.
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
#include "evidence.h"
#include "query/checks.h"
#include "render/color.h"
#include "render/json.h"
#include "render/step_line.h"
#include "util/log.h"
#include "util/text.h"
#include "util/utf8.h"
#include "util/wrap.h"
#include "util/written.h"
#include "view.h"

#define EXIT_CHECK_FAILED 1
#define EXIT_CHECK_AGAIN 2
#define LINES_ENDS 4 /* of a check's evidence: the first and the last that are printed */
#define LINES_INDENT 9

static const struct option_row check_rows[] = {
	{ .id = VIEW_JSON, .name = "json", .help = "one JSON object a check" },
	{ .id = VIEW_COLOR,
	  .name = "color",
	  .argname = "WHEN",
	  .help = "auto, always or never; auto honours NO_COLOR" },
	{ .id = VIEW_WIDTH,
	  .name = "width",
	  .argname = "N",
	  .help = "columns, instead of the terminal's" },
	{ .id = 'h', .name = "help", .help = "show this text and end" },
	{ 0 },
};

struct check_options {
	struct view_options view;
	bool help;
	const char *file, *checks;
	char *err;
	size_t err_size;
};

enum outcome { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_ERROR, OUTCOME_AGAIN, OUTCOMES };

struct outcome_row {
	const char *word, *json;
	enum style style;
};

static const struct outcome_row outcomes[OUTCOMES] = {
	[OUTCOME_PASS] = { "pass ", "pass", STYLE_LEVEL },
	[OUTCOME_FAIL] = { "FAIL ", "fail", STYLE_ALARM },
	[OUTCOME_ERROR] = { "ERROR", "error", STYLE_ALARM },
	[OUTCOME_AGAIN] = { "AGAIN", "again", STYLE_WARN },
};

/* All that is printed. */
struct report {
	const struct checks *checks;
	struct check_result *results; /* of the same index */
	enum outcome *outcomes;
	size_t count[OUTCOMES];
	char why_again[160];
	struct evidence evidence;
	struct view view;
	bool json;
};

static int fail(const char *err)
{
	log_error("%s", err);
	return EXIT_TRACE;
}

/* --- the command line --- */

static int on_option(void *ctx, int id, const char *arg)
{
	struct check_options *o = ctx;

	if (id != 'h')
		return view_option(&o->view, id, arg, o->err, o->err_size);
	o->help = true;
	return 0;
}

static int on_operand(void *ctx, const char *arg)
{
	struct check_options *o = ctx;

	if (!o->file)
		o->file = arg;
	else if (!o->checks)
		o->checks = arg;
	else
		text_sentence(o->err, o->err_size,
			      "one recording and one file of checks; '%s' is too many", arg);
	return o->err[0] ? -EINVAL : 0;
}

static int check_operands(struct check_options *o)
{
	if (o->help)
		return 0;
	if (!o->checks)
		text_sentence(
			o->err, o->err_size,
			"which %s? trace check FILE CHECKS.sql; trace(8) says what is in them",
			o->file ? "checks" : "recording");
	else if (!strcmp(o->file, "-") && !strcmp(o->checks, "-"))
		text_sentence(o->err, o->err_size,
			      "the recording and the checks cannot both come from standard input");
	return o->err[0] ? -EINVAL : 0;
}

static int check_parse(struct check_options *o, int argc, char **argv)
{
	const struct arguments a = { .rows = check_rows,
				     .option = on_option,
				     .operand = on_operand,
				     .ctx = o,
				     .err = o->err,
				     .err_size = o->err_size };
	int ret = arguments_parse(&a, argc, argv);

	return ret ? ret : check_operands(o);
}

/* --- running --- */

static void set_outcome(struct report *r, size_t i, enum outcome outcome)
{
	r->outcomes[i] = outcome;
	r->count[outcome]++;
}

static int run_one(struct report *r, struct query *q, size_t i)
{
	char err[QUERY_ERROR + 80];
	int ret = check_run(q, &r->checks->at[i], &r->results[i], err, sizeof(err));

	if (ret == -EINVAL)
		log_error("%s", err);
	else if (!ret)
		set_outcome(r, i, r->results[i].passed ? OUTCOME_PASS : OUTCOME_FAIL);
	if (ret == -EINVAL)
		set_outcome(r, i, OUTCOME_ERROR);
	return ret == -EINVAL ? 0 : ret;
}

/* How many lines of its evidence are not printed. */
static size_t left_out(const struct check_result *c)
{
	return c->n > 2 * LINES_ENDS ? c->n - 2 * LINES_ENDS : 0;
}

/* The id of the kth of those that are. */
static __u64 printed(const struct check_result *c, size_t k)
{
	return c->evidence[k < LINES_ENDS ? k : k + left_out(c)];
}

static int want_lines(struct report *r, size_t i)
{
	const struct check_result *c = &r->results[i];
	size_t k;
	int err = 0;

	for (k = 0; !err && k < c->n - left_out(c); k++)
		err = evidence_want(&r->evidence, printed(c, k));
	return err;
}

static int read_lines(struct report *r, struct recording *rec)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < r->checks->n; i++)
		err = want_lines(r, i);
	if (err || !r->evidence.n)
		return err;
	err = recording_again(rec);
	return err ? err : evidence_read(&r->evidence, rec);
}

/* What is not all there proves nothing, either way. True: no check is decided. */
static bool must_run_again(struct report *r, const struct query *q)
{
	struct query_loaded l = query_loaded(q);
	size_t i;

	if (l.lost)
		snprintf(r->why_again, sizeof(r->why_again),
			 "%llu %s lost while recording: record again", (unsigned long long)l.lost,
			 l.lost == 1 ? "event was" : "events were");
	else if (!l.complete)
		snprintf(r->why_again, sizeof(r->why_again),
			 "the recording is cut short after %llu events: record again",
			 (unsigned long long)l.events);
	else
		return false;
	for (i = 0; i < r->checks->n; i++)
		set_outcome(r, i, OUTCOME_AGAIN);
	return true;
}

/* --- printing --- */

static const char *sentence(const struct report *r, size_t i)
{
	switch (r->outcomes[i]) {
	case OUTCOME_AGAIN:
		return "not decided";
	case OUTCOME_ERROR:
		return "not decided: see the error";
	default:
		return r->results[i].sentence;
	}
}

/* Further rows stand below the words of the first. */
static void print_line(const struct report *r, const char *line)
{
	char head[LINES_INDENT + STEP_LINE_CALL + 1];
	int n = snprintf(head, sizeof(head), "%*s%s", LINES_INDENT, "", line) - LINES_INDENT;

	wrap_print(stdout, r->view.width, head, line + (n < STEP_LINE_CALL ? n : STEP_LINE_CALL));
}

static void print_lines(const struct report *r, size_t i)
{
	const struct check_result *c = &r->results[i];
	const char *line;
	size_t k;

	for (k = 0; k < c->n - left_out(c); k++) {
		if (k == LINES_ENDS && left_out(c))
			printf("%*s... %zu more ...\n", LINES_INDENT, "", left_out(c));
		line = evidence_line(&r->evidence, printed(c, k));
		print_line(r, line ? line : "");
	}
}

/* Words of a file of checks, and what its columns have put into them. */
static void print_shown(const char *label, const char *text, unsigned int width)
{
	struct buf b = { 0 };

	utf8_show(&b, text, strlen(text), "");
	wrap_print(stdout, width, label, b.err || !b.data ? "" : b.data);
	buf_free(&b);
}

static void print_check(const struct report *r, size_t i)
{
	const struct outcome_row *row = &outcomes[r->outcomes[i]];
	bool color = r->view.color;

	printf("%s%s%s", color ? style_code(row->style) : "", row->word, color ? STYLE_RESET : "");
	print_shown("  ", r->checks->at[i].name, 0);
	print_shown("       ", sentence(r, i), r->view.width);
	print_lines(r, i);
}

static void print_text(const struct report *r)
{
	size_t i;

	for (i = 0; i < r->checks->n; i++)
		print_check(r, i);
	if (r->why_again[0])
		printf("No check is decided: %s\n", r->why_again);
	else
		printf("%zu of %zu checks passed\n", r->count[OUTCOME_PASS], r->checks->n);
}

static void json_line(struct json *j)
{
	json_end_object(j);
	printf("%.*s\n", (int)j->buf.len, j->buf.data);
	json_reset(j);
	json_object(j, NULL);
}

static void json_evidence(struct json *j, const struct report *r, size_t i)
{
	const struct check_result *c = &r->results[i];
	size_t k;

	json_list(j, "evidence");
	for (k = 0; k < c->n; k++)
		json_u64(j, NULL, c->evidence[k]);
	json_end_list(j);
	json_list(j, "lines");
	for (k = 0; k < c->n - left_out(c); k++)
		json_text(j, NULL, evidence_line(&r->evidence, printed(c, k)));
	json_end_list(j);
}

static void print_json(const struct report *r)
{
	struct json j = { 0 };
	size_t i;

	json_reset(&j);
	json_object(&j, NULL);
	for (i = 0; i < r->checks->n; i++) {
		json_foreign(&j, "check", r->checks->at[i].name, strlen(r->checks->at[i].name));
		json_text(&j, "result", outcomes[r->outcomes[i]].json);
		json_foreign(&j, "sentence", sentence(r, i), strlen(sentence(r, i)));
		json_evidence(&j, r, i);
		json_line(&j);
	}
	json_text(&j, "type", "trailer");
	json_u64(&j, "checks", r->checks->n);
	for (i = 0; i < OUTCOMES; i++)
		json_u64(&j, outcomes[i].json, r->count[i]);
	json_text(&j, "why_again", r->why_again);
	json_line(&j);
	json_free(&j);
}

static int print_report(const struct report *r)
{
	int status;

	if (r->json)
		print_json(r);
	else
		print_text(r);
	status = status_after_output(stdout, 0, EXIT_TRACE);
	if (status)
		return status;
	if (r->count[OUTCOME_ERROR])
		return EXIT_TRACE;
	if (r->count[OUTCOME_AGAIN])
		return EXIT_CHECK_AGAIN;
	return r->count[OUTCOME_FAIL] ? EXIT_CHECK_FAILED : 0;
}

/* --- the whole --- */

static int check_loaded(struct report *r, struct query *q, struct recording *rec)
{
	size_t i;
	int err = 0;

	if (!must_run_again(r, q)) {
		for (i = 0; !err && i < r->checks->n; i++)
			err = run_one(r, q, i);
		if (!err)
			err = read_lines(r, rec);
	}
	if (!err)
		return print_report(r);
	log_error("cannot check '%s': %s", rec->file, strerror(-err));
	return EXIT_TRACE;
}

/* Every check that could never be run is named, before anything is. */
static int accept_all(struct query *q, const struct checks *checks)
{
	char err[QUERY_ERROR + 80];
	size_t i;
	int status = 0;

	for (i = 0; i < checks->n; i++)
		if (check_accepts(q, &checks->at[i], err, sizeof(err)))
			status = fail(err);
	return status;
}

static int check_recording(struct report *r, struct recording *rec)
{
	char err[QUERY_ERROR];
	struct query *q = query_new(NULL, err, sizeof(err));
	bool usable;
	int status;

	if (!q)
		return fail(err);
	status = accept_all(q, r->checks);
	if (!status)
		status = database_load(q, rec, NULL, &usable);
	if (!status)
		status = check_loaded(r, q, rec);
	query_free(q);
	return status;
}

static void report_free(struct report *r)
{
	size_t i;

	for (i = 0; r->results && i < r->checks->n; i++)
		check_result_free(&r->results[i]);
	free(r->results);
	free(r->outcomes);
	evidence_free(&r->evidence);
}

static int check_all(const struct check_options *o, const struct checks *checks,
		     struct recording *rec)
{
	struct report r = { .checks = checks, .json = o->view.json };
	char err[256];
	int status;

	r.results = calloc(checks->n, sizeof(*r.results));
	r.outcomes = calloc(checks->n, sizeof(*r.outcomes));
	if (!r.results || !r.outcomes)
		status = fail("out of memory");
	else if (view_fill(&r.view, &o->view, stdout, err, sizeof(err)))
		status = fail(err);
	else
		status = check_recording(&r, rec);
	report_free(&r);
	return status;
}

static int check_with(const struct check_options *o, struct recording *rec)
{
	char *text = database_sql(o->checks);
	struct checks checks;
	char err[QUERY_ERROR];
	int status;

	if (!text)
		return EXIT_TRACE;
	if (checks_parse(&checks, text, err, sizeof(err))) {
		log_error("'%s' is no file of checks: %s", o->checks, err);
		status = EXIT_TRACE;
	} else {
		status = check_all(o, &checks, rec);
		checks_free(&checks);
	}
	free(text);
	return status;
}

int cmd_check(int argc, char **argv)
{
	char err[512] = "";
	struct check_options o = { .err = err, .err_size = sizeof(err) };
	struct recording rec;
	int status;

	if (check_parse(&o, argc, argv))
		return fail(err);
	if (o.help) {
		fputs("Usage: trace check [OPTIONS] FILE CHECKS.sql\n\n"
		      "Run a file of checks on a recording, and show what proves or breaks each.\n"
		      "Ends with 0 if all pass, 1 if one fails, 2 if the recording is not complete\n"
		      "enough to decide, 125 if a check cannot be run.\n\n",
		      stdout);
		options_help(stdout, check_rows);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN); /* a pager that was left is no failure */
	status = recording_open_twice(&rec, o.file);
	if (!status)
		status = check_with(&o, &rec);
	recording_close(&rec);
	return status;
}
