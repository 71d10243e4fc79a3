/* SPDX-License-Identifier: MIT */
/*
 * From a record to words: the only formatting that depends on the kind of a record.
 * Renderers work on its two outputs: typed fields (JSON and the like) and the call as text.
 */
#ifndef SOCKLENS_EVENT_DESCRIBE_H
#define SOCKLENS_EVENT_DESCRIBE_H

#include <stddef.h>

#include "event.h"
#include "order.h"

enum field_type {
	FIELD_U64 = 1,
	FIELD_S64 = 2,
	FIELD_TEXT = 3, /* in text, printable ASCII already */
	FIELD_BYTES = 4, /* bytes[len] of a stranger: escape */
	FIELD_BOOL = 5,
	FIELD_LIST = 6, /* text: a list of words separated by ',' */
};

struct field {
	const char *key; /* as in JSON */
	enum field_type type;
	__u64 num; /* FIELD_S64: as two's complement */
	const char *bytes;
	size_t len;
	char text[1600]; /* the longest: 32 answers of getaddrinfo */
};

#define DESCRIBE_MAX 24

/* The fields of a record beyond those every line has. Returns how many were filled (<= DESCRIBE_MAX). */
size_t describe_fields(const struct event *ev, enum phase phase, struct field *fields);

/*
 * The call as a program would write it, short: "send(3, 14 B)", "connect(3, 127.0.0.1:65430)",
 * "setsockopt(3, SO_REUSEADDR, 1)", "poll(3:IN 4:IN, 100 ms)", "getaddrinfo("localhost", "65430")",
 * without result. For EV_CALL and EV_GAI; else "". Terminated; cut with ".." if it does not fit; returns buf.
 */
char *describe_call(char *buf, size_t size, const struct event *ev);

/* The result: "= 14", "= -1 ECONNREFUSED", "= 4", "= 3:IN|HUP", "= 127.0.0.1 [::1]" (getaddrinfo). */
char *describe_result(char *buf, size_t size, const struct event *ev);

#endif
