/* SPDX-License-Identifier: MIT */
/*
 * The lines behind ids of events: a second pass over a recording that keeps a line for each step
 * asked for, and nothing of the others.
 */
#ifndef SOCKLENS_CMD_EVIDENCE_H
#define SOCKLENS_CMD_EVIDENCE_H

#include "recording.h"

struct evidence {
	__u64 *ids;   /* ascending, each once */
	char **lines; /* of the same index; NULL: the recording has no such step */
	__u64 *times; /* of the same index; boot clock */
	__u64 zero_ns; /* likewise: from where the times of these lines count, once they are read */
	size_t n, room;
};

/* Ask for an id; any order, repeats are ignored. 0 or -ENOMEM. */
int evidence_want(struct evidence *e, __u64 id);
/* Read the lines of all that were asked for, after recording_again(). 0 or a negative errno. */
int evidence_read(struct evidence *e, struct recording *rec);
const char *evidence_line(const struct evidence *e, __u64 id); /* NULL: none; valid until freed */
void evidence_free(struct evidence *e);

#endif
