/* SPDX-License-Identifier: MIT */
/*
 * Hand-made stories for the renderers: a few sockets and processes, and functions that tell a
 * renderer one moment each, as the model would. Times are fixed, so that output is too.
 */
#ifndef SOCKLENS_TESTS_RENDER_STORY_H
#define SOCKLENS_TESTS_RENDER_STORY_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "event/describe.h"
#include "event/names.h"
#include "render/render.h"

#define STORY_BOOT_NS 5000000000000ull
#define STORY_UNIX_NS 1700000000000000000ull
#define STORY_MAX 8

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum {
	ST_ESTABLISHED = 1,
	ST_SYN_SENT,
	ST_SYN_RECV,
	ST_FIN_WAIT1,
	ST_FIN_WAIT2,
	ST_TIME_WAIT,
	ST_CLOSE,
	ST_CLOSE_WAIT,
	ST_LAST_ACK,
	ST_LISTEN
};

struct story {
	const struct renderer *renderer;
	struct render *r;
	FILE *out;
	char *text;
	size_t len;
	struct view view;
	struct session_meta meta;
	__u64 now_ns, step_id;
	struct frame_loss loss;
	struct proc proc[STORY_MAX];
	struct sock sock[STORY_MAX];
	struct conn conn[STORY_MAX];
	__u32 seq[STORY_MAX][2]; /* by conversation: next relative seq of each end */
	const char *reason;	 /* the kernel's name, for the next moment */
	unsigned int sflags;	 /* of the next moment, beyond STEP_LV */
	__u64 n;		 /* of the next call's return */
	bool ticks;		 /* one after each step */
	int err;
};

static const char *const story_probes[] = { "call=tp/raw_syscalls",
					    "accept queue=missing: no such tracepoint", NULL };

static inline void story_open(struct story *st, const struct renderer *renderer, unsigned int width)
{
	unsigned int i;

	memset(st, 0, sizeof(*st));
	st->renderer = renderer;
	st->out = open_memstream(&st->text, &st->len);
	st->view = (struct view){ .out = st->out, .width = width, .layers = LAYER_ALL };
	st->view.no_verdicts = true; /* the sentences of remarks.c instead */
	st->meta = (struct session_meta){ .start_boot_ns = STORY_BOOT_NS,
					  .start_unix_ns = STORY_UNIX_NS,
					  .kernel = "6.1.0",
					  .backend = "tracepoint",
					  .version = "0.1",
					  .scope = "loopback" };
	st->now_ns = STORY_BOOT_NS + 1000000;
	for (i = 0; i < STORY_MAX; i++) {
		st->proc[i].pid = 5470 + i;
		st->sock[i].sid = i + 1;
		st->sock[i].cookie = 100 + i;
		st->sock[i].family = AF_INET;
		st->sock[i].type = SOCK_STREAM;
		st->sock[i].protocol = IPPROTO_TCP;
		st->sock[i].opener_fd = -1;
		st->conn[i].id = i + 1;
		st->conn[i].family = AF_INET;
		st->conn[i].protocol = IPPROTO_TCP;
		st->conn[i].first_fin = st->conn[i].rst_by = -1;
	}
}

/* The renderer starts with the first moment, so that a story may change the view before. */
static inline void story_begin(struct story *st)
{
	if (!st->r)
		st->r = st->renderer->open(&st->view, &st->meta);
}

static inline void story_after(struct story *st, unsigned int us)
{
	st->now_ns += us * 1000ull;
}

static inline void story_tick(struct story *st)
{
	story_begin(st);
	if (st->renderer->tick)
		st->err |= st->renderer->tick(st->r, st->now_ns);
}

/* Ends the story; the caller frees the text. */
static inline char *story_close(struct story *st)
{
	story_begin(st);
	st->err |= st->renderer->finish(st->r, &st->loss, true);
	st->renderer->close(st->r);
	fclose(st->out);
	return st->text;
}

static inline struct ev_addr story_addr(const char *ip, __u16 port)
{
	struct ev_addr a = { .family = AF_INET, .port = port };

	if (inet_pton(AF_INET, ip, a.addr) != 1) {
		a.family = AF_INET6;
		inet_pton(AF_INET6, ip, a.addr);
	}
	return a;
}

static inline void story_proc(struct story *st, int i, const char *comm, enum role role)
{
	snprintf(st->proc[i].comm, sizeof(st->proc[i].comm), "%s", comm);
	st->proc[i].role = role;
}

/* Socket `client` talks to socket `server`; -1: that end is elsewhere. */
static inline struct conn *story_conn(struct story *st, int c, int client, int server,
				      const char *from, __u16 from_port, const char *to,
				      __u16 to_port)
{
	struct conn *conn = &st->conn[c];
	int ends[2] = { client, server }, i;

	conn->addr[0] = story_addr(from, from_port);
	conn->addr[1] = story_addr(to, to_port);
	conn->family = conn->addr[0].family;
	conn->t_first_ns = st->now_ns;
	for (i = 0; i < 2; i++) {
		if (ends[i] < 0)
			continue;
		conn->end[i] = &st->sock[ends[i]];
		st->sock[ends[i]].family = conn->family;
		st->sock[ends[i]].conn = conn;
		st->sock[ends[i]].role = i ? ROLE_SERVER : ROLE_CLIENT;
		st->sock[ends[i]].src = conn->addr[i];
		st->sock[ends[i]].dst = conn->addr[!i];
		conn->dir[0].tx_seen |= i == 0;
		conn->dir[0].rx_seen |= i == 1;
		conn->dir[1].tx_seen |= i == 1;
		conn->dir[1].rx_seen |= i == 0;
	}
	return conn;
}

static inline void story_fill(struct story *st, struct step *s, int proc, int sock)
{
	s->id = ++st->step_id;
	s->t_ns = st->now_ns;
	s->proc = proc >= 0 ? &st->proc[proc] : NULL;
	s->sock = sock >= 0 ? &st->sock[sock] : NULL;
	s->conn = s->sock ? s->sock->conn : NULL;
	s->role = s->sock ? s->sock->role : ROLE_NONE;
	if (s->role == ROLE_NONE && s->proc)
		s->role = s->proc->role;
	if (s->conn)
		memcpy(s->dir, s->conn->dir, sizeof(s->dir));
}

static inline void story_head(struct story *st, struct event *e, size_t size, unsigned int kind,
			      int proc, int sock)
{
	e->size = (__u16)size;
	e->kind = (__u8)kind;
	e->sid = sock >= 0 ? st->sock[sock].sid : 0;
	e->t_ns = st->now_ns;
	e->pid = e->tid = proc >= 0 ? st->proc[proc].pid : 0;
}

static inline void story_tell(struct story *st, const struct step *s)
{
	story_begin(st);
	st->err |= st->renderer->step(st->r, s);
	if (st->ticks)
		story_tick(st);
	st->now_ns += 7000;
	if (s->ev)
		st->loss.seen[s->ev->kind]++;
}

static inline struct levels story_levels(const struct story *st, int sock)
{
	struct levels lv = {
		.flags = LV_VALID | LV_TCP, .sndbuf = 16384, .rcvbuf = 65536, .rcv_wnd = 65536
	};
	const struct sock *s = sock >= 0 ? &st->sock[sock] : NULL;

	if (s && s->listening) {
		lv.flags = LV_VALID | LV_LISTEN;
		lv.ack_backlog = s->lv.ack_backlog;
		lv.max_ack_backlog = 128;
	} else if (s) {
		lv.flags |= s->lv.flags;
		lv.rmem_alloc = s->lv.rmem_alloc;
	}
	if (s && s->type == SOCK_DGRAM)
		lv.flags = LV_VALID;
	return lv;
}

/* Entry of a call; known: its exit follows soon. Returns the entry's id. */
static inline __u64 story_enter(struct story *st, int proc, int sock, struct event_call c,
				bool known)
{
	struct step s = { .phase = PHASE_ENTER, .layer = LAYER_APP, .exit_known = known };

	story_head(st, &c.e, sizeof(c), EV_CALL, proc, sock);
	c.t_enter = st->now_ns;
	if (!known)
		c.cflags |= CALLF_PENDING;
	s.ev = &c.e;
	story_fill(st, &s, proc, sock);
	story_tell(st, &s);
	return s.id;
}

static inline void story_exit(struct story *st, int proc, int sock, struct event_call c,
			      __u64 enter_id, __u64 t_enter, long long ret, unsigned int sflags)
{
	struct step s = { .phase = PHASE_EXIT, .layer = LAYER_APP, .sflags = sflags };

	story_head(st, &c.e, sizeof(c), EV_CALL, proc, sock);
	c.t_enter = t_enter;
	c.ret = ret;
	c.cflags &= (__u8)~CALLF_PENDING;
	c.lv = story_levels(st, sock);
	s.ev = &c.e;
	s.enter_id = enter_id;
	s.took_ns = st->now_ns - t_enter;
	s.n = st->n;
	st->n = 0;
	story_fill(st, &s, proc, sock);
	story_tell(st, &s);
}

static inline void story_call(struct story *st, int proc, int sock, struct event_call c,
			      long long ret, unsigned int sflags)
{
	__u64 t = st->now_ns, id = story_enter(st, proc, sock, c, true);

	story_after(st, 10);
	story_exit(st, proc, sock, c, id, t, ret, sflags);
}

static inline void story_moment(struct story *st, unsigned int kind, int proc, int sock, __u32 a,
				__u32 b, __u32 c)
{
	struct event_sock m = { .a = a, .b = b, .c = c, .lv = story_levels(st, sock) };
	struct step s = {
		.layer = LAYER_KERNEL, .ev = &m.e, .sflags = STEP_LV | st->sflags, .reason = st->reason
	};

	if (kind == EV_UDP_DROP)
		s.n = c;
	st->reason = NULL;
	st->sflags = 0;
	story_head(st, &m.e, sizeof(m), kind, proc, sock);
	story_fill(st, &s, proc, sock);
	story_tell(st, &s);
}

static inline void story_state(struct story *st, int proc, int sock, __u32 from, __u32 to)
{
	story_moment(st, EV_STATE, proc, sock, from, to, 0);
}

/* A segment leaves one end and, if the other is here, arrives there. */
static inline void story_segment(struct story *st, int c, int from, unsigned int flags, __u32 len,
				 unsigned int sflags)
{
	struct conn *conn = &st->conn[c];
	struct event_segment g = {
		.len = len, .flags = (__u8)flags, .sflags = SEGF_OUT, .fid = conn->id
	};
	struct step s = { .layer = LAYER_WIRE,
			  .ev = &g.e,
			  .rel_known = true,
			  .win_bytes = 65536,
			  .win_scaled = true,
			  .sflags = sflags,
			  .seg_from = from ? ROLE_SERVER : ROLE_CLIENT };
	int out = conn->end[from] ? (int)(conn->end[from] - st->sock) : -1;
	int in = conn->end[!from] ? (int)(conn->end[!from] - st->sock) : -1;

	if (conn->protocol == IPPROTO_UDP)
		g.sflags |= SEGF_UDP;
	if (!len && !(flags & (SYN | FIN | RST)))
		s.sflags |= STEP_PURE_ACK;
	s.rel_seq = st->seq[c][from];
	s.rel_ack = flags & ACK ? st->seq[c][!from] : 0;
	if (!(sflags & STEP_RTX))
		st->seq[c][from] += len + !!(flags & (SYN | FIN));
	conn->segments[from]++;
	conn->seg_bytes[from] += len;
	if (sflags & STEP_RTX)
		conn->retransmits[from]++;
	if (out < 0)
		g.sflags = (__u8)((g.sflags & ~SEGF_OUT) | SEGF_IN);
	story_head(st, &g.e, sizeof(g), EV_SEGMENT, -1, out < 0 ? in : out);
	story_fill(st, &s, -1, out < 0 ? in : out);
	s.conn = conn;
	story_tell(st, &s);
	if (in < 0 || out < 0)
		return;
	g.sflags = (__u8)((g.sflags & ~SEGF_OUT) | SEGF_IN);
	s.sflags |= STEP_SEG_PAIR;
	story_head(st, &g.e, sizeof(g), EV_SEGMENT, -1, in);
	story_fill(st, &s, -1, in);
	s.conn = conn;
	story_tell(st, &s);
}

static inline void story_summary(struct story *st, int c, enum conn_end how)
{
	struct step s = { .kind = STEP_SUMMARY, .layer = LAYER_KERNEL, .how = how };

	story_fill(st, &s, -1, -1);
	s.conn = &st->conn[c];
	st->conn[c].t_last_ns = st->now_ns;
	st->conn[c].ended = how != END_OPEN;
	memcpy(s.dir, s.conn->dir, sizeof(s.dir));
	story_tell(st, &s);
}

static inline void story_process(struct story *st, int proc, enum proc_what what, __u32 child,
				 __u32 code)
{
	struct event_proc p = { .what = what, .child = child, .code = code };
	struct step s = { .layer = LAYER_APP, .ev = &p.e };

	story_head(st, &p.e, sizeof(p), EV_PROC, proc, -1);
	memcpy(p.comm, st->proc[proc].comm, sizeof(p.comm));
	story_fill(st, &s, proc, -1);
	story_tell(st, &s);
}

#define CALL(which, descriptor, ...) \
	((struct event_call){ .call = (which), .fd = (descriptor), ##__VA_ARGS__ })

/* The variable part of a call is its address; returned where it stands behind the call. */
struct call_with_addr {
	struct event_call c;
	struct sockaddr_in in;
};

static inline void story_addr_step(struct story *st, int proc, int sock, struct call_with_addr *a,
				   struct step *s, const char *ip, __u16 port)
{
	a->c.tail_kind = TAIL_ADDR;
	a->c.tail_len = a->c.tail_count = sizeof(a->in);
	a->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
	inet_pton(AF_INET, ip, &a->in.sin_addr);
	story_head(st, &a->c.e, sizeof(*a), EV_CALL, proc, sock);
	a->c.lv = story_levels(st, sock);
	s->ev = &a->c.e;
	s->layer = LAYER_APP;
	story_fill(st, s, proc, sock);
	story_tell(st, s);
}

/* Entry of a call whose argument is an address. Returns its id. */
static inline __u64 story_enter_addr(struct story *st, int proc, int sock, struct event_call c,
				     const char *ip, __u16 port)
{
	struct call_with_addr a = { .c = c };
	struct step s = { .phase = PHASE_ENTER, .exit_known = true };

	a.c.t_enter = st->now_ns;
	story_addr_step(st, proc, sock, &a, &s, ip, port);
	return s.id;
}

/* Exit of a call that has an address, argument or answer. */
static inline void story_exit_addr(struct story *st, int proc, int sock, struct event_call c,
				   const char *ip, __u16 port, __u64 enter_id, __u64 t_enter,
				   long long ret)
{
	struct call_with_addr a = { .c = c };
	struct step s = { .phase = PHASE_EXIT,
			  .enter_id = enter_id,
			  .took_ns = st->now_ns - t_enter };

	a.c.ret = ret;
	if (c.sid2) {
		s.sock2 = &st->sock[c.sid2 - 1];
		st->sock[c.sid2 - 1].opener_pid = st->proc[proc].pid;
		st->sock[c.sid2 - 1].conn->pid[1] = st->proc[proc].pid;
	}
	story_addr_step(st, proc, sock, &a, &s, ip, port);
}

static inline void story_call_addr(struct story *st, int proc, int sock, struct event_call c,
				   const char *ip, __u16 port, long long ret)
{
	__u64 t = st->now_ns, id = story_enter_addr(st, proc, sock, c, ip, port);

	story_after(st, 10);
	story_exit_addr(st, proc, sock, c, ip, port, id, t, ret);
}

#endif
