/* SPDX-License-Identifier: MIT */
/* Untrusted bytes: every kind at every cut, every lie a record can tell, and the tails of calls. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "event/decode.h"

/* The sizes of the contract, written out a second time. */
static size_t size_of(unsigned int kind)
{
	switch (kind) {
	case EV_CALL:
		return 144;
	case EV_PROC:
		return 64;
	case EV_SOCK:
		return 288;
	case EV_FLOW:
		return 80;
	case EV_FD:
		return 32;
	case EV_GAI:
		return 920;
	case EV_SEGMENT:
		return 56;
	case EV_DOORBELL:
		return 24;
	default:
		return 104;
	}
}

/* A record in memory that ends where the allocation ends, so that sanitizers see any overrun. */
static void *exact(const void *record, size_t len)
{
	void *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, record, len);
	return copy;
}

static int check_cut(const void *record, size_t len)
{
	void *copy = exact(record, len);
	int ret = event_check(copy, len);

	free(copy);
	return ret;
}

static void every_cut(const void *record, size_t size)
{
	size_t len;

	for (len = 0; len < size; len++)
		assert_int_equal(check_cut(record, len), -EAGAIN);
	assert_int_equal(check_cut(record, size), (int)size);
}

static void test_kinds_and_cuts(void **state)
{
	__u64 buf[128];
	struct event *ev = (struct event *)buf;
	unsigned int kind;

	(void)state;
	for (kind = EV_NONE + 1; kind < EV_KIND_MAX; kind++) {
		memset(buf, 0, sizeof(buf));
		ev->kind = (__u8)kind;
		ev->size = (__u16)size_of(kind);
		every_cut(buf, ev->size);
		/* more bytes behind the record change nothing */
		assert_int_equal(event_check(buf, sizeof(buf)), ev->size);
	}
}

static void test_unknown_kinds(void **state)
{
	__u64 buf[64] = { 0 };
	struct event *ev = (struct event *)buf;
	unsigned int kind;

	(void)state;
	for (kind = EV_KIND_MAX; kind <= 255; kind++) {
		ev->kind = (__u8)kind;
		ev->size = 104;
		assert_int_equal(event_check(buf, sizeof(buf)), -EBADMSG);
	}
	ev->kind = EV_NONE;
	assert_int_equal(event_check(buf, sizeof(buf)), -EBADMSG);
}

static void test_wrong_sizes(void **state)
{
	static __u64 buf[65536 / 8 + 1];
	struct event *ev = (struct event *)buf;
	unsigned int kind, size;
	bool right;

	(void)state;
	for (kind = EV_NONE + 1; kind < EV_KIND_MAX; kind++) {
		ev->kind = (__u8)kind;
		for (size = 0; size <= UINT16_MAX; size++) {
			ev->size = (__u16)size;
			right = size == size_of(kind);
			if (kind == EV_CALL && size % 8 == 0 && size > 144 && size <= 144 + 128)
				right = true;
			assert_int_equal(event_check(buf, sizeof(buf)),
					 right ? (int)size : -EBADMSG);
		}
	}
}

static void test_misaligned(void **state)
{
	__u64 buf[8] = { 0 };
	struct event ev = { .kind = EV_DOORBELL, .size = 24 };
	size_t shift;

	(void)state;
	for (shift = 1; shift < 8; shift++) {
		memcpy((char *)buf + shift, &ev, sizeof(ev));
		assert_int_equal(event_check((char *)buf + shift, 32), -EBADMSG);
	}
}

/* A call with its tail. */
struct call_record {
	struct event_call c;
	unsigned char tail[EVENT_TAIL_MAX];
};

static struct call_record call_new(enum tail_kind kind, unsigned int count, const void *tail,
				   size_t len)
{
	struct call_record r = { 0 };

	memcpy(r.tail, tail, len);
	r.c.tail_len = (__u16)((len + 7) / 8 * 8);
	r.c.tail_kind = (__u8)kind;
	r.c.tail_count = (__u16)count;
	r.c.e.kind = EV_CALL;
	r.c.e.size = (__u16)(sizeof(r.c) + r.c.tail_len);
	return r;
}

static void test_call_tail_bounds(void **state)
{
	unsigned char zero[EVENT_TAIL_MAX] = { 0 };
	struct call_record r = call_new(TAIL_POLL, 3, zero, 24);
	unsigned int len;

	(void)state;
	every_cut(&r, r.c.e.size);
	for (len = 0; len <= UINT16_MAX; len++) {
		r.c.tail_len = (__u16)len;
		assert_int_equal(event_check(&r, sizeof(r)),
				 len <= 24 && len % 8 == 0 ? r.c.e.size : -EBADMSG);
	}
	r = call_new(TAIL_SELECT, 0, zero, 48);
	assert_int_equal(event_check(&r, sizeof(r)), 192);
	r.c.tail_len = 40;
	assert_int_equal(event_check(&r, sizeof(r)), -EBADMSG);
}

static void test_inner_promises(void **state)
{
	struct event_gai g = { .e = { .kind = EV_GAI, .size = sizeof(g) }, .kept = EVENT_GAI_ADDRS };
	struct event_sockinfo s = { .e = { .kind = EV_SOCK, .size = sizeof(s) }, .path_len = 112 };

	(void)state;
	assert_int_equal(event_check(&g, sizeof(g)), sizeof(g));
	g.kept = EVENT_GAI_ADDRS + 1;
	assert_int_equal(event_check(&g, sizeof(g)), -EBADMSG);
	g.kept = ~0u;
	assert_int_equal(event_check(&g, sizeof(g)), -EBADMSG);
	g.kept = 0;
	memset(g.node, 'a', sizeof(g.node));
	assert_int_equal(event_check(&g, sizeof(g)), -EBADMSG);
	g.node[63] = 0;
	memset(g.service, 'a', sizeof(g.service));
	assert_int_equal(event_check(&g, sizeof(g)), -EBADMSG);
	assert_int_equal(event_check(&s, sizeof(s)), sizeof(s));
	s.path_len = 113;
	assert_int_equal(event_check(&s, sizeof(s)), -EBADMSG);
}

/* Sums of times must not wrap, or who waits for one waits in circles. */
static void test_times_that_no_clock_tells(void **state)
{
	struct event_gai g = { .e = { .kind = EV_GAI, .size = sizeof(g) } };
	struct event_call c = { .e = { .kind = EV_CALL, .size = sizeof(c) } };

	(void)state;
	c.e.t_ns = c.t_enter = g.e.t_ns = g.t_enter = INT64_MAX;
	assert_int_equal(event_check(&c, sizeof(c)), sizeof(c));
	assert_int_equal(event_check(&g, sizeof(g)), sizeof(g));
	c.t_enter++;
	g.t_enter++;
	assert_int_equal(event_check(&c, sizeof(c)), -EBADMSG);
	assert_int_equal(event_check(&g, sizeof(g)), -EBADMSG);
	c.t_enter = 0;
	c.e.t_ns++;
	assert_int_equal(event_check(&c, sizeof(c)), -EBADMSG);
}

/* Noise under a valid head: never more than len is claimed, and the accessors stay inside. */
static void test_noise(void **state)
{
	struct call_record r;
	unsigned int seed = 20240501, round;
	struct ev_addr addr;
	const char *path;
	size_t len, i;
	int ret;

	(void)state;
	for (round = 0; round < 200000; round++) {
		for (i = 0; i < sizeof(r); i++)
			((unsigned char *)&r)[i] = (unsigned char)rand_r(&seed);
		r.c.e.kind = EV_CALL;
		r.c.e.size = (__u16)(144 + rand_r(&seed) % 18 * 8);
		r.c.tail_kind %= 6;
		r.c.tail_len = (__u16)(rand_r(&seed) % 18 * 8);
		ret = event_check(&r, sizeof(r));
		assert_true(ret == -EBADMSG || ret == r.c.e.size);
		if (ret < 0)
			continue;
		call_poll_items(&r.c, &len);
		assert_true(len * sizeof(struct poll_item) <= r.c.tail_len);
		call_epoll_items(&r.c, &len);
		assert_true(len * sizeof(struct epoll_item) <= r.c.tail_len);
		if (!call_addr(&r.c, &addr, &path, &len) && path)
			assert_true(path + len <= (char *)r.tail + r.c.tail_len);
	}
}

static void test_items(void **state)
{
	struct poll_item polls[2] = { { 3, 1, 0 }, { 4, 5, 1 } };
	struct epoll_item epolls[2] = { { .data = 7, .events = 1 }, { .data = 8, .events = 4 } };
	struct select_sets sets = { .in = { 8, 0, 0 }, .out = { 8, 0, 0 } };
	struct call_record r = call_new(TAIL_POLL, 9, polls, sizeof(polls));
	size_t count;

	(void)state;
	assert_int_equal(call_poll_items(&r.c, &count)[1].fd, 4);
	assert_int_equal(count, 2); /* nine were asked, two kept */
	assert_null(call_epoll_items(&r.c, &count));
	assert_int_equal(count, 0);
	assert_null(call_select_sets(&r.c));
	r.c.tail_count = 1; /* the rest is padding */
	call_poll_items(&r.c, &count);
	assert_int_equal(count, 1);
	r = call_new(TAIL_EPOLL, 2, epolls, sizeof(epolls));
	assert_int_equal(call_epoll_items(&r.c, &count)[1].data, 8);
	assert_int_equal(count, 2);
	r = call_new(TAIL_SELECT, 0, &sets, sizeof(sets));
	assert_int_equal(call_select_sets(&r.c)->out[0], 8);
}

static int addr_of(struct call_record *r, struct ev_addr *addr, const char **path, size_t *len)
{
	assert_int_equal(event_check(r, sizeof(*r)), r->c.e.size);
	return call_addr(&r->c, addr, path, len);
}

static void test_inet_addr(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(65430) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(0x1234) };
	struct call_record r;
	struct ev_addr addr;
	const char *path;
	size_t len;

	(void)state;
	inet_pton(AF_INET, "127.0.0.1", &sin.sin_addr);
	inet_pton(AF_INET6, "fe80::1", &sin6.sin6_addr);
	r = call_new(TAIL_ADDR, sizeof(sin), &sin, sizeof(sin));
	assert_int_equal(addr_of(&r, &addr, &path, &len), 0);
	assert_int_equal(addr.family, AF_INET);
	assert_int_equal(addr.port, 65430);
	assert_memory_equal(addr.addr, &sin.sin_addr, 4);
	assert_null(path);
	r = call_new(TAIL_ADDR, sizeof(sin6), &sin6, sizeof(sin6));
	assert_int_equal(addr_of(&r, &addr, &path, &len), 0);
	assert_int_equal(addr.port, 0x1234);
	assert_memory_equal(addr.addr, &sin6.sin6_addr, 16);
	/* shorter than the family needs: the family alone is believed */
	r.c.tail_count = 23;
	assert_int_equal(addr_of(&r, &addr, &path, &len), 0);
	assert_int_equal(addr.family, AF_INET6);
	assert_int_equal(addr.port, 0);
	r = call_new(TAIL_ADDR, 7, &sin, sizeof(sin));
	assert_int_equal(addr_of(&r, &addr, &path, &len), 0);
	assert_int_equal(addr.port, 0);
}

static void test_no_addr(void **state)
{
	struct call_record r = call_new(TAIL_ADDR, 1, "\2\0", 2);
	struct ev_addr addr;
	const char *path;
	size_t len;

	(void)state;
	assert_int_equal(addr_of(&r, &addr, &path, &len), -ENOENT);
	r.c.tail_count = 0;
	assert_int_equal(addr_of(&r, &addr, &path, &len), -ENOENT);
	r.c.tail_count = 16;
	r.c.tail_kind = TAIL_POLL;
	assert_int_equal(addr_of(&r, &addr, &path, &len), -ENOENT);
	r = call_new(TAIL_ADDR, 16, "", 0);
	assert_int_equal(addr_of(&r, &addr, &path, &len), -ENOENT);
	assert_int_equal(addr.family, 0);
}

static void unix_is(const char *sun_path, size_t path_bytes, const char *want, size_t want_len)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct call_record r;
	struct ev_addr addr;
	const char *path;
	size_t len;

	memcpy(un.sun_path, sun_path, path_bytes);
	r = call_new(TAIL_ADDR, 2 + path_bytes, &un, sizeof(un));
	assert_int_equal(addr_of(&r, &addr, &path, &len), 0);
	assert_int_equal(addr.family, AF_UNIX);
	assert_int_equal(len, want_len);
	assert_memory_equal(path, want, want_len);
}

static void test_unix_addr(void **state)
{
	char full[108];

	(void)state;
	memset(full, 'p', sizeof(full));
	unix_is("/tmp/s", 7, "/tmp/s", 6); /* with the terminating zero, as programs pass it */
	unix_is("/tmp/s", 6, "/tmp/s", 6); /* and without */
	unix_is("/tmp/s\0junk", 11, "/tmp/s", 6);
	unix_is("\0abs", 4, "\0abs", 4);
	unix_is("\0a\0b\0", 5, "\0a\0b\0", 5);
	unix_is("", 0, "", 0);
	unix_is(full, sizeof(full), full, sizeof(full));
}

static void test_layers(void **state)
{
	unsigned int kind;

	(void)state;
	assert_int_equal(event_layer(EV_CALL), LAYER_APP);
	assert_int_equal(event_layer(EV_GAI), LAYER_APP);
	assert_int_equal(event_layer(EV_PROC), LAYER_APP);
	assert_int_equal(event_layer(EV_SEGMENT), LAYER_WIRE);
	assert_int_equal(event_layer(EV_STATE), LAYER_KERNEL);
	assert_int_equal(event_layer(EV_RETRANSMIT), LAYER_KERNEL);
	for (kind = 0; kind < EV_KIND_MAX; kind++)
		assert_true(event_layer(kind) & LAYER_ALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_and_cuts),
		cmocka_unit_test(test_unknown_kinds),
		cmocka_unit_test(test_wrong_sizes),
		cmocka_unit_test(test_misaligned),
		cmocka_unit_test(test_call_tail_bounds),
		cmocka_unit_test(test_inner_promises),
		cmocka_unit_test(test_times_that_no_clock_tells),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_inet_addr),
		cmocka_unit_test(test_no_addr),
		cmocka_unit_test(test_unix_addr),
		cmocka_unit_test(test_layers),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
