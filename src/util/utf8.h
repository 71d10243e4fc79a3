/* SPDX-License-Identifier: MIT */
/* Text of strangers: which of its bytes are UTF-8. */
#ifndef SOCKLENS_UTIL_UTF8_H
#define SOCKLENS_UTIL_UTF8_H

#include <stddef.h>

/* Length of the UTF-8 sequence at s, 0 if it is none (overlong, surrogate, too high, cut) or ASCII. */
size_t utf8_len(const unsigned char *s, size_t len);

#endif
