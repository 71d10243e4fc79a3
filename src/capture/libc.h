/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo lives in user space: its probes go onto each libc that traced processes map.
 */
#ifndef SOCKLENS_CAPTURE_LIBC_H
#define SOCKLENS_CAPTURE_LIBC_H

#include <linux/types.h>

#include "loader.h"

#define LIBCS_MAX 16

struct libcs {
	struct {
		__u64 dev, ino;
		struct bpf_link *links[2];
	} seen[LIBCS_MAX];
	int n;
	char why[128]; /* of the last that could not be probed, "" = none */
};

/* The libc that pid maps (pid 0: our own). 0 = probed (or was already), negative errno otherwise. */
int libcs_add(struct libcs *l, struct trace_bpf *skel, __u32 pid);
void libcs_close(struct libcs *l);

#endif
