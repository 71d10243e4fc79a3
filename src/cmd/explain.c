// SPDX-License-Identifier: MIT
/*
 * trace explain: the verdicts of a recording, each with the lines that prove it. Two passes: the
 * first finds the verdicts, the second the lines of their evidence.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "cmd.h"
#include "evidence.h"
#include "recording.h"
#include "render/json_verdict.h"
#include "render/verdict_text.h"
#include "util/log.h"
#include "util/text.h"
#include "util/written.h"
#include "view.h"

#define RULES_MAX 16 /* --rule, at most */

enum explain_option_id { EXPLAIN_RULE = VIEW_OPTION_END, EXPLAIN_WEIGHT, EXPLAIN_LIST };

static const struct option_row explain_rows[] = {
	{ .id = EXPLAIN_RULE,
	  .name = "rule",
	  .argname = "NAME",
	  .help = "only these verdicts; may be given again",
	  .group = "Which verdicts" },
	{ .id = EXPLAIN_WEIGHT,
	  .name = "weight",
	  .argname = "WORD",
	  .help = "alarm: faults only; news: those and what is worth a line; aside: all" },
	{ .id = EXPLAIN_LIST, .name = "list", .help = "print every verdict there is and end" },
	{ .id = VIEW_BLOCKED,
	  .name = "blocked",
	  .argname = "MS",
	  .help = "say why a call took longer than this (20)" },
	{ .id = VIEW_JSON,
	  .name = "json",
	  .help = "one JSON object a verdict",
	  .group = "How it looks" },
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

struct explain_command {
	struct view_options view;
	const char *rules[RULES_MAX];
	unsigned int n_rules;
	enum weight weight; /* at least */
	bool list, help;
	const char *file;
	char *err;
	size_t err_size;
};

/* The verdicts of the first pass. */
struct verdicts {
	const struct explain_command *o;
	struct verdict *v;
	size_t n, room;
	__u64 start_ns, left_out;
};

/* --- the command line --- */

static const struct rule *rule_named(const char *name)
{
	const struct rule *r;
	size_t pos = 0;

	while ((r = explain_rules(&pos)))
		if (!strcmp(r->name, name))
			return r;
	return NULL;
}

static int parse_rule(struct explain_command *o, const char *name)
{
	if (!rule_named(name))
		text_sentence(o->err, o->err_size,
			      "there is no verdict '%s'; 'trace explain --list' lists them", name);
	else if (o->n_rules == RULES_MAX)
		text_sentence(o->err, o->err_size, "%d of --rule are enough; leave some out",
			      RULES_MAX);
	else
		o->rules[o->n_rules++] = name;
	return o->err[0] ? -EINVAL : 0;
}

static int parse_weight(struct explain_command *o, const char *word)
{
	enum weight w;

	for (w = WEIGHT_ASIDE; w <= WEIGHT_ALARM; w++) {
		if (strcmp(word, weight_name(w)))
			continue;
		o->weight = w;
		return 0;
	}
	text_sentence(o->err, o->err_size, "--weight cannot be '%s'; it is alarm, news or aside",
		      word);
	return -EINVAL;
}

static int on_option(void *ctx, int id, const char *arg)
{
	struct explain_command *o = ctx;

	switch (id) {
	case EXPLAIN_RULE:
		return parse_rule(o, arg);
	case EXPLAIN_WEIGHT:
		return parse_weight(o, arg);
	case EXPLAIN_LIST:
		o->list = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	default:
		return view_option(&o->view, id, arg, o->err, o->err_size);
	}
}

static int on_operand(void *ctx, const char *arg)
{
	struct explain_command *o = ctx;

	if (!o->file) {
		o->file = arg;
		return 0;
	}
	text_sentence(o->err, o->err_size, "one recording at a time; '%s' is too many", arg);
	return -EINVAL;
}

static int explain_parse(struct explain_command *o, int argc, char **argv)
{
	const struct arguments a = { .rows = explain_rows,
				     .option = on_option,
				     .operand = on_operand,
				     .ctx = o,
				     .err = o->err,
				     .err_size = o->err_size };
	int ret = arguments_parse(&a, argc, argv);

	if (ret || o->file || o->help || o->list)
		return ret;
	text_sentence(
		o->err, o->err_size,
		"which recording? 'trace explain FILE' explains what 'trace -w FILE' has made");
	return -EINVAL;
}

/* --- first pass --- */

static bool wanted(const struct explain_command *o, const struct verdict *v)
{
	unsigned int i;

	if (v->weight < o->weight)
		return false;
	for (i = 0; i < o->n_rules; i++)
		if (!strcmp(o->rules[i], v->rule->name))
			return true;
	return !o->n_rules;
}

struct render {
	struct verdicts *list;
};

static struct render *finder_open(const struct view *v, const struct session_meta *meta)
{
	struct render *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->list = v->sink;
	r->list->start_ns = meta->start_boot_ns;
	return r;
}

static int finder_verdict(struct render *r, const struct verdict *v)
{
	struct verdicts *list = r->list;
	struct verdict *more;

	if (!wanted(list->o, v)) {
		list->left_out++;
		return 0;
	}
	if (list->n == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		more = realloc(list->v, list->room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		list->v = more;
	}
	list->v[list->n++] = *v;
	return 0;
}

static void finder_close(struct render *r)
{
	free(r);
}

static const struct renderer finder = {
	.name = "verdicts",
	.open = finder_open,
	.verdict = finder_verdict,
	.close = finder_close,
};

static int by_time(const void *a, const void *b)
{
	const struct verdict *u = a, *v = b;

	if (u->step != v->step)
		return u->step < v->step ? -1 : 1;
	return u->id < v->id ? -1 : u->id > v->id;
}

/* EXIT_TRACE for a recording that is cut: what is there is explained nevertheless. */
static int find(struct verdicts *list, struct recording *rec)
{
	struct pipeline *p = pipeline_new(LAYER_ALL);
	int err;

	if (!p) {
		log_error("out of memory");
		return EXIT_TRACE;
	}
	pipeline_view(p, &finder, &(struct view){ .sink = list });
	pipeline_explain(p, view_explain(&list->o->view));
	err = recording_run(rec, p);
	err = recording_result(rec, p, err, "explained");
	pipeline_free(p);
	if (list->n)
		qsort(list->v, list->n, sizeof(*list->v), by_time);
	return err;
}

/* --- what is found --- */

static int print_json(const struct verdicts *list)
{
	struct json j = { 0 };
	size_t i;

	for (i = 0; i < list->n && !j.buf.err; i++) {
		json_reset(&j);
		json_object(&j, NULL);
		json_verdict(&j, &list->v[i], list->start_ns);
		json_end_object(&j);
		printf("%.*s\n", (int)j.buf.len, j.buf.data);
	}
	json_free(&j);
	return file_written(stdout);
}

static int print_text(const struct verdicts *list, const struct evidence *e, const struct view *v)
{
	const struct verdict_text t = { .view = v, .start_ns = e->zero_ns };
	const char *lines[VERDICT_EVIDENCE];
	unsigned int k;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < list->n; i++) {
		for (k = 0; k < list->v[i].n_evidence; k++)
			lines[k] = evidence_line(e, list->v[i].evidence[k]);
		err = verdict_write(&t, (unsigned int)i + 1, &list->v[i], lines);
	}
	if (err)
		return err;
	printf("%zu verdict%s", list->n, list->n == 1 ? "" : "s");
	if (list->left_out)
		printf(", %llu left out", (unsigned long long)list->left_out);
	putchar('\n');
	return file_written(stdout);
}

static int read_evidence(const struct verdicts *list, struct evidence *e, struct recording *rec)
{
	unsigned int k;
	size_t i;
	int err = 0;

	for (i = 0; i < list->n; i++)
		for (k = 0; !err && k < list->v[i].n_evidence; k++)
			err = evidence_want(e, list->v[i].evidence[k]);
	if (err || !list->n)
		return err;
	return recording_again(rec) ? -EIO : evidence_read(e, rec);
}

static int explain_recording(const struct explain_command *o, struct recording *rec,
			     const struct view *view)
{
	struct verdicts list = { .o = o };
	struct evidence evidence = { 0 };
	int status = find(&list, rec), err = 0, out = 0;

	if (!o->view.json)
		err = read_evidence(&list, &evidence, rec);
	if (err)
		log_error("cannot explain '%s': %s", rec->file, strerror(-err));
	else
		out = o->view.json ? print_json(&list) : print_text(&list, &evidence, view);
	if (out && out != -EPIPE)
		log_error("cannot write the output: %s", strerror(-out));
	if (err || (out && out != -EPIPE))
		status = EXIT_TRACE;
	evidence_free(&evidence);
	free(list.v);
	return status;
}

static int print_list(const struct view *view)
{
	const struct verdict_text t = { .view = view };
	const struct rule *r;
	size_t pos = 0;
	int err = 0;

	while (!err && (r = explain_rules(&pos)))
		err = verdict_write_rule(&t, r);
	return err && err != -EPIPE ? EXIT_TRACE : 0;
}

static int explain_file(const struct explain_command *o, const struct view *view)
{
	struct recording rec;
	int status = recording_open_twice(&rec, o->file);

	if (!status)
		status = explain_recording(o, &rec, view);
	recording_close(&rec);
	return status;
}

int cmd_explain(int argc, char **argv)
{
	char err[512] = "";
	struct explain_command o = { .err = err, .err_size = sizeof(err), .weight = WEIGHT_ASIDE };
	struct view view;

	if (explain_parse(&o, argc, argv) || view_fill(&view, &o.view, stdout, err, sizeof(err))) {
		log_error("%s", err);
		return EXIT_TRACE;
	}
	if (o.help) {
		fputs("Usage: trace explain [OPTIONS] FILE\n\n"
		      "Say why things happened in a recording ('-': standard input), and what proves it.\n\n",
		      stdout);
		options_help(stdout, explain_rows);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN); /* a pager that was left is no failure */
	return o.list ? print_list(&view) : explain_file(&o, &view);
}
