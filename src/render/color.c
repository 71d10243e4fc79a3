/* SPDX-License-Identifier: MIT */
#include "color.h"

#include <assert.h>

/* The sixteen colours every terminal has, none of which vanishes on black or on white. */
static const char *const codes[] = {
	[STYLE_PLAIN] = "",	    [STYLE_DIM] = "\033[2m",	  [STYLE_BOLD] = "\033[1m",
	[STYLE_STATE] = "\033[36m", [STYLE_LEVEL] = "\033[35m",	  [STYLE_REMARK] = "\033[32m",
	[STYLE_WAIT] = "\033[33m",  [STYLE_ALARM] = "\033[1;31m", [STYLE_WARN] = "\033[33m",
};
static_assert(sizeof(codes) / sizeof(codes[0]) == STYLE_MAX, "a style has no code");

const char *style_code(enum style style)
{
	return codes[style];
}
