// SPDX-License-Identifier: MIT
/*
 * Datagrams a receive call takes only the head of, and datagrams sent to a name.
 */
#include "build_events.h"

#include <errno.h>
#include <sys/un.h>

enum { CLIENT = 20, SERVER = 10, SRV = 1, CLI = 2, FID = 9 };

static void udp_open(struct story *y)
{
	struct ev_addr client = addr4("127.0.0.1", 40000), server = addr4("127.0.0.1", 53);
	struct event_sockinfo e = { .e = { .sid = SRV }, .protocol = IPPROTO_UDP };

	story_open(y);
	e.type = SOCK_DGRAM;
	e.src = server;
	info_told(y, e);
	socket_made(y, SERVER, SRV, 3, SOCK_DGRAM);
	flow_told(y, FID, 1, IPPROTO_UDP, &client, &server);
}

static void udp_arrives(struct story *y, __u32 len, __u8 sflags)
{
	struct event_segment g = { .fid = FID, .len = len, .netns = 1 };

	g.sflags = SEGF_UDP | SEGF_OUT | sflags;
	segment_told(y, g);
	g.sflags = SEGF_UDP | SEGF_IN | sflags;
	segment_told(y, g);
}

/* Bytes cut off, -1: none. */
static long long taken(struct story *y, unsigned int call, __u32 flags, __u64 room, __s64 ret,
		       __u32 msg_flags)
{
	struct made_call mc = call_of(SERVER, call, SRV, 3);
	struct told *t;

	mc.c.len = room;
	mc.c.x[0] = flags;
	mc.c.x[2] = msg_flags;
	t = call_made(y, mc, ret);
	return t->s.sflags & STEP_TRUNC ? (long long)t->s.n : -1;
}

static void test_cut(void **state)
{
	struct story y;

	(void)state;
	udp_open(&y);
	udp_arrives(&y, 5, 0);
	udp_arrives(&y, 0, 0);
	udp_arrives(&y, 100, 0);
	udp_arrives(&y, 10, 0);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 100, 5, 0), -1);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 100, 0, 0), -1);
	assert_int_equal(taken(&y, CALL_RECVFROM, MSG_PEEK, 10, 10, 0), -1);
	assert_int_equal(taken(&y, CALL_READ, 0, 10, 10, 0), 90);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 10, 10, 0), -1);
	story_close(&y);
}

/* With MSG_TRUNC the result is the whole length. */
static void test_cut_told_by_result(void **state)
{
	struct story y;

	(void)state;
	udp_open(&y);
	udp_arrives(&y, 100, 0);
	assert_int_equal(taken(&y, CALL_RECVFROM, MSG_TRUNC, 10, 100, 0), 90);
	assert_int_equal(story_last(&y)->s.dir[0].read, 10);
	assert_int_equal(taken(&y, CALL_RECVFROM, MSG_TRUNC, 10, 100, 0), 90); /* not seen coming */
	assert_int_equal(taken(&y, CALL_RECVFROM, MSG_TRUNC, 100, 100, 0), -1);
	story_close(&y);
}

/* recvmsg() tells itself, but not how much. */
static void test_cut_told_by_kernel(void **state)
{
	struct story y;

	(void)state;
	udp_open(&y);
	assert_int_equal(taken(&y, CALL_RECVMSG, 0, 10, 10, MSG_TRUNC), 0);
	udp_arrives(&y, 30, 0);
	assert_int_equal(taken(&y, CALL_RECVMSG, 0, 10, 10, MSG_TRUNC), 20);
	story_close(&y);
}

/* The first fragment tells how long the datagram is. */
static void test_cut_fragments(void **state)
{
	struct event_segment g = { .fid = FID, .len = 1472, .seq = 9000, .netns = 1 };
	struct story y;

	(void)state;
	udp_open(&y);
	g.sflags = SEGF_UDP | SEGF_IN | SEGF_FRAGMENT;
	segment_told(&y, g);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 8000, 8000, 0), 1000);
	story_close(&y);
}

/* recvmmsg() tells the sum: with equal buffers it could have come about in one way only. */
static void test_cut_many(void **state)
{
	struct story y;

	(void)state;
	udp_open(&y);
	udp_arrives(&y, 100, 0);
	udp_arrives(&y, 7, 0);
	udp_arrives(&y, 40, 0);
	udp_arrives(&y, 5, 0);
	assert_int_equal(taken(&y, CALL_RECVMMSG, 0, 10 + 7 + 10, 3, 0), 120);
	assert_int_equal(story_last(&y)->s.conn->udp[0].read.n, 3);
	assert_int_equal(story_last(&y)->s.conn->udp[0].read.bytes, 27);
	assert_int_equal(story_last(&y)->s.conn->udp[0].truncated.n, 2);
	assert_int_equal(taken(&y, CALL_RECVMMSG, 0, 5, 1, 0), -1);
	assert_int_equal(story_last(&y)->s.conn->udp[0].queued.n, 0);
	story_close(&y);
}

/* Two processors deliver at the same time: the results tell which came first. */
static void test_overtaken(void **state)
{
	struct story y;

	(void)state;
	udp_open(&y);
	udp_arrives(&y, 100, 0);
	udp_arrives(&y, 30, 0);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 50, 30, 0), -1);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 50, 50, 0), 50);
	story_close(&y);
}

/* EAGAIN: the queue was empty when the call asked, not when it returned. */
static void test_empty_queue(void **state)
{
	struct made_call mc = call_of(SERVER, CALL_RECVFROM, SRV, 3);
	struct story y;

	(void)state;
	udp_open(&y);
	mc.c.len = 10;
	mc.c.x[0] = MSG_DONTWAIT;
	call_enters(&y, &mc);
	udp_arrives(&y, 30, 0);
	call_returns(&y, &mc, -EAGAIN);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 10, 10, 0), 20);
	story_close(&y);
}

/* Of what was dropped nothing can be cut; of what does not fit our list nothing is said. */
static void test_cut_in_doubt(void **state)
{
	struct story y;
	int i;

	(void)state;
	udp_open(&y);
	udp_arrives(&y, 10, 0);
	udp_arrives(&y, 700, 0);
	sock_told(&y, EV_UDP_DROP, SRV, ENOMEM, 0, 700, NULL);
	udp_arrives(&y, 40, 0);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 10, 10, 0), -1);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 10, 10, 0), 30);
	udp_arrives(&y, 20, 0);
	udp_arrives(&y, 20, 0);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 50, 50, 0), -1); /* none of ours */
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 10, 10, 0), -1);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 10, -EAGAIN, 0), -1);
	udp_arrives(&y, 20, 0);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 10, 10, 0), 10);
	for (i = 0; i < 2000; i++)
		udp_arrives(&y, 20, 0);
	for (i = 0; i < 2000; i++)
		assert_int_equal(taken(&y, CALL_RECVFROM, 0, 10, 10, 0), 10);
	for (i = 0; i < 70000; i++) /* more than are remembered: nothing is said of any */
		udp_arrives(&y, 20, 0);
	assert_int_equal(taken(&y, CALL_RECVFROM, 0, 10, 10, 0), -1);
	assert_int_equal(taken(&y, CALL_RECVMMSG, 0, 10, 1LL << 60, 0), -1);
	story_close(&y);
}

/* --- AF_UNIX --- */

struct unix_call {
	struct event_call c;
	char sa[120];
};

static struct told *to_name(struct story *y, __u32 pid, unsigned int call, __u32 sid,
			    const char *name, __s64 ret)
{
	struct unix_call u = { .c = { .e = { .pid = pid, .tid = pid, .sid = sid } } };
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	u.c.call = (__u16)call;
	u.c.fd = 3;
	u.c.len = (__u64)(ret > 0 ? ret : 0);
	if (name) {
		memcpy(un.sun_path, name, strlen(name) + 1);
		memcpy(u.sa, &un, sizeof(un));
		u.c.tail_kind = TAIL_ADDR;
		u.c.tail_count = (__u16)(sizeof(un.sun_family) + strlen(name) + 1);
		u.c.tail_len = sizeof(u.sa);
	}
	u.c.e.kind = EV_CALL;
	u.c.e.size = (__u16)(sizeof(u.c) + u.c.tail_len);
	u.c.t_enter = y->t_ns;
	tell_as(y, &u.c.e, PHASE_ENTER);
	u.c.ret = ret;
	u.c.e.t_ns = y->t_ns;
	return tell_as(y, &u.c.e, PHASE_EXIT);
}

static void unix_made(struct story *y, __u32 pid, __u32 sid)
{
	struct event_sockinfo e = { .e = { .sid = sid }, .family = AF_UNIX, .type = SOCK_DGRAM };

	info_told(y, e);
	socket_made(y, pid, sid, 3, SOCK_DGRAM);
}

static void test_sent_to_a_name(void **state)
{
	const struct conn *c;
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	unix_made(&y, SERVER, SRV);
	to_name(&y, SERVER, CALL_BIND, SRV, "/run/x", 0);
	unix_made(&y, CLIENT, CLI);
	to_name(&y, CLIENT, CALL_BIND, CLI, "/run/x.back", 0);
	assert_null(to_name(&y, CLIENT, CALL_SENDTO, CLI, "/run/y", 6)->s.conn);
	t = to_name(&y, CLIENT, CALL_SENDTO, CLI, "/run/x", 6);
	c = t->s.conn;
	assert_non_null(c);
	assert_int_equal(t->s.role, ROLE_CLIENT);
	assert_ptr_equal(c->end[0], model_sock(y.m, CLI));
	assert_ptr_equal(c->end[1], model_sock(y.m, SRV));
	assert_int_equal(c->pid[0], CLIENT);
	assert_int_equal(c->pid[1], SERVER);
	assert_int_equal(t->s.sock->role, ROLE_CLIENT);
	t = to_name(&y, SERVER, CALL_RECVFROM, SRV, "/run/x.back", 6);
	assert_ptr_equal(t->s.conn, c);
	assert_int_equal(t->s.role, ROLE_SERVER);
	assert_int_equal(t->s.dir[0].read, 6);
	t = to_name(&y, SERVER, CALL_SENDTO, SRV, "/run/x.back", 4);
	assert_ptr_equal(t->s.conn, c);
	assert_int_equal(t->s.dir[1].written, 4);
	story_close(&y);
}

/* Senders without a name of their own: the one whose datagram waits is meant. */
static void test_nameless_senders(void **state)
{
	const struct conn *c[2];
	struct story y;
	__u32 i;

	(void)state;
	story_open(&y);
	unix_made(&y, SERVER, SRV);
	to_name(&y, SERVER, CALL_BIND, SRV, "/run/x", 0);
	for (i = 0; i < 2; i++) {
		unix_made(&y, CLIENT + i, CLI + i);
		to_name(&y, CLIENT + i, CALL_CONNECT, CLI + i, "/run/x", 0);
		c[i] = to_name(&y, CLIENT + i, CALL_SENDTO, CLI + i, NULL, 7)->s.conn;
		assert_non_null(c[i]);
	}
	assert_ptr_not_equal(c[0], c[1]);
	assert_ptr_equal(to_name(&y, SERVER, CALL_RECVFROM, SRV, NULL, 7)->s.conn, c[0]);
	assert_ptr_equal(to_name(&y, SERVER, CALL_RECVFROM, SRV, NULL, 7)->s.conn, c[1]);
	/* the server lives on: what is over is forgotten all the same */
	for (i = 0; i < 2; i++)
		close_made(&y, CLIENT + i, CLI + i, 3, true);
	for (i = 0; i < 12; i++)
		story_wait(&y, NS_PER_S);
	assert_int_equal(y.summaries, 2);
	assert_int_equal(model_count(y.m).conns, 0);
	story_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_told_by_result),
		cmocka_unit_test(test_cut_told_by_kernel),
		cmocka_unit_test(test_cut_in_doubt),
		cmocka_unit_test(test_cut_fragments),
		cmocka_unit_test(test_cut_many),
		cmocka_unit_test(test_overtaken),
		cmocka_unit_test(test_empty_queue),
		cmocka_unit_test(test_sent_to_a_name),
		cmocka_unit_test(test_nameless_senders),
	};

	return cmocka_run_group_tests_name("model: unread datagrams", tests, NULL, NULL);
}
