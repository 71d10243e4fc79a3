// SPDX-License-Identifier: MIT
/*
 * Verdicts below the line they belong to: "why" in the time column, the sentence over all the others.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../util/text.h"
#include "text.h"

struct why {
	struct why *next;
	__u32 conn;
	enum weight weight;
	char text[512];
};

static int why_say(struct render *r, const struct why *w)
{
	const char *word = w->weight == WEIGHT_ALARM ? "why!" : "why";
	enum style style = w->weight == WEIGHT_ALARM ? STYLE_ALARM : STYLE_REMARK;
	unsigned int width = r->columns.width ? r->columns.width : SHEET_WIDTH;
	unsigned int x = r->columns.tag_w ? r->columns.tag_x : r->columns.x[SIDE_CLIENT];
	size_t len = strlen(word);
	char tag[16];

	sheet_clear(&r->sheet);
	if (x >= len + 1)
		sheet_put(&r->sheet, 0, x - 1 - (unsigned int)len, word, len, style);
	if (r->columns.tag_w) {
		if (w->conn) {
			snprintf(tag, sizeof(tag), "#%u", heads_number(r, w->conn));
			sheet_put(&r->sheet, 0, x, tag, strlen(tag), STYLE_DIM);
		}
		x = r->columns.x[SIDE_CLIENT];
	}
	sheet_wrap(&r->sheet, 0, x, width > x + 20 ? width - x : 20, w->text, style);
	return sheet_write(&r->sheet, &r->view);
}

static void note_told(struct render *r, const struct verdict *v)
{
	struct conn_told *c = &r->told[v->conn % SHOWN_MAX];
	size_t i;

	if (!v->conn)
		return;
	if (c->conn != v->conn)
		*c = (struct conn_told){ .conn = v->conn };
	c->n++;
	for (i = 0; i < TOLD_RULES && v->weight != WEIGHT_ASIDE; i++) {
		if (c->rules[i] && c->rules[i] != v->rule)
			continue;
		c->n -= c->rules[i] == v->rule; /* the same once more */
		c->rules[i] = v->rule;
		break;
	}
}

char *why_names(struct render *r, __u32 conn, char *buf, size_t size)
{
	const struct conn_told *c = &r->told[conn % SHOWN_MAX];
	struct text t;
	unsigned int i;

	if (c->conn != conn || !c->n)
		return NULL;
	text_start(&t, buf, size);
	for (i = 0; i < TOLD_RULES && c->rules[i]; i++)
		text_printf(&t, "%s%s", i ? ", " : "", c->rules[i]->name);
	if (c->n > i)
		text_printf(&t, i ? " and %u more" : "%u", c->n - i);
	return buf;
}

/* What an inference rests on is said by `trace explain`; that it is one, here. */
int why_step(struct render *r, const struct verdict *v)
{
	struct why *w;
	int err;

	note_told(r, v);
	if (v->weight == WEIGHT_ASIDE)
		return 0;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->conn = v->conn;
	w->weight = v->weight;
	snprintf(w->text, sizeof(w->text), "%s%s", v->cause,
		 v->certainty == INFERRED ? " (inferred)" : "");
	if (!r->draft.line.used) {
		err = why_say(r, w);
		free(w);
		return err;
	}
	if (!r->draft.why)
		r->draft.why_tail = &r->draft.why;
	*r->draft.why_tail = w;
	r->draft.why_tail = &w->next;
	return 0;
}

int why_flush(struct render *r)
{
	struct why *w;
	int err = 0, next;

	while ((w = r->draft.why)) {
		r->draft.why = w->next;
		next = why_say(r, w);
		err = err ? err : next;
		free(w);
	}
	return err;
}

void why_free(struct render *r)
{
	struct why *w;

	while ((w = r->draft.why)) {
		r->draft.why = w->next;
		free(w);
	}
}
