/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "fuzz.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/log.h"

#define ARGS_MAX 16

void expect_true(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void refuse(const char *what, const char *why, const char *text, size_t len, size_t at)
{
	fprintf(stderr, "%s: %s at byte %zu of:\n", what, why, at);
	fwrite(text, 1, len < 4000 ? len : 4000, stderr);
	abort();
}

/* One character by RFC 3629, apart from what src/ thinks of it. 0: none. */
static size_t decode(const unsigned char *s, size_t len, uint32_t *code)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4, i;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (!n || n > len || s[0] > 0xf4)
		return 0;
	*code = n == 1 ? s[0] : s[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	return *code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0 : n;
}

/* Control characters, and those that turn the direction of text around. */
static bool is_harmful(uint32_t code)
{
	return (code < 0x20 && code != '\n') || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
	       code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

void expect_clean(const char *what, const char *text, size_t len)
{
	uint32_t code;
	size_t at, n;

	for (at = 0; at < len; at += n) {
		n = decode((const unsigned char *)text + at, len - at, &code);
		if (!n)
			refuse(what, "no UTF-8", text, len, at);
		if (is_harmful(code))
			refuse(what, "a control character", text, len, at);
	}
}

void expect_ascii(const char *what, const char *text, size_t len)
{
	size_t at;

	for (at = 0; at < len; at++)
		if (text[at] < 0x20 || text[at] > 0x7e)
			refuse(what, "no printable ASCII", text, len, at);
}

/* --- a file in memory --- */

const char *fuzz_file(const uint8_t *data, size_t size)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("input", MFD_CLOEXEC);
		expect_true(fd >= 0, "memfd_create() works");
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	expect_true(!ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size,
		    "the input fits into memory");
	return path;
}

/* --- messages: in place of util/log.c --- */

enum log_level log_level = LOG_INFO;

static void take_message(const char *format, va_list args)
{
	char *message;

	expect_true(vasprintf(&message, format, args) >= 0, "there is memory");
	free(message);
}

#define LOG_BODY                            \
	do {                                \
		va_list args;               \
		va_start(args, format);     \
		take_message(format, args); \
		va_end(args);               \
	} while (0)

void log_error(const char *format, ...)
{
	LOG_BODY;
}

void log_warn(const char *format, ...)
{
	LOG_BODY;
}

void log_info(const char *format, ...)
{
	LOG_BODY;
}

void log_debug(const char *format, ...)
{
	LOG_BODY;
}

/* --- a command and what it prints --- */

static bool json_is_valid(const char *line, size_t len)
{
	static sqlite3_stmt *st;
	static sqlite3 *db;
	bool valid;

	if (!db)
		expect_true(!sqlite3_open(":memory:", &db) &&
				    !sqlite3_prepare_v2(db, "SELECT json_valid(?)", -1, &st, NULL),
			    "SQLite reads JSON");
	sqlite3_bind_text(st, 1, line, (int)len, SQLITE_STATIC);
	valid = sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int(st, 0);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return valid;
}

static void expect_json(const char *text, size_t len)
{
	const char *end, *line;

	for (line = text; line < text + len; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + len - line));
		if (!end || !json_is_valid(line, (size_t)(end - line)))
			refuse("JSON", "not one object a line", text, len, (size_t)(line - text));
	}
}

/* Lines end as RFC 4180 has it, and nowhere else may there be a carriage return. */
static void expect_csv(char *text, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < len; i++)
		if (text[i] == '\r' && text[i + 1] == '\n')
			text[i] = ' ';
		else if (text[i] == '\t')
			text[i] = ' ';
	expect_clean("CSV", text, len);
}

static void look_at(enum fuzz_output kind, char *text, size_t len)
{
	switch (kind) {
	case FUZZ_TEXT:
		expect_clean("text", text, len);
		break;
	case FUZZ_CSV:
		expect_csv(text, len);
		break;
	case FUZZ_JSON:
		expect_clean("JSON", text, len);
		expect_json(text, len);
		break;
	}
}

int fuzz_run(fuzz_command run, enum fuzz_output kind, const char *const *args)
{
	FILE *screen = stdout;
	char *argv[ARGS_MAX + 1], *text = NULL;
	size_t len = 0;
	int argc, status;

	for (argc = 0; args[argc] && argc < ARGS_MAX; argc++)
		argv[argc] = strdup(args[argc]);
	argv[argc] = NULL;
	stdout = open_memstream(&text, &len);
	expect_true(stdout, "there is memory");
	status = run(argc, argv);
	fclose(stdout);
	stdout = screen;
	look_at(kind, text, len);
	free(text);
	while (argc--)
		free(argv[argc]);
	return status;
}
