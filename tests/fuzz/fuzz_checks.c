/* SPDX-License-Identifier: MIT */
/*
 * The parser of a file of checks; what is made of each check's SQL; and its sentences, filled in
 * from a row that holds what a program may have written. The SQL itself is not run: it may ask for
 * a thousand years of work.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "query/checks.h"

static char err[QUERY_ERROR + 80];

static void expect_sentence(void)
{
	expect_true(err[0] && memchr(err, 0, sizeof(err)), "what is refused is refused in words");
}

/* One run without events, loaded once: that takes a thousand times longer than a check. */
static struct query *loaded(void)
{
	const struct session_meta meta = { 0 };
	const struct frame_loss none = { 0 };
	static struct query *q;
	struct render *loader;

	if (q)
		return q;
	q = query_new(NULL, err, sizeof(err));
	expect_true(q, "there is a database");
	loader = query_loader.open(&(struct view){ .sink = q }, &meta);
	expect_true(loader && !query_loader.finish(loader, &none, true), "it can be loaded");
	query_loader.close(loader);
	return q;
}

static void look_at_check(struct check c)
{
	struct check_result r = { 0 };

	expect_true(c.name && c.name[0] && c.sentence[0] && c.sentence[1] && c.sql,
		    "a check has all its parts");
	err[0] = '\0';
	if (check_accepts(loaded(), &c, err, sizeof(err)))
		expect_sentence();
	err[0] = '\0';
	c.sql = "SELECT 1 AS pass, NULL AS evidence, char(27, 8238) || x'80ff' AS a, -1.5 AS n";
	if (check_run(loaded(), &c, &r, err, sizeof(err)))
		expect_sentence();
	else
		expect_true(r.passed && r.sentence && !r.n, "what is 1 is a pass");
	check_result_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct checks c;
	size_t i;

	memcpy(text, data, size);
	text[size] = '\0';
	err[0] = '\0';
	if (checks_parse(&c, text, err, sizeof(err))) {
		expect_sentence();
		expect_true(!c.n && !c.at, "nothing is left of a file that is refused");
	} else {
		for (i = 0; i < c.n; i++)
			look_at_check(c.at[i]);
		checks_free(&c);
	}
	free(text);
	return 0;
}
