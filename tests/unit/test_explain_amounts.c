// SPDX-License-Identifier: MIT
/*
 * Calls that moved less than was asked for, nothing, or the same bytes twice.
 */
#include <errno.h>

#include "explain_story.h"

#include "explain/inside.h"

static size_t told_of_amounts(const struct why_story *w)
{
	static const char *const rules[] = { "short-send", "short-recv", "short-waitall",
					     "peek-again", "trunc-gone", "empty-send" };
	size_t i, n = 0;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		n += why_count(w, rules[i]);
	return n;
}

/* send() of asked bytes that takes `took`. */
static struct told *end_sends_some(struct story *y, struct tcp_end *e, __u32 asked, __u32 took,
				   __u32 flags)
{
	struct made_call mc = call_of(e->pid, CALL_SENDTO, e->sid, e->fd);

	mc.c.len = asked;
	mc.c.x[0] = flags;
	call_enters(y, &mc);
	e->write_seq += took;
	mc.c.lv = levels_of(e);
	mc.c.lv.wmem_queued = 90000;
	return call_returns(y, &mc, took);
}

static struct told *end_receives_with(struct story *y, struct tcp_end *e, __u32 room, __u32 got,
				      __u32 flags)
{
	struct made_call mc = call_of(e->pid, CALL_RECVFROM, e->sid, e->fd);

	mc.c.len = room;
	mc.c.x[0] = flags;
	call_enters(y, &mc);
	if (!(flags & MSG_PEEK))
		e->copied_seq += got;
	mc.c.lv = levels_of(e);
	return call_returns(y, &mc, got);
}

static void option_set(struct story *y, const struct tcp_end *e, __u32 option)
{
	struct made_call mc = call_of(e->pid, CALL_SETSOCKOPT, e->sid, e->fd);

	mc.c.x[0] = SOL_SOCKET;
	mc.c.x[1] = option;
	mc.c.x[2] = 16;
	call_made(y, mc, 0);
}

static void test_send_nonblocking(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends_some(&w.y, &p.c, 100000, 65536, MSG_DONTWAIT);
	v = why_find(&w, "short-send");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->role, ROLE_CLIENT);
	assert_string_equal(v->question, "Why did send(3) return 65536 and not 100000?");
	assert_string_equal(v->cause, "send(3) took 65,536 of 100,000 bytes: the send queue (90000 "
				      "bytes of memory, limit 87040) had no room for more, and the "
				      "call must not wait");
	assert_non_null(strstr(v->remedy, "the other 34464 bytes"));
	end_sends_some(&w.y, &p.c, 34464, 10, MSG_DONTWAIT);
	assert_int_equal(why_count(&w, "short-send"), 1);
	why_close(&w);
}

/* A blocking send comes back early: a signal, unless something else is known. */
static void test_send_signal(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends_some(&w.y, &p.c, 100000, 65536, 0);
	v = why_find(&w, "short-send");
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "65,536 of 100,000 bytes and waited for room until a signal interrupted it");
	why_close(&w);
}

static void test_send_timeout(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	option_set(&w.y, &p.c, SO_SNDTIMEO);
	end_sends_some(&w.y, &p.c, 100000, 65536, 0);
	v = why_find(&w, "short-send");
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "SO_SNDTIMEO allows was over");
	why_close(&w);
}

static void test_send_reset(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	mc.c.len = 100000;
	call_enters(&w.y, &mc);
	p.c.write_seq += 65536;
	seg_in(&w.y, &p.s, &p.c, TCPF_RST | TCPF_ACK, p.s.snd_nxt, 0);
	end_state(&w.y, &p.c, TCP_S_CLOSE);
	mc.c.lv = levels_of(&p.c);
	call_returns(&w.y, &mc, 65536);
	v = why_find(&w, "short-send");
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "the connection ended meanwhile");
	why_close(&w);
}

static void test_recv(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	end_receives(&w.y, &p.s, 1024, 14);
	v = why_find(&w, "short-recv");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "recv(4) had room for 1024 bytes and returned 14 bytes");
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	end_receives(&w.y, &p.s, 1024, 14);
	assert_int_equal(why_count(&w, "short-recv"), 1);
	why_close(&w);
}

/* Something lies in the queue after the call: it came late, most likely. */
static void test_recv_more_came(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 20, 20);
	end_receives(&w.y, &p.s, 1024, 14);
	assert_int_equal(why_find(&w, "short-recv")->certainty, INFERRED);
	why_close(&w);
}

static void test_waitall_eof(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 3, 3);
	end_fin(&w.y, &p.c, &p.s);
	end_receives_with(&w.y, &p.s, 100, 3, MSG_WAITALL);
	v = why_find(&w, "short-waitall");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "recv(4) got 3 of 100 bytes");
	assert_says(v, "the peer's FIN came");
	assert_int_equal(why_count(&w, "short-recv"), 0);
	why_close(&w);
}

static void test_waitall_other(void **state)
{
	static const struct {
		__u32 option, flags;
		enum certainty certainty;
		const char *because;
	} cases[] = {
		{ SO_RCVTIMEO, 0, INFERRED, "SO_RCVTIMEO allows was over" },
		{ SO_KEEPALIVE, 0, INFERRED, "a signal interrupted it" },
		{ SO_KEEPALIVE, MSG_DONTWAIT, PROVED, "the call must not wait" },
	};
	static struct why_story w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tcp_pair p = pair_on_loopback();

		why_open(&w);
		pair_open(&w.y, &p);
		option_set(&w.y, &p.s, cases[i].option);
		end_sends(&w.y, &p.c, &p.s, 3, 3);
		end_receives_with(&w.y, &p.s, 100, 3, MSG_WAITALL | cases[i].flags);
		assert_says(why_find(&w, "short-waitall"), cases[i].because);
		assert_int_equal(why_find(&w, "short-waitall")->certainty, cases[i].certainty);
		why_close(&w);
	}
}

static void test_peek(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct told *look;
	__u64 id;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 3, 3);
	end_receives_with(&w.y, &p.s, 100, 3, MSG_PEEK);
	look = end_receives_with(&w.y, &p.s, 100, 3, MSG_PEEK);
	id = look->s.id;
	assert_int_equal(told_of_amounts(&w), 0);
	end_receives(&w.y, &p.s, 3, 3);
	v = why_find(&w, "peek-again");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "took 3 bytes that MSG_PEEK had shown 2 times before");
	assert_true(why_has_evidence(v, id));
	why_close(&w);
}

/* What was read before the look does not count. */
static void test_peek_counts(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 6, 6);
	end_receives(&w.y, &p.s, 3, 3);
	assert_int_equal(why_count(&w, "peek-again"), 0);
	end_receives_with(&w.y, &p.s, 100, 3, MSG_PEEK);
	end_receives(&w.y, &p.s, 3, 3);
	assert_says(why_find(&w, "peek-again"), "took 3 bytes that MSG_PEEK had shown before");
	why_close(&w);
}

static void test_trunc(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 6, 6);
	end_receives_with(&w.y, &p.s, 3, 3, MSG_TRUNC | MSG_PEEK);
	assert_int_equal(why_count(&w, "trunc-gone"), 0);
	end_receives_with(&w.y, &p.s, 3, 3, MSG_TRUNC);
	v = why_find(&w, "trunc-gone");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_says(v, "recv(4) took 3 bytes out of the receive queue and wrote nothing");
	why_close(&w);
}

static void test_empty(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends_some(&w.y, &p.c, 0, 0, 0);
	v = why_find(&w, "empty-send");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->certainty, PROVED);
	assert_string_equal(v->question, "What did send(3) of 0 bytes do?");
	end_sends_some(&w.y, &p.c, 0, 0, 0);
	assert_int_equal(why_count(&w, "empty-send"), 1);
	why_close(&w);
}

/* As much as was asked for, nothing, and failures: other verdicts' business. */
static void test_quiet(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	end_receives_with(&w.y, &p.s, 14, 14, MSG_WAITALL);
	mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	mc.c.len = 14;
	mc.c.lv = levels_of(&p.s);
	call_made(&w.y, mc, -EAGAIN);
	mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	mc.c.len = 14;
	mc.c.lv = levels_of(&p.c);
	call_made(&w.y, mc, -EAGAIN);
	mc = call_of(p.c.pid, CALL_SENDFILE, p.c.sid, p.c.fd); /* the file was shorter */
	mc.c.len = 1000;
	p.c.write_seq += 10;
	mc.c.lv = levels_of(&p.c);
	call_made(&w.y, mc, 10);
	mc = call_of(p.c.pid, CALL_SENDMMSG, p.c.sid, p.c.fd); /* two messages */
	mc.c.len = 16;
	p.c.write_seq += 16;
	mc.c.lv = levels_of(&p.c);
	call_made(&w.y, mc, 2);
	end_fin(&w.y, &p.c, &p.s);
	mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	mc.c.len = 14;
	mc.c.lv = levels_of(&p.s);
	call_made(&w.y, mc, 0);
	assert_int_equal(told_of_amounts(&w), 0);
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send_nonblocking),
		cmocka_unit_test(test_send_signal),
		cmocka_unit_test(test_send_timeout),
		cmocka_unit_test(test_send_reset),
		cmocka_unit_test(test_recv),
		cmocka_unit_test(test_recv_more_came),
		cmocka_unit_test(test_waitall_eof),
		cmocka_unit_test(test_waitall_other),
		cmocka_unit_test(test_peek),
		cmocka_unit_test(test_peek_counts),
		cmocka_unit_test(test_trunc),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
