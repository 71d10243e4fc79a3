// SPDX-License-Identifier: MIT
#include "evidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render/step_line.h"
#include "render/zero.h"

#define LINE_MAX_BYTES 400

struct render {
	struct evidence *evidence;
	size_t next; /* index of the first id not met yet: steps come in order of their ids */
};

/* Where id is, or belongs. */
static size_t place(const struct evidence *e, __u64 id)
{
	size_t low = 0, high = e->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (e->ids[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int grow(struct evidence *e)
{
	size_t room = e->room ? 2 * e->room : 64;
	__u64 *ids = realloc(e->ids, room * sizeof(*ids));
	char **lines;

	if (!ids)
		return -ENOMEM;
	e->ids = ids;
	lines = realloc(e->lines, room * sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	e->lines = lines;
	e->room = room;
	return 0;
}

int evidence_want(struct evidence *e, __u64 id)
{
	size_t at = place(e, id);

	if (at < e->n && e->ids[at] == id)
		return 0;
	if (e->n == e->room && grow(e))
		return -ENOMEM;
	memmove(e->ids + at + 1, e->ids + at, (e->n - at) * sizeof(*e->ids));
	memmove(e->lines + at + 1, e->lines + at, (e->n - at) * sizeof(*e->lines));
	e->ids[at] = id;
	e->lines[at] = NULL;
	e->n++;
	return 0;
}

const char *evidence_line(const struct evidence *e, __u64 id)
{
	size_t at = place(e, id);

	return at < e->n && e->ids[at] == id ? e->lines[at] : NULL;
}

void evidence_free(struct evidence *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		free(e->lines[i]);
	free(e->ids);
	free(e->lines);
	free(e->times);
	*e = (struct evidence){ 0 };
}

/* --- as a consumer of a pipeline --- */

static struct render *reader_open(const struct view *v, const struct session_meta *meta)
{
	struct render *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	(void)meta;
	r->evidence = v->sink;
	return r;
}

static int reader_step(struct render *r, const struct step *s)
{
	struct evidence *e = r->evidence;
	char words[LINE_MAX_BYTES];

	while (r->next < e->n && e->ids[r->next] < s->id)
		r->next++;
	if (r->next == e->n || e->ids[r->next] != s->id)
		return 0;
	free(e->lines[r->next]);
	e->times[r->next] = s->t_ns;
	e->lines[r->next] = strdup(step_words(words, sizeof(words), s));
	return e->lines[r->next++] ? 0 : -ENOMEM;
}

static void reader_close(struct render *r)
{
	free(r);
}

static const struct renderer reader = {
	.name = "evidence",
	.open = reader_open,
	.step = reader_step,
	.close = reader_close,
};

/* Where times count from is known when all has been read. */
static int set_times(struct evidence *e)
{
	char line[LINE_MAX_BYTES + 32], *whole;
	size_t i;

	for (i = 0; i < e->n; i++) {
		if (!e->lines[i])
			continue;
		step_line(line, sizeof(line), e->ids[i], (__s64)(e->times[i] - e->zero_ns), e->lines[i]);
		whole = strdup(line);
		if (!whole)
			return -ENOMEM;
		free(e->lines[i]);
		e->lines[i] = whole;
	}
	return 0;
}

int evidence_read(struct evidence *e, struct recording *rec)
{
	struct pipeline *p = pipeline_new(LAYER_ALL);
	struct zero zero = { 0 };
	int err;

	if (!p)
		return -ENOMEM;
	e->times = calloc(e->n, sizeof(*e->times));
	if (!e->times) {
		pipeline_free(p);
		return -ENOMEM;
	}
	pipeline_view(p, &reader, &(struct view){ .sink = e });
	pipeline_view(p, &render_zero, &(struct view){ .sink = &zero });
	err = recording_run(rec, p);
	if (!err)
		err = pipeline_state(p)->view_err;
	e->zero_ns = zero.t_ns;
	if (!err)
		err = set_times(e);
	pipeline_free(p);
	return err;
}
