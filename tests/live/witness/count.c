/* SPDX-License-Identifier: MIT */
/*
 * count COMM: count the calls of the programs of that name and the kernel's moments in the own network namespace, from
 * the line "ready" on until standard input ends; then one line a kind. What the kernel kept a program from counting
 * (it runs none inside itself) is counted by the kernel, and added.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "count.h"
#include "count.skel.h"

static const char *const names[COUNTED_MAX] = {
	[COUNTED_CALL] = "call",	     [COUNTED_STATE] = "state",	    [COUNTED_DESTROY] = "destroy",
	[COUNTED_DATA_READY] = "data_ready", [COUNTED_SEGMENT] = "segment",
};

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static unsigned long long missed(const struct bpf_program *p)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len);
	return info.recursion_misses;
}

/* An entry and its exit are one call: what either missed may be the same one, so both stay 0 or the test is told. */
static void print(const struct count *skel)
{
	unsigned long long extra[COUNTED_MAX] = {
		[COUNTED_STATE] = missed(skel->progs.state),
		[COUNTED_DESTROY] = missed(skel->progs.destroy),
		[COUNTED_DATA_READY] = missed(skel->progs.data_ready),
		[COUNTED_SEGMENT] = missed(skel->progs.leaves) + missed(skel->progs.arrives),
	};

	for (int k = 0; k < COUNTED_MAX; k++)
		printf("%s %llu\n", names[k], (unsigned long long)skel->bss->counted[k] + extra[k]);
	printf("calls_missed %llu\n", missed(skel->progs.call_enter) + missed(skel->progs.call_exit));
}

int main(int argc, char **argv)
{
	struct count *skel = argc == 2 ? count__open() : NULL;
	struct stat ns;
	char c;

	if (!skel)
		return fail("usage: count COMM");
	if (stat("/proc/self/ns/net", &ns))
		return fail("/proc/self/ns/net");
	strncpy((char *)skel->rodata->comm, argv[1], sizeof(skel->rodata->comm) - 1);
	skel->rodata->netns = ns.st_ino;
	if (count__load(skel) || count__attach(skel))
		return fail("the kernel refuses");
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	print(skel);
	count__destroy(skel);
	return 0;
}
