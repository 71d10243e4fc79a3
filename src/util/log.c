/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum log_level log_level = LOG_INFO;
const char *log_program = "trace";

/* One write per line, so that lines of several processes do not mix. errno survives. */
static void log_line(enum log_level level, const char *mark, const char *format, va_list args)
{
	char line[1024];
	size_t room = sizeof(line) - 1; /* for the newline */
	int saved = errno, n, m;

	if (level > log_level)
		return;
	n = snprintf(line, room, "%s: %s", log_program, mark);
	m = vsnprintf(line + n, room - n, format, args);
	if (m < 0)
		m = 0;
	n = (size_t)n + m < room ? n + m : (int)room - 1;
	line[n++] = '\n';
	while (write(STDERR_FILENO, line, n) < 0 && errno == EINTR)
		;
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
