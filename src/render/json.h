/* SPDX-License-Identifier: MIT */
/*
 * Writes one JSON object after the other into a buffer. Keys come in the order they are added, and
 * each only once in its object: the first one stands. Integers beyond 2^53 - 1, which readers that
 * keep numbers as doubles would bend, become strings. Text may hold any byte: what is valid UTF-8
 * stays that text, in which quote, backslash and what a terminal would not show (utf8_hidden()) are
 * escaped; any other byte 0xXX becomes \u00XX, and json_foreign() adds the bytes themselves.
 */
#ifndef SOCKLENS_RENDER_JSON_H
#define SOCKLENS_RENDER_JSON_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "../util/buf.h"

#define JSON_DEPTH 8
#define JSON_KEYS 96 /* keys remembered per line */

/* Must live as long as the line. */
struct json_key {
	const char *text;
	size_t len;
};

struct json {
	struct buf buf;
	unsigned int depth;
	bool first[JSON_DEPTH];		/* nothing in this object yet */
	struct json_key keys[JSON_KEYS]; /* of the outermost object */
	unsigned int n_keys;
};

void json_reset(struct json *j); /* empty, memory kept */
void json_free(struct json *j);

/* key NULL: the outermost object, or an item of a list. */
void json_object(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_list(struct json *j, const char *key);
void json_end_list(struct json *j);

void json_u64(struct json *j, const char *key, __u64 value);
void json_s64(struct json *j, const char *key, __s64 value);
void json_real(struct json *j, const char *key, double value); /* null where it is no number */
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
void json_text(struct json *j, const char *key, const char *text); /* NULL: "" */
void json_bytes(struct json *j, const char *key, const char *bytes, size_t len);
/* The same, of a stranger: bytes that are not all UTF-8 stand once more, in hex, under KEY_hex. */
void json_foreign(struct json *j, const char *key, const char *bytes, size_t len);

#endif
