// SPDX-License-Identifier: MIT
/*
 * connect() that failed for want of something other than a listener: an answer, a place in the
 * accept queue, a local port, a route, a socket that is free, a path.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "connect.h"

/* Who would have answered, if it is in sight. */
static const struct note *listener_at(const struct explain *x, const struct note *n,
				      const struct attempt *a)
{
	struct note *m, *found = NULL;

	for (m = notes_at(x, a->to.port, NULL); m; m = notes_at(x, a->to.port, m))
		if (m->listening && !m->dead && m->netns == n->netns)
			found = m;
	return found;
}

void connect_timeout(struct explain *x, struct verdict *v, const struct note *n,
		     const struct attempt *a)
{
	const struct note *l = listener_at(x, n, a);
	const struct mark *drop = note_mark(l, MARK_DROP);
	__s64 syns = n->marks[MARK_SYN_OUT].n - a->syns;
	char at[64], t[24], who[96];

	fmt_addr(at, sizeof(at), &a->to);
	fmt_ns(t, sizeof(t), v->t_ns - a->t_ns);
	verdict_prove_mark(v, n, MARK_SYN_OUT);
	verdict_prove_mark(v, n, MARK_RTX);
	if (drop && drop->id > a->enter_id) {
		v->rule = &connect_rules[CONNECT_FULL];
		verdict_say(
			v,
			"The accept queue of %s was full: each of %lld SYNs in %s was dropped, without a word",
			fmt_note(who, sizeof(who), x, l), (long long)syns, t);
		verdict_do(v,
			   "The server has to call accept() more often; a larger backlog only lets "
			   "more of them wait");
		verdict_prove(v, drop->id);
		verdict_prove_mark(v, l, MARK_LISTEN);
		return;
	}
	if (syns > 0)
		verdict_say(
			v, "%lld SYN%s sent to %s in %s, and nothing came back, not even a refusal",
			(long long)syns, syns == 1 ? " was" : "s were", at, t);
	else
		verdict_say(v, "Nothing came back from %s in %s, not even a refusal", at, t);
	verdict_do(v, "A host that is off or a firewall that drops answers nothing; to wait less, "
		      "set TCP_SYNCNT or connect without blocking and poll()");
}

void connect_no_port(struct explain *x, struct verdict *v, const struct note *n,
		     const struct attempt *a)
{
	unsigned int open = 0, waits = 0;
	char at[64], more[48] = "";
	struct note *m;
	size_t pos = 0;

	fmt_addr(at, sizeof(at), &a->to);
	while ((m = notes_next(x, &pos))) {
		if (m == n || m->netns != n->netns || m->protocol != n->protocol ||
		    !addr_equal(&m->dst, &a->to))
			continue;
		open += !m->dead;
		waits += m->dead && note_mark(m, MARK_TIME_WAIT);
	}
	if (waits)
		snprintf(more, sizeof(more), ", %u in TIME_WAIT", waits);
	if (note_mark(n, MARK_BIND))
		verdict_say(v,
			    "The address this socket is bound to cannot be used towards %s (%u "
			    "connections to it open%s): no SYN was sent",
			    at, open, more);
	else
		verdict_say(
			v,
			"No local port is left towards %s (%u connections to it open from here%s): no SYN was sent",
			at, open, more);
	verdict_infer(v, "that no SYN left and what is open here; /proc/sys/net/ipv4/"
			 "ip_local_port_range tells how many there are");
	verdict_do(v, "The peer has not refused anything: keep connections and use them again, or "
		      "widen ip_local_port_range");
}

void connect_unreachable(struct verdict *v, const struct note *n, const struct attempt *a)
{
	__s64 syns = n->marks[MARK_SYN_OUT].n - a->syns;
	char at[64], t[24];

	fmt_addr(at, sizeof(at), &a->to);
	if (syns <= 0) {
		verdict_say(v,
			    "There is no route to %s in this network namespace: nothing was sent",
			    at);
		verdict_do(
			v,
			"See `ip route get`; is the interface up, does the name have the right address?");
		return;
	}
	verdict_say(
		v,
		"%lld SYN%s sent to %s in %s; then a router, or the last link, had nobody to give it to",
		(long long)syns, syns == 1 ? " was" : "s were", at,
		fmt_ns(t, sizeof(t), v->t_ns - a->t_ns));
	verdict_do(v, "Is the host on, and the address right?");
	verdict_prove_mark(v, n, MARK_SYN_OUT);
}

void connect_again(struct verdict *v, const struct note *n, const struct attempt *a, int err)
{
	char t[24];

	fmt_ns(t, sizeof(t), v->t_ns - a->t_ns);
	if (n->listening) {
		v->weight = WEIGHT_ALARM;
		verdict_say(v, "This socket listens: it cannot connect as well");
		verdict_do(v, "Make another socket for connect()");
		verdict_prove_mark(v, n, MARK_LISTEN);
	} else if (err == EALREADY) {
		verdict_say(v, "The connect() begun %s ago is still under way", t);
		verdict_do(v, "Wait with poll() for POLLOUT, then ask getsockopt(SO_ERROR)");
	} else {
		verdict_say(v, "The socket is connected already, by the connect() begun %s ago", t);
		verdict_do(
			v,
			"After EINPROGRESS this means success; otherwise a new connection needs a new socket");
	}
	verdict_prove(v, a->enter_id);
	verdict_prove_mark(v, n, MARK_ESTABLISHED);
}

/* Libraries ask there for services that need not run: /var/run/nscd/socket, /dev/log. */
static bool is_system(const char *path, size_t len)
{
	static const char *const dirs[] = { "/run/", "/var/run/", "/dev/" };
	size_t i, n;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		n = strlen(dirs[i]);
		if (len > n && !memcmp(path, dirs[i], n))
			return true;
	}
	return false;
}

/* AF_UNIX: the answer is in the file system. */
int connect_no_path(struct explain *x, const struct step *s, struct note *n,
		    const struct event_call *c)
{
	struct ev_addr at;
	struct verdict v;
	const char *path;
	char name[128], call[40];
	size_t len;

	if ((c->ret != -ECONNREFUSED && c->ret != -ENOENT) || call_addr(c, &at, &path, &len) ||
	    at.family != AF_UNIX || note_told(n, &connect_rules[CONNECT_UNIX]))
		return 0;
	verdict_start(x, &v, &connect_rules[CONNECT_UNIX], s);
	verdict_ask(&v, "Why did %s fail with %s?", fmt_call(call, sizeof(call), c),
		    errno_name((int)c->ret));
	if (is_system(path, len))
		v.weight = WEIGHT_ASIDE;
	fmt_path(name, sizeof(name), path, len);
	if (c->ret == -ENOENT)
		verdict_say(&v, "There is no file %s: no server has bound that path", name);
	else if (len && path[0])
		verdict_say(&v,
			    "The file %s is there, but no socket behind it takes connections: "
			    "a leftover, or not listening yet",
			    name);
	else
		verdict_say(&v, "No socket with the name %s takes connections", name);
	verdict_do(&v, "Start the server first; a server removes its path (unlink) before bind()");
	return verdict_tell(x, &v);
}
