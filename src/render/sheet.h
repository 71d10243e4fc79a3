/* SPDX-License-Identifier: MIT */
/*
 * A few rows of characters with styles: what is drawn before it is written. One byte is one
 * column; the drawing characters below become UTF-8 or ASCII only when the rows are written.
 */
#ifndef SOCKLENS_RENDER_SHEET_H
#define SOCKLENS_RENDER_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#include "color.h"
#include "render.h"

#define SHEET_WIDTH 512 /* columns at most, also where the view has no limit */
#define SHEET_ROWS 24

/* Text from outside is escaped before it comes here, so these bytes never come from a stranger. */
#define DRAW_LINE '\001'  /* - */
#define DRAW_DOTS '\002'  /* . */
#define DRAW_BLOCK '\003' /* # */

struct sheet {
	unsigned int rows;	      /* rows in use */
	unsigned int end[SHEET_ROWS]; /* columns in use, per row */
	char ch[SHEET_ROWS][SHEET_WIDTH];
	unsigned char style[SHEET_ROWS][SHEET_WIDTH]; /* enum style */
};

void sheet_clear(struct sheet *s);
/* Put len bytes at (row, x); what lies outside the sheet is dropped. */
void sheet_put(struct sheet *s, unsigned int row, unsigned int x, const char *text, size_t len,
	       enum style style);
/* Nothing but blanks from one column before x to one column behind x + len? */
bool sheet_is_free(const struct sheet *s, unsigned int row, unsigned int x, size_t len);
/* Break text at spaces into rows of at most width, from row on. Returns the row after the last. */
unsigned int sheet_wrap(struct sheet *s, unsigned int row, unsigned int x, unsigned int width,
			const char *text, enum style style);
/* Write the rows without trailing blanks. Returns 0 or a negative errno. */
int sheet_write(const struct sheet *s, const struct view *v);

#endif
