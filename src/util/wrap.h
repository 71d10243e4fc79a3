/* SPDX-License-Identifier: MIT */
/* Text on a screen: broken at blanks, further rows indented. One byte is one column. */
#ifndef SOCKLENS_UTIL_WRAP_H
#define SOCKLENS_UTIL_WRAP_H

#include <stdio.h>

/*
 * `label` stands at the left, the text in the column behind it, on every row. width: columns; 0: the
 * text is one row, however long.
 */
void wrap_print(FILE *out, unsigned int width, const char *label, const char *text);

#endif
