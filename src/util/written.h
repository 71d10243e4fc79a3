/* SPDX-License-Identifier: MIT */
/* Whether what was printed is with the kernel: a full disk says so only when stdio hands it over. */
#ifndef SOCKLENS_UTIL_WRITTEN_H
#define SOCKLENS_UTIL_WRITTEN_H

#include <stdio.h>

/* Flush it. 0 or negative errno; -EPIPE when its reader went away. */
int file_written(FILE *out);

/* The last thing a program does: its exit status, or `failure` with a message if all went well but the output. */
int status_after_output(FILE *out, int status, int failure);

#endif
