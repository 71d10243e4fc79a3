/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of a process, as far as they are sockets. Threads live in their process's table;
 * processes made with CLONE_FILES share one; others get a copy at fork.
 */
#ifndef SOCKLENS_MODEL_FDTABLE_H
#define SOCKLENS_MODEL_FDTABLE_H

#include "inside.h"

int fdtable_set(struct model *m, struct mproc *p, int fd, __u32 sid, bool cloexec); /* or -ENOMEM */
__u32 fdtable_get(const struct mproc *p, int fd); /* sid, 0 = none */
void fdtable_drop(struct model *m, struct mproc *p, int fd);
void fdtable_set_cloexec(struct mproc *p, int fd, bool cloexec);
int fdtable_fork(struct model *m, struct mproc *parent, struct mproc *child, bool share);
int fdtable_exec(struct model *m, struct mproc *p); /* drop what is close-on-exec */
void fdtable_exit(struct model *m, struct mproc *p);
/* The lowest descriptor from `from` on that is this socket, -1: none. */
int fdtable_find(const struct mproc *p, __u32 sid, int from);
size_t fdtable_count(const struct mproc *p);

#endif
