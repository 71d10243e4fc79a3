/* SPDX-License-Identifier: MIT */
/*
 * lab list: one line a lab. lab show: its handout. lab reset: begin again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab.h"
#include "page.h"

/* What to do next, which says also how far it is. */
static void progress(const struct lab *l, const struct state *st, char *buf, size_t size)
{
	if (!l->exercise)
		snprintf(buf, size, "no exercise: ./lab show %s", l->number);
	else if (state_has(st, STATE_PASSED))
		snprintf(buf, size, "passed%s",
			 state_has(st, STATE_GAVE_UP) ? ", after the solution" : "");
	else if (state_has(st, STATE_GAVE_UP))
		snprintf(buf, size, "solution seen; next: sudo ./lab check %s", l->number);
	else if (state_has(st, STATE_PREDICTION))
		snprintf(buf, size, "predicted; next: sudo ./lab run %s, check %s", l->number,
			 l->number);
	else
		snprintf(buf, size, "next: ./lab show %s, predict %s", l->number, l->number);
}

int lab_list(struct session *s)
{
	const struct lab *l;
	char words[80], minutes[8];
	struct state st;
	size_t i;

	printf("%-18s%5s  %-44s%s\n", "lab", "min", "about", "you");
	for (i = 0; i < s->labs.n; i++) {
		l = &s->labs.at[i];
		state_find(&st, &s->user, l);
		progress(l, &st, words, sizeof(words));
		snprintf(minutes, sizeof(minutes), "%.0u", l->minutes); /* 0 is not said */
		printf("%-18s%5s  %-44s%s\n", l->name, minutes, l->title, words);
	}
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
