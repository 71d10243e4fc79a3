/* SPDX-License-Identifier: MIT */
/*
 * trace show FILE: a recording through the pipeline.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "cmd.h"
#include "output.h"
#include "pace.h"
#include "pipeline.h"
#include "recording.h"
#include "util/log.h"
#include "util/text.h"
#include "view.h"

#define SPEED_MIN 1e-6
#define SPEED_MAX 1e6

struct show_options {
	struct view_options view;
	double speed; /* 0 = as fast as it goes */
	bool step;
	bool help;
	const char *file;
};

enum show_option_id { SHOW_SPEED = VIEW_OPTION_END, SHOW_STEP };

static const struct option_row show_rows[] = {
	VIEW_OPTION_ROWS,
	{ .id = SHOW_SPEED,
	  .name = "speed",
	  .argname = "F",
	  .help = "as it happened, F times as fast: 1, 0.01",
	  .group = "How fast" },
	{ .id = SHOW_STEP, .name = "step", .help = "wait for Enter after each line; q ends" },
	{ .id = 'h', .name = "help", .help = "show this text and end" },
	{ 0 },
};

struct parse {
	struct show_options *o;
	char *err;
	size_t err_size;
};

static int parse_speed(struct parse *p, const char *arg)
{
	char *end;
	double speed = strtod(arg, &end);

	if (end == arg || *end || !(speed >= SPEED_MIN && speed <= SPEED_MAX)) {
		text_sentence(p->err, p->err_size,
			      "'%s' is no speed; give a factor, such as 1 or 0.01", arg);
		return -EINVAL;
	}
	p->o->speed = speed;
	return 0;
}

static int on_option(void *ctx, int id, const char *arg)
{
	struct parse *p = ctx;

	switch (id) {
	case SHOW_SPEED:
		return parse_speed(p, arg);
	case SHOW_STEP:
		p->o->step = true;
		return 0;
	case 'h':
		p->o->help = true;
		return 0;
	default:
		return view_option(&p->o->view, id, arg, p->err, p->err_size);
	}
}

static int on_operand(void *ctx, const char *arg)
{
	struct parse *p = ctx;

	if (!p->o->file) {
		p->o->file = arg;
		return 0;
	}
	text_sentence(p->err, p->err_size, "one recording at a time; '%s' is too many", arg);
	return -EINVAL;
}

static int show_parse(struct show_options *o, int argc, char **argv, char *err, size_t err_size)
{
	struct parse p = { .o = o, .err = err, .err_size = err_size };
	const struct arguments a = { .rows = show_rows,
				     .option = on_option,
				     .operand = on_operand,
				     .ctx = &p,
				     .err = err,
				     .err_size = err_size };
	int ret = arguments_parse(&a, argc, argv);

	if (ret || o->file || o->help || o->view.json_schema)
		return ret;
	text_sentence(err, err_size,
		      "which recording? 'trace show FILE' shows what 'trace -w FILE' has made");
	return -EINVAL;
}

static int fail(const char *err)
{
	log_error("%s", err);
	return EXIT_TRACE;
}

static int show_recording(const struct show_options *o, struct recording *rec)
{
	struct pipeline *p = pipeline_new(o->view.layers);
	struct pace pace;
	struct view view;
	char err[256];
	int ret;

	if (!p)
		return fail("out of memory");
	if (view_fill(&view, &o->view, stdout, err, sizeof(err))) {
		pipeline_free(p);
		return fail(err);
	}
	if (pace_start(&pace, o->speed, o->step, !strcmp(o->file, "-"), &view)) {
		pipeline_free(p);
		return fail("cannot step through it: there is no terminal to wait at");
	}
	if (o->speed > 0) {
		pipeline_pace(p, pace_until, &pace);
		view.line_flush = true; /* the next line may be long in coming */
	}
	pipeline_view(p, view_renderer(&o->view), &view);
	pipeline_explain(p, view_explain(&o->view));
	ret = recording_run(rec, p);
	ret = recording_result(rec, p, ret, "shown");
	pipeline_free(p);
	pace_end(&pace);
	return ret;
}

int cmd_show(int argc, char **argv)
{
	struct show_options o = { 0 };
	struct recording rec;
	char err[512];
	int status;

	if (show_parse(&o, argc, argv, err, sizeof(err)))
		return fail(err[0] ? err : "these options cannot be read");
	if (o.help) {
		fputs("Usage: trace show [OPTIONS] FILE\n\n"
		      "Show a recording ('-': standard input) as it was seen live.\n\n",
		      stdout);
		options_help(stdout, show_rows);
		return 0;
	}
	if (o.view.json_schema) {
		fputs(render_json_schema(), stdout);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN); /* a pager that was left is no failure */
	output_in_bulk(stdout);
	status = recording_open(&rec, o.file);
	if (!status)
		status = show_recording(&o, &rec);
	recording_close(&rec);
	return status;
}
