/* SPDX-License-Identifier: MIT */
#include "bar.h"

#include <stdio.h>
#include <string.h>

#include "sheet.h"

static unsigned int bar_cells(__u64 level, __u64 limit)
{
	__u64 n;

	if (!level)
		return 0;
	if (level >= limit)
		return BAR_CELLS;
	/* Levels and limits are counts of 32 bits, so the product cannot overflow. */
	n = level * BAR_CELLS / limit;
	if (n == 0)
		return 1;
	return (unsigned int)n;
}

char *fmt_bar(char *buf, size_t size, __u64 level, __u64 limit)
{
	char cells[BAR_CELLS + 1];

	memset(cells, ' ', BAR_CELLS);
	memset(cells, DRAW_BLOCK, bar_cells(level, limit));
	cells[BAR_CELLS] = '\0';
	snprintf(buf, size, "[%s]", cells);
	return buf;
}
