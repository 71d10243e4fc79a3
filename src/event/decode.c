/* SPDX-License-Identifier: MIT */
/*
 * Everything that comes from the ring or from a file passes event_check() once; after that, code
 * may trust sizes and counts, but no value. event_check() itself trusts nothing but len.
 */
#include "decode.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define RECORD_ALIGN 8

/* Bytes of a record's fixed part; 0: no such kind. */
static const __u16 kind_sizes[] = {
	[EV_CALL] = sizeof(struct event_call),
	[EV_PROC] = sizeof(struct event_proc),
	[EV_SOCK] = sizeof(struct event_sockinfo),
	[EV_FLOW] = sizeof(struct event_flow),
	[EV_FD] = sizeof(struct event_fd),
	[EV_GAI] = sizeof(struct event_gai),
	[EV_SEGMENT] = sizeof(struct event_segment),
	[EV_STATE] = sizeof(struct event_sock),
	[EV_SENT] = sizeof(struct event_sock),
	[EV_RECEIVED] = sizeof(struct event_sock),
	[EV_DATA_READY] = sizeof(struct event_sock),
	[EV_ACK] = sizeof(struct event_sock),
	[EV_RETRANSMIT] = sizeof(struct event_sock),
	[EV_SYNACK_RETRANS] = sizeof(struct event_sock),
	[EV_RST_SENT] = sizeof(struct event_sock),
	[EV_RST_RECEIVED] = sizeof(struct event_sock),
	[EV_SOCK_ERROR] = sizeof(struct event_sock),
	[EV_DESTROY] = sizeof(struct event_sock),
	[EV_RCVQ_FULL] = sizeof(struct event_sock),
	[EV_UDP_DROP] = sizeof(struct event_sock),
	[EV_SKB_DROP] = sizeof(struct event_sock),
	[EV_FIN_QUEUED] = sizeof(struct event_sock),
	[EV_FIN_RECEIVED] = sizeof(struct event_sock),
	[EV_DOORBELL] = sizeof(struct event),
	[EV_SOCK_CLOSED] = sizeof(struct event_sock),
	[EV_LEVELS] = sizeof(struct event_sock),
};
static_assert(sizeof(kind_sizes) / sizeof(kind_sizes[0]) == EV_KIND_MAX, "a size for every kind");

/* A call may have its tail, and behind it room that it did not use. */
static size_t kind_size_max(unsigned int kind)
{
	return kind_sizes[kind] + (kind == EV_CALL ? EVENT_TAIL_MAX : 0);
}

/* The boot clock is signed: no moment is later, and moments a while later do not wrap. */
static bool is_time(__u64 t_ns)
{
	return t_ns <= INT64_MAX;
}

static int check_call(const struct event_call *c)
{
	if (!is_time(c->t_enter))
		return -EBADMSG;
	if (c->tail_len % RECORD_ALIGN || sizeof(*c) + c->tail_len > c->e.size)
		return -EBADMSG;
	if (c->tail_kind == TAIL_SELECT && c->tail_len < sizeof(struct select_sets))
		return -EBADMSG;
	return 0;
}

static int check_gai(const struct event_gai *g)
{
	if (g->kept > EVENT_GAI_ADDRS || !is_time(g->t_enter))
		return -EBADMSG;
	if (!memchr(g->node, 0, sizeof(g->node)) || !memchr(g->service, 0, sizeof(g->service)))
		return -EBADMSG;
	return 0;
}

/* Promises inside the record; the whole of it is known to be there. */
static int check_body(const struct event *ev)
{
	switch ((enum event_kind)ev->kind) {
	case EV_CALL:
		return check_call((const struct event_call *)ev);
	case EV_GAI:
		return check_gai((const struct event_gai *)ev);
	case EV_SOCK: {
		const struct event_sockinfo *s = (const struct event_sockinfo *)ev;

		return s->path_len > sizeof(s->path) ? -EBADMSG : 0;
	}
	case EV_NONE:
	case EV_KIND_MAX:
		return -EBADMSG;
	case EV_PROC:
	case EV_FLOW:
	case EV_FD:
	case EV_SEGMENT:
	case EV_STATE:
	case EV_SENT:
	case EV_RECEIVED:
	case EV_DATA_READY:
	case EV_ACK:
	case EV_RETRANSMIT:
	case EV_SYNACK_RETRANS:
	case EV_RST_SENT:
	case EV_RST_RECEIVED:
	case EV_SOCK_ERROR:
	case EV_DESTROY:
	case EV_RCVQ_FULL:
	case EV_UDP_DROP:
	case EV_SKB_DROP:
	case EV_FIN_QUEUED:
	case EV_FIN_RECEIVED:
	case EV_DOORBELL:
	case EV_SOCK_CLOSED:
	case EV_LEVELS:
		return 0;
	}
	return -EBADMSG;
}

int event_check(const void *buf, size_t len)
{
	const struct event *ev = buf;
	int err;

	if ((uintptr_t)buf % RECORD_ALIGN)
		return -EBADMSG;
	if (len < sizeof(*ev))
		return -EAGAIN;
	if (ev->kind >= EV_KIND_MAX || !kind_sizes[ev->kind])
		return -EBADMSG;
	if (ev->size % RECORD_ALIGN || ev->size < kind_sizes[ev->kind] ||
	    ev->size > kind_size_max(ev->kind))
		return -EBADMSG;
	if (ev->size > len)
		return -EAGAIN;
	if (!is_time(ev->t_ns))
		return -EBADMSG;
	err = check_body(ev);
	return err ? err : ev->size;
}

enum layer event_layer(enum event_kind kind)
{
	switch (kind) {
	case EV_CALL:
	case EV_PROC:
	case EV_FD:
	case EV_GAI:
		return LAYER_APP;
	case EV_FLOW:
	case EV_SEGMENT:
		return LAYER_WIRE;
	case EV_NONE:
	case EV_KIND_MAX:
	case EV_SOCK:
	case EV_STATE:
	case EV_SENT:
	case EV_RECEIVED:
	case EV_DATA_READY:
	case EV_ACK:
	case EV_RETRANSMIT:
	case EV_SYNACK_RETRANS:
	case EV_RST_SENT:
	case EV_RST_RECEIVED:
	case EV_SOCK_ERROR:
	case EV_DESTROY:
	case EV_RCVQ_FULL:
	case EV_UDP_DROP:
	case EV_SKB_DROP:
	case EV_FIN_QUEUED:
	case EV_FIN_RECEIVED:
	case EV_DOORBELL:
	case EV_SOCK_CLOSED:
	case EV_LEVELS:
		return LAYER_KERNEL;
	}
	return LAYER_KERNEL;
}

/* Start of the tail if it is of this kind, and how many whole items of that size are there. */
static const void *call_tail(const struct event_call *c, enum tail_kind kind, size_t item,
			     size_t *count)
{
	size_t present = c->tail_len / item;

	*count = c->tail_count < present ? c->tail_count : present;
	if (c->tail_kind == kind)
		return c + 1;
	*count = 0;
	return NULL;
}

const struct poll_item *call_poll_items(const struct event_call *c, size_t *count)
{
	return call_tail(c, TAIL_POLL, sizeof(struct poll_item), count);
}

const struct epoll_item *call_epoll_items(const struct event_call *c, size_t *count)
{
	return call_tail(c, TAIL_EPOLL, sizeof(struct epoll_item), count);
}

const struct select_sets *call_select_sets(const struct event_call *c)
{
	size_t count;

	return call_tail(c, TAIL_SELECT, sizeof(struct select_sets), &count);
}

/* The wire order of a sockaddr's port is undone here and nowhere else. */
static __u16 sockaddr_port(const unsigned char *sa)
{
	return (__u16)(sa[2] << 8 | sa[3]);
}

/*
 * sun_path: a file name ends at its first zero byte, if it has one; an abstract name starts with a
 * zero byte and every byte counts (unix(7)).
 */
static void unix_path(const char *sa, size_t len, const char **path, size_t *path_len)
{
	*path = sa + sizeof(sa_family_t);
	*path_len = len - sizeof(sa_family_t);
	if (*path_len && (*path)[0])
		*path_len = strnlen(*path, *path_len);
}

int call_addr(const struct event_call *c, struct ev_addr *addr, const char **path, size_t *path_len)
{
	const unsigned char *sa;
	sa_family_t family;
	size_t len;

	*addr = (struct ev_addr){ 0 };
	*path = NULL;
	*path_len = 0;
	sa = call_tail(c, TAIL_ADDR, 1, &len);
	if (!sa || len < sizeof(family))
		return -ENOENT;
	memcpy(&family, sa, sizeof(family));
	addr->family = family;
	if (family == AF_INET && len >= 8) {
		addr->port = sockaddr_port(sa);
		memcpy(addr->addr, sa + 4, 4);
	} else if (family == AF_INET6 && len >= 24) {
		addr->port = sockaddr_port(sa);
		memcpy(addr->addr, sa + 8, 16);
	} else if (family == AF_UNIX) {
		unix_path((const char *)sa, len, path, path_len);
	}
	return 0;
}
