// SPDX-License-Identifier: MIT
/*
 * The accept queue.
 */
#include "explain_story.h"

#define MS NS_PER_MS

/* Of this family. */
static size_t told(const struct why_story *w)
{
	size_t i, n = 0;

	for (i = 0; i < w->n; i++)
		n += !strncmp(w->told[i].rule->name, "queue-", 6);
	return n;
}

static struct levels queue_levels(const struct tcp_end *l, __u32 depth, __u32 limit)
{
	struct levels lv = levels_of(l);

	lv.flags = LV_VALID | LV_TCP | LV_LISTEN;
	lv.ack_backlog = depth;
	lv.max_ack_backlog = limit;
	return lv;
}

static void queue_is(struct story *y, const struct tcp_end *l, __u32 depth, __u32 limit)
{
	struct levels lv = queue_levels(l, depth, limit);

	sock_told(y, EV_DATA_READY, l->sid, 0, 0, 0, &lv);
}

/* The client connects, nobody accepts. */
static void pair_queued(struct story *y, struct tcp_pair *p)
{
	struct made_call mc = { .c = { .fd = -1 } };

	pair_connect_enters(y, p, &mc);
	seg_in(y, &p->c, &p->l, TCPF_SYN, p->c_iss, 0);
	p->s.rcv_nxt = p->s.copied_seq = p->c_iss + 1;
	seg_passes(y, &p->s, &p->c, TCPF_SYN | TCPF_ACK, p->s_iss, 0);
	p->c.rcv_nxt = p->c.copied_seq = p->s_iss + 1;
	p->c.snd_una = p->c_iss + 1;
	end_state(y, &p->c, TCP_S_ESTABLISHED);
	seg_passes(y, &p->c, &p->s, TCPF_ACK, p->c_iss + 1, 0);
	p->s.write_seq = p->s.snd_nxt = p->s.snd_una = p->s_iss + 1;
	p->s.state = TCP_S_SYN_RECV;
	info_told(y, (struct event_sockinfo){
			     .e = { .sid = p->s.sid },
			     .netns = 1,
			     .protocol = IPPROTO_TCP,
			     .type = SOCK_STREAM,
			     .state = TCP_S_SYN_RECV,
			     .sflags = SOCKF_PASSIVE,
			     .parent = p->l.sid,
			     .src = p->s.src,
			     .dst = p->s.dst,
		     });
	end_state(y, &p->s, TCP_S_ESTABLISHED);
	queue_is(y, &p->l, 1, 5);
	mc.c.lv = levels_of(&p->c);
	call_returns(y, &mc, 0);
}

static void pair_accepted(struct story *y, struct tcp_pair *p)
{
	struct made_call ac = call_of(p->l.pid, CALL_ACCEPT, p->l.sid, p->l.fd);

	ac.c.sid2 = p->s.sid;
	ac.c.lv = queue_levels(&p->l, 0, 5);
	call_made(y, ac, p->s.fd);
}

/* Accepted at once: nothing to tell. */
static void test_at_once(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	pair_queued(&w.y, &p);
	pair_accepted(&w.y, &p);
	assert_int_equal(told(&w), 0);
	why_close(&w);
}

static void test_waited(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	pair_queued(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 5, 5);
	why_wait(&w, 300 * MS);
	pair_accepted(&w.y, &p);
	v = why_find(&w, "queue-waited");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "the client (client 20) had been connected for 300 ms before accept(3)");
	assert_says(v, "what it sent lay there unread");
	why_close(&w);
}

static void test_waited_long(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	pair_queued(&w.y, &p);
	why_wait(&w, 1500 * MS);
	pair_accepted(&w.y, &p);
	assert_int_equal(why_find(&w, "queue-waited")->weight, WEIGHT_NEWS);
	assert_null(strstr(why_find(&w, "queue-waited")->cause, "unread")); /* it sent nothing */
	why_close(&w);
}

static void test_full(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct told *full;
	struct made_call mc;
	struct levels lv;
	__u64 id;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	pair_connect_enters(&w.y, &p, &mc);
	seg_in(&w.y, &p.c, &p.l, TCPF_SYN, p.c_iss, 0);
	lv = queue_levels(&p.l, 2, 1);
	full = sock_told(&w.y, EV_RCVQ_FULL, p.l.sid, 0, 0, 0, &lv);
	id = full->s.id;
	sock_told(&w.y, EV_RCVQ_FULL, p.l.sid, 0, 0, 0, &lv);
	v = why_find(&w, "queue-full");
	assert_int_equal(why_count(&w, "queue-full"), 1);
	assert_int_equal(v->step, id);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "2 connections wait and the server (server 10) accepts none");
	assert_says(v, "the SYN of the client (client 20) is dropped");
	assert_says(v, "limit 1");
	/* and the listener's account at its end */
	end_state(&w.y, &p.l, TCP_S_CLOSE);
	assert_says(why_find(&w, "queue-summary"), "held 2 at most, limit 1 (one more fits); 0 accepted");
	assert_says(why_find(&w, "queue-summary"), "2 SYNs were dropped");
	why_close(&w);
}

/* The receive buffer of a connection may be full, too: that is no accept queue. */
static void test_full_of_bytes(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_event(&w.y, EV_RCVQ_FULL, &p.s);
	assert_int_equal(why_count(&w, "queue-full"), 0);
	why_close(&w);
}

static void listens(struct story *y, struct tcp_pair *p, int backlog, __u32 limit)
{
	struct made_call mc = call_of(p->l.pid, CALL_LISTEN, p->l.sid, p->l.fd);

	p->l.state = TCP_S_LISTEN;
	mc.c.x[0] = (__u32)backlog;
	mc.c.lv = queue_levels(&p->l, 0, limit);
	call_made(y, mc, 0);
}

static void test_clamped(void **state)
{
	static const struct {
		int backlog;
		__u32 limit;
		enum weight weight; /* 0: silent */
	} cases[] = {
		{ 100000, 4096, WEIGHT_NEWS },
		{ -1, 4096, WEIGHT_ASIDE },
		{ 4096, 4096, 0 },
		{ 5, 5, 0 },
		{ 0, 0, 0 },
	};
	static struct why_story w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tcp_pair p = pair_on_loopback();

		why_open(&w);
		end_info(&w.y, &p.l, 0);
		listens(&w.y, &p, cases[i].backlog, cases[i].limit);
		assert_int_equal(told(&w), cases[i].weight ? 1 : 0);
		if (cases[i].weight) {
			assert_int_equal(why_find(&w, "queue-clamped")->weight, cases[i].weight);
			assert_says(why_find(&w, "queue-clamped"), "a queue limit of 4096");
		}
		why_close(&w);
	}
}

/* The trace ends, the connection still waits. */
static void test_left(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	pair_queued(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 5, 5);
	why_finish(&w);
	v = why_find(&w, "queue-left");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_says(v, "1 client was never accepted");
	assert_says(v, "5 bytes sent and unread");
	assert_says(why_find(&w, "queue-summary"), "held 1 at most, limit 5; 0 accepted; no SYN was dropped");
	why_close(&w);
}

/* All were accepted: only the account. */
static void test_none_left(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	pair_queued(&w.y, &p);
	pair_accepted(&w.y, &p);
	end_state(&w.y, &p.l, TCP_S_CLOSE);
	why_finish(&w);
	assert_int_equal(why_count(&w, "queue-left"), 0);
	assert_int_equal(why_count(&w, "queue-summary"), 1);
	assert_int_equal(why_find(&w, "queue-summary")->weight, WEIGHT_ASIDE);
	assert_says(why_find(&w, "queue-summary"), "1 accepted");
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_once),	      cmocka_unit_test(test_waited),
		cmocka_unit_test(test_waited_long),   cmocka_unit_test(test_full),
		cmocka_unit_test(test_full_of_bytes), cmocka_unit_test(test_clamped),
		cmocka_unit_test(test_left),	      cmocka_unit_test(test_none_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
