// SPDX-License-Identifier: MIT
#include "step_line.h"

#include <stdio.h>

#include "../event/describe.h"
#include "../event/names.h"
#include "../model/step.h"
#include "../util/text.h"
#include "text.h"

static void add_call(struct text *t, const struct step *s)
{
	char part[320];

	text_add(t, describe_call(part, sizeof(part), s->ev));
	if (s->phase == PHASE_ENTER) {
		text_add(t, " begins");
		return;
	}
	if (s->phase == PHASE_EXIT)
		text_printf(t, " %s", words_exit(part, sizeof(part), s, false));
	else
		text_add(t, ", by the kernel");
}

/* "-> 14 B, PSH  seq 1 ack 1 win 65536": which way, and whether it leaves or arrives. */
static void add_segment(struct text *t, const struct step *s)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;
	struct columns wide;
	struct arrow a;

	columns_set(&wide, 0, 0, 0);
	words_segment(s, &wide, &a);
	text_printf(t, "%s %s", a.label, g->sflags & SEGF_IN ? "arrives" : "leaves");
	if (a.detail[0])
		text_printf(t, ": %s", a.detail);
	if (s->sflags & STEP_RTX)
		text_add(t, ", sent again");
}

static void add_state(struct text *t, const struct step *s)
{
	const struct event_sock *k = (const struct event_sock *)s->ev;

	text_printf(t, "%s -> %s", tcp_state_name(k->a), tcp_state_name(k->b));
	if (s->sflags & STEP_TIME_WAIT)
		text_add(t, ", a time-wait entry takes its place");
}

/* How full, where that is what matters. */
static void add_levels(struct text *t, const struct step *s)
{
	const struct levels *lv = step_levels(s);
	const struct ledger *l;

	if (!lv)
		return;
	if (lv->flags & LV_LISTEN) {
		text_printf(t, "; accept queue %u of %u", lv->ack_backlog, lv->max_ack_backlog);
		return;
	}
	if (!s->conn || step_role(s) == ROLE_NONE || !(lv->flags & LV_TCP))
		return;
	l = &s->dir[step_role(s) == ROLE_SERVER];
	if (l->tx_seen && l->unsent + l->in_flight)
		text_printf(t, "; send queue %llu B",
			    (unsigned long long)(l->unsent + l->in_flight));
	l = &s->dir[step_role(s) != ROLE_SERVER];
	if (l->rx_seen && l->rcvq)
		text_printf(t, "; receive queue %llu B", (unsigned long long)l->rcvq);
}

static void add_moment(struct text *t, const struct step *s)
{
	char part[200];

	switch (s->ev->kind) {
	case EV_CALL:
	case EV_GAI:
		add_call(t, s);
		break;
	case EV_SEGMENT:
		add_segment(t, s);
		return;
	case EV_STATE:
		add_state(t, s);
		break;
	case EV_PROC:
		if (words_proc(part, sizeof(part), (const struct event_proc *)s->ev))
			text_add(t, part);
		return;
	case EV_DATA_READY:
		text_add(t, "something has arrived");
		break;
	case EV_ACK:
		text_add(t, "an acknowledgement was taken in");
		break;
	case EV_LEVELS:
		text_add(t, "still waiting");
		break;
	default:
		text_add(t, words_moment(part, sizeof(part), s) ? part : kind_name(s->ev->kind));
	}
	if (s->phase != PHASE_ENTER)
		add_levels(t, s);
}

/* Of a segment: whoever it leaves or reaches. */
static enum role line_role(const struct step *s)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;

	if (!s->ev || s->ev->kind != EV_SEGMENT || s->seg_from == ROLE_NONE ||
	    !(g->sflags & SEGF_IN))
		return step_role(s);
	return s->seg_from == ROLE_CLIENT ? ROLE_SERVER : ROLE_CLIENT;
}

char *step_line(char *buf, size_t size, __u64 id, __s64 t_ns, const char *words)
{
	struct text t;

	text_start(&t, buf, size);
	text_printf(&t, "%6llu %10.3f ms  ", (unsigned long long)id, (double)t_ns / 1e6);
	text_add(&t, words);
	return buf;
}

char *step_words(char *buf, size_t size, const struct step *s)
{
	enum role role = line_role(s);
	__u32 pid = s->ev && s->ev->pid ? s->ev->pid : s->proc ? s->proc->pid : 0;
	struct text t;

	text_start(&t, buf, size);
	text_printf(&t, "%-6s ", role == ROLE_NONE ? "-" : role_name(role));
	if (pid)
		text_printf(&t, "%-7u ", pid);
	else
		text_add(&t, "        ");
	if (s->kind == STEP_SUMMARY)
		text_add(&t, "the conversation is over");
	else if (s->kind == STEP_LOST)
		text_printf(&t, "%llu event%s lost", (unsigned long long)s->n, s->n == 1 ? "" : "s");
	else
		add_moment(&t, s);
	return buf;
}
