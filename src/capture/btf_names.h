/* SPDX-License-Identifier: MIT */
/*
 * The names in the kernel's type information (Documentation/bpf/btf.rst), read in pieces: without the memory of all of
 * it, which is megabytes, nor the time to touch that.
 */
#ifndef SOCKLENS_CAPTURE_BTF_NAMES_H
#define SOCKLENS_CAPTURE_BTF_NAMES_H

#include <linux/types.h>
#include <stdbool.h>

/* Whether something has this name. False also if it cannot be read. */
bool btf_names(const char *name);

/*
 * Calls `each` for every enumerator of the first enum `type`, in the order of its definition, with a name that is lent
 * for the time of the call. Nothing is called if there is no such enum, or it cannot be read.
 */
void btf_enumerators(const char *type, void (*each)(void *ctx, const char *name, __u32 value),
		     void *ctx);

#endif
