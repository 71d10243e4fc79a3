// SPDX-License-Identifier: MIT
/*
 * The sentences for the learner: each where it is true, and nowhere else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render_story.h"

static void begin(struct story *st, __u16 family, __u8 type)
{
	story_open(st, &render_text, 0);
	st->sock[0].family = family;
	st->sock[0].type = type;
	st->sock[0].protocol = family == AF_UNIX   ? 0 :
			       type == SOCK_STREAM ? IPPROTO_TCP :
						     IPPROTO_UDP;
	st->sock[0].role = ROLE_CLIENT;
}

static void expect_text(struct story *st, const char *want, const char *never)
{
	char *text = story_close(st);

	if (want && !strstr(text, want))
		fail_msg("no \"%s\" in\n%s", want, text);
	if (never && strstr(text, never))
		fail_msg("\"%s\" in\n%s", never, text);
	free(text);
}

/* One call on a socket of this kind. */
static void expect_of(__u16 family, __u8 type, struct event_call c, long long ret,
		      unsigned int sflags, const char *want, const char *never)
{
	struct story st;

	begin(&st, family, type);
	story_call(&st, 0, 0, c, ret, sflags);
	expect_text(&st, want, never);
}

static void test_bad_ends(void **state)
{
	const struct event_call send = CALL(CALL_SENDTO, 3, .len = 5),
				recv = CALL(CALL_RECVFROM, 3, .len = 5);

	(void)state;
	expect_of(AF_INET, SOCK_STREAM, recv, -ECONNRESET, 0, "peer's RST", NULL);
	expect_of(AF_UNIX, SOCK_STREAM, recv, -ECONNRESET, 0, "data unread", "RST");
	expect_of(AF_INET, SOCK_DGRAM, recv, -ECONNRESET, 0, NULL, "RST");
	expect_of(AF_INET, SOCK_STREAM, send, -EPIPE, 0, "nothing more can be sent", NULL);
	expect_of(AF_UNIX, SOCK_STREAM, send, -EPIPE, 0, "nobody would read it", "direction");
}

static void test_in_use(void **state)
{
	struct {
		struct event_call c;
		char sa[16];
	} b = { .c = CALL(CALL_BIND, 3, .ret = -EADDRINUSE) };
	const sa_family_t family = AF_UNIX;
	struct step s = { .phase = PHASE_EXIT, .layer = LAYER_APP };
	struct story st;
	int abstract;

	(void)state;
	expect_of(AF_INET, SOCK_STREAM, b.c, -EADDRINUSE, 0, "holds this port", NULL);
	for (abstract = 0; abstract < 2; abstract++) {
		begin(&st, AF_UNIX, SOCK_STREAM);
		memcpy(b.sa, &family, sizeof(family));
		memcpy(b.sa + 2, abstract ? "\0xyz" : "/xyz", 5);
		b.c.tail_kind = TAIL_ADDR;
		b.c.tail_count = 6;
		b.c.tail_len = sizeof(b.sa);
		story_head(&st, &b.c.e, sizeof(b), EV_CALL, 0, 0);
		s.ev = &b.c.e;
		story_fill(&st, &s, 0, 0);
		story_tell(&st, &s);
		expect_text(&st, abstract ? "this name is taken" : "the path exists already",
			    "port");
	}
}

static void test_still_open(void **state)
{
	const struct event_call c = CALL(CALL_CLOSE, 3, .x = { 1 });
	struct story st;

	(void)state;
	expect_of(AF_UNIX, SOCK_STREAM, c, 0, 0, "another descriptor keeps", "FIN");
	expect_of(AF_INET, SOCK_DGRAM, c, 0, 0, "another descriptor keeps", "FIN");
	expect_of(AF_INET, SOCK_STREAM, c, 0, STEP_HELD, "a call in progress still holds it",
		  "another descriptor");
	begin(&st, AF_INET, SOCK_STREAM);
	st.sock[0].listening = true;
	story_call(&st, 0, 0, c, 0, 0);
	expect_text(&st, "another descriptor keeps", "FIN");
	begin(&st, AF_INET, SOCK_STREAM);
	story_conn(&st, 0, 0, 1, "127.0.0.1", 1, "127.0.0.1", 2);
	story_call(&st, 0, 0, c, 0, 0);
	expect_text(&st, "no FIN: another descriptor keeps", NULL);
}

/* The limit of the everyday sentence does not silence the rare one. */
static void test_short_send(void **state)
{
	struct story st;
	int i;

	(void)state;
	begin(&st, AF_INET, SOCK_STREAM);
	story_conn(&st, 0, 0, 1, "127.0.0.1", 1, "127.0.0.1", 2);
	for (i = 0; i < 10; i++)
		story_call(&st, 0, 0, CALL(CALL_SENDTO, 3, .len = 5), 5, 0);
	story_call(&st, 0, 0, CALL(CALL_SENDTO, 3, .len = 500), 20, 0);
	expect_text(&st, "only 20 of 500 bytes fitted", NULL);
}

static void test_sent_into_a_reset(void **state)
{
	struct event_call c = CALL(CALL_SENDTO, 3, .len = 5);
	struct step s = { .phase = PHASE_EXIT, .layer = LAYER_APP, .ev = &c.e };
	struct story st;

	(void)state;
	begin(&st, AF_INET, SOCK_STREAM);
	story_conn(&st, 0, 0, 1, "127.0.0.1", 1, "127.0.0.1", 2);
	st.conn[0].dir[0].written = st.conn[0].dir[0].unacked = 5;
	c.ret = 5;
	c.lv = story_levels(&st, 0);
	c.lv.state = ST_CLOSE;
	story_head(&st, &c.e, sizeof(c), EV_CALL, 0, 0);
	story_fill(&st, &s, 0, 0);
	story_tell(&st, &s);
	story_summary(&st, 0, END_RST);
	expect_text(&st, "by now the connection is reset", "not yet read");
	begin(&st, AF_INET, SOCK_STREAM);
	story_conn(&st, 0, 0, 1, "127.0.0.1", 1, "127.0.0.1", 2);
	st.conn[0].dir[0].written = st.conn[0].dir[0].unacked = 5;
	story_summary(&st, 0, END_RST);
	expect_text(&st, "5 B written = 5 never acknowledged; balanced", "unsent");
}

static void test_forks(void **state)
{
	struct event_proc p = { .what = PROC_FORK, .child = 7 };
	struct step s = { .layer = LAYER_APP, .ev = &p.e };
	struct story st;
	int shares;

	(void)state;
	for (shares = 0; shares < 2; shares++) {
		begin(&st, AF_INET, SOCK_STREAM);
		st.proc[0].role = ROLE_CLIENT;
		p.clone_flags = shares ? 0x400 : 0;
		story_head(&st, &p.e, sizeof(p), EV_PROC, 0, -1);
		story_fill(&st, &s, 0, -1);
		story_tell(&st, &s);
		expect_text(&st, shares ? "shares its descriptors" : "has copies of",
			    shares ? "copies" : "shares");
	}
}

static void test_cut(void **state)
{
	const struct event_call c = CALL(CALL_RECVFROM, 3, .len = 10);
	struct story st;

	(void)state;
	expect_of(AF_INET, SOCK_DGRAM, c, 10, STEP_TRUNC, "was longer: the rest is gone", NULL);
	begin(&st, AF_INET, SOCK_DGRAM);
	st.n = 90;
	story_call(&st, 0, 0, c, 10, STEP_TRUNC);
	expect_text(&st, "the datagram had 100 B: 90 are gone", NULL);
	begin(&st, AF_INET, SOCK_DGRAM);
	st.n = 90;
	story_call(&st, 0, 0, c, 100, STEP_TRUNC); /* MSG_TRUNC */
	expect_text(&st, "the datagram had 100 B: 90 are gone", NULL);
}

static void test_time_wait(void **state)
{
	struct story st;

	(void)state;
	begin(&st, AF_INET, SOCK_STREAM);
	story_state(&st, 0, 0, ST_FIN_WAIT2, ST_CLOSE);
	expect_text(&st, "CLOSE", "time-wait");
	begin(&st, AF_INET, SOCK_STREAM);
	st.sflags = STEP_TIME_WAIT;
	story_state(&st, 0, 0, ST_FIN_WAIT2, ST_CLOSE);
	expect_text(&st, "a small time-wait entry", NULL);
}

/* The reason stands on the line of the RST, in the column of who sends it. */
static void test_rst_beside_its_segment(void **state)
{
	struct event_sock m = { .b = 1 };
	struct step s = { .layer = LAYER_KERNEL, .ev = &m.e, .reason = "NO_SOCKET" };
	struct story st;
	char *text, *line;

	(void)state;
	begin(&st, AF_INET, SOCK_STREAM);
	st.view.width = 120;
	s.conn = story_conn(&st, 0, 0, -1, "127.0.0.1", 1, "127.0.0.1", 2);
	story_segment(&st, 0, 0, SYN, 0, 0);
	story_head(&st, &m.e, sizeof(m), EV_RST_SENT, -1, -1);
	s.id = ++st.step_id;
	s.t_ns = st.now_ns;
	s.role = ROLE_SERVER;
	story_tell(&st, &s);
	story_segment(&st, 0, 1, RST | ACK, 0, 0);
	text = story_close(&st);
	line = strstr(text, "- RST --");
	assert_non_null(line);
	line = strstr(line, "sends RST: NO_SOCKET\n");
	assert_non_null(line);
	assert_int_equal(strncmp(strchr(line, '\n') + 1, "       ", 7), 0);
	assert_non_null(strstr(line, "nobody listens on this port"));
	assert_null(strstr(text, "ms \n"));
	free(text);
}

static void test_rst_reasons(void **state)
{
	static const char *const reasons[][2] = {
		{ "TCP_ABORT_ON_CLOSE", "closed with unread bytes" },
		{ "TCP_ABORT_ON_DATA", "data came after close()" },
		{ "TCP_STATE", "linger 0" },
		{ "TCP_TIMEWAIT_SOCKET", "time-wait entry" },
		{ "TCP_KEEPALIVE_TIMEOUT", "keepalive" },
		{ "SOMETHING_NEW", "sends RST: SOMETHING_NEW\n" },
	};
	struct story st;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		begin(&st, AF_INET, SOCK_STREAM);
		st.reason = reasons[i][0];
		story_moment(&st, EV_RST_SENT, 0, 0, 3, 1, 0);
		expect_text(&st, reasons[i][1], NULL);
	}
}

/* ---- calls without a socket, and those that are not the story ---- */

static void test_no_socket(void **state)
{
	struct story st;

	(void)state;
	begin(&st, AF_INET, SOCK_STREAM);
	st.proc[0].role = ROLE_SERVER;
	story_call(&st, 0, -1, CALL(CALL_SENDTO, 3, .len = 5), -EBADF, 0);
	expect_text(&st, "3 is no open descriptor", NULL);
	begin(&st, AF_INET, SOCK_STREAM);
	story_call(&st, 0, -1, CALL(CALL_SENDTO, 3, .len = 5), -ENOTSOCK, 0);
	expect_text(&st, "3 is not a socket", NULL);
	expect_of(AF_INET, SOCK_STREAM, CALL(CALL_READ, 3), -EBADF, 0, NULL, "no open");
}

static void test_netlink_is_hidden(void **state)
{
	struct story st;

	(void)state;
	begin(&st, AF_INET, SOCK_STREAM);
	st.sock[1].family = AF_NETLINK;
	story_call(&st, 0, -1, CALL(CALL_SOCKET, -1, .x = { AF_NETLINK, SOCK_RAW }), 4, 0);
	story_call(&st, 0, 1, CALL(CALL_SENDTO, 4, .len = 20), 20, 0);
	story_moment(&st, EV_SOCK_CLOSED, 0, 1, 0, 0, 0);
	story_call(&st, 0, 0, CALL(CALL_CLOSE, 3), 0, 0);
	expect_text(&st, "close(3)", "(4");
	begin(&st, AF_INET, SOCK_STREAM);
	story_call(&st, 0, -1, CALL(CALL_SOCKET, -1, .x = { AF_NETLINK, SOCK_RAW }), 4, 0);
	expect_text(&st, NULL, "NETLINK");
}

/* A look at a socket changes bars, and says nothing where they stay. */
static void test_levels_only(void **state)
{
	struct story st;
	int i;

	(void)state;
	begin(&st, AF_INET, SOCK_STREAM);
	story_conn(&st, 0, 0, 1, "127.0.0.1", 1, "127.0.0.1", 2);
	for (i = 0; i < 3; i++)
		story_moment(&st, EV_LEVELS, 0, 0, 0, 0, 0);
	expect_text(&st, NULL, "ms");
	begin(&st, AF_INET, SOCK_STREAM);
	story_conn(&st, 0, 0, 1, "127.0.0.1", 1, "127.0.0.1", 2);
	st.conn[0].dir[1].rcvq = 10;
	for (i = 0; i < 3; i++)
		story_moment(&st, EV_LEVELS, 0, 0, 0, 0, 0);
	expect_text(&st, "rcvq [#         ] 10 B", "process");
}

/* An address of one form at the top and at the end; still open: until tracing ended. */
static void test_mapped_and_open(void **state)
{
	struct step s = { .kind = STEP_SUMMARY, .layer = LAYER_APP, .how = END_OPEN };
	struct story st;

	(void)state;
	begin(&st, AF_INET, SOCK_STREAM);
	s.conn = story_conn(&st, 0, 0, 1, "::ffff:127.0.0.1", 1, "127.0.0.1", 2);
	story_segment(&st, 0, 0, SYN, 0, 0);
	st.conn[0].t_last_ns = st.conn[0].t_first_ns + 1000;
	s.id = 100;
	s.t_ns = st.conn[0].t_first_ns + 5000000;
	story_tell(&st, &s);
	expect_text(&st, "#1 TCP, 5.0 ms: still open", "ffff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_ends),
		cmocka_unit_test(test_in_use),
		cmocka_unit_test(test_still_open),
		cmocka_unit_test(test_short_send),
		cmocka_unit_test(test_sent_into_a_reset),
		cmocka_unit_test(test_forks),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_time_wait),
		cmocka_unit_test(test_rst_beside_its_segment),
		cmocka_unit_test(test_rst_reasons),
		cmocka_unit_test(test_no_socket),
		cmocka_unit_test(test_netlink_is_hidden),
		cmocka_unit_test(test_levels_only),
		cmocka_unit_test(test_mapped_and_open),
	};

	return cmocka_run_group_tests_name("render: remarks", tests, NULL, NULL);
}
