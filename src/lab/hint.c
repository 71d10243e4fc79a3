/* SPDX-License-Identifier: MIT */
/*
 * lab hint: hint.md, one section more each time. lab solution: ours.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab.h"
#include "page.h"

/* The Nth part of the text, from 1: parts begin with "## ". NULL: there are not so many. */
static char *section(char *text, int n)
{
	char *at = strncmp(text, "## ", 3) ? strstr(text, "\n## ") : text, *end;

	for (; at && n > 1; n--)
		at = strstr(at + 1, "\n## ");
	if (!at)
		return NULL;
	at += *at == '\n';
	end = strstr(at, "\n## ");
	if (end)
		end[1] = '\0';
	return at;
}

static int shown_so_far(const struct session *s)
{
	char *text = state_read(&s->state, STATE_HINTS);
	int n = text ? atoi(text) : 0;

	free(text);
	return n > 0 ? n : 0;
}

int lab_hint(struct session *s)
{
	char *text = lab_text(s->lab->dir, "hint.md"), err[PATH_MAX + 128], number[16], *hint;
	int n = shown_so_far(s) + 1, status = 0;

	if (!text)
		return lab_fail("lab %s has no hints; './lab show %s' says what to do",
				s->lab->name, s->lab->number);
	hint = section(text, n);
	if (!hint) {
		printf("There are no more hints. Ours: ./lab solution %s --give-up\n",
		       s->lab->number);
	} else {
		printf("%s", hint);
		snprintf(number, sizeof(number), "%d\n", n);
		if (state_write(&s->state, STATE_HINTS, number, err, sizeof(err)))
			status = lab_fail("%s", err);
	}
	free(text);
	return status;
}

int lab_solution(struct session *s)
{
	char name[NAME_MAX + 1], dir[PATH_MAX], err[PATH_MAX + 128], *text;
	int ret;

	if (lab_source(s->lab, "solution", name))
		return lab_fail("lab %s has no exercise", s->lab->name);
	if (!state_has(&s->state, STATE_PASSED) && !s->opts.give_up) {
		lab_fail(
			"yours has not passed yet; './lab hint %s' helps, './lab solution %s --give-up' "
			"shows ours",
			s->lab->number, s->lab->number);
		return EXIT_LAB_FAIL;
	}
	if (s->opts.give_up && !state_has(&s->state, STATE_PASSED) &&
	    state_write(&s->state, STATE_GAVE_UP, "", err, sizeof(err)))
		return lab_fail("%s", err);
	text = lab_text(lab_path(dir, s->lab->dir, "solution"), name);
	ret = text ? page_text(&s->user, text) : -1;
	free(text);
	return ret ? lab_fail("cannot show the solution of lab %s", s->lab->name) : 0;
}
