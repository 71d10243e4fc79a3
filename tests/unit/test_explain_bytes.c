// SPDX-License-Identifier: MIT
/*
 * Where bytes are that send() took, and what becomes of them.
 */
#include <errno.h>

#include "explain_story.h"

#include "explain/inside.h"

static void end_closes(struct story *y, struct tcp_end *e, struct tcp_end *other, __u8 flags)
{
	struct made_call mc = call_of(e->pid, CALL_CLOSE, e->sid, e->fd);

	mc.c.cflags = (__u8)(CALLF_LAST_REF | flags);
	call_enters(y, &mc);
	end_fin(y, e, other);
	call_returns(y, &mc, 0);
}

/* close() while `left` bytes wait for the peer's window: the FIN waits behind them. */
static struct told *end_closes_full(struct story *y, struct tcp_end *e)
{
	struct made_call mc = call_of(e->pid, CALL_CLOSE, e->sid, e->fd);

	mc.c.cflags = CALLF_LAST_REF;
	call_enters(y, &mc);
	end_state(y, e, TCP_S_FIN_WAIT1);
	e->write_seq++;
	mc.c.lv = levels_of(e);
	return call_returns(y, &mc, 0);
}

/* What waits in e's queue goes over. */
static struct told *end_drains(struct story *y, struct tcp_end *e, struct tcp_end *other, __u32 len)
{
	__u32 seq = e->snd_nxt;

	e->snd_nxt += len;
	seg_passes(y, e, other, TCPF_ACK | TCPF_PSH, seq, len);
	other->rcv_nxt += len;
	end_event(y, EV_DATA_READY, other);
	end_acks(y, other, e);
	return story_last(y);
}

/* One descriptor of a process that ends. */
static struct told *end_exits(struct story *y, const struct tcp_end *e)
{
	struct event_call c = {
		.e = { .pid = e->pid, .sid = e->sid },
		.call = CALL_CLOSE,
		.fd = e->fd,
		.cflags = CALLF_LAST_REF | CALLF_BY_EXIT,
	};

	return tell(y, &c, EV_CALL, sizeof(c));
}

static size_t told_of_bytes(const struct why_story *w)
{
	size_t i, n = 0;

	for (i = 0; i < w->n; i++)
		n += !strncmp(w->told[i].rule->name, "bytes-", 6);
	return n;
}

static void test_unread(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct told *sent;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	sent = end_sends(&w.y, &p.c, &p.s, 14, 14);
	v = why_find(&w, "bytes-unread");
	assert_int_equal(v->step, sent->s.id);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->role, ROLE_CLIENT);
	assert_string_equal(v->question, "send(3) returned 14: where are the bytes?");
	assert_string_equal(v->cause,
			    "send(3) only copied: nobody has read the 14 bytes yet; they wait in "
			    "the receive queue of the server (server 10)");
	end_receives(&w.y, &p.s, 1024, 14);
	end_sends(&w.y, &p.c, &p.s, 14, 14); /* once is enough */
	assert_int_equal(why_count(&w, "bytes-unread"), 1);
	end_sends(&w.y, &p.s, &p.c, 5, 5); /* the other direction is another story */
	assert_int_equal(why_count(&w, "bytes-unread"), 2);
	assert_int_equal(why_find(&w, "bytes-unread")->role, ROLE_SERVER);
	why_no_alarm(&w);
	why_close(&w);
}

/* The peer had it all before send() returned: there is nothing to tell. */
static void test_read_at_once(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	mc.c.len = 14;
	call_enters(&w.y, &mc);
	p.c.write_seq += 14;
	end_drains(&w.y, &p.c, &p.s, 14);
	end_receives(&w.y, &p.s, 14, 14);
	mc.c.lv = levels_of(&p.c);
	call_returns(&w.y, &mc, 14);
	end_closes(&w.y, &p.c, &p.s, 0);
	why_wait(&w, NS_PER_S);
	assert_int_equal(told_of_bytes(&w), 0);
	why_close(&w);
}

static void test_unsent(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 400000, 4096);
	assert_says(why_find(&w, "bytes-unread"),
		    "of 400,000 bytes the server (server 10) has read 0; 395,904 bytes not sent "
		    "yet, 4,096 bytes unread in its receive queue");
	end_sends(&w.y, &p.c, &p.s, 1, 0);
	assert_int_equal(why_count(&w, "bytes-unsent"), 0); /* that was said */
	why_close(&w);
}

/* The first send went over at once, the next one waits. */
static void test_unsent_later(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 100, 100);
	end_sends(&w.y, &p.c, &p.s, 5000, 1000);
	v = why_find(&w, "bytes-unsent");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_says(v, "of 5,100 bytes the server (server 10) has read 0; 4,000 bytes not sent "
		       "yet, 1,100 bytes unread");
	assert_int_equal(why_count(&w, "bytes-unread"), 1);
	why_close(&w);
}

/* Only the sender's machine is traced: nothing is said of the program over there. */
static void test_one_end(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open_seen(&w.y, &p, 1);
	mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	mc.c.len = 5000;
	call_enters(&w.y, &mc);
	p.c.write_seq += 5000;
	seg_out(&w.y, &p.c, TCPF_ACK, p.c.snd_nxt, 2000);
	p.c.snd_nxt += 2000;
	mc.c.lv = levels_of(&p.c);
	call_returns(&w.y, &mc, 5000);
	v = why_find(&w, "bytes-unread");
	assert_string_equal(v->cause,
			    "send(3) only copied into the kernel: of 5,000 bytes, 3,000 bytes "
			    "not sent yet, 2,000 bytes sent and not acknowledged");
	why_wait(&w, 10 * NS_PER_S);
	assert_int_equal(why_count(&w, "bytes-waiting"), 0);
	why_close(&w);
}

/* A hundred connections of one program are no hundred news. */
static void test_second_connection(void **state)
{
	struct tcp_pair p = pair_on_loopback(), q = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	assert_int_equal(why_find(&w, "bytes-unread")->weight, WEIGHT_NEWS);
	q.l = p.l;
	q.c.sid = 12;
	q.s.sid = 13;
	q.c.fd = q.s.fd = 7;
	q.c.fid = q.s.fid = 17;
	q.c.src.port = q.s.dst.port = 40001;
	pair_open_seen(&w.y, &q, 1);
	q.s.state = TCP_S_SYN_RECV;
	end_info(&w.y, &q.s, SOCKF_PASSIVE);
	end_state(&w.y, &q.s, TCP_S_ESTABLISHED);
	end_sends(&w.y, &q.c, &q.s, 14, 14);
	assert_int_equal(why_count(&w, "bytes-unread"), 2);
	assert_int_equal(why_find(&w, "bytes-unread")->weight, WEIGHT_ASIDE);
	why_close(&w);
}

/* Acknowledged, and nobody reads. */
static void test_waiting(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct told *sent;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	sent = end_sends(&w.y, &p.c, &p.s, 5000, 5000);
	why_wait(&w, 100 * NS_PER_MS);
	assert_int_equal(why_count(&w, "bytes-waiting"), 0);
	end_receives(&w.y, &p.s, 1000, 1000); /* it does read: the clock starts again */
	why_wait(&w, 150 * NS_PER_MS);
	assert_int_equal(why_count(&w, "bytes-waiting"), 0);
	why_wait(&w, 100 * NS_PER_MS);
	v = why_find(&w, "bytes-waiting");
	assert_int_equal(v->step, sent->s.id);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->certainty, PROVED);
	assert_says(
		v,
		"For 250 ms the server (server 10) has not read the 4,000 bytes that its kernel took in");
	why_wait(&w, 10 * NS_PER_S);
	assert_int_equal(why_count(&w, "bytes-waiting"), 1);
	why_close(&w);
}

static void test_waiting_ends(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	__u64 again;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 5000, 5000);
	end_receives(&w.y, &p.s, 5000, 5000);
	why_wait(&w, 10 * NS_PER_S);
	assert_int_equal(why_count(&w, "bytes-waiting"), 0);
	again = end_sends(&w.y, &p.c, &p.s, 7, 7)->s.id;
	why_wait(&w, 300 * NS_PER_MS);
	assert_int_equal(why_find(&w, "bytes-waiting")->step, again); /* not the send before */
	assert_says(why_find(&w, "bytes-waiting"), "For 300 ms");
	why_close(&w);
}

/* In the queue, and not acknowledged: then the sentence would be false. */
static void test_waiting_unacked(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	mc.c.len = 14;
	call_enters(&w.y, &mc);
	p.c.write_seq += 14;
	seg_passes(&w.y, &p.c, &p.s, TCPF_ACK | TCPF_PSH, p.c.snd_nxt, 14);
	p.c.snd_nxt += 14;
	p.s.rcv_nxt += 14;
	end_event(&w.y, EV_DATA_READY, &p.s);
	mc.c.lv = levels_of(&p.c);
	call_returns(&w.y, &mc, 14);
	why_wait(&w, 300 * NS_PER_MS);
	assert_int_equal(why_count(&w, "bytes-waiting"), 0);
	end_acks(&w.y, &p.s, &p.c);
	why_wait(&w, 300 * NS_PER_MS);
	assert_int_equal(why_count(&w, "bytes-waiting"), 1);
	why_close(&w);
}

/* The connection was reset while send() copied: where its bytes are is no question any more. */
static void test_reset_meanwhile(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc;
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	mc.c.len = 14;
	call_enters(&w.y, &mc);
	p.c.write_seq += 14;
	seg_passes(&w.y, &p.c, &p.s, TCPF_ACK | TCPF_PSH, p.c.snd_nxt, 14);
	p.c.snd_nxt += 14;
	seg_in(&w.y, &p.s, &p.c, TCPF_RST, p.s.snd_nxt, 0);
	end_state(&w.y, &p.c, TCP_S_CLOSE);
	mc.c.lv = levels_of(&p.c);
	call_returns(&w.y, &mc, 14);
	assert_int_equal(told_of_bytes(&w), 0);
	why_close(&w);
}

/* The reader ends, and its kernel throws away what it had acknowledged. */
static void test_never_read(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct told *ended;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 5000, 5000);
	end_receives(&w.y, &p.s, 1000, 1000);
	ended = end_exits(&w.y, &p.s);
	v = why_find(&w, "bytes-never-read");
	assert_int_equal(v->step, ended->s.id);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->role, ROLE_CLIENT); /* it is about who sent them */
	assert_int_equal(v->sid, p.c.sid);
	assert_string_equal(
		v->cause,
		"Never read: 4,000 of 5,000 bytes lay in the receive queue when the server "
		"(server 10) ended: its kernel had taken them in, but its program had not");
	why_close(&w);
}

/* closed with the queue full; the kernel brings all of it over, or not. */
static void closed_full(struct why_story *w, struct tcp_pair *p)
{
	const struct verdict *v;
	struct told *closed;

	why_open(w);
	pair_open(&w->y, p);
	end_sends(&w->y, &p->c, &p->s, 10000, 4000);
	closed = end_closes_full(&w->y, &p->c);
	v = why_find(w, "bytes-after-close");
	assert_int_equal(v->step, closed->s.id);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "close(3) returned with 6,000 of 10,000 bytes not delivered");
}

static void test_delivered(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	closed_full(&w, &p);
	end_receives(&w.y, &p.s, 4000, 4000);
	why_wait(&w, 100 * NS_PER_MS);
	end_drains(&w.y, &p.c, &p.s, 5000);
	assert_int_equal(why_count(&w, "bytes-delivered"), 0); /* 1,000 are still to come */
	end_receives(&w.y, &p.s, 4000, 4000);
	end_drains(&w.y, &p.c, &p.s, 1000);
	v = why_find(&w, "bytes-delivered");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "the last of the 6,000 bytes it left has reached the server (server 10); "
		       "2,000 bytes still unread there");
	assert_int_equal(why_count(&w, "bytes-lost"), 0);
	why_close(&w);
}

/* So soon that nobody could have noticed. */
static void test_delivered_soon(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	closed_full(&w, &p);
	end_drains(&w.y, &p.c, &p.s, 6000);
	assert_int_equal(why_find(&w, "bytes-delivered")->weight, WEIGHT_ASIDE);
	why_close(&w);
}

static void test_lost(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	closed_full(&w, &p);
	end_state(&w.y, &p.c, TCP_S_CLOSE);
	end_event(&w.y, EV_DESTROY, &p.c);
	v = why_find(&w, "bytes-lost");
	assert_int_equal(v->weight, WEIGHT_ASIDE); /* an RST has its own verdict */
	assert_says(
		v, "Never delivered: all 6,000 bytes that close() left in the send queue are gone");
	assert_int_equal(why_count(&w, "bytes-delivered"), 0);
	why_close(&w);
}

/* Nobody answered any more: no RST, and no call to report it. */
static void test_lost_timeout(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	closed_full(&w, &p);
	sock_told(&w.y, EV_SOCK_ERROR, p.c.sid, ETIMEDOUT, 0, 0, NULL);
	end_state(&w.y, &p.c, TCP_S_CLOSE);
	end_event(&w.y, EV_DESTROY, &p.c);
	assert_int_equal(why_find(&w, "bytes-lost")->weight, WEIGHT_NEWS);
	why_close(&w);
}

/* close() with nothing left, by call and by exit. */
static void test_plain_close(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 14, 14);
	end_receives(&w.y, &p.s, 14, 14);
	end_closes(&w.y, &p.c, &p.s, 0);
	end_closes(&w.y, &p.s, &p.c, 0);
	why_wait(&w, 10 * NS_PER_S);
	assert_int_equal(told_of_bytes(&w), 1); /* that the send was not read yet */
	why_no_alarm(&w);
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unread),		cmocka_unit_test(test_read_at_once),
		cmocka_unit_test(test_unsent),		cmocka_unit_test(test_unsent_later),
		cmocka_unit_test(test_one_end),		cmocka_unit_test(test_second_connection),
		cmocka_unit_test(test_waiting),		cmocka_unit_test(test_waiting_ends),
		cmocka_unit_test(test_waiting_unacked), cmocka_unit_test(test_reset_meanwhile),
		cmocka_unit_test(test_never_read),	cmocka_unit_test(test_delivered),
		cmocka_unit_test(test_delivered_soon),	cmocka_unit_test(test_lost),
		cmocka_unit_test(test_lost_timeout),	cmocka_unit_test(test_plain_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
