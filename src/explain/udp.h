/* SPDX-License-Identifier: MIT */
/* What the files of the family "udp" share. Those that return int: 0, or what telling a verdict returned. */
#ifndef SOCKLENS_EXPLAIN_UDP_H
#define SOCKLENS_EXPLAIN_UDP_H

#include "families.h"

enum udp_rule {
	UDP_TRUNCATED,
	UDP_DROPPED,
	UDP_DROPS,
	UDP_FILTERED,
	UDP_REFUSED,
	UDP_NOBODY,
	UDP_STRANGER,
	UDP_STOPPED,
	UDP_LOST,
	UDP_UNREAD,
	UDP_CONNECT,
	UDP_RULES
};
extern const struct rule udp_rules[UDP_RULES];

/* Of a socket. */
struct udp_note {
	__u64 came, queued, read, dropped; /* datagrams */
	__u64 dropped_bytes;
	struct mark first_drop, last_drop;
	struct mark error;  /* EV_SOCK_ERROR; n = errno */
	struct mark out;    /* the datagram that had left last when it came; n = bytes */
	struct mark nobody; /* the latest datagram of this socket that nobody took */
	int due;	    /* EV_UDP_DROP less EV_SKB_DROP */
	bool summed_up;
};

/* udp.c */
struct udp_note *udp_own(const struct explain *x, struct note *n);
struct mark udp_mark(const struct step *s, __s64 n);

/* udp_drop.c: the receiver's socket did not take it. At EV_UDP_DROP, EV_SKB_DROP */
int udp_dropped(struct explain *x, const struct step *s, struct note *n);
/* The end of a socket that dropped more than one: how many of how many. */
int udp_sum_up(struct explain *x, struct note *n, __u64 id, __u64 t_ns);

/* udp_nobody.c: no socket took it, and who learns of that */
int udp_no_socket(struct explain *x, const struct step *s);
void udp_note_error(struct explain *x, const struct step *s, struct note *n);
int udp_refused(struct explain *x, const struct step *s, const struct event_call *c,
		struct note *n);

#endif
