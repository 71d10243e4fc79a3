// SPDX-License-Identifier: MIT
/*
 * The pen: how a verdict is written, and how its sentences name things.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../event/names.h"
#include "../model/step.h"
#include "inside.h"

const char *certainty_name(enum certainty certainty)
{
	return certainty == PROVED ? "proved" : "inferred";
}

const char *weight_name(enum weight weight)
{
	switch (weight) {
	case WEIGHT_ASIDE:
		return "aside";
	case WEIGHT_NEWS:
		return "news";
	case WEIGHT_ALARM:
		return "alarm";
	}
	return "?";
}

static void verdict_clear(struct verdict *v, const struct rule *r, __u64 id, __u64 t_ns)
{
	v->id = 0;
	v->t_ns = t_ns;
	v->rule = r;
	v->weight = r->weight;
	v->certainty = PROVED;
	v->step = id;
	v->sid = v->conn = v->pid = 0;
	v->sock = 0;
	v->role = ROLE_NONE;
	v->layer = LAYER_APP;
	v->question[0] = v->cause[0] = v->remedy[0] = v->basis[0] = '\0';
	v->n_evidence = 0;
	verdict_prove(v, id);
}

void verdict_start(struct explain *x, struct verdict *v, const struct rule *r, const struct step *s)
{
	const struct conn *c = step_conn(s);
	const struct note *n = s->sock ? note_of(x, s->sock->sid) : NULL;

	verdict_clear(v, r, s->id, s->t_ns);
	if (s->sock) {
		v->sid = s->sock->sid;
		v->sock = sock_number(s->sock);
	}
	v->conn = c ? c->id : 0;
	if (s->layer)
		v->layer = s->layer;
	v->role = step_role(s);
	v->pid = s->ev && s->ev->pid ? s->ev->pid : s->proc ? s->proc->pid : n ? n->pid : 0;
}

void verdict_start_at(struct explain *x, struct verdict *v, const struct rule *r, struct note *n,
		      __u64 id, __u64 t_ns)
{
	(void)x;
	verdict_clear(v, r, id, t_ns);
	if (!n)
		return;
	v->sid = n->sid;
	v->sock = n->number;
	v->conn = n->conn;
	v->role = n->role;
	v->pid = n->pid;
}

bool verdict_start_failed(struct explain *x, struct verdict *v, const struct rule *r,
			  const struct step *s, struct note *n)
{
	const struct event_call *c = (const struct event_call *)s->ev;
	char call[48];

	if (note_told(n, r))
		return false;
	verdict_start(x, v, r, s);
	verdict_ask(v, "Why did %s fail with %s?", fmt_call(call, sizeof(call), c),
		    errno_name((int)c->ret));
	return true;
}

#define WRITE_TEXT(field)                                      \
	do {                                                   \
		va_list args;                                  \
		va_start(args, format);                        \
		vsnprintf(field, sizeof(field), format, args); \
		va_end(args);                                  \
	} while (0)

void verdict_ask(struct verdict *v, const char *format, ...)
{
	WRITE_TEXT(v->question);
}

void verdict_say(struct verdict *v, const char *format, ...)
{
	WRITE_TEXT(v->cause);
}

void verdict_do(struct verdict *v, const char *format, ...)
{
	WRITE_TEXT(v->remedy);
}

void verdict_infer(struct verdict *v, const char *format, ...)
{
	v->certainty = INFERRED;
	WRITE_TEXT(v->basis);
}

void verdict_prove(struct verdict *v, __u64 id)
{
	unsigned int i, at;

	for (at = 0; at < v->n_evidence && v->evidence[at] < id; at++)
		;
	if (!id || v->n_evidence == VERDICT_EVIDENCE ||
	    (at < v->n_evidence && v->evidence[at] == id))
		return;
	for (i = v->n_evidence++; i > at; i--)
		v->evidence[i] = v->evidence[i - 1];
	v->evidence[at] = id;
}

void verdict_prove_mark(struct verdict *v, const struct note *n, enum mark_kind kind)
{
	const struct mark *m = note_mark(n, kind);

	if (m)
		verdict_prove(v, m->id);
}

/* What was not seen proves nothing once events are missing. */
/* Those that segments and the kernel's own reasons prove. All others ask, too, which calls were made, or that none was. */
static bool needs_no_calls(const struct rule *r)
{
	static const char *const names[] = {
		"queue-full",	 "rst-gone",	  "rst-keepalive",   "rst-late-data", "rst-no-listener",
		"rst-other",	 "rst-time-wait", "rst-unread",	     "time-wait",     "timeout-unacked",
		"udp-dropped",	 "udp-drops",	  "udp-nobody",	     "udp-stopped",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(r->name, names[i]))
			return true;
	return false;
}

int verdict_tell(struct explain *x, struct verdict *v)
{
	if (model_untraced(x->m) & LAYER_APP && !needs_no_calls(v->rule))
		return 0;
	if (x->lossy && v->certainty == PROVED)
		verdict_infer(v,
			      "events were lost before this: what contradicts it may be missing");
	v->id = ++x->n;
	return x->fn(x->ctx, v);
}

char *fmt_who(char *buf, size_t size, const struct explain *x, enum role role, __u32 pid)
{
	const struct proc *p = pid ? model_proc(x->m, pid) : NULL;
	char comm[EVENT_COMM_LEN * 4 + 1];

	if (p && p->comm[0]) {
		fmt_escaped(comm, sizeof(comm), p->comm, strlen(p->comm));
		if (role == ROLE_NONE)
			snprintf(buf, size, "%s (process %u)", comm, pid);
		else
			snprintf(buf, size, "the %s (%s %u)", role_name(role), comm, pid);
	} else if (role != ROLE_NONE && pid) {
		snprintf(buf, size, "the %s (process %u)", role_name(role), pid);
	} else if (role != ROLE_NONE) {
		snprintf(buf, size, "the %s", role_name(role));
	} else if (pid) {
		snprintf(buf, size, "process %u", pid);
	} else {
		snprintf(buf, size, "the other end");
	}
	return buf;
}

char *fmt_note(char *buf, size_t size, const struct explain *x, const struct note *n)
{
	return fmt_who(buf, size, x, n ? n->role : ROLE_NONE, n ? n->pid : 0);
}

char *fmt_bytes(char *buf, size_t size, __u64 bytes)
{
	char digits[24], *to = buf;
	size_t i, len = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)bytes);

	for (i = 0; i < len && (size_t)(to - buf) + 10 < size; i++) {
		if (i && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	snprintf(to, size - (size_t)(to - buf), bytes == 1 ? " byte" : " bytes");
	return buf;
}

const char *verb(__u64 n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

char *fmt_part(char *buf, size_t size, __u64 part, __u64 whole)
{
	char some[40], all[40];

	fmt_bytes(some, sizeof(some), part);
	fmt_bytes(all, sizeof(all), whole);
	if (part == whole && whole == 1)
		snprintf(buf, size, "the only byte");
	else if (part == whole)
		snprintf(buf, size, "all %s", all);
	else
		snprintf(buf, size, "%.*s of %s", (int)strcspn(some, " "), some, all);
	return buf;
}

char *fmt_ns(char *buf, size_t size, __u64 ns)
{
	if (ns < NS_PER_MS / 10)
		snprintf(buf, size, "%llu us", (unsigned long long)(ns / 1000));
	else if (ns < 10 * NS_PER_MS)
		snprintf(buf, size, "%.1f ms", (double)ns / NS_PER_MS);
	else if (ns < NS_PER_S)
		snprintf(buf, size, "%llu ms", (unsigned long long)(ns / NS_PER_MS));
	else
		snprintf(buf, size, "%.2f s", (double)ns / NS_PER_S);
	return buf;
}

char *fmt_call(char *buf, size_t size, const struct event_call *c)
{
	if (c->fd >= 0)
		snprintf(buf, size, "%s(%d)", call_word(c), c->fd);
	else
		snprintf(buf, size, "%s()", call_word(c));
	return buf;
}
