/* SPDX-License-Identifier: MIT */
/*
 * ./trace as a child of ours, recording the network of an arena, or both.
 */
#ifndef SOCKLENS_LAB_TRACER_H
#define SOCKLENS_LAB_TRACER_H

#include <sys/types.h>

#include "arena.h"
#include "labs.h"
#include "user.h"

struct tracer {
	pid_t pid; /* 0: it does not run */
	int ready; /* it says so on this descriptor */
};

/*
 * Start it on this arena, writing FILE as the user. It ends with us, and after `seconds` in any
 * case. Then wait until it sees everything. 0, or negative errno with one sentence in err.
 */
int tracer_start(struct tracer *t, const struct user *u, const struct places *p,
		 const struct arena *a, const char *file, unsigned int seconds, char *err,
		 size_t size);
int tracer_wait_ready(struct tracer *t, char *err, size_t size);
/* End it and wait for that. 0, or -EIO with one sentence in err: there is no recording. */
int tracer_stop(struct tracer *t, char *err, size_t size);

#endif
