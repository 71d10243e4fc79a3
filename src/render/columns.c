/* SPDX-License-Identifier: MIT */
#include "columns.h"

#include <stdio.h>
#include <string.h>

#define WIDTH_FREE 120 /* layout where the view has no limit: only the last column is open */
#define ARROW_TRIM 4   /* "- " and " >" around a label */
#define INDENT 2       /* of what continues a cell on a further row */
#define NOTE_GAP 2     /* between a call and its note */
#define NOTE_TAB 20    /* where a note behind a short call stands */
#define CLIENT_MAX 56  /* a wider client column only moves the wire away from its calls */

static unsigned int wire_width(unsigned int width)
{
	if (width < 100)
		return 16;
	return width < 160 ? 22 : 46;
}

void columns_set(struct columns *c, unsigned int width, unsigned int time_w, unsigned int tag_w)
{
	unsigned int layout = width ? width : WIDTH_FREE, gap, room;

	if (layout < COLUMNS_MIN)
		layout = COLUMNS_MIN;
	if (layout > SHEET_WIDTH)
		layout = SHEET_WIDTH;
	gap = layout < 100 ? 1 : 2;
	c->time_w = time_w;
	c->tag_x = time_w + 1;
	c->tag_w = tag_w;
	c->x[0] = time_w + gap + (tag_w ? tag_w + 1 : 0);
	room = layout - c->x[0] - 2 * gap;
	c->wire_w = wire_width(layout);
	if (c->wire_w > room / 3)
		c->wire_w = room / 3;
	c->w[0] = (room - c->wire_w) / 2;
	if (c->w[0] > CLIENT_MAX)
		c->w[0] = CLIENT_MAX;
	c->wire_x = c->x[0] + c->w[0] + gap;
	c->x[1] = c->wire_x + c->wire_w + gap;
	c->width = width ? layout : SHEET_WIDTH;
	c->w[1] = c->width - c->x[1];
	c->wide = layout >= 160;
}

bool columns_fit(const struct columns *c, enum side side, size_t len)
{
	return len <= c->w[side];
}

size_t columns_label_max(const struct columns *c)
{
	return c->wire_w - ARROW_TRIM;
}

static bool cell_is_empty(const struct cell *c)
{
	return !c->call[0] && !c->n_notes && !c->n_remarks;
}

/* Label and, where it fits, the detail. */
static size_t arrow_text(const struct columns *c, const struct arrow *a, char *buf, size_t size)
{
	size_t max = columns_label_max(c);

	snprintf(buf, size, "%s", a->label);
	if (c->wide && a->detail[0] && strlen(a->label) + 2 + strlen(a->detail) <= max)
		snprintf(buf, size, "%s  %s", a->label, a->detail);
	if (strlen(buf) > max && max > 2) {
		buf[max - 2] = buf[max - 1] = '.';
		buf[max] = '\0';
	}
	return strlen(buf);
}

static void draw_arrow(const struct columns *c, struct sheet *s, const struct arrow *a)
{
	char shaft[SHEET_WIDTH], label[128];
	size_t len = arrow_text(c, a, label, sizeof(label)), w = c->wire_w, at;

	memset(shaft, a->light ? DRAW_DOTS : DRAW_LINE, w);
	if (a->from == SIDE_CLIENT)
		shaft[w - 1] = '>';
	if (a->from == SIDE_SERVER)
		shaft[0] = '<';
	/* The label stands near its sender: two characters of shaft, or one where it is tight. */
	at = len + ARROW_TRIM + 1 <= w ? 3 : 2;
	if (a->from == SIDE_SERVER)
		at = w - at - len;
	shaft[at - 1] = ' ';
	memcpy(shaft + at, label, len);
	shaft[at + len] = ' ';
	sheet_put(s, 0, c->wire_x, shaft, w, a->style);
}

/* A call may run into the columns beside it while they are empty: its row is its own. */
static void draw_call(const struct columns *c, struct sheet *s, const struct line *l,
		      enum side side)
{
	const struct cell *cell = &l->cell[side];
	bool alone = !l->arrow.used && cell_is_empty(&l->cell[!side]);
	unsigned int x = c->x[side], w = c->w[side], len = (unsigned int)strlen(cell->call);

	if (alone && side == SIDE_CLIENT)
		w = c->width - x;
	if (alone && side == SIDE_SERVER && len > w) {
		x = c->width - c->x[0] > len ? c->width - len : c->x[0];
		w = c->width - x;
	}
	sheet_wrap(s, 0, x, w, cell->call, cell->call_style);
}

/* First row at or after `row` where len characters are free at x. */
static unsigned int free_row(const struct sheet *s, unsigned int row, unsigned int x, size_t len)
{
	while (row < SHEET_ROWS && !sheet_is_free(s, row, x, len))
		row++;
	return row;
}

/*
 * Notes stand beside the wire: at the right edge of the client's cell, at the left edge of the
 * server's, or behind the server's call. Where there is no room they go below.
 */
static void draw_note(const struct columns *c, struct sheet *s, const struct cell *cell,
		      enum side side, const struct note *n)
{
	unsigned int len = (unsigned int)strlen(n->text), call = (unsigned int)strlen(cell->call);
	unsigned int edge = c->x[side] + c->w[side], row = 0, x = c->x[side];

	if (side == SIDE_CLIENT)
		x = edge - c->x[0] > len ? edge - len : c->x[0];
	else if (call)
		x += call + NOTE_GAP < NOTE_TAB ? NOTE_TAB : call + NOTE_GAP;
	if (x + len > c->width || !sheet_is_free(s, 0, x - !!call, len + !!call)) {
		if (n->optional)
			return;
		if (side == SIDE_SERVER)
			x = c->x[1] + (call ? INDENT : 0);
		if (x + len > c->width)
			x = c->width > len + c->x[0] ? c->width - len : c->x[0];
		row = free_row(s, 1, x, len);
	}
	sheet_wrap(s, row, x, c->width - x, n->text, n->style);
}

static void draw_notes(const struct columns *c, struct sheet *s, const struct cell *cell,
		       enum side side)
{
	unsigned int i;

	for (i = 0; i < cell->n_notes; i++)
		draw_note(c, s, cell, side, &cell->notes[i]);
}

/* Beside the call if there is room, else below it, running towards the wire if it must. */
static void draw_remark(const struct columns *c, struct sheet *s, const struct line *l,
			enum side side, const char *text)
{
	unsigned int call = (unsigned int)strlen(l->cell[side].call),
		     len = (unsigned int)strlen(text);
	unsigned int x = c->x[side] + call + INDENT, row;

	if (side == SIDE_CLIENT && !l->arrow.used && x < c->wire_x)
		x = c->wire_x;
	if (x + len <= c->width && sheet_is_free(s, 0, x, c->width - x)) {
		sheet_put(s, 0, x, text, len, STYLE_REMARK);
		return;
	}
	x = c->x[side] + INDENT;
	if (side == SIDE_SERVER && x + len > c->width)
		x = c->width - c->x[0] - INDENT > len ? c->width - len : c->x[0] + INDENT;
	row = free_row(s, 1, x, c->width - x < len ? c->width - x : len);
	sheet_wrap(s, row, x, c->width - x, text, STYLE_REMARK);
}

void columns_draw(const struct columns *c, struct sheet *s, const struct line *l)
{
	size_t time_len = strlen(l->time);
	unsigned int i, side;

	sheet_clear(s);
	sheet_put(s, 0, time_len < c->time_w ? c->time_w - (unsigned int)time_len : 0, l->time,
		  time_len, STYLE_DIM);
	if (c->tag_w)
		sheet_put(s, 0, c->tag_x, l->tag, strlen(l->tag), STYLE_BOLD);
	if (l->arrow.used)
		draw_arrow(c, s, &l->arrow);
	for (side = 0; side < 2; side++)
		if (l->cell[side].call[0])
			draw_call(c, s, l, (enum side)side);
	for (side = 0; side < 2; side++)
		draw_notes(c, s, &l->cell[side], (enum side)side);
	for (side = 0; side < 2; side++)
		for (i = 0; i < l->cell[side].n_remarks; i++)
			draw_remark(c, s, l, (enum side)side, l->cell[side].remarks[i]);
}
