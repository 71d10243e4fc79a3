// SPDX-License-Identifier: MIT
/*
 * Calls that do not suit the socket, "not now", and the numbers of buffers.
 */
#include <errno.h>

#include "explain_story.h"

#define PID 20
#define SID 2
#define FD 3
#define RESTART 512 /* ERESTARTSYS, include/linux/errno.h */

static void opens(struct why_story *w, int type)
{
	proc_told(&w->y, PROC_SEEN, PID, 0, 0, "prog");
	info_told(&w->y, (struct event_sockinfo){ .e = { .sid = SID },
						  .cookie = 0x1000,
						  .protocol = type == SOCK_DGRAM ? IPPROTO_UDP :
										   IPPROTO_TCP,
						  .type = (__u8)type,
						  .state = TCP_S_CLOSE });
	socket_made(&w->y, PID, SID, FD, type);
}

static struct told *fails(struct why_story *w, unsigned int call, int err)
{
	struct made_call mc = call_of(PID, call, SID, FD);

	mc.c.len = 10;
	return call_made(&w->y, mc, -err);
}

/* On either end of a pair. */
static struct told *end_fails(struct why_story *w, const struct tcp_end *e, unsigned int call,
			      __u32 flags, int err)
{
	struct made_call mc = call_of(e->pid, call, e->sid, e->fd);

	mc.c.len = 10;
	mc.c.x[0] = flags;
	mc.c.lv = levels_of(e);
	return call_made(&w->y, mc, -err);
}

static void test_listener(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct told *failed;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	failed = end_fails(&w, &p.l, CALL_RECVFROM, 0, ENOTCONN);
	v = why_find(&w, "misuse-listener");
	assert_int_equal(v->step, failed->s.id);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->certainty, PROVED);
	assert_string_equal(v->question, "Why did recv(3) fail with ENOTCONN?");
	assert_says(v, "Descriptor 3 is the listening socket");
	assert_string_equal(v->remedy, "Use the descriptor that accept(3) returned: 4");
	assert_int_equal(v->n_evidence, 3); /* listen, accept, the call */
	end_fails(&w, &p.l, CALL_RECVFROM, 0, ENOTCONN);
	assert_int_equal(why_count(&w, "misuse-listener"), 1);
	why_close(&w);

	why_open(&w); /* asking it for its peer, as clean-up code does, is no misuse */
	p = pair_on_loopback();
	pair_open(&w.y, &p);
	end_fails(&w, &p.l, CALL_GETPEERNAME, 0, ENOTCONN);
	assert_int_equal(why_count(&w, "misuse-listener"), 0);
	end_fails(&w, &p.l, CALL_RECVFROM, 0, ENOTCONN);
	assert_int_equal(why_count(&w, "misuse-listener"), 1);
	why_close(&w);
}

static void test_unconnected(void **state)
{
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	opens(&w, SOCK_STREAM);
	fails(&w, CALL_RECVFROM, ENOTCONN);
	v = why_find(&w, "misuse-not-connected");
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_says(v, "never connected");
	why_close(&w);

	why_open(&w);
	opens(&w, SOCK_STREAM);
	fails(&w, CALL_CONNECT, EINPROGRESS);
	fails(&w, CALL_GETPEERNAME, ENOTCONN); /* asking is no fault */
	v = why_find(&w, "misuse-not-connected");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_says(v, "not there yet");
	why_close(&w);
}

static void test_over(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct told *rst;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	rst = seg_in(&w.y, &p.c, &p.s, TCPF_RST | TCPF_ACK, p.c.snd_nxt, 0);
	end_state(&w.y, &p.s, TCP_S_CLOSE);
	end_fails(&w, &p.s, CALL_GETPEERNAME, 0, ENOTCONN);
	v = why_find(&w, "misuse-over");
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_says(v, "the peer's RST came");
	assert_true(why_has_evidence(v, rst->s.id));
	assert_int_equal(why_count(&w, "misuse-not-connected"), 0);
	why_close(&w);
}

static void test_wrong_kind(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	opens(&w, SOCK_STREAM);
	fails(&w, CALL_ACCEPT, EINVAL);
	assert_says(why_find(&w, "misuse-not-listening"), "listen(3) was never called");
	fails(&w, CALL_LISTEN, EINVAL);
	assert_int_equal(why_count(&w, "misuse-listen-connected"), 0);
	why_close(&w);

	why_open(&w);
	pair_open(&w.y, &p);
	end_fails(&w, &p.s, CALL_ACCEPT, 0, EINVAL);
	assert_says(why_find(&w, "misuse-not-listening"), "Descriptor 4 is a connection");
	end_fails(&w, &p.s, CALL_LISTEN, 0, EINVAL);
	assert_says(why_find(&w, "misuse-listen-connected"), "is a connection");
	end_fails(&w, &p.s, CALL_ACCEPT, 0, EOPNOTSUPP);
	assert_int_equal(why_count(&w, "misuse-no-stream"), 0);
	why_close(&w);

	why_open(&w);
	opens(&w, SOCK_DGRAM);
	fails(&w, CALL_LISTEN, EOPNOTSUPP);
	assert_says(why_find(&w, "misuse-no-stream"), "no connections to wait for");
	fails(&w, CALL_SENDTO, EDESTADDRREQ);
	assert_says(why_find(&w, "misuse-no-address"), "without an address");
	why_close(&w);
}

static void sends_too_much(struct why_story *w, __u64 len)
{
	struct made_call mc = call_of(PID, CALL_SENDTO, SID, FD);

	mc.c.len = len;
	call_made(&w->y, mc, -EMSGSIZE);
}

static void test_too_big(void **state)
{
	static struct why_story w;

	(void)state;
	why_open(&w);
	opens(&w, SOCK_DGRAM);
	sends_too_much(&w, 65508);
	assert_says(why_find(&w, "misuse-too-big"),
		    "65,508 bytes do not fit: a UDP datagram carries at most 65,507 bytes");
	assert_int_equal(why_find(&w, "misuse-too-big")->certainty, PROVED);
	why_close(&w);

	why_open(&w);
	opens(&w, SOCK_DGRAM);
	sends_too_much(&w, 2000);
	assert_says(why_find(&w, "misuse-too-big"), "into one packet on this path");
	assert_int_equal(why_find(&w, "misuse-too-big")->certainty, INFERRED);
	why_close(&w);
}

static void test_no_room(void **state)
{
	static struct why_story w;

	(void)state;
	why_open(&w);
	opens(&w, SOCK_DGRAM);
	fails(&w, CALL_SENDMSG, ENOBUFS);
	assert_int_equal(why_find(&w, "misuse-no-buffers")->certainty, INFERRED);
	fails(&w, CALL_RECVFROM, EFAULT);
	assert_says(why_find(&w, "misuse-pointer"), "does not lead to memory of the program");
	why_close(&w);

	why_open(&w);
	info_told(&w.y, (struct event_sockinfo){
				.e = { .sid = SID }, .family = AF_UNIX, .type = SOCK_STREAM });
	socket_made(&w.y, PID, SID, FD, SOCK_STREAM);
	fails(&w, CALL_CONNECT, EAGAIN);
	assert_int_equal(why_find(&w, "again-connect")->weight, WEIGHT_NEWS);
	why_close(&w);
}

static void test_again(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_fails(&w, &p.s, CALL_RECVFROM, MSG_DONTWAIT, EAGAIN);
	assert_int_equal(why_find(&w, "again-recv")->weight, WEIGHT_ASIDE);
	end_fails(&w, &p.s, CALL_RECVFROM, MSG_DONTWAIT, EAGAIN);
	assert_int_equal(why_count(&w, "again-recv"), 1);
	p.c.write_seq += 5000;
	end_fails(&w, &p.c, CALL_SENDTO, MSG_DONTWAIT, EAGAIN);
	assert_says(why_find(&w, "again-send"),
		    "the send queue holds 5,000 bytes that the peer has not taken");
	why_no_alarm(&w);
	assert_int_equal(why_count(&w, "again-timeout"), 0);
	why_close(&w);
}

static void test_again_accept(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	struct made_call mc;
	const struct verdict *v;
	struct told *failed;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	mc = call_of(p.l.pid, CALL_ACCEPT4, p.l.sid, p.l.fd);
	mc.c.cflags = CALLF_NONBLOCK;
	failed = call_made(&w.y, mc, -EAGAIN);
	v = why_find(&w, "again-accept");
	assert_int_equal(v->step, failed->s.id);
	assert_int_equal(v->weight, WEIGHT_ASIDE);
	assert_int_equal(v->certainty, PROVED);
	assert_string_equal(v->question, "Why did accept4(3) fail with EAGAIN?");
	assert_says(v, "No connection waits to be accepted");
	call_made(&w.y, mc, -EAGAIN);
	assert_int_equal(why_count(&w, "again-accept"), 1);
	assert_int_equal(why_count(&w, "again-recv"), 0);
	why_no_alarm(&w);
	why_close(&w);

	/* One that waits: its time was over. */
	p = pair_on_loopback();
	why_open(&w);
	pair_listen(&w.y, &p);
	call_made(&w.y, call_of(p.l.pid, CALL_ACCEPT, p.l.sid, p.l.fd), -EAGAIN);
	assert_int_equal(why_count(&w, "again-accept"), 0);
	assert_says(why_find(&w, "again-timeout"), "nobody connected");
	why_close(&w);
}

static void test_timeout(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	struct made_call mc;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	mc = call_of(p.s.pid, CALL_RECVFROM, p.s.sid, p.s.fd);
	mc.c.len = 10;
	call_enters(&w.y, &mc);
	story_wait(&w.y, 200 * NS_PER_MS);
	call_returns(&w.y, &mc, -EAGAIN);
	v = why_find(&w, "again-timeout");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_says(v, "SO_RCVTIMEO is over: nothing came in 200 ms");
	assert_int_equal(v->certainty, INFERRED); /* nobody saw it being set */
	why_no_alarm(&w);
	why_close(&w);
}

static void asks(struct why_story *w, const struct tcp_end *e, unsigned int times, bool waits,
		 __u64 pause_ns)
{
	unsigned int i;

	for (i = 0; i < times; i++) {
		end_fails(w, e, CALL_RECVFROM, MSG_DONTWAIT, EAGAIN);
		if (waits)
			call_made(&w->y, call_of(e->pid, CALL_POLL, e->sid, -1), 0);
		w->y.t_ns += pause_ns;
	}
}

static void test_spin(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	asks(&w, &p.s, 255, false, 0);
	why_no_alarm(&w);
	asks(&w, &p.s, 300, false, 0);
	v = why_find(&w, "again-spin");
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_says(v, "recv(4) failed 256 times in a row with EAGAIN");
	assert_int_equal(why_count(&w, "again-spin"), 1);
	why_close(&w);
}

/* With poll() in between, or a pause, or something read now and then, it is no spinning. */
static void test_no_spin(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	unsigned int i;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	for (i = 0; i < 5; i++) {
		asks(&w, &p.s, 200, false, 0);
		end_sends(&w.y, &p.c, &p.s, 1, 1);
		end_receives(&w.y, &p.s, 10, 1);
	}
	asks(&w, &p.s, 600, true, 0);
	asks(&w, &p.s, 600, false, 10 * NS_PER_MS);
	assert_int_equal(why_count(&w, "again-spin"), 0);
	why_close(&w);
}

static void test_interrupted(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct told *failed;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	failed = end_fails(&w, &p.s, CALL_RECVFROM, 0, RESTART);
	assert_int_equal(why_count(&w, "interrupted"), 0); /* not known yet */
	end_sends(&w.y, &p.s, &p.c, 1, 1);
	v = why_find(&w, "interrupted");
	assert_int_equal(v->step, failed->s.id);
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_says(v, "EINTR. Nothing was moved");
	end_fails(&w, &p.c, CALL_RECVFROM, 0, RESTART);
	end_fails(&w, &p.c, CALL_RECVFROM, 0, EAGAIN); /* made anew */
	assert_int_equal(why_find(&w, "interrupted-restart")->weight, WEIGHT_ASIDE);
	why_close(&w);

	p = pair_on_loopback();
	why_open(&w);
	pair_open(&w.y, &p);
	end_fails(&w, &p.s, CALL_RECVFROM, 0, EINTR);
	end_sends(&w.y, &p.s, &p.c, 1, 1);
	assert_int_equal(why_count(&w, "interrupted"), 1);
	why_close(&w);
}

/* exit() in one thread ends the call of another one: no handler ran, whatever the exit status. */
static void test_exited_in_call(void **state)
{
	static const int errors[] = { RESTART, EINTR };
	static struct why_story w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct tcp_pair p = pair_on_loopback();

		why_open(&w);
		pair_open(&w.y, &p);
		end_fails(&w, &p.l, CALL_ACCEPT, 0, errors[i]);
		proc_told(&w.y, PROC_EXIT, p.l.pid, 0, 0, "server");
		end_sends(&w.y, &p.c, &p.s, 1, 1);
		why_finish(&w);
		assert_int_equal(why_count(&w, "interrupted"), 0);
		assert_int_equal(why_count(&w, "interrupted-restart"), 0);
		why_close(&w);
	}
}

/* ^C while recv() waits: the call never gave its program an answer. */
static void test_killed(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct event_proc e = { .e = { .pid = 10, .tid = 10 }, .what = PROC_EXIT, .code = 2 };
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	end_fails(&w, &p.s, CALL_RECVFROM, 0, RESTART);
	tell(&w.y, &e, EV_PROC, sizeof(e));
	why_finish(&w);
	assert_int_equal(why_count(&w, "interrupted"), 0);
	assert_int_equal(why_count(&w, "interrupted-restart"), 0);
	why_close(&w);
}

static void sets_rcvbuf(struct why_story *w, const struct tcp_end *e, __u32 asked, __u32 made)
{
	struct made_call mc = call_of(e->pid, CALL_SETSOCKOPT, e->sid, e->fd);

	mc.c.x[0] = SOL_SOCKET;
	mc.c.x[1] = SO_RCVBUF;
	mc.c.x[2] = 4;
	mc.c.len = asked;
	mc.c.lv = levels_of(e);
	mc.c.lv.rcvbuf = made;
	mc.c.lv.rcv_wnd = 65536;
	call_made(&w->y, mc, 0);
}

static void test_buffers(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	sets_rcvbuf(&w, &p.l, 10000, 20000);
	assert_says(why_find(&w, "buffer-size"), "20,000 bytes, twice what was asked for");
	assert_int_equal(why_count(&w, "buffer-late"), 0);
	why_close(&w);

	p = pair_on_loopback();
	why_open(&w);
	pair_open(&w.y, &p);
	sets_rcvbuf(&w, &p.s, 1, 2304);
	assert_says(why_find(&w, "buffer-size"), "2,304 bytes, not twice the 1 byte asked for");
	assert_says(why_find(&w, "buffer-late"), "promised room for 65,536 bytes already");
	assert_int_equal(why_find(&w, "buffer-late")->weight, WEIGHT_ASIDE);
	why_close(&w);
}

/* A clean conversation: nothing of these families. */
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
	why_finish(&w);
	for (i = 0; i < w.n; i++) {
		assert_null(strstr(w.told[i].rule->name, "misuse"));
		assert_null(strstr(w.told[i].rule->name, "again"));
		assert_null(strstr(w.told[i].rule->name, "buffer-"));
	}
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listener),       cmocka_unit_test(test_unconnected),
		cmocka_unit_test(test_over),	       cmocka_unit_test(test_wrong_kind),
		cmocka_unit_test(test_too_big),	       cmocka_unit_test(test_again),
		cmocka_unit_test(test_no_room),	       cmocka_unit_test(test_again_accept),
		cmocka_unit_test(test_timeout),	       cmocka_unit_test(test_spin),
		cmocka_unit_test(test_no_spin),	       cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_exited_in_call), cmocka_unit_test(test_killed),
		cmocka_unit_test(test_buffers),	       cmocka_unit_test(test_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
