/* SPDX-License-Identifier: MIT */
/*
 * One step in one line that stands alone: evidence is shown far from its neighbours.
 *
 *	  12     4.006 ms  client 5471  close(3)
 */
#ifndef SOCKLENS_RENDER_STEP_LINE_H
#define SOCKLENS_RENDER_STEP_LINE_H

#include "../model/model.h"

/* start_ns: boot clock; times count from there. Printable ASCII, terminated, cut with ".."; returns buf. */
char *step_line(char *buf, size_t size, const struct step *s, __u64 start_ns);

#endif
