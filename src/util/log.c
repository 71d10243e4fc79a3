/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "utf8.h"

#define NO_MEMORY "out of memory for a message\n"

enum log_level log_level = LOG_INFO;
const char *log_program = "trace";

static void write_line(const char *line, size_t len)
{
	ssize_t n;

	for (; len; line += n, len -= (size_t)n) {
		n = write(STDERR_FILENO, line, len);
		if (n < 0 && errno != EINTR)
			return;
		n = n < 0 ? 0 : n;
	}
}

/*
 * One write per line, so that lines of several processes do not mix. A message may quote anything:
 * names of files, words of SQL, what a kernel says. errno survives.
 */
static void log_line(enum log_level level, const char *mark, const char *format, va_list args)
{
	struct buf line = { 0 };
	int saved = errno, len;
	char *message;

	if (level > log_level)
		return;
	len = vasprintf(&message, format, args);
	buf_printf(&line, "%s: %s", log_program, mark);
	if (len >= 0)
		utf8_show(&line, message, (size_t)len, "");
	if (len >= 0)
		free(message);
	buf_puts(&line, "\n");
	if (!line.err && len >= 0)
		write_line(line.data, line.len);
	else
		write_line(NO_MEMORY, strlen(NO_MEMORY));
	buf_free(&line);
	errno = saved;
}

#define LOG_BODY(level, mark)                        \
	do {                                         \
		va_list args;                        \
		va_start(args, format);              \
		log_line(level, mark, format, args); \
		va_end(args);                        \
	} while (0)

void log_error(const char *format, ...)
{
	LOG_BODY(LOG_ERROR, "");
}

void log_warn(const char *format, ...)
{
	LOG_BODY(LOG_WARN, "warning: ");
}

void log_info(const char *format, ...)
{
	LOG_BODY(LOG_INFO, "");
}

void log_debug(const char *format, ...)
{
	LOG_BODY(LOG_DEBUG, "debug: ");
}
