/* SPDX-License-Identifier: MIT */
#include "question.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a line that only goes on belongs. */
struct parse {
	struct questions *q;
	struct buf *open; /* NULL: the text of the question */
	unsigned int line;
};

static struct question *current(struct parse *p)
{
	return p->q->n ? &p->q->at[p->q->n - 1] : NULL;
}

static int start_question(struct parse *p, const char *title)
{
	if (p->q->n == QUESTIONS_MAX)
		return -EINVAL;
	p->q->n++;
	current(p)->right = -1;
	p->open = NULL;
	return buf_puts(&current(p)->title, title);
}

/* "- A: text" */
static int start_choice(struct parse *p, const char *line)
{
	struct question *q = current(p);

	if (q->n == CHOICES_MAX || line[2] != 'A' + q->n)
		return -EINVAL;
	p->open = &q->choices[q->n++].text;
	return buf_puts(p->open, line + 5);
}

/* "> A: text" or "> A, right: text" */
static int start_belief(struct parse *p, const char *line)
{
	struct question *q = current(p);
	int i = line[2] - 'A';
	const char *colon = strchr(line, ':');

	if (i < 0 || i >= q->n || q->choices[i].belief.len || !colon || colon[1] != ' ')
		return -EINVAL;
	if (!strncmp(line + 3, ", right:", 8)) {
		if (q->right >= 0)
			return -EINVAL;
		q->right = i;
	} else if (colon != line + 3) {
		return -EINVAL;
	}
	p->open = &q->choices[i].belief;
	return buf_puts(p->open, colon + 2);
}

static int go_on(struct parse *p, const char *text)
{
	if (!p->open)
		return -EINVAL;
	return buf_printf(p->open, " %s", text);
}

static int parse_line(struct parse *p, const char *line)
{
	if (!strncmp(line, "## ", 3))
		return start_question(p, line + 3);
	if (!current(p))
		return 0; /* the head of the file */
	if (!strncmp(line, "- ", 2) && isupper((unsigned char)line[2]) && line[3] == ':' &&
	    line[4] == ' ')
		return start_choice(p, line);
	if (line[0] == '>' && line[1] == ' ' && isupper((unsigned char)line[2]) &&
	    (line[3] == ':' || line[3] == ','))
		return start_belief(p, line);
	if (line[0] == '>')
		return line[1] ? go_on(p, line + 2) : 0;
	if (!strncmp(line, "  ", 2) && p->open)
		return go_on(p, line + 2);
	p->open = NULL;
	if (current(p)->n && line[0])
		return -EINVAL; /* text behind the choices belongs to nothing */
	return current(p)->n ? 0 : buf_printf(&current(p)->text, "%s\n", line);
}

static int check_question(const struct question *q, char *err, size_t size)
{
	int i;

	if (q->n >= 2 && q->right >= 0)
		for (i = 0; i < q->n && q->choices[i].belief.len; i++)
			;
	else
		i = -1;
	if (i == q->n)
		return 0;
	snprintf(err, size,
		 "predict.md: '%s' needs at least two choices, one of them right, and for each "
		 "what it believes",
		 q->title.data);
	return -EINVAL;
}

static int check_all(const struct questions *q, char *err, size_t size)
{
	int i, ret = 0;

	if (!q->n) {
		snprintf(err, size, "predict.md has no question: a line that begins with '## '");
		return -EINVAL;
	}
	for (i = 0; !ret && i < q->n; i++)
		ret = check_question(&q->at[i], err, size);
	return ret;
}

int questions_parse(struct questions *q, const char *text, char *err, size_t size)
{
	struct parse p = { .q = q };
	char *copy = strdup(text), *line, *next;
	int ret = copy ? 0 : -ENOMEM;

	*q = (struct questions){ 0 };
	for (line = copy; !ret && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		p.line++;
		ret = parse_line(&p, line);
	}
	free(copy);
	if (ret == -EINVAL)
		snprintf(err, size, "predict.md, line %u: labs/README.md says how it is written",
			 p.line);
	else if (ret)
		snprintf(err, size, "out of memory");
	else
		ret = check_all(q, err, size);
	if (ret)
		questions_free(q);
	return ret;
}

static void question_free(struct question *q)
{
	int i;

	buf_free(&q->title);
	buf_free(&q->text);
	for (i = 0; i < CHOICES_MAX; i++) {
		buf_free(&q->choices[i].text);
		buf_free(&q->choices[i].belief);
	}
}

void questions_free(struct questions *q)
{
	int i;

	for (i = 0; i < q->n; i++)
		question_free(&q->at[i]);
	q->n = 0;
}

int questions_pick(const struct questions *q, const char *letters, int *picked, char *err,
		   size_t size)
{
	int i = 0, letter = 0;

	for (; *letters && *letters != '\n'; letters++) {
		if (*letters == ' ')
			continue;
		letter = toupper((unsigned char)*letters);
		if (i == q->n || letter < 'A' || letter >= 'A' + q->at[i].n)
			break;
		picked[i++] = letter - 'A';
	}
	if (i == q->n && (!*letters || *letters == '\n'))
		return 0;
	if (q->n == 1)
		snprintf(err, size, "the answer is one letter, from A to %c", 'A' + q->at[0].n - 1);
	else if (i < q->n && *letters && isalpha(letter))
		snprintf(err, size, "question %d has no choice %c, only A to %c", i + 1, letter,
			 'A' + q->at[i].n - 1);
	else
		snprintf(err, size,
			 "the answers are %d letters, one for each question, such as 'A%c'", q->n,
			 q->n > 2 ? 'B' : 'A');
	return -EINVAL;
}
