/* SPDX-License-Identifier: MIT */
/* UTF-8 of strangers: what is a character, what is seen, where text may be cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/utf8.h"

/* RFC 3629, section 3. */
static size_t encode(unsigned char *s, __u32 code)
{
	if (code < 0x80) {
		s[0] = (unsigned char)code;
		return 1;
	}
	if (code < 0x800) {
		s[0] = (unsigned char)(0xc0 | code >> 6);
		s[1] = (unsigned char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		s[0] = (unsigned char)(0xe0 | code >> 12);
		s[1] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
		s[2] = (unsigned char)(0x80 | (code & 0x3f));
		return 3;
	}
	s[0] = (unsigned char)(0xf0 | code >> 18);
	s[1] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
	s[2] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
	s[3] = (unsigned char)(0x80 | (code & 0x3f));
	return 4;
}

static void test_every_character(void **state)
{
	unsigned char s[4];
	__u32 code, got;
	size_t n, cut;

	(void)state;
	for (code = 0; code < 0x110000; code++) {
		n = encode(s, code);
		if (code >= 0xd800 && code < 0xe000) { /* surrogates are no characters */
			assert_int_equal(utf8_char(s, n, &got), 0);
			continue;
		}
		assert_int_equal(utf8_char(s, n, &got), n);
		assert_int_equal(got, code);
		for (cut = 1; cut < n; cut++)
			assert_int_equal(utf8_char(s, cut, &got), 0);
		assert_int_equal(got, n > 1 ? s[0] : code);
	}
	assert_true(utf8_valid("a\xc3\xa9", 3));
	assert_false(utf8_valid("a\xc3\xa9", 2));
	assert_true(utf8_valid("", 0));
}

static void test_what_is_hidden(void **state)
{
	static const __u32 hidden[] = { 0,	'\n',	0x1b,	0x7f,	0x80,	0x9b,
					0x9f,	0x61c,	0x200e, 0x200f, 0x2028, 0x202a,
					0x202e, 0x2066, 0x2069, 0xfeff };
	static const __u32 shown[] = { ' ', '~', 0xa0, 0xe9, 0x5d0, 0x20ac, 0x1f600 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		assert_true(utf8_hidden(hidden[i]));
	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		assert_false(utf8_hidden(shown[i]));
}

static void test_cut(void **state)
{
	(void)state;
	assert_int_equal(utf8_cut("abc", 3), 3);
	assert_int_equal(utf8_cut("abc", 9), 3);
	assert_int_equal(utf8_cut("abc", 2), 2);
	assert_int_equal(utf8_cut("a\xe2\x82\xac", 4), 4);
	assert_int_equal(utf8_cut("a\xe2\x82\xac", 3), 1);
	assert_int_equal(utf8_cut("a\xe2\x82\xac", 2), 1);
	assert_int_equal(utf8_cut("\xf0\x9f\x98\x80", 3), 0);
	assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80", 3), 3); /* no character at all */
	assert_int_equal(utf8_cut("", 0), 0);
}

static void shows(const char *text, size_t len, const char *kept, const char *want)
{
	struct buf b = { 0 };

	utf8_show(&b, text, len, kept);
	assert_string_equal(b.data, want);
	buf_free(&b);
}

static void test_show(void **state)
{
	(void)state;
	shows("a\xc3\xa9\x1b[2J\n", 8, "", "a\xc3\xa9\\x1b[2J\\x0a");
	shows("\t\n\r\0", 4, "\n\t", "\t\n\\x0d\\x00");
	shows("\xc2\x9b\xe2\x80\xae\xe2\x82", 7, "", "\\xc2\\x9b\\xe2\\x80\\xae\\xe2\\x82");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_character),
		cmocka_unit_test(test_what_is_hidden),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_show),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
