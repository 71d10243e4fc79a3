// SPDX-License-Identifier: MIT
/*
 * k writes, n segments, m reads.
 */
#include "explain_story.h"

#include "explain/inside.h"

static size_t told_of_bounds(const struct why_story *w)
{
	size_t i, n = 0;

	for (i = 0; i < w->n; i++)
		n += !strncmp(w->told[i].rule->name, "bounds-", 7);
	return n;
}

static void test_merged(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct told *first, *second, *read;
	__u64 ids[2];

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	first = end_sends(&w.y, &p.c, &p.s, 3, 3);
	ids[0] = first->s.id;
	second = end_sends(&w.y, &p.c, &p.s, 4, 4);
	ids[1] = second->s.id;
	read = end_receives(&w.y, &p.s, 1024, 7);
	v = why_find(&w, "bounds-merged");
	assert_int_equal(v->step, read->s.id);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->role, ROLE_SERVER);
	assert_string_equal(v->question, "Why did recv(4) return 7 bytes at once?");
	assert_string_equal(v->cause, "recv(4) returned bytes of 2 sends at once, 7 bytes (3 + 4): "
				      "a stream keeps no boundaries between them");
	assert_true(why_has_evidence(v, ids[0]));
	assert_true(why_has_evidence(v, ids[1]));
	end_sends(&w.y, &p.c, &p.s, 3, 3);
	end_sends(&w.y, &p.c, &p.s, 3, 3);
	end_receives(&w.y, &p.s, 1024, 6); /* once is enough */
	assert_int_equal(why_count(&w, "bounds-merged"), 1);
	assert_int_equal(why_count(&w, "bounds-cut"), 0);
	assert_int_equal(why_count(&w, "bounds-split"), 0);
	why_no_alarm(&w);
	why_close(&w);
}

/* Each send is read as it was sent: there is nothing to tell but the count. */
static void test_one_by_one(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	int i;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	for (i = 0; i < 40; i++) {
		end_sends(&w.y, &p.c, &p.s, 8, 8);
		end_receives(&w.y, &p.s, 1024, 8);
		end_sends(&w.y, &p.s, &p.c, 6, 6);
		end_receives(&w.y, &p.c, 1024, 6);
	}
	assert_int_equal(told_of_bounds(&w), 0);
	why_finish(&w);
	assert_int_equal(told_of_bounds(&w), 1);
	assert_string_equal(why_find(&w, "bounds-tally")->cause,
			    "client to server: 40 writes, 40 segments, 40 reads for 320 bytes; "
			    "server to client: 40 writes, 40 segments, 40 reads for 240 bytes");
	assert_int_equal(why_find(&w, "bounds-tally")->weight, WEIGHT_ASIDE);
	why_close(&w);
}

/* The first ones are named, as long as they are remembered. */
static void test_parts(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	__u32 i;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	for (i = 1; i <= 6; i++)
		end_sends(&w.y, &p.c, &p.s, i, i);
	end_receives(&w.y, &p.s, 1024, 21);
	assert_says(why_find(&w, "bounds-merged"),
		    "bytes of 6 sends at once, 21 bytes (1 + 2 + 3 + 4 + ...): ");
	why_close(&w);
}

/* More than are remembered are counted all the same. */
static void test_many(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	int i;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	for (i = 0; i < 100; i++)
		end_sends(&w.y, &p.c, &p.s, 1, 1);
	end_receives(&w.y, &p.s, 1024, 100);
	assert_says(why_find(&w, "bounds-merged"), "bytes of 100 sends at once, 100 bytes: ");
	why_close(&w);
}

/* The reader is so quick that the second send has not returned yet. */
static void test_merged_in_progress(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	static struct why_story w;
	const struct verdict *v;
	__u64 entered;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 3, 3);
	mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	mc.c.len = 4;
	entered = call_enters(&w.y, &mc)->s.id;
	p.c.write_seq += 4;
	seg_passes(&w.y, &p.c, &p.s, TCPF_ACK | TCPF_PSH, p.c.snd_nxt, 4);
	p.c.snd_nxt += 4;
	p.s.rcv_nxt += 4;
	end_event(&w.y, EV_DATA_READY, &p.s);
	end_receives(&w.y, &p.s, 1024, 7);
	v = why_find(&w, "bounds-merged");
	assert_says(v, "bytes of 2 sends at once, 7 bytes (3 + 4)");
	assert_true(why_has_evidence(v, entered));
	mc.c.lv = levels_of(&p.c);
	call_returns(&w.y, &mc, 4);
	end_sends(&w.y, &p.c, &p.s, 5, 5);
	end_receives(&w.y, &p.s, 1024, 5);
	assert_int_equal(told_of_bounds(&w), 1);
	why_close(&w);
}

static void test_cut_and_split(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 3, 3);
	end_sends(&w.y, &p.c, &p.s, 6, 6);
	end_receives(&w.y, &p.s, 4, 4);
	v = why_find(&w, "bounds-cut");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_says(v, "it has 1 of 6 bytes");
	assert_int_equal(why_count(&w, "bounds-split"), 0);
	end_receives(&w.y, &p.s, 2, 2);
	assert_int_equal(why_count(&w, "bounds-split"), 0); /* not complete yet */
	end_receives(&w.y, &p.s, 100, 3);
	v = why_find(&w, "bounds-split");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "The 6 bytes of one send were read by 3 recvs");
	why_close(&w);
}

static void test_split_in_two(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 10, 10);
	end_receives(&w.y, &p.s, 5, 5);
	end_receives(&w.y, &p.s, 5, 5);
	assert_says(why_find(&w, "bounds-split"), "The 10 bytes of one send were read by 2 recvs");
	assert_int_equal(told_of_bounds(&w), 1);
	why_close(&w);
}

/* A send is still at it while the reader takes pieces. */
static void test_split_in_progress(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	static struct why_story w;
	int i;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	mc.c.len = 3000;
	call_enters(&w.y, &mc);
	for (i = 0; i < 3; i++) {
		p.c.write_seq += 1000;
		seg_passes(&w.y, &p.c, &p.s, TCPF_ACK, p.c.snd_nxt, 1000);
		p.c.snd_nxt += 1000;
		p.s.rcv_nxt += 1000;
		end_event(&w.y, EV_DATA_READY, &p.s);
		end_receives(&w.y, &p.s, 1000, 1000);
	}
	assert_int_equal(told_of_bounds(&w), 0);
	mc.c.lv = levels_of(&p.c);
	call_returns(&w.y, &mc, 3000);
	assert_says(why_find(&w, "bounds-split"), "The 3,000 bytes of one send were read by 3");
	assert_says(why_find(&w, "bounds-segmented"), "3,000 bytes of one send left in 3 segments");
	why_close(&w);
}

static void test_packed(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 3, 0);
	end_sends(&w.y, &p.c, &p.s, 4, 0);
	seg_out(&w.y, &p.c, TCPF_ACK | TCPF_PSH, p.c.snd_nxt, 7);
	v = why_find(&w, "bounds-packed");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_says(v, "One segment of 7 bytes carries bytes of 2 sends");
	why_close(&w);
}

/* A retransmission says nothing new, and bulk is no place to look for messages. */
static void test_quiet(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 3000, 3000);
	seg_out(&w.y, &p.c, TCPF_ACK, p.c.snd_nxt - 3000, 3000);
	assert_int_equal(told_of_bounds(&w), 0);
	end_sends(&w.y, &p.c, &p.s, 3000, 3000);
	end_receives(&w.y, &p.s, 65536, 6000);
	assert_int_equal(why_find(&w, "bounds-merged")->weight, WEIGHT_ASIDE);
	why_close(&w);
}

/* A look is no read. */
static void test_peek(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 3, 3);
	end_sends(&w.y, &p.c, &p.s, 4, 4);
	mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	mc.c.len = 1024;
	mc.c.x[0] = MSG_PEEK;
	mc.c.lv = levels_of(&p.s);
	call_made(&w.y, mc, 7);
	end_receives(&w.y, &p.s, 3, 3);
	assert_int_equal(told_of_bounds(&w), 0);
	end_sends(&w.y, &p.c, &p.s, 2, 2);
	mc.c.len = 3; /* not more than was read before */
	mc.c.lv = levels_of(&p.s);
	call_made(&w.y, mc, 3);
	end_receives(&w.y, &p.s, 1024, 6);
	assert_says(why_find(&w, "bounds-merged"), "bytes of 2 sends at once, 6 bytes (4 + 2)");
	why_close(&w);
}

/* Bytes moved by calls nobody saw: no cut is claimed before the stream is in step again. */
static void test_unseen_sends(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 3, 3);
	p.c.write_seq += 50;
	p.c.snd_nxt += 50;
	p.s.rcv_nxt += 50;
	end_event(&w.y, EV_DATA_READY, &p.s);
	end_receives(&w.y, &p.s, 1024, 53);
	end_sends(&w.y, &p.c, &p.s, 4, 4);
	end_receives(&w.y, &p.s, 1024, 4);
	assert_int_equal(told_of_bounds(&w), 0);
	end_sends(&w.y, &p.c, &p.s, 2, 2);
	end_sends(&w.y, &p.c, &p.s, 2, 2);
	end_receives(&w.y, &p.s, 1024, 4);
	assert_says(why_find(&w, "bounds-merged"), "bytes of 2 sends at once, 4 bytes (2 + 2)");
	why_close(&w);
}

/* Two threads read: the counter is ahead of the call that returns first. */
static void test_two_readers(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc[2];
	static struct why_story w;
	int i;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 3, 3);
	end_sends(&w.y, &p.c, &p.s, 5, 5);
	for (i = 0; i < 2; i++) {
		mc[i] = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
		mc[i].c.e.tid = 100 + (__u32)i;
		mc[i].c.len = 5;
		call_enters(&w.y, &mc[i]);
	}
	p.s.copied_seq += 8;
	mc[0].c.lv = mc[1].c.lv = levels_of(&p.s);
	call_returns(&w.y, &mc[1], 5);
	call_returns(&w.y, &mc[0], 3);
	assert_int_equal(told_of_bounds(&w), 0);
	why_close(&w);
}

/* With one end in sight the tally names what was seen, and nothing else. */
static void test_tally_one_end(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open_seen(&w.y, &p, 1);
	end_sends(&w.y, &p.c, &p.s, 3, 3);
	end_sends(&w.y, &p.c, &p.s, 4, 4);
	why_finish(&w);
	assert_string_equal(why_find(&w, "bounds-tally")->cause,
			    "client to server: 2 writes, 2 segments for 7 bytes");
	assert_int_equal(told_of_bounds(&w), 1);
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_merged_in_progress),
		cmocka_unit_test(test_cut_and_split),
		cmocka_unit_test(test_split_in_progress),
		cmocka_unit_test(test_split_in_two),
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_peek),
		cmocka_unit_test(test_unseen_sends),
		cmocka_unit_test(test_two_readers),
		cmocka_unit_test(test_tally_one_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
