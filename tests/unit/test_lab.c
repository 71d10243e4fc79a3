/* SPDX-License-Identifier: MIT */
/* What ./lab reads and draws: questions, variants, settings; what it shows of strangers' output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/lines.h"
#include "lab/question.h"
#include "lab/variants.h"

/* --- questions --- */

static const char two[] = "# 01-x: head\n\ntext of the head\n\n"
			  "## One?\n\nScene\ngoes on.\n\n- A: first\n  and more\n- B: second\n\n"
			  "> A: belief one\n> goes on\n> B, right: because\n\n"
			  "## Two?\n\n- A: a\n- B: b\n- C: c\n\n> A, right: ra\n> B: rb\n> C: rc\n";

static void test_questions(void **state)
{
	struct questions q;
	char err[256] = "";

	(void)state;
	assert_int_equal(questions_parse(&q, two, err, sizeof(err)), 0);
	assert_int_equal(q.n, 2);
	assert_string_equal(q.at[0].title.data, "One?");
	assert_string_equal(q.at[0].text.data, "\nScene\ngoes on.\n\n");
	assert_int_equal(q.at[0].n, 2);
	assert_int_equal(q.at[0].right, 1);
	assert_string_equal(q.at[0].choices[0].text.data, "first and more");
	assert_string_equal(q.at[0].choices[0].belief.data, "belief one goes on");
	assert_string_equal(q.at[0].choices[1].belief.data, "because");
	assert_int_equal(q.at[1].n, 3);
	assert_int_equal(q.at[1].right, 0);
	questions_free(&q);
}

/* Each breaks one rule; the sentence has that word. */
static void test_questions_refused(void **state)
{
	static const struct {
		const char *text, *word;
	} bad[] = {
		{ "", "no question" },
		{ "# only a head\n", "no question" },
		{ "## Q?\n\n- A: one\n\n> A, right: so\n", "at least two" },
		{ "## Q?\n\n- A: one\n- B: two\n\n> A: so\n> B: so\n", "one of them right" },
		{ "## Q?\n\n- A: one\n- B: two\n\n> A, right: so\n", "what it believes" },
		{ "## Q?\n\n- A: one\n- C: two\n", "line 4" },
		{ "## Q?\n\n- A: one\n- B: two\n\n> A, right: so\n> B, right: so\n", "line 7" },
		{ "## Q?\n\n- A: one\n- B: two\n\n> C: so\n", "line 6" },
		{ "## Q?\n\n- A: one\n- B: two\n\n> A, wrong: so\n", "line 6" },
		{ "## Q?\n\n- A: one\n- B: two\n\nlost text\n", "line 6" },
		{ "## Q?\n\n> goes on with nothing\n", "line 3" },
	};
	struct questions q;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		assert_int_equal(questions_parse(&q, bad[i].text, err, sizeof(err)), -EINVAL);
		if (!strstr(err, bad[i].word))
			fail_msg("'%s' does not say '%s'", err, bad[i].word);
	}
}

static void test_pick(void **state)
{
	static const char *const bad[] = { "", "A", "ABB", "CA", "A1", "AD", "A B C" };
	int picked[QUESTIONS_MAX];
	struct questions q;
	char err[256];
	size_t i;

	(void)state;
	assert_int_equal(questions_parse(&q, two, err, sizeof(err)), 0);
	assert_int_equal(questions_pick(&q, "bC", picked, err, sizeof(err)), 0);
	assert_int_equal(picked[0], 1);
	assert_int_equal(picked[1], 2);
	assert_int_equal(questions_pick(&q, "A b\nreason", picked, err, sizeof(err)), 0);
	assert_int_equal(picked[1], 1);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(questions_pick(&q, bad[i], picked, err, sizeof(err)), -EINVAL);
	questions_pick(&q, "az", picked, err, sizeof(err));
	assert_string_equal(err, "question 2 has no choice Z, only A to C");
	questions_pick(&q, "a", picked, err, sizeof(err));
	assert_non_null(strstr(err, "the answers are 2 letters"));
	questions_free(&q);
}

/* --- variants --- */

static void test_variants(void **state)
{
	struct variants v;
	char err[256];

	(void)state;
	assert_int_equal(variants_parse(&v,
					"# comment\n\none  size=3..9 limit=700 # more\ntwo cut=4\n",
					err, sizeof(err)),
			 0);
	assert_int_equal(v.n, 2);
	assert_string_equal(v.at[0].name, "one");
	assert_int_equal(v.at[0].limit_ms, 700);
	assert_int_equal(v.at[0].n, 1);
	assert_string_equal(v.at[0].at[0].name, "size");
	assert_int_equal(v.at[0].at[0].low, 3);
	assert_int_equal(v.at[0].at[0].high, 9);
	assert_int_equal(v.at[1].at[0].high, 4);
	assert_int_equal(v.at[1].limit_ms, VARIANT_LIMIT_MS);
	assert_int_equal(variants_parse(&v, NULL, err, sizeof(err)), 0);
	assert_int_equal(v.n, 1);
}

static void test_variants_refused(void **state)
{
	static const char *const bad[] = {
		"",	      "# nothing\n",   "one size",     "one =3",
		"one size=x", "one size=9..3", "one size=..4", "one size=-1"
	};
	struct variants v;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(variants_parse(&v, bad[i], err, sizeof(err)), -EINVAL);
		assert_non_null(strstr(err, "'variants' is wrong"));
	}
}

static void test_draw(void **state)
{
	__u64 one = 5, again = 5, other = 6;
	long n, low = 100, high = 0, same = 0;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		n = variants_draw(&one, 10, 12);
		assert_int_equal(n, variants_draw(&again, 10, 12));
		same += n == variants_draw(&other, 10, 12);
		low = n < low ? n : low;
		high = n > high ? n : high;
	}
	assert_int_equal(low, 10);
	assert_int_equal(high, 12);
	assert_true(same < 1000);
	assert_int_equal(variants_draw(&one, 7, 7), 7);
}

/* --- output --- */

static void test_lines(void **state)
{
	struct lines l;

	(void)state;
	assert_int_equal(lines_start(&l), 0);
	lines_add(&l, "one\ntw", 6, 100);
	lines_add(&l, "o\n\nth\0r\x1b\xc3", 9, 200);
	lines_add(&l, "\xa9", 1, 300);
	assert_int_equal(l.n, 4);
	assert_string_equal(l.at[0].text, "one");
	assert_string_equal(l.at[1].text, "two");
	assert_int_equal(l.at[1].t_ns, 100);
	assert_string_equal(l.at[2].text, "");
	assert_string_equal(l.at[3].text, "th?r\x1b\xc3\xa9");
	assert_int_equal(l.at[3].t_ns, 200);
	assert_false(l.flood);
	lines_free(&l);
}

static void test_lines_flood(void **state)
{
	struct lines l;
	int i;

	(void)state;
	assert_int_equal(lines_start(&l), 0);
	for (i = 0; i < LINES_BYTES; i++)
		lines_add(&l, "x", 1, 1);
	assert_false(l.flood);
	lines_add(&l, "x", 1, 1);
	assert_true(l.flood);
	assert_int_equal(strlen(l.at[0].text), LINES_BYTES);
	lines_free(&l);
	assert_int_equal(lines_start(&l), 0);
	for (i = 0; i < LINES_MAX; i++)
		lines_add(&l, "\n", 1, 1);
	assert_false(l.flood);
	lines_add(&l, "\n", 1, 1);
	assert_true(l.flood);
	assert_int_equal(l.n, LINES_MAX);
	lines_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_questions_refused),
		cmocka_unit_test(test_pick),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_variants_refused),
		cmocka_unit_test(test_draw),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lines_flood),
	};

	return cmocka_run_group_tests_name("lab", tests, NULL, NULL);
}
