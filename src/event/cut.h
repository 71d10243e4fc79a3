/* SPDX-License-Identifier: MIT */
/*
 * The end of a trace is one moment, although probes are detached one after the other: what the last of them still tell,
 * without the others, would be bytes that no call sent.
 */
#ifndef SOCKLENS_EVENT_CUT_H
#define SOCKLENS_EVENT_CUT_H

#include <stdbool.h>

#include "event.h"

/*
 * Makes of a record what was true of it at end_ns (boot clock). False: nothing, leave it out. A call that had begun is
 * then in progress, with neither results nor levels; a process or socket that is told of is known already at end_ns.
 * A record may become shorter: e->size.
 */
bool cut_record(struct event *e, __u64 end_ns);

#endif
