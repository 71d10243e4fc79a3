/* SPDX-License-Identifier: MIT */
/* The tools below everything: hash, pool, buffers, cut text, times, options, rows, namespaces. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/buf.h"
#include "util/clock.h"
#include "util/hash.h"
#include "util/netns.h"
#include "util/options.h"
#include "util/pool.h"
#include "util/text.h"
#include "util/utf8.h"
#include "util/wrap.h"

/* --- hash, against a plain array --- */

#define KEYS 3000
static char values[KEYS];

/* Keys as they come: neighbours, and pairs of process and descriptor. */
static __u64 key_of(size_t i)
{
	return i % 2 ? i : (__u64)(i / 16) << 32 | i % 16;
}

static void hash_compare(const struct hash *h, const bool *there)
{
	size_t i, count = 0, pos = 0;
	bool visited[KEYS] = { false };
	void *value;
	__u64 key;

	for (i = 0; i < KEYS; i++) {
		assert_ptr_equal(hash_get(h, key_of(i)), there[i] ? &values[i] : NULL);
		count += there[i];
	}
	assert_int_equal(hash_count(h), count);
	while (hash_next(h, &pos, &key, &value)) {
		i = (size_t)((char *)value - values);
		assert_true(there[i] && !visited[i]);
		assert_int_equal(key, key_of(i));
		visited[i] = true;
		count--;
	}
	assert_int_equal(count, 0);
}

static void test_hash_random(void **state)
{
	struct hash *h = hash_new();
	bool there[KEYS] = { false };
	unsigned int seed = 3, round;
	size_t i;

	(void)state;
	for (round = 0; round < 100000; round++) {
		i = (size_t)rand_r(&seed) % KEYS;
		if (rand_r(&seed) % 2) {
			assert_int_equal(hash_put(h, key_of(i), &values[i]), 0);
			there[i] = true;
		} else {
			assert_ptr_equal(hash_del(h, key_of(i)), there[i] ? &values[i] : NULL);
			there[i] = false;
		}
		if (round % 5000 == 0)
			hash_compare(h, there);
	}
	hash_compare(h, there);
	hash_free(h);
	hash_free(NULL);
}

static void test_hash_replace(void **state)
{
	struct hash *h = hash_new();

	(void)state;
	assert_null(hash_get(h, 0));
	assert_null(hash_del(h, 0));
	hash_put(h, 0, &values[0]);
	hash_put(h, 0, &values[1]);
	hash_put(h, ~0ull, &values[2]);
	assert_int_equal(hash_count(h), 2);
	assert_ptr_equal(hash_get(h, 0), &values[1]);
	assert_ptr_equal(hash_get(h, ~0ull), &values[2]);
	hash_free(h);
}

static void test_hash_delete_while_visiting(void **state)
{
	struct hash *h = hash_new();
	size_t pos = 0, visits = 0, i;
	__u64 key;

	(void)state;
	for (i = 0; i < 1000; i++)
		hash_put(h, i, &values[0]);
	while (hash_next(h, &pos, &key, NULL)) {
		visits++;
		if (key % 3)
			assert_non_null(hash_del(h, key));
	}
	assert_int_equal(visits, 1000);
	assert_int_equal(hash_count(h), 334);
	hash_free(h);
}

/* A visit looks at every slot. */
static size_t hash_slots(const struct hash *h)
{
	size_t pos = 0;

	while (hash_next(h, &pos, NULL, NULL))
		;
	return pos;
}

/* What a burst needed is given back by the next ones to come. */
static void test_hash_shrinks(void **state)
{
	struct hash *h = hash_new();
	__u64 i;

	(void)state;
	for (i = 0; i < 100000; i++)
		hash_put(h, i, &values[0]);
	assert_true(hash_slots(h) > 100000);
	for (i = 10; i < 100000; i++)
		hash_del(h, i);
	hash_put(h, i, &values[1]);
	assert_true(hash_slots(h) < 1000);
	for (i = 0; i < 10; i++)
		assert_ptr_equal(hash_get(h, i), &values[0]);
	assert_ptr_equal(hash_get(h, 100000), &values[1]);
	assert_int_equal(hash_count(h), 11);
	hash_free(h);
}

/* Coming and going for ever must neither grow the table nor make it slow. */
static void test_hash_churn(void **state)
{
	struct hash *h = hash_new();
	size_t pos = 0, slots = 0;
	__u64 i;

	(void)state;
	for (i = 0; i < 1000000; i++) {
		hash_put(h, i, &values[0]);
		if (i >= 20)
			assert_non_null(hash_del(h, i - 20));
	}
	assert_int_equal(hash_count(h), 20);
	while (hash_next(h, &pos, NULL, NULL))
		slots++;
	assert_int_equal(slots, 20);
	assert_in_range(pos, 20, 1024); /* the last position is the size of the table */
	hash_free(h);
}

/* --- pool --- */

static void test_pool(void **state)
{
	struct pool p = { 0 };
	unsigned char *blocks[POOL_BLOCK_MAX + 1], *again;
	size_t size, i, bytes;

	(void)state;
	for (size = 1; size <= POOL_BLOCK_MAX; size++) {
		blocks[size] = pool_get(&p, size);
		assert_int_equal((uintptr_t)blocks[size] % 8, 0);
		memset(blocks[size], (int)(size & 0xff), size);
	}
	for (size = 1; size <= POOL_BLOCK_MAX; size++)
		for (i = 0; i < size; i++)
			assert_int_equal(blocks[size][i], size & 0xff); /* no two overlap */
	pool_trim(&p, 0);						/* in use: stays */
	assert_int_equal(blocks[7][0], 7);
	for (size = 1; size <= POOL_BLOCK_MAX; size++)
		pool_put(&p, blocks[size], size);
	bytes = p.bytes;
	for (i = 0; i < 100000; i++) { /* reuse, not growth */
		again = pool_get(&p, 200);
		pool_put(&p, again, 200);
	}
	assert_int_equal(p.bytes, bytes);
	pool_trim(&p, bytes);
	assert_int_equal(p.bytes, bytes);
	pool_trim(&p, bytes - 1);
	assert_int_equal(p.bytes, 0);
	pool_free(&p);
}

/* --- buf, text --- */

static void test_buf(void **state)
{
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		assert_int_equal(buf_puts(&b, "ab"), 0);
		assert_int_equal(buf_printf(&b, "%c%d", 'c', 7), 0);
	}
	assert_int_equal(b.len, 4000);
	assert_int_equal(strlen(b.data), 4000);
	assert_memory_equal(b.data + 3996, "abc7", 5);
	buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	buf_add(&b, "\0x", 2);
	assert_int_equal(b.len, 2);
	assert_int_equal(buf_add(&b, "", (size_t)-1), -ENOMEM);
	assert_int_equal(buf_puts(&b, "lost"), -ENOMEM); /* the error sticks */
	assert_int_equal(b.len, 2);
	buf_reset(&b);
	assert_int_equal(buf_puts(&b, "again"), 0);
	buf_free(&b);
	assert_null(b.data);
	buf_free(&b);
}

static void test_text(void **state)
{
	static const char *const cuts[] = { "#", "", ".", "..", "a.." };
	char buf[16], big[700];
	struct text t;
	size_t size;

	(void)state;
	text_start(&t, buf, 6);
	text_add(&t, "abc");
	text_printf(&t, "%d", 45);
	assert_string_equal(buf, "abc45");
	assert_false(t.cut);
	text_add(&t, "");
	assert_false(t.cut);
	text_add(&t, "x");
	assert_true(t.cut);
	assert_string_equal(buf, "abc..");
	text_add(&t, "y"); /* nothing more */
	assert_string_equal(buf, "abc..");
	for (size = 0; size < 5; size++) {
		memset(buf, 0, sizeof(buf));
		buf[size] = '#';
		text_start(&t, buf, size);
		text_add(&t, "abcdefgh");
		assert_int_equal(buf[size], '#');
		assert_string_equal(buf, cuts[size]);
	}
	memset(big, 'z', sizeof(big));
	big[699] = 0;
	text_start(&t, big, sizeof(big));
	text_printf(&t, "%*d", 600, 1); /* longer than one piece may be: marked, not silent */
	assert_true(t.cut);
	assert_string_equal(big + strlen(big) - 2, "..");
}

/* --- clock --- */

/* What is too long loses its middle, and no character of it is cut. */
static void test_sentence(void **state)
{
	char buf[64], name[300];
	size_t size, i;

	(void)state;
	text_sentence(buf, sizeof(buf), "'%s' is no port; give a number", "x");
	assert_string_equal(buf, "'x' is no port; give a number");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	text_sentence(buf, 41, "'%s' is no port; give a number", name);
	assert_string_equal(buf, "'xxxxxxxxxxxxxxxxxx..port; give a number");
	for (i = 0; i + 3 < sizeof(name); i += 3)
		memcpy(name + i, "\xe2\x82\xac", 3);
	name[i] = '\0';
	for (size = 0; size <= sizeof(buf); size++) {
		memset(buf, '#', sizeof(buf));
		text_sentence(buf, size, "%s", name);
		assert_true(size == sizeof(buf) || buf[size] == '#');
		if (size <= 3)
			continue;
		assert_true(utf8_valid(buf, strlen(buf)));
		assert_non_null(strstr(buf, ".."));
		assert_true(strlen(buf) + 5 >= size);
	}
}

static void test_times(void **state)
{
	__u64 boot, real, before = clock_boot_ns();
	char buf[40];

	(void)state;
	assert_string_equal(fmt_ms(buf, sizeof(buf), 2871999), "2.871");
	assert_string_equal(fmt_ms(buf, sizeof(buf), 0), "0.000");
	assert_string_equal(fmt_ms(buf, sizeof(buf), -40000), "-0.040");
	assert_string_equal(fmt_ms(buf, sizeof(buf), -999), "0.000");
	assert_string_equal(fmt_ms(buf, sizeof(buf), 3600000000000), "3600000.000");
	assert_string_equal(fmt_duration(buf, sizeof(buf), 850), "850 ns");
	assert_string_equal(fmt_duration(buf, sizeof(buf), 31999), "31 us");
	assert_string_equal(fmt_duration(buf, sizeof(buf), 2990000), "2.9 ms");
	assert_string_equal(fmt_duration(buf, sizeof(buf), 1209000000), "1.20 s");
	assert_string_equal(fmt_date(buf, sizeof(buf), 1714565587042917123),
			    "2024-05-01T12:13:07.042917Z");
	setenv("TZ", "XYZ-2", 1);
	tzset();
	assert_string_equal(fmt_clock(buf, sizeof(buf), 1714565587042917123), "14:13:07.042");
	assert_string_equal(fmt_ms(buf, 4, 2871999), "2.8");
	clock_anchor(&boot, &real);
	assert_true(boot >= before && boot <= clock_boot_ns());
	assert_true(real <= clock_real_ns() && real > 1700000000000000000);
}

/* --- options --- */

static const struct option_row rows[] = {
	{ 'p', "pid", "PID", "follow this process\nand its children", "Targets" },
	{ OPTION_LONG, "port", "N", "either end", NULL },
	{ 't', NULL, NULL, "times", "View" },
	{ OPTION_LONG + 1, "json", NULL, "one object a line", NULL },
	{ OPTION_LONG + 2, "a-very-long-option-name", "ARGUMENT", "wide", NULL },
	{ 0 },
};

static char parsed[256];

static int collect(void *ctx, int id, const char *arg)
{
	size_t len = strlen(parsed);

	assert_ptr_equal(ctx, parsed);
	snprintf(parsed + len, sizeof(parsed) - len, "%d=%s;", id, arg ? arg : "");
	return arg && !strcmp(arg, "stop") ? -ECANCELED : 0;
}

/* Parse a line of words; returns what options_parse() does. */
static int parse(const char *line, char *err)
{
	static char copy[256];
	char *argv[16] = { "trace" }, *save;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (save = strtok(copy, " "); save; save = strtok(NULL, " "))
		argv[argc++] = save;
	parsed[0] = '\0';
	return options_parse(argc, argv, rows, collect, parsed, err, 100);
}

static void test_options(void **state)
{
	char err[100];

	(void)state;
	assert_int_equal(parse("-p 7 --port=80 -tt --json", err), 6);
	assert_string_equal(parsed, "112=7;256=80;116=;116=;257=;");
	assert_string_equal(err, "");
	assert_int_equal(parse("-t -- -p 7", err), 3);
	assert_string_equal(parsed, "116=;");
	assert_int_equal(parse("-t curl -p 7", err), 2); /* a COMMAND keeps its own options */
	assert_string_equal(parsed, "116=;");
	assert_int_equal(parse("", err), 1);
	assert_int_equal(parse("-p stop -t", err), -ECANCELED);
	assert_string_equal(parsed, "112=stop;");
}

static void refused(const char *line, const char *want)
{
	char err[100];

	assert_int_equal(parse(line, err), -EINVAL);
	assert_string_equal(err, want);
}

static void test_options_refused(void **state)
{
	(void)state;
	refused("--nonsense", "unknown or ambiguous option --nonsense");
	refused("-t --nonsense=1", "unknown or ambiguous option --nonsense=1");
	refused("--p", "unknown or ambiguous option --p");
	refused("-x", "unknown option -x");
	refused("-tx", "unknown option -x");
	refused("-p", "option -p needs a value: PID");
	refused("-tp", "option -p needs a value: PID");
	refused("-t --port", "option --port needs a value: N");
	refused("--json=yes", "option --json takes no value");
}

static void test_options_help(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	options_help(out, rows);
	fclose(out);
	assert_string_equal(text, "Targets:\n"
				  "  -p, --pid PID           follow this process\n"
				  "                          and its children\n"
				  "      --port N            either end\n"
				  "\n"
				  "View:\n"
				  "  -t                      times\n"
				  "      --json              one object a line\n"
				  "      --a-very-long-option-name ARGUMENT\n"
				  "                          wide\n");
	free(text);
}

static void test_numbers(void **state)
{
	long n = 0;

	(void)state;
	assert_int_equal(option_number("65535", 1, 65535, &n), 0);
	assert_int_equal(n, 65535);
	assert_int_equal(option_number("-5", -10, 0, &n), 0);
	assert_int_equal(n, -5);
	assert_int_equal(option_number("65536", 1, 65535, &n), -ERANGE);
	assert_int_equal(option_number("0", 1, 65535, &n), -ERANGE);
	assert_int_equal(option_number("99999999999999999999999", 1, 65535, &n), -ERANGE);
	assert_int_equal(option_number("", 0, 9, &n), -EINVAL);
	assert_int_equal(option_number(NULL, 0, 9, &n), -EINVAL);
	assert_int_equal(option_number("8x", 0, 9, &n), -EINVAL);
	assert_int_equal(option_number(" 8", 0, 9, &n), -EINVAL);
	assert_int_equal(option_number("+8", 0, 9, &n), -EINVAL);
	assert_int_equal(option_number("-", -9, 9, &n), -EINVAL);
	assert_int_equal(option_number("0x10", 0, 99, &n), -EINVAL);
	assert_int_equal(n, -5);
}

/* --- rows of a screen --- */

static void test_wrap(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	char word[71];

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	wrap_print(out, 80, "  label  ", "one\ntwo  three ");
	wrap_print(out, 78, "  label  ", word);
	fputs("|", out);
	wrap_print(out, 80, "ab",
		   "12345678901234567890123456789012345678 "
		   "123456789012345678901234567890123456789 end");
	wrap_print(out, 0, word, word);
	fclose(out);
	assert_non_null(strstr(text, "  label  one two  three\n"));
	assert_non_null(strstr(text, "xxx\n|ab1234567890"));
	assert_non_null(strstr(text, "6789\n  end\n"));
	assert_int_equal(strlen(strrchr(text, 'd')), 2 + 2 * strlen(word) + 1);
	free(text);
}

/* --- files of network namespaces --- */

static void test_netns(void **state)
{
	struct stat st;
	__u32 ino = 0;
	int fd = netns_open("/proc/self/ns/net", &ino);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	assert_int_equal(ino, st.st_ino);
	close(fd);
	assert_int_equal(netns_open("/proc/self/ns/uts", &ino), -EINVAL);
	assert_int_equal(netns_open("/proc/self/status", &ino), -EINVAL);
	assert_int_equal(netns_open("/nowhere", &ino), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_random),
		cmocka_unit_test(test_hash_replace),
		cmocka_unit_test(test_hash_delete_while_visiting),
		cmocka_unit_test(test_hash_churn),
		cmocka_unit_test(test_hash_shrinks),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_sentence),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_options_refused),
		cmocka_unit_test(test_options_help),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_netns),
	};

	return cmocka_run_group_tests_name("util", tests, NULL, NULL);
}
