// SPDX-License-Identifier: MIT
#include "scope.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Bits of maps.bpf.h's process flags that user space hands in. */
#define TARGET 1
#define EXCLUDED 2

#define SETTLE_NS 10000000ULL /* a call shorter than this is one record; DESIGN: latency 50 ms */

bool scope_is_bare(const struct capture_opts *o)
{
	return !o->all && !o->n_pids && !o->command_pid && !o->comm && !o->port && !o->lport &&
	       !o->rport && !o->n_netns;
}

/* The coarse clock moves once a tick; a kernel's configuration file need not be at hand. */
static __u16 ticks_per_second(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_nsec <= 0)
		return 0;
	return (1000000000L + tick.tv_nsec / 2) / tick.tv_nsec;
}

/* At most 15 characters (target_comm()). */
static void comm_config(struct config *cfg, const char *glob)
{
	unsigned int j = 0;

	for (; *glob; glob++) {
		if (*glob == '*') {
			cfg->comm_stay |= 1u << j;
			continue;
		}
		j++;
		for (unsigned int byte = 1; byte < 256; byte++)
			if (*glob == '?' || (unsigned char)*glob == byte)
				cfg->comm_match[byte] |= 1u << j;
	}
	cfg->comm_end = 1u << j;
}

void scope_config(struct config *cfg, const struct capture_opts *o)
{
	struct stat st;

	memset(cfg, 0, sizeof(*cfg));
	cfg->layers = o->layers;
	cfg->self_pid = getpid();
	if (!stat("/proc/self/ns/net", &st))
		cfg->self_netns = st.st_ino;
	cfg->hz = ticks_per_second();
	cfg->settle_ns = SETTLE_NS;
	cfg->port = o->port;
	cfg->lport = o->lport;
	cfg->rport = o->rport;
	if (o->all)
		cfg->scope |= SCOPE_ALL;
	if (o->n_pids || o->command_pid || o->comm)
		cfg->scope |= SCOPE_PROC;
	if (o->comm) {
		cfg->scope |= SCOPE_COMM;
		comm_config(cfg, o->comm);
	}
	if (o->port || o->lport || o->rport)
		cfg->scope |= SCOPE_PORT;
	if (o->n_netns)
		cfg->scope |= SCOPE_NETNS;
}

static int put(struct bpf_map *map, __u32 key, __u32 value)
{
	return bpf_map_update_elem(bpf_map__fd(map), &key, &value, BPF_ANY) ? -errno : 0;
}

static __u32 parent_of(__u32 pid)
{
	char path[40], line[512], *at;
	unsigned int ppid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	/* the name may hold anything, also spaces and parentheses: count from the last one */
	if (fgets(line, sizeof(line), f) && (at = strrchr(line, ')')))
		sscanf(at, ") %*c %u", &ppid);
	fclose(f);
	return ppid;
}

/* The shell, terminal and ssh session we were started from are not the subject. */
static int exclude_ancestors(struct trace_bpf *skel)
{
	int err = 0;

	for (__u32 pid = getppid(); pid > 1 && !err; pid = parent_of(pid))
		err = put(skel->maps.targets, pid, EXCLUDED);
	return err;
}

int scope_fill_maps(struct trace_bpf *skel, void *ctx)
{
	const struct capture_opts *o = ctx;
	int err = 0;

	for (size_t i = 0; i < o->n_pids && !err; i++)
		err = put(skel->maps.targets, o->pids[i], TARGET);
	if (o->command_pid && !err)
		err = put(skel->maps.targets, o->command_pid, TARGET);
	for (size_t i = 0; i < o->n_netns && !err; i++)
		err = put(skel->maps.netns_set, o->netns[i], 1);
	if (scope_is_bare(o) && !err)
		err = exclude_ancestors(skel);
	return err;
}
