/* SPDX-License-Identifier: MIT */
/*
 * Ordering: records come out of the ring by the time they were *finished*; the time line wants
 * them by the time they *happened*. A finished call is one record and two moments.
 *
 * The stage keeps what is younger than a horizon and releases the rest sorted by time (ties: by
 * arrival). The horizon is given from outside with order_tick(), which the live reader calls with
 * "now minus the settling time" after it has looked at the calls in progress; ticks are part of a
 * recording, so that live and replayed streams leave this stage in exactly the same order. A record
 * that comes later than its horizon (or is EVF_EARLY) is released at the next tick, before younger ones.
 *
 * An EV_CALL or EV_GAI record gives PHASE_ENTER (t = t_enter) and PHASE_EXIT (t = t_ns). One with
 * CALLF_PENDING gives PHASE_ENTER only; when its final record comes, the (tid, t_enter) match
 * makes that one give PHASE_EXIT only. CALLF_BY_EXIT / BY_EXEC calls and all other kinds: PHASE_POINT.
 */
#ifndef SOCKLENS_EVENT_ORDER_H
#define SOCKLENS_EVENT_ORDER_H

#include <stdbool.h>

#include "event.h"

enum phase { PHASE_POINT = 0, PHASE_ENTER = 1, PHASE_EXIT = 2 };

struct moment {
	const struct event *ev; /* valid during the callback */
	enum phase phase;
	__u64 t_ns;	/* boot clock, of this moment */
	bool exit_known; /* PHASE_ENTER: the same record also gives the exit, soon */
	bool was_pending; /* PHASE_EXIT: the entry was released from a pending record */
};

/* Returns 0 to go on, anything else stops and is handed up. */
typedef int (*moment_fn)(void *ctx, const struct moment *m);

struct order;
struct order *order_new(moment_fn fn, void *ctx); /* NULL: out of memory */
void order_free(struct order *o);
int order_push(struct order *o, const struct event *ev); /* copies; -ENOMEM or 0 */
int order_tick(struct order *o, __u64 horizon_ns);	  /* release everything up to it */
int order_flush(struct order *o);			  /* release everything */

#endif
