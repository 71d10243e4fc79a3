/* SPDX-License-Identifier: MIT */
/*
 * The recording: an append-only file of frames.
 */
#ifndef SOCKLENS_RECORD_H
#define SOCKLENS_RECORD_H

#include "frame.h"

#define RECORD_VERSION 1

struct record_writer;
/* fd: an open, empty, writable file; owned by the writer from now on. Buffered (1 MiB). NULL with errno set. */
struct record_writer *record_writer_new(int fd);
/* Append one frame. 0 or negative errno (-ENOSPC, ...); after an error the file is left readable up to there. */
int record_write(struct record_writer *w, const struct frame *f);
int record_flush(struct record_writer *w);
/* Write everything, clear the unfinished mark if `complete`, close, free. NULL is accepted. */
int record_writer_close(struct record_writer *w, int complete);

enum record_error {
	RECORD_OK = 0,
	RECORD_NOT_ONE = 1,	/* not a recording at all */
	RECORD_VERSION_NEW = 2, /* made by a newer version: *version says which */
	RECORD_IO = 3,		/* errno says what */
	RECORD_EMPTY = 4,	/* not a byte: whoever was to write it was ended before */
};
/* Opens path ("-" = standard input) as a source. On failure returns NULL and says why. */
struct source *record_open(const char *path, enum record_error *why, unsigned int *version);
/* The same on a descriptor, which is the source's from now on, also on failure. */
struct source *record_open_fd(int fd, enum record_error *why, unsigned int *version);
/* After the source ended: 1 if the file was cut short or never finished, and *at = bytes that were good. */
int record_was_cut(const struct source *s, __u64 *at);

#endif
