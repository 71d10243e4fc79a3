/* SPDX-License-Identifier: MIT */
/*
 * A file of named checks: SELECTs that say what must hold of a recording.
 *
 *     -- check: eof-after-all-bytes
 *     -- pass: recv() returned 0 only after all {bytes} bytes
 *     -- fail: recv() returned 0 after {bytes} of {sent} bytes: who closed first?
 *     SELECT in_read = in_written AS pass, id AS evidence, in_read AS bytes, ...
 *
 * The first row decides: its column `pass` is 1 or 0. Column `evidence`, of every row, names events:
 * an id, or a text such as '12,13'. {column} in a sentence is that column of the first row. Lines
 * "-- pass:" and "-- fail:" may come again and go on with the sentence. Other comments are allowed.
 */
#ifndef SOCKLENS_QUERY_CHECKS_H
#define SOCKLENS_QUERY_CHECKS_H

#include "query.h"

struct check {
	char *name;
	char *sentence[2]; /* when it fails, when it passes */
	char *sql;
	unsigned int line; /* of its name in the file */
};

struct checks {
	struct check *at;
	size_t n;
};

/* From the text of a file. 0, -ENOMEM, or -EINVAL with one sentence in err. */
int checks_parse(struct checks *c, const char *text, char *err, size_t size);
void checks_free(struct checks *c);

struct check_result {
	bool passed;
	char *sentence;	 /* the one that fits, columns filled in */
	__u64 *evidence; /* ids of events, ascending, each once */
	size_t n;
};

/*
 * Can it be run: one SELECT with a column `pass`, and every column its sentences name? Also before
 * the load. 0 or -EINVAL with one sentence in err, which names the check.
 */
int check_accepts(struct query *q, const struct check *c, char *err, size_t size);
/*
 * Run it. 0, -ENOMEM, or -EINVAL with one sentence in err: an SQL error, no row, a `pass` that is
 * neither 0 nor 1, evidence that names no event of the recording.
 */
int check_run(struct query *q, const struct check *c, struct check_result *r, char *err,
	      size_t size);
void check_result_free(struct check_result *r);

#endif
