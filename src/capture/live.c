// SPDX-License-Identifier: MIT
/*
 * The reader's rhythm. Probes submit without waking anybody, since wake-ups cost more than probes; so the
 * reader polls every 10 ms while there is work. After half a second of nothing it arms a doorbell in the
 * BPF object and blocks; the next record, or the next call that begins, rings it.
 *
 * A round is: note the time, ask for calls in progress, empty the ring, give the BATCH, then a LOSS if there was one,
 * then a TICK whose horizon is the noted time less the settling time. Whatever began before the horizon is by then either
 * in the ring or was told as pending, so nothing older can come.
 *
 * The end is one moment for all probes, noted while they are still attached; what they tell of later is cut away (event/cut).
 * Two rounds follow it: what the ring holds, then the sockets that had ended by then and of which nobody told.
 */
#include "live.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "event/cut.h"
#include "iter.h"
#include "meta.h"
#include "ring.h"
#include "util/buf.h"
#include "util/clock.h"

#define ROUND_NS (10 * NSEC_PER_MSEC)
#define IDLE_ROUNDS 50
#define LINGER_NS (100 * NSEC_PER_MSEC)
#define QUIET_ROUNDS 2
#define IDLE_WAIT_MS 1000
#define BATCH_BYTES (1u << 20)

enum live_stage { STAGE_META, STAGE_REASONS, STAGE_RUN, STAGE_BATCH, STAGE_LOSS, STAGE_TICK, STAGE_END, STAGE_OVER };

struct live {
	struct source source;
	struct loader *loader;
	const struct capture_opts *opts;
	const struct live_hooks *hooks;
	void *ctx;
	struct ring *ring;
	struct bpf_link *pending, *names[2];
	int sweep; /* program, -1 = none; belongs to the loader */
	struct buf batch, meta;
	enum live_stage stage;
	volatile sig_atomic_t stop_asked;
	bool finish_asked; /* stop when nothing happens any more */
	__u64 linger_ns;   /* since then it is looked whether something does; 0 = not yet */
	__u64 end_ns;	 /* the trace ends at this moment; then all is detached; 0 = not yet */
	bool swept;	 /* after that: this is the last round */
	bool news;	 /* this round had records */
	__u64 ring_bytes, read_bytes; /* the ring's size; taken out of it in this round */
	unsigned int quiet_rounds;
	__u64 round_ns, second_ns, losses_seen, misses_seen, nameless_seen, lates_taken, events;
	__u64 missed_ns; /* since then a program was left out; 0 = none was since the losses were last read */
	__u64 later[EV_KIND_MAX];  /* records of what came after the end */
	__u64 missed[EV_KIND_MAX]; /* by programs that were left out, until the end */
	__u32 last_sid;		   /* of the sockets that were there at the end */
	struct frame_tick tick;
	struct frame_loss loss;
	struct frame_end end;
};

/* The end of a socket that the sweep after the end tells of was there before; so was a socket with a number of before. */
static bool keep(const struct live *v, struct event *e)
{
	if (e->kind == EV_SOCK && e->sid > v->last_sid)
		return false;
	if (v->swept && e->kind == EV_SOCK_CLOSED) {
		e->t_ns = v->end_ns;
		return true;
	}
	return cut_record(e, v->end_ns);
}

/* Puts a record into the batch; after the end, what of it belongs there: the ring itself cannot be written to. */
static int batch_add(struct live *v, const void *data, size_t size)
{
	size_t at = v->batch.len;
	const struct event *e = data;
	struct event *kept = NULL;

	if (buf_add(&v->batch, data, size))
		return -ENOMEM;
	if (v->end_ns && !keep(v, kept = (struct event *)(v->batch.data + at))) {
		v->batch.len = at;
		v->later[e->kind]++;
		return 0;
	}
	if (kept)
		v->batch.len = at + kept->size;
	v->events++;
	return v->batch.len >= BATCH_BYTES ? -ENOBUFS : 0;
}

/* Runs on each record in the ring: keep it, and notice processes. */
static int take_record(void *ctx, void *data, size_t size)
{
	struct live *v = ctx;
	const struct event *e = data;

	if (e->kind == EV_DOORBELL)
		return 0;
	if (e->kind == EV_PROC && size >= sizeof(struct event_proc)) {
		const struct event_proc *p = data;

		if (p->what == PROC_SEEN || p->what == PROC_EXEC)
			v->hooks->process(v->ctx, e->pid);
		else if (p->what == PROC_EXIT) /* the next process of that number is another */
			bpf_map__delete_elem(v->loader->skel->maps.targets, &e->pid, sizeof(e->pid), 0);
	}
	v->read_bytes += size;
	return batch_add(v, data, size);
}

/* Those that found no room in the ring; see bpf/maps.bpf.h. */
static int take_lates(struct live *v)
{
	int fd = bpf_map__fd(v->loader->skel->maps.late), err = 0;
	struct late_record l;

	while (!err && v->lates_taken != v->loader->skel->bss->lates &&
	       !bpf_map_lookup_and_delete_elem(fd, NULL, &l)) {
		v->lates_taken++;
		err = take_record(v, &l, ((const struct event *)&l)->size);
	}
	return err;
}

/* An iterator this kernel lacks is named by doctor; one that fails now is asked again next round. */
static void ask(const struct bpf_link *link)
{
	if (link)
		iter_run(link);
}

/* 0 or negative errno. */
static int sweep(const struct live *v, bool last)
{
	struct sweep asked = { .last = last };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &asked, .ctx_size_in = sizeof(asked));

	return v->sweep >= 0 ? bpf_prog_test_run_opts(v->sweep, &opts) : 0;
}

/* Only when somebody is without a name: it walks all sockets of their kind. */
static void ask_names(struct live *v)
{
	__u64 nameless = v->loader->skel->bss->nameless;

	if (nameless == v->nameless_seen)
		return;
	v->nameless_seen = nameless;
	ask(v->names[0]);
	ask(v->names[1]);
}

/* When the gap began, at the earliest. */
static __u64 take_first_loss(struct live *v)
{
	__u64 first = v->loader->skel->bss->first_loss;

	v->loader->skel->bss->first_loss = 0;
	if (v->missed_ns && (!first || v->missed_ns < first))
		first = v->missed_ns;
	v->missed_ns = 0;
	return first ? first : clock_boot_ns();
}

/* Totals per kind over all CPUs. */
static void read_losses(struct live *v)
{
	int fd = bpf_map__fd(v->loader->skel->maps.counts), cpus = libbpf_num_possible_cpus();
	struct counters *per_cpu = calloc(cpus > 0 ? cpus : 1, sizeof(*per_cpu));

	v->loss.t_ns = take_first_loss(v);
	v->losses_seen = v->loader->skel->bss->losses;
	for (__u32 kind = 0; per_cpu && cpus > 0 && kind < EV_KIND_MAX; kind++) {
		if (bpf_map_lookup_elem(fd, &kind, per_cpu))
			continue;
		v->loss.seen[kind] = v->loss.lost[kind] = 0;
		for (int i = 0; i < cpus; i++) {
			v->loss.seen[kind] += per_cpu[i].seen;
			v->loss.lost[kind] += per_cpu[i].lost;
		}
		v->loss.seen[kind] -= v->later[kind];
	}
	v->loss.seen[EV_DOORBELL] = 0;
	if (!v->end_ns)
		v->misses_seen = loader_misses(v->loader, v->loss.lost);
	for (__u32 kind = 0; kind < EV_KIND_MAX; kind++)
		v->loss.lost[kind] += v->missed[kind];
	free(per_cpu);
}

/* Sleep until the next round is due; -EINTR when a signal came. */
static int wait_round(struct live *v)
{
	__u64 now = clock_boot_ns(), due = v->round_ns + ROUND_NS;
	struct timespec pause = { .tv_nsec = due > now ? due - now : 0 };

	if (v->round_ns && due > now && nanosleep(&pause, NULL))
		return -EINTR;
	return 0;
}

/* Block until something happens; the ring is looked at once more after arming, so nothing is missed. */
static int wait_doorbell(struct live *v)
{
	int n;

	v->loader->skel->bss->doorbell_armed = 1;
	__sync_synchronize();
	if (ring_waits(v->ring)) {
		v->loader->skel->bss->doorbell_armed = 0;
		v->quiet_rounds = 0;
		return 0;
	}
	n = ring_wait(v->ring, IDLE_WAIT_MS);
	v->loader->skel->bss->doorbell_armed = 0;
	if (n > 0)
		v->quiet_rounds = 0;
	return n < 0 ? n : 0;
}

static void chores(struct live *v)
{
	__u64 unused[EV_KIND_MAX] = { 0 };

	if (v->round_ns - v->second_ns < NSEC_PER_SEC)
		return;
	if (loader_misses(v->loader, unused) != v->misses_seen)
		v->missed_ns = v->second_ns ? v->second_ns : v->round_ns;
	v->second_ns = v->round_ns;
	v->hooks->second(v->ctx);
	sweep(v, false);
}

static void look_around(struct live *v)
{
	ask(v->pending);
	ask_names(v);
}

/* All is looked at just before, so as to be known as of the end; afterwards only who has begun a call since. */
static void end_trace(struct live *v)
{
	look_around(v);
	sweep(v, false);
	v->end_ns = v->loader->skel->bss->end_ns = clock_boot_ns();
	v->loader->skel->bss->tracing = 0;
	v->last_sid = v->loader->skel->bss->last_sid;
	loader_misses(v->loader, v->missed);
	ask(v->pending); /* who ends before all is detached cannot be asked then */
	v->hooks->stop(v->ctx);
	ask(v->pending);
}

/* At once; or after some rounds without records, so that what the others do last is seen, too. */
static bool end_is_due(struct live *v)
{
	if (v->stop_asked || !v->finish_asked)
		return v->stop_asked;
	if (v->linger_ns)
		return v->quiet_rounds >= QUIET_ROUNDS || clock_boot_ns() - v->linger_ns > LINGER_NS;
	v->linger_ns = clock_boot_ns();
	v->quiet_rounds = 0;
	return false;
}

static int begin_round(struct live *v)
{
	int err = 0;

	if (v->end_ns) {
		sweep(v, true); /* a socket is told at the second time: see bpf/probes/sweep.bpf.h */
		v->swept = true;
	} else if (end_is_due(v)) {
		end_trace(v);
	} else {
		err = v->quiet_rounds >= IDLE_ROUNDS ? wait_doorbell(v) : wait_round(v);
	}
	if (err)
		return err;
	v->round_ns = clock_boot_ns();
	v->news = false;
	v->read_bytes = 0;
	if (!v->end_ns) {
		look_around(v);
		chores(v);
	}
	v->stage = STAGE_BATCH;
	return 0;
}

static int frame_set(struct frame *f, enum frame_type type, const void *data, size_t len)
{
	f->type = type;
	f->data = data;
	f->len = len;
	return 1;
}

/*
 * One BATCH of what the ring holds; 0 when what it held as the round began is out. If more comes in all the while,
 * that is so once a ringful was read: a round ends even if the ring never is empty.
 */
static int next_batch(struct live *v, struct frame *f)
{
	int n = v->read_bytes < v->ring_bytes ? ring_take(v->ring, take_record, v) : 0;

	if (!n)
		n = take_lates(v);
	if (n == -ENOMEM)
		return n;
	if (!v->batch.len)
		return 0;
	v->news = true;
	return frame_set(f, FRAME_BATCH, v->batch.data, v->batch.len);
}

static int next_loss(struct live *v, struct frame *f)
{
	bool changed = v->loader->skel->bss->losses != v->losses_seen || v->missed_ns;

	v->stage = STAGE_TICK;
	if (!changed && !v->swept)
		return 0;
	read_losses(v);
	return frame_set(f, FRAME_LOSS, &v->loss, sizeof(v->loss));
}

static int next_tick(struct live *v, struct frame *f)
{
	__u64 settle = v->loader->skel->rodata->cfg.settle_ns;

	v->quiet_rounds = v->news ? 0 : v->quiet_rounds + 1;
	v->tick.horizon_ns = (v->end_ns ? v->end_ns : v->round_ns) - settle;
	v->stage = v->swept ? STAGE_END : STAGE_RUN;
	return frame_set(f, FRAME_TICK, &v->tick, sizeof(v->tick));
}

static int next_end(struct live *v, struct frame *f)
{
	v->end.t_ns = v->end_ns;
	v->end.events = v->events;
	v->end.lost = 0;
	for (int k = 0; k < EV_KIND_MAX; k++)
		v->end.lost += v->loss.lost[k];
	v->stage = STAGE_OVER;
	return frame_set(f, FRAME_END, &v->end, sizeof(v->end));
}

static int next_meta(struct live *v, struct frame *f)
{
	int err;

	if (v->stage == STAGE_REASONS) {
		buf_reset(&v->meta);
		err = meta_reasons(&v->meta);
		if (err)
			return err;
	}
	v->stage++;
	return frame_set(f, FRAME_META, v->meta.data, v->meta.len);
}

/* One step of the machine: 1 = a frame, 0 = go on, negative = error. */
static int advance(struct live *v, struct frame *f)
{
	int n;

	switch (v->stage) {
	case STAGE_META:
	case STAGE_REASONS:
		return next_meta(v, f);
	case STAGE_RUN:
		return begin_round(v);
	case STAGE_BATCH:
		buf_reset(&v->batch);
		n = next_batch(v, f);
		if (!n)
			v->stage = STAGE_LOSS;
		return n;
	case STAGE_LOSS:
		return next_loss(v, f);
	case STAGE_TICK:
		return next_tick(v, f);
	case STAGE_END:
		return next_end(v, f);
	case STAGE_OVER:
		break;
	}
	return -ENODATA;
}

static int live_next(struct source *s, struct frame *f)
{
	struct live *v = (struct live *)s;
	int n;

	do
		n = v->stage == STAGE_OVER ? -ENODATA : advance(v, f);
	while (!n);
	return n == -ENODATA ? 0 : n;
}

static void live_close(struct source *s)
{
	(void)s; /* belongs to the capture */
}

struct live *live_new(struct loader *l, const struct capture_opts *opts, const struct live_hooks *hooks, void *ctx)
{
	struct live *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->source.next = live_next;
	v->source.close = live_close;
	v->loader = l;
	v->opts = opts;
	v->hooks = hooks;
	v->ctx = ctx;
	v->ring_bytes = bpf_map__max_entries(l->skel->maps.ring);
	v->ring = ring_new(bpf_map__fd(l->skel->maps.ring), v->ring_bytes);
	if (!v->ring) {
		free(v);
		return NULL;
	}
	if (loader_has(l, "pending__iter"))
		v->pending = bpf_program__attach_iter(l->skel->progs.pending__iter, NULL);
	if (loader_has(l, "name_udp__iter")) {
		v->names[0] = bpf_program__attach_iter(l->skel->progs.name_udp__iter, NULL);
		v->names[1] = bpf_program__attach_iter(l->skel->progs.name_unix__iter, NULL);
	}
	v->sweep = loader_has(l, "sweep__run") ? bpf_program__fd(l->skel->progs.sweep__run) : -1;
	if (meta_run(&v->meta, l, opts)) { /* now: its clock anchor is the start of the trace */
		live_free(v);
		return NULL;
	}
	return v;
}

struct source *live_source(struct live *v)
{
	return &v->source;
}

void live_stop(struct live *v)
{
	v->stop_asked = 1;
}

void live_finish(struct live *v)
{
	v->finish_asked = true;
}

int live_try(const struct live *v)
{
	return v->pending ? iter_run(v->pending) : sweep(v, false);
}

void live_free(struct live *v)
{
	if (!v)
		return;
	bpf_link__destroy(v->pending);
	bpf_link__destroy(v->names[0]);
	bpf_link__destroy(v->names[1]);
	ring_free(v->ring);
	buf_free(&v->batch);
	buf_free(&v->meta);
	free(v);
}
