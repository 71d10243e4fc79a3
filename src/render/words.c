/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "../event/describe.h"
#include "../event/names.h"
#include "../util/clock.h"
#include "../util/text.h"
#include "bar.h"
#include "text.h"

/* tcp header flags */
#define TH_FIN 1
#define TH_SYN 2
#define TH_RST 4
#define TH_PSH 8
#define TH_ACK 16
#define TH_URG 32

/* "14 B, FIN": what a newcomer must see first; PSH only where it costs nothing. */
static void tcp_label(const struct step *s, const struct event_segment *g, size_t max, char *buf,
		      size_t size)
{
	struct text t;

	text_start(&t, buf, size);
	if (g->len)
		text_printf(&t, "%u B", g->len);
	if (g->flags & TH_SYN)
		text_printf(&t, "%sSYN%s", t.len ? ", " : "", g->flags & TH_ACK ? ",ACK" : "");
	if (g->flags & TH_FIN)
		text_printf(&t, "%sFIN", t.len ? ", " : "");
	if (g->flags & TH_RST)
		text_printf(&t, "%sRST", t.len ? ", " : "");
	if (g->flags & TH_URG)
		text_printf(&t, "%sURG", t.len ? ", " : "");
	if (!t.len)
		text_add(&t, "ACK");
	if (!s->win_bytes && !(g->flags & (TH_SYN | TH_RST)))
		text_add(&t, ", win 0");
	if (t.len > max && g->len) { /* the window is what matters then */
		text_start(&t, buf, size);
		text_printf(&t, "win 0, %u B", g->len);
	}
	if ((g->flags & TH_PSH) && t.len + strlen(", PSH") <= max)
		text_add(&t, ", PSH");
}

static void tcp_detail(const struct step *s, const struct event_segment *g, char *buf, size_t size)
{
	struct text t;

	text_start(&t, buf, size);
	if (s->rel_known)
		text_printf(&t, "seq %u ", s->rel_seq);
	if (s->rel_known && (g->flags & TH_ACK))
		text_printf(&t, "ack %u ", s->rel_ack);
	text_printf(&t, "win %llu", (unsigned long long)s->win_bytes);
}

static enum style segment_style(const struct step *s, const struct event_segment *g)
{
	if (g->flags & TH_RST)
		return STYLE_ALARM;
	if ((g->flags & TH_FIN) || (s->sflags & STEP_RTX) || !(s->win_bytes || g->flags & TH_SYN))
		return STYLE_WARN;
	return s->sflags & STEP_PURE_ACK ? STYLE_DIM : STYLE_PLAIN;
}

void words_segment(const struct step *s, const struct columns *c, struct arrow *a)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;

	memset(a, 0, sizeof(*a));
	a->used = true;
	a->from = s->seg_from == ROLE_NONE   ? -1 :
		  s->seg_from == ROLE_SERVER ? SIDE_SERVER :
					       SIDE_CLIENT;
	if (g->sflags & SEGF_UDP) {
		snprintf(a->label, sizeof(a->label), "UDP %u B%s", g->len,
			 g->sflags & SEGF_FRAGMENT ? ", frag" : "");
		return;
	}
	a->light = s->sflags & STEP_PURE_ACK;
	a->style = segment_style(s, g);
	tcp_label(s, g, columns_label_max(c), a->label, sizeof(a->label));
	tcp_detail(s, g, a->detail, sizeof(a->detail));
}

/* The word of a call and its descriptor: how a return far below its entry is recognised. */
static void exit_name(struct text *t, const struct step *s)
{
	const struct event_call *c = (const struct event_call *)s->ev;

	if (s->ev->kind == EV_GAI)
		text_add(t, "getaddrinfo() ");
	else if (c->call == CALL_EPOLL_CTL) /* its first argument is the epoll descriptor */
		text_printf(t, "%s(%d) ", call_word(c), (int)c->x[2]);
	else if (c->fd >= 0)
		text_printf(t, "%s(%d) ", call_word(c), c->fd);
	else
		text_printf(t, "%s() ", call_word(c));
}

char *words_exit(char *buf, size_t size, const struct step *s, bool named)
{
	char part[256], took[32];
	struct text t;

	text_start(&t, buf, size);
	if (named)
		exit_name(&t, s);
	text_add(&t, describe_result(part, sizeof(part), s->ev));
	if (s->took_ns > NSEC_PER_MSEC)
		text_printf(&t, ", after %s", fmt_duration(took, sizeof(took), s->took_ns));
	return buf;
}

static void exit_status(char *buf, size_t size, __u32 code)
{
	if (WIFSIGNALED(code))
		snprintf(buf, size, "killed by signal %d", WTERMSIG(code));
	else
		snprintf(buf, size, "status %d", WEXITSTATUS(code));
}

char *words_proc(char *buf, size_t size, const struct event_proc *p)
{
	char part[80];

	switch ((enum proc_what)p->what) {
	case PROC_SEEN:
		return NULL;
	case PROC_FORK:
		snprintf(buf, size, "process %u forks %u", p->e.pid, p->child);
		return buf;
	case PROC_EXEC:
		fmt_escaped(part, sizeof(part), p->comm, strnlen(p->comm, sizeof(p->comm)));
		snprintf(buf, size, "process %u now runs \"%s\"", p->e.pid, part);
		return buf;
	case PROC_EXIT:
		exit_status(part, sizeof(part), p->code);
		snprintf(buf, size, "process %u exits, %s", p->e.pid, part);
		return buf;
	case PROC_THREAD:
		snprintf(buf, size, "process %u: new thread %u", p->e.pid, p->child);
		return buf;
	}
	return NULL;
}

/* NULL: told by another event, or nothing that a program could have had. */
static char *words_drop(char *buf, size_t size, const struct step *s)
{
	const char *reason = s->reason ? s->reason : "no reason given";

	if (!strcmp(reason, "SOCKET_RCVBUFF") && s->sock && s->sock->protocol == IPPROTO_UDP)
		return NULL; /* EV_UDP_DROP says it, with the bytes */
	if (!strcmp(reason, "TCP_OLD_SEQUENCE") || !strcmp(reason, "TCP_OLD_ACK"))
		return NULL; /* answers to window probes and late acknowledgements */
	if (!strcmp(reason, "TCP_OLD_DATA"))
		snprintf(buf, size, "these bytes were here already");
	else
		snprintf(buf, size, "dropped: %s", reason);
	return buf;
}

char *words_moment(char *buf, size_t size, const struct step *s)
{
	const struct event_sock *m = (const struct event_sock *)s->ev;

	switch ((enum event_kind)s->ev->kind) {
	case EV_SENT:
		if ((int)m->a < 0)
			return NULL;
		snprintf(buf, size, "%d B queued to send", (int)m->a);
		return buf;
	case EV_RECEIVED:
		if ((int)m->a < 0)
			return NULL;
		if (!m->a && m->lv.flags & LV_FIN_IN)
			snprintf(buf, size, "EOF is read");
		else
			snprintf(buf, size, "%d B taken out", (int)m->a);
		return buf;
	case EV_RETRANSMIT:
		snprintf(buf, size, "retransmits %u B", m->c);
		return buf;
	case EV_SYNACK_RETRANS:
		snprintf(buf, size, "retransmits SYN,ACK");
		return buf;
	case EV_RST_SENT:
		snprintf(buf, size, "sends RST%s%s", s->reason ? ": " : "",
			 s->reason ? s->reason : "");
		return buf;
	case EV_RST_RECEIVED:
		snprintf(buf, size, "connection reset");
		return buf;
	case EV_SOCK_ERROR:
		snprintf(buf, size, "error %s", errno_name((int)m->a));
		return buf;
	case EV_DESTROY:
		snprintf(buf, size, "TCP state freed");
		return buf;
	case EV_RCVQ_FULL:
		if (m->lv.flags & LV_LISTEN)
			snprintf(buf, size, "accept queue full: %u of %u", m->lv.ack_backlog,
				 m->lv.max_ack_backlog);
		else
			snprintf(buf, size, "receive buffer full");
		return buf;
	case EV_UDP_DROP:
		if (s->n)
			snprintf(buf, size, "datagram of %llu B dropped", (unsigned long long)s->n);
		else
			snprintf(buf, size, "a datagram dropped");
		return buf;
	case EV_SKB_DROP:
		return words_drop(buf, size, s);
	case EV_SOCK_CLOSED:
		snprintf(buf, size, "last descriptor gone");
		return buf;
	case EV_NONE:
	case EV_CALL:
	case EV_PROC:
	case EV_SOCK:
	case EV_FLOW:
	case EV_FD:
	case EV_GAI:
	case EV_SEGMENT:
	case EV_STATE:
	case EV_DATA_READY:
	case EV_ACK:
	case EV_LEVELS:
	case EV_FIN_QUEUED:
	case EV_FIN_RECEIVED:
	case EV_DOORBELL:
	case EV_KIND_MAX:
		return NULL;
	}
	return NULL;
}

char *words_level(char *buf, size_t size, const char *queue, __u64 bytes, __u64 level, __u64 limit)
{
	char bar[BAR_CELLS + 3];

	snprintf(buf, size, "%s %s %llu B", queue,
		 fmt_bar(bar, sizeof(bar), bytes ? level : 0, limit), (unsigned long long)bytes);
	return buf;
}
