/* SPDX-License-Identifier: MIT */
/*
 * What the programs of a lab print, line by line, with the time at which it came. Bounded: a program
 * that prints more than LINES_BYTES is told off, not believed.
 */
#ifndef SOCKLENS_LAB_LINES_H
#define SOCKLENS_LAB_LINES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define LINES_BYTES 65536
#define LINES_MAX 2000

struct line {
	__u64 t_ns; /* boot clock, of its first byte */
	const char *text;
};

struct lines {
	char *bytes; /* LINES_BYTES + 1; every line ends with a zero instead of its newline */
	size_t len;
	struct line at[LINES_MAX];
	size_t n;
	bool open; /* the last one has no end yet */
	bool flood;
};

int lines_start(struct lines *l); /* 0 or -ENOMEM */
void lines_free(struct lines *l);
/* Bytes that came at that time; a zero byte becomes '?', all others stay: see page_shown(). */
void lines_add(struct lines *l, const char *bytes, size_t len, __u64 t_ns);

#endif
