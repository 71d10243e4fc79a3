/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <math.h>
#include <string.h>

#include "../util/utf8.h"

#define JSON_SAFE_MAX ((1ull << 53) - 1)

void json_reset(struct json *j)
{
	buf_reset(&j->buf);
	j->depth = 0;
	j->n_keys = 0;
}

void json_free(struct json *j)
{
	buf_free(&j->buf);
}

static void add_string(struct json *j, const char *bytes, size_t len)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t i = 0, n;

	buf_add(&j->buf, "\"", 1);
	while (i < len) {
		n = s[i] >= 0x20 && s[i] < 0x7f ? 1 : utf8_len(s + i, len - i);
		if (n && s[i] != '"' && s[i] != '\\')
			buf_add(&j->buf, bytes + i, n);
		else if (n)
			buf_printf(&j->buf, "\\%c", s[i]);
		else
			buf_printf(&j->buf, "\\u%04x", s[i]);
		i += n ? n : 1;
	}
	buf_add(&j->buf, "\"", 1);
}

/* Comma and key in front of a value. False: this key stands already. */
static bool add_key(struct json *j, const char *key)
{
	unsigned int i;

	if (key && j->depth == 1) {
		for (i = 0; i < j->n_keys; i++)
			if (!strcmp(j->keys[i], key))
				return false;
		if (j->n_keys < JSON_KEYS)
			j->keys[j->n_keys++] = key;
	}
	if (j->depth && !j->first[j->depth - 1])
		buf_add(&j->buf, ",", 1);
	if (j->depth)
		j->first[j->depth - 1] = false;
	if (key) {
		add_string(j, key, strlen(key));
		buf_add(&j->buf, ":", 1);
	}
	return true;
}

static void open_level(struct json *j, const char *key, const char *bracket)
{
	add_key(j, key);
	buf_add(&j->buf, bracket, 1);
	if (j->depth < JSON_DEPTH)
		j->first[j->depth++] = true;
}

static void close_level(struct json *j, const char *bracket)
{
	if (j->depth)
		j->depth--;
	buf_add(&j->buf, bracket, 1);
}

void json_object(struct json *j, const char *key)
{
	open_level(j, key, "{");
}

void json_end_object(struct json *j)
{
	close_level(j, "}");
}

void json_list(struct json *j, const char *key)
{
	open_level(j, key, "[");
}

void json_end_list(struct json *j)
{
	close_level(j, "]");
}

void json_u64(struct json *j, const char *key, __u64 value)
{
	const char *quote = value > JSON_SAFE_MAX ? "\"" : "";

	if (add_key(j, key))
		buf_printf(&j->buf, "%s%llu%s", quote, (unsigned long long)value, quote);
}

void json_s64(struct json *j, const char *key, __s64 value)
{
	__u64 size = value < 0 ? 0 - (__u64)value : (__u64)value;
	const char *quote = size > JSON_SAFE_MAX ? "\"" : "";

	if (add_key(j, key))
		buf_printf(&j->buf, "%s%lld%s", quote, (long long)value, quote);
}

void json_bool(struct json *j, const char *key, bool value)
{
	if (add_key(j, key))
		buf_puts(&j->buf, value ? "true" : "false");
}

void json_text(struct json *j, const char *key, const char *text)
{
	if (add_key(j, key))
		add_string(j, text ? text : "", text ? strlen(text) : 0);
}

void json_bytes(struct json *j, const char *key, const char *bytes, size_t len)
{
	if (add_key(j, key))
		add_string(j, bytes, len);
}

void json_real(struct json *j, const char *key, double value)
{
	if (!isfinite(value))
		json_null(j, key);
	else if (add_key(j, key))
		buf_printf(&j->buf, "%.17g", value);
}

void json_null(struct json *j, const char *key)
{
	if (add_key(j, key))
		buf_puts(&j->buf, "null");
}
