/* SPDX-License-Identifier: MIT */
/*
 * Messages to the user, on stderr: stdout belongs to the renderer. One line each, "trace: " in
 * front, or the name of another program. Layers below cmd/ return errors instead; they use log_debug() at most.
 */
#ifndef SOCKLENS_UTIL_LOG_H
#define SOCKLENS_UTIL_LOG_H

enum log_level { LOG_NOTHING = -1, LOG_ERROR = 0, LOG_WARN = 1, LOG_INFO = 2, LOG_DEBUG = 3 };

extern enum log_level log_level; /* what is still printed; LOG_INFO at start */

extern const char *log_program; /* a constant */

#define LOG_FORMAT(at) __attribute__((format(printf, at, at + 1)))
void log_error(const char *format, ...) LOG_FORMAT(1);
void log_warn(const char *format, ...) LOG_FORMAT(1);
void log_info(const char *format, ...) LOG_FORMAT(1);
void log_debug(const char *format, ...) LOG_FORMAT(1);

#endif
