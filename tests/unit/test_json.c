/* SPDX-License-Identifier: MIT */
/* The JSON writer: its bytes, and what an independent parser makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/json.h"

static void assert_json(struct json *j, const char *want)
{
	assert_int_equal(j->buf.err, 0);
	assert_string_equal(j->buf.data, want);
	json_free(j);
}

static void assert_text(const char *bytes, size_t len, const char *want)
{
	struct json j = { 0 };

	json_object(&j, NULL);
	json_bytes(&j, "s", bytes, len);
	json_end_object(&j);
	assert_json(&j, want);
}

static void test_structure(void **state)
{
	struct json j = { 0 };

	(void)state;
	json_object(&j, NULL);
	json_u64(&j, "a", 1);
	json_object(&j, "b");
	json_s64(&j, "a", -2);
	json_end_object(&j);
	json_list(&j, "c");
	json_text(&j, NULL, "x");
	json_text(&j, NULL, NULL);
	json_end_list(&j);
	json_list(&j, "d");
	json_end_list(&j);
	json_bool(&j, "e", true);
	json_end_object(&j);
	assert_json(&j, "{\"a\":1,\"b\":{\"a\":-2},\"c\":[\"x\",\"\"],\"d\":[],\"e\":true}");
}

static void test_first_of_a_key_stands(void **state)
{
	struct json j = { 0 };

	(void)state;
	json_object(&j, NULL);
	json_u64(&j, "seq", 1);
	json_u64(&j, "seq", 4000000000u);
	json_text(&j, "seq", "x");
	json_end_object(&j);
	assert_json(&j, "{\"seq\":1}");
}

static void test_numbers_beyond_doubles(void **state)
{
	struct json j = { 0 };

	(void)state;
	json_object(&j, NULL);
	json_u64(&j, "a", (1ull << 53) - 1);
	json_u64(&j, "b", 1ull << 53);
	json_u64(&j, "c", UINT64_MAX);
	json_s64(&j, "d", INT64_MIN);
	json_s64(&j, "e", -((1ll << 53) - 1));
	json_end_object(&j);
	assert_json(&j, "{\"a\":9007199254740991,\"b\":\"9007199254740992\","
			"\"c\":\"18446744073709551615\",\"d\":\"-9223372036854775808\","
			"\"e\":-9007199254740991}");
}

static void test_escapes(void **state)
{
	(void)state;
	assert_text("a\"b\\c\n\t\0\x1b\x7f", 10,
		    "{\"s\":\"a\\\"b\\\\c\\u000a\\u0009\\u0000\\u001b\\u007f\"}");
	assert_text("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 12,
		    "{\"s\":\"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"}");
}

/* Bytes that are no UTF-8 become the character of their value; nothing beyond len is looked at. */
static void test_invalid_utf8(void **state)
{
	(void)state;
	assert_text("\xff", 1, "{\"s\":\"\\u00ff\"}");
	assert_text("\xc3\xa9", 1, "{\"s\":\"\\u00c3\"}");
	assert_text("\xc0\x80", 2, "{\"s\":\"\\u00c0\\u0080\"}");	     /* overlong */
	assert_text("\xed\xa0\x80", 3, "{\"s\":\"\\u00ed\\u00a0\\u0080\"}"); /* surrogate */
	assert_text("\xf4\x90\x80\x80", 4, "{\"s\":\"\\u00f4\\u0090\\u0080\\u0080\"}");
	assert_text("\xe2\x82x", 3, "{\"s\":\"\\u00e2\\u0082x\"}");
	assert_text("\xf0\x9f\x98", 3, "{\"s\":\"\\u00f0\\u009f\\u0098\"}");
}

/* No terminal obeys, hides or turns around what JSON says. */
static void test_hidden_characters_are_escaped(void **state)
{
	(void)state;
	assert_text("\xc2\x9b|\xc2\xa0", 5, "{\"s\":\"\\u009b|\xc2\xa0\"}");
	assert_text("\xe2\x80\xae|\xe2\x81\xa6", 7, "{\"s\":\"\\u202e|\\u2066\"}");
	assert_text("\xef\xbb\xbf|\xf3\xa0\x80\x81", 8, "{\"s\":\"\\ufeff|\\udb40\\udc01\"}");
}

/* Each byte value in front of each other: a parser must take every line and give back the bytes. */
static void test_python_reads_every_pair_of_bytes(void **state)
{
	char path[] = "/tmp/test_json.XXXXXX", command[400], pair[3] = "";
	struct json j = { 0 };
	int fd = mkstemp(path), a, b;
	FILE *f = fdopen(fd, "w");

	(void)state;
	assert_non_null(f);
	for (a = 0; a < 256; a++)
		for (b = 0; b < 256; b++) {
			pair[0] = (char)a;
			pair[1] = (char)b;
			json_reset(&j);
			json_object(&j, NULL);
			json_foreign(&j, "s", pair, 2);
			json_end_object(&j);
			fprintf(f, "%s\n", j.buf.data);
		}
	json_free(&j);
	assert_int_equal(fclose(f), 0);
	snprintf(
		command, sizeof(command),
		"python3 -c 'import json,sys; d=[json.loads(l) for l in open(sys.argv[1],newline=\"\\n\","
		"encoding=\"utf-8\")]; sys.exit([bytes.fromhex(o[\"s_hex\"]) if \"s_hex\" in o else "
		"o[\"s\"].encode() for o in d] != [bytes([a,b]) for a in range(256) for b in range(256)])' %s",
		path);
	assert_int_equal(system(command), 0);
	remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_first_of_a_key_stands),
		cmocka_unit_test(test_numbers_beyond_doubles),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_invalid_utf8),
		cmocka_unit_test(test_hidden_characters_are_escaped),
		cmocka_unit_test(test_python_reads_every_pair_of_bytes),
	};

	return cmocka_run_group_tests_name("json writer", tests, NULL, NULL);
}
