/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

#define PIECE_MAX 512 /* of text_printf() */
#define MARK_LEN 2

void text_start(struct text *t, char *buf, size_t size)
{
	*t = (struct text){ .at = buf, .size = size };
	if (size)
		buf[0] = '\0';
}

/* Where the mark goes at the latest. */
static size_t text_limit(const struct text *t)
{
	return t->size > MARK_LEN + 1 ? t->size - 1 - MARK_LEN : 0;
}

/* Put the mark behind what may stay, and close the text. */
static void text_mark(struct text *t)
{
	size_t dots;

	t->cut = true;
	if (!t->size)
		return;
	if (t->len > text_limit(t))
		t->len = t->safe;
	for (dots = 0; dots < MARK_LEN && t->len < t->size - 1; dots++)
		t->at[t->len++] = '.';
	t->at[t->len] = '\0';
}

static size_t text_room(const struct text *t)
{
	return t->size ? t->size - 1 - t->len : 0;
}

static void text_copy(struct text *t, const char *piece, size_t len)
{
	if (!t->size)
		return;
	memcpy(t->at + t->len, piece, len);
	t->len += len;
	t->at[t->len] = '\0';
}

void text_add(struct text *t, const char *piece)
{
	size_t len = strlen(piece), room = text_room(t);

	if (t->cut)
		return;
	text_copy(t, piece, len < room ? len : room);
	t->safe = t->len < text_limit(t) ? t->len : text_limit(t);
	if (len > room)
		text_mark(t);
}

void text_add_whole(struct text *t, const char *piece, size_t len)
{
	if (t->cut)
		return;
	if (len > text_room(t)) {
		text_mark(t);
		return;
	}
	text_copy(t, piece, len);
	if (t->len <= text_limit(t))
		t->safe = t->len;
}

void text_printf(struct text *t, const char *format, ...)
{
	char piece[PIECE_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	if (n < 0)
		return;
	text_add(t, piece);
	if ((size_t)n >= sizeof(piece) && !t->cut)
		text_mark(t);
}

/* size is more than the mark takes, and less than the sentence. */
static void leave_out_middle(char *buf, size_t size, const char *sentence)
{
	size_t head = utf8_cut(sentence, (size - 1 - MARK_LEN) / 2);
	const char *tail = sentence + strlen(sentence) - (size - 1 - MARK_LEN - head);

	while (((unsigned char)*tail & 0xc0) == 0x80)
		tail++;
	snprintf(buf, size, "%.*s..%s", (int)head, sentence, tail);
}

void text_sentence(char *buf, size_t size, const char *format, ...)
{
	char *sentence;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&sentence, format, args);
	va_end(args);
	if (len < 0) {
		snprintf(buf, size, "out of memory");
		return;
	}
	if ((size_t)len < size || size <= MARK_LEN + 1)
		snprintf(buf, size, "%s", sentence);
	else
		leave_out_middle(buf, size, sentence);
	free(sentence);
}
