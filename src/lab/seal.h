/* SPDX-License-Identifier: MIT */
/*
 * Notes in a recording: what an exercise was run with, how it ended, what its programs printed. So a
 * recording can be checked alone, later, by whoever has it. They are rows of the table `meta`:
 * lab.NAME, and for the Nth line said.N (its text) and said.N.t_ns (when, since tracing began).
 */
#ifndef SOCKLENS_LAB_SEAL_H
#define SOCKLENS_LAB_SEAL_H

#include <sys/types.h>

#include "lines.h"
#include "util/buf.h"

void seal_note(struct buf *notes, const char *name, const char *value);
void seal_number(struct buf *notes, const char *name, long long value);

/*
 * The recording `from` with these notes and lines as the new file `to` of that user, replacing what is
 * there. 0, or negative errno with one sentence in err.
 */
int seal(const char *from, const char *to, uid_t who, const struct buf *notes,
	 const struct lines *lines, char *err, size_t size);

#endif
