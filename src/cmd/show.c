/* SPDX-License-Identifier: MIT */
/*
 * trace show FILE: a recording through the pipeline.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "pace.h"
#include "pipeline.h"
#include "record/record.h"
#include "util/log.h"
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
		snprintf(p->err, p->err_size, "'%s' is no speed; give a factor, such as 1 or 0.01",
			 arg);
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

/* Options may stand on both sides of FILE. */
static int show_parse(struct show_options *o, int argc, char **argv, char *err, size_t err_size)
{
	struct parse p = { .o = o, .err = err, .err_size = err_size };
	char why[256];
	int at;

	err[0] = '\0';
	while (argc > 1) {
		at = options_parse(argc, argv, show_rows, on_option, &p, why, sizeof(why));
		if (at < 0) {
			if (why[0])
				snprintf(err, err_size, "%s; 'trace show --help' lists the options",
					 why);
			return at;
		}
		if (at < argc && o->file) {
			snprintf(err, err_size, "one recording at a time; '%s' is too many",
				 argv[at]);
			return -EINVAL;
		}
		if (at < argc)
			o->file = argv[at];
		argc -= at;
		argv += at;
	}
	if (o->file || o->help || o->view.json_schema)
		return 0;
	snprintf(err, err_size,
		 "which recording? 'trace show FILE' shows what 'trace -w FILE' has made");
	return -EINVAL;
}

static int fail(const char *err)
{
	log_error("%s", err);
	return EXIT_TRACE;
}

static const char *open_remedy(int err)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return "; check its name, or make one with 'trace -w FILE'";
	case EISDIR:
		return "; name a recording in it";
	case EACCES:
		return "; recordings belong to whoever made them: ask them, or root";
	case ENOMEM:
		return "; free some memory";
	default:
		return "; try a copy of it";
	}
}

static int complain_open(const char *file, enum record_error why, unsigned int version)
{
	switch (why) {
	case RECORD_NOT_ONE:
		log_error("'%s' is no recording; 'trace -w FILE' makes one", file);
		break;
	case RECORD_VERSION_NEW:
		log_error("'%s' is a recording of format %u and this program knows up to %u; "
			  "show it with a newer trace",
			  file, version, RECORD_VERSION);
		break;
	case RECORD_OK:
	case RECORD_IO:
		log_error("cannot read '%s': %s%s", file, strerror(errno), open_remedy(errno));
		break;
	}
	return EXIT_TRACE;
}

static int show_frames(struct pipeline *p, struct source *s)
{
	const struct pipeline_state *state = pipeline_state(p);
	struct frame f;
	int ret;

	while (!state->view_err && (ret = s->next(s, &f)) != 0) {
		if (ret == -EINTR)
			continue;
		if (ret > 0)
			ret = pipeline_frame(p, &f);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int show_result(const struct pipeline *p, const struct source *s, const char *file, int err)
{
	int view_err = pipeline_state(p)->view_err;
	__u64 at;

	if (view_err == -EPIPE)
		return 0;
	if (view_err) {
		log_error("cannot write the output: %s", strerror(-view_err));
		return EXIT_TRACE;
	}
	if (err) {
		log_error("cannot read '%s' to its end: %s", file, strerror(-err));
		return EXIT_TRACE;
	}
	if (!record_was_cut(s, &at))
		return 0;
	log_error("'%s' is cut short after %llu events; it was shown up to there: record again, or "
		  "use what is here",
		  file, (unsigned long long)pipeline_state(p)->events);
	return EXIT_TRACE;
}

static int show_source(const struct show_options *o, struct source *s)
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
	if (o->speed > 0)
		pipeline_pace(p, pace_until, &pace);
	pipeline_view(p, view_renderer(&o->view), &view);
	ret = show_frames(p, s);
	if (!ret)
		ret = pipeline_finish(p);
	ret = show_result(p, s, o->file, ret);
	pipeline_free(p);
	pace_end(&pace);
	return ret;
}

int cmd_show(int argc, char **argv)
{
	struct show_options o = { 0 };
	enum record_error why;
	unsigned int version;
	struct source *s;
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
	s = record_open(o.file, &why, &version);
	if (!s)
		return complain_open(o.file, why, version);
	status = show_source(&o, s);
	s->close(s);
	return status;
}
