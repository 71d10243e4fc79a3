/* SPDX-License-Identifier: MIT */
/* A verdict in full, as text: question, cause, evidence, what to do. */
#ifndef SOCKLENS_RENDER_VERDICT_TEXT_H
#define SOCKLENS_RENDER_VERDICT_TEXT_H

#include "render.h"

struct verdict_text {
	const struct view *view;
	__u64 start_ns; /* boot clock: times count from here */
};

/* number: the how manieth on the page. lines[i]: what the step evidence[i] was, in one line; NULL where that is not known. 0 or a negative errno. */
int verdict_write(const struct verdict_text *t, unsigned int number, const struct verdict *v,
		  const char *const lines[VERDICT_EVIDENCE]);
/* One line in the list of rules. */
int verdict_write_rule(const struct verdict_text *t, const struct rule *r);

#endif
