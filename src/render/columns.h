/* SPDX-License-Identifier: MIT */
/*
 * The layout: time | tag | client | wire | server, and where each line's parts go in it.
 * Nothing is ever cut that fits on a further row, and no row is longer than the view allows.
 */
#ifndef SOCKLENS_RENDER_COLUMNS_H
#define SOCKLENS_RENDER_COLUMNS_H

#include "sheet.h"

/* A narrower view is laid out as if it were this wide. */
#define COLUMNS_MIN 60

enum side { SIDE_CLIENT = 0, SIDE_SERVER = 1 };

struct columns {
	unsigned int width; /* of all */
	unsigned int time_w;
	unsigned int tag_x, tag_w; /* tag_w 0: no such column */
	unsigned int x[2], w[2];   /* by enum side */
	unsigned int wire_x, wire_w;
	bool wide; /* room for sequence numbers */
};

/* width 0: no limit. */
void columns_set(struct columns *c, unsigned int width, unsigned int time_w, unsigned int tag_w);

struct note {
	char text[72];
	enum style style;
	bool optional;	/* says nothing new: only shown where there is room beside the call */
	__u32 state_of; /* sid whose TCP state this is, 0 = none */
};

#define CELL_NOTES 4
#define CELL_REMARKS 2

/* One end's part of a line: what the application did, what the kernel did, what to learn. */
struct cell {
	char call[400];
	enum style call_style;
	struct note notes[CELL_NOTES];
	unsigned int n_notes;
	char remarks[CELL_REMARKS][160];
	unsigned int n_remarks;
	__u32 sid; /* socket it is about, 0 = none */
};

struct arrow {
	bool used;
	int from;	 /* enum side, -1 = unknown */
	char label[48];	 /* "14 B, PSH" */
	char detail[64]; /* "seq 1 ack 1 win 65536", only where there is room */
	enum style style;
	bool light; /* a pure acknowledgement */
};

struct line {
	bool used;
	char time[40];
	char tag[16];
	struct cell cell[2]; /* by enum side */
	struct arrow arrow;
};

/* Does a call of this length share its row with an arrow? */
bool columns_fit(const struct columns *c, enum side side, size_t len);
/* Longest label of an arrow that is not cut. */
size_t columns_label_max(const struct columns *c);
void columns_draw(const struct columns *c, struct sheet *s, const struct line *l);

#endif
