/* SPDX-License-Identifier: MIT */
/*
 * Files we write: opened with the invoking user's rights, readable by nobody else.
 */
#ifndef SOCKLENS_CMD_OUTPUT_H
#define SOCKLENS_CMD_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "invoker.h"

/*
 * A file to write from its start, mode 0600; "-" is standard output. Where others can write, neither their links nor
 * their files are trusted: see place.h. A descriptor, or -EINVAL with one sentence in err.
 */
int output_open(const struct invoker *who, const char *path, char *err, size_t err_size);

/* That sentence: why path could not be opened to write (positive errno), and what to do. */
void output_explain(const char *path, int err, char *text, size_t size);

/*
 * A second stream on one of our own descriptors, so that it can be closed like a file. NULL: errno.
 */
FILE *output_dup(int fd);

/*
 * Large writes, before the first: whoever reads a pipe wakes up for each. For a stream that is flushed whenever something is
 * to be seen.
 */
void output_in_bulk(FILE *out);

/* Whoever read it is gone: the next write would fail with EPIPE. Always false for files. */
bool output_reader_gone(int fd);

/* Would opening both of these write to one file? Either may not exist yet. */
bool output_same_path(const char *a, const char *b);

/* Are these the same file on disk? */
bool output_same_file(int a, int b);

#endif
