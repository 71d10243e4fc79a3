/* SPDX-License-Identifier: MIT */
/* Records as typed fields: every kind, entry and return, errors as programs see them; and noise. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <cmocka.h>

#include "event/decode.h"
#include "event/describe.h"
#include "records.h"

static struct field fields[DESCRIBE_MAX];
static size_t n_fields;

static void describe(const void *ev, enum phase phase)
{
	size_t i, k;

	n_fields = describe_fields(ev, phase, fields);
	assert_true(n_fields <= DESCRIBE_MAX);
	for (i = 0; i < n_fields; i++)
		for (k = 0; k < i; k++)
			assert_string_not_equal(fields[i].key, fields[k].key);
}

static const struct field *field(const char *key)
{
	size_t i;

	for (i = 0; i < n_fields; i++)
		if (!strcmp(fields[i].key, key))
			return &fields[i];
	return NULL;
}

static void has_num(const char *key, long long num)
{
	assert_non_null(field(key));
	assert_true(field(key)->type == FIELD_U64 || field(key)->type == FIELD_S64);
	assert_int_equal(field(key)->num, (__u64)num);
}

static void has_text(const char *key, const char *text)
{
	assert_non_null(field(key));
	assert_true(field(key)->type == FIELD_TEXT || field(key)->type == FIELD_LIST);
	assert_string_equal(field(key)->text, text);
}

static void has_bytes(const char *key, const char *bytes, size_t len)
{
	assert_non_null(field(key));
	assert_int_equal(field(key)->type, FIELD_BYTES);
	assert_int_equal(field(key)->len, len);
	assert_memory_equal(field(key)->bytes, bytes, len);
}

#define HAS_NOT(key) assert_null(field(key))
#define HAS_FLAG(key) (assert_non_null(field(key)), assert_int_equal(field(key)->type, FIELD_BOOL))

static void test_fields_result(void **state)
{
	struct rec r = CALL(CALL_SENDTO, .fd = 3, .len = 100, .ret = 60, .x = { MSG_PEEK });

	(void)state;
	describe(&r, PHASE_ENTER);
	has_text("call", "sendto");
	has_num("fd", 3);
	has_num("requested", 100);
	has_text("flags", "MSG_PEEK");
	HAS_NOT("ret");
	HAS_NOT("len");
	HAS_NOT("addr");
	describe(&r, PHASE_EXIT);
	has_num("ret", 60);
	has_num("len", 60);
	HAS_NOT("errno");
	r.c.ret = -EAGAIN;
	r.c.cflags = CALLF_NONBLOCK;
	describe(&r, PHASE_EXIT);
	has_num("ret", -1);
	assert_int_equal(field("ret")->type, FIELD_S64);
	has_text("errno", "EAGAIN");
	HAS_NOT("len");
	HAS_FLAG("nonblock");
	r.c.ret = -4000;
	describe(&r, PHASE_EXIT);
	has_text("errno", "4000");
	r.c.ret = 0;
	r.c.cflags = CALLF_KILLED;
	describe(&r, PHASE_EXIT);
	HAS_NOT("ret");
	HAS_FLAG("never_returned");
	r = with_ip6(CALL(CALL_SENDTO, .fd = 3, .ret = 1), "::1", 9);
	describe(&r, PHASE_EXIT);
	has_text("addr", "[::1]:9");
}

static void test_fields_arguments(void **state)
{
	struct rec r = CALL(CALL_SOCKET, .fd = -1, .ret = 3,
			    .x = { AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 6 });
	int value = -7;

	(void)state;
	describe(&r, PHASE_EXIT);
	HAS_NOT("fd");
	has_text("domain", "inet");
	has_text("socktype", "stream");
	has_text("flags", "SOCK_CLOEXEC");
	has_num("protocol", 6);
	r = CALL(CALL_LISTEN, .fd = 3, .x = { 128 });
	describe(&r, PHASE_ENTER);
	has_num("backlog", 128);
	r = CALL(CALL_SHUTDOWN, .fd = 3, .x = { SHUT_WR });
	describe(&r, PHASE_EXIT);
	has_text("how", "SHUT_WR");
	r = with_path(CALL(CALL_BIND, .fd = 3), "\0\x1b", 2);
	describe(&r, PHASE_EXIT);
	has_bytes("path", "\0\x1b", 2);
	r = with_value(CALL(CALL_SETSOCKOPT, .fd = 3, .x = { SOL_SOCKET, SO_RCVBUF }), &value, 4);
	describe(&r, PHASE_ENTER);
	has_text("level", "SOL_SOCKET");
	has_text("option", "SO_RCVBUF");
	has_num("value", -7);
	r.c.call = CALL_GETSOCKOPT;
	describe(&r, PHASE_ENTER); /* not read yet */
	HAS_NOT("value");
	r = CALL(CALL_FCNTL, .fd = 3, .x = { F_DUPFD, 10 }, .ret = 10);
	describe(&r, PHASE_EXIT);
	has_text("command", "F_DUPFD");
	has_num("argument", 10);
	r = CALL(CALL_DUP2, .fd = 3, .x = { 7, 0, 1 }, .sid2 = 9, .ret = 7);
	describe(&r, PHASE_EXIT);
	has_num("requested_fd", 7);
	HAS_FLAG("closed_socket");
	r = CALL(CALL_SENDFILE, .fd = 4, .len = 10, .x = { 0, 3 }, .ret = 10);
	describe(&r, PHASE_EXIT);
	has_num("in_fd", 3);
	HAS_NOT("out_fd");
	r = CALL(CALL_SENDMMSG, .fd = 4, .len = 28, .x = { 0, 2 }, .ret = 2);
	describe(&r, PHASE_EXIT);
	has_num("messages", 2);
	has_num("len", 28);
}

static void test_fields_close(void **state)
{
	struct rec r = CALL(CALL_CLOSE, .fd = 3, .x = { 1 });

	(void)state;
	describe(&r, PHASE_EXIT);
	has_num("references_left", 1);
	has_num("ret", 0);
	HAS_NOT("by");
	HAS_NOT("last_reference");
	r.c.x[0] = 0;
	r.c.cflags = CALLF_BY_EXIT | CALLF_LAST_REF;
	describe(&r, PHASE_POINT);
	has_text("by", "exit");
	HAS_FLAG("last_reference");
	HAS_NOT("ret");
	r.c.cflags = CALLF_BY_EXEC;
	describe(&r, PHASE_POINT);
	has_text("by", "exec");
}

static void test_fields_waits(void **state)
{
	const struct poll_item polls[] = { { 3, 1, 17 }, { 5, 4, 0 } };
	const struct epoll_item epolls[] = { { .data = 4, .events = EPOLLIN } };
	struct select_sets sets = { .in = { 24, 32, 0 }, .out = { 8, 0, 0 } };
	struct rec r = with_polls(CALL(CALL_POLL, .fd = -1, .ret = 1, .x = { ~0u }), polls, 2, 2);

	(void)state;
	describe(&r, PHASE_EXIT);
	has_num("timeout_ms", -1);
	has_num("descriptors", 2);
	has_text("events", "3:IN,5:OUT");
	has_text("ready", "3:IN|HUP");
	describe(&r, PHASE_ENTER);
	HAS_NOT("ready");
	r = with_tail(CALL(CALL_SELECT, .fd = -1, .ret = 1), TAIL_SELECT, &sets, sizeof(sets), 0);
	describe(&r, PHASE_EXIT);
	has_text("events", "3:r,4:r,5:w");
	has_text("ready", "3:r");
	r = with_tail(CALL(CALL_EPOLL_WAIT, .fd = 5, .ret = 1, .x = { 5, 64 }), TAIL_EPOLL, epolls,
		      sizeof(epolls), 1);
	describe(&r, PHASE_EXIT);
	has_num("fd", 5);
	has_num("max_events", 64);
	has_text("ready", "4:IN");
	r = CALL(CALL_EPOLL_CTL, .fd = 3, .x = { EPOLL_CTL_MOD, EPOLLIN, 5 }, .len = 77);
	describe(&r, PHASE_EXIT);
	has_num("epfd", 5);
	has_text("operation", "MOD");
	has_text("events", "IN");
	has_num("data", 77);
}

static void test_fields_proc(void **state)
{
	struct event_proc p = { .e = { .kind = EV_PROC, .size = sizeof(p) },
				.ppid = 7,
				.uid = 1000 };

	(void)state;
	memset(p.comm, '\x1b', sizeof(p.comm)); /* full and hostile */
	p.what = PROC_FORK;
	p.child = 42;
	p.clone_flags = 0x400; /* CLONE_FILES */
	describe(&p, PHASE_POINT);
	has_text("what", "fork");
	has_bytes("comm", p.comm, 16);
	has_num("child", 42);
	has_num("ppid", 7);
	has_num("uid", 1000);
	has_num("clone_flags", 0x400);
	HAS_FLAG("shares_descriptors");
	HAS_NOT("exit_code");
	p.what = PROC_EXIT;
	p.code = 3 << 8;
	describe(&p, PHASE_POINT);
	has_num("exit_code", 3);
	HAS_NOT("signal");
	HAS_NOT("child");
	p.code = 9;
	describe(&p, PHASE_POINT);
	has_num("signal", 9);
	HAS_NOT("exit_code");
	p.what = 99;
	describe(&p, PHASE_POINT);
	has_text("what", "99");
}

static void test_fields_identity(void **state)
{
	struct ev_addr a = { .family = AF_INET, .port = 80, .addr = { 10, 0, 0, 1 } };
	struct event_sockinfo s = {
		.e = { .kind = EV_SOCK, .size = sizeof(s) },
		.cookie = 5,
		.netns = 6,
		.ino = 7,
		.family = AF_INET,
		.type = SOCK_STREAM,
		.protocol = IPPROTO_TCP,
		.state = 10,
		.sflags = SOCKF_PASSIVE,
		.parent = 3,
		.src = a,
	};
	struct event_flow w = { .e = { .kind = EV_FLOW, .size = sizeof(w) },
				.fid = 4,
				.protocol = IPPROTO_UDP,
				.a = a,
				.b = a };
	struct event_fd d = { .e = { .kind = EV_FD, .size = sizeof(d) }, .fd = 8, .cloexec = 1 };

	(void)state;
	describe(&s, PHASE_POINT);
	has_num("cookie", 5);
	has_num("netns", 6);
	has_num("ino", 7);
	has_text("family", "inet");
	has_text("socktype", "stream");
	has_text("protocol", "tcp");
	has_text("state", "LISTEN");
	has_text("src", "10.0.0.1:80");
	has_num("listener_sid", 3);
	HAS_NOT("dst");
	HAS_NOT("path");
	HAS_FLAG("passive");
	HAS_NOT("v6only");
	s.path_len = 3;
	memcpy(s.path, "\0ab", 3);
	describe(&s, PHASE_POINT);
	has_bytes("path", "\0ab", 3);
	describe(&w, PHASE_POINT);
	has_num("flow", 4);
	has_text("protocol", "udp");
	has_text("a", "10.0.0.1:80");
	describe(&d, PHASE_POINT);
	has_num("fd", 8);
	HAS_FLAG("cloexec");
}

static void test_fields_gai(void **state)
{
	struct event_gai g = gai_new("localhost", NULL);
	char all[1600] = "[::1]:65430,127.0.0.1:65430";
	int i;

	(void)state;
	gai_answer(&g, AF_INET6, "::1");
	gai_answer(&g, AF_INET, "127.0.0.1");
	describe(&g, PHASE_ENTER);
	has_bytes("node", "localhost", 9);
	HAS_NOT("service");
	HAS_NOT("answers");
	HAS_NOT("ret");
	describe(&g, PHASE_EXIT);
	has_num("ret", 0);
	has_num("total", 2);
	has_text("answers", "[::1]:65430,127.0.0.1:65430");
	for (i = 2; i < EVENT_GAI_ADDRS; i++) { /* the longest list there can be, whole */
		gai_answer(&g, AF_INET6, "2001:db8:1111:2222:3333:4444:5555:6666");
		strcat(all, ",[2001:db8:1111:2222:3333:4444:5555:6666]:65430");
	}
	describe(&g, PHASE_EXIT);
	has_text("answers", all);
	g.ret = -2;
	describe(&g, PHASE_EXIT);
	has_num("ret", -2);
	has_text("errno", "EAI_NONAME");
}

static void test_fields_segment(void **state)
{
	struct event_segment s = {
		.e = { .kind = EV_SEGMENT, .size = sizeof(s) },
		.fid = 2,
		.seq = 1000,
		.ack = 2000,
		.len = 14,
		.win = 512,
		.flags = 0x18,
		.sflags = SEGF_OUT | SEGF_FROM_B | SEGF_LOOPBACK,
		.ifindex = 1,
		.netns = 9,
	};

	(void)state;
	describe(&s, PHASE_POINT);
	has_text("direction", "out");
	has_text("sender", "b");
	has_text("flags", "PSH,ACK");
	has_num("len", 14);
	has_num("seq_raw", 1000);
	has_num("ack_raw", 2000);
	has_num("win_raw", 512);
	HAS_FLAG("loopback");
	HAS_NOT("wscale");
	HAS_NOT("mss");
	s.flags = 2;
	s.wscale = 1; /* the option is there and says 0 */
	s.mss = 65495;
	describe(&s, PHASE_POINT);
	HAS_NOT("ack_raw");
	has_num("wscale", 0);
	has_num("mss", 65495);
	s.sflags = SEGF_IN | SEGF_UDP;
	describe(&s, PHASE_POINT);
	has_text("direction", "in");
	has_num("len", 14);
	HAS_NOT("flags");
	HAS_NOT("seq_raw");
}

static struct event_sock moment(unsigned int kind, __u32 a, __u32 b, __u32 c)
{
	return (struct event_sock){ .e = { .kind = (__u8)kind, .size = sizeof(struct event_sock) },
				    .a = a,
				    .b = b,
				    .c = c };
}

static void test_fields_kernel(void **state)
{
	struct event_sock s = moment(EV_STATE, 2, 1, 0);

	(void)state;
	describe(&s, PHASE_POINT);
	has_text("old_state", "SYN_SENT");
	has_text("new_state", "ESTABLISHED");
	s = moment(EV_STATE, 99, 1, 0);
	describe(&s, PHASE_POINT);
	has_text("old_state", "99");
	s = moment(EV_RETRANSMIT, 1, 777, 14);
	describe(&s, PHASE_POINT);
	has_text("state", "ESTABLISHED");
	has_num("seq_raw", 777);
	has_num("len", 14);
	s = moment(EV_RST_SENT, 0, 0, 0);
	describe(&s, PHASE_POINT);
	HAS_NOT("reason_number");
	s = moment(EV_RST_SENT, 11, 1, 0);
	describe(&s, PHASE_POINT);
	has_num("reason_number", 11);
	s = moment(EV_SOCK_ERROR, ECONNRESET, 0, 0);
	describe(&s, PHASE_POINT);
	has_text("errno", "ECONNRESET");
	s = moment(EV_RECEIVED, (__u32)-EAGAIN, 0, 0);
	describe(&s, PHASE_POINT);
	has_num("ret", -1);
	has_text("errno", "EAGAIN");
	s = moment(EV_SENT, 14, 0, 0);
	describe(&s, PHASE_POINT);
	has_num("ret", 14);
	s = moment(EV_UDP_DROP, ENOMEM, 0, 1000);
	describe(&s, PHASE_POINT);
	has_text("errno", "ENOMEM");
	has_num("len", 1000);
	s = moment(EV_SKB_DROP, 6, 0, 20);
	describe(&s, PHASE_POINT);
	has_num("reason_number", 6);
	s = moment(EV_DESTROY, 1, 2, 3);
	describe(&s, PHASE_POINT);
	assert_int_equal(n_fields, 0);
}

/* Any record that passes event_check() can be described: no crash, no field too many. */
static void test_noise(void **state)
{
	static __u64 buf[64];
	struct event *ev = (struct event *)buf;
	unsigned int seed = 7, round, kind;
	char text[300];
	size_t i;

	(void)state;
	for (round = 0; round < 300000; round++) {
		for (i = 0; i < sizeof(buf) / sizeof(buf[0]); i++)
			buf[i] = (__u64)rand_r(&seed) << 33 ^ (__u64)rand_r(&seed);
		kind = 1 + (unsigned int)rand_r(&seed) % (EV_KIND_MAX - 1);
		ev->kind = (__u8)kind;
		if (kind == EV_CALL) {
			((struct event_call *)ev)->call %= CALL_MAX + 2;
			((struct event_call *)ev)->tail_kind %= 6;
			((struct event_call *)ev)->tail_len = (__u16)(rand_r(&seed) % 17 * 8);
			if (rand_r(&seed) % 4)
				((struct event_call *)ev)->ret &= 0xff;
		}
		for (ev->size = 24; ev->size < 400; ev->size += 8)
			if (event_check(buf, sizeof(buf)) > 0)
				break;
		if (ev->size >= 400)
			continue;
		describe(ev, (enum phase)(round % 3));
		describe_call(text, 1 + round % sizeof(text), ev);
		describe_result(text, 1 + round % sizeof(text), ev);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_result), cmocka_unit_test(test_fields_arguments),
		cmocka_unit_test(test_fields_close),  cmocka_unit_test(test_fields_waits),
		cmocka_unit_test(test_fields_proc),   cmocka_unit_test(test_fields_identity),
		cmocka_unit_test(test_fields_gai),    cmocka_unit_test(test_fields_segment),
		cmocka_unit_test(test_fields_kernel), cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
