/* SPDX-License-Identifier: MIT */
/*
 * lab run: the experiment, traced. lab watch: the one that was recorded, for whoever has no root.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "lab.h"
#include "page.h"
#include "predict.h"
#include "trial.h"

#define WIDTH_MIN 60 /* the time line cannot be narrower */

/* The time line, as wide as the terminal though a pager is in between. */
static int show_recording(const struct session *s, const char *recording)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	char width[16];
	char *args[] = { "show", (char *)recording, NULL, NULL, NULL, NULL, NULL };
	struct winsize size;
	int n = 2;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= WIDTH_MIN) {
		snprintf(width, sizeof(width), "%u", size.ws_col);
		args[n++] = "--width";
		args[n++] = width;
		args[n++] = "--color";
		args[n++] = (no && *no) || !term || !strcmp(term, "dumb") ? "never" : "always";
	}
	return page_trace(&s->user, cmd_show, args, NULL);
}

static int show_and_compare(struct session *s, const char *recording)
{
	int status;

	if (page_pages() && lab_has(s->lab, "predict.md"))
		printf("First the time line: q leaves it, and what settles your prediction follows.\n");
	status = show_recording(s, recording);
	if (status)
		return lab_fail("cannot show '%s'", recording);
	status = predict_compare(s, recording);
	if (!status && s->lab->exercise)
		printf("\nThe exercise: ./lab show %s, then sudo ./lab check %s\n", s->lab->number,
		       s->lab->number);
	return status;
}

/* An experiment is ours: if it goes wrong, that is not the learner's doing. */
static int judge_experiment(const struct session *s, const struct trial *t)
{
	if (t->how == ARENA_INTERRUPTED)
		return lab_fail_interrupted();
	if (t->how == ARENA_ENDED && WIFEXITED(t->status) && !WEXITSTATUS(t->status))
		return 0;
	return lab_fail("the experiment of lab %s did not come to its end; './lab doctor' looks "
			"for a reason",
			s->lab->name);
}

int lab_run(struct session *s)
{
	char recording[PATH_MAX], err[PATH_MAX + 256];
	struct trial t = { .lab = s->lab,
			   .user = &s->user,
			   .places = &s->places,
			   .script = "run",
			   .recording = s->opts.record ?
						s->opts.record :
						lab_path(recording, s->state.dir, "run.rec"),
			   .echo = true,
			   .interrupted = lab_interrupted };
	int status = lab_need_root(s, "run", "watch");

	if (!status && !s->opts.record)
		status = predict_first(s);
	if (status)
		return status;
	lab_catch_signals();
	if (state_make_folder(&s->state, err, sizeof(err)))
		return lab_fail("%s", err);
	printf("Lab %s: the experiment runs.\n", s->lab->name);
	if (trial_run(&t, err, sizeof(err)))
		status = lab_fail("%s", err);
	else
		status = judge_experiment(s, &t);
	lines_free(&t.lines);
	return status || s->opts.record ? status : show_and_compare(s, t.recording);
}

int lab_watch(struct session *s)
{
	char recording[PATH_MAX];
	int status;

	if (!lab_has(s->lab, "run.rec"))
		return lab_fail("lab %s was not recorded; './lab show %s' says how to run it",
				s->lab->name, s->lab->number);
	status = predict_first(s);
	if (status)
		return status;
	return show_and_compare(s, lab_path(recording, s->lab->dir, "run.rec"));
}
