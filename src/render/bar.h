/* SPDX-License-Identifier: MIT */
/* A queue's level as a little picture. */
#ifndef SOCKLENS_RENDER_BAR_H
#define SOCKLENS_RENDER_BAR_H

#include <linux/types.h>
#include <stddef.h>

#define BAR_CELLS 10

/* "[####      ]": anything above zero shows, only a full queue looks full. Returns buf. */
char *fmt_bar(char *buf, size_t size, __u64 level, __u64 limit);

#endif
