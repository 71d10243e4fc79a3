// SPDX-License-Identifier: MIT
#include "function.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KPROBE_TYPE "/sys/bus/event_source/devices/kprobe/type"

/* r0 = 0; exit */
static const struct bpf_insn nothing[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int load_nothing(enum bpf_prog_type type, const struct bpf_prog_load_opts *opts)
{
	return bpf_prog_load(type, "nothing", "GPL", nothing, sizeof(nothing) / sizeof(nothing[0]),
			     opts);
}

static int try_fentry(const struct btf *btf, const char *name)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC), prog, link, err = 0;

	if (id < 0)
		return id;
	opts.attach_btf_id = id;
	prog = load_nothing(BPF_PROG_TYPE_TRACING, &opts);
	if (prog < 0)
		return prog;
	link = bpf_raw_tracepoint_open(NULL, prog);
	if (link < 0)
		err = link;
	else
		close(link);
	close(prog);
	return err;
}

/* The number perf has for kprobes; a kernel without them has none. */
static int kprobe_type(void)
{
	FILE *f = fopen(KPROBE_TYPE, "re");
	int type;

	if (!f)
		return -errno;
	if (fscanf(f, "%d", &type) != 1)
		type = -EINVAL;
	fclose(f);
	return type;
}

static int open_kprobe(const char *name)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .config1 = (__u64)(uintptr_t)name };
	int type = kprobe_type(), fd;

	if (type < 0)
		return type;
	attr.type = type;
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int try_kprobe(const char *name)
{
	int event = open_kprobe(name), prog, err = 0;

	if (event < 0)
		return event;
	prog = load_nothing(BPF_PROG_TYPE_KPROBE, NULL);
	if (prog < 0)
		err = prog;
	else if (ioctl(event, PERF_EVENT_IOC_SET_BPF, prog))
		err = -errno;
	if (prog >= 0)
		close(prog);
	close(event);
	return err;
}

int function_try(enum backend kind, const struct btf *btf, const char *name)
{
	return kind == BACKEND_FENTRY ? try_fentry(btf, name) : try_kprobe(name);
}
