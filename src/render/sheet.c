/* SPDX-License-Identifier: MIT */
#include "sheet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void sheet_clear(struct sheet *s)
{
	s->rows = 0;
}

/* Rows come into being empty; columns before the text are filled with blanks. */
static void sheet_reach(struct sheet *s, unsigned int row, unsigned int x)
{
	while (s->rows <= row)
		s->end[s->rows++] = 0;
	while (s->end[row] < x) {
		s->ch[row][s->end[row]] = ' ';
		s->style[row][s->end[row]++] = STYLE_PLAIN;
	}
}

void sheet_put(struct sheet *s, unsigned int row, unsigned int x, const char *text, size_t len,
	       enum style style)
{
	if (row >= SHEET_ROWS || x >= SHEET_WIDTH)
		return;
	if (len > SHEET_WIDTH - x)
		len = SHEET_WIDTH - x;
	sheet_reach(s, row, x + (unsigned int)len);
	memcpy(s->ch[row] + x, text, len);
	memset(s->style[row] + x, (int)style, len);
}

bool sheet_is_free(const struct sheet *s, unsigned int row, unsigned int x, size_t len)
{
	unsigned int i, from = x ? x - 1 : 0;

	if (row >= s->rows)
		return row < SHEET_ROWS;
	for (i = from; i < x + len + 1 && i < s->end[row]; i++)
		if (s->ch[row][i] != ' ')
			return false;
	return true;
}

/* How many bytes of text go into one row: up to the last space that fits, else all that fits. */
static size_t wrap_at(const char *text, unsigned int width)
{
	size_t len = strlen(text), i;

	if (len <= width)
		return len;
	for (i = width; i > 0; i--)
		if (text[i] == ' ')
			return i;
	return width;
}

unsigned int sheet_wrap(struct sheet *s, unsigned int row, unsigned int x, unsigned int width,
			const char *text, enum style style)
{
	size_t n;

	if (!width)
		return row;
	while (*text) {
		n = wrap_at(text, width);
		if (row == SHEET_ROWS - 1 && text[n]) {
			sheet_put(s, row, x, text, n > 2 ? n - 2 : 0, style);
			sheet_put(s, row, x + (unsigned int)(n > 2 ? n - 2 : 0), "..",
				  n < 2 ? n : 2, style);
			return SHEET_ROWS;
		}
		sheet_put(s, row++, x, text, n, style);
		text += n;
		while (*text == ' ')
			text++;
	}
	return row;
}

static void write_char(char ch, const struct view *v)
{
	static const struct {
		const char *utf8, *ascii;
	} draw[] = {
		[DRAW_LINE] = { "\u2500", "-" },
		[DRAW_DOTS] = { "\u254c", "." },
		[DRAW_BLOCK] = { "\u2588", "#" },
	};

	if (ch >= DRAW_LINE && ch <= DRAW_BLOCK)
		fputs(v->tty ? draw[(int)ch].utf8 : draw[(int)ch].ascii, v->out);
	else
		putc_unlocked(ch, v->out);
}

static void write_row(const struct sheet *s, unsigned int row, const struct view *v)
{
	unsigned int i, end = s->end[row];
	enum style now = STYLE_PLAIN;

	while (end && s->ch[row][end - 1] == ' ')
		end--;
	for (i = 0; i < end; i++) {
		enum style style = s->style[row][i];

		if (v->color && style != now && s->ch[row][i] != ' ') {
			if (now != STYLE_PLAIN)
				fputs(STYLE_RESET, v->out);
			fputs(style_code(style), v->out);
			now = style;
		}
		write_char(s->ch[row][i], v);
	}
	if (now != STYLE_PLAIN)
		fputs(STYLE_RESET, v->out);
	putc('\n', v->out);
}

int sheet_write(const struct sheet *s, const struct view *v)
{
	unsigned int row;

	errno = 0;
	for (row = 0; row < s->rows; row++)
		write_row(s, row, v);
	if (v->line_flush)
		fflush(v->out);
	if (ferror(v->out))
		return errno ? -errno : -EIO;
	return 0;
}
