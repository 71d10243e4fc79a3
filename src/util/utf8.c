/* SPDX-License-Identifier: MIT */
#include "utf8.h"

#include <string.h>

size_t utf8_len(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char from, to, second_min, second_max, len;
	} rows[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (s[0] < rows[i].from || s[0] > rows[i].to)
			continue;
		if (len < rows[i].len || s[1] < rows[i].second_min || s[1] > rows[i].second_max)
			return 0;
		for (k = 2; k < rows[i].len; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].len;
	}
	return 0;
}

size_t utf8_char(const unsigned char *s, size_t len, __u32 *code)
{
	size_t n = s[0] < 0x80 ? 1 : utf8_len(s, len), i;

	*code = n > 1 ? s[0] & (0x7f >> n) : s[0];
	for (i = 1; i < n; i++)
		*code = *code << 6 | (s[i] & 0x3f);
	return n;
}

bool utf8_valid(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	__u32 code;
	size_t n;

	for (; len; s += n, len -= n) {
		n = utf8_char(s, len, &code);
		if (!n)
			return false;
	}
	return true;
}

bool utf8_hidden(__u32 code)
{
	static const struct {
		__u32 from, to;
	} rows[] = {
		{ 0x00, 0x1f },	      /* control characters */
		{ 0x7f, 0x9f },	      /* DEL and C1, which terminals obey */
		{ 0xad, 0xad },	      /* soft hyphen */
		{ 0x61c, 0x61c },     /* Arabic letter mark */
		{ 0x180e, 0x180e },   /* Mongolian vowel separator */
		{ 0x200b, 0x200f },   /* zero width; marks of direction */
		{ 0x2028, 0x202e },   /* line separators; embeddings and overrides of direction */
		{ 0x2060, 0x206f },   /* invisible; isolates of direction */
		{ 0xfeff, 0xfeff },   /* byte order mark */
		{ 0xfff9, 0xfffb },   /* annotations */
		{ 0xe0000, 0xe0fff }, /* tags */
	};
	size_t i;

	if (code >= 0x20 && code < 0x7f)
		return false;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (code >= rows[i].from && code <= rows[i].to)
			return true;
	return false;
}

size_t utf8_cut(const char *text, size_t max)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len = strnlen(text, max + 1), at, n;
	__u32 code;

	if (len <= max)
		return len;
	/* The last character that begins in time, if it ends too late. */
	for (at = max; at && max - at < 3 && (s[at] & 0xc0) == 0x80; at--)
		;
	n = utf8_char(s + at, strnlen(text + at, 4), &code);
	return n > max - at ? at : max;
}

/* Bytes from the start that show as they are, without a look at what they mean. */
static size_t plain_len(const unsigned char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] >= 0x20 && s[n] < 0x7f)
		n++;
	return n;
}

void utf8_show(struct buf *b, const char *text, size_t len, const char *kept)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i, k, n;
	__u32 code;

	for (i = 0; i < len; i += n ? n : 1) {
		n = plain_len(s + i, len - i);
		if (n) {
			buf_add(b, s + i, n);
			continue;
		}
		n = utf8_char(s + i, len - i, &code);
		if (n && (!utf8_hidden(code) || (code && code < 0x80 && strchr(kept, (int)code))))
			buf_add(b, s + i, n);
		else
			for (k = 0; k < (n ? n : 1); k++)
				buf_printf(b, "\\x%02x", s[i + k]);
	}
}
