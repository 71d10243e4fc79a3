// SPDX-License-Identifier: MIT
/*
 * Why a call failed with EPIPE or ECONNRESET, and why a process died of SIGPIPE.
 */
#include <signal.h>

#include "explain_leaving.h"

static struct why_story w;

static struct tcp_pair opened(void)
{
	struct tcp_pair p = pair_on_loopback();

	why_open(&w);
	pair_open(&w.y, &p);
	return p;
}

static size_t told_here(void)
{
	size_t i, n = 0;

	for (i = 0; i < w.n; i++)
		n += !strncmp(w.told[i].rule->name, "pipe-", 5) ||
		     !strncmp(w.told[i].rule->name, "reset-", 6);
	return n;
}

static void test_own_shutdown(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;
	struct told *t;

	(void)state;
	end_shuts(&w.y, &p.c, &p.s, SHUT_WR);
	t = end_fails(&w.y, &p.c, -EPIPE);
	v = why_find(&w, "pipe-own-shutdown");
	assert_int_equal(v->step, t->s.id);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_string_equal(v->question, "Why did send(3) fail with EPIPE?");
	assert_says(v, "shutdown(3, SHUT_WR)");
	assert_int_equal(told_here(), 1);
	why_close(&w);
}

/* The first send after the peer left works; its RST makes the second fail. */
static void test_peer_left(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;
	__u64 first;

	(void)state;
	end_sends(&w.y, &p.s, &p.c, 9, 9); /* before: not the one to name */
	end_receives(&w.y, &p.c, 100, 9);
	end_closes(&w.y, &p.c, &p.s, 0);
	first = end_sends(&w.y, &p.s, &p.c, 5, 0)->s.id;
	end_sends(&w.y, &p.s, &p.c, 6, 0); /* before the RST is back */
	assert_int_equal(told_here(), 0);
	end_resets(&w.y, &p.c, &p.s);
	end_fails(&w.y, &p.s, -EPIPE);
	v = why_find(&w, "pipe-peer-left");
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "the client (client 20) called close(3); the send of 5 bytes after that");
	assert_true(why_has_evidence(v, first));
	end_fails(&w.y, &p.s, -EPIPE);
	assert_int_equal(told_here(), 1);
	why_close(&w);
}

static void dies(struct tcp_pair *p, __u32 status)
{
	end_closes(&w.y, &p->c, &p->s, 0);
	end_sends(&w.y, &p->s, &p->c, 5, 0);
	end_resets(&w.y, &p->c, &p->s);
	end_fails(&w.y, &p->s, -EPIPE);
	process_ends(&w.y, p->s.pid, status);
}

static void test_killed(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	dies(&p, SIGPIPE);
	v = why_find(&w, "pipe-killed");
	assert_int_equal(v->step, story_last(&w.y)->s.id);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->pid, p.s.pid);
	assert_int_equal(v->role, ROLE_SERVER);
	assert_says(v, "SIGPIPE killed server (process 10): its send on descriptor 4");
	why_close(&w);

	p = opened();
	dies(&p, SIGTERM);
	assert_int_equal(why_count(&w, "pipe-killed"), 0);
	why_close(&w);
}

/* Nothing was seen to fail: maybe it was a pipe. */
static void test_killed_elsewhere(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	process_ends(&w.y, p.c.pid, SIGPIPE);
	v = why_find(&w, "pipe-killed");
	assert_int_equal(v->certainty, INFERRED);
	assert_int_equal(v->sid, 0);
	why_close(&w);
}

static void test_unconnected(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	end_fails(&w.y, &p.l, -EPIPE);
	v = why_find(&w, "pipe-unconnected");
	assert_says(v, "listening socket");
	assert_int_equal(v->certainty, PROVED);

	socket_made(&w.y, p.c.pid, 8, 8, SOCK_STREAM);
	info_told(&w.y, (struct event_sockinfo){
				.e = { .sid = 8 }, .protocol = IPPROTO_TCP, .type = SOCK_STREAM });
	mc = call_of(p.c.pid, CALL_CONNECT, 8, 8);
	call_to(&mc, &p.c.dst);
	call_made(&w.y, mc, -ECONNREFUSED);
	mc = call_of(p.c.pid, CALL_SENDTO, 8, 8);
	mc.c.len = 1;
	call_made(&w.y, mc, -EPIPE);
	assert_says(why_find(&w, "pipe-unconnected"), "connect() had failed with ECONNREFUSED");
	assert_int_equal(told_here(), 2);
	why_close(&w);
}

static void test_never_connected(void **state)
{
	struct made_call mc = call_of(20, CALL_WRITE, 8, 8);

	(void)state;
	why_open(&w);
	socket_made(&w.y, 20, 8, 8, SOCK_STREAM);
	info_told(&w.y, (struct event_sockinfo){
				.e = { .sid = 8 }, .protocol = IPPROTO_TCP, .type = SOCK_STREAM });
	mc.c.len = 1;
	call_made(&w.y, mc, -EPIPE);
	assert_says(why_find(&w, "pipe-unconnected"), "no connect() has succeeded");
	why_close(&w);
}

/* A socket from before the trace: what led to it is not known. */
static void test_unknown(void **state)
{
	struct made_call mc = call_of(20, CALL_WRITE, 8, 8);

	(void)state;
	why_open(&w);
	info_told(&w.y, (struct event_sockinfo){ .e = { .sid = 8, .flags = EVF_SEED },
						 .protocol = IPPROTO_TCP,
						 .type = SOCK_STREAM,
						 .src = addr4("127.0.0.1", 40000),
						 .dst = addr4("127.0.0.1", 7) });
	mc.c.len = 1;
	call_made(&w.y, mc, -EPIPE);
	assert_int_equal(why_find(&w, "pipe-unknown")->certainty, INFERRED);
	why_close(&w);
}

/* --- ECONNRESET --- */

/* The client closes with what the server had sent unread; what it had sent itself was read. */
static void test_reset_recv(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;
	struct told *t;

	(void)state;
	end_sends(&w.y, &p.c, &p.s, 2000, 2000);
	end_sends(&w.y, &p.s, &p.c, 4, 4);
	end_aborts(&w.y, &p.c, &p.s);
	end_receives(&w.y, &p.s, 4096, 2000);
	t = end_gets(&w.y, &p.s, 0, -ECONNRESET);
	v = why_find(&w, "reset-recv");
	assert_int_equal(v->step, t->s.id);
	assert_int_equal(v->weight, WEIGHT_NEWS); /* the RST had its alarm */
	assert_int_equal(v->role, ROLE_SERVER);
	assert_says(v, "the client (client 20) called close(3) with 4 bytes unread");
	assert_says(v, "the 2,000 bytes that came before were read");
	assert_non_null(strstr(v->remedy, "until recv() returns 0"));
	why_close(&w);
}

static void test_reset_lost(void **state)
{
	struct tcp_pair p = opened();

	(void)state;
	end_sends(&w.y, &p.c, &p.s, 9000, 1000);
	end_receives(&w.y, &p.s, 4096, 1000);
	end_sends(&w.y, &p.s, &p.c, 4, 4);
	end_aborts(&w.y, &p.c, &p.s);
	end_gets(&w.y, &p.s, 0, -ECONNRESET);
	assert_says(why_find(&w, "reset-recv"), "of 9,000 bytes it had sent only 1,000 bytes came");
	why_close(&w);
}

static void test_reset_send(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;
	__u64 first;

	(void)state;
	end_sends(&w.y, &p.s, &p.c, 4, 4);
	end_aborts(&w.y, &p.c, &p.s);
	first = end_fails(&w.y, &p.s, -ECONNRESET)->s.id;
	assert_string_equal(why_find(&w, "reset-send")->question,
			    "Why did send(4) fail with ECONNRESET?");
	end_fails(&w.y, &p.s, -EPIPE);
	v = why_find(&w, "pipe-after-end");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_says(v, "ECONNRESET");
	assert_true(why_has_evidence(v, first));
	assert_int_equal(told_here(), 2);
	why_close(&w);
}

static void test_reset_linger(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc = call_of(p.c.pid, CALL_SETSOCKOPT, p.c.sid, p.c.fd);
	const struct verdict *v;
	__u64 set;

	(void)state;
	mc.c.x[0] = SOL_SOCKET;
	mc.c.x[1] = SO_LINGER;
	mc.c.x[2] = 8;
	mc.c.len = 1; /* on, 0 s */
	set = call_made(&w.y, mc, 0)->s.id;
	end_aborts(&w.y, &p.c, &p.s);
	end_gets(&w.y, &p.s, 0, -ECONNRESET);
	v = why_find(&w, "reset-recv");
	assert_says(v, "with SO_LINGER 0");
	assert_true(why_has_evidence(v, set));
	why_close(&w);
}

/* Nothing was unread, nothing came late: whatever it was. */
static void test_reset_for_no_known_reason(void **state)
{
	struct tcp_pair p = opened();

	(void)state;
	end_aborts(&w.y, &p.c, &p.s);
	end_gets(&w.y, &p.s, 0, -ECONNRESET);
	assert_says(why_find(&w, "reset-recv"), "the client (client 20) sent an RST");
	why_close(&w);
}

/* Only an error, and nobody to be seen. */
static void test_reset_unseen(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	const struct verdict *v;

	(void)state;
	p.s.netns = p.s.fid = 0;
	why_open(&w);
	pair_open_seen(&w.y, &p, 1);
	end_gets(&w.y, &p.c, 0, -ECONNRESET);
	v = why_find(&w, "reset-recv");
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "out of sight");
	why_close(&w);
}

/* --- AF_UNIX --- */

static void unix_closes(__u32 sid)
{
	struct made_call mc = call_of(UNIX_PID, CALL_CLOSE, sid, (int)sid);

	mc.c.cflags = CALLF_LAST_REF;
	call_made(&w.y, mc, 0);
}

static void test_unix(void **state)
{
	const struct verdict *v;

	(void)state;
	why_open(&w);
	unix_pair_made(&w.y, SOCK_STREAM);
	unix_closes(3);
	unix_moves(&w.y, 4, CALL_WRITE, -EPIPE);
	v = why_find(&w, "pipe-unix");
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "called close(3); on AF_UNIX the first send after that fails");
	why_close(&w);
}

static void test_unix_deaf(void **state)
{
	struct made_call mc = call_of(UNIX_PID, CALL_SHUTDOWN, 3, 3);

	(void)state;
	why_open(&w);
	unix_pair_made(&w.y, SOCK_STREAM);
	mc.c.x[0] = SHUT_RD;
	call_made(&w.y, mc, 0);
	unix_moves(&w.y, 4, CALL_WRITE, -EPIPE);
	assert_says(why_find(&w, "pipe-unix"), "has shut down receiving");
	why_close(&w);
}

static void test_unix_reset(void **state)
{
	(void)state;
	why_open(&w);
	unix_pair_made(&w.y, SOCK_STREAM);
	unix_moves(&w.y, 4, CALL_WRITE, 4);
	unix_closes(3);
	unix_moves(&w.y, 4, CALL_READ, -ECONNRESET);
	assert_int_equal(why_find(&w, "reset-unix")->certainty, PROVED);
	assert_int_equal(why_count(&w, "reset-recv"), 0);
	why_close(&w);
}

/* Other results, and an end in order, are none of its business. */
static void test_silent(void **state)
{
	struct tcp_pair p = opened();

	(void)state;
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	end_receives(&w.y, &p.s, 1024, 14);
	end_gets(&w.y, &p.s, 0, -EAGAIN);
	end_fails(&w.y, &p.s, -EAGAIN);
	end_fails(&w.y, &p.s, -EINTR);
	end_closes(&w.y, &p.c, &p.s, 0);
	end_gets(&w.y, &p.s, 0, 0);
	end_closes(&w.y, &p.s, &p.c, 0);
	process_ends(&w.y, p.s.pid, 0);
	assert_int_equal(told_here(), 0);
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_shutdown),
		cmocka_unit_test(test_peer_left),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_killed_elsewhere),
		cmocka_unit_test(test_unconnected),
		cmocka_unit_test(test_never_connected),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_reset_recv),
		cmocka_unit_test(test_reset_lost),
		cmocka_unit_test(test_reset_send),
		cmocka_unit_test(test_reset_linger),
		cmocka_unit_test(test_reset_unseen),
		cmocka_unit_test(test_reset_for_no_known_reason),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_unix_deaf),
		cmocka_unit_test(test_unix_reset),
		cmocka_unit_test(test_silent),
	};

	return cmocka_run_group_tests_name("explain: EPIPE and ECONNRESET", tests, NULL, NULL);
}
