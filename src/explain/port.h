/* SPDX-License-Identifier: MIT */
/*
 * Who holds a port of a namespace: sockets by the notebook, and the time-wait entries that outlive
 * their sockets.
 *
 * Two sockets of one port get along when both have SO_REUSEADDR and the other one does not listen, or
 * when both have SO_REUSEPORT (net/ipv4/inet_connection_sock.c, inet_bind_conflict). An accepted socket
 * has the options its listener had when the connection came, and hands them to its time-wait entry.
 */
#ifndef SOCKLENS_EXPLAIN_PORT_H
#define SOCKLENS_EXPLAIN_PORT_H

#include "inside.h"

#define TIME_WAITS 256

/* What decides whether two sockets of one port get along. */
struct claims {
	bool known; /* false: set before the trace began, perhaps */
	bool reuseaddr, reuseport, v6only;
};

/* An entry that outlives its socket. */
struct time_wait {
	__u64 id, t_ns; /* of the step that began it; id 0: free */
	struct ev_addr src, dst;
	__u32 netns;
	struct claims claims;
};

/* What the family "bind" keeps for each socket, and in all. */
struct port_note {
	bool inherited; /* claims are its listener's, of when it was born */
	struct claims claims;
};
struct port_state {
	struct time_wait waits[TIME_WAITS];
	unsigned int next; /* where the next one goes */
};

/* The port somebody wanted and did not get. */
struct wanted {
	struct ev_addr at;
	const struct note *n;
	struct claims claims;
};

/* What has it, in order of how hard it is to argue with. */
enum hold { HOLD_NONE, HOLD_TIME_WAIT, HOLD_LIVING, HOLD_BOUND, HOLD_LISTENER };

struct found {
	enum hold hold;
	const struct note *n;	   /* NULL: a time-wait entry */
	const struct time_wait *w; /* the latest */
	struct claims claims;
	unsigned int many; /* of that kind */
};

void port_step(struct explain *x, const struct step *s, struct note *n);
struct claims port_claims(const struct explain *x, const struct note *n);
/* What keeps `want` from having its port. */
struct found port_find(const struct explain *x, const struct wanted *want);
/* The entry of a four-tuple that is still there, NULL: none known. */
const struct time_wait *port_time_wait(const struct explain *x, __u32 netns,
				       const struct ev_addr *src, const struct ev_addr *dst);

#endif
