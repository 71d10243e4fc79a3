/* SPDX-License-Identifier: MIT */
#include "buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_CAP 256
#define DIGITS_MAX 20 /* of 2^64 - 1 */

/* Room for len bytes more and the terminating zero. */
static int buf_reserve(struct buf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST_CAP;
	char *data;

	if (b->err)
		return b->err;
	if (len >= (size_t)-1 / 2 - b->len)
		return b->err = -ENOMEM;
	while (cap <= b->len + len)
		cap *= 2;
	if (cap == b->cap)
		return 0;
	data = realloc(b->data, cap);
	if (!data)
		return b->err = -ENOMEM;
	b->data = data;
	b->cap = cap;
	return 0;
}

int buf_add(struct buf *b, const void *data, size_t len)
{
	/* A byte and its terminating zero fit more often than not. */
	int err = !b->err && len < b->cap - b->len ? 0 : buf_reserve(b, len);

	if (err)
		return err;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_puts(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

/* Rows and lines are numbers for the most part, and a format is read anew each time. */
int buf_u64(struct buf *b, __u64 value)
{
	char digits[DIGITS_MAX], *at = digits + DIGITS_MAX;

	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	return buf_add(b, at, (size_t)(digits + DIGITS_MAX - at));
}

int buf_s64(struct buf *b, __s64 value)
{
	if (value < 0)
		buf_add(b, "-", 1);
	return buf_u64(b, value < 0 ? 0 - (__u64)value : (__u64)value);
}

int buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int n, err;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		return b->err = -ENOMEM;
	err = buf_reserve(b, (size_t)n);
	if (err)
		return err;
	va_start(args, format);
	vsnprintf(b->data + b->len, (size_t)n + 1, format, args);
	va_end(args);
	b->len += (size_t)n;
	return 0;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->err = 0;
	if (b->data)
		b->data[0] = '\0';
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}
