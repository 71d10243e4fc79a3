/* SPDX-License-Identifier: MIT */
/*
 * lab list: one line a lab. lab show: its handout. lab reset: begin again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab.h"
#include "page.h"

/* How far it is, and which sub-commands come next: a row has 21 columns left for it. */
static const char *progress(const struct lab *l, const struct state *st)
{
	if (!l->exercise)
		return "no exercise";
	if (state_has(st, STATE_PASSED))
		return state_has(st, STATE_GAVE_UP) ? "passed, solution seen" : "passed";
	if (state_has(st, STATE_GAVE_UP))
		return "solution seen";
	if (state_has(st, STATE_PREDICTION))
		return "next: run, then check";
	return "next: show, predict";
}

int lab_list(struct session *s)
{
	const struct lab *l;
	char minutes[8];
	struct state st;
	size_t i;

	printf("%-14s%3s  %-40s%s\n", "lab", "min", "about", "you");
	for (i = 0; i < s->labs.n; i++) {
		l = &s->labs.at[i];
		state_find(&st, &s->user, l);
		snprintf(minutes, sizeof(minutes), "%.0u", l->minutes); /* 0 is not said */
		printf("%-14s%3s  %-40s%s\n", l->name, minutes, l->title, progress(l, &st));
	}
	if (s->labs.n)
		printf("\nA sub-command wants the number: ./lab show %s. For run and check: sudo ./lab.\n",
		       s->labs.at[0].number);
	return 0;
}

int lab_show(struct session *s)
{
	char *text = lab_text(s->lab->dir, "README.md");
	int ret;

	if (!text)
		return lab_fail("lab %s has no handout", s->lab->name);
	ret = page_text(&s->user, text);
	free(text);
	return ret ? lab_fail("cannot write the output: %s", strerror(-ret)) : 0;
}

int lab_reset(struct session *s)
{
	char path[PATH_MAX];

	state_forget(&s->state, STATE_PREDICTION);
	state_forget(&s->state, STATE_PASSED);
	state_forget(&s->state, STATE_GAVE_UP);
	state_forget(&s->state, STATE_HINTS);
	printf("Lab %s is as new.\n", s->lab->name);
	if (state_work_aside(&s->state, s->lab, path))
		printf("Your file is kept as %s\n", path);
	return 0;
}
