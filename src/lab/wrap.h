/* SPDX-License-Identifier: MIT */
/* Sentences on a screen: broken at blanks, further rows indented. */
#ifndef SOCKLENS_LAB_WRAP_H
#define SOCKLENS_LAB_WRAP_H

#include <stdio.h>

#define WRAP_WIDTH 80 /* columns */

/* `label` stands at the left, the text in the column behind it, on every row. */
void wrap_print(FILE *out, const char *label, const char *text);

#endif
