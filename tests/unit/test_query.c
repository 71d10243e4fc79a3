/* SPDX-License-Identifier: MIT */
/* The SQL view: what its tables hold, that every column is told, and that nothing but SELECT runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/schema.h"
#include "query_ask.h"
#include "render_stories.h"

static struct answer answer;

static const char *say(struct query *q, const char *sql)
{
	return ask(q, &answer, sql);
}

static struct query *empty_loaded(void)
{
	struct query *q = query_empty();

	assert_non_null(q);
	assert_int_equal(load_end(load_begin(q), &(struct frame_loss){ 0 }), 0);
	return q;
}

/* --- the schema --- */

static void test_every_column_can_be_asked_and_is_told(void **state)
{
	struct query *q = empty_loaded();
	const struct table_def *t;
	char sql[160];
	int table;
	size_t i;

	(void)state;
	for (table = 0; table < TABLES; table++) {
		t = schema_table((enum table_id)table);
		assert_non_null(t->doc);
		for (i = 0; i < t->n; i++) {
			assert_non_null(t->columns[i].name);
			assert_true(strlen(t->columns[i].doc) > 2);
			assert_null(strchr(t->columns[i].doc, '\n'));
			snprintf(sql, sizeof(sql), "SELECT count(%s) >= 0 FROM %s",
				 t->columns[i].name, t->name);
			assert_string_equal(say(q, sql), "1");
		}
	}
	query_free(q);
}

static void test_schema_is_what_was_created(void **state)
{
	struct query *q = empty_loaded();
	struct buf b = { 0 };
	char *created, *end;

	(void)state;
	query_schema(&b);
	assert_int_equal(b.err, 0);
	say(q, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'loss'");
	created = strstr(b.data, "CREATE TABLE loss ");
	assert_non_null(created);
	end = strstr(created, ");");
	assert_memory_equal(answer.text, created, (size_t)(end - created));
	buf_free(&b);
	query_free(q);
}

/* --- what is loaded --- */

/* The ids that JSON lines have, one a line, as SQL joins them. */
static void json_ids(const char *json, char *ids, size_t size)
{
	const char *at = json;
	size_t len = 0;

	ids[0] = '\0';
	while ((at = strstr(at, "{\"id\":"))) {
		at += strlen("{\"id\":");
		len += (size_t)snprintf(ids + len, size - len, "%s%lu", len ? "," : "",
					strtoul(at, NULL, 10));
	}
}

static void test_events_are_the_lines_of_json(void **state)
{
	char ids[ANSWER_MAX], *json, *nothing;
	struct query *q;
	size_t i;

	(void)state;
	for (i = 0; i < N_STORIES; i++) {
		q = query_empty();
		json = story_text(i, &render_json, (struct view){ 0 }, false);
		nothing = story_text(i, &query_loader, (struct view){ .sink = q }, false);
		assert_non_null(json);
		assert_string_equal(nothing, "");
		json_ids(json, ids, sizeof(ids));
		assert_true(strlen(ids) > 5);
		assert_string_equal(say(q, "SELECT group_concat(id) FROM event"), ids);
		free(json);
		free(nothing);
		query_free(q);
	}
}

/* A step of a call, as the model makes it. */
struct made {
	struct event_call c;
	struct proc proc;
	struct sock sock;
	struct step s;
};

static struct step *make(struct made *m, __u64 id, enum phase phase, __u32 tid, __u32 sid)
{
	m->c = (struct event_call){
		.e = { .size = sizeof(m->c), .kind = EV_CALL, .sid = sid, .pid = 9, .tid = tid },
		.fd = 3,
		.call = CALL_RECVFROM,
		.len = 100,
		.ret = phase == PHASE_EXIT ? 40 : 0,
		.cflags = phase == PHASE_ENTER ? CALLF_PENDING : 0
	};
	m->proc = (struct proc){ .pid = 9, .comm = "prog" };
	m->sock = (struct sock){ .sid = sid,
				 .cookie = 500 + sid,
				 .family = AF_INET,
				 .type = SOCK_STREAM,
				 .protocol = IPPROTO_TCP,
				 .opener_fd = -1 };
	m->s = (struct step){ .id = id,
			      .t_ns = 1000 + id,
			      .kind = STEP_EVENT,
			      .phase = phase,
			      .layer = LAYER_APP,
			      .ev = &m->c.e,
			      .proc = &m->proc,
			      .sock = &m->sock,
			      .role = ROLE_CLIENT };
	return &m->s;
}

static void test_a_call_is_one_row(void **state)
{
	struct query *q = query_empty();
	struct render *r = load_begin(q);
	struct made m;
	struct step *s;

	(void)state;
	assert_int_equal(query_loader.step(r, make(&m, 1, PHASE_ENTER, 7, 1)), 0);
	s = make(&m, 5, PHASE_EXIT, 7, 1);
	s->enter_id = 1;
	s->took_ns = 4;
	assert_int_equal(query_loader.step(r, s), 0);
	assert_int_equal(load_end(r, &(struct frame_loss){ 0 }), 0);
	assert_string_equal(say(q, "SELECT id, return_id, t_enter_ns, t_ns, took_ns, pending, pid, "
				   "tid, comm, sock, sid, role, name, syscall, fd, ret, requested, "
				   "len, errno FROM call"),
			    "1|5|1|5|4|0|9|7|prog|501|1|client|recv|recvfrom|3|40|100|40|-");
	assert_string_equal(say(q, "SELECT id, phase, call, ret, len FROM event"),
			    "1|enter|recvfrom|-|-\n5|exit|recvfrom|40|40");
	query_free(q);
}

/* One at the end of the trace, one whose return was lost: its thread is in another call. */
static void test_calls_that_never_return_are_rows(void **state)
{
	struct query *q = query_empty();
	struct render *r = load_begin(q);
	struct made m;

	(void)state;
	query_loader.step(r, make(&m, 1, PHASE_ENTER, 7, 1));
	query_loader.step(r, make(&m, 2, PHASE_ENTER, 7, 1));
	query_loader.step(r, make(&m, 3, PHASE_ENTER, 8, 2));
	assert_int_equal(load_end(r, &(struct frame_loss){ 0 }), 0);
	assert_string_equal(say(q, "SELECT id, return_id, pending, ret, requested FROM call"),
			    "1|-|1|-|100\n2|-|1|-|100\n3|-|1|-|100");
	query_free(q);
}

/* More sockets than the loader keeps at a time, and the first of them comes back. */
static void test_sockets_come_and_go(void **state)
{
	const __u32 many = 10000;
	struct query *q = query_empty();
	struct render *r = load_begin(q);
	struct made m;
	__u32 i;

	(void)state;
	for (i = 1; i <= many; i++)
		assert_int_equal(query_loader.step(r, make(&m, i, PHASE_EXIT, i, i)), 0);
	make(&m, many + 1, PHASE_EXIT, 1, 1);
	m.sock.destroyed = true;
	assert_int_equal(query_loader.step(r, &m.s), 0);
	assert_int_equal(load_end(r, &(struct frame_loss){ 0 }), 0);
	assert_string_equal(say(q, "SELECT count(*), count(DISTINCT sock) FROM sock"),
			    "10000|10000");
	assert_string_equal(say(q, "SELECT first_event, t_first_ns, t_last_ns, destroyed FROM sock "
				   "WHERE sid = 1"),
			    "1|1|10001|1");
	query_free(q);
}

static void test_levels_are_written_when_they_are_news(void **state)
{
	struct query *q = query_empty();
	struct render *r = load_begin(q);
	struct conn conn = { .id = 4 };
	struct made m;
	__u64 id;

	(void)state;
	for (id = 1; id <= 4; id++) {
		make(&m, id, PHASE_EXIT, 1, 1);
		m.s.conn = &conn;
		m.s.dir[0] = (struct ledger){
			.written = id < 3 ? 10 : 30, .rcvq = 10, .tx_seen = true, .rx_seen = true
		};
		m.s.dir[1] = (struct ledger){ .read = 5, .written = 5, .tx_seen = true };
		m.s.role = id == 4 ? ROLE_SERVER : ROLE_CLIENT;
		m.s.dir[1].written += id == 4;
		assert_int_equal(query_loader.step(r, &m.s), 0);
	}
	assert_int_equal(load_end(r, &(struct frame_loss){ 0 }), 0);
	assert_string_equal(say(q,
				"SELECT id, out_written, out_rcvq, in_written, in_read FROM event"),
			    "1|10|10|5|5\n2|-|-|-|-\n3|30|10|5|5\n4|6|0|30|0");
	query_free(q);
}

static void test_a_loss_is_told_by_kind_and_place(void **state)
{
	struct query *q = query_empty();
	struct render *r = load_begin(q);
	struct frame_loss l = { .t_ns = 1500 };

	(void)state;
	l.lost[EV_CALL] = 3;
	query_loader.step(r, &(struct step){ .id = 8, .t_ns = 1500, .kind = STEP_LOST, .n = 3 });
	assert_int_equal(query_loader.loss(r, &l), 0);
	l.lost[EV_CALL] = 4;
	l.lost[EV_ACK] = 2;
	l.t_ns = 1600;
	query_loader.step(r, &(struct step){ .id = 9, .t_ns = 1600, .kind = STEP_LOST, .n = 3 });
	assert_int_equal(query_loader.loss(r, &l), 0);
	l.seen[EV_CALL] = 20;
	assert_int_equal(load_end(r, &l), 0);
	assert_string_equal(say(q, "SELECT event, t_ns, kind, lost FROM loss"),
			    "8|500|call|3\n9|600|call|1\n9|600|ack|2");
	assert_string_equal(say(q, "SELECT key, value FROM meta WHERE key IN "
				   "('events', 'lost', 'complete', 'kernel') ORDER BY key"),
			    "complete|1\nevents|20\nkernel|6.1\nlost|6");
	assert_true(query_loaded(q).complete);
	assert_int_equal(query_loaded(q).lost, 6);
	query_free(q);
}

static void test_a_verdict_has_its_evidence(void **state)
{
	static const struct rule rule = { .name = "rule-x", .weight = WEIGHT_ALARM };
	struct verdict v = { .id = 1,
			     .t_ns = 1100,
			     .rule = &rule,
			     .weight = WEIGHT_NEWS,
			     .certainty = INFERRED,
			     .step = 5,
			     .sid = 2,
			     .sock = 502,
			     .conn = 1,
			     .question = "Why?",
			     .cause = "So",
			     .basis = "a look",
			     .n_evidence = 2,
			     .evidence = { 3, 5 } };
	struct query *q = query_empty();
	struct render *r = load_begin(q);

	(void)state;
	assert_int_equal(query_loader.verdict(r, &v), 0);
	assert_int_equal(load_end(r, &(struct frame_loss){ 0 }), 0);
	assert_string_equal(say(q, "SELECT id, t_ns, rule, weight, question, cause, certainty, "
				   "basis, todo, event, sock, sid, conn, pid FROM verdict"),
			    "1|100|rule-x|news|Why?|So|inferred|a look|-|5|502|2|1|-");
	assert_string_equal(say(q, "SELECT verdict, event FROM verdict_evidence"), "1|3\n1|5");
	query_free(q);
}

/* --- what may be asked --- */

static void test_only_one_select_is_run(void **state)
{
	static const char *const refused[] = {
		"",
		" ; -- nothing",
		"SELEC 1",
		"SELECT 1; SELECT 2",
		"SELECT 1; DELETE FROM meta",
		"DELETE FROM meta",
		"INSERT INTO meta VALUES('a', 'b')",
		"INSERT INTO meta VALUES('a', 'b') RETURNING key",
		"UPDATE meta SET value = 0",
		"DROP TABLE meta",
		"CREATE TABLE t(a)",
		"CREATE TEMP TABLE t(a)",
		"CREATE VIEW v AS SELECT 1",
		"ATTACH ':memory:' AS x",
		"DETACH main",
		"PRAGMA user_version",
		"PRAGMA query_only = 0",
		"SELECT * FROM pragma_table_info('meta')",
		"VACUUM",
		"VACUUM INTO '/tmp/nothing-may-write-this'",
		"BEGIN",
		"COMMIT",
		"SAVEPOINT s",
		"REINDEX",
		"ANALYZE",
		"SELECT load_extension('x')",
		"SELECT nope FROM meta",
		"SELECT writefile('/tmp/nothing-may-write-this', 'x')",
		"SELECT randomblob(100000000)",
	};
	struct query *q = empty_loaded();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		say(q, refused[i]);
		if (strncmp(answer.text, "error: ", 7) || strlen(answer.err) < 20)
			fail_msg("'%s' was not refused: '%s'", refused[i], answer.text);
		assert_null(strchr(answer.err, '\n'));
	}
	assert_string_equal(say(q, "SELECT count(*) FROM meta WHERE key = 'events'"), "1");
	query_free(q);
}

static void test_what_a_select_may_do(void **state)
{
	struct query *q = empty_loaded();

	(void)state;
	assert_string_equal(say(q, "SELECT 1;"), "1");
	assert_string_equal(say(q, "-- a comment\nSELECT 1; -- and one more\n;"), "1");
	assert_string_equal(say(q, "VALUES (1), (2)"), "1\n2");
	assert_string_equal(say(q, "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t "
				   "LIMIT 3) SELECT sum(n) FROM t"),
			    "6");
	assert_int_equal(query_accepts(q, "SELECT id FROM event", answer.err, QUERY_ERROR), 0);
	assert_int_equal(query_accepts(q, "SELECT x FROM event", answer.err, QUERY_ERROR), -EINVAL);
	query_free(q);
}

/* Before the load, too, where the loader must be able to write afterwards. */
static void test_a_select_is_judged_before_the_load(void **state)
{
	struct query *q = query_empty();

	(void)state;
	assert_int_equal(query_accepts(q, "DELETE FROM event", answer.err, QUERY_ERROR), -EINVAL);
	assert_int_equal(query_accepts(q, "SELECT id FROM event", answer.err, QUERY_ERROR), 0);
	assert_int_equal(load_end(load_begin(q), &(struct frame_loss){ 0 }), 0);
	assert_string_equal(say(q, "SELECT count(*) FROM event"), "0");
	query_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_column_can_be_asked_and_is_told),
		cmocka_unit_test(test_schema_is_what_was_created),
		cmocka_unit_test(test_events_are_the_lines_of_json),
		cmocka_unit_test(test_a_call_is_one_row),
		cmocka_unit_test(test_calls_that_never_return_are_rows),
		cmocka_unit_test(test_sockets_come_and_go),
		cmocka_unit_test(test_levels_are_written_when_they_are_news),
		cmocka_unit_test(test_a_loss_is_told_by_kind_and_place),
		cmocka_unit_test(test_a_verdict_has_its_evidence),
		cmocka_unit_test(test_only_one_select_is_run),
		cmocka_unit_test(test_what_a_select_may_do),
		cmocka_unit_test(test_a_select_is_judged_before_the_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
