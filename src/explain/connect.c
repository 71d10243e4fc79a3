// SPDX-License-Identifier: MIT
/*
 * connect(): why it failed, what became of one that went on by itself, and what it does not say. It
 * returns when the kernel of the other end has answered (RFC 9293 section 3.5), not when a program
 * has called accept(); and a socket that calls its own port needs no listener at all.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "connect.h"

const struct rule connect_rules[] = {
	[CONNECT_REFUSED] = { "connect-refused", "connect() was refused: nobody listens there",
			      WEIGHT_ALARM },
	[CONNECT_ADDRESS] = { "connect-address",
			      "connect() was refused: the listener is at another address",
			      WEIGHT_ALARM },
	[CONNECT_BOUND] = { "connect-not-listening",
			    "connect() was refused: the port is bound, but not listening",
			    WEIGHT_ALARM },
	[CONNECT_SWAPPED] = { "connect-htons",
			      "connect() was refused: the listener's port has its bytes swapped",
			      WEIGHT_ALARM },
	[CONNECT_GONE] = { "connect-listener-gone",
			   "connect() was refused: the listener was closed before", WEIGHT_ALARM },
	[CONNECT_UNIX] = { "connect-unix", "connect() found nobody at that path", WEIGHT_ALARM },
	[CONNECT_TIMEOUT] = { "connect-timeout", "connect() timed out: no SYN was answered",
			      WEIGHT_ALARM },
	[CONNECT_FULL] = { "connect-queue-full",
			   "connect() timed out: the accept queue of the listener was full",
			   WEIGHT_ALARM },
	[CONNECT_NO_PORT] = { "connect-no-port", "connect() found no local port or address",
			      WEIGHT_ALARM },
	[CONNECT_UNREACHABLE] = { "connect-unreachable", "connect() knows no way to that address",
				  WEIGHT_ALARM },
	[CONNECT_AGAIN] = { "connect-again", "connect() was called once more on the same socket",
			    WEIGHT_NEWS },
	[CONNECT_SELF] = { "connect-self", "connect() reached its own socket", WEIGHT_ALARM },
	[CONNECT_EARLY] = { "connect-before-accept",
			    "connect() returned before accept() was called", WEIGHT_NEWS },
	[CONNECT_LATER] = { "connect-later", "connect() went on by itself, and succeeded",
			    WEIGHT_ASIDE },
	[CONNECT_STARTED] = { "connect-started", "EINPROGRESS by connect() is no failure",
			      WEIGHT_NEWS },
	[CONNECT_NEXT] = { "connect-next", "The first address of a name failed, another answered",
			   WEIGHT_NEWS },
	[BIND_SWAPPED] = { "bind-htons", "bind() took a port whose bytes may be swapped",
			   WEIGHT_ALARM },
};

struct connect_state *connect_state(const struct explain *x)
{
	return family_state(x, &explain_connect);
}

/* --- failures --- */

/* A program that tries until it works is told once at full weight. */
static bool refused_before(struct explain *x, const struct note *n, const struct attempt *a,
			   const struct rule *r, __u64 id)
{
	struct connect_state *st = connect_state(x);
	struct refusal *f = st->refusals;
	unsigned int i;

	for (i = 0; i < REFUSALS_MAX; i++)
		if (f[i].id && f[i].pid == a->pid && f[i].netns == n->netns &&
		    f[i].port == a->to.port && f[i].rule == r)
			return true;
	f[st->next_refusal++ % REFUSALS_MAX] = (struct refusal){
		.id = id,
		.pid = a->pid,
		.netns = n->netns,
		.port = a->to.port,
		.rule = r,
	};
	return false;
}

static void say_refused(struct explain *x, struct verdict *v, const struct note *n,
			const struct attempt *a)
{
	const struct note *meant;

	v->rule = refused_why(x, n, a, &meant);
	v->weight = v->rule->weight;
	refused_say(x, v, n, a, meant);
	if (refused_before(x, n, a, v->rule, v->step))
		v->weight = WEIGHT_ASIDE;
}

static int rule_of(int err)
{
	switch (err) {
	case ECONNREFUSED:
		return CONNECT_REFUSED;
	case ETIMEDOUT:
		return CONNECT_TIMEOUT;
	case EADDRNOTAVAIL:
		return CONNECT_NO_PORT;
	case ENETUNREACH:
	case EHOSTUNREACH:
		return CONNECT_UNREACHABLE;
	case EISCONN:
	case EALREADY:
		return CONNECT_AGAIN;
	}
	return -1;
}

/* Many a program tries whether there is a way: by UDP, which sends nothing; by IPv6 first. */
static bool is_probe(const struct step *s, const struct attempt *a, int err)
{
	return err == ENETUNREACH && (!step_is_tcp(s) || a->to.family == AF_INET6);
}

static int failed(struct explain *x, const struct step *s, struct note *n, struct attempt *a,
		  int err)
{
	int rule = rule_of(err);
	bool later = a->open, more = false;
	struct verdict v;

	if (rule != CONNECT_AGAIN) {
		a->open = false;
		more = names_failed(x, a, err, s->id);
	}
	if (rule == CONNECT_NO_PORT && note_mark(n, MARK_BIND) && n->src.port)
		return 0; /* bind() had chosen the port: bind-twin, in name.c */
	if (rule < 0 || (rule != CONNECT_UNREACHABLE && !step_is_tcp(s)) ||
	    note_told(n, &connect_rules[rule]))
		return 0;
	verdict_start(x, &v, &connect_rules[rule], s);
	verdict_prove(&v, a->enter_id);
	if (rule == CONNECT_REFUSED)
		say_refused(x, &v, n, a);
	else if (rule == CONNECT_TIMEOUT)
		connect_timeout(x, &v, n, a);
	else if (rule == CONNECT_NO_PORT)
		connect_no_port(x, &v, n, a);
	else if (rule == CONNECT_UNREACHABLE)
		connect_unreachable(&v, n, a);
	else
		connect_again(&v, n, a, err);
	verdict_ask(&v,
		    later && rule != CONNECT_AGAIN ?
			    "What became of connect(%d), which ended with %s?" :
			    "Why did connect(%d) fail with %s?",
		    a->fd, errno_name(err));
	if (later && rule == CONNECT_REFUSED)
		verdict_do(&v, "poll() calls a socket writable that was refused, too: only "
			       "getsockopt(SO_ERROR) tells the two apart");
	if (v.weight == WEIGHT_ALARM && (more || is_probe(s, a, err)))
		v.weight = WEIGHT_NEWS;
	verdict_prove_mark(&v, n, MARK_RST_IN);
	return verdict_tell(x, &v);
}

/* --- success --- */

static int tell_self(struct explain *x, const struct step *s, struct note *n,
		     const struct attempt *a)
{
	struct verdict v;
	char at[64];

	if (note_told(n, &connect_rules[CONNECT_SELF]))
		return 0;
	verdict_start(x, &v, &connect_rules[CONNECT_SELF], s);
	verdict_ask(&v, "Whom did connect(%d) reach?", a->fd);
	verdict_say(
		&v,
		"Itself: its local port%s is the one it called, so the SYN met this same socket; "
		"nobody listens on %s",
		note_mark(n, MARK_BIND) ? "" : ", chosen by the kernel,",
		fmt_addr(at, sizeof(at), &a->to));
	verdict_do(&v,
		   "Serve on a port outside ip_local_port_range (mostly 32768 to 60999), where the "
		   "kernel chooses the local ones");
	verdict_prove(&v, a->enter_id);
	verdict_prove_mark(&v, n, MARK_BIND);
	verdict_prove_mark(&v, n, MARK_SYN_OUT);
	return verdict_tell(x, &v);
}

static int tell_later(struct explain *x, const struct step *s, struct note *n,
		      const struct attempt *a)
{
	const struct mark *up = note_mark(n, MARK_ESTABLISHED);
	__u64 took = up && up->t_ns > a->t_ns ? up->t_ns - a->t_ns : 0;
	struct verdict v;
	char t[24];

	if (note_told(n, &connect_rules[CONNECT_LATER]))
		return 0;
	verdict_start(x, &v, &connect_rules[CONNECT_LATER], s);
	verdict_ask(&v, "What became of connect(%d), which did not wait?", a->fd);
	verdict_say(&v,
		    "It succeeded: established %s after the call began, which did not wait for it",
		    fmt_ns(t, sizeof(t), took));
	verdict_do(
		&v,
		"poll() says POLLOUT then; it does so after a failure, too, so ask getsockopt(SO_ERROR)");
	verdict_prove(&v, a->enter_id);
	verdict_prove_mark(&v, n, MARK_ESTABLISHED);
	return verdict_tell(x, &v);
}

static int succeeded(struct explain *x, const struct step *s, struct note *n, struct attempt *a)
{
	bool later = a->open;
	int err = 0;

	a->open = false;
	if (a->up || !step_is_tcp(s))
		return 0;
	a->up = true;
	if (n->src.port && addr_equal(&n->src, &n->dst))
		err = tell_self(x, s, n, a);
	else if (later)
		err = tell_later(x, s, n, a);
	return err ? err : names_worked(x, s, a);
}

/* --- the steps of a connect() --- */

static void began(struct explain *x, const struct step *s, const struct event_call *c)
{
	struct note *n = note_of(x, s->sock->sid);
	struct attempt *a = note_own(x, n, &explain_connect);
	struct ev_addr to;
	const char *path;
	size_t len;

	if (call_addr(c, &to, &path, &len) || (to.family != AF_INET && to.family != AF_INET6)) {
		*a = (struct attempt){ .to.family = 0 }; /* AF_UNSPEC takes a connection apart */
		return;
	}
	if (a->open || a->up)
		return;
	*a = (struct attempt){
		.to = to,
		.enter_id = s->id,
		.t_ns = s->t_ns,
		.syns = n->marks[MARK_SYN_OUT].n,
		.pid = c->e.pid,
		.fd = c->fd,
	};
}

static bool since(const struct note *n, enum mark_kind kind, const struct attempt *a)
{
	const struct mark *m = note_mark(n, kind);

	return m && m->id > a->enter_id;
}

/* A minus one at which nothing has failed. */
static int tell_started(struct explain *x, const struct step *s, const struct event_call *c,
			const struct note *n, const struct attempt *a)
{
	bool up = since(n, MARK_ESTABLISHED, a);
	struct verdict v;

	if (c->ret != -EINPROGRESS || heard_of(&connect_state(x)->started, c->e.pid, ROLE_NONE))
		return 0;
	verdict_start(x, &v, &connect_rules[CONNECT_STARTED], s);
	verdict_ask(&v, "Has connect(%d) failed with EINPROGRESS?", c->fd);
	verdict_say(&v,
		    "EINPROGRESS is no failure: the handshake %s; poll() says writable when it is "
		    "over, SO_ERROR how it ended",
		    up ? "went on, and is over by now" : "goes on without the call");
	verdict_do(&v,
		   "Wait with poll() for POLLOUT, then ask getsockopt(SO_ERROR): 0 = connected");
	verdict_prove(&v, a->enter_id);
	verdict_prove_mark(&v, n, MARK_SYN_OUT);
	if (up)
		verdict_prove_mark(&v, n, MARK_ESTABLISHED);
	return verdict_tell(x, &v);
}

/* Not waited for, or interrupted: on loopback the answer has often come by then. */
static int goes_on(struct explain *x, const struct step *s, const struct event_call *c,
		   struct note *n, struct attempt *a)
{
	int err;

	a->open = true;
	if (since(n, MARK_ERROR, a) && !since(n, MARK_ESTABLISHED, a))
		return failed(x, s, n, a, (int)n->marks[MARK_ERROR].n);
	err = tell_started(x, s, c, n, a);
	return !err && since(n, MARK_ESTABLISHED, a) ? succeeded(x, s, n, a) : err;
}

static int returned(struct explain *x, const struct step *s, const struct event_call *c)
{
	struct note *n = note_of(x, s->sock->sid);
	struct attempt *a = note_own(x, n, &explain_connect);

	if (s->sock->family == AF_UNIX)
		return connect_no_path(x, s, n, c);
	if (!a->to.family && c->ret != -EISCONN)
		return 0;
	if (!c->ret)
		return succeeded(x, s, n, a);
	if (c->ret == -EINPROGRESS || c->ret == -EINTR)
		return goes_on(x, s, c, n, a);
	if (!a->enter_id) /* connected by other means: listens, or older than the trace */
		*a = (struct attempt){ .enter_id = s->enter_id, .t_ns = s->t_ns, .fd = c->fd };
	return failed(x, s, n, a, (int)(0 - (__u64)c->ret));
}

static int connect_call(struct explain *x, const struct step *s, const struct event_call *c)
{
	if (c->cflags & CALLF_IN_GAI || !note_of(x, s->sock->sid))
		return 0;
	if (s->phase == PHASE_EXIT)
		return returned(x, s, c);
	began(x, s, c);
	return 0;
}

/* --- accept() that comes after --- */

/* Longer than this and the wait itself is the news, told by the family of the accept queue. */
#define LONG_NS NS_PER_S

static int accepted(struct explain *x, const struct step *s, const struct event_call *c)
{
	struct note *l = note_of(x, s->sock->sid), *n = note_of(x, s->sock2->sid);
	const struct mark *up = note_mark(n, MARK_ESTABLISHED);
	const struct mark *back = note_mark(note_peer(x, n), MARK_CONNECTED);
	const struct conn *k = step_conn(s);
	char t[24], bytes[40], more[64] = "";
	struct attempt *of;
	struct verdict v;
	__u64 waited;

	if (!l || !up || n->protocol != IPPROTO_TCP || up->t_ns >= c->t_enter)
		return 0;
	waited = c->t_enter - up->t_ns;
	of = note_own(x, l, &explain_connect);
	if (of->early[waited >= x->o.blocked_ns])
		return 0;
	of->early[waited >= x->o.blocked_ns] = true;
	verdict_start(x, &v, &connect_rules[CONNECT_EARLY], s);
	if (waited < x->o.blocked_ns || waited >= LONG_NS)
		v.weight = WEIGHT_ASIDE;
	if (k && k->dir[0].rx_seen && k->dir[0].rcvq)
		snprintf(more, sizeof(more), ", and %s came in",
			 fmt_bytes(bytes, sizeof(bytes), k->dir[0].rcvq));
	verdict_ask(&v, "When was the client connected?");
	verdict_say(
		&v,
		"The connection was established %s before accept() was called: the kernel answers by itself%s",
		fmt_ns(t, sizeof(t), waited), more);
	verdict_do(
		&v,
		"connect() returning, even send(), does not mean that the server program is there: "
		"only an answer does");
	verdict_prove(&v, up->id);
	if (back && !back->n && back->t_ns < c->t_enter)
		verdict_prove(&v, back->id);
	return verdict_tell(x, &v);
}

/* An RST sent by no socket, in answer to the SYN. */
static void rst_seen(struct explain *x, const struct step *s)
{
	const struct conn *k = step_conn(s);
	struct note *n = k && k->end[0] ? note_of(x, k->end[0]->sid) : NULL;

	if (n && !k->established)
		((struct attempt *)note_own(x, n, &explain_connect))->rst_id = s->id;
}

static int kernel_says(struct explain *x, const struct step *s, const struct event_sock *e)
{
	struct note *n = note_of(x, s->sock->sid);
	struct attempt *a = n ? note_own(x, n, &explain_connect) : NULL;

	if (!a || !a->open)
		return 0;
	if (e->e.kind == EV_SOCK_ERROR)
		return failed(x, s, n, a, (int)e->a);
	return e->b == TCP_S_ESTABLISHED ? succeeded(x, s, n, a) : 0;
}

static int connect_step(struct explain *x, const struct step *s)
{
	const struct event_call *c;

	if (!s->ev)
		return 0;
	if (s->ev->kind == EV_RST_SENT)
		rst_seen(x, s);
	if (s->ev->kind == EV_GAI)
		names_answered(x, s);
	if (!s->sock)
		return 0;
	if (s->ev->kind == EV_STATE || s->ev->kind == EV_SOCK_ERROR)
		return kernel_says(x, s, (const struct event_sock *)s->ev);
	if (s->ev->kind != EV_CALL || s->phase == PHASE_POINT)
		return 0;
	c = (const struct event_call *)s->ev;
	if (c->call == CALL_CONNECT)
		return connect_call(x, s, c);
	if (c->call == CALL_BIND && s->phase == PHASE_EXIT)
		return bind_look(x, s, c);
	if (call_is_accept(c) && s->sock2 && s->phase == PHASE_EXIT)
		return accepted(x, s, c);
	return 0;
}

const struct family explain_connect = {
	.name = "connect",
	.rules = connect_rules,
	.n_rules = sizeof(connect_rules) / sizeof(connect_rules[0]),
	.note_size = sizeof(struct attempt),
	.state_size = sizeof(struct connect_state),
	.step = connect_step,
};
