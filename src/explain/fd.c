// SPDX-License-Identifier: MIT
/*
 * Descriptors: there are none left, the number means nothing (any more), it is no socket's, or it was
 * still open when its process ended.
 *
 * A number can be used again at once, and only sockets are in sight: of one that was closed it is told
 * which close() took it, not what it may have been in between.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "families.h"

#define CLOSED_MAX 256 /* closes remembered */
#define PIDS 64
#define LEAK_MIN 3 /* connections whose peer was done, left open one after the other */

enum {
	FD_ACCEPT_FULL,
	FD_FULL,
	FD_CLOSED,
	FD_CLOSED_TWICE,
	FD_NEGATIVE,
	FD_NOT_OPEN,
	FD_NOT_SOCKET,
	FD_LEAK,
	FD_LEFT_OPEN,
};

static const struct rule rules[] = {
	[FD_ACCEPT_FULL] = { "fd-accept-limit",
			     "EMFILE by accept(): no descriptor is left, the connection waits on",
			     WEIGHT_ALARM },
	[FD_FULL] = { "fd-limit", "EMFILE: no descriptor is left", WEIGHT_ALARM },
	[FD_CLOSED] = { "fd-closed", "EBADF: the descriptor was closed before", WEIGHT_ALARM },
	[FD_CLOSED_TWICE] = { "fd-closed-twice", "EBADF by close(): it was closed before",
			      WEIGHT_NEWS },
	[FD_NEGATIVE] = { "fd-negative", "EBADF: the descriptor is the result of a failed call",
			  WEIGHT_ALARM },
	[FD_NOT_OPEN] = { "fd-not-open", "EBADF: nothing is open under that number", WEIGHT_ALARM },
	[FD_NOT_SOCKET] = { "fd-not-socket", "ENOTSOCK: the descriptor is something else",
			    WEIGHT_ALARM },
	[FD_LEAK] = { "fd-leak", "Connections were left open, one after the other, to the end",
		      WEIGHT_ALARM },
	[FD_LEFT_OPEN] = { "fd-left-open", "The kernel closed what the process had left open",
			   WEIGHT_ASIDE },
};

/* A close() that was seen. */
struct closed {
	__u32 pid, tid; /* pid 0: free */
	__s32 fd;
	__u64 id, t_ns;
	bool told;
};

/* The latest call of a process that should have made a descriptor. */
struct failed {
	__u32 pid;
	__u16 call;
	__s32 err;
	__u64 id;
};

/* A process is ending, and left sockets open. */
struct leaving {
	__u32 pid;
	__u32 sid; /* the latest of these; the others follow by fd_note.before */
};

struct fd_state {
	struct closed closed[CLOSED_MAX];
	unsigned int next;
	struct failed failed[PIDS]; /* by pid modulo */
	__u32 told_full[PIDS];
	struct leaving leaving[PIDS]; /* by pid modulo */
	struct closed swept;	      /* the latest close() of a number that was not open */
	struct closed strange;	      /* the latest complaint about a number that is no socket's */
};

struct fd_note {
	__u64 left;   /* step of the close at its process's end; 0: not so */
	__u32 before; /* sid of the one its process left before it, 0 = none */
};

static struct fd_state *state_of(const struct explain *x)
{
	return family_state(x, &explain_fd);
}

static struct fd_note *own(const struct explain *x, const struct note *n)
{
	return note_own(x, (struct note *)n, &explain_fd);
}

static void start(struct explain *x, struct verdict *v, const struct rule *r, const struct step *s)
{
	const struct event_call *c = (const struct event_call *)s->ev;
	char call[48];

	verdict_start(x, v, r, s);
	verdict_ask(v, "Why did %s fail with %s?", fmt_call(call, sizeof(call), c),
		    errno_name((int)c->ret));
}

/* --- no descriptor left --- */

/* Connections of the process whose peer was done, and that it has not closed. */
static unsigned int count_stale(const struct explain *x, __u32 pid, struct verdict *v)
{
	const struct note *n;
	unsigned int stale = 0;

	for (n = notes_living(x, NULL); n; n = notes_living(x, n)) {
		if (n->pid != pid || n->dead || note_mark(n, MARK_CLOSE) || !note_mark(n, MARK_EOF))
			continue;
		if (++stale <= 3)
			verdict_prove_mark(v, n, MARK_EOF);
	}
	return stale;
}

static void say_limit(struct verdict *v, const struct event_call *c, unsigned int stale)
{
	bool machine = c->ret == -ENFILE;

	if (stale)
		verdict_do(v,
			   "Close what is done with: %u of its connections %s at their end (recv() "
			   "gave 0) and still open",
			   stale, stale == 1 ? "is" : "are");
	else if (machine)
		verdict_do(v, "Close what is not needed, or raise fs.file-max");
	else
		verdict_do(v, "Close what is not needed, or raise the limit (`ulimit -n`, "
			      "RLIMIT_NOFILE)");
}

static int tell_accept_full(struct explain *x, const struct step *s, const struct event_call *c,
			    struct note *n)
{
	const char *whose = c->ret == -ENFILE ? "The machine" : "The process";
	__u32 waiting = c->lv.flags & LV_LISTEN ? c->lv.ack_backlog : 0;
	struct verdict v;

	if (note_told(n, &rules[FD_ACCEPT_FULL]))
		return 0;
	start(x, &v, &rules[FD_ACCEPT_FULL], s);
	if (waiting == 1)
		verdict_say(&v,
			    "%s has no descriptor left: 1 connection waits on in the queue, not "
			    "refused, and its client takes it for served",
			    whose);
	else if (waiting)
		verdict_say(&v,
			    "%s has no descriptor left: %u connections wait on in the queue, not "
			    "refused, and their clients take them for served",
			    whose, waiting);
	else
		verdict_say(&v, "%s has no descriptor left for a connection; none waits right now",
			    whose);
	say_limit(&v, c, count_stale(x, c->e.pid, &v));
	verdict_prove_mark(&v, n, MARK_LISTEN);
	return verdict_tell(x, &v);
}

static int tell_full(struct explain *x, const struct step *s, const struct event_call *c)
{
	__u32 *told = &state_of(x)->told_full[c->e.pid % PIDS];
	struct verdict v;

	if (*told == c->e.pid)
		return 0;
	*told = c->e.pid;
	start(x, &v, &rules[FD_FULL], s);
	if (c->ret == -ENFILE)
		verdict_say(&v, "The machine has as many files open as fs.file-max allows");
	else
		verdict_say(&v, "The process has as many descriptors open as RLIMIT_NOFILE allows");
	say_limit(&v, c, count_stale(x, c->e.pid, &v));
	return verdict_tell(x, &v);
}

/* --- a number that means nothing --- */

static struct closed *closed_find(const struct explain *x, __u32 pid, int fd)
{
	struct fd_state *st = state_of(x);
	struct closed *c, *best = NULL;

	for (c = st->closed; c < st->closed + CLOSED_MAX; c++)
		if (c->pid && c->pid == pid && c->fd == fd && (!best || c->id > best->id))
			best = c;
	return best;
}

/* Some programs close every number there could be; that one is not open is what they expect. */
static bool sweeping(struct explain *x, const struct event_call *c, const struct step *s)
{
	struct closed *last = &state_of(x)->swept;
	bool goes_on = last->pid == c->e.pid && (last->fd + 1 == c->fd || last->fd - 1 == c->fd);

	*last = (struct closed){ .pid = c->e.pid, .fd = c->fd, .id = s->id, .t_ns = s->t_ns };
	return goes_on;
}

static int tell_closed(struct explain *x, const struct step *s, const struct event_call *c,
		       struct closed *by)
{
	bool again = c->call == CALL_CLOSE;
	struct verdict v;
	char ago[32];

	if (by->told)
		return 0;
	by->told = true;
	start(x, &v, &rules[again ? FD_CLOSED_TWICE : FD_CLOSED], s);
	fmt_ns(ago, sizeof(ago), s->t_ns > by->t_ns ? s->t_ns - by->t_ns : 0);
	if (by->tid != c->e.tid) /* a race: the number may be another thread's next time */
		v.weight = WEIGHT_ALARM;
	if (again)
		verdict_say(
			&v,
			"Descriptor %d was closed %s ago: had it been given anew meanwhile, this "
			"would have closed a stranger's",
			c->fd, ago);
	else
		verdict_say(&v,
			    "Descriptor %d was closed %s ago by this process: the number means "
			    "nothing until it is given anew",
			    c->fd, ago);
	verdict_do(&v, "%s; set the variable to -1 at close()",
		   again ? "Let one place own the descriptor and close it" :
			   "Use no descriptor after its close()");
	verdict_prove(&v, by->id);
	return verdict_tell(x, &v);
}

static int tell_negative(struct explain *x, const struct step *s, const struct event_call *c)
{
	struct fd_state *st = state_of(x);
	const struct failed *f = &st->failed[c->e.pid % PIDS];
	const struct event_call made = { .call = f->call, .fd = -1 };
	struct verdict v;
	char call[48];

	if (c->call == CALL_CLOSE)
		return 0;
	if (st->strange.pid == c->e.pid && st->strange.fd == c->fd)
		return 0;
	st->strange = (struct closed){ .pid = c->e.pid, .fd = c->fd };
	start(x, &v, &rules[FD_NEGATIVE], s);
	if (f->pid == c->e.pid && c->fd == -1) {
		verdict_say(&v,
			    "%d is no descriptor: it is what %s returned when it failed with %s",
			    c->fd, fmt_call(call, sizeof(call), &made), errno_name(f->err));
		verdict_infer(&v, "that this was the latest call that failed to make a descriptor");
		verdict_prove(&v, f->id);
	} else {
		verdict_say(&v, "%d is no descriptor: numbers below 0 are what failed calls return",
			    c->fd);
	}
	verdict_do(&v, "Check the result of every call that makes a descriptor");
	return verdict_tell(x, &v);
}

static bool is_file_call(const struct event_call *c)
{
	return c->call == CALL_READ || c->call == CALL_READV || c->call == CALL_WRITE ||
	       c->call == CALL_WRITEV || (c->call >= CALL_CLOSE && c->call <= CALL_FCNTL);
}

static int tell_not_open(struct explain *x, const struct step *s, const struct event_call *c)
{
	struct closed *last = &state_of(x)->strange;
	struct verdict v;

	if (last->pid == c->e.pid && last->fd == c->fd)
		return 0;
	*last = (struct closed){ .pid = c->e.pid, .fd = c->fd };
	start(x, &v, &rules[FD_NOT_OPEN], s);
	if (is_file_call(c))
		v.weight = WEIGHT_ASIDE;
	verdict_say(&v,
		    "Nothing is open as descriptor %d in this process, and no socket was in sight",
		    c->fd);
	verdict_do(&v, "Is the number the one that socket() or accept() returned?");
	return verdict_tell(x, &v);
}

static int tell_bad(struct explain *x, const struct step *s, const struct event_call *c)
{
	struct closed *by = closed_find(x, c->e.pid, c->fd);

	if (c->fd < 0)
		return tell_negative(x, s, c);
	if (c->call == CALL_CLOSE && sweeping(x, c, s))
		return 0;
	return by ? tell_closed(x, s, c, by) : tell_not_open(x, s, c);
}

/* Asking whether a descriptor is a socket is what shells and inetd's children do. */
static bool is_question(const struct event_call *c)
{
	return c->call == CALL_GETSOCKNAME || c->call == CALL_GETPEERNAME ||
	       c->call == CALL_GETSOCKOPT || c->call == CALL_SETSOCKOPT;
}

static int tell_not_socket(struct explain *x, const struct step *s, const struct event_call *c)
{
	const struct closed *by = closed_find(x, c->e.pid, c->fd);
	struct closed *last = &state_of(x)->strange;
	struct verdict v;
	char ago[32];

	if (last->pid == c->e.pid && last->fd == c->fd)
		return 0;
	*last = (struct closed){ .pid = c->e.pid, .fd = c->fd };
	start(x, &v, &rules[FD_NOT_SOCKET], s);
	if (is_question(c))
		v.weight = WEIGHT_ASIDE;
	if (by) {
		fmt_ns(ago, sizeof(ago), s->t_ns > by->t_ns ? s->t_ns - by->t_ns : 0);
		verdict_say(&v,
			    "Descriptor %d was a socket until its close() %s ago; the number now "
			    "belongs to a file or pipe",
			    c->fd, ago);
		verdict_prove(&v, by->id);
		verdict_do(&v, "Use no descriptor after its close(); set the variable to -1 there");
	} else {
		verdict_say(&v, "Descriptor %d is open, but a file, pipe or terminal: no socket",
			    c->fd);
		verdict_do(&v, "Use the number that socket() or accept() returned");
	}
	return verdict_tell(x, &v);
}

/* --- left open to the end --- */

static void remember_left(struct explain *x, const struct step *s, const struct event_call *c,
			  struct note *n)
{
	struct leaving *l = &state_of(x)->leaving[c->e.pid % PIDS];

	if (!(c->cflags & CALLF_BY_EXIT) || !(c->cflags & CALLF_LAST_REF) || own(x, n)->left)
		return;
	*own(x, n) = (struct fd_note){ .left = s->id, .before = l->pid == c->e.pid ? l->sid : 0 };
	*l = (struct leaving){ c->e.pid, n->sid };
}

/* Left behind by a program that had gone on to another connection. */
static bool is_leak(const struct note *n, __u64 last_begun)
{
	return note_mark(n, MARK_EOF) && last_begun > note_mark(n, MARK_EOF)->id;
}

static __u64 begun(const struct note *n)
{
	__u64 made = n->marks[MARK_SOCKET].id, taken = n->marks[MARK_ACCEPTED].id;

	return made > taken ? made : taken;
}

struct left {
	unsigned int open, leaks, done; /* in all; of them: leaks, at their end */
	__u64 last_begun;
};

static struct left count_left(const struct explain *x, const struct note *latest)
{
	struct left l = { .open = 0 };
	const struct note *n;

	for (n = latest; n; n = note_of(x, own(x, n)->before)) {
		l.open++;
		l.done += note_mark(n, MARK_EOF) != NULL;
		l.last_begun = begun(n) > l.last_begun ? begun(n) : l.last_begun;
	}
	for (n = latest; n; n = note_of(x, own(x, n)->before))
		l.leaks += is_leak(n, l.last_begun);
	return l;
}

static void prove_left(const struct explain *x, struct verdict *v, const struct note *latest)
{
	const struct note *n;

	for (n = latest; n; n = note_of(x, own(x, n)->before)) {
		if (v->rule == &rules[FD_LEAK] && !note_mark(n, MARK_EOF))
			continue;
		verdict_prove_mark(v, n, MARK_EOF);
		verdict_prove(v, own(x, n)->left);
	}
}

static int tell_left(struct explain *x, const struct step *s, __u32 pid, const struct note *latest)
{
	struct left l = count_left(x, latest);
	bool leak = l.leaks >= LEAK_MIN - 1;
	struct verdict v;
	char who[96];

	if (!l.open)
		return 0;
	verdict_start(x, &v, &rules[leak ? FD_LEAK : FD_LEFT_OPEN], s);
	fmt_who(who, sizeof(who), x, ROLE_NONE, pid);
	verdict_ask(&v, "What did %s leave open?", who);
	if (leak)
		verdict_say(&v,
			    "%u connections whose peer was done (recv() gave 0) stayed open till "
			    "the end: a leak that grows with every client",
			    l.done);
	else
		verdict_say(&v,
			    "%u socket%s never closed; the kernel did that when the process ended",
			    l.open, l.open == 1 ? " was" : "s were");
	if (leak)
		verdict_do(&v, "close() a connection when recv() returns 0: in the end accept() "
			       "fails with EMFILE");
	prove_left(x, &v, latest);
	return verdict_tell(x, &v);
}

static int proc_ended(struct explain *x, const struct step *s)
{
	const struct event_proc *e = (const struct event_proc *)s->ev;
	struct leaving *l = &state_of(x)->leaving[e->e.pid % PIDS], was = *l;

	if (e->what != PROC_EXIT || !e->e.pid || l->pid != e->e.pid)
		return 0;
	*l = (struct leaving){ 0 };
	return tell_left(x, s, was.pid, note_of(x, was.sid));
}

/* --- which of these --- */

static bool makes_descriptor(const struct event_call *c)
{
	return c->call == CALL_SOCKET || c->call == CALL_ACCEPT || c->call == CALL_ACCEPT4 ||
	       c->call == CALL_DUP;
}

static int call_failed(struct explain *x, const struct step *s, const struct event_call *c,
		       struct note *n)
{
	bool accept = call_is_accept(c);

	if (makes_descriptor(c))
		state_of(x)->failed[c->e.pid % PIDS] =
			(struct failed){ c->e.pid, c->call, (__s32)c->ret, s->id };
	switch (c->ret) {
	case -EMFILE:
	case -ENFILE:
		return accept && n ? tell_accept_full(x, s, c, n) : tell_full(x, s, c);
	case -EBADF:
		return tell_bad(x, s, c);
	case -ENOTSOCK:
		return tell_not_socket(x, s, c);
	}
	return 0;
}

static int fd_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = s->ev && s->ev->kind == EV_CALL ? (const void *)s->ev : NULL;
	struct note *n = c && s->sock ? note_of(x, s->sock->sid) : NULL;

	if (s->ev && s->ev->kind == EV_PROC)
		return proc_ended(x, s);
	if (!c)
		return 0;
	if (s->phase == PHASE_EXIT && c->ret < 0)
		return call_failed(x, s, c, n);
	if (!n || s->phase == PHASE_EXIT || !call_is_close(c))
		return 0;
	state_of(x)->closed[state_of(x)->next++ % CLOSED_MAX] = (struct closed){
		.pid = c->e.pid,
		.tid = c->e.tid,
		.fd = c->fd,
		.id = s->id,
		.t_ns = s->t_ns,
	};
	remember_left(x, s, c, n);
	return 0;
}

const struct family explain_fd = {
	.name = "fd",
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.note_size = sizeof(struct fd_note),
	.state_size = sizeof(struct fd_state),
	.step = fd_step,
};
