// SPDX-License-Identifier: MIT
#include "capture.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iter.h"
#include "labs.h"
#include "libc.h"
#include "live.h"
#include "loader.h"
#include "meta.h"
#include "scope.h"

struct capture {
	struct loader loader;
	struct libcs libcs;
	struct labs labs;
	struct capture_opts opts;
	struct live *live;
};

static const char *const backend_names[] = { "auto", "fentry", "kprobe", "tracepoint" };
_Static_assert(sizeof(backend_names) / sizeof(backend_names[0]) == BACKEND_TRACEPOINT + 1, "backend_names");

const char *backend_name(enum backend b)
{
	return b <= BACKEND_TRACEPOINT ? backend_names[b] : "?";
}

int backend_parse(const char *word)
{
	for (int b = 0; b <= BACKEND_TRACEPOINT; b++)
		if (!strcmp(word, backend_names[b]))
			return b;
	return -EINVAL;
}

/* Attach an iterator program, run it once, detach it. */
static int run_iter(struct bpf_program *p)
{
	struct bpf_link *link = bpf_program__attach_iter(p, NULL);
	int err = link ? iter_run(link) : -errno;

	bpf_link__destroy(link);
	return err;
}

/* What existed before. After attaching: what is born meanwhile is seen twice, not never. */
static int seed(struct capture *c)
{
	struct bpf_program *iters[] = {
		c->loader.skel->progs.seed_files__iter,
		c->loader.skel->progs.seed_tasks__iter,
		c->loader.skel->progs.seed_tcp__iter,
	};
	int err = 0;

	if (!loader_has(&c->loader, "seed_files__iter"))
		return 0;
	for (size_t i = 0; i < sizeof(iters) / sizeof(iters[0]) && !err; i++)
		err = run_iter(iters[i]);
	return err;
}

static void look_at_labs(struct capture *c)
{
	if (scope_is_bare(&c->opts))
		labs_look(&c->labs, c->loader.skel);
}

static void probe_libcs(struct capture *c)
{
	if (!loader_has(&c->loader, "getaddrinfo__uprobe"))
		return;
	libcs_begin(&c->libcs, c->loader.skel);
	for (size_t i = 0; i < c->opts.n_pids; i++)
		libcs_add(&c->libcs, c->loader.skel, c->opts.pids[i]);
}

/* A process came into view: it may map another libc. */
static void on_process(void *ctx, __u32 pid)
{
	struct capture *c = ctx;

	if (loader_has(&c->loader, "getaddrinfo__uprobe"))
		libcs_add(&c->libcs, c->loader.skel, pid);
}

static void on_second(void *ctx)
{
	struct capture *c = ctx;

	look_at_labs(c);
	libcs_again(&c->libcs, c->loader.skel);
}

static void on_stop(void *ctx)
{
	struct capture *c = ctx;

	loader_detach(&c->loader);
}

struct capture *capture_open(const struct capture_opts *opts, struct capture_error *err)
{
	static const struct live_hooks hooks = { on_process, on_second, on_stop };
	struct capture *c = calloc(1, sizeof(*c));
	struct config cfg;
	int ret;

	memset(err, 0, sizeof(*err));
	if (!c) {
		snprintf(err->what, sizeof(err->what), "out of memory");
		return NULL;
	}
	c->opts = *opts;
	if (!c->opts.layers)
		c->opts.layers = LAYER_ALL;
	scope_config(&cfg, &c->opts);
	ret = loader_open(&c->loader, opts->backend, &cfg, &opts->sizes, scope_fill_maps, &c->opts, err);
	if (ret)
		goto fail;
	look_at_labs(c);
	probe_libcs(c);
	ret = seed(c);
	if (!ret) {
		c->live = live_new(&c->loader, &c->opts, &hooks, c);
		ret = c->live ? 0 : -errno;
	}
	if (!ret)
		return c;
fail:
	if (!err->what[0])
		snprintf(err->what, sizeof(err->what), "tracing cannot start (%s)", strerror(-ret));
	capture_close(c);
	return NULL;
}

struct source *capture_source(struct capture *c)
{
	return live_source(c->live);
}

void capture_stop(struct capture *c)
{
	live_stop(c->live);
}

void capture_finish(struct capture *c)
{
	live_finish(c->live);
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	live_free(c->live);
	libcs_close(&c->libcs);
	labs_close(&c->labs);
	loader_close(&c->loader);
	free(c);
}

/* Uprobes and iterators attach only where they are pointed at: try that for real too. */
static void probe_rest(struct loader *l)
{
	struct libcs libcs = { 0 };
	int m = loader_moment_of("getaddrinfo__uprobe"), err;

	if (l->state[m].way >= 0 && libcs_begin(&libcs, l->skel)) {
		snprintf(l->state[m].why[0], sizeof(l->state[m].why[0]), "%s",
			 libcs.why[0] ? libcs.why : "no libc found");
		l->state[m].way = -1;
	}
	libcs_close(&libcs);
	m = loader_moment_of("pending__iter");
	err = l->state[m].way >= 0 ? run_iter(l->skel->progs.pending__iter) : 0;
	if (err) {
		snprintf(l->state[m].why[0], sizeof(l->state[m].why[0]), "%s", strerror(-err));
		l->state[m].way = -1;
	}
}

static void fill_row(struct capture_row *row, const struct loader *l, int m, char *why, size_t size)
{
	const struct probe_state *s = &l->state[m];

	why[0] = 0;
	for (int w = 0; w < WAYS_MAX && w != s->way && !why[0]; w++)
		snprintf(why, size, "%s", s->why[w]);
	row->moment = probe_table[m].name;
	row->seen_by = s->way >= 0 ? probe_table[m].ways[s->way].sites : NULL;
	row->why = why[0] ? why : NULL;
	row->not_asked = probe_not_asked(s);
	row->cost = s->way >= 0 || row->not_asked ? NULL : probe_table[m].cost;
	row->needed = probe_table[m].needed;
}

unsigned int capture_missed_libcs(const struct capture *c, const char **why)
{
	*why = c->libcs.why;
	return c->libcs.missed;
}

unsigned int capture_missed_labs(const struct capture *c)
{
	return c->labs.missed;
}

bool capture_finds_libcs(const struct capture *c)
{
	return libcs_free_to_grow(&c->libcs);
}

int capture_try(const struct capture *c)
{
	return live_try(c->live);
}

int capture_probe_rows(enum backend backend, const struct capture_row **rows, struct capture_error *err)
{
	static struct capture_row table[MOMENTS_MAX];
	static char whys[MOMENTS_MAX][128];
	struct capture_opts opts = { .layers = LAYER_ALL, .sizes.ring_bytes = 4096 * 16 };
	struct loader l;
	struct config cfg;
	int n = 0, ret;

	memset(err, 0, sizeof(*err));
	scope_config(&cfg, &opts);
	ret = loader_open(&l, backend, &cfg, &opts.sizes, scope_fill_maps, &opts, err);
	if (ret)
		return ret;
	probe_rest(&l);
	for (; probe_table[n].name; n++)
		fill_row(&table[n], &l, n, whys[n], sizeof(whys[n]));
	loader_close(&l);
	*rows = table;
	return n;
}
