/* SPDX-License-Identifier: MIT */
/* The families of verdicts: one file each, and one row in explain.c. */
#ifndef SOCKLENS_EXPLAIN_FAMILIES_H
#define SOCKLENS_EXPLAIN_FAMILIES_H

#include "inside.h"

extern const struct family explain_eof; /* a receive call returned 0 */

#endif
