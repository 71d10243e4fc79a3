/* SPDX-License-Identifier: MIT */
#include "rights.h"

#include <errno.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

const struct right rights_table[] = {
	{ CAP_BPF, "cap_bpf", true, "loads the probes", "" },
	{ CAP_PERFMON, "cap_perfmon", true, "lets them read the kernel's memory", "" },
	{ CAP_SYS_PTRACE, "cap_sys_ptrace", false, "finds the C library of other users' programs",
	  "getaddrinfo of other users' programs, where they use a C library of their own" },
	{ CAP_DAC_READ_SEARCH, "cap_dac_read_search", false,
	  "reads that library where only they may",
	  "getaddrinfo where a program's C library is in a directory closed to you" },
	{ 0 },
};

static bool have_cap(cap_t caps, cap_value_t cap)
{
	cap_flag_value_t value;

	return caps && !cap_get_flag(caps, cap, CAP_EFFECTIVE, &value) && value == CAP_SET;
}

bool rights_have(const struct right *r)
{
	cap_t caps = cap_get_proc();
	bool have = have_cap(caps, r->cap);

	cap_free(caps);
	return have;
}

size_t rights_missing(char *names, size_t size)
{
	const struct right *r;
	size_t n = 0, len = 0;

	names[0] = '\0';
	for (r = rights_table; r->name; r++)
		if (r->needed && !rights_have(r) && len < size)
			len += (size_t)snprintf(names + len, size - len, "%s%s", n++ ? "," : "",
						r->name);
	return n;
}

/* What is permitted becomes effective, or nothing does. */
static void set_effective(bool all)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t permitted;
	cap_value_t cap;

	if (!caps || cap_clear_flag(caps, CAP_EFFECTIVE))
		goto out;
	for (cap = 0; all && cap <= cap_max_bits(); cap++)
		if (!cap_get_flag(caps, cap, CAP_PERMITTED, &permitted) && permitted == CAP_SET)
			cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, CAP_SET);
	cap_set_proc(caps);
out:
	cap_free(caps);
}

void rights_lower(void)
{
	if (geteuid() != 0)
		set_effective(false);
}

void rights_raise(void)
{
	if (geteuid() != 0)
		set_effective(true);
}

/* Exactly these, as far as we have them: permitted, and effective where `hold` does not say otherwise. */
static int set_caps(const cap_value_t *keep, size_t n, cap_value_t hold)
{
	cap_t now = cap_get_proc(), few = cap_init();
	cap_flag_value_t have;
	int err = now && few ? 0 : -ENOMEM;
	size_t i;

	for (i = 0; i < n && !err; i++) {
		if (cap_get_flag(now, keep[i], CAP_PERMITTED, &have) || have != CAP_SET)
			continue;
		if (cap_set_flag(few, CAP_PERMITTED, 1, &keep[i], CAP_SET) ||
		    (keep[i] != hold && cap_set_flag(few, CAP_EFFECTIVE, 1, &keep[i], CAP_SET)))
			err = -errno;
	}
	if (!err && cap_set_proc(few))
		err = -errno;
	cap_free(now);
	cap_free(few);
	return err;
}

/* Without CAP_SETPCAP this is refused; no_new_privs keeps an exec from using what stays. */
static void empty_bounds(void)
{
	cap_value_t cap;

	for (cap = 0; cap_get_bound(cap) >= 0; cap++)
		cap_drop_bound(cap);
}

/* CAP_BPF comes last: it is held back first, and kept only if the kernel asks for it. */
static int keep_few(enum rights_kept kept, bool (*enough)(void *ctx), void *ctx)
{
	static const cap_value_t look[] = { CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_BPF };
	const cap_value_t *keep = kept == RIGHTS_LOOK ? look : look + 2;
	size_t n = kept == RIGHTS_LOOK ? 2 : 0;
	int err;

	if (!enough)
		return set_caps(keep, n, -1);
	err = set_caps(keep, n + 1, CAP_BPF);
	if (err)
		return err;
	return set_caps(keep, enough(ctx) ? n : n + 1, -1);
}

int rights_settle(const struct invoker *who, enum rights_kept kept, bool (*enough)(void *ctx),
		  void *ctx)
{
	struct parent parent;
	int err = parent_note(&parent);

	if (err)
		return err;
	empty_bounds();
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return -errno;
	err = invoker_take_ids(who);
	if (!err)
		err = keep_few(kept, enough, ctx);
	if (!err && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		err = -errno;
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	parent_heed(&parent);
	return err;
}
