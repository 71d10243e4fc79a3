/* SPDX-License-Identifier: MIT */
/*
 * From untrusted bytes to a record one may read: bounds, kinds, sizes.
 */
#ifndef SOCKLENS_EVENT_DECODE_H
#define SOCKLENS_EVENT_DECODE_H

#include <stddef.h>

#include "event.h"

/*
 * Check one record at the start of buf (8-byte aligned). Returns its size in bytes (> 0) when
 * every fixed field and every tail it promises lies inside len and its kind is known,
 * -EAGAIN when len ends before the record does, -EBADMSG when it is malformed.
 */
int event_check(const void *buf, size_t len);

/* Layer of a kind: what --layer chooses between. */
enum layer { LAYER_APP = 1, LAYER_KERNEL = 2, LAYER_WIRE = 4 };
#define LAYER_ALL (LAYER_APP | LAYER_KERNEL | LAYER_WIRE)
enum layer event_layer(enum event_kind kind);

/* Tail of a call, NULL unless it is of that kind. count = items really present. */
const struct poll_item *call_poll_items(const struct event_call *c, size_t *count);
const struct epoll_item *call_epoll_items(const struct event_call *c, size_t *count);
const struct select_sets *call_select_sets(const struct event_call *c);

/*
 * Address of a call's tail (bind, connect, accept, sendto, recvfrom, getsockname, ...).
 * Fills *addr for AF_INET and AF_INET6, else family only; for AF_UNIX *path points into the
 * record (not terminated) with *path_len bytes. Returns 0, or -ENOENT without an address.
 */
int call_addr(const struct event_call *c, struct ev_addr *addr, const char **path, size_t *path_len);

#endif
