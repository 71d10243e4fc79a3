/* SPDX-License-Identifier: MIT */
#include "checks.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../util/text.h"

/* A file being read, line by line. */
struct reading {
	struct checks *checks;
	struct buf sql; /* of the check at hand */
	unsigned int line;
	char *err;
	size_t err_size;
};

static int complain(const struct reading *r, const char *what)
{
	text_sentence(r->err, r->err_size, "line %u: %s", r->line, what);
	return -EINVAL;
}

static bool is_blank(const char *text)
{
	return !text[strspn(text, " \t\r\n")];
}

/* "-- WORD: rest": the rest without blanks around it, in our own memory; NULL: not that. */
static const char *header_rest(const char *line, const char *word, size_t *len)
{
	size_t word_len = strlen(word);

	line += strspn(line, " \t");
	if (strncmp(line, "--", 2))
		return NULL;
	line += 2 + strspn(line + 2, " \t");
	if (strncasecmp(line, word, word_len) || line[word_len] != ':')
		return NULL;
	line += word_len + 1;
	line += strspn(line, " \t");
	*len = strcspn(line, "\r\n");
	while (*len && isspace((unsigned char)line[*len - 1]))
		--*len;
	return line;
}

/* The check at hand has all its lines. */
static int end_check(struct reading *r)
{
	struct check *c = r->checks->n ? &r->checks->at[r->checks->n - 1] : NULL;

	if (!c)
		return 0;
	if (r->sql.err)
		return r->sql.err;
	c->sql = strdup(r->sql.data ? r->sql.data : "");
	buf_reset(&r->sql);
	return c->sql ? 0 : -ENOMEM;
}

static bool name_taken(const struct checks *c, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strlen(c->at[i].name) == len && !memcmp(c->at[i].name, name, len))
			return true;
	return false;
}

static int start_check(struct reading *r, const char *name, size_t len)
{
	struct checks *c = r->checks;
	struct check *more;
	char text[160];
	int err = end_check(r);

	if (err)
		return err;
	if (!len)
		return complain(r, "a check needs a name: '-- check: NAME'");
	if (name_taken(c, name, len)) {
		text_sentence(text, sizeof(text),
			      "there is a check '%.*s' already; give it another name", (int)len,
			      name);
		return complain(r, text);
	}
	more = realloc(c->at, (c->n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	c->at = more;
	c->at[c->n] = (struct check){ .name = strndup(name, len), .line = r->line };
	return c->at[c->n++].name ? 0 : -ENOMEM;
}

static int add_sentence(struct reading *r, bool pass, const char *text, size_t len)
{
	struct check *c = r->checks->n ? &r->checks->at[r->checks->n - 1] : NULL;
	char **sentence, *longer;
	size_t before;

	if (!c)
		return complain(r, "a check begins with its name: '-- check: NAME'");
	sentence = &c->sentence[pass];
	before = *sentence ? strlen(*sentence) : 0;
	longer = realloc(*sentence, before + len + 2);
	if (!longer)
		return -ENOMEM;
	*sentence = longer;
	snprintf(longer + before, len + 2, "%s%.*s", before ? " " : "", (int)len, text);
	return 0;
}

static bool is_comment(const char *line)
{
	line += strspn(line, " \t");
	return !strncmp(line, "--", 2) || !*line || *line == '\n' || *line == '\r';
}

static int read_line(struct reading *r, const char *line, size_t whole)
{
	const char *rest;
	size_t len;

	rest = header_rest(line, "check", &len);
	if (rest)
		return start_check(r, rest, len);
	rest = header_rest(line, "pass", &len);
	if (rest)
		return add_sentence(r, true, rest, len);
	rest = header_rest(line, "fail", &len);
	if (rest)
		return add_sentence(r, false, rest, len);
	if (!r->checks->n && !is_comment(line))
		return complain(r, "SQL before the first '-- check: NAME'");
	/* Comment lines stay, too: line numbers in SQL do not matter, and its text is whole. */
	return r->checks->n ? buf_add(&r->sql, line, whole) : 0;
}

static int judge(const struct reading *r)
{
	const struct check *c = r->checks->at;
	const char *missing;

	if (!r->checks->n) {
		text_sentence(r->err, r->err_size,
			      "it has no check: one begins with '-- check: NAME'");
		return -EINVAL;
	}
	for (; c < r->checks->at + r->checks->n; c++) {
		missing = !c->sentence[1]  ? "'-- pass: SENTENCE'" :
			  !c->sentence[0]  ? "'-- fail: HINT'" :
			  is_blank(c->sql) ? "SELECT" :
					     NULL;
		if (!missing)
			continue;
		text_sentence(r->err, r->err_size, "check '%s' has no %s", c->name, missing);
		return -EINVAL;
	}
	return 0;
}

int checks_parse(struct checks *c, const char *text, char *err, size_t size)
{
	struct reading r = { .checks = c, .err = err, .err_size = size };
	size_t len;
	int ret = 0;

	*c = (struct checks){ 0 };
	for (; !ret && *text; text += len) {
		len = strcspn(text, "\n");
		len += text[len] == '\n';
		r.line++;
		ret = read_line(&r, text, len);
	}
	if (!ret)
		ret = end_check(&r);
	if (!ret)
		ret = judge(&r);
	buf_free(&r.sql);
	if (ret)
		checks_free(c);
	return ret;
}

void checks_free(struct checks *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->at[i].name);
		free(c->at[i].sentence[0]);
		free(c->at[i].sentence[1]);
		free(c->at[i].sql);
	}
	free(c->at);
	*c = (struct checks){ 0 };
}
