/* SPDX-License-Identifier: MIT */
/*
 * The options on how a run looks: the same for what is seen live and what a recording shows.
 */
#ifndef SOCKLENS_CMD_VIEW_H
#define SOCKLENS_CMD_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "render/render.h"
#include "util/options.h"

enum color_when { COLOR_AUTO = 0, COLOR_ALWAYS = 1, COLOR_NEVER = 2 };

struct view_options {
	unsigned int layers; /* LAYER_*, 0 = not asked for */
	unsigned int width;  /* columns, 0 = not asked for */
	enum color_when color;
	enum stamp stamp;
	bool json;
	long blocked_ms; /* a call that takes longer was blocked; 0 = not asked for */
	bool quiet; /* no verdicts; live also no messages about tracing itself */
	bool json_schema; /* print the schema and nothing else */
};

/* Below OPTION_LONG + 32; commands number their own from VIEW_OPTION_END on. */
enum view_option_id {
	VIEW_LAYER = OPTION_LONG,
	VIEW_JSON,
	VIEW_JSON_SCHEMA,
	VIEW_COLOR,
	VIEW_WIDTH,
	VIEW_BLOCKED,
	VIEW_OPTION_END = OPTION_LONG + 32,
};

/*
 * Rows for a command's table of options: a table is one array, so these can only be shared as text.
 */
#define VIEW_OPTION_ROWS                                                                     \
	{ .id = VIEW_LAYER,                                                                  \
	  .name = "layer",                                                                   \
	  .argname = "LIST",                                                                 \
	  .help = "only these of app,kernel,wire",                                           \
	  .group = "How it looks" },                                                         \
		{ .id = 'q',                                                                 \
		  .name = "quiet",                                                           \
		  .help = "no verdicts, no messages about tracing itself" },                 \
		{ .id = 't', .help = "time of day; -tt: date and time, UTC, microseconds" }, \
		{ .id = VIEW_JSON, .name = "json", .help = "one JSON object a line" },       \
		{ .id = VIEW_JSON_SCHEMA,                                                    \
		  .name = "json-schema",                                                     \
		  .help = "print the schema of --json and end" },                            \
		{ .id = VIEW_COLOR,                                                          \
		  .name = "color",                                                           \
		  .argname = "WHEN",                                                         \
		  .help = "auto, always or never; auto honours NO_COLOR" },                  \
		{ .id = VIEW_BLOCKED,                                                        \
		  .name = "blocked",                                                         \
		  .argname = "MS",                                                           \
		  .help = "say why a call took longer than this (20)" },                      \
	{                                                                                    \
		.id = VIEW_WIDTH, .name = "width", .argname = "N",                           \
		.help = "columns, instead of the terminal's"                                 \
	}

/* One option: 0, -ENOENT when it is none of these, -EINVAL with one sentence in err. */
int view_option(struct view_options *o, int id, const char *arg, char *err, size_t err_size);

/* "app,wire" to LAYER_*: 0, or -EINVAL with *layers untouched. */
int layers_parse(const char *words, unsigned int *layers);

const struct renderer *view_renderer(const struct view_options *o);

/* What the verdicts must know. */
struct explain_options view_explain(const struct view_options *o);

/*
 * What the renderer must know of this output. 0, or -EINVAL with one sentence in err (too narrow).
 */
int view_fill(struct view *v, const struct view_options *o, FILE *out, char *err, size_t err_size);

#endif
