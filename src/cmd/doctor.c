/* SPDX-License-Identifier: MIT */
/*
 * trace doctor: what this kernel offers, what each moment is seen by, what is missing and what that
 * costs. Exits 0 only if tracing would work.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "capture/capture.h"
#include "cmd.h"
#include "preflight.h"
#include "rights.h"
#include "util/log.h"
#include "util/options.h"

#define LINE_WIDTH 78
#define NAME_WIDTH 34
#define INDENT 5

struct doctor_options {
	enum backend backend;
	bool help;
	const char *bad_backend;
};

enum doctor_option_id { DOCTOR_BACKEND = OPTION_LONG };

static const struct option_row doctor_rows[] = {
	{ .id = DOCTOR_BACKEND,
	  .name = "backend",
	  .argname = "NAME",
	  .help = "look at one way only: fentry, kprobe or tracepoint",
	  .group = "Options" },
	{ .id = 'h', .name = "help", .help = "show this text and end" },
	{ 0 },
};

static int on_option(void *ctx, int id, const char *arg)
{
	struct doctor_options *o = ctx;
	int backend;

	if (id == 'h') {
		o->help = true;
		return 0;
	}
	backend = backend_parse(arg);
	if (backend < 0) {
		o->bad_backend = arg;
		return -EINVAL;
	}
	o->backend = (enum backend)backend;
	return 0;
}

/*
 * Words on the line whose cursor is at column `at`, continued in that column where a line is full.
 */
static void print_words(int at, const char *words)
{
	int left = at;
	size_t len;

	for (; *words; words += len) {
		words += strspn(words, " \n");
		len = strcspn(words, " \n");
		if (at > left && at + 1 + (int)len > LINE_WIDTH)
			at = printf("\n%*s", left, "") - 1;
		at += printf("%s%.*s", at > left ? " " : "", (int)len, words);
	}
	putchar('\n');
}

static void print_remark(const char *label, const char *words)
{
	print_words(printf("%*s%s", INDENT, "", label), words);
}

static void print_line(const char *mark, const char *name, const char *value)
{
	int at = printf("%-*s%s", INDENT, mark, name);

	if (at > INDENT + NAME_WIDTH) {
		putchar('\n');
		at = 0;
	}
	if (value[0])
		at += printf("%*s", INDENT + NAME_WIDTH + 1 - at, "");
	print_words(at, value);
}

/* Returns how many are in the way. */
static int print_checks(void)
{
	const struct preflight_check *check;
	struct capture_error err;
	struct utsname kernel;
	char found[128];
	int bad = 0;

	if (!uname(&kernel)) {
		snprintf(found, sizeof(found), "%.60s %.60s", kernel.release, kernel.machine);
		print_line("ok", "kernel", found);
	}
	for (check = preflight_checks; check->name; check++) {
		if (!check->run(found, sizeof(found), &err)) {
			print_line("ok", check->name, found);
			continue;
		}
		bad++;
		print_line("NO", check->name, "");
		print_remark("why: ", err.what);
		print_remark("do:  ", err.remedy);
	}
	return bad;
}

/* What each capability is for, and whether it is there. */
static void print_rights(void)
{
	const struct right *r;

	for (r = rights_table; r->name; r++) {
		if (rights_have(r)) {
			print_line("ok", r->name, r->what);
			continue;
		}
		print_line(r->needed ? "NO" : "less", r->name, "missing");
		print_remark(r->needed ? "why:  " : "lost: ", r->needed ? r->what : r->cost);
	}
}

/* A setting of the kernel that bears on what an unprivileged program may do. */
static void print_setting(const char *name, const char *path, const char *meaning)
{
	char found[128] = "", value[16] = "";
	FILE *f = fopen(path, "re");

	if (f && fgets(value, sizeof(value), f))
		snprintf(found, sizeof(found), "%.*s: %s", (int)strcspn(value, "\n"), value,
			 meaning);
	if (f)
		fclose(f);
	if (found[0])
		print_line("", name, found);
}

static void print_settings(void)
{
	print_setting(
		"unprivileged_bpf_disabled", "/proc/sys/kernel/unprivileged_bpf_disabled",
		"cap_bpf loads probes all the same; a kernel before 5.19 makes a trace keep it");
	print_setting(
		"perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid",
		"cap_perfmon reads all the same; for getaddrinfo a kernel before 6.6 wants cap_sys_admin");
}

static void print_row(const struct capture_row *row)
{
	const char *mark = row->seen_by ? (row->cost ? "less" : "ok") : row->needed ? "NO" : "-";

	if (row->not_asked) {
		print_line("ok", row->moment, row->why);
		return;
	}
	print_line(mark, row->moment, row->seen_by ? row->seen_by : "not seen");
	if (row->why)
		print_remark("why:  ", row->why);
	if (row->cost)
		print_remark("lost: ", row->cost);
}

/* Returns whether tracing works with what there is. */
static bool print_moments(enum backend backend)
{
	const struct capture_row *rows;
	struct capture_error err = { 0 };
	int n, i, missing = 0, blind = 0;

	n = capture_probe_rows(backend, &rows, &err);
	if (n < 0) {
		print_line("NO", "this way of seeing", backend_name(backend));
		print_remark("why: ", err.what);
		print_remark("do:  ", err.remedy);
		return false;
	}
	print_line("", "moment", "seen by");
	for (i = 0; i < n; i++) {
		print_row(&rows[i]);
		missing += !rows[i].seen_by && !rows[i].not_asked;
		blind += !rows[i].seen_by && rows[i].needed;
	}
	printf("\n%d moments, %d seen, %d not seen.\n", n, n - missing, missing);
	return !blind;
}

static int doctor_run(enum backend backend)
{
	bool works;

	printf("What tracing needs\n");
	works = !print_checks();
	print_rights();
	print_settings();
	if (works) {
		printf("\nWhat is seen, and how (backend %s)\n", backend_name(backend));
		works = print_moments(backend);
	}
	printf("\n%s\n", works ? "Tracing works." : "Tracing does not work here: see NO above.");
	return works ? 0 : EXIT_TRACE;
}

int cmd_doctor(int argc, char **argv)
{
	struct doctor_options o = { 0 };
	char err[256];
	int at;

	at = options_parse(argc, argv, doctor_rows, on_option, &o, err, sizeof(err));
	if (at < 0 || at < argc) {
		if (o.bad_backend)
			log_error(
				"there is no backend '%s'; it is auto, fentry, kprobe or tracepoint",
				o.bad_backend);
		else
			log_error("%s; 'trace doctor --help' lists the options",
				  at < 0 ? err : "doctor takes no operand");
		return EXIT_TRACE;
	}
	if (!o.help)
		return doctor_run(o.backend);
	fputs("Usage: trace doctor [OPTIONS]\n\n"
	      "Try everything, and say what each moment of a socket's life is seen by here, what is\n"
	      "missing, why, and what that costs. Exit status 0: tracing works.\n\n",
	      stdout);
	options_help(stdout, doctor_rows);
	return 0;
}
