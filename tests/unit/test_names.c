/* SPDX-License-Identifier: MIT */
/* Names, addresses, sequence numbers, escaping: all tables' ends and holes, all buffers too small. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "event/names.h"

#define UNKNOWN(text) assert_string_equal(text, "?")
#define NAMED(text, name) assert_string_equal(text, name)

static struct ev_addr ip4(const char *text, __u16 port)
{
	struct ev_addr a = { .family = AF_INET, .port = port };

	assert_int_equal(inet_pton(AF_INET, text, a.addr), 1);
	return a;
}

static struct ev_addr ip6(const char *text, __u16 port)
{
	struct ev_addr a = { .family = AF_INET6, .port = port };

	assert_int_equal(inet_pton(AF_INET6, text, a.addr), 1);
	return a;
}

/* Every number of our own enums has a name, and no name stands twice. */
static void all_named(const char *(*name)(unsigned int), unsigned int first, unsigned int end)
{
	unsigned int i, k;

	for (i = first; i < end; i++) {
		assert_string_not_equal(name(i), "?");
		for (k = first; k < i; k++)
			assert_string_not_equal(name(i), name(k));
	}
	UNKNOWN(name(end));
	UNKNOWN(name(end + 1));
	UNKNOWN(name(~0u));
}

static void test_own_enums(void **state)
{
	(void)state;
	all_named(kind_name, 0, EV_KIND_MAX);
	all_named(call_name, 0, CALL_MAX);
	NAMED(kind_name(EV_CALL), "call");
	NAMED(kind_name(EV_SEGMENT), "segment");
	NAMED(kind_name(EV_SOCK_CLOSED), "sock_closed");
	NAMED(kind_name(EV_LEVELS), "levels");
	NAMED(call_name(CALL_SOCKET), "socket");
	NAMED(call_name(CALL_SENDTO), "sendto");
	NAMED(call_name(CALL_CLOSE_RANGE), "close_range");
}

static void test_kernel_tables(void **state)
{
	(void)state;
	all_named(tcp_state_name, 1, 14);
	UNKNOWN(tcp_state_name(0));
	NAMED(tcp_state_name(TCP_ESTABLISHED), "ESTABLISHED");
	NAMED(tcp_state_name(TCP_CLOSE), "CLOSE");
	NAMED(tcp_state_name(TCP_CLOSING), "CLOSING");
	NAMED(family_name(AF_UNSPEC), "unspec");
	NAMED(family_name(AF_UNIX), "unix");
	NAMED(family_name(AF_INET), "inet");
	NAMED(family_name(AF_INET6), "inet6");
	NAMED(family_name(AF_XDP), "xdp");
	all_named(family_name, 0, 46);
	UNKNOWN(socktype_name(0));
	NAMED(socktype_name(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC), "stream");
	NAMED(socktype_name(SOCK_PACKET), "packet");
	UNKNOWN(socktype_name(7));
	UNKNOWN(socktype_name(11));
	UNKNOWN(socktype_name(15));
	NAMED(proto_name(IPPROTO_TCP), "tcp");
	NAMED(proto_name(262), "mptcp");
	UNKNOWN(proto_name(200));
	NAMED(shutdown_name(SHUT_RDWR), "SHUT_RDWR");
	UNKNOWN(shutdown_name(3));
	UNKNOWN(epoll_op_name(0));
	NAMED(epoll_op_name(EPOLL_CTL_ADD), "ADD");
	NAMED(epoll_op_name(EPOLL_CTL_MOD), "MOD");
	UNKNOWN(epoll_op_name(4));
	NAMED(fcntl_name(F_DUPFD), "F_DUPFD");
	NAMED(fcntl_name(1030), "F_DUPFD_CLOEXEC");
	UNKNOWN(fcntl_name(12));
	UNKNOWN(fcntl_name(1031));
}

static void test_errors(void **state)
{
	(void)state;
	NAMED(errno_name(ECONNREFUSED), "ECONNREFUSED");
	NAMED(errno_name(-ECONNREFUSED), "ECONNREFUSED");
	NAMED(errno_name(EAGAIN), "EAGAIN");
	NAMED(errno_name(-EHWPOISON), "EHWPOISON");
	NAMED(errno_name(-512), "ERESTARTSYS");
	NAMED(errno_name(-516), "ERESTART_RESTARTBLOCK");
	UNKNOWN(errno_name(134));
	UNKNOWN(errno_name(511));
	UNKNOWN(errno_name(517));
	UNKNOWN(errno_name(INT32_MIN));
	UNKNOWN(errno_name(INT32_MAX));
	NAMED(gai_error_name(0), "0");
	NAMED(gai_error_name(-1), "EAI_BADFLAGS");
	NAMED(gai_error_name(-2), "EAI_NONAME");
	NAMED(gai_error_name(-11), "EAI_SYSTEM");
	NAMED(gai_error_name(-105), "EAI_IDN_ENCODE");
	UNKNOWN(gai_error_name(-13));
	UNKNOWN(gai_error_name(2));
	UNKNOWN(gai_error_name(INT32_MIN));
}

static void test_sockopt_names(void **state)
{
	(void)state;
	NAMED(sockopt_level_name(SOL_SOCKET), "SOL_SOCKET");
	NAMED(sockopt_level_name(IPPROTO_TCP), "IPPROTO_TCP");
	NAMED(sockopt_level_name(IPPROTO_IPV6), "IPPROTO_IPV6");
	UNKNOWN(sockopt_level_name(12345));
	NAMED(sockopt_name(SOL_SOCKET, SO_DEBUG), "SO_DEBUG");
	NAMED(sockopt_name(SOL_SOCKET, SO_REUSEADDR), "SO_REUSEADDR");
	NAMED(sockopt_name(SOL_SOCKET, SO_ERROR), "SO_ERROR");
	NAMED(sockopt_name(SOL_SOCKET, 77), "SO_PEERPIDFD");
	UNKNOWN(sockopt_name(SOL_SOCKET, 0));
	UNKNOWN(sockopt_name(SOL_SOCKET, 78));
	NAMED(sockopt_name(IPPROTO_TCP, TCP_NODELAY), "TCP_NODELAY");
	NAMED(sockopt_name(IPPROTO_TCP, 46), "TCP_DELACK_MAX_US");
	UNKNOWN(sockopt_name(IPPROTO_TCP, 15));
	UNKNOWN(sockopt_name(IPPROTO_TCP, 47));
	NAMED(sockopt_name(IPPROTO_IP, IP_TOS), "IP_TOS");
	NAMED(sockopt_name(IPPROTO_IP, 52), "IP_PROTOCOL");
	UNKNOWN(sockopt_name(IPPROTO_IP, 53));
	NAMED(sockopt_name(IPPROTO_IPV6, IPV6_V6ONLY), "IPV6_V6ONLY");
	NAMED(sockopt_name(IPPROTO_IPV6, 78), "IPV6_FREEBIND");
	UNKNOWN(sockopt_name(IPPROTO_IPV6, 79));
	NAMED(sockopt_name(IPPROTO_UDP, 104), "UDP_GRO");
	UNKNOWN(sockopt_name(IPPROTO_UDP, 50));
	UNKNOWN(sockopt_name(282, 1));
	UNKNOWN(sockopt_name(~0u, ~0u));
}

static void value_is(unsigned int level, unsigned int option, unsigned int len, const void *bytes,
		     const char *text)
{
	__u64 first8 = 0;
	char buf[64];

	memcpy(&first8, bytes, len < 8 ? len : 8);
	assert_string_equal(fmt_sockopt_value(buf, sizeof(buf), level, option, len, first8), text);
}

static void test_sockopt_values(void **state)
{
	struct linger off = { 0, 9 }, on = { 1, 5 };
	int one = 1, minus = -1, refused = ECONNREFUSED, zero = 0;
	__s64 seconds = 2;
	unsigned char ttl = 64;

	(void)state;
	value_is(SOL_SOCKET, SO_REUSEADDR, sizeof(one), &one, "1");
	value_is(SOL_SOCKET, SO_PEEK_OFF, sizeof(minus), &minus, "-1");
	value_is(SOL_SOCKET, SO_LINGER, sizeof(off), &off, "off");
	value_is(SOL_SOCKET, SO_LINGER, sizeof(on), &on, "on, 5 s");
	value_is(SOL_SOCKET, SO_LINGER, sizeof(one), &one, "1");
	value_is(SOL_SOCKET, SO_RCVTIMEO, 16, &seconds, "2 s");
	value_is(SOL_SOCKET, SO_ERROR, sizeof(refused), &refused, "ECONNREFUSED");
	value_is(SOL_SOCKET, SO_ERROR, sizeof(zero), &zero, "no error");
	value_is(IPPROTO_TCP, TCP_CONGESTION, 5, "cubic", "\"cubic\"");
	value_is(IPPROTO_TCP, TCP_CONGESTION, 16, "bic\0zzzz", "\"bic\"");
	value_is(IPPROTO_TCP, TCP_CONGESTION, 9, "dctcp_xx", "\"dctcp_xx..\"");
	value_is(SOL_SOCKET, SO_BINDTODEVICE, 4, "\x1b[2J", "\"\\x1b[2J\"");
	value_is(IPPROTO_IP, IP_TTL, 1, &ttl, "64");
	value_is(SOL_SOCKET, SO_COOKIE, 8, &seconds, "2");
	value_is(IPPROTO_TCP, TCP_INFO, 232, &seconds, "232 B");
	value_is(SOL_SOCKET, SO_REUSEADDR, 0, &one, "0 B");
}

static void test_flags(void **state)
{
	char buf[1024];

	(void)state;
	NAMED(fmt_tcp_flags(buf, sizeof(buf), 0), "-");
	NAMED(fmt_tcp_flags(buf, sizeof(buf), 2), "SYN");
	NAMED(fmt_tcp_flags(buf, sizeof(buf), 18), "SYN,ACK");
	NAMED(fmt_tcp_flags(buf, sizeof(buf), 17), "FIN,ACK");
	NAMED(fmt_tcp_flags(buf, sizeof(buf), 0xff), "SYN,FIN,RST,PSH,ACK,URG,ECE,CWR");
	NAMED(fmt_tcp_flags(buf, sizeof(buf), 0x101), "FIN,0x100");
	NAMED(fmt_msg_flags(buf, sizeof(buf), 0), "0");
	NAMED(fmt_msg_flags(buf, sizeof(buf), MSG_PEEK | MSG_WAITALL), "MSG_PEEK|MSG_WAITALL");
	NAMED(fmt_msg_flags(buf, sizeof(buf), MSG_NOSIGNAL | 0x80000), "MSG_NOSIGNAL|0x80000");
	NAMED(fmt_poll_events(buf, sizeof(buf), 0), "0");
	NAMED(fmt_poll_events(buf, sizeof(buf), EPOLLIN | EPOLLHUP), "IN|HUP");
	NAMED(fmt_poll_events(buf, sizeof(buf), EPOLLIN | EPOLLET), "IN|ET");
	NAMED(fmt_poll_events(buf, sizeof(buf), 0x20), "NVAL");
	assert_non_null(strstr(fmt_msg_flags(buf, sizeof(buf), ~0u), "MSG_CMSG_CLOEXEC"));
}

static void test_call_word(void **state)
{
	struct event_call c = { .call = CALL_SENDTO };

	(void)state;
	NAMED(call_word(&c), "send");
	c.tail_kind = TAIL_ADDR;
	NAMED(call_word(&c), "send");
	c.tail_count = 16;
	NAMED(call_word(&c), "sendto");
	c.call = CALL_RECVFROM;
	NAMED(call_word(&c), "recvfrom");
	c.tail_kind = TAIL_NONE;
	NAMED(call_word(&c), "recv");
	c.call = CALL_MAX;
	UNKNOWN(call_word(&c));
}

static void addr_is(struct ev_addr a, const char *text)
{
	char buf[64];

	assert_string_equal(fmt_addr(buf, sizeof(buf), &a), text);
}

static void test_addr_text(void **state)
{
	struct ev_addr none = { 0 }, unix_addr = { .family = AF_UNIX }, odd = { .family = 999 };

	(void)state;
	addr_is(ip4("127.0.0.1", 65430), "127.0.0.1:65430");
	addr_is(ip4("255.255.255.255", 65535), "255.255.255.255:65535");
	addr_is(ip4("0.0.0.0", 0), "0.0.0.0:0");
	addr_is(ip6("::1", 80), "[::1]:80");
	addr_is(ip6("::ffff:127.0.0.1", 80), "[::ffff:127.0.0.1]:80");
	addr_is(ip6("2001:db8:1111:2222:3333:4444:5555:6666", 1),
		"[2001:db8:1111:2222:3333:4444:5555:6666]:1");
	addr_is(none, "-");
	addr_is(unix_addr, "unix");
	addr_is(odd, "?");
}

static bool equal(struct ev_addr a, struct ev_addr b)
{
	assert_int_equal(addr_equal(&a, &b), addr_equal(&b, &a));
	return addr_equal(&a, &b);
}

static void test_addr_equal(void **state)
{
	struct ev_addr none = { 0 };

	(void)state;
	assert_true(equal(ip4("10.0.0.1", 5), ip4("10.0.0.1", 5)));
	assert_false(equal(ip4("10.0.0.1", 5), ip4("10.0.0.1", 6)));
	assert_false(equal(ip4("10.0.0.1", 5), ip4("10.0.0.2", 5)));
	assert_true(equal(ip4("10.0.0.1", 5), ip6("::ffff:10.0.0.1", 5)));
	assert_false(equal(ip4("10.0.0.1", 5), ip6("::ffff:10.0.0.1", 6)));
	assert_false(equal(ip4("10.0.0.1", 5), ip6("::ffff:10.0.0.2", 5)));
	assert_false(equal(ip4("10.0.0.1", 5), ip6("::10.0.0.1", 5)));
	assert_true(equal(ip6("::1", 5), ip6("::1", 5)));
	assert_false(equal(ip6("::1", 5), ip4("127.0.0.1", 5)));
	assert_false(equal(ip6("fe80::1", 5), ip6("fe80::2", 5)));
	assert_true(equal(none, none));
	assert_false(equal(none, ip4("0.0.0.0", 0)));
	assert_false(equal(ip6("::", 0), ip4("0.0.0.0", 0)));
}

static bool on_wire(struct ev_addr a, struct ev_addr as)
{
	struct ev_addr w = addr_on_wire(&a);

	return !memcmp(&w, &as, sizeof(w));
}

static void test_on_wire(void **state)
{
	(void)state;
	assert_true(on_wire(ip6("::ffff:10.0.0.1", 5), ip4("10.0.0.1", 5)));
	assert_true(on_wire(ip6("::10.0.0.1", 5), ip6("::10.0.0.1", 5)));
	assert_true(on_wire(ip6("fe80::1", 5), ip6("fe80::1", 5)));
	assert_true(on_wire(ip4("10.0.0.1", 5), ip4("10.0.0.1", 5)));
}

static bool loopback(struct ev_addr a)
{
	return addr_is_loopback(&a);
}

static void test_loopback(void **state)
{
	struct ev_addr unix_addr = { .family = AF_UNIX, .addr = { 127 } };

	(void)state;
	assert_true(loopback(ip4("127.0.0.1", 1)));
	assert_true(loopback(ip4("127.255.3.4", 1)));
	assert_false(loopback(ip4("128.0.0.1", 1)));
	assert_false(loopback(ip4("126.255.255.255", 1)));
	assert_true(loopback(ip6("::1", 1)));
	assert_true(loopback(ip6("::ffff:127.0.0.1", 1)));
	assert_true(loopback(ip6("::ffff:127.9.9.9", 1)));
	assert_false(loopback(ip6("::ffff:10.0.0.1", 1)));
	assert_false(loopback(ip6("::127.0.0.1", 1)));
	assert_false(loopback(ip6("::2", 1)));
	assert_false(loopback(ip6("::", 1)));
	assert_false(loopback(unix_addr));
}

static void test_sequence_wrap(void **state)
{
	(void)state;
	assert_int_equal(seq_diff(5, 0xfffffffb), 10);
	assert_int_equal(seq_diff(0xfffffffb, 5), -10);
	assert_int_equal(seq_diff(7, 7), 0);
	assert_true(seq_before(0xffffffff, 0));
	assert_false(seq_before(0, 0xffffffff));
	assert_true(seq_before(0x7ffffffe, 0x7fffffff));
	assert_true(seq_before(0, 0x7fffffff));
	assert_false(seq_before(0x7fffffff, 0));
	assert_false(seq_before(3, 3));
}

static void test_escaped(void **state)
{
	char buf[2048], all[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	fmt_escaped(buf, sizeof(buf), all, sizeof(all));
	for (i = 0; buf[i]; i++)
		assert_in_range(buf[i], ' ', '~');
	NAMED(fmt_escaped(buf, sizeof(buf), "a\nb\t\r", 5), "a\\nb\\t\\r");
	NAMED(fmt_escaped(buf, sizeof(buf), "\x1b[31m", 5), "\\x1b[31m");
	NAMED(fmt_escaped(buf, sizeof(buf), "\"\\", 2), "\\\"\\\\");
	NAMED(fmt_escaped(buf, sizeof(buf), "a\0b", 3), "a\\x00b");
	NAMED(fmt_escaped(buf, sizeof(buf), "\x7f\x80\xff", 3), "\\x7f\\x80\\xff");
	NAMED(fmt_escaped(buf, sizeof(buf), "", 0), "");
	/* a cut never leaves half an escape */
	NAMED(fmt_escaped(buf, 8,
			  "ab\x01"
			  "cd",
			  5),
	      "ab..");
	NAMED(fmt_escaped(buf, 9,
			  "ab\x01"
			  "cd",
			  5),
	      "ab\\x01cd");
	NAMED(fmt_escaped(buf, 9,
			  "ab\x01"
			  "cde",
			  6),
	      "ab\\x01..");
	NAMED(fmt_escaped(buf, 6, "abcdefg", 7), "abc..");
	NAMED(fmt_escaped(buf, 6, "abcde", 5), "abcde");
}

static void test_path(void **state)
{
	char buf[64];

	(void)state;
	NAMED(fmt_path(buf, sizeof(buf), "/tmp/s", 6), "/tmp/s");
	NAMED(fmt_path(buf, sizeof(buf), "\0name", 5), "@name");
	NAMED(fmt_path(buf, sizeof(buf), "\0a\0b", 4), "@a\\x00b");
	NAMED(fmt_path(buf, sizeof(buf), "\0", 1), "@");
	NAMED(fmt_path(buf, sizeof(buf), NULL, 0), "");
	NAMED(fmt_path(buf, sizeof(buf), "/t\033", 3), "/t\\x1b");
	NAMED(fmt_path(buf, 1, "\0name", 5), "");
	NAMED(fmt_path(buf, 2, "\0name", 5), "@");
}

/* Every formatter with every size from 0: terminated, nothing written behind the end. */
static void small(char *(*fmt)(char *buf, size_t size))
{
	char buf[256];
	size_t size, full;

	full = strlen(fmt(buf, sizeof(buf)));
	assert_in_range(full, 3, sizeof(buf) - 2);
	for (size = 0; size <= full + 1; size++) {
		memset(buf, '#', sizeof(buf));
		assert_ptr_equal(fmt(buf, size), buf);
		assert_int_equal(buf[size], '#');
		if (size)
			assert_in_range(strlen(buf), 0, size - 1);
	}
	assert_int_equal(strlen(fmt(buf, full + 1)), full);
}

static char *small_tcp(char *buf, size_t size)
{
	return fmt_tcp_flags(buf, size, 0xff);
}

static char *small_msg(char *buf, size_t size)
{
	return fmt_msg_flags(buf, size, MSG_PEEK | MSG_WAITALL | 0x80000);
}

static char *small_poll(char *buf, size_t size)
{
	return fmt_poll_events(buf, size, EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLET);
}

static char *small_addr4(char *buf, size_t size)
{
	struct ev_addr a = ip4("192.168.100.200", 65430);

	return fmt_addr(buf, size, &a);
}

static char *small_addr6(char *buf, size_t size)
{
	struct ev_addr a = ip6("2001:db8::1:2:3", 65430);

	return fmt_addr(buf, size, &a);
}

static char *small_escaped(char *buf, size_t size)
{
	return fmt_escaped(buf, size, "a\nb\x01\x02\"z", 7);
}

static char *small_path(char *buf, size_t size)
{
	return fmt_path(buf, size, "\0hidden\x01", 8);
}

static char *small_value(char *buf, size_t size)
{
	struct linger on = { 1, 5 };
	__u64 first8;

	memcpy(&first8, &on, sizeof(first8));
	return fmt_sockopt_value(buf, size, SOL_SOCKET, SO_LINGER, sizeof(on), first8);
}

static void test_small_buffers(void **state)
{
	(void)state;
	small(small_tcp);
	small(small_msg);
	small(small_poll);
	small(small_addr4);
	small(small_addr6);
	small(small_escaped);
	small(small_path);
	small(small_value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_enums),      cmocka_unit_test(test_kernel_tables),
		cmocka_unit_test(test_errors),	       cmocka_unit_test(test_sockopt_names),
		cmocka_unit_test(test_sockopt_values), cmocka_unit_test(test_flags),
		cmocka_unit_test(test_call_word),      cmocka_unit_test(test_addr_text),
		cmocka_unit_test(test_addr_equal),     cmocka_unit_test(test_on_wire),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_sequence_wrap),  cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_path),	       cmocka_unit_test(test_small_buffers),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
