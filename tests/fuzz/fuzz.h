/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share: a file and a standard output that are memory, and what must hold of
 * everything that is printed. Whatever does not hold ends the process, which libFuzzer calls a
 * crash.
 */
#ifndef SOCKLENS_TESTS_FUZZ_H
#define SOCKLENS_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The input as a file: a path that any command can open, until the next call. */
const char *fuzz_file(const uint8_t *data, size_t size);

typedef int (*fuzz_command)(int argc, char **argv);

/* What a command prints: text for people, or a JSON object a line. */
enum fuzz_output { FUZZ_TEXT, FUZZ_CSV, FUZZ_JSON };

/*
 * Run a sub-command as main() would, the last word of args is NULL, and look at what it prints.
 * Messages are looked at, too, and thrown away. Returns its exit status.
 */
int fuzz_run(fuzz_command run, enum fuzz_output kind, const char *const *args);

/*
 * Nothing in it moves a terminal's cursor, colours, hides or reorders what is shown, and all of it
 * is UTF-8. Line feeds may stand in it.
 */
void expect_clean(const char *what, const char *text, size_t len);
/* What every byte of our own words must be. */
void expect_ascii(const char *what, const char *text, size_t len);
void expect_true(bool holds, const char *what);

#endif
