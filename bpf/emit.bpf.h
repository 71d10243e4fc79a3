/* SPDX-License-Identifier: MIT */
/*
 * Reserve, count, submit. Every failed reservation is counted under its kind; nothing is lost silently.
 */
#ifndef SOCKLENS_EMIT_BPF_H
#define SOCKLENS_EMIT_BPF_H

#include "maps.bpf.h"

static __always_inline u64 now_ns(void)
{
	return bpf_ktime_get_boot_ns();
}

static __always_inline void count_seen(u32 kind)
{
	struct counters *c = bpf_map_lookup_elem(&counts, &kind);

	if (c)
		__sync_fetch_and_add(&c->seen, 1); /* softirq may nest here on the same CPU */
}

static __noinline int count_lost_many(u32 kind, u32 n)
{
	struct counters *c = bpf_map_lookup_elem(&counts, &kind);

	if (c)
		__sync_fetch_and_add(&c->lost, n);
	if (!first_loss)
		first_loss = now_ns();
	__sync_fetch_and_add(&losses, n);
	return 0;
}

static __always_inline int count_lost(u32 kind)
{
	return count_lost_many(kind, 1);
}

/* size must be a constant. Returns NULL when the ring is full: not counted, since it will be tried again. */
#define emit_try(kind_, size_)                                                    \
	({                                                                        \
		struct event *e_ = bpf_ringbuf_reserve(&ring, (size_), 0);        \
		if (e_) {                                                         \
			e_->size = (size_);                                       \
			e_->kind = (kind_);                                       \
			e_->flags = 0;                                            \
			e_->sid = 0;                                              \
			e_->pid = 0;                                              \
			e_->tid = 0;                                              \
		}                                                                 \
		(void *)e_;                                                       \
	})

/* The same for what happens once. NULL: it is lost, and counted. */
#define emit_reserve(kind_, size_)                      \
	({                                              \
		void *r_ = emit_try((kind_), (size_));  \
		if (!r_)                                \
			count_lost(kind_);              \
		r_;                                     \
	})

/* Wake-ups cost more than the probes: only an idle reader gets one, and disarms its bell. */
static __always_inline u64 wake_flags(void)
{
	if (!doorbell_armed)
		return BPF_RB_NO_WAKEUP;
	doorbell_armed = 0;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void emit_submit(void *e, u32 kind)
{
	count_seen(kind);
	bpf_ringbuf_submit(e, wake_flags());
}

/* A record built elsewhere (scratch or a map). Returns 0, or negative when there was no room. */
static __always_inline int emit_copy_try(void *e, u32 size, u32 kind)
{
	int err = bpf_ringbuf_output(&ring, e, size, wake_flags());

	if (!err)
		count_seen(kind);
	return err;
}

/* The same for what happens once: without room it is lost. */
static __always_inline int emit_copy(void *e, u32 size, u32 kind)
{
	int err = emit_copy_try(e, size, kind);

	if (err)
		count_lost(kind);
	return err;
}

/* The end of something: it has a second place to wait in. Build it in there, all of it zero but what it says. */
static __always_inline int emit_end_here(struct late_record *l, u32 size, u32 kind)
{
	struct event *e = (struct event *)l;

	e->size = size;
	e->kind = kind;
	if (!emit_copy_try(l, size, kind))
		return 0;
	if (bpf_map_push_elem(&late, l, 0))
		return count_lost(kind);
	count_seen(kind);
	__sync_fetch_and_add(&lates, 1);
	return 0;
}

static __noinline int emit_end(struct late_record *l, u32 size, u32 kind)
{
	return l && size <= sizeof(*l) ? emit_end_here(l, size, kind) : 0;
}

/* An idle reader must start looking at the calls in progress. */
static __always_inline void ring_doorbell(void)
{
	struct event *e;

	if (!doorbell_armed)
		return;
	e = emit_try(EV_DOORBELL, sizeof(*e));
	if (!e)
		return;
	e->t_ns = now_ns();
	emit_submit(e, EV_DOORBELL);
}

/* slot: SCRATCH_PROBE in probes (not preempted), SCRATCH_ITER in the reader's iterators. */
static __always_inline struct scratch *scratch_get(u32 slot)
{
	return bpf_map_lookup_elem(&scratches, &slot);
}

#endif
