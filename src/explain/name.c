// SPDX-License-Identifier: MIT
/*
 * Names a socket cannot have for another reason than somebody else's port: a foreign or privileged
 * address, a second name, the leftover file of an AF_UNIX socket. And options that come too late.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"
#include "port.h"

#define PRIVILEGED 1024 /* ports below: net.ipv4.ip_unprivileged_port_start unless changed */

enum {
	NAME_PATH,
	NAME_FOREIGN,
	NAME_TWIN,
	NAME_DENIED,
	NAME_AGAIN,
	NAME_ADDRESS,
	NAME_LATE,
};

static const struct rule rules[] = {
	[NAME_PATH] = { "bind-path", "EADDRINUSE: the name of an AF_UNIX socket exists",
			WEIGHT_ALARM },
	[NAME_FOREIGN] = { "bind-foreign", "EADDRNOTAVAIL: not an address of this machine",
			   WEIGHT_ALARM },
	[NAME_TWIN] = { "bind-twin", "EADDRNOTAVAIL by connect(): the same connection exists",
			WEIGHT_ALARM },
	[NAME_DENIED] = { "bind-denied", "EACCES by bind(): the name needs a privilege",
			  WEIGHT_ALARM },
	[NAME_AGAIN] = { "bind-again", "EINVAL by bind(): the socket has a name already",
			 WEIGHT_ALARM },
	[NAME_ADDRESS] = { "bind-address", "EINVAL by bind(): the address is none for this socket",
			   WEIGHT_ALARM },
	[NAME_LATE] = { "bind-option-late", "An option that bind() asks for was set after bind()",
			WEIGHT_NEWS },
};

struct name_note {
	__u64 path; /* hash of its AF_UNIX name, 0 = none */
};

/* What was asked for. */
struct asked {
	struct ev_addr at; /* family 0: nothing */
	const char *path;  /* AF_UNIX */
	size_t len;
};

static struct name_note *own(const struct explain *x, const struct note *n)
{
	return note_own(x, (struct note *)n, &explain_name);
}

static __u64 path_hash(const char *path, size_t len)
{
	__u64 h = 14695981039346656037ULL; /* FNV-1a */
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (__u8)path[i]) * 1099511628211ULL;
	return h ? h : 1;
}

static void start(struct explain *x, struct verdict *v, const struct rule *r, const struct step *s)
{
	const struct event_call *c = (const struct event_call *)s->ev;
	char call[48];

	verdict_start(x, v, r, s);
	verdict_ask(v, "Why did %s fail with %s?", fmt_call(call, sizeof(call), c),
		    errno_name((int)c->ret));
}

/* The latest socket that was bound to that name; it may be gone. */
static const struct note *path_owner(const struct explain *x, const struct note *mine, __u64 hash)
{
	const struct note *n, *best = NULL;
	size_t pos = 0;

	while ((n = notes_next(x, &pos)))
		if (n != mine && own(x, n)->path == hash && (!best || n->sid > best->sid))
			best = n;
	return best;
}

/* The name of an AF_UNIX socket stays in the file system when the socket is gone. */
static int tell_path(struct explain *x, const struct step *s, const struct note *n,
		     const struct asked *a)
{
	const struct note *owner = path_owner(x, n, path_hash(a->path, a->len));
	bool file = a->len && a->path[0];
	struct verdict v;
	char name[120], who[96];

	start(x, &v, &rules[NAME_PATH], s);
	fmt_path(name, sizeof(name), a->path, a->len);
	verdict_prove_mark(&v, owner, MARK_BIND);
	if (owner && !owner->dead) {
		verdict_say(&v, "%s is taken: %s has bound descriptor %d to it", name,
			    fmt_note(who, sizeof(who), x, owner), owner->fd);
		verdict_do(&v, "Stop that one, or take another name");
		return verdict_tell(x, &v);
	}
	if (file)
		verdict_say(&v,
			    "The file %s exists: a socket that is closed leaves its name behind",
			    name);
	else
		verdict_say(&v, "%s is taken, but by nothing in sight", name);
	if (!owner)
		verdict_infer(&v, "that no traced socket has the name; `ss -xap` shows who has");
	verdict_do(&v, file ? "unlink() the path before bind(), or when the server ends" :
			      "Look with `ss -xap`");
	return verdict_tell(x, &v);
}

static int tell_foreign(struct explain *x, const struct step *s, const struct asked *a)
{
	struct verdict v;
	char addr[64];
	size_t len;

	start(x, &v, &rules[NAME_FOREIGN], s);
	fmt_addr(addr, sizeof(addr), &a->at);
	len = (size_t)(strrchr(addr, ':') ? strrchr(addr, ':') - addr : 0);
	verdict_say(&v,
		    "%.*s is no address of this machine (or this network namespace), and bind() "
		    "takes no other",
		    (int)len, addr);
	verdict_do(&v, "bind() takes the local address, connect() the remote one; `ip addr` lists "
		       "the local ones, and 0.0.0.0 or :: stands for all");
	return verdict_tell(x, &v);
}

/* The other connection of the same names, if it is in sight. */
static const struct note *twin_of(const struct explain *x, const struct note *mine,
				  const struct ev_addr *to)
{
	const struct note *n;
	const struct sock *s;

	for (n = notes_at(x, mine->src.port, NULL); n; n = notes_at(x, mine->src.port, n)) {
		s = model_sock(x->m, n->sid);
		if (n != mine && !n->dead && n->netns == mine->netns && s &&
		    s->state != TCP_S_CLOSE && addr_equal(&n->src, &mine->src) &&
		    addr_equal(&n->dst, to))
			return n;
	}
	return NULL;
}

/* From a port of its own choice a socket can make each connection once. */
static int tell_twin(struct explain *x, const struct step *s, const struct note *n,
		     const struct asked *a)
{
	const struct time_wait *w = port_time_wait(x, n->netns, &n->src, &a->at);
	const struct note *twin = twin_of(x, n, &a->at);
	struct verdict v;
	char from[64], to[64];

	if (!note_mark(n, MARK_BIND) || !n->src.port)
		return 0;
	start(x, &v, &rules[NAME_TWIN], s);
	verdict_say(&v,
		    "There is a connection from %s to %s already%s: two cannot share both names",
		    fmt_addr(from, sizeof(from), &n->src), fmt_addr(to, sizeof(to), &a->at),
		    w ? ", in TIME_WAIT" : "");
	if (!twin)
		verdict_infer(
			&v, "that bind() had chosen the port; `ss -tan` would show the other one");
	verdict_do(&v, "A client needs no bind(): without it the kernel chooses a free port");
	verdict_prove_mark(&v, n, MARK_BIND);
	verdict_prove_mark(&v, twin, MARK_CONNECT);
	verdict_prove(&v, w ? w->id : 0);
	return verdict_tell(x, &v);
}

static int tell_denied(struct explain *x, const struct step *s, const struct asked *a)
{
	struct verdict v;
	char name[120];

	start(x, &v, &rules[NAME_DENIED], s);
	if (a->at.family == AF_UNIX) {
		verdict_say(&v, "This user may not make a file where %s should be",
			    fmt_path(name, sizeof(name), a->path, a->len));
		verdict_do(&v, "Take a path in a directory of your own");
	} else {
		verdict_say(&v, "Port %u is privileged: below %s only root may bind", a->at.port,
			    a->at.port < PRIVILEGED ? "1024" :
						      "net.ipv4.ip_unprivileged_port_start");
		verdict_do(&v,
			   "Take a port from 1024 up, or give the program CAP_NET_BIND_SERVICE");
	}
	if (a->at.family == AF_UNIX || a->at.port >= PRIVILEGED)
		verdict_infer(&v, "the error alone");
	return verdict_tell(x, &v);
}

static int tell_again(struct explain *x, const struct step *s, const struct note *n)
{
	bool bound = note_mark(n, MARK_BIND);
	struct verdict v;
	char name[64];

	start(x, &v, &rules[NAME_AGAIN], s);
	if (n->src.port)
		verdict_say(&v, "The socket is %s already%s, and one name is all it gets",
			    fmt_addr(name, sizeof(name), &n->src),
			    bound ? ", by an earlier bind()" : "");
	else
		verdict_say(&v, "The socket has a name already, and one is all it gets");
	verdict_do(&v, "For another name make another socket");
	verdict_prove_mark(&v, n, MARK_BIND);
	verdict_prove_mark(&v, n, MARK_CONNECTED);
	return verdict_tell(x, &v);
}

static int tell_address(struct explain *x, const struct step *s, const struct note *n,
			const struct asked *a)
{
	struct verdict v;

	start(x, &v, &rules[NAME_ADDRESS], s);
	if (a->at.family && a->at.family != n->family) {
		verdict_say(&v, "The socket is of family %s, the address of family %s",
			    family_name(n->family), family_name(a->at.family));
	} else {
		verdict_say(&v, "The address, or the length given for it, is none of family %s",
			    family_name(n->family));
		verdict_infer(&v, "that the socket has no name yet");
	}
	verdict_do(&v, "Give bind() the sockaddr of the socket's family, and its sizeof");
	return verdict_tell(x, &v);
}

static int bind_failed(struct explain *x, const struct step *s, const struct event_call *c,
		       const struct note *n, const struct asked *a)
{
	switch (c->ret) {
	case -EADDRINUSE:
		return a->at.family == AF_UNIX ? tell_path(x, s, n, a) : 0;
	case -EADDRNOTAVAIL:
		return tell_foreign(x, s, a);
	case -EACCES:
		return tell_denied(x, s, a);
	case -EINVAL:
		return n->src.port || note_mark(n, MARK_BIND) ? tell_again(x, s, n) :
								tell_address(x, s, n, a);
	case -EAFNOSUPPORT:
		return tell_address(x, s, n, a);
	}
	return 0;
}

/* bind() asks for the option; set afterwards, it is for what comes later. */
static int option_set(struct explain *x, const struct step *s, const struct event_call *c,
		      struct note *n)
{
	bool port = c->x[1] == SO_REUSEPORT;
	const struct mark *bound = note_mark(n, MARK_BIND);
	struct verdict v;
	char call[48];

	if (c->x[0] != SOL_SOCKET || (c->x[1] != SO_REUSEADDR && !port) || !(__u32)c->len)
		return 0;
	if (!bound || n->family == AF_UNIX || note_told(n, &rules[NAME_LATE]))
		return 0;
	verdict_start(x, &v, &rules[NAME_LATE], s);
	verdict_ask(&v, "Was %s in time?", fmt_call(call, sizeof(call), c));
	verdict_say(&v, "%s came after bind(), which had looked for it already",
		    port ? "SO_REUSEPORT" : "SO_REUSEADDR");
	verdict_do(&v, "Set it between socket() and bind()");
	verdict_prove(&v, bound->id);
	return verdict_tell(x, &v);
}

static int name_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	struct note *n = c && s->sock ? note_of(x, s->sock->sid) : NULL;
	struct asked a = { .at = { .family = 0 } };

	if (!n)
		return 0;
	if (c->call == CALL_SETSOCKOPT)
		return c->ret ? 0 : option_set(x, s, c, n);
	if ((c->call != CALL_BIND && c->call != CALL_CONNECT) ||
	    call_addr(c, &a.at, &a.path, &a.len))
		return 0;
	if (c->call == CALL_CONNECT)
		return c->ret == -EADDRNOTAVAIL || c->ret == -EADDRINUSE ? tell_twin(x, s, n, &a) :
									   0;
	if (!c->ret && a.at.family == AF_UNIX && a.len)
		own(x, n)->path = path_hash(a.path, a.len);
	return c->ret ? bind_failed(x, s, c, n, &a) : 0;
}

const struct family explain_name = {
	.name = "name",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct name_note),
	.step = name_step,
};
