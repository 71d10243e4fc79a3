/* SPDX-License-Identifier: MIT */
/*
 * Hand-made records for tests: a call is CALL(CALL_SEND..., .fd = 3, ...), and with_*() puts a tail
 * behind it. Include after cmocka.h.
 */
#ifndef SOCKLENS_TESTS_RECORDS_H
#define SOCKLENS_TESTS_RECORDS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "event.h"

/* One call record with room for its tail, built up by the functions below. */
struct rec {
	struct event_call c;
	unsigned char tail[EVENT_TAIL_MAX];
};

#define CALL(number, ...)                                                                  \
	((struct rec){ .c = { .e = { .kind = EV_CALL, .size = sizeof(struct event_call) }, \
			      .call = (number),                                            \
			      __VA_ARGS__ } })

static inline struct rec with_tail(struct rec r, enum tail_kind kind, const void *tail, size_t len,
				   size_t count)
{
	assert_true(len <= sizeof(r.tail));
	memcpy(r.tail, tail, len);
	r.c.tail_kind = (__u8)kind;
	r.c.tail_len = (__u16)((len + 7) / 8 * 8);
	r.c.tail_count = (__u16)count;
	r.c.e.size = (__u16)(sizeof(r.c) + r.c.tail_len);
	return r;
}

static inline struct rec with_ip4(struct rec r, const char *host, unsigned int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	assert_int_equal(inet_pton(AF_INET, host, &sin.sin_addr), 1);
	return with_tail(r, TAIL_ADDR, &sin, sizeof(sin), sizeof(sin));
}

static inline struct rec with_ip6(struct rec r, const char *host, unsigned int port)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	assert_int_equal(inet_pton(AF_INET6, host, &sin6.sin6_addr), 1);
	return with_tail(r, TAIL_ADDR, &sin6, sizeof(sin6), sizeof(sin6));
}

static inline struct rec with_path(struct rec r, const char *path, size_t len)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	memcpy(un.sun_path, path, len);
	return with_tail(r, TAIL_ADDR, &un, sizeof(un), 2 + len);
}

static inline struct rec with_value(struct rec r, const void *value, size_t len)
{
	memcpy(&r.c.len, value, len < 8 ? len : 8);
	r.c.x[2] = (__u32)len;
	return r;
}

static inline struct rec with_polls(struct rec r, const struct poll_item *items, size_t kept,
				    size_t asked)
{
	r.c.len = asked;
	return with_tail(r, TAIL_POLL, items, kept * sizeof(*items), asked);
}

static inline struct event_gai gai_new(const char *node, const char *service)
{
	struct event_gai g = { .e = { .kind = EV_GAI, .size = sizeof(g) } };

	if (node)
		memcpy(g.node, node, strnlen(node, sizeof(g.node) - 1));
	if (service)
		memcpy(g.service, service, strnlen(service, sizeof(g.service) - 1));
	g.has_node = node != NULL;
	g.has_service = service != NULL;
	return g;
}

static inline void gai_answer(struct event_gai *g, int family, const char *host)
{
	struct ev_addr *a = &g->addrs[g->kept++].addr;

	a->family = (__u16)family;
	a->port = 65430;
	assert_int_equal(inet_pton(family, host, a->addr), 1);
	g->total++;
}

#endif
