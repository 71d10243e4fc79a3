/* SPDX-License-Identifier: MIT */
/* Records in words: every call with several arguments, every result, every cut. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>

#include <cmocka.h>

#include "event/decode.h"
#include "event/describe.h"
#include "records.h"

static void call_is(struct rec r, const char *text)
{
	char buf[1024];

	assert_int_equal(event_check(&r, sizeof(r)), r.c.e.size);
	assert_string_equal(describe_call(buf, sizeof(buf), &r.c.e), text);
}

static void result_is(struct rec r, const char *text)
{
	char buf[1024];

	assert_int_equal(event_check(&r, sizeof(r)), r.c.e.size);
	assert_string_equal(describe_result(buf, sizeof(buf), &r.c.e), text);
}

static void test_socket_calls(void **state)
{
	(void)state;
	call_is(CALL(CALL_SOCKET, .fd = -1, .x = { AF_INET, SOCK_STREAM }),
		"socket(AF_INET, SOCK_STREAM)");
	call_is(CALL(CALL_SOCKET, .fd = -1,
		     .x = { AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP }),
		"socket(AF_INET6, SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC, IPPROTO_UDP)");
	call_is(CALL(CALL_SOCKET, .fd = -1, .x = { AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 17 }),
		"socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, 17)");
	call_is(CALL(CALL_SOCKET, .fd = -1, .x = { 99, 12 }), "socket(99, 12)");
	call_is(CALL(CALL_SOCKETPAIR, .fd = 3, .x = { AF_UNIX, SOCK_STREAM, 0, 4 }),
		"socketpair(AF_UNIX, SOCK_STREAM)");
	call_is(CALL(CALL_LISTEN, .fd = 3, .x = { 128 }), "listen(3, 128)");
	call_is(CALL(CALL_LISTEN, .fd = 3, .x = { ~0u }), "listen(3, -1)");
	call_is(CALL(CALL_SHUTDOWN, .fd = 3, .x = { SHUT_WR }), "shutdown(3, SHUT_WR)");
	call_is(CALL(CALL_SHUTDOWN, .fd = 3, .x = { 7 }), "shutdown(3, 7)");
	call_is(CALL(CALL_GETSOCKNAME, .fd = 3), "getsockname(3)");
	call_is(CALL(CALL_GETPEERNAME, .fd = 3), "getpeername(3)");
	call_is(CALL(200, .fd = 3), "?()");
}

static void test_address_calls(void **state)
{
	char longest[108];

	(void)state;
	memset(longest, 1, sizeof(longest));
	call_is(with_ip4(CALL(CALL_BIND, .fd = 3), "127.0.0.1", 65430), "bind(3, 127.0.0.1:65430)");
	call_is(with_ip6(CALL(CALL_CONNECT, .fd = 3), "::1", 80), "connect(3, [::1]:80)");
	call_is(with_ip6(CALL(CALL_CONNECT, .fd = 3), "::ffff:127.0.0.1", 80),
		"connect(3, [::ffff:127.0.0.1]:80)");
	call_is(with_path(CALL(CALL_CONNECT, .fd = 3), "/tmp/a\n", 8), "connect(3, /tmp/a\\n)");
	call_is(with_path(CALL(CALL_BIND, .fd = 3), "\0chat", 5), "bind(3, @chat)");
	call_is(with_path(CALL(CALL_BIND, .fd = 3), "", 0), "bind(3)");
	call_is(CALL(CALL_BIND, .fd = 3), "bind(3)");
	call_is(with_tail(CALL(CALL_CONNECT, .fd = 3), TAIL_ADDR, "\0\0", 2, 2), "connect(3, -)");
	call_is(CALL(CALL_ACCEPT, .fd = 3), "accept(3)");
	call_is(with_ip4(CALL(CALL_ACCEPT, .fd = 3, .ret = 4), "127.0.0.1", 1), "accept(3)");
	call_is(CALL(CALL_ACCEPT4, .fd = 3), "accept4(3)");
	call_is(CALL(CALL_ACCEPT4, .fd = 3, .x = { SOCK_NONBLOCK }), "accept4(3, SOCK_NONBLOCK)");
	call_is(CALL(CALL_ACCEPT4, .fd = 3, .x = { SOCK_NONBLOCK | SOCK_CLOEXEC | 1 }),
		"accept4(3, SOCK_NONBLOCK|SOCK_CLOEXEC|0x1)");
}

static void test_send_calls(void **state)
{
	(void)state;
	call_is(CALL(CALL_SENDTO, .fd = 3, .len = 14), "send(3, 14 B)");
	call_is(CALL(CALL_SENDTO, .fd = 3, .len = 14, .x = { MSG_NOSIGNAL }),
		"send(3, 14 B, MSG_NOSIGNAL)");
	call_is(with_ip4(CALL(CALL_SENDTO, .fd = 3, .len = 14), "127.0.0.1", 53),
		"sendto(3, 14 B, 127.0.0.1:53)");
	call_is(with_ip4(CALL(CALL_SENDTO, .fd = 3, .len = 14, .x = { MSG_DONTWAIT }), "127.0.0.1",
			 53),
		"sendto(3, 14 B, MSG_DONTWAIT, 127.0.0.1:53)");
	call_is(CALL(CALL_SENDMSG, .fd = 3, .len = 14, .x = { 0, 2 }), "sendmsg(3, 2 parts, 14 B)");
	call_is(CALL(CALL_SENDMSG, .fd = 3, .len = 14, .x = { MSG_MORE, 1 }),
		"sendmsg(3, 1 part, 14 B, MSG_MORE)");
	call_is(with_ip4(CALL(CALL_SENDMSG, .fd = 3, .len = 14, .x = { 0, 1 }), "10.0.0.1", 9),
		"sendmsg(3, 1 part, 14 B, 10.0.0.1:9)");
	call_is(CALL(CALL_SENDMMSG, .fd = 3, .len = 28, .x = { 0, 2 }), "sendmmsg(3, 2 messages)");
	call_is(CALL(CALL_WRITE, .fd = 3, .len = 14), "write(3, 14 B)");
	call_is(CALL(CALL_WRITE, .fd = 3, .len = 1ull << 32), "write(3, 4294967296 B)");
	call_is(CALL(CALL_WRITEV, .fd = 3, .len = 14, .x = { 0, 3 }), "writev(3, 3 parts, 14 B)");
	call_is(CALL(CALL_SENDFILE, .fd = 4, .len = 4096, .x = { 0, 3, 0 }),
		"sendfile(4, from 3, 4096 B)");
	call_is(CALL(CALL_SENDFILE, .fd = 3, .len = 4096, .x = { 0, 1, 1 }),
		"sendfile(1, from 3, 4096 B)");
	call_is(CALL(CALL_SPLICE, .fd = 3, .len = 4096, .x = { 0, 7, 1 }),
		"splice(3 -> 7, 4096 B)");
	call_is(CALL(CALL_SPLICE, .fd = 3, .len = 4096, .x = { 0, 7, 0 }),
		"splice(7 -> 3, 4096 B)");
}

static void test_receive_calls(void **state)
{
	(void)state;
	call_is(CALL(CALL_RECVFROM, .fd = 3, .len = 1024), "recv(3, 1024)");
	call_is(CALL(CALL_RECVFROM, .fd = 3, .len = 1024, .x = { MSG_PEEK | MSG_WAITALL }),
		"recv(3, 1024, MSG_PEEK|MSG_WAITALL)");
	call_is(with_ip4(CALL(CALL_RECVFROM, .fd = 3, .len = 1024), "1.2.3.4", 5),
		"recvfrom(3, 1024)");
	call_is(CALL(CALL_RECVMSG, .fd = 3, .len = 1024, .x = { 0, 1 }),
		"recvmsg(3, 1 part, 1024)");
	call_is(CALL(CALL_RECVMMSG, .fd = 3, .x = { MSG_WAITFORONE, 8 }),
		"recvmmsg(3, 8 messages, MSG_WAITFORONE)");
	call_is(CALL(CALL_READ, .fd = 3, .len = 1024), "read(3, 1024)");
	call_is(CALL(CALL_READV, .fd = 3, .len = 1024, .x = { 0, 2 }), "readv(3, 2 parts, 1024)");
}

static void test_descriptor_calls(void **state)
{
	(void)state;
	call_is(CALL(CALL_CLOSE, .fd = 3), "close(3)");
	call_is(CALL(CALL_CLOSE, .fd = 3, .cflags = CALLF_BY_EXIT),
		"kernel closes 3 (process exit)");
	call_is(CALL(CALL_CLOSE, .fd = 3, .cflags = CALLF_BY_EXEC), "kernel closes 3 (exec)");
	call_is(CALL(CALL_CLOSE_RANGE, .fd = 4, .x = { 0, 3, ~0u }),
		"close_range(3, ~0U) closes 4");
	call_is(CALL(CALL_CLOSE_RANGE, .fd = 4, .x = { 0, 3, 9 }), "close_range(3, 9) closes 4");
	call_is(CALL(CALL_DUP, .fd = 3), "dup(3)");
	call_is(CALL(CALL_DUP2, .fd = 3, .x = { 7 }), "dup2(3, 7)");
	call_is(CALL(CALL_DUP3, .fd = 3, .x = { 7, O_CLOEXEC }), "dup3(3, 7, O_CLOEXEC)");
	call_is(CALL(CALL_FCNTL, .fd = 3, .x = { F_DUPFD, 10 }), "fcntl(3, F_DUPFD, 10)");
	call_is(CALL(CALL_FCNTL, .fd = 3, .x = { F_DUPFD_CLOEXEC, 0 }),
		"fcntl(3, F_DUPFD_CLOEXEC, 0)");
	call_is(CALL(CALL_FCNTL, .fd = 3, .x = { F_SETFL, O_NONBLOCK }),
		"fcntl(3, F_SETFL, O_NONBLOCK)");
	call_is(CALL(CALL_FCNTL, .fd = 3, .x = { F_SETFL, 0 }), "fcntl(3, F_SETFL, 0)");
	call_is(CALL(CALL_FCNTL, .fd = 3, .x = { F_SETFD, FD_CLOEXEC }),
		"fcntl(3, F_SETFD, FD_CLOEXEC)");
	call_is(CALL(CALL_FCNTL, .fd = 3, .x = { F_GETFL, 99 }), "fcntl(3, F_GETFL)");
	call_is(CALL(CALL_FCNTL, .fd = 3, .x = { 4242, 1 }), "fcntl(3, 4242, 1)");
}

static void test_option_calls(void **state)
{
	struct rec set = CALL(CALL_SETSOCKOPT, .fd = 3, .x = { SOL_SOCKET, SO_REUSEADDR });
	struct linger linger = { 1, 5 };
	__s64 timeval[2] = { 2, 500000 };
	int one = 1;

	(void)state;
	call_is(with_value(set, &one, sizeof(one)), "setsockopt(3, SO_REUSEADDR, 1)");
	set.c.x[1] = SO_LINGER;
	call_is(with_value(set, &linger, sizeof(linger)), "setsockopt(3, SO_LINGER, on, 5 s)");
	linger.l_onoff = 0;
	call_is(with_value(set, &linger, sizeof(linger)), "setsockopt(3, SO_LINGER, off)");
	set.c.x[1] = SO_RCVTIMEO;
	call_is(with_value(set, timeval, sizeof(timeval)), "setsockopt(3, SO_RCVTIMEO, 2 s)");
	set.c.x[1] = 999;
	call_is(with_value(set, &one, sizeof(one)), "setsockopt(3, SOL_SOCKET, 999, 1)");
	set.c.x[0] = 4711;
	call_is(with_value(set, &one, sizeof(one)), "setsockopt(3, 4711, 999, 1)");
	call_is(CALL(CALL_GETSOCKOPT, .fd = 3, .x = { SOL_SOCKET, SO_ERROR, 4 }),
		"getsockopt(3, SO_ERROR)");
	call_is(CALL(CALL_GETSOCKOPT, .fd = 3, .x = { IPPROTO_TCP, TCP_INFO, 232 }),
		"getsockopt(3, TCP_INFO)");
}

static void test_wait_calls(void **state)
{
	const struct poll_item items[] = { { 3, 1, 17 }, { -1, 1, 0 }, { 4, 5, 0 } };
	struct select_sets sets = { .in = { 1 << 3 | 1 << 4, 1 << 5, 0 }, .out = { 1 << 3, 0, 0 } };
	struct rec p = CALL(CALL_POLL, .fd = -1, .x = { 100 });
	struct rec s = CALL(CALL_SELECT, .fd = -1, .len = 6, .x = { ~0u });

	(void)state;
	call_is(with_polls(p, items, 3, 3), "poll(3:IN 4:IN|OUT, 100 ms)");
	call_is(with_polls(p, items, 3, 5), "poll(3:IN 4:IN|OUT, +2 more, 100 ms)");
	call_is(with_polls(p, items + 1, 1, 1), "poll(100 ms)");
	call_is(with_polls(p, items + 1, 1, 9), "poll(+8 more, 100 ms)");
	call_is(p, "poll(100 ms)");
	p.c.call = CALL_PPOLL;
	p.c.x[0] = ~0u;
	call_is(with_polls(p, items, 1, 1), "ppoll(3:IN, no timeout)");
	call_is(with_tail(s, TAIL_SELECT, &sets, sizeof(sets), 0), "select(r:3,4 w:5, no timeout)");
	s.c.call = CALL_PSELECT6;
	s.c.x[0] = 0;
	sets.in[2] = 1ull << 63;
	call_is(with_tail(s, TAIL_SELECT, &sets, sizeof(sets), 0),
		"pselect6(r:3,4 w:5 x:63, 0 ms)");
	call_is(s, "pselect6(0 ms)");
	call_is(CALL(CALL_EPOLL_CTL, .fd = 3, .x = { EPOLL_CTL_ADD, EPOLLIN | EPOLLET, 5 }),
		"epoll_ctl(5, ADD, 3, IN|ET)");
	call_is(CALL(CALL_EPOLL_CTL, .fd = 3, .x = { EPOLL_CTL_DEL, 0, 5 }),
		"epoll_ctl(5, DEL, 3)");
	call_is(CALL(CALL_EPOLL_WAIT, .fd = 5, .x = { 100, 64 }), "epoll_wait(5, 64, 100 ms)");
	call_is(CALL(CALL_EPOLL_PWAIT2, .fd = 5, .x = { ~0u, 64 }),
		"epoll_pwait2(5, 64, no timeout)");
}

static void test_plain_results(void **state)
{
	struct rec r = CALL(CALL_SENDTO, .fd = 3, .len = 14, .ret = 14);

	(void)state;
	result_is(r, "= 14");
	r.c.ret = 1ll << 40;
	result_is(r, "= 1099511627776");
	r.c.ret = -ECONNREFUSED;
	result_is(r, "= -1 ECONNREFUSED");
	r.c.ret = -EINPROGRESS;
	result_is(r, "= -1 EINPROGRESS");
	r.c.ret = -4000;
	result_is(r, "= -1 (errno 4000)");
	r.c.ret = INT64_MIN + 1;
	result_is(r, "= -1 (errno 9223372036854775807)");
	r.c.ret = -512;
	result_is(r, "= ? ERESTARTSYS");
	r.c.ret = -516;
	result_is(r, "= ? ERESTART_RESTARTBLOCK");
	r.c.ret = -515;
	result_is(r, "= ? ENOIOCTLCMD");
	r.c.cflags = CALLF_PENDING;
	result_is(r, "");
	r.c.cflags = CALLF_KILLED;
	result_is(r, "= ? (never returned: the thread ended)");
	result_is(CALL(CALL_CLOSE, .fd = 3, .cflags = CALLF_BY_EXIT), "");
	result_is(CALL(CALL_SOCKETPAIR, .fd = 3, .x = { 1, 1, 0, 4 }), "= 0, 3 and 4");
	result_is(CALL(CALL_SENDMMSG, .fd = 3, .ret = 2, .len = 28), "= 2 (28 B)");
	result_is(CALL(200, .ret = 1), "= 1");
}

static void test_address_results(void **state)
{
	(void)state;
	result_is(with_ip4(CALL(CALL_ACCEPT, .fd = 3, .ret = 4), "127.0.0.1", 40312),
		  "= 4 from 127.0.0.1:40312");
	result_is(CALL(CALL_ACCEPT, .fd = 3, .ret = 4), "= 4");
	result_is(with_path(CALL(CALL_ACCEPT, .fd = 3, .ret = 4), "", 0), "= 4");
	result_is(with_ip4(CALL(CALL_ACCEPT, .fd = 3, .ret = -EAGAIN), "1.2.3.4", 5),
		  "= -1 EAGAIN");
	result_is(with_ip4(CALL(CALL_RECVFROM, .fd = 3, .ret = 14), "127.0.0.1", 53),
		  "= 14 from 127.0.0.1:53");
	result_is(with_path(CALL(CALL_RECVMSG, .fd = 3, .ret = 14), "\0me", 3), "= 14 from @me");
	result_is(with_ip4(CALL(CALL_SENDTO, .fd = 3, .ret = 14), "127.0.0.1", 53), "= 14");
	result_is(with_ip4(CALL(CALL_GETSOCKNAME, .fd = 3), "127.0.0.1", 40000),
		  "= 0, 127.0.0.1:40000");
	result_is(with_path(CALL(CALL_GETPEERNAME, .fd = 3), "", 0), "= 0, no name");
}

static void test_option_results(void **state)
{
	struct rec get = CALL(CALL_GETSOCKOPT, .fd = 3, .x = { SOL_SOCKET, SO_RCVBUF });
	int size = 43690, error = ECONNREFUSED, none = 0;
	struct linger linger = { 1, 0 };

	(void)state;
	result_is(with_value(get, &size, sizeof(size)), "= 0, value 43690");
	get.c.x[1] = SO_ERROR;
	result_is(with_value(get, &error, sizeof(error)), "= 0, ECONNREFUSED");
	result_is(with_value(get, &none, sizeof(none)), "= 0, no error");
	get.c.x[1] = SO_LINGER;
	result_is(with_value(get, &linger, sizeof(linger)), "= 0, on, 0 s");
	result_is(CALL(CALL_FCNTL, .x = { F_GETFL }, .ret = O_RDWR | O_NONBLOCK),
		  "= 2050 (O_RDWR|O_NONBLOCK)");
	result_is(CALL(CALL_FCNTL, .x = { F_GETFD }, .ret = FD_CLOEXEC), "= 1 (FD_CLOEXEC)");
	result_is(CALL(CALL_FCNTL, .x = { F_GETFD }), "= 0");
	result_is(CALL(CALL_FCNTL, .x = { F_DUPFD }, .ret = 10), "= 10");
}

static void test_wait_results(void **state)
{
	const struct poll_item polls[] = { { 3, 1, 17 }, { 4, 1, 0 }, { 5, 4, 4 } };
	const struct epoll_item epolls[] = { { .data = 4, .events = EPOLLIN },
					     { .data = 5ull << 32 | 7, .events = EPOLLOUT } };
	struct select_sets sets = { .in = { 24, 32, 0 }, .out = { 1 << 3, 1 << 5, 0 } };
	struct rec p = CALL(CALL_POLL, .ret = 2, .x = { 100 });
	struct rec e = CALL(CALL_EPOLL_WAIT, .fd = 5, .ret = 2, .x = { 100, 64 });
	struct rec s = CALL(CALL_SELECT, .ret = 2, .x = { 100 });

	(void)state;
	result_is(with_polls(p, polls, 3, 3), "= 2 (3:IN|HUP 5:OUT)");
	p.c.ret = 1;
	result_is(with_polls(p, polls, 2, 9), "= 1 (3:IN|HUP)");
	result_is(with_polls(p, polls + 1, 1, 9), "= 1");
	p.c.ret = 0;
	result_is(p, "= 0 (timed out)");
	p.c.x[0] = 0;
	result_is(p, "= 0 (nothing ready)");
	p.c.ret = -EINTR;
	result_is(p, "= -1 EINTR");
	result_is(with_tail(s, TAIL_SELECT, &sets, sizeof(sets), 0), "= 2 (r:3 w:5)");
	result_is(with_tail(e, TAIL_EPOLL, epolls, sizeof(epolls), 2), "= 2 (IN on 4, OUT on 7)");
	e.c.ret = 1;
	result_is(with_tail(e, TAIL_EPOLL, epolls, sizeof(epolls[0]), 1), "= 1 (IN on 4)");
}

static void gai_is(const struct event_gai *g, const char *call, const char *result)
{
	char buf[512];

	assert_int_equal(event_check(g, sizeof(*g)), sizeof(*g));
	assert_string_equal(describe_call(buf, sizeof(buf), &g->e), call);
	assert_string_equal(describe_result(buf, sizeof(buf), &g->e), result);
}

static void test_getaddrinfo(void **state)
{
	struct event_gai g = gai_new("localhost", "65430");
	char name[100];

	(void)state;
	gai_answer(&g, AF_INET6, "::1");
	gai_answer(&g, AF_INET, "127.0.0.1");
	gai_is(&g, "getaddrinfo(\"localhost\", \"65430\")", "= [::1] 127.0.0.1");
	gai_answer(&g, AF_INET, "127.0.0.1"); /* once more for another socket type */
	gai_answer(&g, AF_INET, "127.0.0.2");
	gai_is(&g, "getaddrinfo(\"localhost\", \"65430\")", "= [::1] 127.0.0.1 127.0.0.2");
	g.total = 12;
	gai_is(&g, "getaddrinfo(\"localhost\", \"65430\")", "= [::1] 127.0.0.1 127.0.0.2 +8 more");
	g = gai_new(NULL, "80");
	g.ret = -2;
	gai_is(&g, "getaddrinfo(NULL, \"80\")", "= EAI_NONAME");
	g = gai_new("a\"b\x1b", NULL);
	g.ret = -4242;
	gai_is(&g, "getaddrinfo(\"a\\\"b\\x1b\", NULL)", "= -4242");
	g.cflags = CALLF_PENDING;
	gai_is(&g, "getaddrinfo(\"a\\\"b\\x1b\", NULL)", "");
	memset(name, 'n', sizeof(name));
	name[99] = 0;
	g = gai_new(name, NULL); /* 63 characters: maybe cut */
	name[63] = 0;
	assert_non_null(strstr(describe_call((char[256]){ 0 }, 256, &g.e), "n..\""));
}

/* Whatever the size: terminated, nothing behind the end, the mark where it was cut. */
static void cut_everywhere(char *(*fmt)(char *buf, size_t size, const struct event *ev),
			   const struct event *ev)
{
	char whole[1024], buf[1024];
	size_t size, len = strlen(fmt(whole, sizeof(whole), ev));

	assert_in_range(len, 3, sizeof(whole) - 1);
	for (size = 0; size < len + 3; size++) {
		memset(buf, '#', sizeof(buf));
		fmt(buf, size, ev);
		assert_int_equal(buf[size], '#');
		if (!size)
			continue;
		assert_true(strlen(buf) < size);
		if (size > len)
			assert_string_equal(buf, whole);
		else if (size > 3)
			assert_string_equal(buf + strlen(buf) - 2, "..");
	}
}

static void test_small_buffers(void **state)
{
	const struct poll_item polls[] = { { 3, 1, 17 }, { 5, 4, 4 } };
	struct rec r =
		with_ip4(CALL(CALL_SENDTO, .fd = 3, .len = 14, .x = { MSG_PEEK }), "1.2.3.4", 5);
	struct rec p = with_polls(CALL(CALL_POLL, .ret = 2, .x = { 100 }), polls, 2, 9);
	struct event_gai g = gai_new("localhost", "80");

	(void)state;
	gai_answer(&g, AF_INET, "127.0.0.1");
	cut_everywhere(describe_call, &r.c.e);
	cut_everywhere(describe_call, &p.c.e);
	cut_everywhere(describe_result, &p.c.e);
	cut_everywhere(describe_call, &g.e);
	cut_everywhere(describe_result, &g.e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socket_calls),	 cmocka_unit_test(test_address_calls),
		cmocka_unit_test(test_send_calls),	 cmocka_unit_test(test_receive_calls),
		cmocka_unit_test(test_descriptor_calls), cmocka_unit_test(test_option_calls),
		cmocka_unit_test(test_wait_calls),	 cmocka_unit_test(test_plain_results),
		cmocka_unit_test(test_address_results),	 cmocka_unit_test(test_option_results),
		cmocka_unit_test(test_wait_results),	 cmocka_unit_test(test_getaddrinfo),
		cmocka_unit_test(test_small_buffers),
	};

	return cmocka_run_group_tests_name("describe", tests, NULL, NULL);
}
