/* SPDX-License-Identifier: MIT */
/*
 * lab predict: asks the questions of predict.md and keeps the answers; later, holds them against
 * what settle.sql finds in a recording.
 */
#define _GNU_SOURCE
#include "predict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "page.h"
#include "question.h"
#include "util/wrap.h"

#define EXIT_CHECK_AGAIN 2

static int read_questions(const struct session *s, struct questions *q)
{
	char *text = lab_text(s->lab->dir, "predict.md");
	char err[256];
	int ret;

	if (!text)
		return lab_fail("lab %s asks for no prediction; './lab show %s' says what to do",
				s->lab->name, s->lab->number);
	ret = questions_parse(q, text, err, sizeof(err));
	free(text);
	return ret ? lab_fail("lab %s: %s", s->lab->name, err) : 0;
}

/* --- asking --- */

static void print_choice(const char *what, int i, const struct buf *text)
{
	char label[32];

	snprintf(label, sizeof(label), "  %s  %c  ", what, 'A' + i);
	wrap_print(stdout, LAB_WIDTH, label, text->data);
}

static void print_question(const struct question *q, int number, int of)
{
	int i;

	if (of > 1)
		printf("\n%d of %d: %s\n", number, of, q->title.data);
	else
		printf("\n%s\n", q->title.data);
	printf("%s", q->text.data ? q->text.data : "");
	for (i = 0; i < q->n; i++)
		print_choice("", i, &q->choices[i].text);
}

static bool read_line(char *line, int size)
{
	fflush(stdout);
	if (!fgets(line, size, stdin))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* One letter into *letter. False: whoever was asked is gone. */
static bool ask_letter(const struct question *q, char *letter)
{
	struct questions one = { .n = 1 };
	char line[256], err[128];
	int picked;

	one.at[0] = *q; /* only read */
	for (;;) {
		printf("\nYour prediction: ");
		if (!read_line(line, sizeof(line)))
			return false;
		if (!questions_pick(&one, line, &picked, err, sizeof(err)))
			break;
		printf("%s", err);
	}
	*letter = (char)('A' + picked);
	return true;
}

static int keep(const struct session *s, const char *letters, const char *reasons)
{
	char text[QUESTIONS_MAX * 300], err[PATH_MAX + 128];

	snprintf(text, sizeof(text), "%s\n%s", letters, reasons);
	if (state_write(&s->state, STATE_PREDICTION, text, err, sizeof(err)))
		return lab_fail("%s", err);
	printf("\nKept. Now see: sudo ./lab run %s (without root: ./lab watch %s)\n",
	       s->lab->number, s->lab->number);
	return 0;
}

static int ask_all(const struct session *s, const struct questions *q)
{
	char letters[QUESTIONS_MAX + 1] = "", reasons[QUESTIONS_MAX * 260] = "", line[256];
	size_t len;
	int i;

	for (i = 0; i < q->n; i++) {
		print_question(&q->at[i], i + 1, q->n);
		if (!ask_letter(&q->at[i], &letters[i]))
			return lab_fail("no answer, nothing is kept; or give the letters: ./lab "
					"predict %s LETTERS",
					s->lab->number);
		printf("Because (one sentence, or just Enter): ");
		if (!read_line(line, sizeof(line)))
			line[0] = '\0';
		len = strlen(reasons);
		snprintf(reasons + len, sizeof(reasons) - len, "%s\n", line);
	}
	return keep(s, letters, reasons);
}

static int keep_letters(const struct session *s, const struct questions *q)
{
	char letters[QUESTIONS_MAX + 1] = "", err[128];
	int picked[QUESTIONS_MAX], i;

	if (questions_pick(q, s->opts.word, picked, err, sizeof(err)))
		return lab_fail("'%s' answers nothing: %s", s->opts.word, err);
	for (i = 0; i < q->n; i++)
		letters[i] = (char)('A' + picked[i]);
	return keep(s, letters, "");
}

int lab_predict(struct session *s)
{
	struct questions q;
	int status = read_questions(s, &q);

	if (status)
		return status;
	status = s->opts.word ? keep_letters(s, &q) : ask_all(s, &q);
	questions_free(&q);
	return status;
}

int predict_first(struct session *s)
{
	if (s->opts.skip_prediction || !lab_has(s->lab, "predict.md") ||
	    state_has(&s->state, STATE_PREDICTION))
		return 0;
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return lab_predict(s);
	lab_fail("first say what you expect: ./lab predict %s", s->lab->number);
	return EXIT_LAB_FAIL;
}

/* --- comparing --- */

/* The Nth block of what `trace check` printed: a line that begins at its left, and those below. */
static const char *block(const char *text, int n, size_t *len)
{
	const char *at = text, *line = text, *next;
	int i = -1;

	for (; *line; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (line[0] == ' ')
			continue;
		if (i == n)
			break;
		i++;
		at = line;
	}
	*len = (size_t)(line - at);
	return i == n ? at : NULL;
}

static void compare_one(const struct question *q, char predicted, const char *found, size_t len)
{
	const char *body = memchr(found, '\n', len);
	const char *end = found + len;
	int i = predicted - 'A';

	printf("\n%s\n", q->title.data);
	if (i >= 0 && i < q->n)
		print_choice("you said ", i, &q->choices[i].text);
	print_choice("it was   ", q->right, &q->choices[q->right].text);
	printf("  settled by\n");
	if (body)
		fwrite(body + 1, 1, (size_t)(end - body - 1), stdout);
	if (i >= 0 && i < q->n && i != q->right)
		print_choice("believing", i, &q->choices[i].belief);
	print_choice("because  ", q->right, &q->choices[q->right].belief);
}

static int run_again(const struct session *s)
{
	lab_fail("run it again: sudo ./lab run %s", s->lab->number);
	return EXIT_LAB_AGAIN;
}

static int compare_all(const struct session *s, const struct questions *q, const char *found)
{
	char *predicted = state_read(&s->state, STATE_PREDICTION);
	size_t len, n = predicted ? strcspn(predicted, "\n") : 0;
	const char *at;
	int i, status = 0;

	for (i = 0; !status && i < q->n; i++) {
		at = block(found, i, &len);
		if (!at || strncmp(at, "pass", 4)) {
			printf("\n%s\n  this run does not settle it:\n%.*s", q->at[i].title.data,
			       (int)(at ? len : 0), at ? at : "");
			status = EXIT_LAB_AGAIN;
			continue;
		}
		compare_one(&q->at[i], (size_t)i < n ? predicted[i] : ' ', at, len);
	}
	free(predicted);
	return status ? run_again(s) : 0;
}

int predict_compare(struct session *s, const char *recording)
{
	char sql[PATH_MAX];
	char *args[] = { "check", "--width", LAB_WIDTH_WORD, (char *)recording,
			 lab_path(sql, s->lab->dir, "settle.sql"), NULL };
	struct buf found = { 0 };
	struct questions q;
	int status;

	if (!lab_has(s->lab, "predict.md"))
		return 0;
	status = read_questions(s, &q);
	if (status)
		return status;
	status = page_trace(&s->user, cmd_check, args, &found);
	if (status == EXIT_CHECK_AGAIN) {
		page_undecided(&found);
		status = run_again(s);
	} else if (status < 0 || status > EXIT_CHECK_AGAIN || !found.data) {
		status = lab_fail("cannot hold the prediction against '%s'", recording);
	} else {
		status = compare_all(s, &q, found.data);
	}
	buf_free(&found);
	questions_free(&q);
	return status;
}
