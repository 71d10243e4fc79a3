// SPDX-License-Identifier: MIT
#include "model.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fdtable.h"
#include "inside.h"

/* Works one kind of record into the model and into the step that tells of it. 0 or -ENOMEM. */
typedef int (*handler_fn)(struct model *m, const struct moment *mo, struct step *s);

static const handler_fn handlers[EV_KIND_MAX] = {
	[EV_CALL] = call_event,
	[EV_PROC] = proc_event,
	[EV_SOCK] = sock_event,
	[EV_FLOW] = flow_event,
	[EV_FD] = proc_fd_event,
	[EV_SEGMENT] = segment_event,
	[EV_STATE] = kernel_event,
	[EV_SENT] = kernel_event,
	[EV_RECEIVED] = kernel_event,
	[EV_DATA_READY] = kernel_event,
	[EV_ACK] = kernel_event,
	[EV_RETRANSMIT] = kernel_event,
	[EV_SYNACK_RETRANS] = kernel_event,
	[EV_RST_SENT] = kernel_event,
	[EV_RST_RECEIVED] = kernel_event,
	[EV_SOCK_ERROR] = kernel_event,
	[EV_DESTROY] = kernel_event,
	[EV_RCVQ_FULL] = kernel_event,
	[EV_UDP_DROP] = kernel_event,
	[EV_SKB_DROP] = kernel_event,
	[EV_FIN_QUEUED] = kernel_event,
	[EV_FIN_RECEIVED] = kernel_event,
	[EV_SOCK_CLOSED] = kernel_event,
	[EV_LEVELS] = kernel_event,
};

static const char *const role_names[] = {
	[ROLE_NONE] = "",
	[ROLE_CLIENT] = "client",
	[ROLE_SERVER] = "server",
};
static_assert(sizeof(role_names) / sizeof(role_names[0]) == ROLE_SERVER + 1, "a name per role");

const char *role_name(enum role role)
{
	return (size_t)role < sizeof(role_names) / sizeof(role_names[0]) ? role_names[role] : "";
}

/* A call a thread is in: where its entry stands in the story. */
struct entry {
	__u64 t_enter;
	__u64 id;
};

struct model *model_new(step_fn fn, void *ctx)
{
	struct model *m = calloc(1, sizeof(*m));
	bool whole;
	int i;

	if (!m)
		return NULL;
	m->fn = fn;
	m->ctx = ctx;
	TAILQ_INIT(&m->mortals);
	TAILQ_INIT(&m->all);
	TAILQ_INIT(&m->over);
	TAILQ_INIT(&m->idle_flows);
	TAILQ_INIT(&m->nameless);
	whole = (m->procs = hash_new()) && (m->socks = hash_new()) && (m->flows = hash_new()) &&
		(m->conns = hash_new()) && (m->bound = hash_new()) && (m->calls = hash_new());
	for (i = 0; i < REASON_MAX; i++)
		whole = (m->reasons[i] = hash_new()) && whole;
	if (whole)
		return m;
	model_free(m);
	return NULL;
}

/* Frees a map and, with free(), its values. */
static void map_free(struct hash *h)
{
	size_t pos = 0;
	void *value;

	while (h && hash_next(h, &pos, NULL, &value))
		free(value);
	hash_free(h);
}

static void socks_free(struct model *m)
{
	size_t pos = 0;
	void *s;

	while (m->socks && hash_next(m->socks, &pos, NULL, &s))
		unread_free(s);
	map_free(m->socks);
}

static void objects_free(struct model *m)
{
	struct mconn *c;
	struct mortal *d, *next;
	size_t pos = 0;
	void *p;

	while ((c = TAILQ_FIRST(&m->all))) {
		if (c->mortal.queued)
			TAILQ_REMOVE(&m->mortals, &c->mortal, link);
		conn_free(m, c);
	}
	/* Processes whose pid belongs to another one by now are only in the queue. */
	for (d = TAILQ_FIRST(&m->mortals); d; d = next) {
		next = TAILQ_NEXT(d, link);
		if (d->kind == MORTAL_PROC)
			proc_free(m, (struct mproc *)((char *)d - offsetof(struct mproc, mortal)));
	}
	while (m->procs && hash_next(m->procs, &pos, NULL, &p))
		proc_free(m, p);
}

void model_free(struct model *m)
{
	int i;

	if (!m)
		return;
	objects_free(m);
	if (m->flows)
		flow_free_all(m);
	socks_free(m);
	map_free(m->calls);
	for (i = 0; i < REASON_MAX; i++)
		map_free(m->reasons[i]);
	hash_free(m->procs);
	hash_free(m->conns);
	hash_free(m->bound);
	free(m);
}

/* --- steps --- */

static enum role role_of(const struct step *s)
{
	const struct msock *sock = s->sock ? sock_of(s->sock) : NULL;
	int side = sock && s->conn ? conn_side(conn_of(s->conn), sock) : -1;

	if (side >= 0 && s->conn->end[0] != s->conn->end[1])
		return side ? ROLE_SERVER : ROLE_CLIENT;
	if (sock && sock->s.role != ROLE_NONE)
		return sock->s.role;
	return s->proc ? s->proc->role : ROLE_NONE;
}

/* Gives the step its number and its context, and hands it over. */
int model_emit(struct model *m, struct step *s)
{
	s->id = ++m->last_id;
	if (!s->conn && s->sock)
		s->conn = s->sock->conn;
	if (!s->proc && s->sock)
		s->proc = (struct proc *)proc_find(m, sock_owner(sock_of(s->sock)));
	if (s->role == ROLE_NONE && s->kind == STEP_EVENT)
		s->role = role_of(s);
	if (s->conn) {
		memcpy(s->dir, s->conn->dir, sizeof(s->dir));
		mortal_touch(m, &conn_of(s->conn)->mortal);
	}
	if (s->conn && s->kind == STEP_EVENT && s->t_ns > s->conn->t_last_ns)
		conn_of(s->conn)->c.t_last_ns = s->t_ns;
	if (s->sock)
		mortal_touch(m, &sock_of(s->sock)->mortal);
	if (s->sock2)
		mortal_touch(m, &sock_of(s->sock2)->mortal);
	if (s->proc)
		mortal_touch(m, &((struct mproc *)s->proc)->mortal);
	return m->fn(m->ctx, s);
}

static __u64 entry_time(const struct event *ev)
{
	if (ev->kind == EV_CALL)
		return ((const struct event_call *)ev)->t_enter;
	return ((const struct event_gai *)ev)->t_enter;
}

/* getaddrinfo encloses system calls of the same thread. */
static __u64 entry_key(const struct event *ev)
{
	return (__u64)ev->tid << 1 | (ev->kind == EV_GAI);
}

/* The step about to be emitted is the entry: remember its number until the call returns. */
static int entry_open(struct model *m, const struct event *ev)
{
	struct entry *e = hash_get(m->calls, entry_key(ev));

	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e || hash_put(m->calls, entry_key(ev), e)) {
			free(e);
			return -ENOMEM;
		}
	}
	e->t_enter = entry_time(ev);
	e->id = m->last_id + 1;
	return 0;
}

static void entry_close(struct model *m, const struct event *ev, struct step *s)
{
	struct entry *e = hash_get(m->calls, entry_key(ev));

	if (s->t_ns > entry_time(ev))
		s->took_ns = s->t_ns - entry_time(ev);
	if (!e || e->t_enter != entry_time(ev))
		return;
	s->enter_id = e->id;
	if (e->id != m->last_id)
		s->sflags |= STEP_MIDWAY;
	free(hash_del(m->calls, entry_key(ev)));
}

static int entry_track(struct model *m, const struct moment *mo, struct step *s)
{
	if (mo->ev->kind != EV_CALL && mo->ev->kind != EV_GAI)
		return 0;
	if (mo->phase == PHASE_ENTER)
		return entry_open(m, mo->ev);
	if (mo->phase == PHASE_EXIT)
		entry_close(m, mo->ev, s);
	return 0;
}

/* A thread that is gone is in no call any more. */
static void entries_forget(struct model *m, __u32 tid)
{
	free(hash_del(m->calls, (__u64)tid << 1));
	free(hash_del(m->calls, (__u64)tid << 1 | 1));
}

static const char *reason_of(const struct model *m, const struct event *ev)
{
	const struct event_sock *e = (const struct event_sock *)ev;

	if (ev->kind == EV_RST_SENT && e->b)
		return hash_get(m->reasons[REASON_RST], e->a);
	if (ev->kind == EV_SKB_DROP)
		return hash_get(m->reasons[REASON_DROP], e->a);
	return NULL;
}

/* Only what happens in a process may introduce it; the kernel names owners long gone. */
static int find_actors(struct model *m, const struct moment *mo, struct step *s)
{
	const struct event *ev = mo->ev;
	struct mproc *p = proc_find(m, ev->pid);
	struct msock *sock;

	if (!p && ev->pid && event_layer(ev->kind) == LAYER_APP) {
		p = proc_get(m, ev->pid);
		if (!p)
			return -ENOMEM;
	}
	s->proc = p ? &p->p : NULL;
	if (!ev->sid)
		return 0;
	sock = sock_get(m, ev->sid, mo->t_ns);
	if (!sock)
		return -ENOMEM;
	s->sock = &sock->s;
	return 0;
}

static int take_error(struct model *m)
{
	int err = m->err;

	m->err = 0;
	return err;
}

int model_apply(struct model *m, const struct moment *mo)
{
	const struct event *ev = mo->ev;
	struct step s = {
		.t_ns = mo->t_ns,
		.kind = STEP_EVENT,
		.phase = mo->phase,
		.layer = event_layer(ev->kind),
		.ev = ev,
		.exit_known = mo->exit_known,
	};
	int err = take_error(m);

	if (mo->t_ns > m->now_ns)
		m->now_ns = mo->t_ns;
	if (!err)
		err = summary_flush(m, m->now_ns);
	if (err || ev->kind == EV_DOORBELL)
		return err;
	err = find_actors(m, mo, &s);
	if (!err && ev->kind < EV_KIND_MAX && handlers[ev->kind])
		err = handlers[ev->kind](m, mo, &s);
	if (!err)
		err = entry_track(m, mo, &s);
	if (err)
		return err;
	if (ev->kind == EV_PROC && ((const struct event_proc *)ev)->what == PROC_EXIT)
		entries_forget(m, ev->tid);
	s.reason = reason_of(m, ev);
	return model_emit(m, &s);
}

int model_lost(struct model *m, __u64 t_ns, __u64 lost)
{
	struct step s = {
		.t_ns = t_ns,
		.kind = STEP_LOST,
		.phase = PHASE_POINT,
		.layer = LAYER_APP,
		.n = lost,
	};

	m->lossy = true;
	m->lost += lost;
	return model_emit(m, &s);
}

int model_finish(struct model *m)
{
	int err = take_error(m);

	return err ? err : summary_rest(m);
}

int model_reason_name(struct model *m, const char *table, unsigned int number, const char *name)
{
	struct hash *h = m->reasons[!strcmp(table, "drop_reason") ? REASON_DROP : REASON_RST];
	char *copy;

	if (strcmp(table, "drop_reason") && strcmp(table, "rst_reason"))
		return -EINVAL;
	if (hash_get(h, number))
		return 0; /* steps may point to the first word */
	copy = strdup(name);
	if (!copy || hash_put(h, number, copy)) {
		free(copy);
		return -ENOMEM;
	}
	return 0;
}

void model_set_layers(struct model *m, unsigned int layers)
{
	m->untraced = LAYER_ALL & ~layers;
}

unsigned int model_untraced(const struct model *m)
{
	return m->untraced;
}

/* --- look-ups --- */

const struct sock *model_sock(const struct model *m, __u32 sid)
{
	const struct msock *s = sock_find(m, sid);

	return s ? &s->s : NULL;
}

const struct proc *model_proc(const struct model *m, __u32 pid)
{
	const struct mproc *p = proc_find(m, pid);

	return p ? &p->p : NULL;
}

__u32 model_fd(const struct model *m, __u32 pid, int fd)
{
	return fdtable_get(proc_find(m, pid), fd);
}

static bool holder_before(const struct holder *a, const struct holder *b)
{
	return a->pid < b->pid || (a->pid == b->pid && a->fd < b->fd);
}

/* Keeps the max first ones sorted. */
static void holder_add(struct holder *holders, size_t n, size_t max, struct holder h)
{
	size_t i = n < max ? n : max;

	for (; i > 0 && holder_before(&h, &holders[i - 1]); i--)
		if (i < max)
			holders[i] = holders[i - 1];
	if (i < max)
		holders[i] = h;
}

size_t model_holders(const struct model *m, __u32 sid, struct holder *holders, size_t max)
{
	size_t pos = 0, n = 0;
	void *p;
	int fd;

	while (hash_next(m->procs, &pos, NULL, &p)) {
		const struct mproc *proc = p;

		for (fd = fdtable_find(proc, sid, 0); fd >= 0;
		     fd = fdtable_find(proc, sid, fd + 1)) {
			holder_add(holders, n, max, (struct holder){ proc->p.pid, fd });
			n++;
		}
	}
	return n;
}

struct model_count model_count(const struct model *m)
{
	struct model_count n = {
		.procs = hash_count(m->procs),
		.socks = hash_count(m->socks),
		.conns = m->n_conns,
		.flows = hash_count(m->flows),
		.calls = hash_count(m->calls),
	};
	size_t pos = 0;
	void *p;

	while (hash_next(m->procs, &pos, NULL, &p))
		n.fds += fdtable_count(p);
	return n;
}
