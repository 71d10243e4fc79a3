/* SPDX-License-Identifier: MIT */
/*
 * Phrases that a call's text, its result and its fields have in common. Private to describe*.c.
 */
#ifndef SOCKLENS_EVENT_DESCRIBE_PARTS_H
#define SOCKLENS_EVENT_DESCRIBE_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "../util/text.h"
#include "describe.h"
#include "event.h"

#define ADDR_TEXT 512 /* longest escaped AF_UNIX name: 108 bytes of four characters */

/* Address of a call as text, "" if it has none or an AF_UNIX socket without a name. */
char *fmt_call_addr(char *buf, size_t size, const struct event_call *c);

/* "O_RDWR|O_NONBLOCK": file status flags of fcntl(2), "0" for none. */
char *fmt_file_flags(char *buf, size_t size, unsigned int flags);
/* "SOCK_NONBLOCK|SOCK_CLOEXEC": what socket() and accept4() take, "0" for none. */
char *fmt_sock_flags(char *buf, size_t size, unsigned int flags);

/*
 * Descriptors of poll and select. ready = false: as asked for, true: as returned.
 * text_poll: "3:IN 4:IN|OUT"; text_select: "r:3,4 w:5". Return how many descriptors were added.
 */
size_t text_poll(struct text *t, const struct event_call *c, bool ready, const char *separator);
size_t text_select(struct text *t, const struct event_call *c, bool ready);
bool ret_is_restart(__s64 ret); /* the call is interrupted; the program sees it again, or EINTR */

/* Fields being filled: at[DESCRIBE_MAX]. Keys are constant strings, bytes point into the record. */
struct fields {
	struct field *at;
	size_t n;
};

void field_u64(struct fields *f, const char *key, __u64 num);
void field_s64(struct fields *f, const char *key, __s64 num);
void field_flag(struct fields *f, const char *key,
		bool set); /* only when set: absent means false */
void field_text(struct fields *f, const char *key, const char *text);
void field_bytes(struct fields *f, const char *key, const char *bytes, size_t len);
void field_addr(struct fields *f, const char *key, const struct ev_addr *addr); /* not when none */
/* An empty field of this type whose text the caller fills (FIELD_TEXT_SIZE bytes). */
char *field_new_text(struct fields *f, const char *key, enum field_type type);
#define FIELD_TEXT_SIZE sizeof(((struct field *)0)->text)
/* A name where there is one, else the number. */
void field_name(struct fields *f, const char *key, const char *name, unsigned int value);
/* Result of a call: an error becomes ret -1 and errno by name, as the program sees it. */
void field_ret(struct fields *f, __s64 ret);

void fields_of_call(struct fields *f, const struct event_call *c, enum phase phase);

#endif
