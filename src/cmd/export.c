/* SPDX-License-Identifier: MIT */
/*
 * trace export: a recording in another format, a row of formats[] each.
 *
 * A file comes into being under a name of its own beside OUT and gets its name when it is complete:
 * an export that fails or is interrupted leaves nothing, and what was there before stays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"
#include "cmd.h"
#include "database.h"
#include "output.h"
#include "part.h"
#include "util/log.h"
#include "util/options.h"
#include "util/text.h"

enum export_option_id { EXPORT_TO = OPTION_LONG, EXPORT_FORCE };

static const struct option_row export_rows[] = {
	{ .id = EXPORT_TO,
	  .name = "to",
	  .argname = "FORMAT",
	  .help = "sqlite: a database, tables as in 'trace query --schema'\n"
		  "jsonl: JSON lines, as 'trace show --json' prints them" },
	{ .id = 'o',
	  .name = "output",
	  .argname = "OUT",
	  .help = "write to OUT; '-': standard output (not sqlite)" },
	{ .id = EXPORT_FORCE, .name = "force", .help = "replace OUT if it exists" },
	{ .id = 'h', .name = "help", .help = "show this text and end" },
	{ 0 },
};

/* One format. write(): the whole recording into the empty file, or to standard output where there is
 * none. Exit status, after saying what was wrong; *usable as database_load() has it. */
struct format {
	const char *name;
	const char *suffix; /* of OUT, where none is given; NULL: standard output */
	int (*write)(struct recording *rec, const struct part *file, bool *usable);
};

struct export_options {
	const struct format *format;
	bool force, help;
	const char *file, *out;
	char *err;
	size_t err_size;
};

static int fail(const char *err)
{
	log_error("%s", err);
	return EXIT_TRACE;
}

/* --- the formats --- */

static int write_sqlite(struct recording *rec, const struct part *file, bool *usable)
{
	char err[QUERY_ERROR];
	struct query *q = query_new(file->path, err, sizeof(err));
	int status;

	if (!q)
		return fail(err);
	status = database_load(q, rec, "exported", usable);
	if (*usable && query_finish_file(q, err, sizeof(err))) {
		log_error("cannot write the database: %s", err);
		*usable = false;
		status = EXIT_TRACE;
	}
	query_free(q);
	return status;
}

static int write_jsonl(struct recording *rec, const struct part *file, bool *usable)
{
	struct pipeline *p = pipeline_new(0);
	struct view view = { .out = file ? output_dup(file->fd) : stdout };
	int err, status = EXIT_TRACE;

	if (!p || !view.out) {
		log_error("cannot write the output: %s", strerror(p ? errno : ENOMEM));
	} else {
		pipeline_view(p, &render_json, &view);
		err = recording_run(rec, p);
		status = recording_result(rec, p, err, "exported");
		*usable = !err && !pipeline_state(p)->view_err;
	}
	pipeline_free(p);
	if (view.out && view.out != stdout && fclose(view.out) && *usable) {
		*usable = false;
		log_error("cannot write the output: %s", strerror(errno));
		status = EXIT_TRACE;
	}
	return status;
}

static const struct format formats[] = {
	{ "sqlite", ".db", write_sqlite },
	{ "jsonl", NULL, write_jsonl },
};

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

/* --- the command line --- */

static int set_format(struct export_options *o, const char *name)
{
	size_t i;

	for (i = 0; i < N_FORMATS; i++)
		if (!strcmp(formats[i].name, name))
			o->format = &formats[i];
	if (o->format && !strcmp(o->format->name, name))
		return 0;
	text_sentence(o->err, o->err_size,
		      "there is no format '%s'; 'trace export --help' lists them", name);
	return -EINVAL;
}

static int on_option(void *ctx, int id, const char *arg)
{
	struct export_options *o = ctx;

	switch (id) {
	case EXPORT_TO:
		return set_format(o, arg);
	case 'o':
		o->out = arg;
		break;
	case EXPORT_FORCE:
		o->force = true;
		break;
	case 'h':
		o->help = true;
		break;
	}
	return 0;
}

static int check_operands(struct export_options *o)
{
	if (o->help)
		return 0;
	if (!o->file)
		text_sentence(o->err, o->err_size,
			      "which recording? trace export FILE --to FORMAT");
	else if (!o->format)
		text_sentence(o->err, o->err_size,
			      "to which format? say --to sqlite or --to jsonl");
	else if (o->format->suffix && !o->out && !strcmp(o->file, "-"))
		text_sentence(o->err, o->err_size, "where shall it be written? say -o OUT");
	else if (o->format->suffix && o->out && !strcmp(o->out, "-"))
		text_sentence(o->err, o->err_size,
			      "a database cannot go to standard output; name a file with -o");
	return o->err[0] ? -EINVAL : 0;
}

static int on_operand(void *ctx, const char *arg)
{
	struct export_options *o = ctx;

	if (!o->file) {
		o->file = arg;
		return 0;
	}
	text_sentence(o->err, o->err_size, "one recording at a time; '%s' is too many", arg);
	return -EINVAL;
}

static int export_parse(struct export_options *o, int argc, char **argv)
{
	const struct arguments a = { .rows = export_rows,
				     .option = on_option,
				     .operand = on_operand,
				     .ctx = o,
				     .err = o->err,
				     .err_size = o->err_size };
	int ret = arguments_parse(&a, argc, argv);

	return ret ? ret : check_operands(o);
}

/* --- the file --- */

static struct part part = PART_NONE; /* what a signal must remove */

static void on_signal(int sig)
{
	part_remove(&part);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Those that are ignored stay so: nohup, a job in the background. */
static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (signal(signals[i], on_signal) == SIG_IGN)
			signal(signals[i], SIG_IGN);
}

static int complain(const char *out, const char *why)
{
	log_error("cannot write '%s': %s", out, why);
	return EXIT_TRACE;
}

static int complain_out(const char *out, int err)
{
	char text[512];

	output_explain(out, err, text, sizeof(text));
	log_error("%s", text);
	return EXIT_TRACE;
}

/* May OUT come into being there? */
static int check_out(const struct export_options *o, const struct place *p, const char *out)
{
	struct stat st;
	bool exists = !fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW);

	if (place_is_everybodys(p))
		return complain(out, "in its directory anybody may swap one file for another; "
				     "choose a directory of your own with -o");
	if (exists && !o->force) {
		log_error("'%s' exists; --force replaces it", out);
		return EXIT_TRACE;
	}
	if (exists && !S_ISREG(st.st_mode))
		return complain(out,
				"it is no file that could be replaced; choose another with -o");
	return 0;
}

static int begin(const struct export_options *o, const char *out)
{
	int err = part_find(&part, out, geteuid()), status;

	if (err)
		return complain_out(out, -err);
	status = check_out(o, &part.place, out);
	if (status)
		return status;
	catch_signals();
	err = part_create(&part);
	return err ? complain_out(out, -err) : 0;
}

/* Without --force nothing is replaced, also when the name was taken meanwhile. */
static int finish(const struct export_options *o, const char *out)
{
	int err = part_finish(&part, o->force);

	if (err == -EEXIST)
		return complain(out, "it has come into being meanwhile; --force replaces it");
	return err ? complain_out(out, -err) : 0;
}

static int export_file(const struct export_options *o, struct recording *rec, const char *out)
{
	bool usable = false;
	int status = begin(o, out), named;

	if (status)
		return status;
	status = o->format->write(rec, &part, &usable);
	if (!usable) {
		part_remove(&part);
		return status ? status : EXIT_TRACE;
	}
	named = finish(o, out);
	if (!named)
		log_info("wrote %s", out);
	return named ? named : status;
}

static int export_recording(const struct export_options *o, struct recording *rec)
{
	bool to_stdout = o->out ? !strcmp(o->out, "-") : !o->format->suffix;
	char out[PATH_MAX];
	bool usable;

	if (to_stdout)
		return o->format->write(rec, NULL, &usable);
	if (o->out)
		return export_file(o, rec, o->out);
	if (snprintf(out, sizeof(out), "%s%s", o->file, o->format->suffix) >= (int)sizeof(out))
		return complain_out(o->file, ENAMETOOLONG);
	return export_file(o, rec, out);
}

int cmd_export(int argc, char **argv)
{
	char err[512] = "";
	struct export_options o = { .err = err, .err_size = sizeof(err) };
	struct recording rec;
	int status;

	if (export_parse(&o, argc, argv))
		return fail(err);
	if (o.help) {
		fputs("Usage: trace export FILE --to FORMAT [-o OUT]\n\n"
		      "Write a recording ('-': standard input) in another format.\n\n",
		      stdout);
		options_help(stdout, export_rows);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN); /* a reader that left is no failure */
	status = recording_open(&rec, o.file);
	if (!status)
		status = export_recording(&o, &rec);
	recording_close(&rec);
	return status;
}
