/* SPDX-License-Identifier: MIT */
/*
 * A byte buffer that grows, kept and reused by its owner. Start with { 0 }; an error sticks until
 * buf_reset(), so that a run of additions needs one look at the end.
 */
#ifndef SOCKLENS_UTIL_BUF_H
#define SOCKLENS_UTIL_BUF_H

#include <linux/types.h>
#include <stddef.h>

struct buf {
	char *data; /* len bytes and a terminating zero; NULL while nothing was added */
	size_t len;
	size_t cap;
	int err; /* 0 or -ENOMEM */
};

int buf_add(struct buf *b, const void *data, size_t len); /* 0 or -ENOMEM, as below */
int buf_puts(struct buf *b, const char *text);
int buf_u64(struct buf *b, __u64 value); /* in decimal */
int buf_s64(struct buf *b, __s64 value);
int buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_reset(struct buf *b); /* empty, memory kept, error forgotten */
void buf_free(struct buf *b);  /* memory given back; may be used again */

#endif
