// SPDX-License-Identifier: MIT
/*
 * Which two ends belong together, and which do not.
 */
#include "build_tcp.h"

static const struct sock *sock_in(const struct story *y, __u32 sid)
{
	return model_sock(y->m, sid);
}

static void expect_paired(const struct story *y, __u32 client, __u32 server)
{
	const struct sock *c = sock_in(y, client), *s = sock_in(y, server);

	assert_non_null(c->conn);
	assert_ptr_equal(c->conn, s->conn);
	assert_ptr_equal(c->conn->end[0], c);
	assert_ptr_equal(c->conn->end[1], s);
	assert_ptr_equal(c->peer, s);
	assert_ptr_equal(s->peer, c);
}

/* Sockets and processes of a second pair, apart from those of the first. */
static struct tcp_pair pair_number(unsigned int n)
{
	struct tcp_pair p = pair_on_loopback();

	p.c.sid += n * 10;
	p.l.sid += n * 10;
	p.s.sid += n * 10;
	p.c.pid += n * 100;
	p.l.pid += n * 100;
	p.s.pid += n * 100;
	p.c.fid = p.s.fid = 7 + n;
	p.c_iss += n * 1000;
	return p;
}

static void pair_move(struct tcp_pair *p, __u32 client_ns, __u32 server_ns, const char *client_ip,
		      const char *server_ip)
{
	p->c.netns = client_ns;
	p->l.netns = p->s.netns = server_ns;
	p->c.src = addr4(client_ip, p->c.src.port);
	p->c.dst = p->l.src = p->s.src = addr4(server_ip, p->c.dst.port);
	p->s.dst = p->c.src;
	if (client_ns != server_ns && p->s.fid)
		p->s.fid += 50;
}

/* An IPv4 client of an IPv6 server: the child's addresses are v4-mapped. */
static void test_v4mapped(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct story y;

	(void)state;
	story_open(&y);
	p.l.src = addr6("::", 65430);
	p.s.src = addr6("::ffff:127.0.0.1", 65430);
	p.s.dst = addr6("::ffff:127.0.0.1", 40000);
	pair_open(&y, &p);
	expect_paired(&y, p.c.sid, p.s.sid);
	assert_ptr_equal(sock_in(&y, p.s.sid)->listener, sock_in(&y, p.l.sid));
	end_sends(&y, &p.c, &p.s, 5, 5);
	assert_int_equal(story_last(&y)->s.dir[0].rcvq, 5);
	assert_int_equal(sock_in(&y, p.c.sid)->conn->segments[0], 3); /* SYN, ACK, data */
	story_close(&y);
}

/* Equal loopback addresses in two namespaces, interleaved as badly as can be. */
static void test_namespaces_apart(void **state)
{
	struct tcp_pair p = pair_number(0), q = pair_number(1);
	struct made_call a, b;
	struct story y;

	(void)state;
	story_open(&y);
	pair_move(&q, 2, 2, "127.0.0.1", "127.0.0.1");
	pair_listen(&y, &p);
	pair_listen(&y, &q);
	pair_connect_enters(&y, &p, &a);
	pair_connect_enters(&y, &q, &b);
	q.s.state = p.s.state = TCP_S_SYN_RECV;
	end_info(&y, &q.s, SOCKF_PASSIVE);
	end_info(&y, &p.s, SOCKF_PASSIVE);
	expect_paired(&y, p.c.sid, p.s.sid);
	expect_paired(&y, q.c.sid, q.s.sid);
	assert_ptr_equal(sock_in(&y, q.s.sid)->listener, sock_in(&y, q.l.sid));
	story_close(&y);
}

/* A client alone in one namespace does not take the loopback server of another. */
static void test_loopback_never_crosses(void **state)
{
	struct tcp_pair p = pair_number(0), q = pair_number(1);
	struct made_call a;
	struct story y;

	(void)state;
	story_open(&y);
	pair_connect_enters(&y, &p, &a);
	pair_move(&q, 2, 2, "127.0.0.1", "127.0.0.1");
	q.s.state = TCP_S_SYN_RECV;
	end_info(&y, &q.s, SOCKF_PASSIVE);
	assert_ptr_not_equal(sock_in(&y, p.c.sid)->conn, sock_in(&y, q.s.sid)->conn);
	story_close(&y);
}

/* A veth between two namespaces: one conversation, each segment counted once. */
static void veth(bool wire)
{
	struct tcp_pair p = pair_number(0);
	struct story y;
	struct told *t;

	story_open(&y);
	if (!wire)
		p.c.fid = p.s.fid = 0;
	pair_move(&p, 1, 2, "10.0.0.1", "10.0.0.2");
	pair_open(&y, &p);
	expect_paired(&y, p.c.sid, p.s.sid);
	end_sends(&y, &p.c, &p.s, 80, 80);
	t = end_receives(&y, &p.s, 80, 80);
	assert_int_equal(t->s.dir[0].read, 80);
	assert_int_equal(t->s.conn->segments[0], wire ? 3 : 0);
	assert_int_equal(t->s.conn->seg_bytes[0], wire ? 80 : 0);
	if (wire) {
		t = seg_out(&y, &p.c, TCPF_ACK, p.c.snd_nxt, 9);
		assert_int_equal(t->s.sock->sid, p.c.sid);
		t = seg_in(&y, &p.c, &p.s, TCPF_ACK, p.c.snd_nxt, 9);
		assert_true(t->s.sflags & STEP_SEG_PAIR);
		assert_false(t->s.sflags & STEP_RTX);
		assert_int_equal(t->s.sock->sid, p.s.sid);
	}
	story_close(&y);
}

static void test_veth(void **state)
{
	(void)state;
	veth(true);
}

static void test_veth_no_wire(void **state)
{
	(void)state;
	veth(false);
}

/* A router between them sees each segment twice more: it is nobody's there, and counted once. */
static void test_router(void **state)
{
	struct tcp_pair p = pair_number(0);
	struct tcp_end router;
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	pair_move(&p, 1, 3, "10.0.1.1", "10.0.3.1");
	pair_open(&y, &p);
	router = p.c;
	router.sid = 0;
	router.netns = 2;
	router.fid = 99;
	flow_told(&y, router.fid, 2, IPPROTO_TCP, &p.c.src, &p.s.src);
	seg_out(&y, &p.c, TCPF_ACK, 1001, 70);
	t = seg_in(&y, &p.c, &router, TCPF_ACK, 1001, 70);
	assert_ptr_equal(t->s.conn, sock_in(&y, p.c.sid)->conn);
	assert_null(t->s.sock);
	t = seg_out(&y, &router, TCPF_ACK, 1001, 70);
	assert_null(t->s.sock);
	assert_false(t->s.sflags & STEP_RTX);
	t = seg_in(&y, &p.c, &p.s, TCPF_ACK, 1001, 70);
	assert_true(t->s.sflags & STEP_SEG_PAIR);
	assert_int_equal(t->s.sock->sid, p.s.sid);
	assert_int_equal(t->s.conn->segments[0], 3); /* SYN, ACK, data */
	assert_int_equal(t->s.conn->seg_bytes[0], 70);
	story_close(&y);
}

/* Two copies of the same two machines: initial sequence numbers tell whose SYN arrives. */
static void test_veth_twins(void **state)
{
	struct tcp_pair p = pair_number(0), q = pair_number(1);
	struct made_call a, b;
	struct story y;

	(void)state;
	story_open(&y);
	pair_move(&p, 1, 2, "10.0.0.1", "10.0.0.2");
	pair_move(&q, 3, 4, "10.0.0.1", "10.0.0.2");
	pair_connect_enters(&y, &p, &a);
	pair_connect_enters(&y, &q, &b);
	seg_in(&y, &q.c, &q.s, TCPF_SYN, q.c_iss, 0);
	seg_in(&y, &p.c, &p.s, TCPF_SYN, p.c_iss, 0);
	q.s.state = p.s.state = TCP_S_SYN_RECV;
	end_info(&y, &p.s, SOCKF_PASSIVE);
	end_info(&y, &q.s, SOCKF_PASSIVE);
	expect_paired(&y, p.c.sid, p.s.sid);
	expect_paired(&y, q.c.sid, q.s.sid);
	story_close(&y);
}

/* Without a wire nobody can tell the twins apart: then nothing is claimed. */
static void test_veth_twins_no_wire(void **state)
{
	struct tcp_pair p = pair_number(0), q = pair_number(1);
	struct made_call a, b;
	struct story y;

	(void)state;
	story_open(&y);
	p.c.fid = p.s.fid = q.c.fid = q.s.fid = 0;
	pair_move(&p, 1, 2, "10.0.0.1", "10.0.0.2");
	pair_move(&q, 3, 4, "10.0.0.1", "10.0.0.2");
	pair_connect_enters(&y, &p, &a);
	pair_connect_enters(&y, &q, &b);
	q.s.state = TCP_S_SYN_RECV;
	end_info(&y, &q.s, SOCKF_PASSIVE);
	assert_null(sock_in(&y, q.s.sid)->peer);
	assert_int_equal(sock_in(&y, q.s.sid)->role, ROLE_SERVER);
	assert_ptr_equal(sock_in(&y, q.s.sid)->conn->end[1], sock_in(&y, q.s.sid));
	story_close(&y);
}

/* A socket that connects to its own port: one socket, both ends, one stream. */
static void test_self_connect(void **state)
{
	struct tcp_end e = pair_on_loopback().c;
	struct made_call mc = call_of(20, CALL_CONNECT, e.sid, 3);
	struct story y;
	struct told *t;

	(void)state;
	story_open(&y);
	e.src = e.dst = addr4("127.0.0.1", 40000);
	socket_made(&y, 20, e.sid, 3, SOCK_STREAM);
	call_to(&mc, &e.dst);
	call_enters(&y, &mc);
	end_state(&y, &e, TCP_S_SYN_SENT);
	end_info(&y, &e, 0);
	flow_told(&y, e.fid, 1, IPPROTO_TCP, &e.src, &e.dst);
	seg_passes(&y, &e, &e, TCPF_SYN, 100, 0);
	end_state(&y, &e, TCP_S_SYN_RECV);
	e.write_seq = e.snd_nxt = e.snd_una = e.rcv_nxt = e.copied_seq = 101;
	seg_passes(&y, &e, &e, TCPF_SYN | TCPF_ACK, 100, 0);
	assert_int_equal(story_last(&y)->s.conn->retransmits[0], 0);
	end_state(&y, &e, TCP_S_ESTABLISHED);
	call_returns(&y, &mc, 0);
	t = story_last(&y);
	assert_ptr_equal(t->s.conn->end[0], t->s.conn->end[1]);
	assert_ptr_equal(t->s.sock->peer, t->s.sock);
	assert_int_equal(t->s.role, ROLE_CLIENT);
	e.write_seq += 6;
	e.snd_nxt += 6;
	e.rcv_nxt += 6;
	e.copied_seq += 2;
	t = end_event(&y, EV_DATA_READY, &e);
	assert_int_equal(t->s.dir[0].written, 6);
	assert_int_equal(t->s.dir[0].rcvq, 4);
	assert_int_equal(t->s.dir[0].read, 2);
	assert_int_equal(t->s.dir[1].written, 0);
	end_event(&y, EV_DESTROY, &e);
	story_wait(&y, 2 * NS_PER_MS);
	assert_int_equal(y.summaries, 1);
	assert_int_equal(y.over.dir[0].discarded, 4);
	story_close(&y);
}

/* The same four-tuple again, while the old conversation is still remembered. */
static void test_tuple_again(void **state)
{
	struct tcp_pair p = pair_number(0), q = pair_number(1);
	struct story y;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	end_event(&y, EV_DESTROY, &p.s);
	end_event(&y, EV_DESTROY, &p.c);
	q.c.fid = q.s.fid = p.c.fid;
	pair_open(&y, &q);
	expect_paired(&y, q.c.sid, q.s.sid);
	assert_int_equal(sock_in(&y, q.c.sid)->conn->id, 2);
	assert_int_equal(sock_in(&y, q.c.sid)->conn->segments[0], 2);
	assert_int_equal(story_find(&y, EV_SEGMENT, 0)->s.rel_seq, 1);
	story_close(&y);
}

/* Both ends call connect() at once: the first is end 0, both did the active open. */
static void test_simultaneous_open(void **state)
{
	struct tcp_end a = pair_on_loopback().c, b = pair_on_loopback().s;
	struct story y;

	(void)state;
	story_open(&y);
	a.state = b.state = TCP_S_CLOSE;
	end_state(&y, &a, TCP_S_SYN_SENT);
	end_info(&y, &a, 0);
	end_state(&y, &b, TCP_S_SYN_SENT);
	end_info(&y, &b, 0);
	expect_paired(&y, a.sid, b.sid);
	assert_int_equal(sock_in(&y, b.sid)->role, ROLE_CLIENT);
	assert_int_equal(story_last(&y)->s.role, ROLE_SERVER); /* its place in the picture */
	story_close(&y);
}

/* A server whose connection is used by its child: who talks is who is named. */
static void test_owner_follows(void **state)
{
	struct tcp_pair p = pair_number(0);
	struct made_call mc;
	struct story y;

	(void)state;
	story_open(&y);
	pair_open(&y, &p);
	proc_told(&y, PROC_FORK, p.s.pid, 12, 0, "server");
	close_made(&y, p.s.pid, p.s.sid, p.s.fd, false);
	assert_int_equal(sock_in(&y, p.s.sid)->conn->pid[1], p.s.pid);
	mc = call_of(12, CALL_SENDTO, p.s.sid, p.s.fd);
	mc.c.len = 3;
	call_made(&y, mc, 3);
	assert_int_equal(sock_in(&y, p.s.sid)->conn->pid[1], 12);
	assert_int_equal(sock_in(&y, p.s.sid)->conn->calls[1][0], 1);
	story_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v4mapped),
		cmocka_unit_test(test_namespaces_apart),
		cmocka_unit_test(test_loopback_never_crosses),
		cmocka_unit_test(test_veth),
		cmocka_unit_test(test_veth_no_wire),
		cmocka_unit_test(test_router),
		cmocka_unit_test(test_veth_twins),
		cmocka_unit_test(test_veth_twins_no_wire),
		cmocka_unit_test(test_self_connect),
		cmocka_unit_test(test_tuple_again),
		cmocka_unit_test(test_simultaneous_open),
		cmocka_unit_test(test_owner_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
