/* SPDX-License-Identifier: MIT */
/*
 * What to trace, from the words of the command line to capture_opts.
 */
#ifndef SOCKLENS_CMD_TARGET_H
#define SOCKLENS_CMD_TARGET_H

#include <stddef.h>

#include "capture/capture.h"

#define TARGET_MAX 64 /* processes, namespaces */

struct target {
	__u32 pids[TARGET_MAX];
	size_t n_pids;
	__u32 netns[TARGET_MAX]; /* inode numbers */
	size_t n_netns;
	const char *comm;	  /* the caller's string */
	__u16 port, lport, rport; /* host order, 0 = any */
};

/* One option's value each: 0, or -EINVAL with one sentence in err. */
int target_pids(struct target *t, const char *arg, char *err,
		size_t err_size); /* "12", "12,13", "12 13" */
int target_netns(struct target *t, const char *arg, char *err, size_t err_size); /* PID or NAME */
int target_comm(struct target *t, const char *arg, char *err, size_t err_size);
int target_port(const char *arg, __u16 *port, char *err, size_t err_size);

/* Fills the filters of opts; they point into t. */
void target_apply(const struct target *t, struct capture_opts *opts);

#endif
