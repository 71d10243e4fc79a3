/* SPDX-License-Identifier: MIT */
/*
 * lab check: compiles the learner's file, runs it three times with other ports, sizes and variants,
 * and lets the evidence decide.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "again.h"
#include "bounds.h"
#include "cmd/cmd.h"
#include "compile.h"
#include "lab.h"
#include "page.h"
#include "saved.h"
#include "trial.h"
#include "util/options.h"
#include "util/utf8.h"
#include "util/wrap.h"

#define RUNS 3
#define TRIES 3 /* of a run that loses events */
#define OUTPUT_LINES 12	 /* of the programs' own that are shown after a run that failed */
#define OUTPUT_BYTES 160 /* of one of these lines */
#define CHECK_FAILED 1	 /* exit statuses of trace check */
#define CHECK_AGAIN 2

struct check {
	struct session *s;
	struct variants variants;
	char source[PATH_MAX], program[PATH_MAX], recording[PATH_MAX];
	__u64 seed;
	struct buf found; /* what trace check printed about the latest run */
};

/* --- one run --- */

static void print_run(const struct trial *t, int number, const char *word)
{
	char head[32], settings[256], text[300];

	trial_settings(t, settings, sizeof(settings));
	snprintf(head, sizeof(head), "run %d of %d  %-6s ", number + 1, RUNS, word);
	snprintf(text, sizeof(text), "%s: %s", t->variant->name, settings);
	wrap_print(stdout, LAB_WIDTH, head, text);
}

static void print_line(const char *text)
{
	size_t len = strlen(text), shown = utf8_cut(text, OUTPUT_BYTES);

	printf("    | ");
	page_shown(text, shown);
	if (shown < len)
		printf(" ... and %zu bytes more", len - shown);
	printf("\n");
}

static void print_output(const struct trial *t)
{
	size_t i;

	if (t->lines.n)
		printf("  it printed\n");
	for (i = 0; i < t->lines.n && i < OUTPUT_LINES; i++)
		print_line(t->lines.at[i].text);
	if (t->lines.n > OUTPUT_LINES)
		printf("    | ... and %zu lines more\n", t->lines.n - OUTPUT_LINES);
}

/* The checks of the lab; its last line counts those that are listed above it, too. */
static void print_found(const struct buf *found, bool one_above)
{
	const char *text = found->data ? found->data : "";
	const char *count = memrchr(text, '\n', found->len ? found->len - 1 : 0);
	size_t passed, of;

	if (count && sscanf(count, "\n%zu of %zu checks", &passed, &of) == 2)
		printf("%.*s\n%zu of %zu checks passed\n", (int)(count - text), text, passed,
		       of + one_above);
	else
		printf("%s", text);
}

static void print_again(const struct check *c)
{
	struct buf b = { 0 };

	buf_puts(&b, "\nThis run again: ");
	again_command(&b, c->s, "check");
	buf_printf(&b, " --seed %llu\nIts whole story: ./trace show ", (unsigned long long)c->seed);
	again_word(&b, c->recording);
	buf_puts(&b, "\nWhy, in words:   ./trace explain ");
	again_word(&b, c->recording);
	printf("%s\n", b.data && !b.err ? b.data : "");
	buf_free(&b);
}

static void print_failed(const struct check *c, const struct trial *t, const struct bound *b)
{
	print_output(t);
	printf("\n");
	if (b->name) {
		printf("FAIL   %s\n", b->name);
		wrap_print(stdout, LAB_WIDTH, "       ", b->why);
	}
	print_found(&c->found, b->name != NULL);
	print_again(c);
}

/* The script says so by a signal to itself: each of its statuses may be the learner's program's. */
static bool stage_broke(const struct trial *t)
{
	return t->how == ARENA_ENDED && WIFSIGNALED(t->status) && WTERMSIG(t->status) == SIGUSR2;
}

static int not_staged(const struct check *c, const struct trial *t)
{
	print_output(t);
	return lab_fail("the exercise of lab %s could not be staged: that is no fault of your "
			"program",
			c->s->lab->name);
}

/* What the lab asks, into c->found; the exit status of trace check. */
static int ask_checks(struct check *c, const struct trial *t)
{
	char sql[PATH_MAX];
	char *args[] = { "check",
			 "--width",
			 LAB_WIDTH_WORD,
			 c->recording,
			 lab_path(sql, c->s->lab->dir, "check.sql"),
			 NULL };

	buf_reset(&c->found);
	if (t->how != ARENA_CALLS)
		return page_trace(&c->s->user, cmd_check, args, &c->found);
	/* Up to there a slow way may have been a right one; and so many calls lose events. */
	buf_puts(&c->found, "The lab's own checks are not decided: the run was ended in the middle.\n");
	return CHECK_FAILED;
}

static int undecided(const struct check *c)
{
	struct buf b = { 0 };

	page_undecided(&c->found);
	again_command(&b, c->s, "check");
	printf("Run the check again: %s\n", b.data && !b.err ? b.data : "");
	buf_free(&b);
	return EXIT_LAB_AGAIN;
}

/* last: it will not be made again, whatever comes of it. */
static int decide(struct check *c, const struct trial *t, int number, bool last)
{
	struct bound bound;
	bool broke = bounds_broken(t, &bound);
	int found;

	if (stage_broke(t))
		return not_staged(c, t);
	found = ask_checks(c, t);
	if (found != 0 && found != CHECK_FAILED && found != CHECK_AGAIN)
		return lab_fail("the checks of lab %s could not be made: that is no fault of your "
				"program",
				c->s->lab->name);
	print_run(t, number, found == CHECK_AGAIN ? "AGAIN" : broke || found ? "FAIL" : "pass");
	if (found == CHECK_AGAIN)
		return last ? undecided(c) : EXIT_LAB_AGAIN;
	if (!broke && !found)
		return 0;
	print_failed(c, t, &bound);
	return EXIT_LAB_FAIL;
}

static int one_try(struct check *c, int number, bool last)
{
	struct trial t = { .lab = c->s->lab,
			   .user = &c->s->user,
			   .places = &c->s->places,
			   .script = "grade",
			   .variant = &c->variants.at[(size_t)number % c->variants.n],
			   .seed = c->seed + (__u64)number,
			   .program = c->program,
			   .recording = c->recording,
			   .interrupted = lab_interrupted };
	char err[PATH_MAX + 256];
	int status;

	if (trial_run(&t, err, sizeof(err)))
		status = lab_fail("%s", err);
	else if (t.how == ARENA_INTERRUPTED)
		status = lab_fail_interrupted();
	else
		status = decide(c, &t, number, last);
	lines_free(&t.lines);
	return status;
}

/* A busy machine loses an event now and then: no reason yet to trouble the learner. */
static int one_run(struct check *c, int number)
{
	int status = EXIT_LAB_AGAIN, left;

	for (left = TRIES - 1; status == EXIT_LAB_AGAIN && left >= 0; left--)
		status = one_try(c, number, !left);
	return status;
}

/* --- the whole --- */

static void print_said(const char *head, const struct buf *said)
{
	printf("%s\n", head);
	page_shown(said->data ? said->data : "", said->len);
	printf("\n");
}

static int compiled(struct check *c)
{
	char err[PATH_MAX + 256];
	struct buf said = { 0 };
	enum compile_result r =
		compile(&c->s->user, c->source, c->program, &said, err, sizeof(err));
	int status = 0;

	if (r == COMPILE_OK && said.len)
		print_said("Your program compiles, but the compiler warns:", &said);
	if (r == COMPILE_REFUSED) {
		print_said("Your program does not compile. The compiler says:", &said);
		status = EXIT_LAB_FAIL;
	} else if (r != COMPILE_OK) {
		status = lab_fail("%s", err);
	}
	buf_free(&said);
	return status;
}

static int passed(const struct check *c)
{
	char text[64], err[PATH_MAX + 128];
	time_t now = time(NULL);
	struct tm tm;

	printf("\n%s", c->found.data ? c->found.data : "");
	strftime(text, sizeof(text), "%F %T\n", localtime_r(&now, &tm));
	if (state_write(&c->s->state, STATE_PASSED, text, err, sizeof(err)))
		return lab_fail("%s", err);
	printf("\nPassed: %d runs, each with other numbers. Ours, to compare: ./lab solution %s\n",
	       RUNS, c->s->lab->number);
	return 0;
}

static int check_once(struct check *c)
{
	int status = compiled(c), i;

	for (i = 0; !status && i < RUNS; i++)
		status = one_run(c, i);
	unlink(c->program);
	return status ? status : passed(c);
}

static int choose_seed(struct check *c)
{
	long seed;

	if (!c->s->opts.seed) {
		c->seed = variants_seed();
		return 0;
	}
	if (option_number(c->s->opts.seed, 0, INT_MAX, &seed))
		return lab_fail("--seed cannot be '%s'; give the number that a check has printed",
				c->s->opts.seed);
	c->seed = (__u64)seed;
	return 0;
}

/* Until somebody wants an end, each time with other numbers unless they are told: the last status. */
static int check_saved(struct check *c)
{
	int status;

	for (;;) {
		status = check_once(c);
		printf("\nWaiting until you save %s (Ctrl-C ends) ...\n", c->source);
		fflush(stdout);
		if (saved_wait(c->source, lab_interrupted) || choose_seed(c))
			return status;
		printf("\n");
	}
}

static int choose_source(struct check *c)
{
	struct session *s = c->s;
	char err[PATH_MAX + 128];
	bool fresh;

	if (s->opts.word) {
		snprintf(c->source, sizeof(c->source), "%s", s->opts.word);
		return s->lab->exercise ? 0 : lab_fail("lab %s has no exercise", s->lab->name);
	}
	if (state_work_file(&s->state, s->lab, c->source, &fresh, err, sizeof(err)))
		return lab_fail("%s", err);
	printf("%s %s\n",
	       fresh ? "A copy of the starter is now yours to edit:" : "Your file:", c->source);
	return 0;
}

static int read_variants(struct check *c)
{
	char *text = lab_text(c->s->lab->dir, "variants"), err[256];
	int ret = variants_parse(&c->variants, text, err, sizeof(err));

	free(text);
	return ret ? lab_fail("lab %s: %s", c->s->lab->name, err) : 0;
}

int lab_check(struct session *s)
{
	struct check c = { .s = s };
	char err[PATH_MAX + 128];
	int status = choose_seed(&c);

	if (!status)
		status = read_variants(&c);
	if (!status)
		status = lab_need_root(s, "check", NULL);
	if (!status)
		status = choose_source(&c);
	if (!status && state_make_folder(&s->state, err, sizeof(err)))
		status = lab_fail("%s", err);
	if (status)
		return status;
	lab_path(c.program, s->state.dir, "mine");
	lab_path(c.recording, s->state.dir, "check.rec");
	lab_catch_signals();
	status = s->opts.watch ? check_saved(&c) : check_once(&c);
	buf_free(&c.found);
	return status;
}
