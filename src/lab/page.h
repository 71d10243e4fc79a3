/* SPDX-License-Identifier: MIT */
/*
 * Long text: into the pager if standard output is a terminal, with the learner's rights; what the
 * sub-commands of ./trace print, likewise; and words of strangers.
 */
#ifndef SOCKLENS_LAB_PAGE_H
#define SOCKLENS_LAB_PAGE_H

#include <stdbool.h>

#include "user.h"
#include "util/buf.h"

/* Standard output is a terminal, and its user has not asked for no pager. */
bool page_pages(void);

/* 0, or negative errno. */
int page_text(const struct user *u, const char *text);

/*
 * What the learner's program or the compiler said, to standard output: a terminal finds nothing in it
 * to obey, see utf8_show(); newlines and tabs stay.
 */
void page_shown(const char *text, size_t len);

/* What `trace check` printed where events were lost, without its advice: whoever runs a lab records nothing. */
void page_undecided(const struct buf *found);

typedef int (*page_command)(int argc, char **argv);

/*
 * A sub-command of ./trace in a child of ours; args[0] is its name. out NULL: shown through the
 * pager; else what it printed is added there. Its exit status, or -1 if it could not be run.
 */
int page_trace(const struct user *u, page_command run, char **args, struct buf *out);

#endif
