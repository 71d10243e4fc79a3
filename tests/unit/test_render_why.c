// SPDX-License-Identifier: MIT
/*
 * Verdicts as they are shown: below the line they belong to, in full, in JSON, and one step alone.
 */
#include "render_stories.h"

#include <setjmp.h>

#include <cmocka.h>

#include "render/step_line.h"
#include "render/verdict_text.h"

static const struct rule rule = {
	.name = "test-rule", .about = "a rule of this test", .weight = WEIGHT_NEWS
};

static struct verdict verdict_of(const struct story *st, enum weight weight, const char *cause)
{
	struct verdict v = {
		.id = 1,
		.t_ns = st->now_ns,
		.rule = &rule,
		.weight = weight,
		.certainty = PROVED,
		.step = st->step_id,
		.conn = 1,
		.role = ROLE_SERVER,
		.question = "Why this?",
		.n_evidence = 2,
		.evidence = { 1, st->step_id },
	};

	snprintf(v.cause, sizeof(v.cause), "%s", cause);
	return v;
}

static void tell_verdict(struct story *st, enum weight weight, const char *cause)
{
	struct verdict v = verdict_of(st, weight, cause);

	assert_int_equal(st->renderer->verdict(st->r, &v), 0);
}

static void open_listening(struct story *st, unsigned int width)
{
	story_open(st, &render_text, width);
	st->view.no_verdicts = false;
	story_begin(st);
	story_proc(st, SERVER, "server", ROLE_NONE);
	st->sock[S_LISTEN].role = ROLE_NONE;
	listen_on(st, SERVER, S_LISTEN);
}

static size_t line_of(const char *text, const char *words)
{
	const char *at = strstr(text, words), *c;
	size_t n = 0;

	if (!at)
		fail_msg("no '%s' in:\n%s", words, text);
	for (c = text; c < at; c++)
		n += *c == '\n';
	return n;
}

/* The line it belongs to is still in the making: it comes right below, not before. */
static void test_below_its_line(void **state)
{
	struct story st;
	char *text;

	(void)state;
	open_listening(&st, 100);
	tell_verdict(&st, WEIGHT_NEWS, "the first cause");
	tell_verdict(&st, WEIGHT_ALARM, "the second cause");
	story_after(&st, 5000);
	story_call(&st, SERVER, S_LISTEN, CALL(CALL_CLOSE, 3), 0, 0);
	text = story_close(&st);
	assert_int_equal(line_of(text, "why the first cause"), line_of(text, "listen(3, 128)") + 1);
	assert_int_equal(line_of(text, "why! the second cause"),
			 line_of(text, "listen(3, 128)") + 2);
	assert_int_equal(line_of(text, "close(3)"), line_of(text, "listen(3, 128)") + 3);
	free(text);
}

/* Steps may wait for their socket's role; a verdict on one waits with it. */
static void test_waits_with_its_step(void **state)
{
	struct story st;
	char *text;

	(void)state;
	story_open(&st, &render_text, 100);
	story_begin(&st);
	story_proc(&st, SERVER, "server", ROLE_NONE);
	story_call(&st, SERVER, S_LISTEN, CALL(CALL_SOCKET, -1, .x = { AF_INET, SOCK_STREAM }), 3,
		   0);
	tell_verdict(&st, WEIGHT_NEWS, "a cause that waits");
	story_after(&st, 40);
	story_call(&st, SERVER, S_LISTEN, CALL(CALL_CLOSE, 3), 0, 0);
	text = story_close(&st);
	assert_int_equal(line_of(text, "a cause that waits"), line_of(text, "socket(") + 1);
	assert_true(line_of(text, "close(3)") > line_of(text, "a cause that waits"));
	free(text);
}

static void test_asides_are_not_shown(void **state)
{
	struct story st;
	char *text;

	(void)state;
	open_listening(&st, 100);
	tell_verdict(&st, WEIGHT_ASIDE, "by the way");
	text = story_close(&st);
	assert_null(strstr(text, "by the way"));
	free(text);
}

static void test_inferred_is_said(void **state)
{
	struct verdict v;
	struct story st;
	char *text;

	(void)state;
	open_listening(&st, 100);
	v = verdict_of(&st, WEIGHT_NEWS, "probably so");
	v.certainty = INFERRED;
	assert_int_equal(st.renderer->verdict(st.r, &v), 0);
	text = story_close(&st);
	assert_non_null(strstr(text, "why probably so (inferred)"));
	free(text);
}

/* The summary names what was told of its conversation, each rule once, and counts the asides. */
static void test_named_in_the_summary(void **state)
{
	struct story st;
	char *text;

	(void)state;
	open_listening(&st, 100);
	pair_of(&st);
	tell_verdict(&st, WEIGHT_NEWS, "a cause");
	tell_verdict(&st, WEIGHT_ALARM, "the same rule again");
	tell_verdict(&st, WEIGHT_ASIDE, "by the way");
	story_summary(&st, 0, END_FIN);
	text = story_close(&st);
	assert_non_null(strstr(text, "    verdicts          test-rule and 1 more\n"));
	free(text);
}

static void assert_narrow(const char *text, size_t width)
{
	const char *line, *end;

	for (line = text; *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		if ((size_t)(end - line) > width)
			fail_msg("wider than %zu: %.*s", width, (int)(end - line), line);
	}
}

static void test_never_too_wide(void **state)
{
	static const char cause[] =
		"a cause with so many words in it that it cannot stand on one "
		"row of a terminal, wherever that row begins, and so it goes on";
	const unsigned int widths[] = { 60, 80, 120 };
	struct story st;
	size_t i;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		open_listening(&st, widths[i]);
		tell_verdict(&st, WEIGHT_ALARM, cause);
		text = story_close(&st);
		assert_narrow(text, widths[i]);
		assert_non_null(strstr(text, "goes on"));
		free(text);
	}
}

static void test_in_full(void **state)
{
	const char *lines[VERDICT_EVIDENCE] = { "     1      0.100 ms  server 10  listen(3) = 0" };
	struct verdict_text t = { .start_ns = STORY_BOOT_NS };
	struct story st = { .now_ns = STORY_BOOT_NS + 4107000, .step_id = 7 };
	struct verdict v = verdict_of(&st, WEIGHT_ALARM, "This is the cause");
	struct view view = { .width = 80 };
	size_t len;
	char *text;

	(void)state;
	view.out = open_memstream(&text, &len);
	t.view = &view;
	snprintf(v.remedy, sizeof(v.remedy), "Do that");
	assert_int_equal(verdict_write(&t, 1, &v, lines), 0);
	v.certainty = INFERRED;
	snprintf(v.basis, sizeof(v.basis), "the stars");
	v.remedy[0] = '\0';
	assert_int_equal(verdict_write(&t, 1, &v, lines), 0);
	assert_int_equal(verdict_write_rule(&t, &rule), 0);
	fclose(view.out);
	assert_narrow(text, 80);
	assert_non_null(strstr(text, "   1 Why this?"));
	assert_non_null(strstr(text, "alarm, test-rule, at 4.107 ms\n"));
	assert_non_null(strstr(text, "because   This is the cause\n"));
	assert_non_null(strstr(text, "certainty proved\n"));
	assert_non_null(strstr(text, "certainty inferred from the stars\n"));
	assert_non_null(strstr(text, "listen(3) = 0\n"));
	assert_non_null(strstr(text, "event 7\n")); /* no line is known of it */
	assert_non_null(strstr(text, "to do     Do that\n"));
	assert_ptr_equal(strstr(strstr(text, "to do") + 1, "to do"), NULL);
	assert_non_null(strstr(text, "test-rule                 news   a rule of this test\n"));
	free(text);
}

/* --- one step alone --- */

struct lines {
	char text[8][200];
	size_t n;
};

static void line_told(struct lines *l, const struct step *s)
{
	char words[160];

	assert_true(l->n < 8);
	step_line(l->text[l->n++], sizeof(l->text[0]), s->id, (__s64)(s->t_ns - STORY_BOOT_NS),
		  step_words(words, sizeof(words), s));
}

static void test_step_line(void **state)
{
	struct event_sock change = { .e = { .kind = EV_STATE, .size = sizeof(change), .pid = 10 },
				     .a = ST_ESTABLISHED,
				     .b = ST_CLOSE_WAIT };
	struct event_call close_call = {
		.e = { .kind = EV_CALL, .size = sizeof(close_call), .pid = 10, .tid = 10 },
		.call = CALL_CLOSE,
		.fd = 4,
	};
	struct sock sock = { .sid = 1, .role = ROLE_SERVER };
	struct step s = { .id = 12, .t_ns = STORY_BOOT_NS + 4006000, .sock = &sock };
	struct lines l = { .n = 0 };
	char cut[24];

	(void)state;
	s.ev = &close_call.e;
	s.phase = PHASE_ENTER;
	line_told(&l, &s);
	s.phase = PHASE_EXIT;
	line_told(&l, &s);
	s.phase = PHASE_POINT;
	line_told(&l, &s);
	s.ev = &change.e;
	line_told(&l, &s);
	s.kind = STEP_LOST;
	s.ev = NULL;
	s.n = 5;
	line_told(&l, &s);
	assert_string_equal(l.text[0], "    12      4.006 ms  server 10      close(4) begins");
	assert_string_equal(l.text[1], "    12      4.006 ms  server 10      close(4) = 0");
	assert_string_equal(l.text[2],
			    "    12      4.006 ms  server 10      close(4), by the kernel");
	assert_string_equal(l.text[3],
			    "    12      4.006 ms  server 10      ESTABLISHED -> CLOSE_WAIT");
	assert_non_null(strstr(l.text[4], "5 events lost"));
	step_line(cut, sizeof(cut), s.id, 0, "words that are cut");
	assert_int_equal(strlen(cut), sizeof(cut) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_below_its_line),
		cmocka_unit_test(test_waits_with_its_step),
		cmocka_unit_test(test_asides_are_not_shown),
		cmocka_unit_test(test_inferred_is_said),
		cmocka_unit_test(test_never_too_wide),
		cmocka_unit_test(test_in_full),
		cmocka_unit_test(test_step_line),
		cmocka_unit_test(test_named_in_the_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
