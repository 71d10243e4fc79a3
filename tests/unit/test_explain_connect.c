// SPDX-License-Identifier: MIT
/*
 * What connect() met: nobody, somebody elsewhere, silence, itself; and what it does not say.
 */
#include <errno.h>

#include "explain_story.h"

static struct why_story w;
static struct tcp_pair p;

static void open_story(void)
{
	p = pair_on_loopback();
	why_open(&w);
	model_reason_name(w.y.m, "rst_reason", 1, "NO_SOCKET");
}

/* No socket takes the SYN; the answer has come before connect() returns. */
static void syn_refused(void)
{
	struct event_sock e = { .a = 1, .b = 1, .c = !p.c.is_b, .d = p.c.fid };

	seg_in(&w.y, &p.c, &p.s, TCPF_SYN, p.c_iss, 0);
	seg_passes(&w.y, &p.s, &p.c, TCPF_RST | TCPF_ACK, 0, 0);
	sock_told(&w.y, EV_SOCK_ERROR, p.c.sid, ECONNREFUSED, 0, 0, NULL);
	end_state(&w.y, &p.c, TCP_S_CLOSE);
	tell(&w.y, &e, EV_RST_SENT, sizeof(e));
}

static struct told *connect_fails(int err)
{
	struct made_call mc;

	pair_connect_enters(&w.y, &p, &mc);
	if (err == ECONNREFUSED)
		syn_refused();
	return call_returns(&w.y, &mc, -err);
}

static const struct verdict *expect(const char *rule, const struct told *t)
{
	const struct verdict *v = why_find(&w, rule);

	assert_int_equal(v->step, t->s.id);
	assert_int_equal(v->role, ROLE_CLIENT);
	return v;
}

/* A socket of another process, bound and perhaps listening. */
static void other_socket(__u32 sid, const struct ev_addr *at, bool listens)
{
	struct tcp_end e = { .sid = sid, .pid = 10, .fd = 3, .netns = 1, .src = *at };

	e.state = TCP_S_CLOSE;
	proc_told(&w.y, PROC_SEEN, 10, 0, 0, "server");
	end_info(&w.y, &e, 0);
	call_made(&w.y, call_of(10, CALL_BIND, sid, 3), 0);
	if (!listens)
		return;
	e.state = TCP_S_LISTEN;
	call_made(&w.y, call_of(10, CALL_LISTEN, sid, 3), 0);
}

static void test_refused(void **state)
{
	const struct verdict *v;
	struct told *t;

	(void)state;
	open_story();
	t = connect_fails(ECONNREFUSED);
	v = expect("connect-refused", t);
	assert_string_equal(v->question, "Why did connect(3) fail with ECONNREFUSED?");
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_says(v, "Nobody listens on 127.0.0.1:65430");
	assert_true(why_has_evidence(v, story_find(&w.y, EV_RST_SENT, 0)->s.id));
	assert_int_equal(why_find(&w, "rst-no-listener")->weight, WEIGHT_ASIDE);
	assert_int_equal(why_count(&w, "connect-refused"), 1);
	why_close(&w);
}

/* From elsewhere the RST proves less. */
static void test_refused_far(void **state)
{
	struct made_call mc;

	(void)state;
	open_story();
	p.c.src = addr4("10.0.0.1", 40000);
	p.c.dst = addr4("10.0.0.2", 65430);
	pair_connect_enters(&w.y, &p, &mc);
	seg_in(&w.y, &p.s, &p.c, TCPF_RST | TCPF_ACK, 0, 0);
	assert_int_equal(
		expect("connect-refused", call_returns(&w.y, &mc, -ECONNREFUSED))->certainty,
		INFERRED);
	why_close(&w);
}

/* What is nearby decides what is said. */
static void test_nearby(void **state)
{
	static const struct {
		const char *rule, *host, *words;
		__u16 port;
		bool listens;
	} cases[] = {
		{ "connect-address", "127.0.0.2", "at another address, 127.0.0.2:65430", 65430,
		  true },
		{ "connect-not-listening", "127.0.0.1", "bound that port, and not called listen()",
		  65430, false },
		/* 65430 is 0xff96, 38655 is 0x96ff */
		{ "connect-htons", "127.0.0.1",
		  "port 38655, which is 65430 with its two bytes swapped", 38655, true },
		{ "connect-refused", "127.0.0.1", "the kernel there answered", 5000, true },
	};
	const struct verdict *v;
	struct ev_addr at;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_story();
		at = addr4(cases[i].host, cases[i].port);
		other_socket(1, &at, cases[i].listens);
		v = expect(cases[i].rule, connect_fails(ECONNREFUSED));
		assert_says(v, cases[i].words);
		assert_int_equal(v->certainty == INFERRED, !strcmp(cases[i].rule, "connect-htons"));
		why_close(&w);
	}
}

static void test_gone(void **state)
{
	struct ev_addr at = addr4("127.0.0.1", 65430);
	const struct verdict *v;

	(void)state;
	open_story();
	other_socket(1, &at, true);
	close_made(&w.y, 10, 1, 3, true);
	sock_told(&w.y, EV_DESTROY, 1, 0, 0, 0, NULL);
	w.y.t_ns += 40 * NS_PER_MS;
	v = expect("connect-listener-gone", connect_fails(ECONNREFUSED));
	assert_says(v, "(server 10) closed its listener 40 ms before");
	why_close(&w);
}

/* A client that tries until it works is told of once aloud. */
static void test_tries(void **state)
{
	unsigned int i;

	(void)state;
	open_story();
	for (i = 0; i < 3; i++) {
		connect_fails(ECONNREFUSED);
		assert_int_equal(why_find(&w, "connect-refused")->weight,
				 i ? WEIGHT_ASIDE : WEIGHT_ALARM);
		p.c.sid++;
		p.c.state = TCP_S_CLOSE;
		p.c.src.port++;
		p.c.fid++;
	}
	assert_int_equal(why_count(&w, "connect-refused"), 3);
	why_close(&w);
}

static void gai_told(const char *node, const struct ev_addr *a, const struct ev_addr *b)
{
	struct event_gai g = { .e = { .pid = 20, .tid = 20 }, .total = 2, .kept = 2, .has_node = 1 };

	g.e.kind = EV_GAI;
	g.e.size = sizeof(g);
	memcpy(g.node, node, strlen(node));
	g.addrs[0].addr = *a;
	g.addrs[1].addr = *b;
	tell_as(&w.y, &g.e, PHASE_ENTER);
	tell_as(&w.y, &g.e, PHASE_EXIT);
}

/* The first address of a name is refused, the next one answers: no alarm. */
static void test_next_address(void **state)
{
	struct ev_addr first = addr4("127.0.0.2", 65430), second = addr4("127.0.0.1", 65430);
	const struct verdict *v;

	(void)state;
	open_story();
	gai_told("many", &first, &second);
	p.c.dst = p.s.src = first;
	p.c.fid = 8;
	connect_fails(ECONNREFUSED);
	assert_int_equal(why_find(&w, "connect-refused")->weight, WEIGHT_NEWS);
	p = pair_on_loopback();
	p.c.sid = 5;
	pair_open(&w.y, &p);
	v = why_find(&w, "connect-next");
	assert_says(
		v,
		"\"many\" gave 2 addresses: 127.0.0.2:65430 failed (ECONNREFUSED), 127.0.0.1:65430 answered");
	assert_int_equal(v->step, story_find(&w.y, EV_CALL, CALL_CONNECT)->s.id);
	why_no_alarm(&w);
	why_close(&w);
}

/* No other address is left to try. */
static void test_last_address(void **state)
{
	struct ev_addr only = addr4("127.0.0.1", 65430);

	(void)state;
	open_story();
	gai_told("one", &only, &only);
	connect_fails(ECONNREFUSED);
	assert_int_equal(why_find(&w, "connect-refused")->weight, WEIGHT_ALARM);
	why_close(&w);
}

static void test_timeout(void **state)
{
	const struct verdict *v;
	struct made_call mc;

	(void)state;
	open_story();
	pair_connect_enters(&w.y, &p, &mc);
	w.y.t_ns += NS_PER_S;
	seg_out(&w.y, &p.c, TCPF_SYN, p.c_iss, 0);
	w.y.t_ns += 2 * NS_PER_S;
	v = expect("connect-timeout", call_returns(&w.y, &mc, -ETIMEDOUT));
	assert_says(v, "2 SYNs were sent to 127.0.0.1:65430 in 3.00 s, and nothing came back");
	why_close(&w);
}

static void test_queue_full(void **state)
{
	const struct verdict *v;
	struct made_call mc;

	(void)state;
	open_story();
	pair_listen(&w.y, &p);
	pair_connect_enters(&w.y, &p, &mc);
	sock_told(&w.y, EV_RCVQ_FULL, p.l.sid, 0, 0, 0, NULL);
	w.y.t_ns += NS_PER_S;
	v = expect("connect-queue-full", call_returns(&w.y, &mc, -ETIMEDOUT));
	assert_says(v, "The accept queue of the server (server 10) was full: each of 1 SYN");
	why_close(&w);
}

static struct told *connect_at_once(int err)
{
	struct made_call mc = call_of(p.c.pid, CALL_CONNECT, p.c.sid, p.c.fd);

	proc_told(&w.y, PROC_SEEN, p.c.pid, 0, 0, "client");
	socket_made(&w.y, p.c.pid, p.c.sid, p.c.fd, SOCK_STREAM);
	call_to(&mc, &p.c.dst);
	return call_made(&w.y, mc, -err);
}

static void test_nothing_sent(void **state)
{
	const struct verdict *v;

	(void)state;
	open_story();
	end_info(&w.y, &p.c, 0);
	v = expect("connect-no-port", connect_at_once(EADDRNOTAVAIL));
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "No local port is left towards 127.0.0.1:65430");
	why_close(&w);
	open_story();
	end_info(&w.y, &p.c, 0);
	v = expect("connect-unreachable", connect_at_once(ENETUNREACH));
	assert_says(v, "no route to 127.0.0.1:65430");
	why_close(&w);
}

/* What libc tries inside getaddrinfo() is not the program's. */
static void test_inside_gai(void **state)
{
	struct made_call mc;

	(void)state;
	open_story();
	end_info(&w.y, &p.c, 0);
	mc = call_of(p.c.pid, CALL_CONNECT, p.c.sid, p.c.fd);
	mc.c.cflags = CALLF_IN_GAI;
	call_to(&mc, &p.c.dst);
	call_made(&w.y, mc, -ENETUNREACH);
	assert_int_equal(w.n, 0);
	why_close(&w);
}

static const struct verdict *unix_fails(__u32 sid, const char *path, int err)
{
	struct {
		struct event_call c;
		sa_family_t family;
		char path[62];
	} mc = { .c = call_of(20, CALL_CONNECT, sid, 3).c, .family = AF_UNIX };

	info_told(&w.y, (struct event_sockinfo){
				.e = { .sid = sid }, .family = AF_UNIX, .type = SOCK_STREAM });
	memcpy(mc.path, path, strlen(path));
	mc.c.tail_kind = TAIL_ADDR;
	mc.c.tail_len = sizeof(mc) - sizeof(mc.c);
	mc.c.tail_count = (__u16)(sizeof(mc.family) + strlen(path) + 1);
	mc.c.e.kind = EV_CALL;
	mc.c.e.size = sizeof(mc);
	mc.c.e.tid = 20;
	mc.c.t_enter = w.y.t_ns;
	tell_as(&w.y, &mc.c.e, PHASE_ENTER);
	mc.c.ret = -err;
	tell_as(&w.y, &mc.c.e, PHASE_EXIT);
	return why_find(&w, "connect-unix");
}

static void test_unix(void **state)
{
	(void)state;
	open_story();
	assert_says(unix_fails(11, "/tmp/s", ENOENT), "There is no file /tmp/s");
	assert_says(unix_fails(12, "/tmp/s", ECONNREFUSED),
		    "The file /tmp/s is there, but no socket");
	assert_int_equal(why_find(&w, "connect-unix")->weight, WEIGHT_ALARM);
	/* glibc asks for its name cache, which mostly does not run */
	assert_int_equal(unix_fails(13, "/var/run/nscd/socket", ENOENT)->weight, WEIGHT_ASIDE);
	why_close(&w);
}

static void test_again(void **state)
{
	const struct verdict *v;
	struct made_call mc;

	(void)state;
	open_story();
	pair_open(&w.y, &p);
	w.y.t_ns += 70 * NS_PER_MS;
	mc = call_of(p.c.pid, CALL_CONNECT, p.c.sid, p.c.fd);
	call_to(&mc, &p.c.dst);
	v = expect("connect-again", call_made(&w.y, mc, -EISCONN));
	assert_says(v, "connected already");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	mc = call_of(p.l.pid, CALL_CONNECT, p.l.sid, p.l.fd);
	call_to(&mc, &p.c.dst);
	call_made(&w.y, mc, -EISCONN);
	assert_says(why_find(&w, "connect-again"), "This socket listens");
	why_close(&w);
}

/* Not waited for; refused before the call returned, or after it. */
static void test_later_refused(void **state)
{
	const struct verdict *v;
	struct made_call mc;
	struct told *t;
	int at_once;

	(void)state;
	for (at_once = 0; at_once < 2; at_once++) {
		open_story();
		pair_connect_enters(&w.y, &p, &mc);
		if (at_once)
			syn_refused();
		t = call_returns(&w.y, &mc, -EINPROGRESS);
		assert_int_equal(why_count(&w, "connect-refused"), at_once);
		if (!at_once) {
			syn_refused();
			t = story_find(&w.y, EV_SOCK_ERROR, 0);
		}
		v = expect("connect-refused", t);
		assert_string_equal(v->question,
				    "What became of connect(3), which ended with ECONNREFUSED?");
		assert_non_null(strstr(v->remedy, "SO_ERROR"));
		why_close(&w);
	}
}

static void test_later_up(void **state)
{
	const struct verdict *v;
	struct made_call mc;
	struct told *t;

	(void)state;
	open_story();
	pair_connect_enters(&w.y, &p, &mc);
	t = call_returns(&w.y, &mc, -EINPROGRESS);
	v = expect("connect-started", t);
	assert_says(v, "EINPROGRESS is no failure: the handshake goes on without the call; poll()");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	w.y.t_ns += 80 * NS_PER_MS;
	t = end_state(&w.y, &p.c, TCP_S_ESTABLISHED);
	v = expect("connect-later", t);
	assert_says(v, "established 80 ms after the call began");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	why_close(&w);
}

static void test_self(void **state)
{
	const struct verdict *v;
	struct made_call mc;

	(void)state;
	open_story();
	p.c.src = p.c.dst;
	pair_connect_enters(&w.y, &p, &mc);
	end_state(&w.y, &p.c, TCP_S_SYN_RECV);
	end_state(&w.y, &p.c, TCP_S_ESTABLISHED);
	v = expect("connect-self", call_returns(&w.y, &mc, 0));
	assert_says(v, "Itself");
	why_close(&w);
}

/* accept() is called 50 ms after the connection stands; a moment after is worth an aside. */
static void test_early(void **state)
{
	struct made_call mc;

	(void)state;
	open_story();
	pair_open(&w.y, &p); /* accept() comes right after */
	assert_int_equal(why_find(&w, "connect-before-accept")->weight, WEIGHT_ASIDE);
	why_close(&w);

	open_story();
	pair_listen(&w.y, &p);
	pair_open_seen(&w.y, &p, 1);
	p.s.state = TCP_S_SYN_RECV;
	end_info(&w.y, &p.s, SOCKF_PASSIVE);
	end_state(&w.y, &p.s, TCP_S_ESTABLISHED);
	w.y.t_ns += 50 * NS_PER_MS;
	mc = call_of(p.s.pid, CALL_ACCEPT, p.l.sid, p.l.fd);
	mc.c.sid2 = p.s.sid;
	call_made(&w.y, mc, p.s.fd);
	assert_int_equal(why_find(&w, "connect-before-accept")->weight, WEIGHT_NEWS);
	assert_says(why_find(&w, "connect-before-accept"),
		    "established 50 ms before accept() was called");
	why_no_alarm(&w);
	why_close(&w);
}

static struct told *binds(__u32 sid, __u16 port)
{
	struct tcp_end e = {
		.sid = sid, .pid = 11, .fd = 4, .netns = 1, .src = addr4("127.0.0.1", port)
	};
	struct made_call mc = call_of(11, CALL_BIND, sid, 4);

	e.state = TCP_S_CLOSE;
	end_info(&w.y, &e, 0);
	call_to(&mc, &e.src);
	return call_made(&w.y, mc, 0);
}

static void test_bind(void **state)
{
	struct ev_addr at = addr4("127.0.0.1", 5001);
	const struct verdict *v;
	struct told *t;

	(void)state;
	open_story();
	other_socket(1, &at, true);
	t = binds(9, 35091);
	v = why_find(&w, "bind-htons");
	assert_int_equal(v->step, t->s.id);
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "Port 35091 is 5001 with its two bytes swapped, and 5001 is in use by");
	binds(10, 35092);
	assert_int_equal(why_count(&w, "bind-htons"), 1);
	why_close(&w);

	open_story();
	connect_fails(ECONNREFUSED);
	binds(9, 38655);
	assert_says(why_find(&w, "bind-htons"), "(client 20) was refused at 65430");
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),	      cmocka_unit_test(test_refused_far),
		cmocka_unit_test(test_nearby),	      cmocka_unit_test(test_gone),
		cmocka_unit_test(test_tries),	      cmocka_unit_test(test_next_address),
		cmocka_unit_test(test_last_address),  cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_queue_full),    cmocka_unit_test(test_nothing_sent),
		cmocka_unit_test(test_inside_gai),    cmocka_unit_test(test_again),
		cmocka_unit_test(test_later_refused), cmocka_unit_test(test_later_up),
		cmocka_unit_test(test_self),	      cmocka_unit_test(test_early),
		cmocka_unit_test(test_bind),	      cmocka_unit_test(test_unix),
	};

	return cmocka_run_group_tests_name("explain: connect", tests, NULL, NULL);
}
