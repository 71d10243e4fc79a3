/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "trial.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "needs.h"
#include "seal.h"
#include "tracer.h"

#define EXPERIMENT_PORT 65430
#define EXPERIMENT_LIMIT_MS 20000
/* Below the ports that the kernel hands out by itself, above those that need root. */
#define PORT_LOW 10000
#define PORT_HIGH 30000
#define TRACER_MARGIN 5 /* s: it only ends by itself if we do not end it */

unsigned int trial_limit_ms(const struct trial *t)
{
	return t->variant ? t->variant->limit_ms : EXPERIMENT_LIMIT_MS;
}

/* --- settings --- */

typedef void (*setting_fn)(void *ctx, const char *name, long value);

/* Each setting, drawn from the seed: always the same for the same seed. */
static void each_setting(const struct trial *t, setting_fn fn, void *ctx)
{
	__u64 seed = t->seed;
	size_t i;

	if (!t->variant) {
		fn(ctx, "port", EXPERIMENT_PORT);
		return;
	}
	fn(ctx, "port", variants_draw(&seed, PORT_LOW, PORT_HIGH));
	fn(ctx, "seed", (long)t->seed);
	for (i = 0; i < t->variant->n; i++)
		fn(ctx, t->variant->at[i].name,
		   variants_draw(&seed, t->variant->at[i].low, t->variant->at[i].high));
}

static int add_env(struct arena_plan *plan, const char *format, ...)
{
	va_list args;
	int n;

	if (plan->n_settings == ARENA_SETTINGS)
		return -E2BIG;
	va_start(args, format);
	n = vasprintf(&plan->settings[plan->n_settings], format, args);
	va_end(args);
	if (n < 0) {
		plan->settings[plan->n_settings] = NULL;
		return -ENOMEM;
	}
	plan->n_settings++;
	return 0;
}

static void setting_env(void *ctx, const char *name, long value)
{
	char upper[32];
	size_t i;

	for (i = 0; name[i] && i < sizeof(upper) - 1; i++)
		upper[i] = (char)toupper((unsigned char)name[i]);
	upper[i] = '\0';
	add_env(ctx, "LAB_%s=%ld", upper, value);
}

static void setting_note(void *ctx, const char *name, long value)
{
	seal_number(ctx, name, value);
}

struct words {
	char *buf;
	size_t size, len;
};

static void setting_word(void *ctx, const char *name, long value)
{
	struct words *w = ctx;
	int n = snprintf(w->buf + w->len, w->size - w->len, "%s%s %ld", w->len ? ", " : "", name,
			 value);

	w->len = w->len + (size_t)n < w->size ? w->len + (size_t)n : w->size - 1;
}

void trial_settings(const struct trial *t, char *buf, size_t size)
{
	struct words w = { .buf = buf, .size = size };

	buf[0] = '\0';
	each_setting(t, setting_word, &w);
}

static int plan_env(struct arena_plan *plan, const struct trial *t)
{
	int err = add_env(plan, "PATH=" ARENA_PATH);

	/* Where SHELL is missing bash asks the user database for it, through sockets that would be seen. */
	if (!err)
		err = add_env(plan, "SHELL=/bin/bash");
	if (!err)
		err = add_env(plan, "HOME=/tmp");
	if (!err && plan->far)
		err = add_env(plan, "LAB_FAR=/proc/1/fd/%d", ARENA_FAR);
	if (!err)
		err = add_env(plan, "LC_ALL=C");
	if (!err)
		err = add_env(plan, "LAB_VARIANT=%s", t->variant ? t->variant->name : "experiment");
	if (!err)
		each_setting(t, setting_env, plan);
	return err;
}

/* --- files --- */

/* name must live as long as the plan. */
static int add_file(struct arena_plan *plan, const char *path, const char *name)
{
	int fd;

	if (plan->n_files == ARENA_FILES)
		return -E2BIG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	plan->files[plan->n_files] = fd;
	plan->names[plan->n_files++] = name;
	return 0;
}

static int is_program(const struct dirent *d)
{
	return !strchr(d->d_name, '.');
}

/* The names stay allocated in *found, *n of them. */
static int add_programs(struct arena_plan *plan, const struct lab *l, struct dirent ***found,
			int *n)
{
	char path[PATH_MAX];
	int i, err = 0;

	*n = scandir(l->programs, found, is_program, alphasort);
	if (*n <= 0)
		return -ENOENT;
	for (i = 0; !err && i < *n; i++)
		err = add_file(plan, lab_path(path, l->programs, (*found)[i]->d_name),
			       (*found)[i]->d_name);
	return err;
}

static int plan_needs(const struct lab *l, char *err, size_t size)
{
	struct need needs[NEEDS_MAX];
	size_t n = needs_read(l, needs), i;
	char remedy[128];

	for (i = 0; i < n && needs[i].there; i++)
		;
	if (i == n)
		return 0;
	snprintf(err, size, "lab %s needs the program '%s'; %s", l->name, needs[i].program,
		 need_remedy(&needs[i], remedy, sizeof(remedy)));
	return -ENOENT;
}

static int plan_files(struct arena_plan *plan, const struct trial *t, struct dirent ***found,
		      int *n, char *err, size_t size)
{
	char path[PATH_MAX];
	int ret = add_file(plan, lab_path(path, t->lab->dir, t->script), t->script);

	if (ret) {
		snprintf(err, size, "lab %s has no script '%s'", t->lab->name, t->script);
		return ret;
	}
	if (plan->prepare)
		ret = add_file(plan, lab_path(path, t->lab->dir, "arena"), "arena");
	if (!ret && plan->far)
		ret = add_file(plan, lab_path(path, t->lab->dir, "far"), "far");
	if (!ret)
		ret = add_programs(plan, t->lab, found, n);
	if (ret) {
		snprintf(err, size,
			 "the programs of lab %s are not built yet; type 'make labs' first",
			 t->lab->name);
		return ret;
	}
	if (t->program)
		ret = add_file(plan, t->program, TRIAL_MINE);
	if (ret)
		snprintf(err, size, "cannot read '%s': %s", t->program, strerror(-ret));
	return ret;
}

static void plan_free(struct arena_plan *plan, struct dirent **found, int n)
{
	size_t i;

	for (i = 0; i < plan->n_files; i++)
		close(plan->files[i]);
	for (i = 0; i < plan->n_settings; i++)
		free(plan->settings[i]);
	while (n > 0)
		free(found[--n]);
	free(found);
}

/* --- the run --- */

static int keep(const struct trial *t, const char *from, char *err, size_t size)
{
	static const char *const ended[] = {
		[ARENA_ENDED] = "exit",
		[ARENA_LIMIT] = "limit",
		[ARENA_FLOOD] = "flood",
		[ARENA_CROWD] = "crowd",
		[ARENA_CALLS] = "calls",
		[ARENA_INTERRUPTED] = "interrupted",
	};
	struct buf notes = { 0 };
	int ret;

	seal_note(&notes, "name", t->lab->name);
	seal_note(&notes, "variant", t->variant ? t->variant->name : "experiment");
	seal_note(&notes, "ended", ended[t->how]);
	if (t->how == ARENA_ENDED && WIFEXITED(t->status))
		seal_number(&notes, "status", WEXITSTATUS(t->status));
	each_setting(t, setting_note, &notes);
	ret = seal(from, t->recording, t->user->who.uid, &notes, &t->lines, err, size);
	buf_free(&notes);
	return ret;
}

/* The arena is open; the tracer sees all that happens in it, until it is told to stop. */
static int run_traced(struct trial *t, struct arena *a, const char *file, char *err, size_t size)
{
	const struct arena_bounds bounds = { trial_limit_ms(t), file, t->interrupted };
	struct tracer tracer;
	char late[256];
	int ret = tracer_start(&tracer, t->user, t->places, a, file,
			       bounds.limit_ms / 1000 + TRACER_MARGIN, err, size);

	if (!ret)
		ret = tracer_wait_ready(&tracer, err, size);
	if (ret)
		return ret;
	ret = arena_run(a, &bounds, t->echo, err, size);
	if (tracer_stop(&tracer, ret ? late : err, ret ? sizeof(late) : size) && !ret)
		ret = -EIO;
	if (ret)
		return ret;
	t->how = a->how;
	t->status = a->status;
	t->lines = a->lines;
	a->lines = (struct lines){ 0 };
	return 0;
}

static int run_in_arena(struct trial *t, const struct arena_plan *plan, char *err, size_t size)
{
	char file[PATH_MAX];
	struct arena arena;
	int ret;

	snprintf(file, sizeof(file), "%s.raw", t->recording);
	ret = arena_open(&arena, plan, err, size);
	if (!ret)
		ret = run_traced(t, &arena, file, err, size);
	arena_close(&arena);
	if (!ret)
		ret = keep(t, file, err, size);
	unlink(file);
	return ret;
}

static int try_arena(struct trial *t, const struct arena_plan *plan, char *err, size_t size)
{
	struct arena arena;
	int ret = arena_open(&arena, plan, err, size);

	(void)t;
	arena_close(&arena);
	return ret;
}

typedef int (*plan_fn)(struct trial *t, const struct arena_plan *plan, char *err, size_t size);

static int with_plan(struct trial *t, plan_fn fn, char *err, size_t size)
{
	struct arena_plan plan = { .user = t->user,
				   .script = t->script,
				   .prepare = lab_has(t->lab, "arena"),
				   .far = lab_has(t->lab, "far") };
	struct dirent **found = NULL;
	int n = 0, ret = plan_env(&plan, t);

	if (ret)
		snprintf(err, size, "lab %s has too many settings", t->lab->name);
	else
		ret = plan_needs(t->lab, err, size);
	if (!ret)
		ret = plan_files(&plan, t, &found, &n, err, size);
	if (!ret)
		ret = fn(t, &plan, err, size);
	plan_free(&plan, found, n);
	return ret;
}

int trial_run(struct trial *t, char *err, size_t size)
{
	t->lines = (struct lines){ 0 };
	return with_plan(t, run_in_arena, err, size);
}

int trial_try(struct trial *t, char *err, size_t size)
{
	return with_plan(t, try_arena, err, size);
}
