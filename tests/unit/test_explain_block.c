// SPDX-License-Identifier: MIT
/*
 * Why a call waits.
 */
#include <errno.h>

#include "explain_story.h"

#define MS NS_PER_MS

/* Of this family. */
static size_t told(const struct why_story *w)
{
	size_t i, n = 0;

	for (i = 0; i < w->n; i++)
		n += !strncmp(w->told[i].rule->name, "block-", 6);
	return n;
}

/* A segment that is nothing but an ACK with that window arrives at `to`. */
static struct told *window_of(struct story *y, const struct tcp_end *from, const struct tcp_end *to,
			      __u16 win)
{
	return segment_told(y, (struct event_segment){
				       .fid = to->fid,
				       .seq = from->snd_nxt,
				       .ack = from->rcv_nxt,
				       .win = win,
				       .flags = TCPF_ACK,
				       .sflags = (__u8)(SEGF_IN | (from->is_b ? SEGF_FROM_B : 0)),
				       .netns = to->netns,
			       });
}

/* send() of more than fits: `taken` bytes were taken, `sent` of them arrived, nobody reads. */
static struct told *send_begins(struct story *y, struct made_call *mc, struct tcp_end *e,
				struct tcp_end *other, __u32 taken, __u32 sent)
{
	struct told *enter;
	__u32 seq = e->snd_nxt;

	*mc = call_of(e->pid, CALL_SENDTO, e->sid, e->fd);
	mc->c.len = 1000000;
	enter = call_enters(y, mc);
	e->write_seq += taken;
	e->snd_nxt += sent;
	seg_out(y, e, TCPF_ACK, seq, sent);
	seg_in(y, e, other, TCPF_ACK, seq, sent);
	other->rcv_nxt += sent;
	end_event(y, EV_DATA_READY, other);
	end_event(y, EV_LEVELS, e);
	return enter;
}

static void test_reader(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc;
	struct told *enter, *zero;
	__u64 enter_id, zero_id;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	enter = send_begins(&w.y, &mc, &p.c, &p.s, 28672, 12288);
	enter_id = enter->s.id;
	why_wait(&w, 10 * MS);
	assert_int_equal(told(&w), 0); /* not yet */
	zero = window_of(&w.y, &p.s, &p.c, 0);
	zero_id = zero->s.id;
	why_wait(&w, 25 * MS);
	v = why_find(&w, "block-send-reader");
	assert_int_equal(v->step, enter_id);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->role, ROLE_CLIENT);
	assert_int_equal(v->pid, 20);
	assert_string_equal(v->question, "Why does send(3) not return?");
	assert_says(v, "the server (server 10) has read nothing for 35 ms");
	assert_says(v, "12,288 bytes lie unread in its queue (window 0), 16,384 bytes wait here");
	assert_says(v, "it is in no socket call");
	assert_true(why_has_evidence(v, zero_id));
	why_wait(&w, 100 * MS);
	assert_int_equal(why_count(&w, "block-send-reader"), 1);
	/* The reader wakes up. */
	end_receives(&w.y, &p.s, 20000, 12288);
	window_of(&w.y, &p.s, &p.c, 512);
	mc.c.lv = levels_of(&p.c);
	call_returns(&w.y, &mc, 1000000);
	v = why_find(&w, "block-ended");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_says(v, "as the server (server 10) read, 1 read of 12,288 bytes");
	assert_int_equal(why_count(&w, "block-send-reader"), 1);
	why_no_alarm(&w);
	why_close(&w);
}

/* The reader is busy with something that can be seen. */
static void test_reader_elsewhere(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc, ac;
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	ac = call_of(p.l.pid, CALL_ACCEPT, p.l.sid, p.l.fd);
	call_enters(&w.y, &ac);
	send_begins(&w.y, &mc, &p.c, &p.s, 28672, 12288);
	window_of(&w.y, &p.s, &p.c, 0);
	why_wait(&w, 25 * MS);
	assert_says(why_find(&w, "block-send-reader"), "it sits in accept(3)");
	why_close(&w);
}

/* Without a closed window it takes longer to tell, and is an inference. */
static void test_reader_inferred(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	struct made_call mc;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	send_begins(&w.y, &mc, &p.c, &p.s, 28672, 12288);
	why_wait(&w, 30 * MS);
	why_wait(&w, 30 * MS);
	assert_int_equal(told(&w), 0);
	why_wait(&w, 100 * MS);
	assert_int_equal(why_find(&w, "block-send-reader")->certainty, INFERRED);
	why_close(&w);
}

/* It reads all the time: the call is long, and nobody is at fault. */
static void test_link(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc;
	int i;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	send_begins(&w.y, &mc, &p.c, &p.s, 28672, 4096);
	for (i = 0; i < 6; i++) {
		end_receives(&w.y, &p.s, 4096, i ? 0 : 4096);
		why_wait(&w, 10 * MS);
	}
	assert_int_equal(told(&w), 0);
	p.c.snd_una = p.c.snd_nxt = p.s.rcv_nxt;
	mc.c.lv = levels_of(&p.c);
	call_returns(&w.y, &mc, 1000000);
	v = why_find(&w, "block-send-link");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "its send queue of 87,040 bytes was full");
	assert_int_equal(why_count(&w, "block-send-reader"), 0);
	why_close(&w);
}

static void test_unaccepted(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc = { .c = { .fd = -1 } };

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	pair_connect_enters(&w.y, &p, &mc);
	seg_in(&w.y, &p.c, &p.s, TCPF_SYN, p.c_iss, 0);
	p.s.rcv_nxt = p.s.copied_seq = p.c_iss + 1;
	seg_passes(&w.y, &p.s, &p.c, TCPF_SYN | TCPF_ACK, p.s_iss, 0);
	p.c.rcv_nxt = p.c.copied_seq = p.s_iss + 1;
	p.c.snd_una = p.c_iss + 1;
	end_state(&w.y, &p.c, TCP_S_ESTABLISHED);
	seg_passes(&w.y, &p.c, &p.s, TCPF_ACK, p.c_iss + 1, 0);
	p.s.write_seq = p.s.snd_nxt = p.s.snd_una = p.s_iss + 1;
	p.s.state = TCP_S_SYN_RECV;
	end_info(&w.y, &p.s, SOCKF_PASSIVE);
	end_state(&w.y, &p.s, TCP_S_ESTABLISHED);
	mc.c.lv = levels_of(&p.c);
	call_returns(&w.y, &mc, 0);
	send_begins(&w.y, &mc, &p.c, &p.s, 28672, 12288);
	window_of(&w.y, &p.s, &p.c, 0);
	why_wait(&w, 25 * MS);
	v = why_find(&w, "block-send-unaccepted");
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "the server (server 10) has not called accept()");
	why_close(&w);
}

/* Only the sender is traced: the window is what there is to go by. */
static void test_window(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc;

	(void)state;
	why_open(&w);
	pair_open_seen(&w.y, &p, 1);
	mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	mc.c.len = 1000000;
	call_enters(&w.y, &mc);
	p.c.write_seq += 28672;
	end_event(&w.y, EV_LEVELS, &p.c);
	why_wait(&w, 25 * MS);
	assert_int_equal(told(&w), 0);
	window_of(&w.y, &p.s, &p.c, 0);
	why_wait(&w, 25 * MS);
	v = why_find(&w, "block-send-window");
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "window has been 0 for 25 ms");
	assert_says(v, "28,672 bytes wait here");
	why_close(&w);
}

static void test_lost(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc;

	(void)state;
	why_open(&w);
	pair_open_seen(&w.y, &p, 1);
	mc = call_of(p.c.pid, CALL_SENDTO, p.c.sid, p.c.fd);
	mc.c.len = 1000000;
	call_enters(&w.y, &mc);
	p.c.write_seq += 28672;
	p.c.snd_nxt += 8192;
	seg_out(&w.y, &p.c, TCPF_ACK, p.c.snd_una, 8192);
	end_event(&w.y, EV_LEVELS, &p.c);
	why_wait(&w, 30 * MS);
	end_event(&w.y, EV_RETRANSMIT, &p.c);
	why_wait(&w, 30 * MS);
	assert_int_equal(told(&w), 0); /* an ACK may still come */
	end_event(&w.y, EV_RETRANSMIT, &p.c);
	why_wait(&w, 100 * MS);
	v = why_find(&w, "block-send-lost");
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "8,192 bytes are under way");
	assert_says(v, "sent again 2 times");
	why_close(&w);
}

static void test_deadlock(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc, back;
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	send_begins(&w.y, &mc, &p.c, &p.s, 28672, 12288);
	send_begins(&w.y, &back, &p.s, &p.c, 20000, 10000);
	window_of(&w.y, &p.s, &p.c, 0);
	window_of(&w.y, &p.c, &p.s, 0);
	why_wait(&w, 40 * MS);
	assert_int_equal(told(&w), 0); /* something may move yet */
	why_wait(&w, 40 * MS);
	why_wait(&w, 80 * MS);
	v = why_find(&w, "block-deadlock");
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "the client (client 20) and the server (server 10) both wait in send()");
	assert_says(v, "towards the server 16,384 bytes wait behind 12,288 bytes unread");
	assert_says(v, "the other way 10,000 bytes behind 10,000 bytes");
	why_wait(&w, 500 * MS);
	assert_int_equal(told(&w), 1); /* one for both ends, and nothing else */
	why_close(&w);
}

/* Both send, but one of them reads in another thread. */
static void test_no_deadlock(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc, back, rc;
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	send_begins(&w.y, &mc, &p.c, &p.s, 28672, 12288);
	send_begins(&w.y, &back, &p.s, &p.c, 20000, 10000);
	rc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	rc.c.e.tid = 11;
	rc.c.len = 100;
	call_enters(&w.y, &rc);
	why_wait(&w, 40 * MS);
	why_wait(&w, 160 * MS);
	assert_int_equal(why_count(&w, "block-deadlock"), 0);
	why_close(&w);
}

/* Waiting for data is ordinary: an aside at the return, one for a socket. */
static void test_recv(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc;
	int i;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	for (i = 0; i < 3; i++) {
		mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
		mc.c.len = 100;
		call_enters(&w.y, &mc);
		why_wait(&w, 500 * MS);
		assert_int_equal(told(&w), i ? 1 : 0);
		end_sends(&w.y, &p.c, &p.s, 5, 5);
		p.s.copied_seq += 5;
		mc.c.lv = levels_of(&p.s);
		call_returns(&w.y, &mc, 5);
	}
	v = why_find(&w, "block-recv");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_says(v, "recv(4) waited 500 ms until bytes of the client (client 20) came");
	assert_int_equal(why_count(&w, "block-recv"), 1);
	why_close(&w);
}

static void test_recv_lost(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc;
	__u32 seq;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	mc.c.len = 100;
	call_enters(&w.y, &mc);
	seq = p.c.snd_nxt;
	end_sends(&w.y, &p.c, &p.s, 5, 0);
	p.c.snd_nxt += 5;
	seg_out(&w.y, &p.c, TCPF_ACK, seq, 5);
	end_event(&w.y, EV_LEVELS, &p.c);
	why_wait(&w, 100 * MS);
	assert_int_equal(told(&w), 0);
	end_event(&w.y, EV_RETRANSMIT, &p.c);
	why_wait(&w, 100 * MS);
	v = why_find(&w, "block-recv-lost");
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "5 bytes of the client (client 20) are under way but do not arrive");
	why_close(&w);
}

static void test_recv_rest(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	mc.c.len = 10;
	mc.c.x[0] = MSG_WAITALL;
	call_enters(&w.y, &mc);
	why_wait(&w, 200 * MS);
	assert_int_equal(told(&w), 0); /* nothing has come: an ordinary wait */
	end_sends(&w.y, &p.c, &p.s, 3, 3);
	p.s.copied_seq += 3;
	end_event(&w.y, EV_LEVELS, &p.s);
	why_wait(&w, 30 * MS);
	assert_int_equal(told(&w), 0);
	why_wait(&w, 110 * MS);
	v = why_find(&w, "block-recv-rest");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_says(v, "has 3 of 10 bytes");
	why_close(&w);
}

static void test_recv_both(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc, back;
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_sends(&w.y, &p.c, &p.s, 3, 3);
	end_receives(&w.y, &p.s, 100, 3);
	mc = call_of(p.c.pid, CALL_RECVFROM, p.c.sid, p.c.fd);
	back = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	call_enters(&w.y, &mc);
	call_enters(&w.y, &back);
	why_wait(&w, 30 * MS);
	why_wait(&w, 900 * MS);
	assert_int_equal(told(&w), 0);
	why_wait(&w, 300 * MS);
	v = why_find(&w, "block-recv-both");
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "the client (client 20) in recv(3), the server (server 10) in recv(4)");
	why_wait(&w, 5000 * MS);
	assert_int_equal(told(&w), 1);
	why_close(&w);
}

/* Long silence before the two calls is not their silence. */
static void test_recv_both_late(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc, back;
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.c.pid, CALL_RECVFROM, p.c.sid, p.c.fd);
	back = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	call_enters(&w.y, &mc);
	why_wait(&w, 100 * MS);
	why_wait(&w, 2900 * MS);
	assert_int_equal(why_count(&w, "block-recv-silent"), 1);
	call_enters(&w.y, &back);
	why_wait(&w, 300 * MS);
	assert_int_equal(told(&w), 1);
	why_wait(&w, 800 * MS);
	assert_says(why_find(&w, "block-recv-both"), "for 1.10 s");
	why_close(&w);
}

/* An idle server is no news. */
/* The client waits, in recv() or in poll() of that one socket; the server keeps it open. */
static void test_silent(void **state)
{
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc, ac;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct tcp_pair p = pair_on_loopback();

		why_open(&w);
		pair_open(&w.y, &p);
		end_sends(&w.y, &p.c, &p.s, 14, 14);
		ac = call_of(p.l.pid, CALL_ACCEPT, p.l.sid, p.l.fd);
		call_enters(&w.y, &ac);
		mc = i ? poll_of(&p.c, POLLIN, false) :
			 call_of(p.c.pid, CALL_RECVFROM, p.c.sid, p.c.fd);
		call_enters(&w.y, &mc);
		why_wait(&w, 900 * MS);
		assert_int_equal(told(&w), 0);
		why_wait(&w, 200 * MS);
		v = why_find(&w, "block-recv-silent");
		assert_int_equal(v->weight, WEIGHT_NEWS);
		assert_int_equal(v->certainty, PROVED);
		assert_int_equal(v->role, ROLE_CLIENT);
		assert_says(v, i ? "poll() waits" : "recv(3) waits");
		assert_says(v,
			    "for 1.10 s the server (server 10) has sent nothing, nor read the "
			    "14 bytes it got, and the connection stays open; it sits in accept(3)");
		why_wait(&w, 2000 * MS);
		why_finish(&w);
		assert_int_equal(told(&w), 1); /* once, and not at the end again */
		why_no_alarm(&w);
		why_close(&w);
	}
}

/* It has spoken before: since then. Told once a process, whatever the connection. */
static void test_silent_again(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	struct made_call mc;
	int i;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	for (i = 0; i < 2; i++) {
		end_sends(&w.y, &p.s, &p.c, 5, 5);
		end_receives(&w.y, &p.c, 100, 5);
		why_wait(&w, 500 * MS);
		mc = call_of(p.c.pid, CALL_RECVFROM, p.c.sid, p.c.fd);
		call_enters(&w.y, &mc);
		why_wait(&w, 1000 * MS);
		call_returns(&w.y, &mc, -EAGAIN);
	}
	assert_says(why_find(&w, "block-recv-silent"),
		    "for 1.50 s the server (server 10) has sent nothing, and the connection stays "
		    "open; it is in no socket call");
	assert_int_equal(why_count(&w, "block-recv-silent"), 1);
	why_close(&w);
}

/* Ordinary: a server waits for its client, an event loop for more than one thing. */
static void test_silent_not(void **state)
{
	static struct why_story w;
	struct made_call mc;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct tcp_pair p = pair_on_loopback();

		why_open(&w);
		pair_open(&w.y, &p);
		if (i == 0)
			mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
		else if (i == 1)
			mc = poll_of(&p.c, POLLIN, true);
		else
			mc = call_of(p.l.pid, CALL_ACCEPT, p.l.sid, p.l.fd);
		call_enters(&w.y, &mc);
		why_wait(&w, 900 * MS);
		why_wait(&w, 5000 * MS);
		why_finish(&w);
		assert_int_equal(told(&w), 0);
		why_close(&w);
	}
}

/* A look that falls between the entry of the peer's close() and its FIN finds an end, not silence. */
static void test_silent_closing(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	struct made_call mc, cl;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = poll_of(&p.c, POLLIN, false);
	call_enters(&w.y, &mc);
	why_wait(&w, 900 * MS);
	cl = call_of(p.s.pid, CALL_CLOSE, p.s.sid, p.s.fd);
	cl.c.cflags = CALLF_LAST_REF;
	call_enters(&w.y, &cl);
	why_wait(&w, 5000 * MS);
	why_finish(&w);
	assert_int_equal(why_count(&w, "block-recv-silent"), 0);
	why_close(&w);
}

/* The trace ends before a second is over. */
static void test_silent_end(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	struct made_call mc;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.c.pid, CALL_RECVFROM, p.c.sid, p.c.fd);
	call_enters(&w.y, &mc);
	why_wait(&w, 500 * MS);
	assert_int_equal(told(&w), 0);
	why_finish(&w);
	assert_says(why_find(&w, "block-recv-silent"), "for 500 ms the server");
	why_close(&w);
}

/* Both wait in poll() for room to send; one that waits for something else as well is no proof. */
static void test_deadlock_poll(void **state)
{
	static struct why_story w;
	struct made_call mc, back;
	const struct verdict *v;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct tcp_pair p = pair_on_loopback();

		why_open(&w);
		pair_open(&w.y, &p);
		send_begins(&w.y, &mc, &p.c, &p.s, 28672, 12288);
		call_returns(&w.y, &mc, 28672);
		send_begins(&w.y, &back, &p.s, &p.c, 20000, 10000);
		call_returns(&w.y, &back, 20000);
		mc = poll_of(&p.c, POLLOUT, false);
		call_enters(&w.y, &mc);
		back = poll_of(&p.s, POLLOUT, false);
		call_enters(&w.y, &back);
		if (i)
			window_of(&w.y, &p.s, &p.c, 0);
		window_of(&w.y, &p.c, &p.s, 0);
		why_wait(&w, 40 * MS);
		why_wait(&w, 40 * MS);
		why_wait(&w, 80 * MS);
		assert_int_equal(why_count(&w, "block-deadlock"), i);
		if (i) {
			v = why_find(&w, "block-deadlock");
			assert_int_equal(v->weight, WEIGHT_ALARM);
			assert_int_equal(v->certainty, INFERRED);
			assert_says(v, "both wait to send, in poll(), and neither reads");
		}
		why_close(&w);
	}
}

static void test_accept(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	struct made_call ac;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	ac = call_of(p.l.pid, CALL_ACCEPT, p.l.sid, p.l.fd);
	call_enters(&w.y, &ac);
	why_wait(&w, 10 * NS_PER_S);
	assert_int_equal(told(&w), 0);
	ac.c.sid2 = 9;
	call_returns(&w.y, &ac, 5);
	assert_int_equal(why_find(&w, "block-accept")->weight, WEIGHT_ASIDE);
	assert_says(why_find(&w, "block-accept"), "accept(3) waited 10.00 s");
	why_close(&w);
}

/* The SYN at the listener, and that the queue is full. */
static void syn_dropped(struct story *y, struct tcp_pair *p)
{
	struct levels lv = levels_of(&p->l);

	seg_in(y, &p->c, &p->l, TCPF_SYN, p->c_iss, 0);
	lv.flags = LV_VALID | LV_TCP | LV_LISTEN;
	lv.ack_backlog = 2;
	lv.max_ack_backlog = 1;
	sock_told(y, EV_RCVQ_FULL, p->l.sid, 0, 0, 0, &lv);
}

static void test_connect_full(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	pair_connect_enters(&w.y, &p, &mc);
	syn_dropped(&w.y, &p);
	why_wait(&w, 30 * MS);
	v = why_find(&w, "block-connect-full");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->certainty, PROVED);
	assert_says(v, "the accept queue of 127.0.0.1:65430 was full");
	assert_says(v, "the server (server 10) accepts too slowly");
	why_wait(&w, 1000 * MS);
	assert_int_equal(why_count(&w, "block-connect-full"), 1);
	assert_int_equal(why_count(&w, "block-connect-silent"), 0);
	why_close(&w);
}

/* The answer to the SYN, at last: the handshake and connect() are over. */
static void syn_answered(struct story *y, struct tcp_pair *p, struct made_call *mc)
{
	p->s.rcv_nxt = p->c_iss + 1;
	seg_passes(y, &p->s, &p->c, TCPF_SYN | TCPF_ACK, p->s_iss, 0);
	p->c.rcv_nxt = p->c.copied_seq = p->s_iss + 1;
	p->c.snd_una = p->c_iss + 1;
	end_state(y, &p->c, TCP_S_ESTABLISHED);
	mc->c.lv = levels_of(&p->c);
	call_returns(y, mc, 0);
}

static void test_connect(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc;
	__u64 began, again;

	(void)state;
	why_open(&w);
	pair_connect_enters(&w.y, &p, &mc);
	began = story_find(&w.y, EV_CALL, CALL_CONNECT)->s.id;
	story_wait(&w.y, 1000 * MS);
	again = end_event(&w.y, EV_RETRANSMIT, &p.c)->s.id;
	syn_answered(&w.y, &p, &mc);
	v = why_find(&w, "block-connect");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_int_equal(v->certainty, PROVED);
	assert_int_equal(v->role, ROLE_CLIENT);
	assert_string_equal(v->question, "Why did connect(3) take 1.00 s?");
	assert_says(v, "its SYN, or the answer to it, was lost; the kernel sent it again");
	assert_true(why_has_evidence(v, began) && why_has_evidence(v, again));
	assert_int_equal(told(&w), 1);
	why_close(&w);
}

/* A far host answers late: no fault, and at less than the threshold nothing at all. */
static void test_connect_far(void **state)
{
	static const __u64 ns[] = { 19 * MS, 80 * MS };
	static struct why_story w;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct tcp_pair p = pair_on_loopback();
		struct made_call mc;

		why_open(&w);
		pair_connect_enters(&w.y, &p, &mc);
		why_wait(&w, ns[i]);
		syn_answered(&w.y, &p, &mc);
		assert_int_equal(told(&w), i);
		if (i) {
			assert_int_equal(why_find(&w, "block-connect")->weight, WEIGHT_ASIDE);
			assert_says(why_find(&w, "block-connect"),
				    "connect(3) took 80 ms: so long its SYN waited for an answer");
		}
		why_close(&w);
	}
}

static void test_connect_silent(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc;

	(void)state;
	why_open(&w);
	pair_connect_enters(&w.y, &p, &mc);
	why_wait(&w, 900 * MS);
	assert_int_equal(told(&w), 0); /* a far host may take its time */
	end_event(&w.y, EV_RETRANSMIT, &p.c);
	why_wait(&w, 100 * MS);
	v = why_find(&w, "block-connect-silent");
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->certainty, INFERRED);
	assert_says(v, "nobody answers at 127.0.0.1:65430; the SYN was sent 2 times");
	why_close(&w);
}

static void test_linger(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc, so;
	const int linger[2] = { 1, 5 };

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	so = call_of(p.c.pid, CALL_SETSOCKOPT, p.c.sid, p.c.fd);
	so.c.x[0] = SOL_SOCKET;
	so.c.x[1] = SO_LINGER;
	so.c.x[2] = sizeof(linger);
	memcpy(&so.c.len, linger, sizeof(linger));
	call_made(&w.y, so, 0);
	p.c.lv_flags |= LV_LINGER;
	end_sends(&w.y, &p.c, &p.s, 5000, 1000);
	end_event(&w.y, EV_LEVELS, &p.c);
	mc = call_of(p.c.pid, CALL_CLOSE, p.c.sid, p.c.fd);
	mc.c.cflags = CALLF_LAST_REF;
	call_enters(&w.y, &mc);
	why_wait(&w, 30 * MS);
	v = why_find(&w, "block-close-linger");
	assert_says(v, "close(3) waits: SO_LINGER lets it");
	assert_says(v, "the last 4,000 bytes");
	call_returns(&w.y, &mc, 0);
	assert_says(why_find(&w, "block-ended"), "gave up");
	assert_says(why_find(&w, "block-ended"), "4,000 bytes");
	why_close(&w);
}

/* A close() that takes long on a machine that is slow has nothing to do with lingering. */
static void test_close_slow(void **state)
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
	why_wait(&w, 30 * MS);
	call_returns(&w.y, &mc, 0);
	assert_int_equal(why_count(&w, "block-close-linger"), 0);
	why_close(&w);
}

static void proc_killed(struct story *y, __u32 pid, __u32 code)
{
	struct event_proc e = { .e = { .pid = pid, .tid = pid }, .what = PROC_EXIT };

	e.code = code;
	tell(y, &e, EV_PROC, sizeof(e));
}

static void test_killed(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct made_call mc;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	call_enters(&w.y, &mc);
	why_wait(&w, 300 * MS);
	call_returns(&w.y, &mc, -512); /* ERESTARTSYS */
	proc_killed(&w.y, p.s.pid, 9);
	v = why_find(&w, "block-killed");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_says(v, "recv(4) never returned to its program: signal 9");
	assert_int_equal(told(&w), 1);
	why_close(&w);
}

/* Waiting is what poll() is for. */
static void test_poll_killed(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	struct made_call mc;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.s.pid, CALL_POLL, p.s.sid, -1);
	call_enters(&w.y, &mc);
	why_wait(&w, 300 * MS);
	call_returns(&w.y, &mc, -514); /* ERESTARTNOHAND */
	proc_killed(&w.y, p.s.pid, 9);
	assert_int_equal(told(&w), 0);
	why_close(&w);
}

/* It exited by itself: no call was cut short. */
static void test_exited(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	proc_killed(&w.y, p.s.pid, 0x100);
	assert_int_equal(told(&w), 0);
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_reader_elsewhere),
		cmocka_unit_test(test_reader_inferred),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_unaccepted),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_deadlock),
		cmocka_unit_test(test_no_deadlock),
		cmocka_unit_test(test_recv),
		cmocka_unit_test(test_recv_lost),
		cmocka_unit_test(test_recv_rest),
		cmocka_unit_test(test_recv_both),
		cmocka_unit_test(test_recv_both_late),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_silent_again),
		cmocka_unit_test(test_silent_not),
		cmocka_unit_test(test_silent_closing),
		cmocka_unit_test(test_silent_end),
		cmocka_unit_test(test_deadlock_poll),
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_connect_full),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_connect_far),
		cmocka_unit_test(test_connect_silent),
		cmocka_unit_test(test_linger),
		cmocka_unit_test(test_close_slow),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_poll_killed),
		cmocka_unit_test(test_exited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
