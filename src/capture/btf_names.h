/* SPDX-License-Identifier: MIT */
/* Whether the kernel's type information has a name, without the cost of reading all of it. */
#ifndef SOCKLENS_CAPTURE_BTF_NAMES_H
#define SOCKLENS_CAPTURE_BTF_NAMES_H

#include <stdbool.h>

/* False also if it cannot be read. */
bool btf_names(const char *name);

#endif
