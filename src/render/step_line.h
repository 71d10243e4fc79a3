/* SPDX-License-Identifier: MIT */
/*
 * One step in one line that stands alone: evidence is shown far from its neighbours.
 *
 *	  12     4.006 ms  client 5471  close(3)
 */
#ifndef SOCKLENS_RENDER_STEP_LINE_H
#define SOCKLENS_RENDER_STEP_LINE_H

#include "../model/model.h"

#define STEP_LINE_CALL 37 /* column at which the call begins; large numbers move it */

/* Both print ASCII, terminated, cut with "..", and return buf. */

/* Who and what. */
char *step_words(char *buf, size_t size, const struct step *s);
/* These words with number and time before them. t_ns: since where times count from. */
char *step_line(char *buf, size_t size, __u64 id, __s64 t_ns, const char *words);

#endif
