// SPDX-License-Identifier: MIT
/*
 * Why a receive call returned 0.
 */
#include "explain_leaving.h"

static struct why_story w;

/* A pair, and the client has sent 14 bytes that the server has read. */
static struct tcp_pair opened(void)
{
	struct tcp_pair p = pair_on_loopback();

	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	end_receives(&w.y, &p.s, 1024, 14);
	return p;
}

static void test_close(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;
	struct told *eof;
	__u64 closed;

	(void)state;
	end_closes(&w.y, &p.c, &p.s, 0);
	closed = story_find(&w.y, EV_CALL, CALL_CLOSE)->s.enter_id;
	eof = end_gets(&w.y, &p.s, 0, 0);
	v = why_find(&w, "eof-close");
	assert_int_equal(v->step, eof->s.id);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->role, ROLE_SERVER);
	assert_string_equal(v->question, "Why did recv(4) return 0?");
	assert_says(v, "the client (client 20) called close(3)");
	assert_says(v, "all 14 bytes it had sent were read: nothing is lost");
	assert_true(why_has_evidence(v, eof->s.id));
	assert_true(why_has_evidence(v, closed));
	end_gets(&w.y, &p.s, 0, 0); /* who asks again gets the same answer */
	assert_int_equal(why_count(&w, "eof-close"), 1);
	why_no_alarm(&w);
	why_close(&w);
}

static void test_nothing_sent(void **state)
{
	struct tcp_pair p = pair_on_loopback();

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_closes(&w.y, &p.c, &p.s, 0);
	end_gets(&w.y, &p.s, 0, 0);
	assert_says(why_find(&w, "eof-close"), "it had sent nothing");
	why_close(&w);
}

/* The kernel skipped a byte for the reader: it was urgent, and nobody asked for it. */
static void test_not_all_read(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	p.s.copied_seq++;
	end_receives(&w.y, &p.s, 1024, 13);
	end_closes(&w.y, &p.c, &p.s, 0);
	end_gets(&w.y, &p.s, 0, 0);
	v = why_find(&w, "eof-close");
	assert_says(v, "13 bytes were read here before it");
	assert_null(strstr(v->cause, "nothing is lost"));
	why_close(&w);
}

static void test_peek(void **state)
{
	struct tcp_pair p = opened();
	struct told *t;

	(void)state;
	end_closes(&w.y, &p.c, &p.s, 0);
	t = end_gets(&w.y, &p.s, MSG_PEEK, 0);
	assert_int_equal(why_find(&w, "eof-close")->step, t->s.id);
	why_close(&w);
}

/* It returns how many messages there were: some, of 0 bytes. */
static void test_many(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc = call_of(p.s.pid, CALL_RECVMMSG, p.s.sid, p.s.fd);
	const struct verdict *v;

	(void)state;
	end_closes(&w.y, &p.c, &p.s, 0);
	mc.c.lv = levels_of(&p.s);
	call_made(&w.y, mc, 3);
	v = why_find(&w, "eof-close");
	assert_string_equal(v->question, "Why did recvmmsg(4) return no byte?");
	why_no_alarm(&w);
	why_close(&w);
}

static void test_shutdown(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	end_shuts(&w.y, &p.c, &p.s, SHUT_WR);
	end_gets(&w.y, &p.s, 0, 0);
	v = why_find(&w, "eof-shutdown");
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "the client (client 20) called shutdown(3, SHUT_WR)");
	assert_non_null(strstr(v->remedy, "still reads"));
	assert_int_equal(why_count(&w, "eof-close"), 0);
	why_close(&w);
}

/* Who shut down and then closed reads no more. */
static void test_shutdown_and_close(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc;
	const struct verdict *v;

	(void)state;
	end_shuts(&w.y, &p.c, &p.s, SHUT_WR);
	mc = call_of(p.c.pid, CALL_CLOSE, p.c.sid, p.c.fd);
	mc.c.cflags = CALLF_LAST_REF;
	call_made(&w.y, mc, 0);
	end_gets(&w.y, &p.s, 0, 0);
	v = why_find(&w, "eof-close");
	assert_says(v, "called shutdown(3, SHUT_WR) and has left since");
	assert_null(strstr(v->remedy, "still reads"));
	why_close(&w);
}

static void ends_by(__u32 status, const char *words)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	end_dropped(&w.y, &p.c, 0);
	process_ends(&w.y, p.c.pid, status);
	end_fin(&w.y, &p.c, &p.s);
	end_gets(&w.y, &p.s, 0, 0);
	v = why_find(&w, "eof-exit");
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, words);
	assert_says(v, "nothing is lost");
	why_close(&w);
}

static void test_exit(void **state)
{
	(void)state;
	ends_by(0, "the client (client 20) exited (status 0)");
	ends_by(3 << 8, "exited (status 3)");
	ends_by(9, "was killed by signal 9");
}

/* A FIN from somebody who is not seen. */
static void test_peer(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	const struct verdict *v;

	(void)state;
	p.c.netns = p.c.fid = 0;
	why_open(&w);
	pair_open_seen(&w.y, &p, 2);
	seg_in(&w.y, &p.c, &p.s, TCPF_ACK | TCPF_PSH, p.c_iss + 1, 14);
	p.s.rcv_nxt += 14;
	end_event(&w.y, EV_DATA_READY, &p.s);
	end_receives(&w.y, &p.s, 1024, 14);
	seg_in(&w.y, &p.c, &p.s, TCPF_FIN | TCPF_ACK, p.c_iss + 15, 0);
	p.s.rcv_nxt++;
	p.s.lv_flags |= LV_FIN_IN;
	end_gets(&w.y, &p.s, 0, 0);
	v = why_find(&w, "eof-peer");
	assert_int_equal(v->certainty, PROVED); /* the kernel says that the FIN came */
	assert_says(v, "14 bytes were read here");
	assert_null(strstr(v->cause, "nothing is lost"));
	why_close(&w);
}

static void test_own(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	end_shuts(&w.y, &p.s, NULL, SHUT_RD);
	end_gets(&w.y, &p.s, 0, 0);
	v = why_find(&w, "eof-own-shutdown");
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "shutdown(4, SHUT_RD)");
	assert_int_equal(why_count(&w, "eof-close") + why_count(&w, "eof-peer"), 0);
	why_close(&w);
}

static void test_reset(void **state)
{
	struct tcp_pair p = opened();
	const struct verdict *v;

	(void)state;
	end_resets(&w.y, &p.c, &p.s);
	end_gets(&w.y, &p.s, 0, -ECONNRESET);
	assert_int_equal(why_count(&w, "eof-after-reset"), 0);
	end_gets(&w.y, &p.s, 0, 0);
	v = why_find(&w, "eof-after-reset");
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(why_count(&w, "eof-peer") + why_count(&w, "eof-close"), 0);
	why_close(&w);
}

/* --- datagrams and requests --- */

static void receiver(struct story *y)
{
	socket_made(y, 10, 5, 3, SOCK_DGRAM);
	info_told(y, (struct event_sockinfo){ .e = { .sid = 5 },
					      .protocol = IPPROTO_UDP,
					      .type = SOCK_DGRAM,
					      .src = addr4("127.0.0.1", 5000) });
}

static void test_datagram(void **state)
{
	struct made_call mc = call_of(10, CALL_RECVFROM, 5, 3);
	const struct verdict *v;

	(void)state;
	why_open(&w);
	receiver(&w.y);
	mc.c.len = 100;
	call_made(&w.y, mc, 0);
	v = why_find(&w, "zero-datagram");
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "not an end");
	why_close(&w);
}

/* After shutdown() there is no datagram at all. */
static void test_datagram_own(void **state)
{
	struct made_call down = call_of(10, CALL_SHUTDOWN, 5, 3);
	struct made_call mc = call_of(10, CALL_RECVFROM, 5, 3);

	(void)state;
	why_open(&w);
	receiver(&w.y);
	down.c.x[0] = SHUT_RD;
	call_made(&w.y, down, 0);
	mc.c.len = 100;
	call_made(&w.y, mc, 0);
	assert_int_equal(why_count(&w, "zero-datagram"), 0);
	assert_says(why_find(&w, "eof-own-shutdown"), "there was no datagram");
	why_close(&w);
}

static void test_request(void **state)
{
	struct tcp_pair p = opened();
	struct made_call mc = call_of(p.s.pid, CALL_READ, p.s.sid, p.s.fd);
	const struct verdict *v;

	(void)state;
	call_made(&w.y, mc, 0);
	v = why_find(&w, "zero-request");
	assert_string_equal(v->question, "Why did read(4) return 0?");
	assert_says(v, "asked for 0 bytes");
	assert_int_equal(why_count(&w, "eof-peer"), 0);
	why_close(&w);
}

/* --- AF_UNIX --- */

static void test_unix(void **state)
{
	struct made_call mc = call_of(UNIX_PID, CALL_CLOSE, 3, 3);
	const struct verdict *v;

	(void)state;
	why_open(&w);
	unix_pair_made(&w.y, SOCK_STREAM);
	unix_moves(&w.y, 3, CALL_WRITE, 50);
	unix_moves(&w.y, 4, CALL_READ, 50);
	mc.c.cflags = CALLF_LAST_REF;
	call_made(&w.y, mc, 0);
	unix_moves(&w.y, 4, CALL_READ, 0);
	v = why_find(&w, "eof-close");
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "called close(3); all 50 bytes");
	assert_null(strstr(v->cause, "FIN"));
	why_close(&w);
}

static void test_unix_own(void **state)
{
	struct made_call mc = call_of(UNIX_PID, CALL_SHUTDOWN, 4, 4);

	(void)state;
	why_open(&w);
	unix_pair_made(&w.y, SOCK_STREAM);
	mc.c.x[0] = SHUT_RD;
	call_made(&w.y, mc, 0);
	unix_moves(&w.y, 4, CALL_READ, 0);
	assert_says(why_find(&w, "eof-own-shutdown"), "shutdown(4, SHUT_RD)");
	assert_null(strstr(why_find(&w, "eof-own-shutdown")->cause, "FIN"));
	why_close(&w);
}

/* Nothing that is not a 0 is explained, and no 0 of another call. */
static void test_silent(void **state)
{
	struct tcp_pair p = opened();

	(void)state;
	end_gets(&w.y, &p.s, 0, -EAGAIN);
	end_gets(&w.y, &p.s, MSG_ERRQUEUE, 0);
	end_shuts(&w.y, &p.s, NULL, SHUT_RD);
	assert_int_equal(why_count(&w, "eof-close") + why_count(&w, "eof-peer") +
				 why_count(&w, "eof-own-shutdown") + why_count(&w, "zero-request"),
			 0);
	why_close(&w);
}

/* Once events are lost nothing is proved. */
static void test_lossy(void **state)
{
	struct tcp_pair p = opened();

	(void)state;
	assert_int_equal(model_lost(w.y.m, w.y.t_ns, 3), 0);
	end_closes(&w.y, &p.c, &p.s, 0);
	end_gets(&w.y, &p.s, 0, 0);
	assert_int_equal(why_find(&w, "eof-close")->certainty, INFERRED);
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close),	     cmocka_unit_test(test_nothing_sent),
		cmocka_unit_test(test_not_all_read), cmocka_unit_test(test_peek),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_shutdown),     cmocka_unit_test(test_shutdown_and_close),
		cmocka_unit_test(test_exit),	     cmocka_unit_test(test_peer),
		cmocka_unit_test(test_own),	     cmocka_unit_test(test_reset),
		cmocka_unit_test(test_datagram),     cmocka_unit_test(test_datagram_own),
		cmocka_unit_test(test_request),	     cmocka_unit_test(test_unix),
		cmocka_unit_test(test_unix_own),     cmocka_unit_test(test_silent),
		cmocka_unit_test(test_lossy),
	};

	return cmocka_run_group_tests_name("explain: EOF", tests, NULL, NULL);
}
