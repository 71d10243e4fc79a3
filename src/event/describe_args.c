/* SPDX-License-Identifier: MIT */
/*
 * The arguments and results of a system call as typed fields. Amounts: "requested" is what the
 * program asked to move, "len" what was moved.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "decode.h"
#include "describe_parts.h"
#include "names.h"

/* done: the call has returned, without an error. */
typedef void (*arg_fields_fn)(struct fields *f, const struct event_call *c, bool done);

static void fields_addr(struct fields *f, const struct event_call *c)
{
	struct ev_addr addr;
	const char *path;
	size_t len;

	if (call_addr(c, &addr, &path, &len))
		return;
	if (addr.family == AF_UNIX)
		field_bytes(f, "path", path, len);
	else
		field_addr(f, "addr", &addr);
}

static void fields_msg_flags(struct fields *f, const struct event_call *c)
{
	fmt_msg_flags(field_new_text(f, "flags", FIELD_TEXT), FIELD_TEXT_SIZE, c->x[0]);
}

static void fields_timeout(struct fields *f, const struct event_call *c)
{
	field_s64(f, "timeout_ms", (__s32)c->x[0]);
}

static void fields_socket(struct fields *f, const struct event_call *c, bool done)
{
	(void)done;
	field_name(f, "domain", family_name(c->x[0]), c->x[0]);
	field_name(f, "socktype", socktype_name(c->x[1]), c->x[1]);
	fmt_sock_flags(field_new_text(f, "flags", FIELD_TEXT), FIELD_TEXT_SIZE,
		       c->x[1] & (SOCK_NONBLOCK | SOCK_CLOEXEC));
	field_u64(f, "protocol", c->x[2]);
}

static void fields_socketpair(struct fields *f, const struct event_call *c, bool done)
{
	fields_socket(f, c, done);
	if (done)
		field_u64(f, "fd2", c->x[3]);
}

static void fields_with_addr(struct fields *f, const struct event_call *c, bool done)
{
	(void)done;
	fields_addr(f, c);
}

static void fields_listen(struct fields *f, const struct event_call *c, bool done)
{
	(void)done;
	field_s64(f, "backlog", (__s32)c->x[0]);
}

static void fields_accept(struct fields *f, const struct event_call *c, bool done)
{
	if (c->call == CALL_ACCEPT4)
		fmt_sock_flags(field_new_text(f, "flags", FIELD_TEXT), FIELD_TEXT_SIZE, c->x[0]);
	if (!done)
		return;
	fields_addr(f, c);
	if (c->sid2)
		field_u64(f, "new_sid", c->sid2);
}

/* The send and receive families, write and read, but for the calls with several messages. */
static void fields_transfer(struct fields *f, const struct event_call *c, bool done)
{
	field_u64(f, "requested", c->len);
	if (done)
		field_s64(f, "len", c->ret);
	if (c->call != CALL_WRITE && c->call != CALL_READ && c->call != CALL_WRITEV &&
	    c->call != CALL_READV)
		fields_msg_flags(f, c);
	if (c->x[1] > 1)
		field_u64(f, "parts", c->x[1]);
	fields_addr(f, c);
}

static void fields_messages(struct fields *f, const struct event_call *c, bool done)
{
	field_u64(f, "messages", c->x[1]);
	fields_msg_flags(f, c);
	if (done)
		field_u64(f, "len", c->len);
}

static void fields_sendfile(struct fields *f, const struct event_call *c, bool done)
{
	field_u64(f, "requested", c->len);
	field_s64(f, c->x[2] ? "out_fd" : "in_fd", (__s32)c->x[1]);
	if (done)
		field_s64(f, "len", c->ret);
}

static void fields_shutdown(struct fields *f, const struct event_call *c, bool done)
{
	(void)done;
	field_name(f, "how", shutdown_name(c->x[0]), c->x[0]);
}

static void fields_close(struct fields *f, const struct event_call *c, bool done)
{
	if (c->call == CALL_CLOSE_RANGE) {
		field_u64(f, "first", c->x[1]);
		field_u64(f, "last", c->x[2]);
	}
	if (done)
		field_u64(f, "references_left", c->x[0]);
}

static void fields_dup(struct fields *f, const struct event_call *c, bool done)
{
	if (c->call == CALL_DUP)
		return;
	field_s64(f, "requested_fd", (__s32)c->x[0]);
	if (c->call == CALL_DUP3)
		fmt_file_flags(field_new_text(f, "flags", FIELD_TEXT), FIELD_TEXT_SIZE, c->x[1]);
	if (done)
		field_flag(f, "closed_socket", c->x[2]);
	if (done && c->x[2] && c->sid2)
		field_u64(f, "closed_sid", c->sid2);
}

static void fields_fcntl(struct fields *f, const struct event_call *c, bool done)
{
	(void)done;
	field_name(f, "command", fcntl_name(c->x[0]), c->x[0]);
	if (c->x[0] == F_SETFL)
		fmt_file_flags(field_new_text(f, "flags", FIELD_TEXT), FIELD_TEXT_SIZE, c->x[1]);
	else if (c->x[0] != F_GETFL && c->x[0] != F_GETFD)
		field_s64(f, "argument", (__s32)c->x[1]);
}

static void fields_value(struct fields *f, const struct event_call *c)
{
	char text[FIELD_TEXT_SIZE];
	int number;

	fmt_sockopt_value(text, sizeof(text), c->x[0], c->x[1], c->x[2], c->len);
	if (c->x[2] == sizeof(number)) {
		memcpy(&number, &c->len, sizeof(number));
		field_s64(f, "value", number);
	} else {
		field_text(f, "value_text", text);
	}
}

static void fields_sockopt(struct fields *f, const struct event_call *c, bool done)
{
	field_name(f, "level", sockopt_level_name(c->x[0]), c->x[0]);
	field_name(f, "option", sockopt_name(c->x[0], c->x[1]), c->x[1]);
	if (c->call == CALL_SETSOCKOPT || done)
		fields_value(f, c);
}

static void fields_name(struct fields *f, const struct event_call *c, bool done)
{
	if (done)
		fields_addr(f, c);
}

static void fields_poll(struct fields *f, const struct event_call *c, bool done)
{
	struct text t;

	field_u64(f, "descriptors", c->len);
	fields_timeout(f, c);
	text_start(&t, field_new_text(f, "events", FIELD_LIST), FIELD_TEXT_SIZE);
	text_poll(&t, c, false, ",");
	if (!done)
		return;
	text_start(&t, field_new_text(f, "ready", FIELD_LIST), FIELD_TEXT_SIZE);
	text_poll(&t, c, true, ",");
}

static void select_list(struct fields *f, const char *key, const __u64 *sets)
{
	struct text t;
	int fd, i;

	text_start(&t, field_new_text(f, key, FIELD_LIST), FIELD_TEXT_SIZE);
	for (i = 0; i < 3; i++)
		for (fd = 0; fd < 64; fd++)
			if (sets[i] >> fd & 1)
				text_printf(&t, "%s%d:%c", t.len ? "," : "", fd, "rwx"[i]);
}

static void fields_select(struct fields *f, const struct event_call *c, bool done)
{
	const struct select_sets *sets = call_select_sets(c);

	field_u64(f, "descriptors", c->len);
	fields_timeout(f, c);
	if (!sets)
		return;
	select_list(f, "events", sets->in);
	if (done)
		select_list(f, "ready", sets->out);
}

static void fields_epoll_ctl(struct fields *f, const struct event_call *c, bool done)
{
	(void)done;
	field_s64(f, "epfd", (__s32)c->x[2]);
	field_name(f, "operation", epoll_op_name(c->x[0]), c->x[0]);
	fmt_poll_events(field_new_text(f, "events", FIELD_TEXT), FIELD_TEXT_SIZE, c->x[1]);
	field_u64(f, "data", c->len);
}

static void fields_epoll_wait(struct fields *f, const struct event_call *c, bool done)
{
	const struct epoll_item *items;
	char events[96];
	size_t i, count;
	struct text t;

	field_u64(f, "max_events", c->x[1]);
	fields_timeout(f, c);
	if (!done)
		return;
	items = call_epoll_items(c, &count);
	text_start(&t, field_new_text(f, "ready", FIELD_LIST), FIELD_TEXT_SIZE);
	for (i = 0; i < count; i++)
		text_printf(&t, "%s%d:%s", i ? "," : "", (int)(__u32)items[i].data,
			    fmt_poll_events(events, sizeof(events), items[i].events));
}

static const arg_fields_fn arg_fields[] = {
	[CALL_SOCKET] = fields_socket,
	[CALL_SOCKETPAIR] = fields_socketpair,
	[CALL_BIND] = fields_with_addr,
	[CALL_LISTEN] = fields_listen,
	[CALL_CONNECT] = fields_with_addr,
	[CALL_ACCEPT] = fields_accept,
	[CALL_ACCEPT4] = fields_accept,
	[CALL_SENDTO] = fields_transfer,
	[CALL_SENDMSG] = fields_transfer,
	[CALL_SENDMMSG] = fields_messages,
	[CALL_WRITE] = fields_transfer,
	[CALL_WRITEV] = fields_transfer,
	[CALL_SENDFILE] = fields_sendfile,
	[CALL_SPLICE] = fields_sendfile,
	[CALL_RECVFROM] = fields_transfer,
	[CALL_RECVMSG] = fields_transfer,
	[CALL_RECVMMSG] = fields_messages,
	[CALL_READ] = fields_transfer,
	[CALL_READV] = fields_transfer,
	[CALL_SHUTDOWN] = fields_shutdown,
	[CALL_CLOSE] = fields_close,
	[CALL_DUP] = fields_dup,
	[CALL_DUP2] = fields_dup,
	[CALL_DUP3] = fields_dup,
	[CALL_FCNTL] = fields_fcntl,
	[CALL_SETSOCKOPT] = fields_sockopt,
	[CALL_GETSOCKOPT] = fields_sockopt,
	[CALL_GETSOCKNAME] = fields_name,
	[CALL_GETPEERNAME] = fields_name,
	[CALL_POLL] = fields_poll,
	[CALL_PPOLL] = fields_poll,
	[CALL_SELECT] = fields_select,
	[CALL_PSELECT6] = fields_select,
	[CALL_EPOLL_CTL] = fields_epoll_ctl,
	[CALL_EPOLL_WAIT] = fields_epoll_wait,
	[CALL_EPOLL_PWAIT] = fields_epoll_wait,
	[CALL_EPOLL_PWAIT2] = fields_epoll_wait,
	[CALL_CLOSE_RANGE] = fields_close,
};
static_assert(sizeof(arg_fields) / sizeof(arg_fields[0]) == CALL_MAX, "fields for every call");

static bool call_returned(const struct event_call *c, enum phase phase)
{
	return phase != PHASE_ENTER && !(c->cflags & (CALLF_PENDING | CALLF_KILLED));
}

void fields_of_call(struct fields *f, const struct event_call *c, enum phase phase)
{
	bool returned = call_returned(c, phase);
	bool no_call = c->cflags & (CALLF_BY_EXIT | CALLF_BY_EXEC);

	field_name(f, "call", call_name(c->call), c->call);
	if (c->fd >= 0)
		field_s64(f, "fd", c->fd);
	if (c->call < CALL_MAX && arg_fields[c->call])
		arg_fields[c->call](f, c, returned && c->ret >= 0);
	if (returned && !no_call)
		field_ret(f, c->ret);
	field_flag(f, "nonblock", c->cflags & CALLF_NONBLOCK);
	field_flag(f, "in_getaddrinfo", c->cflags & CALLF_IN_GAI);
	if (no_call)
		field_text(f, "by", c->cflags & CALLF_BY_EXIT ? "exit" : "exec");
	field_flag(f, "seen_midway", c->cflags & CALLF_SEEN_MID);
	field_flag(f, "last_reference", returned && c->cflags & CALLF_LAST_REF);
	field_flag(f, "never_returned", phase == PHASE_EXIT && c->cflags & CALLF_KILLED);
}
