/* SPDX-License-Identifier: MIT */
/*
 * A uprobe in two steps. Opening one patches every process that maps the file and may take 20 ms; it needs no
 * program, so it goes on beside the loading of programs. Giving it its program afterwards is quick.
 */
#ifndef SOCKLENS_CAPTURE_UPROBE_H
#define SOCKLENS_CAPTURE_UPROBE_H

#include <stdbool.h>
#include <stddef.h>

/* A perf event on an instruction of a file, for all processes, not enabled. Descriptor, or negative errno. */
int uprobe_open(const char *path, size_t offset, bool at_return);
/* From here on the loaded program prog_fd runs at it. 0 or negative errno. */
int uprobe_run(int event, int prog_fd);

#endif
