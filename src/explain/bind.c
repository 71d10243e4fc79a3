// SPDX-License-Identifier: MIT
/*
 * EADDRINUSE: what holds the port, and which option would have helped on which socket.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"
#include "port.h"

enum {
	BIND_LISTENER,
	BIND_INHERITED,
	BIND_SECOND,
	BIND_BOUND,
	BIND_LIVING,
	BIND_TIME_WAIT,
	BIND_UNSEEN,
	BIND_NO_PORT,
};

static const struct rule rules[] = {
	[BIND_LISTENER] = { "bind-listener", "EADDRINUSE: somebody listens on the port",
			    WEIGHT_ALARM },
	[BIND_INHERITED] = { "bind-inherited", "EADDRINUSE: only a child still has the socket",
			     WEIGHT_ALARM },
	[BIND_SECOND] = { "bind-second-listener", "EADDRINUSE by listen(): another one listens",
			  WEIGHT_ALARM },
	[BIND_BOUND] = { "bind-bound", "EADDRINUSE: another socket is bound to the port",
			 WEIGHT_ALARM },
	[BIND_LIVING] = { "bind-connection", "EADDRINUSE: a connection of the port lives on",
			  WEIGHT_ALARM },
	[BIND_TIME_WAIT] = { "bind-time-wait", "EADDRINUSE: a connection is in TIME_WAIT",
			     WEIGHT_ALARM },
	[BIND_UNSEEN] = { "bind-unseen", "EADDRINUSE: nothing in sight holds the port",
			  WEIGHT_ALARM },
	[BIND_NO_PORT] = { "bind-no-port", "EADDRINUSE: no port is left to choose", WEIGHT_ALARM },
};

/* A verdict in the making, and what it is about. */
struct quarrel {
	struct explain *x;
	struct verdict v;
	struct wanted want;
	struct found f;
	const struct event_call *c;
};

/* --- words --- */

/* Which of the two lacks the option that would have let both have the port. */
static const char *lacking(const struct claims *new, const struct claims *old)
{
	if (!old->known)
		return new->reuseaddr ? "the old socket must have SO_REUSEADDR, too" :
					"this socket has no SO_REUSEADDR";
	if (!new->reuseaddr && !old->reuseaddr)
		return "neither this socket nor the old one has SO_REUSEADDR";
	return new->reuseaddr ? "this socket has SO_REUSEADDR, but the old one had not" :
				"the old socket had SO_REUSEADDR, but this one has not";
}

static bool families_differ(const struct ev_addr *a, const struct ev_addr *b)
{
	return addr_on_wire(a).family != addr_on_wire(b).family;
}

/* The address it is held by, where that is another one than was asked for. */
static char *fmt_held_as(char *buf, size_t size, const struct quarrel *q)
{
	const struct ev_addr *held = &q->f.n->src;
	char addr[64];

	buf[0] = '\0';
	if (addr_equal(&q->want.at, held))
		return buf;
	fmt_addr(addr, sizeof(addr), held);
	if (held->family == AF_INET6 && families_differ(&q->want.at, held))
		snprintf(buf, size, " as %s, which takes IPv4 as well", addr);
	else
		snprintf(buf, size, " as %s", addr);
	return buf;
}

static char *fmt_holder(char *buf, size_t size, const struct quarrel *q, __u32 pid)
{
	if (pid == q->v.pid)
		snprintf(buf, size, "this process itself");
	else
		fmt_who(buf, size, q->x, q->f.n->role, pid);
	return buf;
}

/* --- by what holds it --- */

/* Who has the socket: its opener, or one who got the descriptor from him. */
static struct holder holder_of(const struct quarrel *q, __u32 opener)
{
	struct holder all[16];
	size_t i, n = model_holders(q->x->m, q->f.n->sid, all, 16);

	for (i = 0; i < n && i < 16; i++)
		if (all[i].pid == opener)
			return all[i];
	return n ? all[0] : (struct holder){ .pid = q->f.n->pid, .fd = q->f.n->fd };
}

static void say_inherited(struct quarrel *q, const struct holder *h, __u32 opener)
{
	const struct proc *p = model_proc(q->x->m, opener);
	char who[96];

	q->v.rule = &rules[BIND_INHERITED];
	verdict_say(&q->v,
		    "Port %u is taken: %s still has the listening socket as descriptor %d; it got "
		    "it from process %u, which %s",
		    q->want.at.port, fmt_who(who, sizeof(who), q->x, ROLE_NONE, h->pid), h->fd,
		    opener, !p || p->exited ? "has ended" : "has closed it");
	verdict_do(&q->v,
		   "End process %u. Against it: SOCK_CLOEXEC on the listening socket, or a "
		   "child that closes it",
		   h->pid);
}

static void say_listener(struct quarrel *q, const struct holder *h)
{
	const struct ev_addr *held = &q->f.n->src;
	char who[96], as[96];

	q->v.rule = &rules[q->c->call == CALL_LISTEN ? BIND_SECOND : BIND_LISTENER];
	fmt_holder(who, sizeof(who), q, h->pid);
	if (q->c->call == CALL_LISTEN)
		verdict_say(&q->v,
			    "SO_REUSEADDR let both bind port %u, but only one may listen, and %s "
			    "does, with descriptor %d",
			    q->want.at.port, who, h->fd);
	else
		verdict_say(&q->v, "Port %u is taken: %s listens on it with descriptor %d%s",
			    q->want.at.port, who, h->fd, fmt_held_as(as, sizeof(as), q));
	if (families_differ(&q->want.at, held))
		verdict_do(&q->v,
			   "Set IPV6_V6ONLY on the [::] socket before its bind(): then both fit");
	else
		verdict_do(&q->v,
			   "Stop it or take another port. SO_REUSEADDR never allows two listeners; "
			   "SO_REUSEPORT on both before bind() does: they share the connections");
}

static void tell_listener(struct quarrel *q)
{
	const struct sock *s = model_sock(q->x->m, q->f.n->sid);
	__u32 opener = s && s->opener_pid ? s->opener_pid : q->f.n->pid;
	struct holder h = holder_of(q, opener);

	if (h.pid != opener)
		say_inherited(q, &h, opener);
	else
		say_listener(q, &h);
	verdict_prove_mark(&q->v, q->f.n, MARK_BIND);
	verdict_prove_mark(&q->v, q->f.n, MARK_LISTEN);
}

static void tell_bound(struct quarrel *q)
{
	bool tcp = q->f.n->protocol == IPPROTO_TCP;
	char who[96], as[96];

	q->v.rule = &rules[BIND_BOUND];
	verdict_say(&q->v, "Port %u is taken: %s has bound descriptor %d to it%s%s",
		    q->want.at.port, fmt_holder(who, sizeof(who), q, q->f.n->pid), q->f.n->fd,
		    fmt_held_as(as, sizeof(as), q), tcp ? ", and does not listen" : "");
	verdict_do(&q->v,
		   "Close that one or take another port. %s on both before bind() lets both have "
		   "it%s",
		   tcp ? "SO_REUSEADDR" : "SO_REUSEPORT",
		   tcp ? ", and the first to listen wins" : "");
	verdict_prove_mark(&q->v, q->f.n, MARK_SOCKET);
	verdict_prove_mark(&q->v, q->f.n, MARK_BIND);
}

static void tell_living(struct quarrel *q)
{
	const struct sock *s = model_sock(q->x->m, q->f.n->sid);
	char peer[64], who[96] = "the kernel, till its peer is done", more[40] = "";
	struct holder h;

	q->v.rule = &rules[BIND_LIVING];
	if (q->f.many > 1)
		snprintf(more, sizeof(more), " (and %u more)", q->f.many - 1);
	if (model_holders(q->x->m, q->f.n->sid, &h, 1))
		fmt_holder(who, sizeof(who), q, h.pid);
	verdict_say(&q->v, "Port %u still has a connection with %s%s, %s, kept by %s; %s",
		    q->want.at.port, fmt_addr(peer, sizeof(peer), &q->f.n->dst), more,
		    tcp_state_name(s->state), who, lacking(&q->want.claims, &q->f.claims));
	verdict_do(&q->v, "Set SO_REUSEADDR before bind() in every run of the server: its "
			  "connections have it from the socket that listens");
	verdict_prove_mark(&q->v, q->f.n, MARK_ESTABLISHED);
	verdict_prove_mark(&q->v, q->f.n, MARK_STATE);
}

static void tell_time_wait(struct quarrel *q)
{
	const struct time_wait *w = q->f.w;
	char peer[64], ago[32];

	q->v.rule = &rules[BIND_TIME_WAIT];
	fmt_ns(ago, sizeof(ago), q->v.t_ns > w->t_ns ? q->v.t_ns - w->t_ns : 0);
	verdict_say(&q->v,
		    "Port %u is in TIME_WAIT for 60 s: %s ago its connection with %s ended, closed "
		    "here first; %s",
		    q->want.at.port, ago, fmt_addr(peer, sizeof(peer), &w->dst),
		    lacking(&q->want.claims, &q->f.claims));
	verdict_infer(&q->v,
		      "the way that connection ended; `ss -tan state time-wait` would show it");
	verdict_do(&q->v, "Set SO_REUSEADDR before bind() in every run of the server: the old "
			  "sockets need it, too");
	verdict_prove(&q->v, w->id);
}

static void tell_unseen(struct quarrel *q)
{
	bool tcp = q->want.n->protocol == IPPROTO_TCP;
	bool wait = tcp && !q->want.claims.reuseaddr;

	q->v.rule = &rules[BIND_UNSEEN];
	verdict_say(&q->v,
		    "Port %u is taken, but by nothing in sight: by a socket that is not traced%s",
		    q->want.at.port, wait ? ", or by a connection in TIME_WAIT" : "");
	verdict_infer(&q->v, "that no traced socket holds it; `ss -%canp 'sport = :%u'` names it",
		      tcp ? 't' : 'u', q->want.at.port);
	verdict_do(&q->v, "Look with `ss -%canp 'sport = :%u'`%s", tcp ? 't' : 'u', q->want.at.port,
		   wait ? "; against TIME_WAIT set SO_REUSEADDR before bind()" : "");
}

static void tell_no_port(struct quarrel *q)
{
	q->v.rule = &rules[BIND_NO_PORT];
	verdict_say(&q->v, "The kernel was to choose a port, and all of its range are taken");
	verdict_infer(&q->v, "that no port was asked for; `ss -an` would show who has them");
	verdict_do(&q->v, "Close what is not needed, or widen net.ipv4.ip_local_port_range");
}

static void tell_holder(struct quarrel *q)
{
	q->f = port_find(q->x, &q->want);
	switch (q->f.hold) {
	case HOLD_NONE:
		tell_unseen(q);
		return;
	case HOLD_TIME_WAIT:
		tell_time_wait(q);
		return;
	case HOLD_LIVING:
		tell_living(q);
		break;
	case HOLD_BOUND:
		tell_bound(q);
		break;
	case HOLD_LISTENER:
		tell_listener(q);
		break;
	}
	if (!q->f.claims.known && (q->want.claims.reuseaddr || q->want.claims.reuseport))
		verdict_infer(&q->v,
			      "its place; whether it has the same options was set out of sight");
}

static int tell_in_use(struct explain *x, const struct step *s, const struct event_call *c,
		       const struct note *n)
{
	struct quarrel q = { .x = x, .c = c };
	const char *path;
	char call[48];
	size_t len;

	q.want = (struct wanted){ .at = s->sock->src, .n = n, .claims = port_claims(x, n) };
	if (c->call == CALL_BIND && call_addr(c, &q.want.at, &path, &len))
		return 0;
	if (q.want.at.family != AF_INET && q.want.at.family != AF_INET6)
		return 0;
	verdict_start(x, &q.v, &rules[BIND_UNSEEN], s);
	verdict_ask(&q.v, "Why did %s fail with EADDRINUSE?", fmt_call(call, sizeof(call), c));
	if (q.want.at.port)
		tell_holder(&q);
	else
		tell_no_port(&q);
	verdict_prove(&q.v, n->opts[OPT_REUSEADDR].id);
	return verdict_tell(x, &q.v);
}

static int bind_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	struct note *n = s->sock ? note_of(x, s->sock->sid) : NULL;

	if (!n)
		return 0;
	port_step(x, s, n);
	if (!c || c->ret != -EADDRINUSE || (c->call != CALL_BIND && c->call != CALL_LISTEN))
		return 0;
	return tell_in_use(x, s, c, n);
}

const struct family explain_bind = {
	.name = "bind",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct port_note),
	.state_size = sizeof(struct port_state),
	.step = bind_step,
};
