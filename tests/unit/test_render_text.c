/* SPDX-License-Identifier: MIT */
/*
 * The three-column text: stories against golden files (UPDATE_GOLDEN=1 rewrites them), and what must
 * hold for every story: width, order, no foreign control byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render_stories.h"

#define GOLDEN_DIR "tests/unit/golden"

static const unsigned int widths[] = { 80, 120, 200, 0 };

/* ---- golden files ---- */

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text;
	size_t n;

	if (!f)
		return NULL;
	text = calloc(1, 1 << 20);
	n = fread(text, 1, (1 << 20) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void compare_golden(const char *name, unsigned int width, const char *text)
{
	char path[128], *want;
	FILE *f;

	snprintf(path, sizeof(path), GOLDEN_DIR "/%s-%u.txt", name, width);
	if (getenv("UPDATE_GOLDEN")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(text, f);
		fclose(f);
		return;
	}
	want = read_file(path);
	if (!want)
		fail_msg("no %s: run from the top of the tree, or with UPDATE_GOLDEN=1", path);
	assert_string_equal(text, want);
	free(want);
}

static char *plain(size_t i, unsigned int width)
{
	char *text = story_text(i, &render_text, (struct view){ .width = width }, false);

	assert_non_null(text);
	return text;
}

static void test_golden(void **state)
{
	size_t i, w;
	char *text;

	(void)state;
	for (i = 0; i < N_STORIES; i++)
		for (w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
			text = plain(i, widths[w]);
			compare_golden(stories[i].name, widths[w], text);
			free(text);
		}
}

/* ---- what holds for every story ---- */

/* Rows come from what happened and when, not from where the ticks fall. */
static void test_ticks_do_not_matter(void **state)
{
	char *without, *with;
	size_t i;

	(void)state;
	for (i = 0; i < N_STORIES; i++) {
		without = plain(i, 120);
		with = story_text(i, &render_text, (struct view){ .width = 120 }, true);
		assert_non_null(with);
		if (strcmp(stories[i].name,
			   "blocked")) /* its pending call is cut off by the first tick */
			assert_string_equal(with, without);
		free(without);
		free(with);
	}
}

static void strip_codes(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '\033')
			text = strchr(text, 'm');
		else
			*to++ = *text;
	}
	*to = '\0';
}

/* Colour adds codes and nothing else. */
static void test_color_carries_nothing(void **state)
{
	char *colored, *text;
	size_t i;

	(void)state;
	for (i = 0; i < N_STORIES; i++) {
		text = plain(i, 80);
		colored = story_text(i, &render_text, (struct view){ .width = 80, .color = true },
				     false);
		assert_non_null(strstr(colored, "\033["));
		strip_codes(colored);
		assert_string_equal(colored, text);
		free(text);
		free(colored);
	}
}

static size_t utf8_columns(const char *line, size_t len)
{
	size_t n = 0;

	while (len--)
		n += (*line++ & 0xc0) != 0x80;
	return n;
}

static void assert_widths(const char *text, unsigned int width)
{
	const char *end;

	for (; *text; text = end + 1) {
		end = strchr(text, '\n');
		assert_non_null(end);
		if (utf8_columns(text, (size_t)(end - text)) > width)
			fail_msg("wider than %u: %.*s", width, (int)(end - text), text);
		assert_true(end == text || end[-1] != ' ');
	}
}

static void test_utf8_keeps_the_layout(void **state)
{
	char *text = story_text(0, &render_text, (struct view){ .width = 80, .tty = true }, false);

	(void)state;
	assert_non_null(strstr(text, "\u2500"));
	assert_widths(text, 80);
	free(text);
}

static unsigned int next_random(unsigned int *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static void random_comm(char *comm, size_t size, unsigned int *seed)
{
	size_t i;

	for (i = 0; i + 1 < size; i++)
		comm[i] = (char)(next_random(seed) % 255 + 1);
	comm[size - 1] = '\0';
}

/* Any step the types allow: calls with wild numbers, moments, segments, processes, summaries. */
static void random_step(struct story *st, unsigned int *seed)
{
	unsigned int what = next_random(seed) % 8, n = next_random(seed);
	int proc = (int)(n % STORY_MAX), sock = (int)(n / 8 % STORY_MAX), conn = sock / 2;
	unsigned int flags = n % 32, call = n % (CALL_MAX - 1) + 1, kind;
	struct event_call c = CALL(call, (int)(n * 7919), .len = n * 1000003ull,
				   .x = { n, n * 31, n * 1009, n },
				   .cflags = (__u8)(n % 7 ? 0 : n / 8));

	story_after(st, n % 3000);
	if (what == 0)
		story_enter(st, proc, sock, c, n & 1);
	else if (what == 1)
		story_call(st, proc, sock, c, (long long)(n % 200) - 100, n % 13 ? 0 : STEP_EOF);
	else if (what == 2 || what == 3)
		story_segment(st, conn, (int)(n & 1), flags, n * (n % 3), n % 5 ? 0 : STEP_RTX);
	else if (what == 4)
		story_process(st, proc, (enum proc_what)(n % 5 + 1), n, n);
	else if (what == 5)
		story_summary(st, conn, (enum conn_end)(n % 6));
	else {
		kind = EV_STATE + n % (EV_KIND_MAX - EV_STATE);
		st->reason = n & 1 ? "A_REASON_WITH_A_VERY_LONG_NAME_THAT_NOBODY_EXPECTED" : NULL;
		story_moment(st, kind == EV_DOORBELL ? EV_STATE : kind, proc, sock, n % 13,
			     n / 13 % 13, n);
	}
	if (n % 6 == 0)
		story_tick(st);
}

static void random_world(struct story *st, unsigned int *seed)
{
	int i;

	for (i = 0; i < STORY_MAX; i++) {
		random_comm(st->proc[i].comm, sizeof(st->proc[i].comm), seed);
		st->proc[i].pid = 4194304 - i;
	}
	for (i = 0; i < 3; i++)
		story_conn(st, i, 2 * i, 2 * i + 1, "fe80:1234:5678:9abc:def0:1234:5678:9abc",
			   65535, i ? "::1" : "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
	st->conn[3].end[0] = &st->sock[6];
	st->sock[6].conn = &st->conn[3];
	st->sock[0].family = AF_UNIX;
	st->conn[0].family = AF_UNIX;
	random_comm(st->sock[0].path, sizeof(st->sock[0].path), seed);
	st->sock[0].path_len = sizeof(st->sock[0].path) - 1;
	st->conn[2].id = 123456;
}

static void assert_printable(const char *text)
{
	for (; *text; text++)
		assert_true(*text == '\n' || (*text >= 0x20 && *text < 0x7f));
}

static void test_never_too_wide(void **state)
{
	unsigned int seed = 1, width, i;
	struct story st;
	char *text;

	(void)state;
	for (width = 60; width <= 250; width += 3) {
		story_open(&st, &render_text, width);
		st.view.stamp = (enum stamp)(width % 3);
		random_world(&st, &seed);
		for (i = 0; i < 400; i++)
			random_step(&st, &seed);
		text = story_close(&st);
		assert_int_equal(st.err, 0);
		assert_widths(text, width);
		assert_printable(text);
		free(text);
	}
}

/* ---- single rules ---- */

static const char *line_with(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	if (!at)
		fail_msg("no \"%s\" in:\n%s", what, text);
	while (at > text && at[-1] != '\n')
		at--;
	return at;
}

static int column_of(const char *text, const char *what)
{
	const char *line = line_with(text, what);

	return (int)(strstr(line, what) - line);
}

static const char *so_far(struct story *st)
{
	fflush(st->out);
	return st->text;
}

static void open_120(struct story *st)
{
	story_open(st, &render_text, 120);
	story_proc(st, CLIENT, "client", ROLE_NONE);
}

static const struct event_call socket_call = { .call = CALL_SOCKET,
					       .fd = -1,
					       .x = { AF_INET, SOCK_STREAM } };

static void test_waits_for_the_role(void **state)
{
	struct story st;
	char *text;

	(void)state;
	open_120(&st);
	st.proc[CLIENT].role = ROLE_CLIENT; /* of another of its sockets: no answer for this one */
	story_call(&st, CLIENT, 0, socket_call, 3, 0);
	story_after(&st, 30000);
	story_tick(&st);
	assert_string_equal(so_far(&st), "");
	st.sock[0].role = ROLE_SERVER;
	story_after(&st, 5000);
	story_tick(&st);
	assert_true(column_of(so_far(&st), "socket(") > 60);
	text = story_close(&st);
	free(text);
}

static void test_waits_no_longer_than_40_ms(void **state)
{
	struct story st;
	char *text;

	(void)state;
	open_120(&st);
	story_call(&st, CLIENT, 0, socket_call, 3, 0);
	story_after(&st, 43000);
	story_tick(&st);
	assert_true(column_of(so_far(&st), "socket(") < 20);
	story_call(&st, CLIENT, 0, CALL(CALL_GETSOCKNAME, 3), -ENOTCONN,
		   0); /* is not waited for again */
	story_after(&st, 3000);
	story_tick(&st);
	line_with(so_far(&st), "getsockname(");
	text = story_close(&st);
	free(text);
}

static void test_end_shows_what_waits(void **state)
{
	struct story st;
	char *text;

	(void)state;
	open_120(&st);
	story_call(&st, CLIENT, 0, socket_call, 3, 0);
	text = story_close(&st);
	line_with(text, "socket(");
	free(text);
}

static void test_blocked_call_shows_at_the_next_tick(void **state)
{
	struct event_call recv = CALL(CALL_RECVFROM, 3, .len = 1024);
	struct story st;
	__u64 id, t;
	char *text;

	(void)state;
	open_120(&st);
	st.sock[0].role = ROLE_CLIENT;
	t = st.now_ns;
	id = story_enter(&st, CLIENT, 0, recv, false);
	story_tick(&st);
	line_with(so_far(&st), "recv(3, 1024) ...");
	story_after(&st, 3200);
	story_exit(&st, CLIENT, 0, recv, id, t, 14, 0);
	text = story_close(&st);
	line_with(text, "... = 14, after 3.2 ms");
	free(text);
}

static void test_a_state_that_stays_is_no_change(void **state)
{
	struct story st;
	char *text;

	(void)state;
	open_120(&st);
	story_state(&st, CLIENT, 0, ST_FIN_WAIT1, ST_FIN_WAIT1);
	story_state(&st, CLIENT, 0, ST_FIN_WAIT1, ST_FIN_WAIT2);
	text = story_close(&st);
	line_with(text, "FIN_WAIT1 -> FIN_WAIT2");
	assert_null(strstr(text, "FIN_WAIT1 -> FIN_WAIT1"));
	free(text);
}

static void test_hostile_names(void **state)
{
	struct story st;
	char *text;

	(void)state;
	open_120(&st);
	memcpy(st.proc[CLIENT].comm, "\033[2J\n\r\"\\\xff\x01", 11);
	st.sock[0].role = ROLE_CLIENT;
	story_call(&st, CLIENT, 0, socket_call, 3, 0);
	text = story_close(&st);
	assert_printable(text);
	line_with(text, "\\x1b[2J\\n");
	free(text);
}

static void test_says_losses_and_gaps(void **state)
{
	struct story st;
	char *text;

	(void)state;
	open_120(&st);
	st.meta.probes = story_probes;
	st.sock[0].role = ROLE_CLIENT;
	story_call(&st, CLIENT, 0, socket_call, 3, 0);
	st.loss.lost[EV_SEGMENT] = 100;
	st.loss.lost[EV_CALL] = 23;
	assert_int_equal(render_text.loss(st.r, &st.loss), 0);
	assert_int_equal(render_text.loss(st.r, &st.loss), 0); /* nothing new: nothing said */
	text = story_close(&st);
	line_with(text, "!! 123 events were lost here (call 23, segment 100)");
	assert_null(strstr(strstr(text, "lost here") + 1, "lost here"));
	line_with(text, "2 events, 123 lost (call 23, segment 100)");
	line_with(text, "!! not seen here: accept queue (missing: no such tracepoint)");
	free(text);
}

static void test_layers_are_chosen(void **state)
{
	char *text = story_text(0, &render_text, (struct view){ .width = 120, .layers = LAYER_APP },
				false);

	(void)state;
	line_with(text, "send(3, 14 B) = 14");
	assert_null(strstr(text, "FIN_WAIT1"));
	assert_null(strstr(text, "-->"));
	free(text);
}

static void test_stamps(void **state)
{
	char *text = story_text(0, &render_text, (struct view){ .width = 120, .stamp = STAMP_DATE },
				false);

	(void)state;
	line_with(text, "2023-11-14T22:13:20.001000Z");
	free(text);
}

static void test_full_disk_is_an_error(void **state)
{
	struct story st;

	(void)state;
	open_120(&st);
	fclose(st.out);
	free(st.text);
	st.view.out = fopen("/dev/full", "w");
	st.view.line_flush = true;
	st.sock[0].role = ROLE_CLIENT;
	story_call(&st, CLIENT, 0, socket_call, 3, 0);
	assert_int_equal(render_text.finish(st.r, &st.loss, true), -ENOSPC);
	render_text.close(st.r);
	fclose(st.view.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_ticks_do_not_matter),
		cmocka_unit_test(test_color_carries_nothing),
		cmocka_unit_test(test_utf8_keeps_the_layout),
		cmocka_unit_test(test_never_too_wide),
		cmocka_unit_test(test_waits_for_the_role),
		cmocka_unit_test(test_waits_no_longer_than_40_ms),
		cmocka_unit_test(test_end_shows_what_waits),
		cmocka_unit_test(test_blocked_call_shows_at_the_next_tick),
		cmocka_unit_test(test_a_state_that_stays_is_no_change),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_says_losses_and_gaps),
		cmocka_unit_test(test_layers_are_chosen),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_full_disk_is_an_error),
	};

	return cmocka_run_group_tests_name("render text", tests, NULL, NULL);
}
