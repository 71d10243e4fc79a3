/* SPDX-License-Identifier: MIT */
/*
 * Text of strangers: which of its bytes are UTF-8, and which of its characters people see as what
 * they are.
 */
#ifndef SOCKLENS_UTIL_UTF8_H
#define SOCKLENS_UTIL_UTF8_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* Length of the UTF-8 sequence at s, 0 if it is none (overlong, surrogate, too high, cut) or ASCII. */
size_t utf8_len(const unsigned char *s, size_t len);
/*
 * The character at s, and the bytes it takes; 0 and the byte itself where no UTF-8 begins. len is 1
 * or more.
 */
size_t utf8_char(const unsigned char *s, size_t len, __u32 *code);

/* Is all of it UTF-8? */
bool utf8_valid(const char *text, size_t len);

/*
 * Would a terminal do something else with this character than show it: control characters, what
 * turns the direction of text around, what nobody can see?
 */
bool utf8_hidden(__u32 code);

/* The most bytes of text, at most `max`, that cut no character in two. */
size_t utf8_cut(const char *text, size_t max);

/*
 * Text as people may see it on any terminal: bytes of hidden characters, and those that are no
 * UTF-8, become \xNN. kept: ASCII control characters that stay.
 */
void utf8_show(struct buf *b, const char *text, size_t len, const char *kept);

#endif
