/* SPDX-License-Identifier: MIT */
/*
 * A probe on a function of user space, in every process that maps the file.
 *
 * Kernels since 6.6 have links for that, which ask for no right once the program is loaded. Older ones have
 * perf events, which want CAP_SYS_ADMIN (CAP_PERFMON was enough for a while: reverted by commit ba677dbe77af).
 */
#ifndef SOCKLENS_CAPTURE_UPROBE_H
#define SOCKLENS_CAPTURE_UPROBE_H

#include <stdbool.h>
#include <stddef.h>

/* What programs must be loaded for: BPF_TRACE_UPROBE_MULTI, which older headers do not have; old kernels ignore it. */
#define UPROBE_ATTACH_TYPE 48

struct uprobe {
	int fd;	   /* closing it detaches; -1 = none */
	bool free; /* attached without any right: a later one will be, too */
	bool refused; /* this kernel has perf events only, and wants CAP_SYS_ADMIN for them */
};

/* Attach a loaded program at this offset of the file. 0 or negative errno. */
int uprobe_attach(struct uprobe *u, int prog_fd, const char *path, size_t offset, bool at_return);

#endif
