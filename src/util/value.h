/* SPDX-License-Identifier: MIT */
/*
 * One value of a row, as a query hands it out and a table shows it.
 */
#ifndef SOCKLENS_UTIL_VALUE_H
#define SOCKLENS_UTIL_VALUE_H

#include <stddef.h>

enum value_type { VALUE_NULL = 0, VALUE_INT = 1, VALUE_REAL = 2, VALUE_TEXT = 3, VALUE_BLOB = 4 };

struct value {
	enum value_type type;
	long long num;	   /* VALUE_INT */
	double real;	   /* VALUE_REAL */
	const char *bytes; /* VALUE_TEXT, VALUE_BLOB: not terminated, not ours */
	size_t len;
};

#endif
