// SPDX-License-Identifier: MIT
/*
 * What all verdicts share: the notebook, the pen, the list of rules.
 */
#include <errno.h>

#include "explain_story.h"

#include "explain/inside.h"

static const struct rule rule = {
	.name = "test-rule", .about = "a rule of this test", .weight = WEIGHT_NEWS
};

static void test_rules_are_sound(void **state)
{
	const struct rule *all[256], *r;
	size_t pos = 0, n = 0, i;

	(void)state;
	while ((r = explain_rules(&pos))) {
		assert_true(n < 256);
		assert_true(r->name && r->name[0] && r->about && r->about[0]);
		assert_int_equal(strspn(r->name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
				 strlen(r->name));
		assert_in_range(r->weight, WEIGHT_ASIDE, WEIGHT_ALARM);
		for (i = 0; i < n; i++)
			assert_string_not_equal(all[i]->name, r->name);
		all[n++] = r;
	}
	assert_true(n > 0);
}

/* The connection ends in order; the socket is forgotten some seconds after the kernel freed it. */
static void test_notebook_forgets(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct mark *m;
	struct note *n;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	n = note_of(w.x, p.c.sid);
	assert_non_null(n);
	assert_int_equal(n->sends, 1);
	assert_int_equal(n->sent, 14);
	assert_int_equal(n->role, ROLE_CLIENT);
	assert_ptr_equal(note_peer(w.x, n), note_of(w.x, p.s.sid));
	m = note_mark(n, MARK_SEND);
	assert_non_null(m);
	assert_int_equal(m->n, 14);
	assert_null(note_mark(n, MARK_CLOSE));
	end_event(&w.y, EV_DESTROY, &p.c);
	end_event(&w.y, EV_DESTROY, &p.s);
	why_wait(&w, NS_PER_S);
	assert_non_null(note_of(w.x, p.c.sid));
	why_wait(&w, 10 * NS_PER_S);
	assert_null(note_of(w.x, p.c.sid));
	why_close(&w);
}

/* As long as the other end lives it may ask how this one left, however late. */
static void test_notebook_keeps_the_peer(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	struct made_call mc;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.c.pid, CALL_CLOSE, p.c.sid, p.c.fd);
	mc.c.cflags = CALLF_LAST_REF;
	call_enters(&w.y, &mc);
	end_fin(&w.y, &p.c, &p.s);
	call_returns(&w.y, &mc, 0);
	end_event(&w.y, EV_DESTROY, &p.c);
	why_wait(&w, 60 * NS_PER_S);
	why_wait(&w, 60 * NS_PER_S);
	assert_non_null(note_of(w.x, p.c.sid));
	mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	mc.c.len = 1024;
	call_enters(&w.y, &mc);
	p.s.copied_seq = p.s.rcv_nxt;
	mc.c.lv = levels_of(&p.s);
	call_returns(&w.y, &mc, 0);
	assert_int_equal(why_count(&w, "eof-close"), 1);
	end_event(&w.y, EV_DESTROY, &p.s);
	why_wait(&w, 10 * NS_PER_S);
	why_wait(&w, 10 * NS_PER_S);
	assert_null(note_of(w.x, p.c.sid));
	assert_null(note_of(w.x, p.s.sid));
	why_close(&w);
}

static void test_told_once(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	struct note *n;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	n = note_of(w.x, p.c.sid);
	assert_false(note_told(n, &rule));
	assert_true(note_told(n, &rule));
	assert_false(note_told(note_of(w.x, p.s.sid), &rule));
	assert_false(note_told(NULL, &rule));
	why_close(&w);
}

static void test_evidence_is_sorted(void **state)
{
	static struct verdict v;
	__u64 i;

	(void)state;
	verdict_prove(&v, 7);
	verdict_prove(&v, 3);
	verdict_prove(&v, 0);
	verdict_prove(&v, 9);
	verdict_prove(&v, 7);
	verdict_prove(&v, 5);
	assert_int_equal(v.n_evidence, 4);
	assert_int_equal(v.evidence[0], 3);
	assert_int_equal(v.evidence[1], 5);
	assert_int_equal(v.evidence[2], 7);
	assert_int_equal(v.evidence[3], 9);
	for (i = 100; i < 200; i++)
		verdict_prove(&v, i);
	assert_int_equal(v.n_evidence, VERDICT_EVIDENCE);
}

/* After a loss nothing is proved: what contradicts it may be what is missing. */
static void test_loss_leaves_inferences(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	struct made_call mc;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	end_receives(&w.y, &p.s, 1024, 14);
	assert_int_equal(model_lost(w.y.m, w.y.t_ns, 3), 0);
	mc = call_of(p.c.pid, CALL_CLOSE, p.c.sid, p.c.fd);
	mc.c.cflags = CALLF_LAST_REF;
	call_enters(&w.y, &mc);
	end_fin(&w.y, &p.c, &p.s);
	call_returns(&w.y, &mc, 0);
	mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	mc.c.len = 1024;
	call_enters(&w.y, &mc);
	p.s.copied_seq = p.s.rcv_nxt;
	mc.c.lv = levels_of(&p.s);
	call_returns(&w.y, &mc, 0);
	assert_int_equal(why_find(&w, "eof-close")->certainty, INFERRED);
	assert_non_null(strstr(why_find(&w, "eof-close")->basis, "events were lost"));
	why_close(&w);
}

static void test_words(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	char buf[64];

	(void)state;
	assert_string_equal(fmt_bytes(buf, sizeof(buf), 0), "0 bytes");
	assert_string_equal(fmt_bytes(buf, sizeof(buf), 1), "1 byte");
	assert_string_equal(fmt_bytes(buf, sizeof(buf), 999), "999 bytes");
	assert_string_equal(fmt_bytes(buf, sizeof(buf), 395904), "395,904 bytes");
	assert_string_equal(fmt_bytes(buf, sizeof(buf), 1000000), "1,000,000 bytes");
	assert_string_equal(fmt_ns(buf, sizeof(buf), 240000), "0.2 ms");
	assert_string_equal(fmt_ns(buf, sizeof(buf), 41 * NS_PER_MS), "41 ms");
	assert_string_equal(fmt_ns(buf, sizeof(buf), 1020 * NS_PER_MS), "1.02 s");
	why_open(&w);
	pair_open(&w.y, &p);
	assert_string_equal(fmt_who(buf, sizeof(buf), w.x, ROLE_CLIENT, 20),
			    "the client (client 20)");
	assert_string_equal(fmt_who(buf, sizeof(buf), w.x, ROLE_NONE, 20), "client (process 20)");
	assert_string_equal(fmt_who(buf, sizeof(buf), w.x, ROLE_SERVER, 0), "the server");
	assert_string_equal(fmt_who(buf, sizeof(buf), w.x, ROLE_NONE, 0), "the other end");
	proc_told(&w.y, PROC_EXEC, 20, 0, 0, "a\x1b[2Jb");
	assert_null(strchr(fmt_who(buf, sizeof(buf), w.x, ROLE_CLIENT, 20), '\x1b'));
	why_close(&w);
}

/* A call that was told while it ran is in the list until it returns. */
static void test_calls_in_progress(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	struct made_call mc;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	mc.c.len = 10;
	call_enters(&w.y, &mc);
	assert_non_null(call_waiting(w.x, p.s.sid, false));
	assert_null(call_waiting(w.x, p.s.sid, true));
	assert_null(call_waiting(w.x, p.c.sid, false));
	mc.c.lv = levels_of(&p.s);
	call_returns(&w.y, &mc, -EINTR);
	assert_null(call_waiting(w.x, p.s.sid, false));
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_are_sound),
		cmocka_unit_test(test_notebook_forgets),
		cmocka_unit_test(test_notebook_keeps_the_peer),
		cmocka_unit_test(test_told_once),
		cmocka_unit_test(test_evidence_is_sorted),
		cmocka_unit_test(test_loss_leaves_inferences),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_calls_in_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
