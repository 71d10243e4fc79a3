/* SPDX-License-Identifier: MIT */
/*
 * Hand-made records for tests of the model: a story is told moment by moment and every step that
 * comes out of it is kept. struct tcp_end plays one kernel socket: it keeps the counters a real one
 * would, so that a story says "client sends 14 bytes" and gets the records of it in kernel order.
 */
#ifndef SOCKLENS_TESTS_BUILD_EVENTS_H
#define SOCKLENS_TESTS_BUILD_EVENTS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "model/inside.h"
#include "model/ledger.h"
#include "model/model.h"

#define STEPS_MAX 1024

/* What is left of a step after the callback: its record is copied as far as tests look. */
struct told {
	struct step s;
	__u8 kind; /* enum event_kind, EV_NONE for a summary */
	__u16 call;
};

struct story {
	struct model *m;
	__u64 t_ns;
	size_t n; /* steps in all; the last STEPS_MAX are in told[] */
	struct told told[STEPS_MAX];
	bool strict; /* every step's ledgers must be in order */
	int summaries;
	struct step summary; /* the last one */
	struct conn over;    /* and its conversation as it was then */
};

static inline int story_step(void *ctx, const struct step *s)
{
	struct story *y = ctx;
	struct told *t = &y->told[y->n % STEPS_MAX];

	assert_int_equal(s->id, y->n + 1);
	t->s = *s;
	t->kind = s->ev ? s->ev->kind : EV_NONE;
	t->call = t->kind == EV_CALL ? ((const struct event_call *)s->ev)->call : 0;
	t->s.ev = NULL;
	y->n++;
	if (s->conn && y->strict) {
		assert_true(ledger_check(&s->dir[0]));
		assert_true(ledger_check(&s->dir[1]));
	}
	if (s->kind == STEP_SUMMARY) {
		y->summaries++;
		y->summary = *s;
		y->over = *s->conn;
	}
	return 0;
}

static inline void story_open(struct story *y)
{
	memset(y, 0, sizeof(*y));
	y->t_ns = 1000 * NS_PER_S;
	y->strict = true;
	y->m = model_new(story_step, y);
	assert_non_null(y->m);
}

static inline void story_close(struct story *y)
{
	model_free(y->m);
	y->m = NULL;
}

static inline struct told *story_last(struct story *y)
{
	return &y->told[(y->n - 1) % STEPS_MAX];
}

/* The last step of that kind (and call, if it is one). */
static inline struct told *story_find(struct story *y, unsigned int kind, unsigned int call)
{
	size_t i;

	for (i = y->n; i > 0 && y->n - i < STEPS_MAX; i--)
		if (y->told[(i - 1) % STEPS_MAX].kind == kind &&
		    (kind != EV_CALL || y->told[(i - 1) % STEPS_MAX].call == call))
			return &y->told[(i - 1) % STEPS_MAX];
	fail_msg("no step of kind %u", kind);
	return NULL;
}

static inline struct told *tell_as(struct story *y, const struct event *ev, enum phase phase)
{
	struct moment mo = { .ev = ev, .phase = phase, .t_ns = y->t_ns };

	mo.exit_known = phase == PHASE_ENTER;
	y->t_ns += 1000;
	assert_int_equal(model_apply(y->m, &mo), 0);
	return y->n ? story_last(y) : NULL;
}

static inline struct told *tell(struct story *y, void *record, unsigned int kind, size_t size)
{
	struct event *ev = record;

	ev->kind = (__u8)kind;
	ev->size = (__u16)size;
	ev->t_ns = y->t_ns;
	return tell_as(y, ev, PHASE_POINT);
}

static inline void story_wait(struct story *y, __u64 ns)
{
	y->t_ns += ns;
	model_gc(y->m, y->t_ns);
}

/* --- addresses --- */

static inline struct ev_addr addr4(const char *text, unsigned int port)
{
	struct ev_addr a = { .family = AF_INET, .port = (__u16)port };

	assert_int_equal(inet_pton(AF_INET, text, a.addr), 1);
	return a;
}

static inline struct ev_addr addr6(const char *text, unsigned int port)
{
	struct ev_addr a = { .family = AF_INET6, .port = (__u16)port };

	assert_int_equal(inet_pton(AF_INET6, text, a.addr), 1);
	return a;
}

/* --- calls --- */

/* A call with room for an address behind it. */
struct made_call {
	struct event_call c;
	struct sockaddr_in sin; /* 16 bytes */
};

static inline void call_to(struct made_call *mc, const struct ev_addr *a)
{
	mc->sin.sin_family = AF_INET;
	mc->sin.sin_port = htons(a->port);
	memcpy(&mc->sin.sin_addr, a->addr, 4);
	mc->c.tail_kind = TAIL_ADDR;
	mc->c.tail_len = mc->c.tail_count = sizeof(mc->sin);
}

static inline struct told *call_enters(struct story *y, struct made_call *mc)
{
	mc->c.e.kind = EV_CALL;
	mc->c.e.size = (__u16)(sizeof(mc->c) + mc->c.tail_len);
	if (!mc->c.e.tid)
		mc->c.e.tid = mc->c.e.pid;
	mc->c.t_enter = y->t_ns;
	return tell_as(y, &mc->c.e, PHASE_ENTER);
}

static inline struct told *call_returns(struct story *y, struct made_call *mc, __s64 ret)
{
	mc->c.ret = ret;
	mc->c.e.t_ns = y->t_ns;
	return tell_as(y, &mc->c.e, PHASE_EXIT);
}

static inline struct made_call call_of(__u32 pid, unsigned int call, __u32 sid, int fd)
{
	return (struct made_call){
		.c = { .e = { .pid = pid, .sid = sid }, .call = (__u16)call, .fd = fd },
	};
}

/* Enter and return at once. */
static inline struct told *call_made(struct story *y, struct made_call mc, __s64 ret)
{
	call_enters(y, &mc);
	return call_returns(y, &mc, ret);
}

static inline void socket_made(struct story *y, __u32 pid, __u32 sid, int fd, int type)
{
	struct made_call mc = call_of(pid, CALL_SOCKET, sid, -1);

	mc.c.x[0] = AF_INET;
	mc.c.x[1] = (__u32)type;
	call_made(y, mc, fd);
}

static inline void close_made(struct story *y, __u32 pid, __u32 sid, int fd, bool last)
{
	struct made_call mc = call_of(pid, CALL_CLOSE, sid, fd);

	if (last)
		mc.c.cflags = CALLF_LAST_REF;
	call_made(y, mc, 0);
}

/* --- processes --- */

static inline void proc_told(struct story *y, __u32 what, __u32 pid, __u32 child, __u32 flags,
			     const char *comm)
{
	struct event_proc e = { .e = { .pid = pid, .tid = pid }, .what = what };

	e.child = child;
	e.clone_flags = flags;
	memcpy(e.comm, comm, strlen(comm) < sizeof(e.comm) ? strlen(comm) : sizeof(e.comm));
	tell(y, &e, EV_PROC, sizeof(e));
}

/* --- sockets --- */

static inline void info_told(struct story *y, struct event_sockinfo e)
{
	if (!e.family)
		e.family = AF_INET;
	if (!e.netns)
		e.netns = 1;
	tell(y, &e, EV_SOCK, sizeof(e));
}

static inline struct told *sock_told(struct story *y, unsigned int kind, __u32 sid, __u32 a,
				     __u32 b, __u32 c, const struct levels *lv)
{
	struct event_sock e = { .e = { .sid = sid }, .a = a, .b = b, .c = c };

	if (lv)
		e.lv = *lv;
	return tell(y, &e, kind, sizeof(e));
}

/* --- segments --- */

static inline void flow_told(struct story *y, __u32 fid, __u32 netns, unsigned int protocol,
			     const struct ev_addr *a, const struct ev_addr *b)
{
	struct event_flow e = { .fid = fid, .netns = netns, .protocol = (__u16)protocol };

	e.a = *a;
	e.b = *b;
	tell(y, &e, EV_FLOW, sizeof(e));
}

static inline struct told *segment_told(struct story *y, struct event_segment g)
{
	return tell(y, &g, EV_SEGMENT, sizeof(g));
}

#endif
