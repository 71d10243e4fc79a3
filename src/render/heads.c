/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "../event/names.h"
#include "../util/clock.h"
#include "text.h"

static unsigned int stamp_width(enum stamp stamp)
{
	switch (stamp) {
	case STAMP_RELATIVE:
		return 9; /* "99999.999" */
	case STAMP_CLOCK:
		return 12; /* "14:03:07.042" */
	case STAMP_DATE:
		return 27; /* "2024-05-01T12:03:07.042917Z" */
	}
	return 9;
}

/* Conversations hidden before the first shown one (of a name look-up) do not count: the first is #1. */
unsigned int heads_number(const struct render *r, __u32 conn)
{
	return conn >= r->first_conn ? conn - r->first_conn + 1 : conn;
}

static unsigned int tag_width(const struct render *r)
{
	char tag[16];

	return r->multi ? (unsigned int)snprintf(tag, sizeof(tag), "#%u", heads_number(r, r->last_conn)) : 0;
}

static void layout(struct render *r, size_t time_len)
{
	unsigned int time_w = stamp_width(r->view.stamp);

	if (time_w < r->columns.time_w)
		time_w = r->columns.time_w;
	if (time_w < time_len)
		time_w = (unsigned int)time_len;
	columns_set(&r->columns, r->view.width, time_w, tag_width(r));
}

void heads_stamp(struct render *r, __u64 t_ns, char *buf, size_t size)
{
	__u64 real_ns = r->meta.start_unix_ns + (t_ns - r->meta.start_boot_ns);

	if (!r->t0_set) {
		r->t0_ns = t_ns;
		r->t0_set = true;
	}
	switch (r->view.stamp) {
	case STAMP_RELATIVE:
		fmt_ms(buf, size, (__s64)(t_ns - r->t0_ns));
		break;
	case STAMP_CLOCK:
		fmt_clock(buf, size, real_ns);
		break;
	case STAMP_DATE:
		fmt_date(buf, size, real_ns);
		break;
	}
	if (strlen(buf) > r->columns.time_w)
		layout(r, strlen(buf));
}

/* A text in the middle of the wire column, between runs of `fill`. */
static void wire_title(struct render *r, const char *text, char fill)
{
	char row[SHEET_WIDTH];
	size_t w = r->columns.wire_w, len = strlen(text), at;

	if (len + 2 > w)
		len = w > 2 ? w - 2 : 0;
	at = (w - len) / 2;
	memset(row, fill, w);
	memset(row + at - 1, ' ', len + 2);
	memcpy(row + at, text, len);
	sheet_put(&r->sheet, 0, r->columns.wire_x, row, w, STYLE_BOLD);
}

static int title(struct render *r)
{
	const struct columns *c = &r->columns;

	r->titled = true;
	sheet_clear(&r->sheet);
	if (r->view.stamp == STAMP_RELATIVE)
		sheet_put(&r->sheet, 0, c->time_w - 2, "ms", 2, STYLE_BOLD);
	sheet_put(&r->sheet, 0, c->x[0], "client", 6, STYLE_BOLD);
	wire_title(r, "wire", ' ');
	sheet_put(&r->sheet, 0, c->x[1], "server", 6, STYLE_BOLD);
	return sheet_write(&r->sheet, &r->view);
}

/* "127.0.0.1:40012   ===== #1 TCP =====   127.0.0.1:65430" */
static int conversation(struct render *r, const struct draft *d)
{
	const struct columns *c = &r->columns;
	char text[32];

	sheet_clear(&r->sheet);
	snprintf(text, sizeof(text), "#%u %s", heads_number(r, d->conn), d->head_kind);
	wire_title(r, text, '=');
	sheet_wrap(&r->sheet, 0, c->x[0], c->w[0], d->head[0], STYLE_BOLD);
	sheet_wrap(&r->sheet, 0, c->x[1], c->w[1], d->head[1], STYLE_BOLD);
	return sheet_write(&r->sheet, &r->view);
}

static int actor(struct render *r, const struct draft *d)
{
	struct line head = { .used = true };
	struct cell *cell = &head.cell[d->actor_side];
	char comm[80];

	fmt_escaped(comm, sizeof(comm), d->comm, strlen(d->comm));
	if (d->pid && d->pid != d->tid)
		snprintf(cell->call, sizeof(cell->call), "thread %u of process %u", d->tid, d->pid);
	else
		snprintf(cell->call, sizeof(cell->call), "process %u \"%s\"", d->tid, comm);
	cell->call_style = STYLE_BOLD;
	columns_draw(&r->columns, &r->sheet, &head);
	return sheet_write(&r->sheet, &r->view);
}

/* Tags come with the second conversation, and get wider with the tenth and the hundredth. */
static void note_conversation(struct render *r, __u32 conn)
{
	if (!r->first_conn)
		r->first_conn = conn;
	if (conn > r->last_conn)
		r->last_conn = conn;
	if (conn == r->first_conn && !r->multi)
		return;
	if (!r->multi)
		r->titled = false; /* the columns move: say again which is which */
	r->multi = true;
	layout(r, 0);
}

int heads_before(struct render *r, struct draft *d)
{
	int err = 0;

	if (!r->columns.width)
		layout(r, 0);
	if (d->conn)
		note_conversation(r, d->conn);
	heads_stamp(r, d->t_first_ns, d->line.time, sizeof(d->line.time));
	if (d->conn)
		snprintf(d->line.tag, sizeof(d->line.tag), "#%u", heads_number(r, d->conn));
	if (!r->titled)
		err = title(r);
	if (!err && d->head_kind[0]) {
		r->heads[d->conn % SHOWN_MAX] = d->conn;
		err = conversation(r, d);
	}
	if (!err && d->actor_side >= 0)
		err = actor(r, d);
	return err;
}
