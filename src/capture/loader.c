// SPDX-License-Identifier: MIT
#include "loader.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "btf_names.h"
#include "calls.h"
#include "function.h"
#include "together.h"
#include "uprobe.h"
#include "util/log.h"

/* What libbpf said of the program that failed; libbpf has no other way to tell. */
static struct {
	char program[64];
	char text[160];
} complaint;

static int note_complaint(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[512], *name, *end;

	if (level != LIBBPF_WARN || complaint.program[0])
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	log_debug("%s", line);
	name = strstr(line, "prog '");
	if (!name)
		return 0;
	name += strlen("prog '");
	end = strchr(name, '\'');
	if (!end || (size_t)(end - name) >= sizeof(complaint.program))
		return 0;
	snprintf(complaint.program, sizeof(complaint.program), "%.*s", (int)(end - name), name);
	end += 1 + strspn(end + 1, ": ");
	snprintf(complaint.text, sizeof(complaint.text), "%.*s", (int)strcspn(end, "\n"), end);
	return 0;
}

static bool way_has(const struct way *w, const char *program)
{
	for (int i = 0; i < PROGRAMS_MAX && w->programs[i]; i++)
		if (!strcmp(w->programs[i], program))
			return true;
	return false;
}

int loader_moment_of(const char *program)
{
	for (int m = 0; probe_table[m].name; m++)
		for (int w = 0; w < WAYS_MAX; w++)
			if (way_has(&probe_table[m].ways[w], program))
				return m;
	return -1;
}

bool loader_has(const struct loader *l, const char *program)
{
	int m = loader_moment_of(program);

	return m >= 0 && l->state[m].way >= 0 &&
	       way_has(&probe_table[m].ways[l->state[m].way], program);
}

/* The kernel's types, read at the first call; NULL: unreadable. */
static const struct btf *loader_btf(struct loader *l)
{
	if (!l->btf)
		l->btf = btf__load_vmlinux_btf();
	return l->btf;
}

static void loader_btf_free(struct loader *l)
{
	btf__free(l->btf);
	l->btf = NULL;
	malloc_trim(0); /* what loading left in the heap goes back, too */
}

/* A tracepoint's type is behind a pointer behind the typedef btf_trace_NAME, a function's behind the function. */
static int btf_arg_count(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_typedef(t) || btf_is_ptr(t) || btf_is_mod(t) || btf_is_func(t)))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) ? btf_vlen(t) : -1;
}

/* 0 if programs of this kind can be attached to functions, asked once with the first function that comes up. */
static int kind_refused(struct loader *l, enum backend kind, const char *function)
{
	int err;

	if (!l->kind[kind]) {
		err = function_try(kind, l->btf, function);
		l->kind[kind] = err ? err : 1;
	}
	return l->kind[kind] < 0 ? l->kind[kind] : 0;
}

#define ENOTSUPP_KERNEL 524 /* of the kernel alone: an architecture without trampolines says so */

static void refusal(enum backend kind, int err, char *why, size_t size)
{
	const char *name = kind == BACKEND_KPROBE ? "kprobes" : "fentry probes";

	if (err == -ENOENT || err == -EOPNOTSUPP || err == -ENOTSUPP_KERNEL)
		snprintf(why, size, "this kernel is built without %s", name);
	else
		snprintf(why, size, "this kernel forbids %s (%s)", name, strerror(-err));
}

/*
 * Cheap reasons to pass a way over, before a load is tried. Reading the kernel's BTF costs more than a tenth of
 * the time until attached, so tracepoints are first taken on trust: see load_all().
 */
static bool way_possible(struct loader *l, const struct way *w, char *why, size_t size)
{
	bool function = w->backend != BACKEND_TRACEPOINT;
	int id, err;

	if (!w->btf || (!function && !l->btf))
		return true;
	if (!loader_btf(l)) {
		snprintf(why, size, "the kernel's type information cannot be read");
		return false;
	}
	id = btf__find_by_name_kind(l->btf, w->btf, function ? BTF_KIND_FUNC : BTF_KIND_TYPEDEF);
	if (id < 0) {
		snprintf(why, size, "this kernel has no %s", w->sites);
		return false;
	}
	if (w->btf_args && btf_arg_count(l->btf, id) != w->btf_args) {
		snprintf(why, size, "this kernel's %s has other arguments", function ? "function" : "event");
		return false;
	}
	err = function ? kind_refused(l, w->backend, w->btf) : 0;
	if (err)
		refusal(w->backend, err, why, size);
	return !err;
}

/* Moments that only functions show add no fact to what tracepoints tell: unasked they are left out. */
static bool only_functions(const struct moment_row *row)
{
	for (int w = 0; w < WAYS_MAX && row->ways[w].programs[0]; w++)
		if (row->ways[w].backend == BACKEND_TRACEPOINT)
			return false;
	return true;
}

/* The best way from `first` on that the backend and the kernel's BTF allow; -1 = none. */
static int choose_way(struct loader *l, int m, int first, enum backend backend)
{
	const struct moment_row *row = &probe_table[m];
	enum backend only = BACKEND_TRACEPOINT;

	for (int w = 0; w < WAYS_MAX; w++)
		if (row->ways[w].backend == backend)
			only = backend;
	for (int w = first; w < WAYS_MAX && row->ways[w].programs[0]; w++) {
		/* a forced backend rules the moments it has a way for; tracepoints see the rest */
		if (backend != BACKEND_AUTO && row->ways[w].backend != only) {
			snprintf(l->state[m].why[w], sizeof(l->state[m].why[w]), "--backend %s leaves it out",
				 backend_name(backend));
			continue;
		}
		if (way_possible(l, &row->ways[w], l->state[m].why[w], sizeof(l->state[m].why[w])))
			return w;
	}
	return -1;
}

static void choose_all(struct loader *l, enum backend backend, unsigned int layers)
{
	for (int m = 0; probe_table[m].name; m++) {
		unsigned int want = probe_table[m].layers;

		l->state[m].way = -1;
		if (want && !(want & layers))
			snprintf(l->state[m].why[0], sizeof(l->state[m].why[0]), NOT_ASKED "its layer is not shown");
		else if (probe_table[m].instead & layers)
			snprintf(l->state[m].why[0], sizeof(l->state[m].why[0]), NOT_ASKED "the wire layer says it");
		else if (probe_table[m].unless && btf_names(probe_table[m].unless))
			snprintf(l->state[m].why[0], sizeof(l->state[m].why[0]), NOT_ASKED "%s",
				 probe_table[m].unless_why);
		else if (backend == BACKEND_AUTO && only_functions(&probe_table[m]))
			snprintf(l->state[m].why[0], sizeof(l->state[m].why[0]),
				 NOT_ASKED "state changes and segments say it");
		else
			l->state[m].way = choose_way(l, m, 0, backend);
	}
}

/* A way that failed: remember why, take the next. */
static void way_failed(struct loader *l, int m, enum backend backend, int error, const char *text)
{
	struct probe_state *s = &l->state[m];

	snprintf(s->why[s->way], sizeof(s->why[0]), "%s", *text ? text : strerror(error));
	s->way = choose_way(l, m, s->way + 1, backend);
}

static bool is_uprobe(const struct bpf_program *p)
{
	const char *section = bpf_program__section_name(p);

	return strstr(section, "uprobe") || strstr(section, "uretprobe");
}

static int load_together(struct trace_bpf *skel)
{
	int err, some;

	together_begin();
	err = trace_bpf__load(skel);
	some = together_end();
	return err ? err : some;
}

static int open_once(struct loader *l, const struct config *cfg, const struct map_sizes *sizes, bool together)
{
	struct bpf_program *p;

	l->skel = trace_bpf__open();
	if (!l->skel)
		return -errno;
	memcpy((void *)&l->skel->rodata->cfg, cfg, sizeof(*cfg));
	l->skel->rodata->cfg.late_release = loader_has(l, "sock_close__fexit") ||
					    loader_has(l, "sock_close__kretprobe") ||
					    loader_has(l, "rseq_update__tp");
	calls_fill((__u8 *)l->skel->rodata->call_of_nr, sizeof(l->skel->rodata->call_of_nr));
	if (sizes->ring_bytes)
		bpf_map__set_max_entries(l->skel->maps.ring, sizes->ring_bytes);
	if (sizes->sockets)
		bpf_map__set_max_entries(l->skel->maps.socks, sizes->sockets);
	bpf_object__for_each_program(p, l->skel->obj) {
		bpf_program__set_autoload(p, loader_has(l, bpf_program__name(p)));
		if (is_uprobe(p))
			bpf_program__set_expected_attach_type(p, UPROBE_ATTACH_TYPE);
	}
	complaint.program[0] = complaint.text[0] = 0;
	return together ? load_together(l->skel) : trace_bpf__load(l->skel);
}

/*
 * Load: first on trust; if that fails, what the kernel's BTF rules out is left aside; then the programs are loaded
 * one by one, which tells who fails, and one way is given up at a time until the rest goes in.
 */
static int load_all(struct loader *l, enum backend backend, const struct config *cfg, const struct map_sizes *sizes)
{
	bool together = true;

	for (;;) {
		int err = open_once(l, cfg, sizes, together), m;

		if (!err)
			return 0;
		trace_bpf__destroy(l->skel);
		l->skel = NULL;
		if (!l->btf && loader_btf(l)) {
			choose_all(l, backend, cfg->layers);
			continue;
		}
		if (together) {
			together = false;
			continue;
		}
		m = loader_moment_of(complaint.program);
		if (m < 0 || l->state[m].way < 0)
			return err;
		way_failed(l, m, backend, -err, complaint.text);
	}
}

/* Later or, if the reader runs it, nowhere. */
static bool attaches_later(const struct bpf_program *p)
{
	return strstr(bpf_program__section_name(p), "iter/") || bpf_program__type(p) == BPF_PROG_TYPE_SYSCALL ||
	       is_uprobe(p);
}

static int attach_way(struct loader *l, int m)
{
	const struct way *w = &probe_table[m].ways[l->state[m].way];

	for (int i = 0; i < PROGRAMS_MAX && w->programs[i]; i++) {
		struct bpf_program *p = bpf_object__find_program_by_name(l->skel->obj, w->programs[i]);

		if (!p)
			return -ENOENT;
		if (attaches_later(p) || l->links[m][i])
			continue;
		l->links[m][i] = bpf_program__attach(p);
		if (!l->links[m][i])
			return -errno;
	}
	return 0;
}

/* 0 = all attached; 1 = a way failed, load again without it. */
static int attach_all(struct loader *l, enum backend backend)
{
	for (int m = 0; probe_table[m].name; m++) {
		int err;

		if (l->state[m].way < 0)
			continue;
		err = attach_way(l, m);
		if (!err)
			continue;
		way_failed(l, m, backend, -err, "");
		return 1;
	}
	return 0;
}

void loader_detach(struct loader *l)
{
	for (int m = 0; m < MOMENTS_MAX; m++)
		for (int i = 0; i < PROGRAMS_MAX; i++) {
			bpf_link__destroy(l->links[m][i]);
			l->links[m][i] = NULL;
		}
}

static __u64 program_misses(const struct bpf_program *p)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	return p && !bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len) ? info.recursion_misses : 0;
}

__u64 loader_misses(const struct loader *l, __u64 *lost)
{
	__u64 sum = 0;

	for (int m = 0; probe_table[m].name; m++) {
		const struct way *w = l->state[m].way < 0 ? NULL : &probe_table[m].ways[l->state[m].way];

		for (int i = 0; w && i < PROGRAMS_MAX && w->programs[i]; i++) {
			__u64 n = program_misses(bpf_object__find_program_by_name(l->skel->obj,
										  w->programs[i]));

			lost[probe_table[m].kind] += n;
			sum += n;
		}
	}
	return sum;
}

/* What must be seen and is not. */
static int check_needed(const struct loader *l, enum backend backend, struct capture_error *err)
{
	for (int m = 0; probe_table[m].name; m++) {
		const struct moment_row *row = &probe_table[m];
		const char *why = l->state[m].why[0];

		if (!row->needed || l->state[m].way >= 0 || probe_not_asked(&l->state[m]))
			continue;
		for (int w = 0; w < WAYS_MAX && !*why; w++)
			why = l->state[m].why[w];
		snprintf(err->what, sizeof(err->what), "this kernel does not let us see that %s (%s)",
			 row->name, *why ? why : "no way to see it was tried");
		snprintf(err->remedy, sizeof(err->remedy), "%s",
			 backend == BACKEND_AUTO ? "`trace doctor` says what this kernel offers" :
						   "leave out --backend, or see `trace doctor`");
		return -ENOTSUP;
	}
	return 0;
}

/* A forced backend that could give nothing at all is a refusal, not a fallback. */
static int check_backend(const struct loader *l, enum backend backend, struct capture_error *err)
{
	const char *why = "it has no probe for that";

	if (backend == BACKEND_AUTO || backend == BACKEND_TRACEPOINT)
		return 0;
	for (int m = 0; probe_table[m].name; m++)
		for (int w = 0; w < WAYS_MAX; w++) {
			if (probe_table[m].ways[w].backend != backend)
				continue;
			if (l->state[m].way == w)
				return 0;
			if (l->state[m].why[w][0])
				why = l->state[m].why[w];
		}
	snprintf(err->what, sizeof(err->what), "the %s backend cannot be used: %s",
		 backend_name(backend), why);
	snprintf(err->remedy, sizeof(err->remedy), "leave out --backend: tracepoints see the same moments");
	return -ENOTSUP;
}

int loader_open(struct loader *l, enum backend backend, const struct config *cfg, const struct map_sizes *sizes,
		int (*fill_maps)(struct trace_bpf *skel, void *ctx), void *ctx, struct capture_error *err)
{
	libbpf_print_fn_t before = libbpf_set_print(note_complaint);
	int ret;

	memset(l, 0, sizeof(*l));
	if (backend == BACKEND_FENTRY || backend == BACKEND_KPROBE)
		loader_btf(l); /* functions are chosen by their types: nothing on trust then */
	choose_all(l, backend, cfg->layers);
	ret = check_backend(l, backend, err);
	if (ret)
		goto out;
	do {
		loader_detach(l);
		trace_bpf__destroy(l->skel);
		l->skel = NULL;
		ret = load_all(l, backend, cfg, sizes);
		if (ret) {
			snprintf(err->what, sizeof(err->what), "the kernel refused our probes (%s%s%s)",
				 strerror(-ret), complaint.text[0] ? "; " : "", complaint.text);
			snprintf(err->remedy, sizeof(err->remedy), "`trace doctor` says what is missing");
			goto out;
		}
		ret = fill_maps ? fill_maps(l->skel, ctx) : 0;
		if (ret)
			goto out;
	} while (attach_all(l, backend));
	l->skel->bss->tracing = 1;
	ret = check_backend(l, backend, err);
	if (!ret)
		ret = check_needed(l, backend, err);
out:
	libbpf_set_print(before);
	loader_btf_free(l);
	if (ret)
		loader_close(l);
	return ret;
}

void loader_close(struct loader *l)
{
	loader_detach(l);
	trace_bpf__destroy(l->skel);
	l->skel = NULL;
}
