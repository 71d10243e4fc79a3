/* SPDX-License-Identifier: MIT */
/*
 * System call numbers of this architecture, as the table the BPF object looks calls up in.
 */
#ifndef SOCKLENS_CAPTURE_CALLS_H
#define SOCKLENS_CAPTURE_CALLS_H

#include <linux/types.h>
#include <stddef.h>

/* Fills table[number] = enum call. */
void calls_fill(__u8 *table, size_t size);

#endif
