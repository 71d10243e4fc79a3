/* SPDX-License-Identifier: MIT */
/* Files of checks: what is one, and that nothing but a SELECT that says 1 is a pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "query/checks.h"
#include "query_ask.h"

#define HEAD "-- check: c\n-- pass: good\n-- fail: bad\n"

/* A database with events 1 to 3. */
static struct query *three_events(void)
{
	struct query *q = query_empty();
	struct render *r = load_begin(q);
	__u64 id;

	for (id = 1; id <= 3; id++)
		query_loader.step(r, &(struct step){ .id = id, .kind = STEP_LOST });
	assert_int_equal(load_end(r, &(struct frame_loss){ 0 }), 0);
	return q;
}

static void refuse_file(const char *text, const char *because)
{
	struct checks c;
	char err[QUERY_ERROR] = "";

	if (checks_parse(&c, text, err, sizeof(err)) != -EINVAL || !strstr(err, because))
		fail_msg("'%s' gave '%s' and not '%s'", text, err, because);
}

static void test_what_is_no_file_of_checks(void **state)
{
	(void)state;
	refuse_file("", "no check");
	refuse_file("-- only a comment\n", "no check");
	refuse_file("SELECT 1 AS pass;\n", "line 1: SQL before");
	refuse_file("-- pass: good\n" HEAD "SELECT 1", "line 1: a check begins with its name");
	refuse_file("-- check:\nSELECT 1", "line 1: a check needs a name");
	refuse_file(HEAD "SELECT 1;\n" HEAD "SELECT 1;\n", "line 5: there is a check 'c' already");
	refuse_file("-- check: c\n-- pass: good\nSELECT 1", "'c' has no '-- fail: HINT'");
	refuse_file("-- check: c\n-- fail: bad\nSELECT 1", "'c' has no '-- pass: SENTENCE'");
	refuse_file(HEAD, "'c' has no SELECT");
	refuse_file(HEAD "\n\n"
			 "-- check: d\n-- pass: x\n-- fail: y\nSELECT 1",
		    "'c' has no SELECT");
}

static void test_a_file_of_checks(void **state)
{
	struct checks c;
	char err[QUERY_ERROR];

	(void)state;
	assert_int_equal(checks_parse(&c,
				      "-- what this is about\n\n--check:  a b \r\n-- PASS: one\n"
				      "-- pass:  two\n  -- fail: no\nSELECT 1 -- pass\n, 2;\n"
				      "-- check: z\n-- fail: f\n-- pass: p\nSELECT 3",
				      err, sizeof(err)),
			 0);
	assert_int_equal(c.n, 2);
	assert_string_equal(c.at[0].name, "a b");
	assert_string_equal(c.at[0].sentence[1], "one two");
	assert_string_equal(c.at[0].sentence[0], "no");
	assert_string_equal(c.at[0].sql, "SELECT 1 -- pass\n, 2;\n");
	assert_int_equal(c.at[0].line, 3);
	assert_string_equal(c.at[1].name, "z");
	assert_string_equal(c.at[1].sql, "SELECT 3");
	checks_free(&c);
}

/* Run one check: 0 with *r, or the sentence in err. */
static int run(const char *sql, struct check_result *r, char *err)
{
	struct query *q = three_events();
	struct check c = { .name = "c", .sentence = { "bad {n}", "good {n} {N} {n-} {}" } };
	int ret;

	c.sql = (char *)sql;
	ret = check_run(q, &c, r, err, QUERY_ERROR);
	query_free(q);
	return ret;
}

static void expect(const char *sql, bool passed, const char *sentence, const char *ids)
{
	struct check_result r;
	char err[QUERY_ERROR], text[64] = "";
	size_t i, len = 0;

	if (run(sql, &r, err))
		fail_msg("'%s': %s", sql, err);
	for (i = 0; i < r.n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%llu", i ? "," : "",
					(unsigned long long)r.evidence[i]);
	assert_int_equal(r.passed, passed);
	assert_string_equal(r.sentence, sentence);
	assert_string_equal(text, ids);
	check_result_free(&r);
}

static void test_a_check_says_pass_or_fail(void **state)
{
	(void)state;
	expect("SELECT 1 AS pass, 7 AS n", true, "good 7 7 {n-} {}", "");
	expect("SELECT 0 AS pass, 'x' AS n", false, "bad x", "");
	expect("SELECT 1 = 1 AS Pass, NULL AS n", true, "good nothing nothing {n-} {}", "");
	expect("SELECT 1 AS pass, 2 AS evidence, 1.5 AS n", true, "good 1.5 1.5 {n-} {}", "2");
	expect("SELECT 0 AS pass, ' 3, 1,3 2' AS evidence, 1 AS n", false, "bad 1", "1,2,3");
	/* The first row decides; all give evidence. */
	expect("SELECT id = 1 AS pass, id AS evidence, id AS n FROM event ORDER BY id", true,
	       "good 1 1 {n-} {}", "1,2,3");
	expect("SELECT id = 1 AS pass, id AS evidence, id AS n FROM event ORDER BY id DESC", false,
	       "bad 3", "1,2,3");
	expect("SELECT count(*) = 9 AS pass, NULL AS evidence, 0 AS n FROM event", false, "bad 0",
	       "");
}

static void refuse(const char *sql, const char *because)
{
	struct check_result r;
	char err[QUERY_ERROR] = "";

	if (run(sql, &r, err) != -EINVAL || !strstr(err, because) || !strstr(err, "check 'c'"))
		fail_msg("'%s' gave '%s' and not '%s'", sql, err, because);
	assert_null(r.sentence);
	assert_null(r.evidence);
}

static void test_nothing_else_is_a_pass(void **state)
{
	(void)state;
	refuse("SELECT 1 AS pass, 1 AS n WHERE 0", "yields no row");
	refuse("SELECT NULL AS pass, 1 AS n", "is NULL");
	refuse("SELECT 2 AS pass, 1 AS n", "is 2");
	refuse("SELECT -1 AS pass, 1 AS n", "is -1");
	refuse("SELECT 1.0 AS pass, 1 AS n", "is 1.0");
	refuse("SELECT '1' AS pass, 1 AS n", "must be 1 or 0");
	refuse("SELECT 1 AS passed, 1 AS n", "no column 'pass'");
	refuse("SELECT 1 AS pass", "{n}");
	refuse("SELECT 1 AS pass, nope AS n", "no such column");
	refuse("SELECT 1 AS pass, 1 AS n; SELECT 1", "one SELECT at a time");
	refuse("DELETE FROM event", "only SELECT is allowed");
	refuse("SELECT 1 AS pass, 99 AS evidence, 1 AS n", "event 99");
	refuse("SELECT 1 AS pass, 0 AS evidence, 1 AS n", "event 0");
	refuse("SELECT 1 AS pass, '1,x' AS evidence, 1 AS n", "has evidence 'x'");
	refuse("SELECT 1 AS pass, '1;2' AS evidence, 1 AS n", "has evidence '1;2'");
	refuse("SELECT 1 AS pass, 1.5 AS evidence, 1 AS n", "has evidence '1.5'");
	refuse("SELECT 1 AS pass, abs(-9223372036854775807 - id) AS n FROM event", "overflow");
}

static void test_a_check_is_judged_before_the_load(void **state)
{
	struct query *q = query_empty();
	struct check c = { .name = "c", .sentence = { "f", "p {n}" }, .sql = "SELECT 1 AS pass" };
	char err[QUERY_ERROR];

	(void)state;
	assert_int_equal(check_accepts(q, &c, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "{n}"));
	c.sql = "SELECT 1 AS pass, id AS n FROM event";
	assert_int_equal(check_accepts(q, &c, err, sizeof(err)), 0);
	query_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_no_file_of_checks),
		cmocka_unit_test(test_a_file_of_checks),
		cmocka_unit_test(test_a_check_says_pass_or_fail),
		cmocka_unit_test(test_nothing_else_is_a_pass),
		cmocka_unit_test(test_a_check_is_judged_before_the_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
