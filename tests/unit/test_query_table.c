/* SPDX-License-Identifier: MIT */
/* Rows of a query as text, CSV and JSON, whatever is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/table.h"

#define INT(n)                                \
	{                                     \
		.type = VALUE_INT, .num = (n) \
	}
#define REAL(n)                                 \
	{                                       \
		.type = VALUE_REAL, .real = (n) \
	}
#define TEXT(s)                                                        \
	{                                                              \
		.type = VALUE_TEXT, .bytes = (s), .len = sizeof(s) - 1 \
	}
#define BLOB(s)                                                        \
	{                                                              \
		.type = VALUE_BLOB, .bytes = (s), .len = sizeof(s) - 1 \
	}
#define NONE                       \
	{                          \
		.type = VALUE_NULL \
	}

/* Rows of three columns, as that format writes them; the caller frees it. */
static char *write_rows(enum table_format format, const char *const *names,
			const struct value (*rows)[3], size_t n)
{
	char *text = NULL;
	size_t i, len = 0;
	FILE *out = open_memstream(&text, &len);
	struct table *t = table_new(out, format);

	assert_int_equal(table_columns(t, names, 3), 0);
	for (i = 0; i < n; i++)
		assert_int_equal(table_row(t, rows[i], 3), 0);
	assert_int_equal(table_finish(t), 0);
	table_free(t);
	fclose(out);
	return text;
}

static void expect(enum table_format format, const char *const *names,
		   const struct value (*rows)[3], size_t n, const char *wanted)
{
	char *text = write_rows(format, names, rows, n);

	assert_string_equal(text, wanted);
	free(text);
}

static const char *const names[] = { "id", "name", "id" };
static const struct value plain[][3] = {
	{ INT(1), TEXT("connect"), INT(-5) },
	{ INT(100), NONE, REAL(1.5) },
	{ NONE, TEXT("gr\xc3\xbc\xc3\x9f"), TEXT("x") },
};

static void test_text_stands_in_columns(void **state)
{
	(void)state;
	expect(TABLE_TEXT, names, plain, 2,
	       " id  name      id\n"
	       "  1  connect   -5\n"
	       "100           1.5\n");
	expect(TABLE_TEXT, names, plain, 3,
	       " id  name     id\n"
	       "  1  connect  -5\n"
	       "100           1.5\n"
	       "     gr\xc3\xbc\xc3\x9f     x\n");
	expect(TABLE_TEXT, names, plain, 0, "id  name  id\n");
}

static void test_csv_is_rfc_4180(void **state)
{
	static const struct value rows[][3] = {
		{ TEXT("a,b"), TEXT("say \"x\""), TEXT("two\nlines") },
		{ TEXT(""), NONE, TEXT(" y ") },
	};

	(void)state;
	expect(TABLE_CSV, names, plain, 2, "id,name,id\r\n1,connect,-5\r\n100,,1.5\r\n");
	expect(TABLE_CSV, names, rows, 2,
	       "id,name,id\r\n\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\r\n,, y \r\n");
	expect(TABLE_CSV, names, plain, 0, "id,name,id\r\n");
}

static void test_json_is_an_object_a_line(void **state)
{
	static const struct value rows[][3] = {
		{ REAL(0.5), TEXT("q\"\n"), BLOB("\x00\xff") },
		{ REAL(INFINITY), NONE, INT(1ll << 60) },
	};

	(void)state;
	expect(TABLE_JSON, names, plain, 1, "{\"id\":1,\"name\":\"connect\",\"id_2\":-5}\n");
	expect(TABLE_JSON, names, rows, 2,
	       "{\"id\":0.5,\"name\":\"q\\\"\\u000a\",\"id_2\":\"00ff\"}\n"
	       "{\"id\":null,\"name\":null,\"id_2\":\"1152921504606846976\"}\n");
	expect(TABLE_JSON, names, plain, 0, "");
}

/* A name that is a number's second name already. */
static void test_json_names_are_unique(void **state)
{
	static const char *const twice[] = { "a", "a_2", "a" };
	static const struct value row[][3] = { { INT(1), INT(2), INT(3) } };

	(void)state;
	expect(TABLE_JSON, twice, row, 1, "{\"a\":1,\"a_2\":2,\"a_3\":3}\n");
}

/* ESC, C1 controls, what turns text around and bytes that are no UTF-8 reach no terminal. */
static void test_no_value_steers_a_terminal(void **state)
{
	static const char *const evil[] = { "a\033[2J", "b", "c" };
	static const struct value rows[][3] = {
		{ TEXT("\033[31m\r\n\t"),
		  TEXT("\xc2\x9b"
		       "2J"),
		  TEXT("\xff\x80z\0y\x7f") },
		{ TEXT("\xe2\x80\xae"), TEXT("\xc3\xa9"), TEXT("\xe2\x82") },
	};

	(void)state;
	expect(TABLE_TEXT, evil, rows, 2,
	       "a\\x1b[2J              b           c\n"
	       "\\x1b[31m\\x0d\\x0a\\x09  \\xc2\\x9b2J  \\xff\\x80z\\x00y\\x7f\n"
	       "\\xe2\\x80\\xae          \xc3\xa9           \\xe2\\x82\n");
	expect(TABLE_CSV, evil, rows, 2,
	       "a\\x1b[2J,b,c\r\n"
	       "\"\\x1b[31m\\x0d\n\t\",\\xc2\\x9b2J,\\xff\\x80z\\x00y\\x7f\r\n"
	       "\\xe2\\x80\\xae,\xc3\xa9,\\xe2\\x82\r\n");
}

/* What is no UTF-8 stands in hex, too, unless a column has taken that name. */
static void test_json_tells_the_bytes(void **state)
{
	static const char *const plain[] = { "a", "b\"", "c" }, *const taken[] = { "a", "a_hex",
										   "c" };
	static const struct value rows[][3] = { { TEXT("\xff\0x"), TEXT("\xc3\xa9\xe9"),
						  TEXT("\xc3\xa9") } };

	(void)state;
	expect(TABLE_JSON, plain, rows, 1,
	       "{\"a\":\"\\u00ff\\u0000x\",\"a_hex\":\"ff0078\","
	       "\"b\\\"\":\"\xc3\xa9\\u00e9\",\"b\\\"_hex\":\"c3a9e9\",\"c\":\"\xc3\xa9\"}\n");
	expect(TABLE_JSON, taken, rows, 1,
	       "{\"a\":\"\\u00ff\\u0000x\",\"a_hex\":\"\xc3\xa9\\u00e9\",\"a_hex_hex\":\"c3a9e9\","
	       "\"c\":\"\xc3\xa9\"}\n");
}

/* Widths are those of the first rows; later ones come out whole all the same. */
static void test_many_rows_stream(void **state)
{
	const char *const one[] = { "n" };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct table *t = table_new(out, TABLE_TEXT);
	struct value v = INT(0);

	(void)state;
	assert_int_equal(table_columns(t, one, 1), 0);
	for (v.num = 1; v.num <= TABLE_SAMPLE; v.num++)
		assert_int_equal(table_row(t, &v, 1), 0);
	fflush(out);
	assert_int_equal(len, (TABLE_SAMPLE + 1) * 5); /* all of "   n\n" to "1000\n" */
	v.num = 123456;
	assert_int_equal(table_row(t, &v, 1), 0);
	assert_int_equal(table_finish(t), 0);
	assert_string_equal(text + len - 12, "1000\n123456\n");
	table_free(t);
	fclose(out);
	free(text);
}

static void test_an_output_that_fails_is_told(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct table *t = table_new(full, TABLE_CSV);

	(void)state;
	assert_int_equal(table_columns(t, names, 3), 0);
	assert_int_equal(table_finish(t), -ENOSPC);
	table_free(t);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_stands_in_columns),
		cmocka_unit_test(test_csv_is_rfc_4180),
		cmocka_unit_test(test_json_is_an_object_a_line),
		cmocka_unit_test(test_json_names_are_unique),
		cmocka_unit_test(test_no_value_steers_a_terminal),
		cmocka_unit_test(test_json_tells_the_bytes),
		cmocka_unit_test(test_many_rows_stream),
		cmocka_unit_test(test_an_output_that_fails_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
