// SPDX-License-Identifier: MIT
/*
 * Forgetting: what ended is freed, what a step still points to is not, and a long run of short
 * connections does not grow.
 */
#include "build_tcp.h"

#include <errno.h>

#define CHURN 10000

static void pair_close(struct story *y, struct tcp_pair *p)
{
	close_made(y, p->s.pid, p->s.sid, p->s.fd, true);
	close_made(y, p->c.pid, p->c.sid, p->c.fd, true);
	end_event(y, EV_DESTROY, &p->s);
	end_event(y, EV_DESTROY, &p->c);
}

static void expect_count(const struct story *y, size_t socks, size_t conns)
{
	struct model_count n = model_count(y->m);

	assert_int_equal(n.socks, socks);
	assert_int_equal(n.conns, conns);
}

/* Everything a step points to stays until the second gc after it, however long ago it ended. */
static void test_pointers_stay(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	pair_close(&y, &p);
	expect_count(&y, 3, 1);
	story_wait(&y, 10 * NS_PER_S); /* the summary comes out and is a step of its own */
	assert_int_equal(y.summaries, 1);
	t = sock_told(&y, EV_SKB_DROP, p.c.sid, 1, 0, 0, NULL);
	assert_non_null(t->s.sock);
	assert_non_null(t->s.conn);
	story_wait(&y, 10 * NS_PER_S);
	assert_int_equal(t->s.sock->sid, p.c.sid); /* the sanitizer looks, too */
	assert_ptr_equal(t->s.conn->end[0], t->s.sock);
	assert_int_equal(t->s.proc->pid, p.c.pid);
	expect_count(&y, 3, 1);
	story_wait(&y, 10 * NS_PER_S);
	assert_int_equal(model_count(y.m).conns, 0); /* it goes first, then its ends */
	story_wait(&y, 10 * NS_PER_S);
	expect_count(&y, 1, 0); /* the listener lives */
	assert_null(model_sock(y.m, p.c.sid));
	assert_int_equal(model_sock(y.m, p.l.sid)->listening, true);
	story_close(&y);
}

/* A renderer may hold a step back for a while, however many ticks come meanwhile. */
static void test_pointers_stay_for_a_second(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	struct told *t;
	int i;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	pair_close(&y, &p);
	story_wait(&y, 10 * NS_PER_S);
	story_wait(&y, NS_PER_S * 9 / 10); /* soon its turn comes again */
	t = sock_told(&y, EV_SKB_DROP, p.c.sid, 1, 0, 0, NULL);
	for (i = 0; i < 90; i++)
		story_wait(&y, NS_PER_S / 100);
	assert_int_equal(t->s.sock->sid, p.c.sid); /* the sanitizer looks, too */
	assert_ptr_equal(t->s.conn->end[0], t->s.sock);
	expect_count(&y, 3, 1);
	story_close(&y);
}

static void test_processes_go(void **state)
{
	struct story y;
	int i;

	(void)state;
	story_open(&y);
	for (i = 0; i < 1000; i++) {
		proc_told(&y, PROC_FORK, 1, 100 + i % 7, 0, "short");
		socket_made(&y, 100 + i % 7, 1 + i, 3, SOCK_STREAM);
		proc_told(&y, PROC_EXIT, 100 + i % 7, 0, 0, "short");
	}
	for (i = 0; i < 4; i++)
		story_wait(&y, 20 * NS_PER_S);
	assert_int_equal(model_count(y.m).procs, 1); /* the parent */
	assert_int_equal(model_count(y.m).fds, 0);
	assert_int_equal(model_count(y.m).socks, 0); /* nobody ever announced them */
	assert_int_equal(model_count(y.m).calls, 0);
	story_close(&y);
}

/* A listener stays for as long as a child points to it. */
static void test_listener_outlived(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;
	int i;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	close_made(&y, p.l.pid, p.l.sid, p.l.fd, true);
	end_event(&y, EV_DESTROY, &p.l);
	for (i = 0; i < 5; i++)
		story_wait(&y, 2 * NS_PER_S);
	assert_int_equal(model_sock(y.m, p.s.sid)->listener->sid, p.l.sid);
	pair_close(&y, &p);
	for (i = 0; i < 8; i++)
		story_wait(&y, 2 * NS_PER_S);
	expect_count(&y, 0, 0);
	story_close(&y);
}

static struct tcp_pair churn_pair(unsigned int i)
{
	struct tcp_pair p = pair_on_loopback();

	p.c.sid = 10 + 2 * i;
	p.s.sid = 11 + 2 * i;
	p.c.src.port = p.s.dst.port = (__u16)(20000 + i % 20000);
	p.c.fid = p.s.fid = 100 + i;
	p.c_iss = i * 77777;
	return p;
}

static void churn_once(struct story *y, unsigned int i)
{
	struct tcp_pair p = churn_pair(i);
	struct made_call mc;

	pair_connect_enters(y, &p, &mc);
	seg_in(y, &p.c, &p.s, TCPF_SYN, p.c_iss, 0);
	p.s.state = TCP_S_SYN_RECV;
	end_info(y, &p.s, SOCKF_PASSIVE);
	call_returns(y, &mc, 0);
	pair_close(y, &p);
	y->t_ns += NS_PER_MS;
}

static void test_churn(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct model_count n;
	struct story y;
	unsigned int i;

	(void)state;
	story_open(&y);
	pair_listen(&y, &p);
	for (i = 0; i < CHURN; i++) {
		churn_once(&y, i);
		if (i % 10 == 0)
			model_gc(y.m, y.t_ns);
		n = model_count(y.m);
		/* A millisecond each, a second to wait: about 1000 conversations, twice the ends. */
		assert_in_range(n.conns, 0, 1100);
		assert_in_range(n.socks, 0, 4400);
		assert_in_range(n.flows, 0, 4096 + 1100);
		assert_in_range(n.fds, 0, 10);
	}
	assert_int_equal(y.summaries, CHURN - 1); /* the last one settles yet */
	for (i = 0; i < 6; i++)
		story_wait(&y, 2 * NS_PER_S);
	assert_int_equal(y.summaries, CHURN);
	expect_count(&y, 1, 0);
	assert_int_equal(model_count(y.m).flows, 4096);
	story_close(&y);
}

/* What is still open at the end gets its summary, in the order of appearance. */
static void test_finish(void **state)
{
	struct tcp_pair p = churn_pair(0), q = churn_pair(1);
	struct story y;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	pair_open(&y, &q);
	pair_close(&y, &q);
	assert_int_equal(model_finish(y.m), 0);
	assert_int_equal(y.summaries, 2);
	assert_int_equal(y.told[y.n - 2].s.how, END_OPEN);
	assert_int_equal(y.over.id, 2);
	assert_int_equal(model_finish(y.m), 0);
	assert_int_equal(y.summaries, 2);
	story_close(&y);
}

static int step_refuses(void *ctx, const struct step *s)
{
	(void)ctx;
	return s->kind == STEP_SUMMARY ? -EPIPE : 0;
}

/* What the callback returns stops the caller; after a gc, the next call says so. */
static void test_callback_stops(void **state)
{
	struct event_sockinfo e = {
		.e = { .kind = EV_SOCK, .size = sizeof(e), .sid = 1 },
		.netns = 1,
		.family = AF_INET,
		.protocol = IPPROTO_TCP,
		.src = addr4("10.0.0.1", 40000),
		.dst = addr4("10.0.0.2", 80),
	};
	struct event_sock gone = { .e = { .kind = EV_DESTROY, .size = sizeof(gone), .sid = 1 } };
	struct event bell = { .kind = EV_DOORBELL, .size = sizeof(bell) };
	struct moment mo = { .ev = &e.e, .t_ns = NS_PER_S };
	struct model *m = model_new(step_refuses, NULL);

	(void)state;
	assert_int_equal(model_apply(m, &mo), 0);
	mo.ev = &gone.e;
	assert_int_equal(model_apply(m, &mo), 0);
	model_gc(m, 2 * NS_PER_S);
	mo.ev = &bell;
	assert_int_equal(model_apply(m, &mo), -EPIPE);
	assert_int_equal(model_apply(m, &mo), 0);
	model_free(m);
	model_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointers_stay),
		cmocka_unit_test(test_pointers_stay_for_a_second),
		cmocka_unit_test(test_processes_go),
		cmocka_unit_test(test_listener_outlived),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_finish),
		cmocka_unit_test(test_callback_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
