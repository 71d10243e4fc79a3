/* SPDX-License-Identifier: MIT */
/*
 * Text into a buffer of fixed size: what does not fit is cut and marked with "..", never written
 * past the end, and always terminated. A size of 0 is allowed.
 */
#ifndef SOCKLENS_UTIL_TEXT_H
#define SOCKLENS_UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *at;
	size_t size; /* bytes of the buffer, the terminating zero included */
	size_t len;  /* characters so far */
	size_t safe; /* longest length so far where a cut and its mark may stand */
	bool cut;    /* something did not fit: nothing more is added */
};

void text_start(struct text *t, char *buf, size_t size);
/* Add one piece. A piece that does not fit is cut anywhere, the mark stands at the end. */
void text_add(struct text *t, const char *piece);
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Add one piece that must not be cut in its middle: whole, or the mark instead. */
void text_add_whole(struct text *t, const char *piece, size_t len);

/*
 * One sentence for people. Where it does not fit it loses its middle, where the words of others are,
 * and never its end, where the remedy is; no character is cut in two.
 */
void text_sentence(char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
