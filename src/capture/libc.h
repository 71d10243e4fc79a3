/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo lives in user space: its probes go onto each libc that traced processes map.
 */
#ifndef SOCKLENS_CAPTURE_LIBC_H
#define SOCKLENS_CAPTURE_LIBC_H

#include <linux/types.h>

#include "loader.h"
#include "uprobe.h"

#define LIBCS_MAX 16
#define LIBCS_LATER 32

struct libc {
	__u64 dev, ino;
	struct uprobe probes[2]; /* at return, at entry */
};

struct libcs {
	struct libc at[LIBCS_MAX]; /* the first is our own */
	int n;
	__u32 later[LIBCS_LATER]; /* processes that had no libc when they were looked at */
	unsigned int n_later;
	unsigned int missed; /* libcs that were met and could not be probed */
	char why[128];	     /* of the last of them, "" = none */
};

/* Programs are loaded: our own libc is probed from here on. 0, or negative errno with l->why filled. */
int libcs_begin(struct libcs *l, struct trace_bpf *skel);
/* The libc that pid maps. 0 = probed (or was already), negative errno otherwise. */
int libcs_add(struct libcs *l, struct trace_bpf *skel, __u32 pid);
/* Look again at those that had none, once. */
void libcs_again(struct libcs *l, struct trace_bpf *skel);
/* Can a libc that appears later still be probed when all rights are given up? */
bool libcs_free_to_grow(const struct libcs *l);
void libcs_close(struct libcs *l);

#endif
