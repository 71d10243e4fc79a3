/* SPDX-License-Identifier: MIT */
/*
 * Capabilities: which are needed and what for, and giving them up, for good, once they are not.
 */
#ifndef SOCKLENS_CMD_RIGHTS_H
#define SOCKLENS_CMD_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "invoker.h"

struct right {
	int cap; /* CAP_* */
	const char *name;
	bool needed;	  /* nothing works without it */
	const char *what; /* what it is for: "loads the probes" */
	const char *cost; /* what is lost without it */
};
extern const struct right rights_table[]; /* ends with a NULL name */

bool rights_have(const struct right *r);
/* Names of what tracing needs and this process lacks, joined by commas. Returns how many. */
size_t rights_missing(char *names, size_t size);

/*
 * Until rights_raise(), or for good: act with the user's own rights. Does nothing to root, whose rights are its own.
 */
void rights_lower(void);
void rights_raise(void);

/* Rights that a trace without COMMAND keeps, to look into processes of other users: see capture_finds_libcs(). */
enum rights_kept { RIGHTS_NONE, RIGHTS_LOOK };

/*
 * For good: become the invoking user, keep no capability but those, in no set, and never gain one again
 * (no_new_privs, which children inherit: fork COMMAND before). enough() is asked then whether the kernel is
 * content with that; if not, CAP_BPF stays, too. NULL: it is not asked. 0 or negative errno; then the
 * process must end.
 */
int rights_settle(const struct invoker *who, enum rights_kept kept, bool (*enough)(void *ctx),
		  void *ctx);

#endif
