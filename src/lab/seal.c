/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/output.h"
#include "cmd/part.h"
#include "record/record.h"

void seal_note(struct buf *notes, const char *name, const char *value)
{
	buf_printf(notes, "lab.%s%c%s%c", name, 0, value, 0);
}

void seal_number(struct buf *notes, const char *name, long long value)
{
	buf_printf(notes, "lab.%s%c%lld%c", name, 0, value, 0);
}

/* The recorder's zero of time, from its META frame. */
static __u64 start_of(const struct frame *f)
{
	const char *at = f->data, *end = at + f->len, *value;

	while (at < end) {
		value = memchr(at, '\0', (size_t)(end - at));
		if (!value || ++value >= end || !memchr(value, '\0', (size_t)(end - value)))
			return 0;
		if (!strcmp(at, "start_boot_ns"))
			return strtoull(value, NULL, 10);
		at = value + strlen(value) + 1;
	}
	return 0;
}

static void add_lines(struct buf *b, const struct lines *lines, __u64 start_ns)
{
	size_t i;

	for (i = 0; i < lines->n; i++)
		buf_printf(b, "said.%zu%c%s%csaid.%zu.t_ns%c%lld%c", i + 1, 0, lines->at[i].text, 0,
			   i + 1, 0, (long long)(lines->at[i].t_ns - start_ns), 0);
}

/* Before the first record, as whoever reads META wants it. */
static int write_notes(struct record_writer *w, const struct buf *notes, const struct lines *lines,
		       __u64 start_ns)
{
	struct frame f = { .type = FRAME_META };
	struct buf b = { 0 };
	int err;

	buf_add(&b, notes->data, notes->len);
	add_lines(&b, lines, start_ns);
	f.data = b.data;
	f.len = b.len;
	err = b.err ? b.err : record_write(w, &f);
	buf_free(&b);
	return err;
}

/* All frames, the notes behind the first META. *complete: its end is there. */
static int copy_frames(struct source *s, struct record_writer *w, const struct buf *notes,
		       const struct lines *lines, int *complete)
{
	bool noted = false;
	struct frame f;
	int ret;

	*complete = 0;
	while ((ret = s->next(s, &f)) > 0) {
		ret = record_write(w, &f);
		if (!ret && f.type == FRAME_META && !noted) {
			noted = true;
			ret = write_notes(w, notes, lines, start_of(&f));
		}
		if (ret)
			return ret;
		*complete |= f.type == FRAME_END;
	}
	return ret;
}

struct sealed {
	struct source *from;
	const struct buf *notes;
	const struct lines *lines;
};

static int write_all(int fd, void *ctx)
{
	const struct sealed *what = ctx;
	struct record_writer *w = record_writer_new(fd);
	int complete, err, end;

	if (!w) {
		close(fd);
		return -ENOMEM;
	}
	err = copy_frames(what->from, w, what->notes, what->lines, &complete);
	end = record_writer_close(w, complete && !err);
	return err ? err : end;
}

int seal(const char *from, const char *to, uid_t who, const struct buf *notes,
	 const struct lines *lines, char *err, size_t size)
{
	enum record_error why;
	unsigned int version;
	struct sealed what = { record_open(from, &why, &version), notes, lines };
	int ret = -EIO;

	if (what.from) {
		ret = part_write(to, who, write_all, &what);
		what.from->close(what.from);
	}
	if (ret)
		output_explain(to, -ret, err, size);
	return ret;
}
