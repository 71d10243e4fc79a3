// SPDX-License-Identifier: MIT
/*
 * Why close() sent no FIN, or left a port taken.
 */
#include "explain_leaving.h"

#define CHILD 40

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
	static const char *const names[] = { "fin-held",    "fin-held-call", "fin-held-unseen",
					     "fin-missing", "listener-held", "held-open" };
	size_t i, n = 0;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		n += why_count(&w, names[i]);
	return n;
}

static void forks(__u32 parent, __u32 child)
{
	proc_told(&w.y, PROC_FORK, parent, child, 0, "server");
}

static void duplicates(struct tcp_end *e, int to)
{
	call_made(&w.y, call_of(e->pid, CALL_DUP, e->sid, e->fd), to);
}

static void test_dup(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;
	struct told *t;

	(void)state;
	duplicates(&p.c, 9);
	t = end_closes(&w.y, &p.c, &p.s, 1);
	v = why_find(&w, "fin-held");
	assert_int_equal(v->step, t->s.id);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_string_equal(v->question, "Why did close(3) send no FIN?");
	assert_says(v, "No FIN: descriptor 9 of the same process");
	p.c.fd = 9;
	end_closes(&w.y, &p.c, &p.s, 0);
	assert_int_equal(told_here(), 1);
	why_close(&w);
}

/* A server that forks: what it passes on is told aside. */
static void test_fork(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	forks(p.s.pid, CHILD);
	end_closes(&w.y, &p.s, &p.c, 1);
	v = why_find(&w, "fin-held");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_says(v, "a child, server (process 40), has it from fork() as descriptor 4");
	why_no_alarm(&w);
	why_close(&w);
}

static void test_exec(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	end_sends(&w.y, &p.s, &p.c, 5, 5);
	forks(p.s.pid, CHILD);
	proc_told(&w.y, PROC_EXEC, CHILD, 0, 0, "sleep");
	end_closes(&w.y, &p.s, &p.c, 1);
	v = why_find(&w, "fin-held");
	assert_int_equal(v->weight, WEIGHT_NEWS); /* it had talked there itself */
	assert_says(v, "a child, sleep (process 40), has inherited it as descriptor 4");
	assert_non_null(strstr(v->remedy, "SOCK_CLOEXEC"));
	why_close(&w);
}

/* The child answers and ends; the parent has forgotten its descriptor, and the client waits. */
static struct made_call child_serves(struct tcp_pair *p)
{
	struct tcp_end child = p->s;
	struct made_call mc = call_of(p->c.pid, CALL_RECVFROM, p->c.sid, p->c.fd);

	forks(p->s.pid, CHILD);
	child.pid = CHILD;
	end_sends(&w.y, &child, &p->c, 5, 5);
	p->s = child;
	p->s.pid = 10;
	end_receives(&w.y, &p->c, 100, 5);
	mc.c.len = 100;
	call_enters(&w.y, &mc);
	end_dropped(&w.y, &child, 1);
	process_ends(&w.y, CHILD, 0);
	return mc;
}

static void test_missing(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;
	struct made_call mc = child_serves(&p);

	(void)state;
	why_wait(&w, NS_PER_S / 2);
	assert_int_equal(why_count(&w, "fin-missing"), 0); /* not yet */
	why_wait(&w, NS_PER_S);
	v = why_find(&w, "fin-missing");
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->certainty, INFERRED);
	assert_int_equal(v->sid, p.c.sid);
	assert_string_equal(v->question, "Why does the client (client 20) get no EOF?");
	assert_says(v,
		    "closed descriptor 4 1.50 s ago, but the parent, server (process 10), still");
	assert_non_null(strstr(v->remedy, "close(4) right after fork()"));
	why_wait(&w, 5 * NS_PER_S);
	assert_int_equal(why_count(&w, "fin-missing"), 1);
	call_returns(&w.y, &mc, 0);
	why_close(&w);
}

/* Who goes on talking has not forgotten anything; who does not wait misses nothing. */
static void test_missing_not(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc = child_serves(&p);

	(void)state;
	why_wait(&w, NS_PER_S / 2);
	end_sends(&w.y, &p.s, &p.c, 3, 3);
	why_wait(&w, 3 * NS_PER_S);
	assert_int_equal(why_count(&w, "fin-missing"), 0);
	call_returns(&w.y, &mc, 3);
	why_close(&w);

	p = opened();
	mc = child_serves(&p);
	call_returns(&w.y, &mc, -EAGAIN);
	why_wait(&w, 3 * NS_PER_S);
	assert_int_equal(why_count(&w, "fin-missing"), 0);
	why_close(&w);
}

/* One of two descriptors closed, the other in use. */
static void test_missing_in_use(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc = call_of(p.c.pid, CALL_RECVFROM, p.c.sid, p.c.fd);

	(void)state;
	end_sends(&w.y, &p.s, &p.c, 5, 5);
	end_receives(&w.y, &p.c, 100, 5);
	duplicates(&p.s, 9);
	end_closes(&w.y, &p.s, &p.c, 1);
	mc.c.len = 100;
	p.s.fd = 9;
	end_sends(&w.y, &p.s, &p.c, 5, 5);
	end_receives(&w.y, &p.c, 100, 5);
	call_enters(&w.y, &mc);
	why_wait(&w, 3 * NS_PER_S);
	assert_int_equal(why_count(&w, "fin-missing"), 0);
	why_close(&w);
}

/* The reader may have waited long: what counts is the time since the close. */
static void test_missing_soon(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc = call_of(p.c.pid, CALL_RECVFROM, p.c.sid, p.c.fd);

	(void)state;
	end_sends(&w.y, &p.s, &p.c, 5, 5);
	end_receives(&w.y, &p.c, 100, 5);
	mc.c.len = 100;
	call_enters(&w.y, &mc);
	duplicates(&p.s, 9);
	why_wait(&w, 3 * NS_PER_S);
	end_closes(&w.y, &p.s, &p.c, 1);
	why_wait(&w, NS_PER_S / 2);
	assert_int_equal(why_count(&w, "fin-missing"), 0);
	why_wait(&w, NS_PER_S);
	/* It had answered before: that was meant as the end. */
	assert_int_equal(why_find(&w, "fin-missing")->weight, WEIGHT_ALARM);
	assert_int_equal(why_count(&w, "block-recv-silent"), 1); /* of the time before */
	why_close(&w);
}

/* Who closed had only read the question: the other one may yet answer. */
static void test_missing_worker(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc = call_of(p.c.pid, CALL_RECVFROM, p.c.sid, p.c.fd);

	(void)state;
	end_sends(&w.y, &p.c, &p.s, 5, 5);
	end_receives(&w.y, &p.s, 100, 5);
	forks(p.s.pid, CHILD);
	mc.c.len = 100;
	call_enters(&w.y, &mc);
	end_closes(&w.y, &p.s, &p.c, 1);
	why_wait(&w, NS_PER_S);
	why_wait(&w, NS_PER_S);
	assert_int_equal(why_find(&w, "fin-missing")->weight, WEIGHT_NEWS);
	why_close(&w);
}

/* The reader waits in poll(). */
static void test_missing_poll(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc = poll_of(&p.c, POLLIN, true);

	(void)state;
	end_sends(&w.y, &p.s, &p.c, 5, 5);
	end_receives(&w.y, &p.c, 100, 5);
	forks(p.s.pid, CHILD);
	call_enters(&w.y, &mc);
	end_closes(&w.y, &p.s, &p.c, 1);
	why_wait(&w, NS_PER_S);
	why_wait(&w, NS_PER_S);
	assert_int_equal(why_find(&w, "fin-missing")->weight, WEIGHT_ALARM);
	assert_int_equal(why_count(&w, "block-recv-silent"), 0);
	why_close(&w);
}

/* Passed on by who never talked there: the child works on it. */
static void test_missing_passed_on(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc = call_of(p.c.pid, CALL_RECVFROM, p.c.sid, p.c.fd);

	(void)state;
	mc.c.len = 100;
	call_enters(&w.y, &mc);
	forks(p.s.pid, CHILD);
	end_closes(&w.y, &p.s, &p.c, 1);
	why_wait(&w, 3 * NS_PER_S);
	assert_int_equal(why_count(&w, "fin-missing"), 0);
	why_close(&w);
}

static void test_listener(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	forks(p.l.pid, CHILD);
	end_closes(&w.y, &p.l, NULL, 1);
	v = why_find(&w, "listener-held");
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_string_equal(v->question, "Why is the port still taken after close(3)?");
	assert_says(v, "Port 65430 is still listened on: a child, server (process 40)");
	assert_int_equal(why_count(&w, "fin-held"), 0);
	why_close(&w);
}

/* A worker lets go of the listening socket it inherited. */
static void test_listener_of_parent(void **state)
{
	struct tcp_pair p = opened();
	struct tcp_end child = p.l;

	(void)state;
	forks(p.l.pid, CHILD);
	child.pid = CHILD;
	end_closes(&w.y, &child, NULL, 1);
	assert_int_equal(why_find(&w, "listener-held")->weight, WEIGHT_ASIDE);
	why_close(&w);
}

static void test_listener_stray(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	forks(p.l.pid, CHILD);
	proc_told(&w.y, PROC_EXEC, CHILD, 0, 0, "sleep");
	end_dropped(&w.y, &p.l, 1); /* the server ends */
	v = why_find(&w, "listener-held");
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_says(v, "a child, sleep (process 40), has inherited it as descriptor 3");
	assert_non_null(strstr(v->remedy, "EADDRINUSE"));
	why_close(&w);
}

static void test_unconnected(void **state)
{
	struct made_call mc = call_of(20, CALL_CLOSE, 8, 8);

	(void)state;
	why_open(&w);
	socket_made(&w.y, 20, 8, 8, SOCK_DGRAM);
	info_told(&w.y, (struct event_sockinfo){
				.e = { .sid = 8 }, .protocol = IPPROTO_UDP, .type = SOCK_DGRAM });
	call_made(&w.y, call_of(20, CALL_DUP, 8, 8), 9);
	mc.c.x[0] = 1;
	call_made(&w.y, mc, 0);
	assert_int_equal(why_find(&w, "held-open")->weight, WEIGHT_ASIDE);
	assert_int_equal(told_here(), 1);
	why_close(&w);
}

/* Another thread sits in recv(): no descriptor is left, but the open file lives on. */
static void test_call(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	const struct verdict *v;
	__u64 entered;

	(void)state;
	mc.c.len = 100;
	mc.c.e.tid = 11;
	entered = call_enters(&w.y, &mc)->s.id;
	end_closes(&w.y, &p.s, &p.c, 1);
	v = why_find(&w, "fin-held-call");
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_says(v, "No FIN: recv(4) in thread 11 goes on");
	assert_true(why_has_evidence(v, entered));
	assert_int_equal(told_here(), 1);
	why_close(&w);
}

static void test_call_accept(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc = call_of(p.l.pid, CALL_ACCEPT, p.l.sid, p.l.fd);
	const struct verdict *v;

	(void)state;
	mc.c.e.tid = 11;
	call_enters(&w.y, &mc);
	end_closes(&w.y, &p.l, NULL, 1);
	v = why_find(&w, "fin-held-call");
	assert_string_equal(v->question, "Why is the port still taken after close(3)?");
	assert_says(v, "accept(3) in thread 11 goes on");
	why_close(&w);
}

static void test_unseen(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	end_closes(&w.y, &p.c, &p.s, 1);
	v = why_find(&w, "fin-held-unseen");
	assert_int_equal(v->certainty, INFERRED);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_says(v, "the kernel still counts 1 reference to the socket");
	assert_int_equal(told_here(), 1);
	why_close(&w);
}

/* It is known of poll() only that it runs. */
static void test_unseen_poll(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc = call_of(p.c.pid, CALL_POLL, 0, -1);
	const struct verdict *v;

	(void)state;
	mc.c.e.tid = 21;
	call_enters(&w.y, &mc);
	end_closes(&w.y, &p.c, &p.s, 1);
	v = why_find(&w, "fin-held-unseen");
	assert_says(v, "another thread polls");
	assert_int_equal(v->certainty, INFERRED);
	why_close(&w);
}

/* The FIN is out already: shutdown() sent it. And a plain close() sends it. */
static void test_silent(void **state)
{
	struct tcp_pair p = opened();

	(void)state;
	duplicates(&p.c, 9);
	end_shuts(&w.y, &p.c, &p.s, SHUT_WR);
	end_closes(&w.y, &p.c, &p.s, 1);
	assert_int_equal(told_here(), why_count(&w, "held-open"));
	end_closes(&w.y, &p.s, &p.c, 0);
	why_wait(&w, 5 * NS_PER_S);
	assert_int_equal(told_here(), why_count(&w, "held-open"));
	why_close(&w);
}

/* AF_UNIX has no FIN, but an EOF that does not come. */
static void test_unix(void **state)
{
	struct made_call mc = call_of(UNIX_PID, CALL_CLOSE, 3, 3);

	(void)state;
	why_open(&w);
	unix_pair_made(&w.y, SOCK_STREAM);
	unix_moves(&w.y, 3, CALL_WRITE, 4);
	call_made(&w.y, call_of(UNIX_PID, CALL_DUP, 3, 3), 9);
	mc.c.x[0] = 1;
	call_made(&w.y, mc, 0);
	assert_says(why_find(&w, "fin-held"), "No EOF for the peer: descriptor 9");
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dup),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_missing_not),
		cmocka_unit_test(test_missing_in_use),
		cmocka_unit_test(test_missing_soon),
		cmocka_unit_test(test_missing_worker),
		cmocka_unit_test(test_missing_poll),
		cmocka_unit_test(test_missing_passed_on),
		cmocka_unit_test(test_listener),
		cmocka_unit_test(test_listener_of_parent),
		cmocka_unit_test(test_listener_stray),
		cmocka_unit_test(test_unconnected),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_call_accept),
		cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_unseen_poll),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_unix),
	};

	return cmocka_run_group_tests_name("explain: close() without a FIN", tests, NULL, NULL);
}
