/* SPDX-License-Identifier: MIT */
/*
 * What a call gave back, as strace users know it: "= 14", "= -1 ECONNREFUSED", and behind it what
 * the kernel wrote into the program's memory.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "decode.h"
#include "describe.h"
#include "describe_parts.h"
#include "names.h"

static void add_error(struct text *t, __s64 ret)
{
	const char *name = ret >= INT32_MIN ? errno_name((int)ret) : "?";

	if (ret_is_restart(ret))
		text_printf(t, "= ? %s", name);
	else if (name[0] == '?')
		text_printf(t, "= -1 (errno %llu)", 0 - (unsigned long long)ret);
	else
		text_printf(t, "= -1 %s", name);
}

static void add_peer(struct text *t, const struct event_call *c)
{
	char addr[ADDR_TEXT];

	if (fmt_call_addr(addr, sizeof(addr), c)[0])
		text_printf(t, " from %s", addr);
}

static void add_name(struct text *t, const struct event_call *c)
{
	char addr[ADDR_TEXT];

	text_printf(t, ", %s", fmt_call_addr(addr, sizeof(addr), c)[0] ? addr : "no name");
}

static void add_option(struct text *t, const struct event_call *c)
{
	char value[64];

	fmt_sockopt_value(value, sizeof(value), c->x[0], c->x[1], c->x[2], c->len);
	text_printf(t, ", %s%s", strspn(value, "-0123456789") == strlen(value) ? "value " : "",
		    value);
}

static void add_file_flags(struct text *t, const struct event_call *c)
{
	char flags[128];

	if (c->x[0] == F_GETFL)
		text_printf(t, " (%s)", fmt_file_flags(flags, sizeof(flags), (unsigned int)c->ret));
	else if (c->x[0] == F_GETFD && c->ret & FD_CLOEXEC)
		text_add(t, " (FD_CLOEXEC)");
}

static size_t add_epoll(struct text *t, const struct event_call *c)
{
	const struct epoll_item *items;
	char events[128];
	size_t i, count;

	items = call_epoll_items(c, &count);
	for (i = 0; i < count; i++) /* by custom, the low half of data is the descriptor */
		text_printf(t, "%s%s on %d", i ? ", " : "",
			    fmt_poll_events(events, sizeof(events), items[i].events),
			    (int)(__u32)items[i].data);
	return count;
}

static size_t add_ready_items(struct text *t, const struct event_call *c)
{
	if (c->call == CALL_POLL || c->call == CALL_PPOLL)
		return text_poll(t, c, true, " ");
	if (c->call == CALL_SELECT || c->call == CALL_PSELECT6)
		return text_select(t, c, true);
	return add_epoll(t, c);
}

static void add_ready(struct text *t, const struct event_call *c)
{
	char items[1024];
	struct text inner;

	if (!c->ret) {
		text_add(t, c->x[0] ? " (timed out)" : " (nothing ready)");
		return;
	}
	text_start(&inner, items, sizeof(items));
	if (add_ready_items(&inner, c))
		text_printf(t, " (%s)", items);
}

static void add_pair(struct text *t, const struct event_call *c)
{
	text_printf(t, ", %d and %d", c->fd, (int)c->x[3]);
}

static void add_moved(struct text *t, const struct event_call *c)
{
	text_printf(t, " (%llu B)", (unsigned long long)c->len);
}

/* What follows the number of a call that went well; NULL: nothing. */
static void (*const call_details[])(struct text *t, const struct event_call *c) = {
	[CALL_SOCKETPAIR] = add_pair,	[CALL_ACCEPT] = add_peer,
	[CALL_ACCEPT4] = add_peer,	[CALL_SENDMMSG] = add_moved,
	[CALL_RECVFROM] = add_peer,	[CALL_RECVMSG] = add_peer,
	[CALL_RECVMMSG] = add_moved,	[CALL_FCNTL] = add_file_flags,
	[CALL_GETSOCKOPT] = add_option, [CALL_GETSOCKNAME] = add_name,
	[CALL_GETPEERNAME] = add_name,	[CALL_POLL] = add_ready,
	[CALL_PPOLL] = add_ready,	[CALL_SELECT] = add_ready,
	[CALL_PSELECT6] = add_ready,	[CALL_EPOLL_WAIT] = add_ready,
	[CALL_EPOLL_PWAIT] = add_ready, [CALL_EPOLL_PWAIT2] = add_ready,
	[CALL_MAX - 1] = NULL,
};
static_assert(sizeof(call_details) / sizeof(call_details[0]) == CALL_MAX, "one for every call");

static void result_of_call(struct text *t, const struct event_call *c)
{
	if (c->cflags & (CALLF_PENDING | CALLF_BY_EXIT | CALLF_BY_EXEC))
		return;
	if (c->cflags & CALLF_KILLED) {
		text_add(t, "= ? (never returned: the thread ended)");
		return;
	}
	if (c->ret < 0) {
		add_error(t, c->ret);
		return;
	}
	text_printf(t, "= %lld", (long long)c->ret);
	if (c->call < CALL_MAX && call_details[c->call])
		call_details[c->call](t, c);
}

/* The same host, the answers' ports and socket types aside. */
static bool same_host(const struct ev_addr *a, const struct ev_addr *b)
{
	return a->family == b->family && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static void add_host(struct text *t, const struct ev_addr *addr)
{
	char host[64], *colon;

	fmt_addr(host, sizeof(host), addr);
	colon = strrchr(host, ':'); /* the port is the question's, not an answer */
	if (colon)
		*colon = '\0';
	text_printf(t, " %s", host);
}

/* Without a socket type in the hints, each host comes once per type, one after the other. */
static void result_of_gai(struct text *t, const struct event_gai *g)
{
	__u32 i;

	if (g->cflags & CALLF_PENDING)
		return;
	if (g->cflags & CALLF_KILLED) {
		text_add(t, "= ? (never returned: the thread ended)");
		return;
	}
	if (g->ret) {
		if (gai_error_name(g->ret)[0] == '?')
			text_printf(t, "= %d", g->ret);
		else
			text_printf(t, "= %s", gai_error_name(g->ret));
		return;
	}
	text_add(t, "=");
	for (i = 0; i < g->kept; i++)
		if (!i || !same_host(&g->addrs[i - 1].addr, &g->addrs[i].addr))
			add_host(t, &g->addrs[i].addr);
	if (g->total > g->kept)
		text_printf(t, " +%u more", g->total - g->kept);
}

char *describe_result(char *buf, size_t size, const struct event *ev)
{
	struct text t;

	text_start(&t, buf, size);
	if (ev->kind == EV_CALL)
		result_of_call(&t, (const struct event_call *)ev);
	else if (ev->kind == EV_GAI)
		result_of_gai(&t, (const struct event_gai *)ev);
	return buf;
}
