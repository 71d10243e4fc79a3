/* SPDX-License-Identifier: MIT */
/*
 * ./lab: the workshop. The command line, and the table of sub-commands.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "again.h"
#include "lab.h"
#include "util/log.h"
#include "util/options.h"
#include "util/version.h"
#include "util/written.h"

enum operands { TAKES_NOTHING, TAKES_LAB, TAKES_LAB_AND_WORD };

enum option_id { OPT_SKIP = OPTION_LONG, OPT_GIVE_UP, OPT_WATCH, OPT_SEED, OPT_RECORD };

#define BIT(id) (1u << ((id) - OPTION_LONG))

struct lab_command {
	const char *name;
	int (*run)(struct session *s);
	enum operands takes;
	unsigned int options; /* BIT() of each that it heeds */
	const char *args, *help;
};

static const struct lab_command commands[] = {
	{ "list", lab_list, TAKES_NOTHING, 0, "", "the labs, their minutes, and how far you are" },
	{ "show", lab_show, TAKES_LAB, 0, "NN", "the handout" },
	{ "predict", lab_predict, TAKES_LAB_AND_WORD, 0, "NN [LETTERS]",
	  "say what will happen, before you see it" },
	{ "run", lab_run, TAKES_LAB, BIT(OPT_SKIP) | BIT(OPT_RECORD), "NN",
	  "the experiment, traced (root)" },
	{ "watch", lab_watch, TAKES_LAB, BIT(OPT_SKIP), "NN",
	  "the experiment as it was recorded (no root)" },
	{ "check", lab_check, TAKES_LAB_AND_WORD, BIT(OPT_WATCH) | BIT(OPT_SEED), "NN [FILE]",
	  "your program against the evidence of three runs (root)" },
	{ "hint", lab_hint, TAKES_LAB, 0, "NN", "one hint; each time one more" },
	{ "solution", lab_solution, TAKES_LAB, BIT(OPT_GIVE_UP), "NN",
	  "ours, once yours has passed" },
	{ "reset", lab_reset, TAKES_LAB, 0, "NN", "begin again; your file is kept aside" },
	{ "doctor", lab_doctor, TAKES_NOTHING, 0, "", "before the class: what works here" },
	{ 0 },
};

static const struct option_row rows[] = {
	{ .id = OPT_SKIP,
	  .name = "skip-prediction",
	  .help = "run, watch: show it without a prediction (for teachers)" },
	{ .id = OPT_GIVE_UP, .name = "give-up", .help = "solution: without having passed" },
	{ .id = OPT_WATCH, .name = "watch", .help = "check: again whenever the file is saved" },
	{ .id = OPT_SEED,
	  .name = "seed",
	  .argname = "N",
	  .help = "check: the same ports and sizes again" },
	{ .id = OPT_RECORD,
	  .name = "record",
	  .argname = "FILE",
	  .help = "run: keep the recording as FILE" },
	{ .id = 'h', .name = "help", .help = "show this text and end" },
	{ .id = 'V', .name = "version", .help = "show the version and end" },
	{ 0 },
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

void lab_catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	const struct sigaction act = { .sa_handler = on_signal };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &act, NULL);
}

bool lab_interrupted(void)
{
	return interrupted;
}

int lab_fail_interrupted(void)
{
	return lab_fail(interrupted == SIGPIPE ? "nobody reads what it prints any more" : "interrupted");
}

int lab_fail(const char *format, ...)
{
	char line[2 * PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	log_error("%s", line);
	return EXIT_LAB;
}

int lab_need_root(const struct session *s, const char *command, const char *instead)
{
	struct buf b = { 0 };

	if (s->user.root)
		return 0;
	again_command(&b, s, command);
	again_options(&b, s);
	if (instead)
		buf_printf(&b, "; without root there is './lab %s %s'", instead, s->lab->number);
	lab_fail("this needs root: %s", b.data && !b.err ? b.data : "sudo ./lab");
	buf_free(&b);
	return EXIT_LAB;
}

/* --- the command line --- */

struct parsed {
	const struct lab_command *command;
	const char *lab;
	struct lab_options opts;
	unsigned int given; /* BIT() of each option */
	bool help, version;
};

static int on_option(void *ctx, int id, const char *arg)
{
	struct parsed *p = ctx;

	if (id >= OPTION_LONG)
		p->given |= BIT(id);
	switch (id) {
	case OPT_SKIP:
		p->opts.skip_prediction = true;
		break;
	case OPT_GIVE_UP:
		p->opts.give_up = true;
		break;
	case OPT_WATCH:
		p->opts.watch = true;
		break;
	case OPT_SEED:
		p->opts.seed = arg;
		break;
	case OPT_RECORD:
		p->opts.record = arg;
		break;
	case 'V':
		p->version = true;
		break;
	default:
		p->help = true;
	}
	return 0;
}

static int take_operand(struct parsed *p, const char *arg)
{
	const struct lab_command *c;

	if (!p->command) {
		for (c = commands; c->name && strcmp(c->name, arg); c++)
			;
		p->command = c->name ? c : NULL;
		if (!strcmp(arg, "help"))
			p->help = true;
		else if (!p->command)
			return lab_fail("there is no sub-command '%s'; './lab --help' lists them",
					arg);
		return 0;
	}
	if (!p->lab && p->command->takes != TAKES_NOTHING) {
		p->lab = arg;
		return 0;
	}
	if (p->lab && !p->opts.word && p->command->takes == TAKES_LAB_AND_WORD) {
		p->opts.word = arg;
		return 0;
	}
	return lab_fail("'%s' is too much: ./lab %s%s%s", arg, p->command->name,
			p->command->args[0] ? " " : "", p->command->args);
}

/* An option that its sub-command would not heed: whoever gives it expects something. */
static int refuse_useless(const struct parsed *p)
{
	unsigned int useless = p->given & ~p->command->options;
	const struct option_row *row;

	for (row = rows; row->id; row++)
		if (row->id >= OPTION_LONG && useless & BIT(row->id))
			return lab_fail("./lab %s takes no --%s; './lab --help' says what does",
					p->command->name, row->name);
	return 0;
}

static int parse(struct parsed *p, int argc, char **argv)
{
	char err[256];
	int at;

	while (argc > 1) {
		at = options_parse(argc, argv, rows, on_option, p, err, sizeof(err));
		if (at < 0)
			return lab_fail("%s; './lab --help' lists the options", err);
		if (at < argc && take_operand(p, argv[at]))
			return EXIT_LAB;
		argc -= at;
		argv += at;
	}
	if (p->help || p->version)
		return 0;
	if (!p->command)
		return lab_fail("what shall it be? './lab list' shows the labs, './lab --help' the "
				"rest");
	if (!p->lab && p->command->takes != TAKES_NOTHING)
		return lab_fail("which lab? ./lab %s %s; './lab list' shows the numbers",
				p->command->name, p->command->args);
	return refuse_useless(p);
}

static void print_help(void)
{
	const struct lab_command *c;
	char words[32];

	printf("Usage: ./lab SUB-COMMAND [NN] [OPTIONS]\n\n"
	       "Predict, run, read the trace, write C, and be graded by what the kernel did.\n\n");
	for (c = commands; c->name; c++) {
		snprintf(words, sizeof(words), "%s %s", c->name, c->args);
		printf("  %-22s%s\n", words, c->help);
	}
	printf("\n");
	options_help(stdout, rows);
	printf("\nExit status: 0 passed, 1 not yet, 2 run it again (events were lost), 125 could not\n"
	       "be done. Manual: lab(1).\n");
}

/* --- the whole --- */

static int start(struct session *s, const struct parsed *p)
{
	char err[PATH_MAX + 128];
	int ret = user_start(&s->user);

	if (ret)
		return lab_fail("cannot act as the user behind sudo: %s; run it without sudo",
				strerror(-ret));
	if (places_find(&s->places, err, sizeof(err)) ||
	    labs_find(&s->labs, &s->places, err, sizeof(err)))
		return lab_fail("%s", err);
	s->opts = p->opts;
	if (!p->lab)
		return 0;
	s->lab = labs_get(&s->labs, p->lab);
	if (!s->lab)
		return lab_fail("there is no lab '%s'; './lab list' shows them", p->lab);
	state_find(&s->state, &s->user, s->lab);
	return 0;
}

static int run(int argc, char **argv)
{
	struct parsed p = { 0 };
	struct session s = { 0 };
	int status;

	status = parse(&p, argc, argv);
	if (status)
		return status;
	if (p.help || p.version) {
		if (p.version)
			printf("socklens lab " SOCKLENS_VERSION "\n");
		else
			print_help();
		return 0;
	}
	status = start(&s, &p);
	if (!status)
		status = p.command->run(&s);
	labs_free(&s.labs);
	return status;
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	log_program = "lab";
	return status_after_output(stdout, run(argc, argv), EXIT_LAB);
}
