// SPDX-License-Identifier: MIT
#include "verdict_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "columns.h"
#include "sheet.h"

#define INDENT 5       /* of everything below the question */
#define LABEL_W 10     /* "evidence  " */
#define RULE_W 26      /* longest name of a rule, and some */
#define WIDTH_FREE 100 /* where the output has no width of its own */

static unsigned int text_width(const struct view *v)
{
	if (!v->width)
		return WIDTH_FREE;
	if (v->width > SHEET_WIDTH)
		return SHEET_WIDTH;
	return v->width < COLUMNS_MIN ? COLUMNS_MIN : v->width;
}

static int write_row(const struct verdict_text *t, unsigned int x, const char *label,
		     const char *text, enum style style)
{
	static struct sheet sheet;
	unsigned int at = x + LABEL_W;

	sheet_clear(&sheet);
	sheet_put(&sheet, 0, x, label, strlen(label), STYLE_DIM);
	sheet_wrap(&sheet, 0, at, text_width(t->view) - at, text, style);
	return sheet_write(&sheet, t->view);
}

static int write_question(const struct verdict_text *t, unsigned int n, const struct verdict *v)
{
	static struct sheet sheet;
	char number[24], where[96];
	enum style style = v->weight == WEIGHT_ALARM ? STYLE_ALARM : STYLE_BOLD;
	unsigned int row;
	size_t len;

	sheet_clear(&sheet);
	snprintf(number, sizeof(number), "%*u", INDENT - 1, n);
	sheet_put(&sheet, 0, 0, number, strlen(number), STYLE_DIM);
	row = sheet_wrap(&sheet, 0, INDENT, text_width(t->view) - INDENT, v->question, style);
	len = (size_t)snprintf(where, sizeof(where), "%s, %s, at %.3f ms", weight_name(v->weight),
			       v->rule->name, (double)(__s64)(v->t_ns - t->start_ns) / 1e6);
	if (row == 1 && INDENT + strlen(v->question) + 2 + len <= text_width(t->view))
		sheet_put(&sheet, 0, text_width(t->view) - (unsigned int)len, where, len,
			  STYLE_DIM);
	else
		sheet_put(&sheet, row, INDENT, where, len, STYLE_DIM);
	return sheet_write(&sheet, t->view);
}

static int write_evidence(const struct verdict_text *t, const struct verdict *v,
			  const char *const lines[VERDICT_EVIDENCE])
{
	char text[32];
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < v->n_evidence; i++) {
		snprintf(text, sizeof(text), "event %llu", (unsigned long long)v->evidence[i]);
		err = write_row(t, INDENT, i ? "" : "evidence", lines[i] ? lines[i] : text,
				STYLE_PLAIN);
	}
	return err;
}

int verdict_write(const struct verdict_text *t, unsigned int number, const struct verdict *v,
		  const char *const lines[VERDICT_EVIDENCE])
{
	char sure[sizeof(v->basis) + 24];
	int err = write_question(t, number, v);

	if (!err)
		err = write_row(t, INDENT, "because", v->cause, STYLE_REMARK);
	snprintf(sure, sizeof(sure), "inferred from %s", v->basis);
	if (!err)
		err = write_row(t, INDENT, "certainty", v->basis[0] ? sure : "proved", STYLE_PLAIN);
	if (!err)
		err = write_evidence(t, v, lines);
	if (!err && v->remedy[0])
		err = write_row(t, INDENT, "to do", v->remedy, STYLE_PLAIN);
	if (!err && putc('\n', t->view->out) == EOF)
		err = -EIO;
	return err;
}

int verdict_write_rule(const struct verdict_text *t, const struct rule *r)
{
	static struct sheet sheet;
	const unsigned int weight_x = RULE_W, about_x = RULE_W + 7;

	sheet_clear(&sheet);
	sheet_put(&sheet, 0, 0, r->name, strlen(r->name), STYLE_BOLD);
	sheet_put(&sheet, 0, weight_x, weight_name(r->weight), strlen(weight_name(r->weight)),
		  r->weight == WEIGHT_ALARM ? STYLE_ALARM : STYLE_DIM);
	sheet_wrap(&sheet, 0, about_x, text_width(t->view) - about_x, r->about, STYLE_PLAIN);
	return sheet_write(&sheet, t->view);
}
