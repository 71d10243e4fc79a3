/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo lives in user space: its probes go onto each libc that traced processes map.
 */
#ifndef SOCKLENS_CAPTURE_LIBC_H
#define SOCKLENS_CAPTURE_LIBC_H

#include <linux/types.h>
#include <pthread.h>

#include "loader.h"

#define LIBCS_MAX 16

struct libcs {
	/* Our own libc, opened beside the loading: see libcs_prepare(). */
	struct {
		pthread_t thread;
		bool running;
		char path[256];
		__u64 dev, ino;
		size_t offset;
		int events[2]; /* at return, at entry: perf events or negative errno */
	} own;
	struct {
		__u64 dev, ino;
		struct bpf_link *links[2];
	} seen[LIBCS_MAX];
	int n;
	char why[128]; /* of the last that could not be probed, "" = none */
};

/* Begin to open the probes of our own libc, in a thread of its own. */
void libcs_prepare(struct libcs *l);
/* Programs are loaded: our own libc is probed from here on. 0, or negative errno with l->why filled. */
int libcs_begin(struct libcs *l, struct trace_bpf *skel);
/* The libc that pid maps. 0 = probed (or was already), negative errno otherwise. */
int libcs_add(struct libcs *l, struct trace_bpf *skel, __u32 pid);
void libcs_close(struct libcs *l);

#endif
