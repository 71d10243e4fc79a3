/* SPDX-License-Identifier: MIT */
/*
 * What hooks on system calls cost those who make other calls: an empty program on each hook of an arrangement, and
 * this very process as the neighbour. Prints for each arrangement, separated by tabs,
 *
 *   NAME  HOOKS  getppid  read  ATTACH_MS  DETACH_MS    getppid, read: time over that without hooks
 *
 * or, in place of the figures, why this kernel has none. Root.   usage: hooks [SAMPLES]
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_MSEC 1e6
#define CALLS 40000 /* of a sample */
#define HOOKS_MAX 256
#define EVENTS "/sys/kernel/tracing/events/syscalls"

#if defined(__x86_64__)
#define ENTRY "__x64_sys_"
#elif defined(__aarch64__)
#define ENTRY "__arm64_sys_"
#endif

static const char *const of_sockets[] = { "socket",	"socketpair", "bind",	    "listen",	   "connect",
					  "accept",	"accept4",    "sendto",	    "sendmsg",	   "sendmmsg",
					  "recvfrom",	"recvmsg",    "recvmmsg",   "shutdown",	   "setsockopt",
					  "getsockopt", "getsockname", "getpeername", NULL };
static const char *const of_files[] = { "close",      "dup",	     "dup2",	   "dup3",	  "fcntl",
					"poll",	      "ppoll",	     "select",	   "pselect6",	  "epoll_ctl",
					"epoll_wait", "epoll_pwait", "epoll_pwait2", "close_range", "sendfile64",
					"splice",     NULL };
static const char *const of_bytes[] = { "read", "readv", "write", "writev", NULL };
static const char *const *const some[] = { of_sockets, of_files, NULL };
static const char *const *const all[] = { of_sockets, of_files, of_bytes, NULL };

static const struct bpf_insn empty[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static struct {
	int fds[HOOKS_MAX]; /* of programs and of what they hang on */
	int n, attached;
	char why[128];
} hooks;

static double now_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / NSEC_PER_MSEC;
}

/* Takes fd, or says why there is none. */
static bool keep(int fd, const char *what, const char *name)
{
	if (fd < 0 || hooks.n == HOOKS_MAX) {
		snprintf(hooks.why, sizeof(hooks.why), "%s %s: %s", what, name, strerror(errno));
		return false;
	}
	hooks.fds[hooks.n++] = fd;
	return true;
}

static bool hook(int fd, const char *what, const char *name)
{
	hooks.attached++;
	return keep(fd, what, name);
}

static bool raw(const char *name)
{
	int prog = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "empty", "GPL", empty, 2, NULL);

	return keep(prog, "program for", name) && hook(bpf_raw_tracepoint_open(name, prog), "tracepoint", name);
}

/* An event of one call. Those that this architecture does without are left out. */
static bool one(int prog, const char *edge, const char *call)
{
	char path[128];
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .sample_period = 1 };
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), EVENTS "/sys_%s_%s/id", edge, call);
	f = fopen(path, "r");
	if (!f)
		return true;
	if (fscanf(f, "%llu", (unsigned long long *)&attr.config) != 1)
		attr.config = 0;
	fclose(f);
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return hook(fd, "event", call) &&
	       (!ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) || keep(-1, "program on the event", call));
}

static bool one_by_one(const char *edge, const char *const *const *sets)
{
	int prog = bpf_prog_load(BPF_PROG_TYPE_TRACEPOINT, "empty", "GPL", empty, 2, NULL);

	if (!keep(prog, "program for", "events"))
		return false;
	for (; *sets; sets++)
		for (const char *const *call = *sets; *call; call++)
			if (!one(prog, edge, *call))
				return false;
	return true;
}

static bool function(const struct btf *btf, enum bpf_attach_type type, const char *call)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	char name[64];
	int id, prog;

	snprintf(name, sizeof(name), ENTRY "%s", call);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	if (id < 0)
		return true;
	opts.attach_btf_id = (__u32)id;
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "empty", "GPL", empty, 2, &opts);
	return keep(prog, "program for", name) && hook(bpf_raw_tracepoint_open(NULL, prog), "function", name);
}

static bool functions(const char *const *const *sets)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool good = btf || keep(-1, "types of", "the kernel");

	for (; good && *sets; sets++)
		for (const char *const *call = *sets; good && *call; call++)
			good = function(btf, BPF_TRACE_FENTRY, *call) && function(btf, BPF_TRACE_FEXIT, *call);
	btf__free(btf);
	return good;
}

static bool nothing(void) { return true; }
static bool raw_both(void) { return raw("sys_enter") && raw("sys_exit"); }
static bool raw_enter(void) { return raw("sys_enter"); }
static bool events_some(void) { return one_by_one("enter", some) && one_by_one("exit", some); }
static bool events_all(void) { return one_by_one("enter", all) && one_by_one("exit", all); }
static bool enter_and_returns(void) { return raw_enter() && one_by_one("exit", some); }
static bool functions_all(void) { return functions(all); }

static const struct arrangement {
	const char *name;
	bool (*attach)(void);
} arrangements[] = {
	{ "none (noise)", nothing },
	{ "sys_enter and sys_exit", raw_both },
	{ "sys_enter alone", raw_enter },
	{ "sys_enter, and returns one by one but those of read and write", enter_and_returns },
	{ "one by one but read and write", events_some },
	{ "one by one", events_all },
	{ "fentry and fexit, one by one", functions_all },
};

static void detach(void)
{
	while (hooks.n)
		close(hooks.fds[--hooks.n]);
	hooks.attached = 0;
}

static void do_getppid(int zero)
{
	(void)zero;
	syscall(SYS_getppid);
}

static void do_read(int zero)
{
	char byte;

	if (read(zero, &byte, 1) != 1)
		_exit(125);
}

static int samples = 25;

/* The shortest of some samples, in CPU time: what others on the machine do only makes one longer. */
static double shortest_ms(void (*call)(int zero), int zero)
{
	double least = 0;

	for (int s = 0; s < samples; s++) {
		double began = now_ms(CLOCK_PROCESS_CPUTIME_ID), took;

		for (int i = 0; i < CALLS; i++)
			call(zero);
		took = now_ms(CLOCK_PROCESS_CPUTIME_ID) - began;
		if (!s || took < least)
			least = took;
	}
	return least;
}

struct took {
	double getppid, read;
};

static struct took take(int zero)
{
	return (struct took){ shortest_ms(do_getppid, zero), shortest_ms(do_read, zero) };
}

static double shorter(double a, double b)
{
	return a < b ? a : b;
}

static void measure(const struct arrangement *a, int zero)
{
	struct took before = take(zero), traced, after;
	double began = now_ms(CLOCK_MONOTONIC), attached, detached;
	bool good = a->attach();
	int n = hooks.attached;

	attached = now_ms(CLOCK_MONOTONIC) - began;
	traced = take(zero);
	began = now_ms(CLOCK_MONOTONIC);
	detach();
	detached = now_ms(CLOCK_MONOTONIC) - began;
	after = take(zero);
	if (good)
		printf("%s\t%d\t%.2f\t%.2f\t%.0f\t%.0f\n", a->name, n, traced.getppid / shorter(before.getppid, after.getppid),
		       traced.read / shorter(before.read, after.read), attached, detached);
	else
		printf("%s\t%s\n", a->name, hooks.why);
	fflush(stdout);
}

/* Where nobody has asked for the events' files yet; seen by this process alone. */
static void find_events(void)
{
	if (access(EVENTS, F_OK) && !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	    mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL))
		fprintf(stderr, "hooks: cannot mount tracefs: %s\n", strerror(errno));
}

int main(int argc, char **argv)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	find_events();
	libbpf_set_print(NULL);
	setpriority(PRIO_PROCESS, 0, -15);
	if (argc > 1)
		samples = atoi(argv[1]);
	if (zero < 0 || samples < 1)
		return 125;
	for (size_t i = 0; i < sizeof(arrangements) / sizeof(arrangements[0]); i++)
		measure(&arrangements[i], zero);
	close(zero);
	return 0;
}
