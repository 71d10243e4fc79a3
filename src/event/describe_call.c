/* SPDX-License-Identifier: MIT */
/*
 * A call as its programmer wrote it, with amounts in place of buffers. One row of the table per
 * call; the arguments are in the order of the manual page.
 */
#include <assert.h>
#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "decode.h"
#include "describe.h"
#include "describe_parts.h"
#include "names.h"

typedef void (*args_fn)(struct text *t, const struct event_call *c);

/* "AF_INET" from "inet"; a number where there is no name. */
static void add_constant(struct text *t, const char *prefix, const char *name, unsigned int value)
{
	char upper[2] = "";

	if (name[0] == '?') {
		text_printf(t, "%u", value);
		return;
	}
	text_add(t, prefix);
	for (; *name; name++) {
		upper[0] = (char)toupper((unsigned char)*name);
		text_add(t, upper);
	}
}

/* A name, or the number where there is none. */
static void add_named(struct text *t, const char *name, unsigned int value)
{
	if (name[0] == '?')
		text_printf(t, "%u", value);
	else
		text_add(t, name);
}

static void add_addr(struct text *t, const struct event_call *c)
{
	char addr[ADDR_TEXT];

	if (fmt_call_addr(addr, sizeof(addr), c)[0])
		text_printf(t, ", %s", addr);
}

static void add_msg_flags(struct text *t, const struct event_call *c)
{
	char flags[256];

	if (c->x[0])
		text_printf(t, ", %s", fmt_msg_flags(flags, sizeof(flags), c->x[0]));
}

static void add_timeout(struct text *t, const struct event_call *c)
{
	if ((__s32)c->x[0] < 0)
		text_add(t, "no timeout");
	else
		text_printf(t, "%u ms", c->x[0]);
}

static void add_count(struct text *t, unsigned int n, const char *noun)
{
	text_printf(t, "%u %s%s", n, noun, n == 1 ? "" : "s");
}

static void args_fd(struct text *t, const struct event_call *c)
{
	text_printf(t, "%d", c->fd);
}

static void args_socket(struct text *t, const struct event_call *c)
{
	unsigned int flags = c->x[1] & (SOCK_NONBLOCK | SOCK_CLOEXEC);
	char words[64];

	add_constant(t, "AF_", family_name(c->x[0]), c->x[0]);
	text_add(t, ", ");
	add_constant(t, "SOCK_", socktype_name(c->x[1]), c->x[1] & ~flags);
	if (flags)
		text_printf(t, "|%s", fmt_sock_flags(words, sizeof(words), flags));
	if (!c->x[2])
		return;
	text_add(t, ", ");
	if (c->x[0] == AF_INET || c->x[0] == AF_INET6)
		add_constant(t, "IPPROTO_", proto_name(c->x[2]), c->x[2]);
	else
		text_printf(t, "%u", c->x[2]);
}

/* bind, connect: the address is the program's own argument. */
static void args_addr(struct text *t, const struct event_call *c)
{
	args_fd(t, c);
	add_addr(t, c);
}

static void args_listen(struct text *t, const struct event_call *c)
{
	text_printf(t, "%d, %d", c->fd, (int)c->x[0]);
}

static void args_accept4(struct text *t, const struct event_call *c)
{
	char words[64];

	args_fd(t, c);
	if (c->x[0])
		text_printf(t, ", %s", fmt_sock_flags(words, sizeof(words), c->x[0]));
}

/* sendto, write: a write has no flags and no address */
static void args_send(struct text *t, const struct event_call *c)
{
	text_printf(t, "%d, %llu B", c->fd, (unsigned long long)c->len);
	add_msg_flags(t, c);
	add_addr(t, c);
}

static void args_recv(struct text *t, const struct event_call *c)
{
	text_printf(t, "%d, %llu", c->fd, (unsigned long long)c->len);
	add_msg_flags(t, c);
}

static void add_parts(struct text *t, const struct event_call *c)
{
	text_printf(t, "%d, ", c->fd);
	add_count(t, c->x[1], "part");
	text_printf(t, ", %llu", (unsigned long long)c->len);
}

static void args_sendmsg(struct text *t, const struct event_call *c)
{
	add_parts(t, c);
	text_add(t, " B");
	add_msg_flags(t, c);
	add_addr(t, c);
}

static void args_recvmsg(struct text *t, const struct event_call *c)
{
	add_parts(t, c);
	add_msg_flags(t, c);
}

static void args_messages(struct text *t, const struct event_call *c)
{
	text_printf(t, "%d, ", c->fd);
	add_count(t, c->x[1], "message");
	add_msg_flags(t, c);
}

static void args_sendfile(struct text *t, const struct event_call *c)
{
	bool source = c->x[2];

	text_printf(t, "%d, from %d, %llu B", source ? (int)c->x[1] : c->fd,
		    source ? c->fd : (int)c->x[1], (unsigned long long)c->len);
}

static void args_splice(struct text *t, const struct event_call *c)
{
	bool source = c->x[2];

	text_printf(t, "%d -> %d, %llu B", source ? c->fd : (int)c->x[1],
		    source ? (int)c->x[1] : c->fd, (unsigned long long)c->len);
}

static void args_shutdown(struct text *t, const struct event_call *c)
{
	text_printf(t, "%d, ", c->fd);
	add_named(t, shutdown_name(c->x[0]), c->x[0]);
}

static void args_close_range(struct text *t, const struct event_call *c)
{
	if (c->x[2] == ~0u) /* the usual way to say "all of them" */
		text_printf(t, "%u, ~0U", c->x[1]);
	else
		text_printf(t, "%u, %u", c->x[1], c->x[2]);
}

static void args_dup2(struct text *t, const struct event_call *c)
{
	text_printf(t, "%d, %d", c->fd, (int)c->x[0]);
}

static void args_dup3(struct text *t, const struct event_call *c)
{
	char flags[64];

	args_dup2(t, c);
	text_printf(t, ", %s", fmt_file_flags(flags, sizeof(flags), c->x[1]));
}

static void args_fcntl(struct text *t, const struct event_call *c)
{
	char flags[128];

	text_printf(t, "%d, ", c->fd);
	add_named(t, fcntl_name(c->x[0]), c->x[0]);
	if (c->x[0] == F_GETFD || c->x[0] == F_GETFL)
		return;
	if (c->x[0] == F_SETFL)
		text_printf(t, ", %s", fmt_file_flags(flags, sizeof(flags), c->x[1]));
	else if (c->x[0] == F_SETFD)
		text_printf(t, ", %s", c->x[1] & FD_CLOEXEC ? "FD_CLOEXEC" : "0");
	else
		text_printf(t, ", %d", (int)c->x[1]);
}

static void args_getsockopt(struct text *t, const struct event_call *c)
{
	const char *option = sockopt_name(c->x[0], c->x[1]);

	text_printf(t, "%d, ", c->fd);
	if (option[0] == '?') { /* a known name says its level, too */
		add_named(t, sockopt_level_name(c->x[0]), c->x[0]);
		text_add(t, ", ");
	}
	add_named(t, option, c->x[1]);
}

static void args_setsockopt(struct text *t, const struct event_call *c)
{
	char value[64];

	args_getsockopt(t, c);
	text_printf(t, ", %s",
		    fmt_sockopt_value(value, sizeof(value), c->x[0], c->x[1], c->x[2], c->len));
}

static void args_poll(struct text *t, const struct event_call *c)
{
	size_t shown, kept, asked = c->len;

	call_poll_items(c, &kept);
	shown = text_poll(t, c, false, " ");
	if (asked > kept)
		text_printf(t, "%s+%zu more", shown ? ", " : "", asked - kept);
	if (shown || asked > kept)
		text_add(t, ", ");
	add_timeout(t, c);
}

static void args_select(struct text *t, const struct event_call *c)
{
	if (text_select(t, c, false))
		text_add(t, ", ");
	add_timeout(t, c);
}

static void args_epoll_ctl(struct text *t, const struct event_call *c)
{
	char events[128];

	text_printf(t, "%d, ", (int)c->x[2]);
	add_named(t, epoll_op_name(c->x[0]), c->x[0]);
	text_printf(t, ", %d", c->fd);
	if (c->x[1])
		text_printf(t, ", %s", fmt_poll_events(events, sizeof(events), c->x[1]));
}

static void args_epoll_wait(struct text *t, const struct event_call *c)
{
	text_printf(t, "%d, %u, ", c->fd, c->x[1]);
	add_timeout(t, c);
}

static const args_fn call_args[] = {
	[CALL_SOCKET] = args_socket,
	[CALL_SOCKETPAIR] = args_socket,
	[CALL_BIND] = args_addr,
	[CALL_LISTEN] = args_listen,
	[CALL_CONNECT] = args_addr,
	[CALL_ACCEPT] = args_fd,
	[CALL_ACCEPT4] = args_accept4,
	[CALL_SENDTO] = args_send,
	[CALL_SENDMSG] = args_sendmsg,
	[CALL_SENDMMSG] = args_messages,
	[CALL_WRITE] = args_send,
	[CALL_WRITEV] = args_sendmsg,
	[CALL_SENDFILE] = args_sendfile,
	[CALL_SPLICE] = args_splice,
	[CALL_RECVFROM] = args_recv,
	[CALL_RECVMSG] = args_recvmsg,
	[CALL_RECVMMSG] = args_messages,
	[CALL_READ] = args_recv,
	[CALL_READV] = args_recvmsg,
	[CALL_SHUTDOWN] = args_shutdown,
	[CALL_CLOSE] = args_fd,
	[CALL_DUP] = args_fd,
	[CALL_DUP2] = args_dup2,
	[CALL_DUP3] = args_dup3,
	[CALL_FCNTL] = args_fcntl,
	[CALL_SETSOCKOPT] = args_setsockopt,
	[CALL_GETSOCKOPT] = args_getsockopt,
	[CALL_GETSOCKNAME] = args_fd,
	[CALL_GETPEERNAME] = args_fd,
	[CALL_POLL] = args_poll,
	[CALL_PPOLL] = args_poll,
	[CALL_SELECT] = args_select,
	[CALL_PSELECT6] = args_select,
	[CALL_EPOLL_CTL] = args_epoll_ctl,
	[CALL_EPOLL_WAIT] = args_epoll_wait,
	[CALL_EPOLL_PWAIT] = args_epoll_wait,
	[CALL_EPOLL_PWAIT2] = args_epoll_wait,
	[CALL_CLOSE_RANGE] = args_close_range,
};
static_assert(sizeof(call_args) / sizeof(call_args[0]) == CALL_MAX, "arguments for every call");

static void describe_syscall(struct text *t, const struct event_call *c)
{
	if (c->cflags & (CALLF_BY_EXIT | CALLF_BY_EXEC)) {
		text_printf(t, "kernel closes %d (%s)", c->fd,
			    c->cflags & CALLF_BY_EXIT ? "process exit" : "exec");
		return;
	}
	text_printf(t, "%s(", call_word(c));
	if (c->call < CALL_MAX && call_args[c->call])
		call_args[c->call](t, c);
	text_add(t, ")");
	if (c->call == CALL_CLOSE_RANGE && c->fd >= 0)
		text_printf(t, " closes %d", c->fd);
}

static void add_quoted(struct text *t, bool given, const char *bytes, size_t size)
{
	char escaped[4 * sizeof(((struct event_gai *)0)->node)];
	size_t len = strnlen(bytes, size);

	if (!given) {
		text_add(t, "NULL");
		return;
	}
	text_printf(t, "\"%s%s\"", fmt_escaped(escaped, sizeof(escaped), bytes, len),
		    len == size - 1 ? ".." : "");
}

static void describe_gai(struct text *t, const struct event_gai *g)
{
	text_add(t, "getaddrinfo(");
	add_quoted(t, g->has_node, g->node, sizeof(g->node));
	text_add(t, ", ");
	add_quoted(t, g->has_service, g->service, sizeof(g->service));
	text_add(t, ")");
}

char *describe_call(char *buf, size_t size, const struct event *ev)
{
	struct text t;

	text_start(&t, buf, size);
	if (ev->kind == EV_CALL)
		describe_syscall(&t, (const struct event_call *)ev);
	else if (ev->kind == EV_GAI)
		describe_gai(&t, (const struct event_gai *)ev);
	return buf;
}
