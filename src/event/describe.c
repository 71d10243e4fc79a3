/* SPDX-License-Identifier: MIT */
/*
 * Records as typed fields: one function per kind of record, a row of the table each. The many
 * arguments of system calls are in describe_args.c.
 */
#include "describe.h"

#include <assert.h>
#include <linux/sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "describe_parts.h"
#include "names.h"

static struct field *field_new(struct fields *f, const char *key, enum field_type type)
{
	struct field *field = &f->at[f->n++];

	assert(f->n <= DESCRIBE_MAX);
	field->key = key;
	field->type = type;
	field->num = 0;
	field->bytes = NULL;
	field->len = 0;
	field->text[0] = '\0';
	return field;
}

void field_u64(struct fields *f, const char *key, __u64 num)
{
	field_new(f, key, FIELD_U64)->num = num;
}

void field_s64(struct fields *f, const char *key, __s64 num)
{
	field_new(f, key, FIELD_S64)->num = (__u64)num;
}

void field_flag(struct fields *f, const char *key, bool set)
{
	if (set)
		field_new(f, key, FIELD_BOOL)->num = 1;
}

char *field_new_text(struct fields *f, const char *key, enum field_type type)
{
	return field_new(f, key, type)->text;
}

void field_text(struct fields *f, const char *key, const char *text)
{
	snprintf(field_new_text(f, key, FIELD_TEXT), FIELD_TEXT_SIZE, "%s", text);
}

void field_bytes(struct fields *f, const char *key, const char *bytes, size_t len)
{
	struct field *field = field_new(f, key, FIELD_BYTES);

	field->bytes = bytes;
	field->len = len;
}

void field_addr(struct fields *f, const char *key, const struct ev_addr *addr)
{
	if (addr->family)
		fmt_addr(field_new_text(f, key, FIELD_TEXT), FIELD_TEXT_SIZE, addr);
}

void field_name(struct fields *f, const char *key, const char *name, unsigned int value)
{
	if (name[0] == '?')
		snprintf(field_new_text(f, key, FIELD_TEXT), FIELD_TEXT_SIZE, "%u", value);
	else
		field_text(f, key, name);
}

void field_ret(struct fields *f, __s64 ret)
{
	unsigned int code = ret < 0 && ret >= INT32_MIN ? (unsigned int)-ret : 0;

	field_s64(f, "ret", ret < 0 ? -1 : ret);
	if (ret < 0)
		field_name(f, "errno", errno_name((int)code), code);
}

static const char *proc_what_name(unsigned int what)
{
	static const char *const names[] = {
		[PROC_SEEN] = "seen", [PROC_FORK] = "fork",	[PROC_EXEC] = "exec",
		[PROC_EXIT] = "exit", [PROC_THREAD] = "thread",
	};

	static_assert(sizeof(names) / sizeof(names[0]) == PROC_THREAD + 1, "a name for each");
	return what < sizeof(names) / sizeof(names[0]) && names[what] ? names[what] : "?";
}

static void fields_of_proc(struct fields *f, const struct event *ev)
{
	const struct event_proc *p = (const struct event_proc *)ev;

	field_name(f, "what", proc_what_name(p->what), p->what);
	field_bytes(f, "comm", p->comm, strnlen(p->comm, sizeof(p->comm)));
	field_u64(f, "ppid", p->ppid);
	field_u64(f, "uid", p->uid);
	if (p->what == PROC_FORK || p->what == PROC_THREAD) {
		field_u64(f, "child", p->child);
		field_u64(f, "clone_flags", p->clone_flags);
		field_flag(f, "shares_descriptors", p->clone_flags & CLONE_FILES);
	}
	if (p->what != PROC_EXIT)
		return;
	if (WIFSIGNALED(p->code))
		field_u64(f, "signal", (__u64)WTERMSIG(p->code));
	else
		field_u64(f, "exit_code", (__u64)WEXITSTATUS(p->code));
}

static void fields_of_sockinfo(struct fields *f, const struct event *ev)
{
	const struct event_sockinfo *s = (const struct event_sockinfo *)ev;

	field_u64(f, "cookie", s->cookie);
	field_u64(f, "netns", s->netns);
	field_u64(f, "ino", s->ino);
	field_name(f, "family", family_name(s->family), s->family);
	field_name(f, "socktype", socktype_name(s->type), s->type);
	if (s->protocol)
		field_name(f, "protocol", proto_name(s->protocol), s->protocol);
	if (s->state)
		field_name(f, "state", tcp_state_name(s->state), s->state);
	field_addr(f, "src", &s->src);
	field_addr(f, "dst", &s->dst);
	if (s->path_len)
		field_bytes(f, "path", s->path, s->path_len);
	if (s->peer_sid)
		field_u64(f, "peer_sid", s->peer_sid);
	if (s->peer_pid)
		field_u64(f, "peer_pid", s->peer_pid);
	if (s->parent)
		field_u64(f, "listener_sid", s->parent);
	field_flag(f, "passive", s->sflags & SOCKF_PASSIVE);
	field_flag(f, "v6only", s->sflags & SOCKF_V6ONLY);
	field_flag(f, "mptcp", s->sflags & SOCKF_MPTCP);
}

static void fields_of_flow(struct fields *f, const struct event *ev)
{
	const struct event_flow *w = (const struct event_flow *)ev;

	field_u64(f, "flow", w->fid);
	field_u64(f, "netns", w->netns);
	field_name(f, "protocol", proto_name(w->protocol), w->protocol);
	field_addr(f, "a", &w->a);
	field_addr(f, "b", &w->b);
}

static void fields_of_fd(struct fields *f, const struct event *ev)
{
	const struct event_fd *d = (const struct event_fd *)ev;

	field_s64(f, "fd", d->fd);
	field_flag(f, "cloexec", d->cloexec);
}

/* Answers "127.0.0.1:80,[::1]:80"; what does not fit the field is told by "total". */
static void gai_answers(struct fields *f, const struct event_gai *g)
{
	struct text t;
	char addr[64];
	__u32 i;

	text_start(&t, field_new_text(f, "answers", FIELD_LIST), FIELD_TEXT_SIZE);
	for (i = 0; i < g->kept; i++) {
		fmt_addr(addr, sizeof(addr), &g->addrs[i].addr);
		if (t.len + strlen(addr) + 1 >= FIELD_TEXT_SIZE) /* whole words only */
			break;
		text_printf(&t, "%s%s", i ? "," : "", addr);
	}
}

static void fields_of_gai(struct fields *f, const struct event *ev, enum phase phase)
{
	const struct event_gai *g = (const struct event_gai *)ev;

	if (g->has_node)
		field_bytes(f, "node", g->node, strnlen(g->node, sizeof(g->node)));
	if (g->has_service)
		field_bytes(f, "service", g->service, strnlen(g->service, sizeof(g->service)));
	if (g->family)
		field_name(f, "family", family_name((unsigned int)g->family),
			   (unsigned int)g->family);
	if (g->socktype)
		field_name(f, "socktype", socktype_name((unsigned int)g->socktype),
			   (unsigned int)g->socktype);
	field_s64(f, "hint_flags", g->flags);
	if (phase == PHASE_ENTER)
		return;
	field_s64(f, "ret", g->ret);
	if (g->ret)
		field_name(f, "errno", gai_error_name(g->ret), (unsigned int)g->ret);
	gai_answers(f, g);
	field_u64(f, "total", g->total);
}

static void fields_of_segment(struct fields *f, const struct event *ev)
{
	const struct event_segment *s = (const struct event_segment *)ev;

	field_u64(f, "flow", s->fid);
	field_text(f, "direction", s->sflags & SEGF_OUT ? "out" : "in");
	field_text(f, "sender", s->sflags & SEGF_FROM_B ? "b" : "a");
	field_u64(f, "len", s->len);
	field_u64(f, "netns", s->netns);
	field_u64(f, "ifindex", s->ifindex);
	field_flag(f, "loopback", s->sflags & SEGF_LOOPBACK);
	field_flag(f, "fragment", s->sflags & SEGF_FRAGMENT);
	field_flag(f, "udp", s->sflags & SEGF_UDP);
	if (s->sflags & SEGF_UDP)
		return;
	fmt_tcp_flags(field_new_text(f, "flags", FIELD_LIST), FIELD_TEXT_SIZE, s->flags);
	field_u64(f, "seq_raw", s->seq);
	if (s->flags & 16) /* ACK: without it the field of the header means nothing */
		field_u64(f, "ack_raw", s->ack);
	field_u64(f, "win_raw", s->win);
	if (s->wscale)
		field_u64(f, "wscale", s->wscale - 1u);
	if (s->mss && s->flags & 2) /* SYN */
		field_u64(f, "mss", s->mss);
	if (s->flags & 32) /* URG */
		field_u64(f, "urgent", s->mss);
}

static void fields_of_state(struct fields *f, const struct event_sock *s)
{
	field_name(f, "old_state", tcp_state_name(s->a), s->a);
	field_name(f, "new_state", tcp_state_name(s->b), s->b);
}

static void fields_of_retransmit(struct fields *f, const struct event_sock *s)
{
	field_name(f, "state", tcp_state_name(s->a), s->a);
	field_u64(f, "seq_raw", s->b);
	field_u64(f, "len", s->c);
}

static void fields_of_result(struct fields *f, const struct event_sock *s)
{
	field_ret(f, (__s32)s->a);
}

static void fields_of_rst(struct fields *f, const struct event_sock *s)
{
	if (s->b)
		field_u64(f, "reason_number", s->a);
}

static void fields_of_error(struct fields *f, const struct event_sock *s)
{
	field_name(f, "errno", errno_name((int)s->a), s->a);
}

static void fields_of_udp_drop(struct fields *f, const struct event_sock *s)
{
	fields_of_error(f, s);
	field_u64(f, "len", s->c);
}

static void fields_of_skb_drop(struct fields *f, const struct event_sock *s)
{
	field_u64(f, "reason_number", s->a);
	field_u64(f, "len", s->c);
}

/* What a, b, c of a kernel moment mean; NULL: nothing. The levels are the model's to tell. */
static void (*const sock_fields[])(struct fields *f, const struct event_sock *s) = {
	[EV_STATE] = fields_of_state,	    [EV_SENT] = fields_of_result,
	[EV_RECEIVED] = fields_of_result,   [EV_RETRANSMIT] = fields_of_retransmit,
	[EV_RST_SENT] = fields_of_rst,	    [EV_SOCK_ERROR] = fields_of_error,
	[EV_UDP_DROP] = fields_of_udp_drop, [EV_SKB_DROP] = fields_of_skb_drop,
	[EV_KIND_MAX - 1] = NULL,
};
static_assert(sizeof(sock_fields) / sizeof(sock_fields[0]) == EV_KIND_MAX, "one for every kind");

static void fields_of_sock(struct fields *f, const struct event *ev)
{
	if (sock_fields[ev->kind])
		sock_fields[ev->kind](f, (const struct event_sock *)ev);
}

/* What needs no phase. From EV_STATE on, but for the doorbell, a record is a struct event_sock. */
static void (*const kind_fields[])(struct fields *f, const struct event *ev) = {
	[EV_PROC] = fields_of_proc,	   [EV_SOCK] = fields_of_sockinfo,
	[EV_FLOW] = fields_of_flow,	   [EV_FD] = fields_of_fd,
	[EV_SEGMENT] = fields_of_segment,  [EV_STATE... EV_FIN_RECEIVED] = fields_of_sock,
	[EV_SOCK_CLOSED] = fields_of_sock, [EV_LEVELS] = fields_of_sock,
};
static_assert(sizeof(kind_fields) / sizeof(kind_fields[0]) == EV_KIND_MAX, "one for every kind");

size_t describe_fields(const struct event *ev, enum phase phase, struct field *fields)
{
	struct fields f = { .at = fields };

	if (ev->kind == EV_CALL)
		fields_of_call(&f, (const struct event_call *)ev, phase);
	else if (ev->kind == EV_GAI)
		fields_of_gai(&f, ev, phase);
	else if (ev->kind < EV_KIND_MAX && kind_fields[ev->kind])
		kind_fields[ev->kind](&f, ev);
	return f.n;
}
