// SPDX-License-Identifier: MIT
/*
 * Who holds a port, and the other reasons why a socket cannot have a name.
 */
#include <errno.h>

#include "explain_story.h"

#define PORT 65430

/* A socket of its own process that wants the port of the pair. */
struct wanting {
	__u32 sid, pid;
	int fd;
};
static const struct wanting second = { .sid = 9, .pid = 30, .fd = 3 };

static void opens(struct why_story *w, const struct wanting *q, int type)
{
	proc_told(&w->y, PROC_SEEN, q->pid, 0, 0, "second");
	info_told(&w->y, (struct event_sockinfo){
				 .e = { .sid = q->sid },
				 .cookie = 0x1000 + q->sid,
				 .protocol = type == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP,
				 .type = (__u8)type,
				 .state = TCP_S_CLOSE,
			 });
	socket_made(&w->y, q->pid, q->sid, q->fd, type);
}

static struct told *sets(struct why_story *w, __u32 pid, __u32 sid, int fd, __u32 level,
			 __u32 option, __u32 value)
{
	struct made_call mc = call_of(pid, CALL_SETSOCKOPT, sid, fd);

	mc.c.x[0] = level;
	mc.c.x[1] = option;
	mc.c.x[2] = 4;
	mc.c.len = value;
	return call_made(&w->y, mc, 0);
}

static struct told *binds(struct why_story *w, const struct wanting *q, const char *addr,
			  unsigned int port, __s64 ret)
{
	struct made_call mc = call_of(q->pid, CALL_BIND, q->sid, q->fd);
	struct ev_addr at = addr4(addr, port);

	call_to(&mc, &at);
	return call_made(&w->y, mc, ret);
}

static struct told *wants(struct why_story *w, const char *addr)
{
	opens(w, &second, SOCK_STREAM);
	return binds(w, &second, addr, PORT, -EADDRINUSE);
}

static void closes(struct why_story *w, const struct tcp_end *e)
{
	close_made(&w->y, e->pid, e->sid, e->fd, true);
}

/* The server's end closes first; its listener is gone. */
static void server_closes_first(struct why_story *w, struct tcp_pair *p)
{
	pair_open(&w->y, p);
	closes(w, &p->l);
	end_event(&w->y, EV_DESTROY, &p->l);
	closes(w, &p->s);
	end_fin(&w->y, &p->s, &p->c);
	end_acks(&w->y, &p->c, &p->s);
	end_state(&w->y, &p->s, TCP_S_FIN_WAIT2);
	closes(w, &p->c);
	end_fin(&w->y, &p->c, &p->s);
	end_event(&w->y, EV_DESTROY, &p->s);
}

static void test_listener(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;
	struct told *failed;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	failed = wants(&w, "127.0.0.1");
	v = why_find(&w, "bind-listener");
	assert_int_equal(v->step, failed->s.id);
	assert_int_equal(v->weight, WEIGHT_ALARM);
	assert_int_equal(v->certainty, PROVED);
	assert_string_equal(v->question, "Why did bind(3) fail with EADDRINUSE?");
	assert_says(v,
		    "Port 65430 is taken: the server (server 10) listens on it with descriptor 3");
	assert_int_equal(v->n_evidence, 3); /* its bind and listen, and ours */
	why_close(&w);
}

/* Another address of the machine is another name, unless one of them stands for all. */
static void test_addresses(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	wants(&w, "127.0.0.2");
	assert_int_equal(why_find(&w, "bind-unseen")->certainty, INFERRED);
	assert_int_equal(why_count(&w, "bind-listener"), 0);
	binds(&w, &second, "0.0.0.0", PORT, -EADDRINUSE);
	assert_says(why_find(&w, "bind-listener"), "descriptor 3 as 127.0.0.1:65430");
	binds(&w, &second, "127.0.0.1", PORT + 1, -EADDRINUSE);
	assert_int_equal(why_count(&w, "bind-unseen"), 2);
	why_close(&w);
}

static void test_inherited(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	proc_told(&w.y, PROC_FORK, p.l.pid, 11, 0, "server");
	proc_told(&w.y, PROC_EXEC, 11, 0, 0, "sleep");
	proc_told(&w.y, PROC_EXIT, p.l.pid, 0, 0, "server");
	wants(&w, "127.0.0.1");
	v = why_find(&w, "bind-inherited");
	assert_says(v, "sleep (process 11) still has the listening socket as descriptor 3");
	assert_says(v, "process 10, which has ended");
	assert_non_null(strstr(v->remedy, "End process 11"));
	assert_int_equal(why_count(&w, "bind-listener"), 0);
	why_close(&w);
}

static void test_second_listener(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	sets(&w, p.l.pid, p.l.sid, p.l.fd, SOL_SOCKET, SO_REUSEADDR, 1);
	opens(&w, &second, SOCK_STREAM);
	sets(&w, second.pid, second.sid, second.fd, SOL_SOCKET, SO_REUSEADDR, 1);
	binds(&w, &second, "127.0.0.1", PORT, 0);
	info_told(&w.y, (struct event_sockinfo){ .e = { .sid = second.sid },
						 .protocol = IPPROTO_TCP,
						 .type = SOCK_STREAM,
						 .state = TCP_S_CLOSE,
						 .src = addr4("127.0.0.1", PORT) });
	call_made(&w.y, call_of(second.pid, CALL_LISTEN, second.sid, second.fd), -EADDRINUSE);
	v = why_find(&w, "bind-second-listener");
	assert_says(v, "only one may listen, and the server (server 10) does, with descriptor 3");
	assert_string_equal(v->question, "Why did listen(3) fail with EADDRINUSE?");
	why_close(&w);
}

/* With SO_REUSEPORT on both they share: that one is not in the way. */
static void test_shared(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_listen(&w.y, &p);
	sets(&w, p.l.pid, p.l.sid, p.l.fd, SOL_SOCKET, SO_REUSEPORT, 1);
	opens(&w, &second, SOCK_STREAM);
	sets(&w, second.pid, second.sid, second.fd, SOL_SOCKET, SO_REUSEPORT, 1);
	binds(&w, &second, "127.0.0.1", PORT, -EADDRINUSE);
	assert_int_equal(why_count(&w, "bind-listener"), 0);
	why_find(&w, "bind-unseen");
	why_close(&w);
}

static void test_living(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	closes(&w, &p.l);
	end_event(&w.y, EV_DESTROY, &p.l);
	why_wait(&w, 10 * NS_PER_S); /* the listener is forgotten */
	wants(&w, "127.0.0.1");
	v = why_find(&w, "bind-connection");
	assert_says(v, "a connection with 127.0.0.1:40000, ESTABLISHED, kept by the server");
	assert_says(v, "neither this socket nor the old one has SO_REUSEADDR");
	assert_int_equal(v->certainty, PROVED);
	why_close(&w);
}

static void test_time_wait(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	const struct verdict *v;

	(void)state;
	why_open(&w);
	server_closes_first(&w, &p);
	why_wait(&w, 30 * NS_PER_S); /* every note about the sockets is gone */
	wants(&w, "0.0.0.0");
	v = why_find(&w, "bind-time-wait");
	assert_says(v, "Port 65430 is in TIME_WAIT for 60 s: 30.00 s ago its connection with "
		       "127.0.0.1:40000 ended");
	assert_says(v, "neither this socket nor the old one has SO_REUSEADDR");
	assert_int_equal(v->certainty, INFERRED);
	assert_int_equal(v->n_evidence, 2);
	why_wait(&w, 31 * NS_PER_S); /* over */
	binds(&w, &second, "0.0.0.0", PORT, -EADDRINUSE);
	assert_int_equal(why_count(&w, "bind-time-wait"), 1);
	why_find(&w, "bind-unseen");
	why_close(&w);
}

/* Old without the option, new with it; then both with it: that cannot be the reason any more. */
static void test_time_wait_options(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;

	(void)state;
	why_open(&w);
	server_closes_first(&w, &p);
	opens(&w, &second, SOCK_STREAM);
	sets(&w, second.pid, second.sid, second.fd, SOL_SOCKET, SO_REUSEADDR, 1);
	binds(&w, &second, "127.0.0.1", PORT, -EADDRINUSE);
	assert_says(why_find(&w, "bind-time-wait"),
		    "this socket has SO_REUSEADDR, but the old one had not");
	why_close(&w);

	p = pair_on_loopback();
	why_open(&w);
	pair_listen(&w.y, &p);
	sets(&w, p.l.pid, p.l.sid, p.l.fd, SOL_SOCKET, SO_REUSEADDR, 1);
	server_closes_first(&w, &p);
	opens(&w, &second, SOCK_STREAM);
	sets(&w, second.pid, second.sid, second.fd, SOL_SOCKET, SO_REUSEADDR, 1);
	binds(&w, &second, "127.0.0.1", PORT, -EADDRINUSE);
	assert_int_equal(why_count(&w, "bind-time-wait"), 0);
	why_close(&w);
}

static void test_udp(void **state)
{
	static const struct wanting old = { .sid = 8, .pid = 31, .fd = 4 };
	static struct why_story w;

	(void)state;
	why_open(&w);
	opens(&w, &old, SOCK_DGRAM);
	binds(&w, &old, "127.0.0.1", PORT, 0);
	info_told(&w.y, (struct event_sockinfo){ .e = { .sid = old.sid },
						 .protocol = IPPROTO_UDP,
						 .type = SOCK_DGRAM,
						 .src = addr4("127.0.0.1", PORT) });
	wants(&w, "127.0.0.1"); /* TCP: another world */
	why_find(&w, "bind-unseen");
	assert_int_equal(why_count(&w, "bind-bound"), 0);
	opens(&w, &(struct wanting){ .sid = 10, .pid = 32, .fd = 3 }, SOCK_DGRAM);
	binds(&w, &(struct wanting){ .sid = 10, .pid = 32, .fd = 3 }, "127.0.0.1", PORT,
	      -EADDRINUSE);
	assert_says(why_find(&w, "bind-bound"), "has bound descriptor 4 to it");
	why_close(&w);
}

static void test_no_port(void **state)
{
	static struct why_story w;

	(void)state;
	why_open(&w);
	opens(&w, &second, SOCK_STREAM);
	binds(&w, &second, "127.0.0.1", 0, -EADDRINUSE);
	assert_says(why_find(&w, "bind-no-port"), "all of its range are taken");
	why_close(&w);
}

static void test_other_errors(void **state)
{
	static struct why_story w;

	(void)state;
	why_open(&w);
	opens(&w, &second, SOCK_STREAM);
	binds(&w, &second, "192.0.2.1", PORT, -EADDRNOTAVAIL);
	assert_says(why_find(&w, "bind-foreign"), "192.0.2.1 is no address of this machine");
	binds(&w, &second, "127.0.0.1", 80, -EACCES);
	assert_says(why_find(&w, "bind-denied"), "Port 80 is privileged: below 1024");
	assert_int_equal(why_find(&w, "bind-denied")->certainty, PROVED);
	binds(&w, &second, "127.0.0.1", 8080, -EACCES);
	assert_int_equal(why_find(&w, "bind-denied")->certainty, INFERRED);
	binds(&w, &second, "127.0.0.1", PORT, -EINVAL);
	assert_int_equal(why_find(&w, "bind-address")->certainty, INFERRED);
	binds(&w, &second, "127.0.0.1", PORT, 0);
	binds(&w, &second, "127.0.0.1", PORT + 1, -EINVAL);
	assert_says(why_find(&w, "bind-again"), "has a name already");
	why_close(&w);
}

/* From one port of its own choice a socket can connect to one place once. */
static void test_twin(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	struct made_call mc = call_of(second.pid, CALL_CONNECT, second.sid, second.fd);
	static struct why_story w;

	(void)state;
	why_open(&w);
	pair_open(&w.y, &p);
	opens(&w, &second, SOCK_STREAM);
	binds(&w, &second, "127.0.0.1", p.c.src.port, 0);
	info_told(&w.y, (struct event_sockinfo){ .e = { .sid = second.sid },
						 .protocol = IPPROTO_TCP,
						 .type = SOCK_STREAM,
						 .state = TCP_S_CLOSE,
						 .src = p.c.src });
	call_to(&mc, &p.c.dst);
	call_made(&w.y, mc, -EADDRNOTAVAIL);
	assert_says(why_find(&w, "bind-twin"),
		    "There is a connection from 127.0.0.1:40000 to 127.0.0.1:65430 already");
	assert_int_equal(why_find(&w, "bind-twin")->certainty, PROVED);
	why_close(&w);
}

/* A call with the name of an AF_UNIX socket. */
struct named_call {
	struct event_call c;
	__u16 family;
	char path[14];
};

static void binds_path(struct why_story *w, __u32 sid, int fd, const char *path, __s64 ret)
{
	struct named_call mc = { .c = call_of(second.pid, CALL_BIND, sid, fd).c,
				 .family = AF_UNIX };

	mc.c.e.kind = EV_CALL;
	mc.c.e.size = sizeof(mc);
	mc.c.e.tid = second.pid;
	mc.c.tail_kind = TAIL_ADDR;
	mc.c.tail_len = sizeof(mc) - sizeof(mc.c);
	mc.c.tail_count = (__u16)(sizeof(mc.family) + strlen(path));
	memcpy(mc.path, path, strlen(path));
	tell_as(&w->y, &mc.c.e, PHASE_ENTER);
	mc.c.ret = ret;
	tell_as(&w->y, &mc.c.e, PHASE_EXIT);
}

static void opens_unix(struct why_story *w, __u32 sid, int fd)
{
	info_told(&w->y, (struct event_sockinfo){
				 .e = { .sid = sid }, .family = AF_UNIX, .type = SOCK_STREAM });
	socket_made(&w->y, second.pid, sid, fd, SOCK_STREAM);
}

static void test_path(void **state)
{
	static struct why_story w;

	(void)state;
	why_open(&w);
	proc_told(&w.y, PROC_SEEN, second.pid, 0, 0, "second");
	opens_unix(&w, 2, 3);
	opens_unix(&w, 3, 4);
	binds_path(&w, 3, 4, "/run/x", -EADDRINUSE);
	assert_int_equal(why_find(&w, "bind-path")->certainty, INFERRED);
	binds_path(&w, 2, 3, "/run/s", 0);
	binds_path(&w, 3, 4, "/run/s", -EADDRINUSE);
	assert_says(why_find(&w, "bind-path"), "/run/s is taken: second (process 30) has bound");
	close_made(&w.y, second.pid, 2, 3, true);
	sock_told(&w.y, EV_SOCK_CLOSED, 2, 0, 0, 0, NULL);
	binds_path(&w, 3, 4, "/run/s", -EADDRINUSE);
	assert_says(why_find(&w, "bind-path"), "The file /run/s exists");
	assert_int_equal(why_find(&w, "bind-path")->certainty, PROVED);
	assert_int_equal(why_count(&w, "bind-path"), 3);
	why_close(&w);
}

/* After a bind() that failed it is in time for the next one. */
static void test_option_for_the_next_bind(void **state)
{
	static struct why_story w;

	(void)state;
	why_open(&w);
	opens(&w, &second, SOCK_STREAM);
	binds(&w, &second, "127.0.0.1", PORT, -EADDRINUSE);
	sets(&w, second.pid, second.sid, second.fd, SOL_SOCKET, SO_REUSEADDR, 1);
	binds(&w, &second, "127.0.0.1", PORT, 0);
	assert_int_equal(why_count(&w, "bind-option-late"), 0);
	why_close(&w);
}

static void test_option_late(void **state)
{
	static struct why_story w;
	const struct verdict *v;
	struct told *bound;

	(void)state;
	why_open(&w);
	opens(&w, &second, SOCK_STREAM);
	sets(&w, second.pid, second.sid, second.fd, SOL_SOCKET, SO_REUSEADDR, 1);
	bound = binds(&w, &second, "127.0.0.1", PORT, 0);
	assert_int_equal(w.n, 0); /* in time */
	sets(&w, second.pid, second.sid, second.fd, SOL_SOCKET, SO_REUSEPORT, 1);
	v = why_find(&w, "bind-option-late");
	assert_int_equal(v->weight, WEIGHT_NEWS);
	assert_says(v, "SO_REUSEPORT came after bind()");
	assert_true(why_has_evidence(v, bound->s.id));
	sets(&w, second.pid, second.sid, second.fd, SOL_SOCKET, SO_REUSEPORT, 1);
	sets(&w, second.pid, second.sid, second.fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	assert_int_equal(w.n, 1);
	why_close(&w);
}

/* A clean server and its client: nothing of this family. */
static void test_silent(void **state)
{
	struct tcp_pair p = pair_on_loopback();
	static struct why_story w;
	size_t i;

	(void)state;
	why_open(&w);
	server_closes_first(&w, &p);
	why_finish(&w);
	for (i = 0; i < w.n; i++)
		assert_int_not_equal(strncmp(w.told[i].rule->name, "bind-", 5), 0);
	why_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listener),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_inherited),
		cmocka_unit_test(test_second_listener),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_living),
		cmocka_unit_test(test_time_wait),
		cmocka_unit_test(test_time_wait_options),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_no_port),
		cmocka_unit_test(test_other_errors),
		cmocka_unit_test(test_option_late),
		cmocka_unit_test(test_option_for_the_next_bind),
		cmocka_unit_test(test_twin),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
