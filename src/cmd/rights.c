/* SPDX-License-Identifier: MIT */
#include "rights.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/capability.h>

static const struct right {
	cap_value_t cap;
	const char *name;
	bool to_start; /* nothing works without it */
	bool to_run;   /* kept after the start */
} rights[] = {
	{ CAP_BPF, "cap_bpf", true, true },
	{ CAP_PERFMON, "cap_perfmon", true, true },
	{ CAP_NET_ADMIN, "cap_net_admin", true, false },
	{ CAP_SYS_PTRACE, "cap_sys_ptrace", true, true },
	{ CAP_DAC_READ_SEARCH, "cap_dac_read_search", false, true }, /* libraries of other users */
	{ CAP_KILL, "cap_kill", false, true }, /* COMMAND runs as somebody else */
};
#define N_RIGHTS (sizeof(rights) / sizeof(rights[0]))

static bool have_cap(cap_t caps, cap_value_t cap)
{
	cap_flag_value_t value;

	return caps && !cap_get_flag(caps, cap, CAP_EFFECTIVE, &value) && value == CAP_SET;
}

size_t rights_missing(char *names, size_t size)
{
	cap_t caps = cap_get_proc();
	size_t i, n = 0, len = 0;

	names[0] = '\0';
	for (i = 0; i < N_RIGHTS; i++) {
		if (!rights[i].to_start || have_cap(caps, rights[i].cap) || len >= size)
			continue;
		len += (size_t)snprintf(names + len, size - len, "%s%s", n++ ? "," : "",
					rights[i].name);
	}
	if (caps)
		cap_free(caps);
	return n;
}

int rights_shrink(void)
{
	cap_t now = cap_get_proc(), few = cap_init();
	int err = 0;
	size_t i;

	if (!now || !few)
		err = -ENOMEM;
	for (i = 0; i < N_RIGHTS && !err; i++) {
		if (!rights[i].to_run || !have_cap(now, rights[i].cap))
			continue;
		if (cap_set_flag(few, CAP_PERMITTED, 1, &rights[i].cap, CAP_SET) ||
		    cap_set_flag(few, CAP_EFFECTIVE, 1, &rights[i].cap, CAP_SET))
			err = -errno;
	}
	if (!err && cap_set_proc(few))
		err = -errno;
	if (now)
		cap_free(now);
	if (few)
		cap_free(few);
	return err;
}
