/* SPDX-License-Identifier: MIT */
/*
 * lab doctor: before the class. Each row is tried, not guessed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compile.h"
#include "lab.h"
#include "needs.h"
#include "tracer.h"
#include "trial.h"

struct patient {
	struct session *s;
	int missing;
};

static bool never(void)
{
	return false;
}

static void row(struct patient *p, bool good, const char *what, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void row(struct patient *p, bool good, const char *what, const char *format, ...)
{
	va_list args;

	p->missing += good ? 0 : 1;
	printf("%-5s%-36s", good ? "ok" : "NO", what);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

static void look_at_labs(struct patient *p)
{
	struct labs *l = &p->s->labs;
	size_t i, built = 0, recorded = 0;
	struct stat st;

	for (i = 0; i < l->n; i++) {
		built += !stat(l->at[i].programs, &st);
		recorded += lab_has(&l->at[i], "run.rec");
	}
	row(p, l->n, "labs", "%zu in %s", l->n, p->s->places.labs);
	row(p, built == l->n, "their programs", "%zu of %zu are built%s", built, l->n,
	    built == l->n ? "" : "; type 'make labs'");
	row(p, true, "recorded, for a class without root", "%zu of %zu", recorded, l->n);
}

/* A row for each program that a lab asks for. False: not all are there. */
static bool look_at_needs(struct patient *p, const struct lab *l)
{
	struct need needs[NEEDS_MAX];
	size_t n = needs_read(l, needs), i;
	char what[LAB_NAME + 64], remedy[128];
	bool all = true;

	for (i = 0; i < n; i++) {
		snprintf(what, sizeof(what), "%s: the program %.31s", l->name, needs[i].program);
		row(p, needs[i].there, what, "%s",
		    needs[i].there ? "found" : need_remedy(&needs[i], remedy, sizeof(remedy)));
		all = all && needs[i].there;
	}
	return all;
}

/* What its script "arena" does may be more than this kernel has. */
static void look_at_arena(struct patient *p, const struct lab *l)
{
	struct session *s = p->s;
	struct trial t = { .lab = l, .user = &s->user, .places = &s->places, .script = "run" };
	char what[LAB_NAME + 64], err[PATH_MAX + 256];
	int ret = trial_try(&t, err, sizeof(err));

	snprintf(what, sizeof(what), "%s: its network", l->name);
	row(p, !ret, what, "%s", ret ? err : "can be made");
}

static void look_at_each(struct patient *p)
{
	const struct labs *l = &p->s->labs;
	size_t i;

	for (i = 0; i < l->n; i++)
		if (look_at_needs(p, &l->at[i]) && p->s->user.root && lab_has(&l->at[i], "arena"))
			look_at_arena(p, &l->at[i]);
}

static int write_source(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");
	int err = out && fputs(text, out) >= 0 ? 0 : -EIO;

	return out && fclose(out) ? -EIO : err;
}

static void look_at_compiler(struct patient *p)
{
	static const char text[] = "#include <sys/socket.h>\nint main(void) { return 0; }\n";
	char dir[] = "/tmp/lab-doctor-XXXXXX", source[PATH_MAX], program[PATH_MAX];
	char err[PATH_MAX + 128];
	struct buf said = { 0 };
	enum compile_result r = COMPILE_BROKEN;

	if (!mkdtemp(dir)) {
		row(p, false, "a C compiler", "cannot write in /tmp: %s", strerror(errno));
		return;
	}
	lab_path(source, dir, "a.c");
	lab_path(program, dir, "a");
	snprintf(err, sizeof(err), "cannot write '%s'", source);
	if (!write_source(source, text))
		r = compile(&p->s->user, source, program, &said, err, sizeof(err));
	row(p, r == COMPILE_OK, "a C compiler", "%s",
	    r == COMPILE_OK	 ? "compiles" :
	    r == COMPILE_REFUSED ? "it lacks headers; 'sudo apt-get install libc6-dev'" :
				   err);
	buf_free(&said);
	unlink(source);
	unlink(program);
	rmdir(dir);
}

static void look_at_state(struct patient *p)
{
	struct session *s = p->s;
	char err[PATH_MAX + 128] = "";
	bool good;

	s->state = (struct state){ 0 };
	if (s->labs.n)
		state_find(&s->state, &s->user, &s->labs.at[0]);
	good = !state_write(&s->state, "doctor", "", err, sizeof(err));
	state_forget(&s->state, "doctor");
	if (good) /* of the first lab: beside it are the others */
		snprintf(err, sizeof(err), "%.*s", (int)(strrchr(s->state.dir, '/') - s->state.dir),
			 s->state.dir);
	row(p, good, "what you did is kept", "%s", err);
}

/* An arena in which nothing happens, with the tracer on it: all that a check needs. */
static void look_at_root(struct patient *p)
{
	struct session *s = p->s;
	struct arena_plan plan = { .user = &s->user, .script = "true" };
	char err[PATH_MAX + 256] = "", file[PATH_MAX];
	struct tracer tracer = { .ready = -1 };
	struct arena arena = { .go = -1, .said = -1, .out = -1 };
	const struct arena_bounds bounds = { 5000, file, never };
	int ret = -1;

	lab_path(file, s->state.dir, "doctor.rec");
	plan.names[0] = plan.script;
	plan.files[0] = open("/bin/true", O_RDONLY | O_CLOEXEC);
	plan.n_files = plan.files[0] >= 0;
	ret = arena_open(&arena, &plan, err, sizeof(err));
	row(p, !ret, "a place to run programs in", "%s", ret ? err : "with namespaces of its own");
	if (!ret) {
		ret = tracer_start(&tracer, &s->user, &s->places, &arena, file, 10, err,
				   sizeof(err));
		if (!ret)
			ret = tracer_wait_ready(&tracer, err, sizeof(err));
		if (!ret)
			ret = arena_run(&arena, &bounds, false, err, sizeof(err));
		if (!ret)
			ret = tracer_stop(&tracer, err, sizeof(err));
		row(p, !ret, "the tracer sees it", "%s", ret ? err : "and records");
	}
	arena_close(&arena);
	close(plan.files[0]);
	unlink(file);
}

int lab_doctor(struct session *s)
{
	struct patient p = { .s = s };

	look_at_labs(&p);
	row(&p, !access("/bin/bash", X_OK), "bash, which starts the programs", "/bin/bash");
	look_at_compiler(&p);
	look_at_state(&p);
	if (s->user.root)
		look_at_root(&p);
	look_at_each(&p);
	if (!s->user.root)
		row(&p, true, "root", "not now: 'sudo ./lab doctor' tries run and check, too");
	printf("%s\n", p.missing    ? "Something is missing: see above." :
		       s->user.root ? "Everything works here." :
				      "What needs no root works here: show, predict, watch, hint.");
	return p.missing ? EXIT_LAB_FAIL : 0;
}
