/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1 /* O_DIRECT */
#include "describe_parts.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "decode.h"
#include "names.h"

char *fmt_call_addr(char *buf, size_t size, const struct event_call *c)
{
	struct ev_addr addr;
	const char *path;
	size_t len;

	if (size)
		buf[0] = '\0';
	if (call_addr(c, &addr, &path, &len))
		return buf;
	if (addr.family == AF_UNIX)
		return fmt_path(buf, size, path, len);
	return fmt_addr(buf, size, &addr);
}

struct flag {
	unsigned int bit;
	const char *name;
};

static char *fmt_flags(char *buf, size_t size, const struct flag *flags, size_t count,
		       unsigned int bits)
{
	struct text t;
	size_t i;

	text_start(&t, buf, size);
	for (i = 0; i < count; i++) {
		if (!(bits & flags[i].bit))
			continue;
		text_printf(&t, "%s%s", t.len ? "|" : "", flags[i].name);
		bits &= ~flags[i].bit;
	}
	if (bits)
		text_printf(&t, "%s0x%x", t.len ? "|" : "", bits);
	if (!t.len)
		text_add(&t, "0");
	return buf;
}

char *fmt_file_flags(char *buf, size_t size, unsigned int flags)
{
	/* O_RDONLY is 0 and never shows; a socket is always O_RDWR */
	static const struct flag names[] = {
		{ O_WRONLY, "O_WRONLY" },     { O_RDWR, "O_RDWR" },   { O_APPEND, "O_APPEND" },
		{ O_NONBLOCK, "O_NONBLOCK" }, { O_ASYNC, "O_ASYNC" }, { O_DIRECT, "O_DIRECT" },
		{ O_CLOEXEC, "O_CLOEXEC" },
	};

	return fmt_flags(buf, size, names, sizeof(names) / sizeof(names[0]), flags);
}

char *fmt_sock_flags(char *buf, size_t size, unsigned int flags)
{
	static const struct flag names[] = {
		{ SOCK_NONBLOCK, "SOCK_NONBLOCK" },
		{ SOCK_CLOEXEC, "SOCK_CLOEXEC" },
	};

	return fmt_flags(buf, size, names, sizeof(names) / sizeof(names[0]), flags);
}

size_t text_poll(struct text *t, const struct event_call *c, bool ready, const char *separator)
{
	const struct poll_item *items;
	size_t i, count, shown = 0;
	unsigned int events;
	char words[96];

	items = call_poll_items(c, &count);
	for (i = 0; i < count; i++) {
		events = ready ? items[i].revents : items[i].events;
		if (items[i].fd < 0 || (ready && !events)) /* poll(2): a negative one is skipped */
			continue;
		fmt_poll_events(words, sizeof(words), events);
		text_printf(t, "%s%d:%s", shown++ ? separator : "", items[i].fd, words);
	}
	return shown;
}

static size_t text_set(struct text *t, char letter, __u64 set, bool first)
{
	size_t shown = 0;
	int fd;

	for (fd = 0; fd < 64; fd++) {
		if (!(set >> fd & 1))
			continue;
		if (shown++)
			text_printf(t, ",%d", fd);
		else
			text_printf(t, "%s%c:%d", first ? "" : " ", letter, fd);
	}
	return shown;
}

size_t text_select(struct text *t, const struct event_call *c, bool ready)
{
	const struct select_sets *sets = call_select_sets(c);
	size_t i, shown = 0;

	for (i = 0; sets && i < 3; i++)
		shown += text_set(t, "rwx"[i], ready ? sets->out[i] : sets->in[i], !shown);
	return shown;
}

/* Codes 512 to 516 never reach a program (include/linux/errno.h of the kernel). */
bool ret_is_restart(__s64 ret)
{
	return ret <= -512 && ret >= -516;
}
