/* SPDX-License-Identifier: MIT */
/*
 * Moment: getaddrinfo, the question and the whole list of answers (uprobes on the libc in use).
 */
#ifndef SOCKLENS_PROBE_GAI_H
#define SOCKLENS_PROBE_GAI_H

#include "call_exit.bpf.h"

/* A record with the question and no answer. */
static __always_inline void gai_fill(struct event_gai *g, const struct task_state *ts, u32 pid, u32 tid)
{
	const struct gai_question *q = &ts->gai;

	__builtin_memset(g, 0, sizeof(*g));
	g->e.size = sizeof(*g);
	g->e.kind = EV_GAI;
	g->e.t_ns = now_ns();
	g->e.pid = pid;
	g->e.tid = tid;
	g->t_enter = ts->gai_enter;
	__builtin_memcpy(g->node, q->node, sizeof(g->node));
	__builtin_memcpy(g->service, q->service, sizeof(g->service));
	g->has_node = q->has_node;
	g->has_service = q->has_service;
	g->family = q->family;
	g->socktype = q->socktype;
	g->flags = q->flags;
}

/* Global: inside the loop it would be verified 32 times. */
__noinline int gai_answer(struct event_gai *g, u32 n, const struct user_addrinfo *ai)
{
	u8 sa[28] = {};
	struct ev_addr *a;

	if (!g || !ai || n >= EVENT_GAI_ADDRS)
		return 0;
	a = &g->addrs[n].addr;
	bpf_probe_read_user(sa, sizeof(sa), (void *)ai->addr);
	a->family = ai->family;
	a->port = bpf_ntohs(*(u16 *)(sa + 2));
	if (ai->family == AF_INET)
		__builtin_memcpy(a->addr, sa + 4, 4);
	else if (ai->family == AF_INET6)
		__builtin_memcpy(a->addr, sa + 8, 16);
	g->addrs[n].socktype = ai->socktype;
	g->addrs[n].protocol = ai->protocol;
	g->kept = n + 1;
	return 0;
}

#define GAI_WALK 64

static __noinline int gai_answers(struct event_gai *g, u64 res)
{
	struct user_addrinfo ai;
	u64 at = 0;

	if (!g || bpf_probe_read_user(&at, sizeof(at), (void *)res))
		return 0;
	for (u32 n = 0; n < GAI_WALK; n++) {
		if (!at || bpf_probe_read_user(&ai, sizeof(ai), (void *)at))
			break;
		gai_answer(g, n, &ai);
		g->total = n + 1;
		at = ai.next;
	}
	return 0;
}

SEC("?uprobe")
int BPF_KPROBE(getaddrinfo__uprobe, u64 node, u64 service, u64 hints, u64 res)
{
	struct task_state *ts = task_get(true);

	if (!ts)
		return 0;
	ts->gai_asked[0] = node;
	ts->gai_asked[1] = service;
	ts->gai_asked[2] = hints;
	__builtin_memset(&ts->gai, 0, sizeof(ts->gai));
	gai_ask(ts);
	ts->gai_result = res;
	ts->gai_told = 0;
	ts->gai_enter = now_ns();
	ring_doorbell();
	return 0;
}

SEC("?uretprobe")
int BPF_KRETPROBE(getaddrinfo__uretprobe, int ret)
{
	struct scratch *s = scratch_get(SCRATCH_PROBE);
	struct task_state *ts = task_get(false);
	u64 id = bpf_get_current_pid_tgid();
	struct event_gai *g;
	u32 tid = id;

	if (!ts || !s || !ts->gai_enter)
		return 0;
	g = &s->gai;
	gai_ask(ts);
	gai_fill(g, ts, id >> 32, tid);
	g->ret = ret;
	if (!ret)
		gai_answers(g, ts->gai_result);
	ts->gai_enter = 0;
	if (scope_of_process(g->e.pid)) {
		proc_announce(bpf_get_current_task_btf(), 0);
		return emit_copy(g, sizeof(*g), EV_GAI);
	}
	if (!(cfg.scope & SCOPE_PROC) && !bpf_map_update_elem(&gai_early, &tid, g, BPF_ANY))
		ts->tflags |= TASK_ASKED; /* shown if its socket comes into scope */
	return 0;
}

#endif
