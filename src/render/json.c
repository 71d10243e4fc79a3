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

/* What JSON, or a terminal that shows it, would take for something else than text. */
static void add_escaped(struct json *j, __u32 code)
{
	if (code == '"' || code == '\\')
		buf_printf(&j->buf, "\\%c", (char)code);
	else if (code <= 0xffff)
		buf_printf(&j->buf, "\\u%04x", code);
	else
		buf_printf(&j->buf, "\\u%04x\\u%04x", 0xd800 | (code - 0x10000) >> 10,
			   0xdc00 | (code & 0x3ff));
}

/* Most of all text: nothing has to be looked up for it. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void add_chars(struct json *j, const char *bytes, size_t len)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t i, n, plain = 0; /* from here on nothing needs escaping */
	__u32 code;

	for (i = 0; i < len; i += n ? n : 1) {
		n = 1;
		if (is_plain(s[i]))
			continue;
		n = utf8_char(s + i, len - i, &code);
		if (n && code != '"' && code != '\\' && !utf8_hidden(code))
			continue;
		buf_add(&j->buf, bytes + plain, i - plain);
		add_escaped(j, code);
		plain = i + (n ? n : 1);
	}
	buf_add(&j->buf, bytes + plain, len - plain);
}

static void add_string(struct json *j, const char *bytes, size_t len)
{
	buf_add(&j->buf, "\"", 1);
	add_chars(j, bytes, len);
	buf_add(&j->buf, "\"", 1);
}

/* The bytes themselves, as its text does not tell them. */
static void add_hex(struct json *j, const char *key, const char *bytes, size_t len)
{
	size_t i;

	buf_puts(&j->buf, ",\"");
	add_chars(j, key, strlen(key));
	buf_puts(&j->buf, "_hex\":\"");
	for (i = 0; i < len; i++)
		buf_printf(&j->buf, "%02x", (unsigned char)bytes[i]);
	buf_puts(&j->buf, "\"");
}

/* Remembers the key; false: it stands already. */
static bool is_new_key(struct json *j, const char *key, size_t len)
{
	unsigned int i;

	for (i = 0; i < j->n_keys; i++)
		if (j->keys[i].len == len && !memcmp(j->keys[i].text, key, len))
			return false;
	if (j->n_keys < JSON_KEYS)
		j->keys[j->n_keys++] = (struct json_key){ key, len };
	return true;
}

/* Comma and key in front of a value. False: this key stands already. */
static bool add_key(struct json *j, const char *key)
{
	size_t len = key ? strlen(key) : 0;

	if (key && j->depth == 1 && !is_new_key(j, key, len))
		return false;
	if (j->depth && !j->first[j->depth - 1])
		buf_add(&j->buf, ",", 1);
	if (j->depth)
		j->first[j->depth - 1] = false;
	if (key) {
		add_string(j, key, len);
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

/* size: how far from zero. */
static void add_quote(struct json *j, __u64 size)
{
	if (size > JSON_SAFE_MAX)
		buf_add(&j->buf, "\"", 1);
}

void json_u64(struct json *j, const char *key, __u64 value)
{
	if (!add_key(j, key))
		return;
	add_quote(j, value);
	buf_u64(&j->buf, value);
	add_quote(j, value);
}

void json_s64(struct json *j, const char *key, __s64 value)
{
	__u64 size = value < 0 ? 0 - (__u64)value : (__u64)value;

	if (!add_key(j, key))
		return;
	add_quote(j, size);
	buf_s64(&j->buf, value);
	add_quote(j, size);
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

void json_foreign(struct json *j, const char *key, const char *bytes, size_t len)
{
	if (!add_key(j, key))
		return;
	add_string(j, bytes, len);
	if (!utf8_valid(bytes, len))
		add_hex(j, key, bytes, len);
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
