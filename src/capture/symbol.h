/* SPDX-License-Identifier: MIT */
/*
 * Where a function of a shared library begins. The file is a stranger's: it belongs to what is traced.
 */
#ifndef SOCKLENS_CAPTURE_SYMBOL_H
#define SOCKLENS_CAPTURE_SYMBOL_H

/* Offset in the file at path of the function it exports by that name; negative errno: -ENOENT, it exports none. */
long symbol_offset(const char *path, const char *name);

#endif
