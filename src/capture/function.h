/* SPDX-License-Identifier: MIT */
/*
 * May functions of this kernel be probed at all? Asked with a program that does nothing, so that a
 * refusal costs one small load and not one of all our programs.
 */
#ifndef SOCKLENS_CAPTURE_FUNCTION_H
#define SOCKLENS_CAPTURE_FUNCTION_H

#include "capture.h"

struct btf;

/* Load and attach it to the function of that name by fentry or kprobe. 0, or negative errno. */
int function_try(enum backend kind, const struct btf *btf, const char *name);

#endif
