// SPDX-License-Identifier: MIT
/*
 * Nagle's algorithm and a delayed ACK.
 */
#include <netinet/tcp.h>

#include "explain_story.h"

#define MS NS_PER_MS

struct gap {
	__u64 ns;	    /* until the ACK */
	__u32 len;	    /* of the second write */
	__u32 window;	    /* as the sender knows it */
	int option;	    /* TCP option set before, 0 = none */
	unsigned int flags; /* of the second send */
	bool acked;	    /* does the ACK cover all of the first segment? */
	bool again;	    /* was the first one sent again? */
};

static const struct gap classic = { .ns = 40 * MS, .len = 4, .window = 65536, .acked = true };

static void option_set(struct story *y, const struct tcp_end *e, int option)
{
	struct made_call so = call_of(e->pid, CALL_SETSOCKOPT, e->sid, e->fd);

	so.c.x[0] = IPPROTO_TCP;
	so.c.x[1] = (__u32)option;
	so.c.x[2] = 4;
	so.c.len = 1;
	call_made(y, so, 0);
}

static void writes(struct story *y, struct tcp_end *e, __u32 len, __u32 leaves, const struct gap *g)
{
	struct made_call mc = call_of(e->pid, CALL_SENDTO, e->sid, e->fd);

	mc.c.len = len;
	mc.c.x[0] = g->flags;
	call_enters(y, &mc);
	e->write_seq += len;
	if (leaves)
		seg_out(y, e, TCPF_ACK | TCPF_PSH, e->snd_nxt, leaves);
	e->snd_nxt += leaves;
	mc.c.lv = levels_of(e);
	mc.c.lv.snd_wnd = g->window;
	call_returns(y, &mc, len);
}

/* Two writes; the second leaves when the ACK of the first has come. Returns the step it leaves in. */
static __u64 round_trip(struct why_story *w, struct tcp_pair *p, const struct gap *g)
{
	struct tcp_end *e = &p->c, *other = &p->s;
	struct told *out;

	if (g->option)
		option_set(&w->y, e, g->option);
	writes(&w->y, e, 4, 4, g);
	seg_in(&w->y, e, other, TCPF_ACK | TCPF_PSH, e->snd_nxt - 4, 4);
	other->rcv_nxt += 4;
	end_event(&w->y, EV_DATA_READY, other);
	writes(&w->y, e, g->len, 0, g);
	if (g->again)
		end_event(&w->y, EV_RETRANSMIT, e);
	why_wait(w, g->ns);
	if (!g->acked)
		other->rcv_nxt -= 2;
	seg_passes(&w->y, other, e, TCPF_ACK, other->snd_nxt, 0);
	if (!g->acked)
		other->rcv_nxt += 2;
	e->snd_una = e->snd_nxt;
	out = seg_out(&w->y, e, TCPF_ACK | TCPF_PSH, e->snd_nxt, g->len);
	e->snd_nxt += g->len;
	return out->s.id;
}

static size_t told(const struct why_story *w)
{
	return why_count(w, "nagle-wait");
}

static void test_wait(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	__u64 out;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	out = round_trip(&w, &p, &classic);
	v = why_find(&w, "nagle-wait");
	assert_int_equal(v->step, out);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->certainty, INFERRED);
	assert_int_equal(v->role, ROLE_CLIENT);
	assert_says(v, "4 bytes of send(3) waited 40 ms");
	assert_says(v, "the kernel of the server (server 10) delayed that ACK by 40 ms");
	assert_true(v->n_evidence >= 4);
	why_no_alarm(&w);
	why_close(&w);
}

/* Again and again: one line where it happens first, and an account at the end. */
static void test_total(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	int i;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	for (i = 0; i < 3; i++) {
		round_trip(&w, &p, &classic);
		seg_in(&w.y, &p.c, &p.s, TCPF_ACK, p.c.snd_nxt - 4, 4);
		p.s.rcv_nxt += 4;
		end_acks(&w.y, &p.s, &p.c);
	}
	assert_int_equal(told(&w), 1);
	why_finish(&w);
	assert_int_equal(why_find(&w, "nagle-total")->weight, WEIGHT_ASIDE);
	assert_says(why_find(&w, "nagle-total"), "3 times the client (client 20)");
	assert_says(why_find(&w, "nagle-total"), "120 ms in all");
	why_close(&w);
}

/* Only the sender is in sight: whose fault the late ACK is cannot be said. */
static void test_one_end(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open_seen(&w.y, &p, 1);
	round_trip(&w, &p, &classic);
	assert_says(why_find(&w, "nagle-wait"), "that ACK came so late");
	assert_null(strstr(why_find(&w, "nagle-wait")->cause, "delayed"));
	why_close(&w);
}

static void test_silent(void **state)
{
	static const struct {
		const char *what;
		struct gap gap;
	} cases[] = {
		{ "at once", { .ns = MS, .len = 4, .window = 65536, .acked = true } },
		{ "the window was closed",
		  { .ns = 40 * MS, .len = 4, .window = 4, .acked = true } },
		{ "a full segment",
		  { .ns = 40 * MS, .len = 60000, .window = 65536, .acked = true } },
		{ "TCP_NODELAY",
		  { .ns = 40 * MS,
		    .len = 4,
		    .window = 65536,
		    .option = TCP_NODELAY,
		    .acked = true } },
		{ "TCP_CORK",
		  { .ns = 40 * MS, .len = 4, .window = 65536, .option = TCP_CORK, .acked = true } },
		{ "MSG_MORE",
		  { .ns = 40 * MS, .len = 4, .window = 65536, .flags = MSG_MORE, .acked = true } },
		{ "an ACK of half of it", { .ns = 40 * MS, .len = 4, .window = 65536 } },
		{ "the first one was lost",
		  { .ns = 200 * MS, .len = 4, .window = 65536, .acked = true, .again = true } },
	};
	static struct why_story w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tcp_pair p = pair_on_loopback();

		why_open(&w);
		pair_open(&w.y, &p);
		round_trip(&w, &p, &cases[i].gap);
		if (told(&w))
			fail_msg("%s: %s", cases[i].what, why_find(&w, "nagle-wait")->cause);
		why_close(&w);
	}
}

/* A delayed ACK on its own, with nothing behind it, is no surprise. */
static void test_ack_alone(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	writes(&w.y, &p.c, 4, 4, &classic);
	seg_in(&w.y, &p.c, &p.s, TCPF_ACK | TCPF_PSH, p.c.snd_nxt - 4, 4);
	p.s.rcv_nxt += 4;
	why_wait(&w, 40 * MS);
	end_acks(&w.y, &p.s, &p.c);
	writes(&w.y, &p.c, 4, 4, &classic);
	assert_int_equal(told(&w), 0);
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait),	  cmocka_unit_test(test_total),
		cmocka_unit_test(test_one_end),	  cmocka_unit_test(test_silent),
		cmocka_unit_test(test_ack_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
