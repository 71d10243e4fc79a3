/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "preflight.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rights.h"
#include "util/log.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"
#define LOCKDOWN_PATH "/sys/kernel/security/lockdown"

static int check_rights(char *found, size_t size, struct capture_error *err)
{
	char names[128];

	if (!rights_missing(names, sizeof(names))) {
		snprintf(found, size, "%s", geteuid() ? "capabilities" : "root");
		return 0;
	}
	if (geteuid() == 0) {
		snprintf(err->what, sizeof(err->what), "root here lacks %s", names);
		snprintf(err->remedy, sizeof(err->remedy),
			 "start the container or service with these capabilities");
		return -EPERM;
	}
	snprintf(err->what, sizeof(err->what), "tracing the kernel needs root");
	snprintf(err->remedy, sizeof(err->remedy),
		 "use 'sudo %s ...', or once 'sudo setcap "
		 "cap_bpf,cap_perfmon=ep %s'",
		 program_invocation_name, program_invocation_name);
	return -EPERM;
}

static int check_btf(char *found, size_t size, struct capture_error *err)
{
	if (!access(BTF_PATH, R_OK)) {
		snprintf(found, size, "%s", BTF_PATH);
		return 0;
	}
	snprintf(err->what, sizeof(err->what),
		 "this kernel does not describe its types (no BTF in %s)", BTF_PATH);
	snprintf(err->remedy, sizeof(err->remedy),
		 "use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as Debian 11, Ubuntu 20.10, "
		 "Fedora 31 and later have");
	return -EPERM;
}

/* The file reads "none [integrity] confidentiality": the brackets mark what holds. */
static int check_lockdown(char *found, size_t size, struct capture_error *err)
{
	char line[128] = "";
	FILE *f = fopen(LOCKDOWN_PATH, "re");
	const char *mark;

	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	mark = strchr(line, '[');
	if (mark)
		snprintf(found, size, "%.*s", (int)strcspn(mark + 1, "]\n"), mark + 1);
	else
		snprintf(found, size, "not known (securityfs is missing)");
	if (strcmp(found, "confidentiality"))
		return 0;
	snprintf(
		err->what, sizeof(err->what),
		"the kernel is locked down (lockdown=confidentiality), which forbids reading its memory");
	snprintf(
		err->remedy, sizeof(err->remedy),
		"boot with lockdown=integrity or lockdown=none, or without Secure Boot where that sets it");
	return -EPERM;
}

const struct preflight_check preflight_checks[] = {
	{ "rights", check_rights },
	{ "kernel types (BTF)", check_btf },
	{ "kernel lockdown", check_lockdown },
	{ NULL, NULL },
};

int preflight_run(struct capture_error *err)
{
	const struct preflight_check *check;
	char found[128];
	int ret;

	for (check = preflight_checks; check->name; check++) {
		ret = check->run(found, sizeof(found), err);
		if (ret)
			return ret;
	}
	return 0;
}

void preflight_complain(const struct capture_error *err)
{
	log_error("%s%s%s", err->what, err->remedy[0] ? "; " : "", err->remedy);
}
