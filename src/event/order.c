/* SPDX-License-Identifier: MIT */
/*
 * A heap of moments, a pool of records. Sorting is by (time, arrival), so late and early records
 * need no path of their own: they are the oldest of what waits and leave with the next tick.
 *
 * A pushed record is copied once, into a pool, and shared by its two moments.
 */
#include "order.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../util/hash.h"
#include "../util/pool.h"

#define POOL_KEPT (1024 * 1024) /* bytes that stay allocated when nothing waits */
#define HEAP_FIRST 1024
#define HEAP_KEPT 16384 /* moments for which room stays allocated when nothing waits */

/* A copied record. */
struct held {
	__u64 refs;	 /* moments that still need it */
	struct event ev; /* and its rest */
};

#define HELD_HEAD offsetof(struct held, ev)
#define RECORD_MAX (POOL_BLOCK_MAX - HELD_HEAD)
static_assert(sizeof(struct event_gai) <= RECORD_MAX, "the longest record must fit a block");
static_assert(sizeof(struct event_call) + EVENT_TAIL_MAX <= RECORD_MAX, "so must the longest call");

/* One moment that waits. rank = arrival << RANK_BITS | RANK_*: unique, grows with arrival. */
struct waiting {
	__u64 t;
	__u64 rank;
	struct held *held;
};

#define RANK_BITS 4
#define RANK_PHASE 3 /* enum phase */
#define RANK_EXIT_KNOWN 4
#define RANK_WAS_PENDING 8

/*
 * What is known of a thread's calls (or of its getaddrinfo: the two nest, so they are kept apart).
 * A thread makes its calls one after the other, but the reader may look at the next call before it
 * has drained the end of the last: hence more than one.
 */
#define PENDING_MAX 4
struct thread {
	__u64 done;		    /* latest t_enter of a finished call, 0 = none */
	__u64 pending[PENDING_MAX]; /* t_enter of calls whose entry was given out; 0 = free */
};

#define THREADS_FIRST_SWEEP 4096
#define THREAD_MEMORY_NS \
	1000000000ull /* a pending record this much later than the final one: never */

struct order {
	moment_fn fn;
	void *ctx;
	struct waiting *heap;
	size_t len, cap;
	__u64 arrivals;
	struct pool pool;
	struct hash *threads; /* tid << 1 | getaddrinfo -> struct thread */
	size_t sweep_at;      /* number of threads at which the idle ones are forgotten */
};

/* --- heap: four children a node, fewer cache misses than two --- */

static bool waits_before(const struct waiting *a, const struct waiting *b)
{
	return a->t != b->t ? a->t < b->t : a->rank < b->rank;
}

static int heap_reserve(struct order *o, size_t more)
{
	size_t cap = o->cap ? o->cap : HEAP_FIRST;
	struct waiting *heap;

	while (cap < o->len + more)
		cap *= 2;
	if (cap == o->cap)
		return 0;
	heap = realloc(o->heap, cap * sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	o->heap = heap;
	o->cap = cap;
	return 0;
}

/* Room was reserved. */
static void heap_add(struct order *o, const struct waiting *w)
{
	size_t i = o->len++, parent;

	for (; i; i = parent) {
		parent = (i - 1) / 4;
		if (!waits_before(w, &o->heap[parent]))
			break;
		o->heap[i] = o->heap[parent];
	}
	o->heap[i] = *w;
}

static size_t heap_least_child(const struct order *o, size_t i)
{
	size_t child = 4 * i + 1, least = child, end = child + 4;

	if (end > o->len)
		end = o->len;
	while (++child < end)
		if (waits_before(&o->heap[child], &o->heap[least]))
			least = child;
	return least;
}

/* The heap is not empty. */
static struct waiting heap_take(struct order *o)
{
	struct waiting first = o->heap[0], *last = &o->heap[--o->len];
	size_t i = 0, child;

	while (4 * i + 1 < o->len) {
		child = heap_least_child(o, i);
		if (waits_before(last, &o->heap[child]))
			break;
		o->heap[i] = o->heap[child];
		i = child;
	}
	o->heap[i] = *last;
	return first;
}

/* --- pending and final records --- */

static struct thread *thread_get(struct order *o, __u64 key)
{
	struct thread *th = hash_get(o->threads, key);

	if (th)
		return th;
	th = calloc(1, sizeof(*th));
	if (th && hash_put(o->threads, key, th)) {
		free(th);
		return NULL;
	}
	return th;
}

static __u64 *thread_pending(struct thread *th, __u64 t_enter)
{
	size_t i;

	for (i = 0; i < PENDING_MAX; i++)
		if (th->pending[i] == t_enter)
			return &th->pending[i];
	return NULL;
}

/* The oldest gives way: its final record was lost. */
static void thread_add_pending(struct thread *th, __u64 t_enter)
{
	__u64 *slot = &th->pending[0];
	size_t i;

	for (i = 1; i < PENDING_MAX; i++)
		if (th->pending[i] < *slot)
			slot = &th->pending[i];
	*slot = t_enter;
}

static bool thread_is_idle(const struct thread *th, __u64 horizon)
{
	size_t i;

	for (i = 0; i < PENDING_MAX; i++)
		if (th->pending[i])
			return false;
	return th->done + THREAD_MEMORY_NS < horizon;
}

/* Threads come and go; forget those that can matter no more whenever their number has doubled. */
static void threads_sweep(struct order *o, __u64 horizon)
{
	struct thread *th;
	size_t pos = 0;
	void *value;
	__u64 key;

	if (hash_count(o->threads) < o->sweep_at)
		return;
	while (hash_next(o->threads, &pos, &key, &value)) {
		th = value;
		if (thread_is_idle(th, horizon)) {
			hash_del(o->threads, key);
			free(th);
		}
	}
	o->sweep_at = 2 * hash_count(o->threads);
	if (o->sweep_at < THREADS_FIRST_SWEEP)
		o->sweep_at = THREADS_FIRST_SWEEP;
}

static void threads_free(struct hash *threads)
{
	size_t pos = 0;
	void *value;

	if (!threads)
		return;
	while (hash_next(threads, &pos, NULL, &value))
		free(value);
	hash_free(threads);
}

/* --- which moments a record has --- */

/* The span of a record that has an entry and an end; false: it is one point in time. */
static bool record_span(const struct event *ev, __u64 *t_enter, __u8 *cflags)
{
	const struct event_call *c = (const struct event_call *)ev;
	const struct event_gai *g = (const struct event_gai *)ev;

	if (ev->kind == EV_CALL) {
		*t_enter = c->t_enter;
		*cflags = c->cflags;
		return !(c->cflags & (CALLF_BY_EXIT | CALLF_BY_EXEC));
	}
	if (ev->kind == EV_GAI) {
		*t_enter = g->t_enter;
		*cflags = g->cflags;
		return true;
	}
	return false;
}

static void add_moment(struct order *o, struct held *held, __u64 t, __u64 rank_flags)
{
	struct waiting w = {
		.t = t,
		.rank = o->arrivals++ << RANK_BITS | rank_flags,
		.held = held,
	};

	held->refs++;
	heap_add(o, &w);
}

/* Room in the heap was reserved. The span is what record_span() said. */
static int add_span(struct order *o, const struct event *ev, struct held *held, __u64 t_enter,
		    __u8 cflags)
{
	struct thread *th = thread_get(o, (__u64)ev->tid << 1 | (ev->kind == EV_GAI));
	/* A wrong pair of times must not turn entry and end round. */
	__u64 t_exit = ev->t_ns > t_enter ? ev->t_ns : t_enter, *pending;

	if (!th)
		return -ENOMEM;
	pending = t_enter ? thread_pending(th, t_enter) : NULL;
	if (cflags & CALLF_PENDING) {
		if (pending || t_enter <= th->done)
			return 0;
		thread_add_pending(th, t_enter);
		add_moment(o, held, t_enter, PHASE_ENTER);
		return 0;
	}
	if (th->done < t_enter)
		th->done = t_enter;
	if (pending) {
		*pending = 0;
		add_moment(o, held, t_exit, PHASE_EXIT | RANK_WAS_PENDING);
	} else {
		add_moment(o, held, t_enter, PHASE_ENTER | RANK_EXIT_KNOWN);
		add_moment(o, held, t_exit, PHASE_EXIT);
	}
	return 0;
}

/* --- the stage --- */

struct order *order_new(moment_fn fn, void *ctx)
{
	struct order *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->fn = fn;
	o->ctx = ctx;
	o->sweep_at = THREADS_FIRST_SWEEP;
	o->threads = hash_new();
	if (!o->threads) {
		free(o);
		return NULL;
	}
	return o;
}

void order_free(struct order *o)
{
	if (!o)
		return;
	pool_free(&o->pool);
	threads_free(o->threads);
	free(o->heap);
	free(o);
}

int order_push(struct order *o, const struct event *ev)
{
	struct held *held;
	__u64 t_enter;
	__u8 cflags;
	int err;

	assert(ev->size >= sizeof(*ev) && ev->size <= RECORD_MAX); /* event_check() saw to it */
	err = heap_reserve(o, 2);
	if (err)
		return err;
	held = pool_get(&o->pool, HELD_HEAD + ev->size);
	if (!held)
		return -ENOMEM;
	memcpy(&held->ev, ev, ev->size);
	held->refs = 0;
	if (record_span(ev, &t_enter, &cflags))
		err = add_span(o, ev, held, t_enter, cflags);
	else
		add_moment(o, held, ev->t_ns, PHASE_POINT);
	if (!held->refs)
		pool_put(&o->pool, held, HELD_HEAD + held->ev.size);
	return err;
}

static int release(struct order *o)
{
	struct waiting w = heap_take(o);
	struct moment m = {
		.ev = &w.held->ev,
		.phase = w.rank & RANK_PHASE,
		.t_ns = w.t,
		.exit_known = w.rank & RANK_EXIT_KNOWN,
		.was_pending = w.rank & RANK_WAS_PENDING,
	};
	int ret = o->fn(o->ctx, &m);

	if (!--w.held->refs)
		pool_put(&o->pool, w.held, HELD_HEAD + w.held->ev.size);
	return ret;
}

/* Nothing waits: what a burst needed goes. */
static void give_back(struct order *o)
{
	pool_trim(&o->pool, POOL_KEPT);
	if (o->cap <= HEAP_KEPT)
		return;
	free(o->heap);
	o->heap = NULL;
	o->cap = 0;
}

int order_tick(struct order *o, __u64 horizon_ns)
{
	int ret;

	while (o->len && o->heap[0].t <= horizon_ns) {
		ret = release(o);
		if (ret)
			return ret;
	}
	if (!o->len)
		give_back(o);
	threads_sweep(o, horizon_ns);
	return 0;
}

int order_flush(struct order *o)
{
	return order_tick(o, ~0ull);
}
