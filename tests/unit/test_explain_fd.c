// SPDX-License-Identifier: MIT
/*
 * Descriptors: none left, closed before, never a socket's, never closed.
 */
#include <errno.h>

#include "explain_story.h"

#define PID 20

static struct told *fails(struct why_story *w, unsigned int call, int fd, int err)
{
	return call_made(&w->y, call_of(PID, call, 0, fd), -err);
}

static void opens(struct why_story *w, __u32 sid, int fd)
{
	info_told(&w->y, (struct event_sockinfo){ .e = { .sid = sid },
						  .cookie = 0x1000 + sid,
						  .protocol = IPPROTO_TCP,
						  .type = SOCK_STREAM,
						  .state = TCP_S_CLOSE });
	socket_made(&w->y, PID, sid, fd, SOCK_STREAM);
}

static void left_at_exit(struct why_story *w, __u32 pid, __u32 sid, int fd)
{
	struct made_call mc = call_of(pid, CALL_CLOSE, sid, fd);

	mc.c.cflags = CALLF_BY_EXIT | CALLF_LAST_REF;
	mc.c.e.tid = pid;
	mc.c.e.kind = EV_CALL;
	mc.c.e.size = sizeof(mc.c);
	tell_as(&w->y, &mc.c.e, PHASE_POINT);
}

static struct told *accept_fails(struct why_story *w, const struct tcp_end *l, __u32 waiting)
{
	struct made_call mc = call_of(l->pid, CALL_ACCEPT, l->sid, l->fd);

	mc.c.lv = (struct levels){ .state = TCP_S_LISTEN,
				   .ack_backlog = waiting,
				   .flags = LV_VALID | LV_LISTEN };
	return call_made(&w->y, mc, -EMFILE);
}

static void test_accept_limit(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct told *failed;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	failed = accept_fails(&w, &p.l, 2);
	v = why_find(&w, "fd-accept-limit");
	assert_int_equal(v->step, failed->s.id);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->role, ROLE_SERVER);
	assert_string_equal(v->question, "Why did accept(3) fail with EMFILE?");
	assert_says(v, "2 connections wait on in the queue, not refused");
	accept_fails(&w, &p.l, 2);
	assert_int_equal(why_count(&w, "fd-accept-limit"), 1);
	why_close(&w);

	why_open(&w);
	pair_listen(&w.y, &p);
	accept_fails(&w, &p.l, 0);
	assert_says(why_find(&w, "fd-accept-limit"), "none waits right now");
	why_close(&w);
}

static void test_limit(void **state)
{
	static struct why_story w;

	(void)state;
	why_open(&w);
	fails(&w, CALL_SOCKET, -1, EMFILE);
	fails(&w, CALL_SOCKET, -1, EMFILE); /* told once a process */
	assert_int_equal(why_count(&w, "fd-limit"), 1);
	assert_says(why_find(&w, "fd-limit"), "RLIMIT_NOFILE");
	assert_int_equal(why_find(&w, "fd-limit")->pid, PID);
	why_close(&w);
}

static void test_closed(void **state)
{
	static struct why_story w;
	const struct verdict *v;
	struct told *failed;

	(void)state;
	why_open(&w);
	opens(&w, 2, 3);
	close_made(&w.y, PID, 2, 3, true);
	failed = fails(&w, CALL_SENDTO, 3, EBADF);
	v = why_find(&w, "fd-closed");
	assert_int_equal(v->step, failed->s.id);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->n_evidence, 2); /* the close, and the call */
	assert_says(v, "Descriptor 3 was closed");
	fails(&w, CALL_RECVFROM, 3, EBADF);
	assert_int_equal(why_count(&w, "fd-closed"), 1);
	/* the same number in another process was never closed */
	call_made(&w.y, call_of(PID + 1, CALL_SENDTO, 0, 3), -EBADF);
	assert_int_equal(why_count(&w, "fd-closed"), 1);
	assert_int_equal(why_find(&w, "fd-not-open")->weight, WEIGHT_ALARM);
	why_close(&w);
}

static void test_closed_twice(void **state)
{
	static struct why_story w;
	struct made_call other;

	(void)state;
	why_open(&w);
	opens(&w, 2, 3);
	close_made(&w.y, PID, 2, 3, true);
	fails(&w, CALL_CLOSE, 3, EBADF);
	assert_int_equal(why_find(&w, "fd-closed-twice")->weight, WEIGHT_NEWS);
	assert_int_equal(why_count(&w, "fd-closed"), 0);
	opens(&w, 3, 7);
	close_made(&w.y, PID, 3, 7, true);
	other = call_of(PID, CALL_CLOSE, 0, 7);
	other.c.e.tid = PID + 1; /* two threads, one descriptor */
	call_made(&w.y, other, -EBADF);
	assert_int_equal(why_find(&w, "fd-closed-twice")->weight, WEIGHT_ALARM);
	why_close(&w);
}

/* Closing whatever there may be is no fault, nor is closing what a failed call left in a variable. */
static void test_sweep(void **state)
{
	static struct why_story w;
	int fd;

	(void)state;
	why_open(&w);
	opens(&w, 2, 10);
	close_made(&w.y, PID, 2, 10, true);
	for (fd = 3; fd < 40; fd++)
		fails(&w, CALL_CLOSE, fd, EBADF);
	fails(&w, CALL_CLOSE, -1, EBADF);
	why_no_alarm(&w);
	assert_int_equal(why_count(&w, "fd-not-open"), 1);
	assert_int_equal(w.n, 1);
	why_close(&w);
}

static void test_negative(void **state)
{
	static struct why_story w;
	const struct verdict *v;
	struct told *failed;

	(void)state;
	why_open(&w);
	failed = fails(&w, CALL_SOCKET, -1, EAFNOSUPPORT);
	fails(&w, CALL_SENDTO, -1, EBADF);
	v = why_find(&w, "fd-negative");
	assert_says(v, "what socket() returned when it failed with EAFNOSUPPORT");
	assert_int_equal(v->certainty, INFERRED);
	assert_true(why_has_evidence(v, failed->s.id));
	why_close(&w);
}

static void test_not_socket(void **state)
{
	static struct why_story w;

	(void)state;
	why_open(&w);
	fails(&w, CALL_GETPEERNAME, 0, ENOTSOCK); /* only asking */
	assert_int_equal(why_find(&w, "fd-not-socket")->weight, WEIGHT_ASIDE);
	fails(&w, CALL_LISTEN, 1, ENOTSOCK);
	assert_int_equal(why_find(&w, "fd-not-socket")->weight, WEIGHT_ALARM);
	assert_says(why_find(&w, "fd-not-socket"), "a file, pipe or terminal");
	opens(&w, 2, 3);
	close_made(&w.y, PID, 2, 3, true);
	fails(&w, CALL_SENDTO, 3, ENOTSOCK);
	assert_says(why_find(&w, "fd-not-socket"), "was a socket until its close()");
	why_close(&w);
}

static void accepts(struct why_story *w, __u32 sid, int fd)
{
	struct made_call mc = call_of(PID, CALL_ACCEPT, 1, 3);

	info_told(&w->y, (struct event_sockinfo){ .e = { .sid = sid },
						  .cookie = 0x1000 + sid,
						  .protocol = IPPROTO_TCP,
						  .type = SOCK_STREAM,
						  .state = TCP_S_ESTABLISHED,
						  .sflags = SOCKF_PASSIVE });
	mc.c.sid2 = sid;
	call_made(&w->y, mc, fd);
}

static void reads_eof(struct why_story *w, __u32 sid, int fd)
{
	struct made_call mc = call_of(PID, CALL_RECVFROM, sid, fd);

	mc.c.len = 10;
	call_made(&w->y, mc, 0);
}

static void ends(struct why_story *w, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		left_at_exit(w, PID, 10 + i, (int)(4 + i));
	left_at_exit(w, PID, 1, 3);
	proc_told(&w->y, PROC_EXIT, PID, 0, 0, "server");
}

/* n clients, one after the other; with `gone` each is read to its end. Nothing is closed. */
static void serves(struct why_story *w, unsigned int n, bool gone)
{
	unsigned int i;

	proc_told(&w->y, PROC_SEEN, PID, 0, 0, "server");
	opens(w, 1, 3);
	for (i = 0; i < n; i++) {
		accepts(w, 10 + i, (int)(4 + i));
		if (gone)
			reads_eof(w, 10 + i, (int)(4 + i));
	}
}

static void test_leak(void **state)
{
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	serves(&w, 4, true);
	ends(&w, 4);
	v = why_find(&w, "fd-leak");
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->step, story_last(&w.y)->s.id);
	assert_says(v, "4 connections whose peer was done (recv() gave 0) stayed open");
	assert_string_equal(v->question, "What did server (process 20) leave open?");
	assert_int_equal(why_count(&w, "fd-left-open"), 0);
	why_close(&w);
}

/* A server that is stopped with its listener and its clients: no leak. Nor are two. */
static void test_no_leak(void **state)
{
	static struct why_story w;
	const struct verdict *v;
	unsigned int i;

	(void)state;
	why_open(&w);
	serves(&w, 4, false);
	ends(&w, 4);
	v = why_find(&w, "fd-left-open");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_says(v, "5 sockets were never closed");
	why_no_alarm(&w);
	why_close(&w);

	why_open(&w);
	serves(&w, 2, true);
	ends(&w, 2);
	why_find(&w, "fd-left-open");
	why_no_alarm(&w);
	why_close(&w);

	why_open(&w);
	serves(&w, 4, false);
	for (i = 0; i < 4; i++) /* the end of all is the end of the program */
		reads_eof(&w, 10 + i, (int)(4 + i));
	ends(&w, 4);
	why_find(&w, "fd-left-open");
	why_no_alarm(&w);
	why_close(&w);
}

/* A clean conversation: nothing of this family. */
static void test_silent(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	size_t i;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	end_receives(&w.y, &p.s, 1024, 14);
	close_made(&w.y, p.c.pid, p.c.sid, p.c.fd, true);
	close_made(&w.y, p.s.pid, p.s.sid, p.s.fd, true);
	proc_told(&w.y, PROC_EXIT, p.c.pid, 0, 0, "client");
	why_finish(&w);
	for (i = 0; i < w.n; i++)
		assert_int_not_equal(strncmp(w.told[i].rule->name, "fd-", 3), 0);
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept_limit), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_closed),	     cmocka_unit_test(test_closed_twice),
		cmocka_unit_test(test_sweep),	     cmocka_unit_test(test_negative),
		cmocka_unit_test(test_not_socket),   cmocka_unit_test(test_leak),
		cmocka_unit_test(test_no_leak),	     cmocka_unit_test(test_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
