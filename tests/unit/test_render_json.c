/* SPDX-License-Identifier: MIT */
/* JSON lines: every line of every story satisfies the schema, and the facts are where it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render_stories.h"

#define CHECKER "tests/unit/check_schema.py"

static void write_text(char *path, const char *text)
{
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Exit status of the checker. */
static int schema_says(const char *text)
{
	char schema[] = "/tmp/test_schema.XXXXXX", lines[] = "/tmp/test_lines.XXXXXX", command[200];
	int status;

	write_text(schema, render_json_schema());
	write_text(lines, text);
	snprintf(command, sizeof(command), "python3 " CHECKER " %s %s", schema, lines);
	status = system(command);
	remove(schema);
	remove(lines);
	return status;
}

static char *json_of(size_t i)
{
	char *text = story_text(i, &render_json, (struct view){ 0 }, false);

	assert_non_null(text);
	return text;
}

static void test_stories_satisfy_the_schema(void **state)
{
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < N_STORIES; i++) {
		text = json_of(i);
		assert_int_equal(schema_says(text), 0);
		free(text);
	}
}

/* The checker itself must be able to say no. */
static void test_schema_refuses(void **state)
{
	char *text = json_of(0), *at;

	(void)state;
	assert_int_equal(schema_says(text), 0);
	at = strstr(text, "\"layer\":\"kernel\"");
	assert_non_null(at);
	memcpy(at, "\"layer\":\"Kernel\"", strlen("\"layer\":\"kernel\""));
	assert_int_not_equal(schema_says(text), 0);
	memcpy(at, "\"later\":\"kernel\"", strlen("\"layer\":\"kernel\""));
	assert_int_not_equal(schema_says(text), 0);
	free(text);
}

static void test_schema_knows_every_kind(void **state)
{
	char word[64];
	unsigned int kind;

	(void)state;
	for (kind = EV_CALL; kind < EV_KIND_MAX; kind++) {
		snprintf(word, sizeof(word), "\"%s\"", kind_name(kind));
		if (!strstr(strstr(render_json_schema(), "\"kind\""), word))
			fail_msg("the schema does not list the kind %s", word);
	}
}

/* Line with both words, or fail. */
static const char *find_line(char *copy, const char *a, const char *b)
{
	char *line, *save = NULL;

	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strstr(line, a) && strstr(line, b))
			return line;
	fail_msg("no line with %s and %s", a, b);
	return NULL;
}

static void assert_fact(size_t story, const char *a, const char *b, const char *fact)
{
	char *text = json_of(story);
	const char *line = find_line(text, a, b);

	if (!strstr(line, fact))
		fail_msg("no %s in %s", fact, line);
	free(text);
}

static void test_facts(void **state)
{
	(void)state;
	assert_fact(0, "\"type\":\"header\"", "", "\"start_unix_ns\":\"1700000000000000000\"");
	assert_fact(0, "\"call\":\"sendto\"", "\"phase\":\"exit\"", "\"ret\":14");
	assert_fact(
		0, "\"call\":\"sendto\"", "\"phase\":\"exit\"",
		"\"ledger\":{\"written\":14,\"unsent\":0,\"in_flight\":0,\"rcvq\":14,\"read\":0,");
	assert_fact(0, "\"call\":\"accept\"", "\"phase\":\"exit\"",
		    "\"accept_queue\":{\"depth\":0,\"limit\":128}");
	assert_fact(0, "\"call\":\"accept\"", "\"phase\":\"exit\"", "\"sock2\":102");
	assert_fact(0, "\"eof\":true", "\"phase\":\"exit\"", "\"ret\":0");
	assert_fact(0, "\"kind\":\"segment\"", "\"PSH\"", "\"seq\":1,\"ack\":1");
	assert_fact(0, "\"kind\":\"segment\"", "\"PSH\"",
		    "\"src\":\"127.0.0.1:40012\",\"dst\":\"127.0.0.1:65430\"");
	assert_fact(0, "\"new_state\":\"CLOSE_WAIT\"", "", "\"old_state\":\"ESTABLISHED\"");
	assert_fact(0, "\"kind\":\"call\"", "\"in_getaddrinfo\":true", "\"family\":\"inet\"");
	assert_fact(0, "\"kind\":\"summary\"", "", "\"how\":\"fin\"");
	assert_fact(0, "\"type\":\"trailer\"", "", "\"lost\":0,\"lost_by_kind\":{}");
	assert_fact(2, "\"kind\":\"rst_sent\"", "", "\"reason\":\"ABORT_ON_CLOSE\"");
	assert_fact(4, "\"call\":\"connect\"", "\"phase\":\"exit\"",
		    "\"ret\":-1,\"errno\":\"ECONNREFUSED\"");
}

/* A socket without a cookie has a number all the same. */
static void test_socket_without_cookie(void **state)
{
	struct story st;
	char *text;

	(void)state;
	story_open(&st, &render_json, 0);
	st.sock[4].cookie = 0;
	story_call(&st, 1, 4, CALL(CALL_CLOSE, 3), 0, 0);
	text = story_close(&st);
	assert_non_null(strstr(text, "\"sock\":4503599627370501,"));
	free(text);
}

/* AF_UNIX: the peer is a process and a socket; a datagram cut short; what was never acknowledged. */
static void test_new_of_a_unix_pair(void **state)
{
	struct story st;
	struct conn *c;
	char *text;

	(void)state;
	story_open(&st, &render_json, 0);
	c = story_conn(&st, 0, 0, 1, "127.0.0.1", 1, "127.0.0.1", 2);
	c->family = st.sock[0].family = st.sock[1].family = AF_UNIX;
	c->pid[0] = 5470;
	c->pid[1] = 5471;
	c->dir[0].unacked = 7;
	story_call(&st, 1, 1, CALL(CALL_RECVFROM, 3), 10, 0);
	text = story_close(&st);
	assert_non_null(strstr(text, "\"peer_pid\":5470,\"peer_sock\":100,"));
	assert_non_null(strstr(text, "\"unacked\":7,"));
	assert_null(strstr(text, "\"truncated\""));
	assert_int_equal(schema_says(text), 0);
	free(text);
	story_open(&st, &render_json, 0);
	st.n = 90;
	story_call(&st, 1, 0, CALL(CALL_RECVFROM, 3), 10, STEP_TRUNC);
	text = story_close(&st);
	assert_non_null(strstr(text, "\"truncated\":90,"));
	assert_null(strstr(text, "\"peer_"));
	assert_int_equal(schema_says(text), 0);
	free(text);
}

/* Before accept() the peer is who listens. */
static void test_unaccepted_unix_peer(void **state)
{
	struct story st;
	struct conn *c;
	char *text;

	(void)state;
	story_open(&st, &render_json, 0);
	c = story_conn(&st, 0, 0, 1, "127.0.0.1", 1, "127.0.0.1", 2);
	c->family = st.sock[0].family = st.sock[1].family = AF_UNIX;
	st.sock[1].listener = &st.sock[2];
	st.sock[2].opener_pid = 42;
	story_call(&st, 0, 0, CALL(CALL_CONNECT, 3), 0, 0);
	text = story_close(&st);
	assert_non_null(strstr(text, "\"peer_pid\":42,\"peer_sock\":101,"));
	free(text);
}

/* Still open: it lasted until tracing ended. Closed: until its last event. */
static void test_lasted(void **state)
{
	struct step s = { .id = 9, .kind = STEP_SUMMARY, .layer = LAYER_APP, .how = END_OPEN };
	struct story st;
	char *text;

	(void)state;
	story_open(&st, &render_json, 0);
	s.conn = story_conn(&st, 0, 0, 1, "::ffff:127.0.0.1", 1, "127.0.0.1", 2);
	st.conn[0].t_last_ns = st.conn[0].t_first_ns + 1000;
	s.t_ns = st.conn[0].t_first_ns + 50000;
	story_tell(&st, &s);
	s.how = END_FIN;
	story_tell(&st, &s);
	text = story_close(&st);
	assert_non_null(strstr(text, "\"lasted_ns\":50000,"));
	assert_non_null(strstr(text, "\"lasted_ns\":1000,"));
	assert_null(strstr(text, "ffff"));
	free(text);
}

static void test_hostile_names(void **state)
{
	struct story st;
	char *text;

	(void)state;
	story_open(&st, &render_json, 0);
	memcpy(st.proc[1].comm, "\"}\n\x1b\\\xff\xc3\x28", 8);
	story_call(&st, 1, 0, CALL(CALL_CLOSE, 3), 0, 0);
	st.sock[0].family = AF_UNIX;
	memcpy(st.sock[0].path, "\0x\xfe\n\"", 5);
	st.sock[0].path_len = 5;
	story_call(&st, 1, 0, CALL(CALL_CLOSE, 3), 0, 0);
	text = story_close(&st);
	assert_non_null(strstr(
		text,
		"\"comm\":\"\\\"}\\u000a\\u001b\\\\\\u00ff\\u00c3(\",\"comm_hex\":\"227d0a1b5cffc328\""));
	assert_non_null(strstr(
		text, "\"path\":\"\\u0000x\\u00fe\\u000a\\\"\",\"path_hex\":\"0078fe0a22\""));
	assert_int_equal(schema_says(text), 0);
	free(text);
}

static void test_losses(void **state)
{
	struct step lost = { .id = 1000, .kind = STEP_LOST, .layer = LAYER_KERNEL, .n = 123 };
	struct story st;
	char *text;

	(void)state;
	story_open(&st, &render_json, 0);
	lost.t_ns = st.now_ns;
	story_tell(&st, &lost);
	st.loss.lost[EV_SEGMENT] = 123;
	text = story_close(&st);
	assert_non_null(strstr(text, "\"kind\":\"lost\""));
	assert_non_null(strstr(text, "\"n\":123"));
	assert_non_null(strstr(text, "\"lost\":123,\"lost_by_kind\":{\"segment\":123}"));
	assert_int_equal(schema_says(text), 0);
	free(text);
}

static void test_full_disk_is_an_error(void **state)
{
	struct story st;

	(void)state;
	story_open(&st, &render_json, 0);
	fclose(st.out);
	free(st.text);
	st.view.out = fopen("/dev/full", "w");
	st.view.line_flush = true;
	story_call(&st, 1, 0, CALL(CALL_CLOSE, 3), 0, 0);
	assert_int_not_equal(st.err, 0);
	assert_int_equal(render_json.finish(st.r, &st.loss, true), -ENOSPC);
	render_json.close(st.r);
	fclose(st.view.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories_satisfy_the_schema),
		cmocka_unit_test(test_schema_refuses),
		cmocka_unit_test(test_schema_knows_every_kind),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_socket_without_cookie),
		cmocka_unit_test(test_new_of_a_unix_pair),
		cmocka_unit_test(test_unaccepted_unix_peer),
		cmocka_unit_test(test_lasted),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_full_disk_is_an_error),
	};

	return cmocka_run_group_tests_name("render json", tests, NULL, NULL);
}
