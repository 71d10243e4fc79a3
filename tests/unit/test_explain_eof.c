// SPDX-License-Identifier: MIT
/*
 * Why a receive call returned 0.
 */
#include "explain_story.h"

static struct told *end_reads_eof(struct story *y, struct tcp_end *e)
{
	struct made_call mc = call_of(e->pid, CALL_RECVFROM, e->sid, e->fd);

	mc.c.len = 1024;
	call_enters(y, &mc);
	e->copied_seq = e->rcv_nxt;
	mc.c.lv = levels_of(e);
	return call_returns(y, &mc, 0);
}

static void end_closes(struct story *y, struct tcp_end *e, struct tcp_end *other, __u8 flags)
{
	struct made_call mc = call_of(e->pid, CALL_CLOSE, e->sid, e->fd);

	mc.c.cflags = (__u8)(CALLF_LAST_REF | flags);
	call_enters(y, &mc);
	end_fin(y, e, other);
	call_returns(y, &mc, 0);
}

static void test_close(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct told *eof;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	end_receives(&w.y, &p.s, 1024, 14);
	end_closes(&w.y, &p.c, &p.s, 0);
	eof = end_reads_eof(&w.y, &p.s);
	v = why_find(&w, "eof-close");
	assert_int_equal(v->step, eof->s.id);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->role, ROLE_SERVER);
	assert_string_equal(v->question, "Why did recv(4) return 0?");
	assert_says(v, "the client (client 20) called close(3)");
	assert_says(v, "14 bytes, all of them read: nothing is lost");
	assert_true(why_has_evidence(v, eof->s.id));
	why_no_alarm(&w);
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
