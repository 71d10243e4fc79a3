/* SPDX-License-Identifier: MIT */
/*
 * Capabilities: which are needed, which are missing, and giving up the rest once tracing runs.
 */
#ifndef SOCKLENS_CMD_RIGHTS_H
#define SOCKLENS_CMD_RIGHTS_H

#include <stddef.h>

/* Names of what tracing needs and this process lacks, joined by commas. Returns how many. */
size_t rights_missing(char *names, size_t size);

/*
 * For good: keep only what a running trace still uses (new probes on a libc that appears, reading
 * about processes, passing signals to COMMAND). 0 or negative errno.
 */
int rights_shrink(void);

#endif
