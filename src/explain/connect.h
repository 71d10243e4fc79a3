/* SPDX-License-Identifier: MIT */
/* connect() between those who follow it (connect.c), know its names and look for what was meant. */
#ifndef SOCKLENS_EXPLAIN_CONNECT_H
#define SOCKLENS_EXPLAIN_CONNECT_H

#include "../event/decode.h"
#include "families.h"

#define NAMES_MAX 8	/* answers of getaddrinfo() remembered */
#define NAME_ADDRS 8	/* addresses of one */
#define REFUSALS_MAX 16 /* refusals remembered */

/* Numbers of rules. */
enum connect_rule {
	CONNECT_REFUSED,
	CONNECT_ADDRESS,
	CONNECT_BOUND,
	CONNECT_SWAPPED,
	CONNECT_GONE,
	CONNECT_UNIX,
	CONNECT_TIMEOUT,
	CONNECT_FULL,
	CONNECT_NO_PORT,
	CONNECT_UNREACHABLE,
	CONNECT_AGAIN,
	CONNECT_SELF,
	CONNECT_EARLY,
	CONNECT_LATER,
	CONNECT_STARTED,
	CONNECT_NEXT,
	BIND_SWAPPED
};
extern const struct rule connect_rules[];

/* The latest connect() of a socket that began something: what is kept of the socket. */
struct attempt {
	struct ev_addr to; /* family 0: there was none */
	__u64 enter_id, t_ns;
	__s64 syns;   /* that had left this socket before */
	__u64 rst_id; /* EV_RST_SENT that answered it, 0 = none seen */
	__u32 pid;
	__s32 fd;
	bool open; /* returned, and its outcome is not known */
	bool up;   /* it led to a connection */
	bool early[2]; /* of a listener: told that connections wait; for less, for more than blocked_ns */
};

/* One answer of getaddrinfo(), and what became of its addresses. */
struct name {
	__u32 pid;
	__u64 id;
	char node[40]; /* escaped; "" = none was asked for */
	unsigned int n;
	bool told;
	struct {
		struct ev_addr at;
		int err; /* positive errno of connect(), 0 = none yet */
		__u64 id;
	} addr[NAME_ADDRS];
};

/* A port of this machine that refused somebody. */
struct refusal {
	__u64 id;
	__u32 pid, netns;
	__u16 port;
	const struct rule *rule;
};

struct connect_state {
	struct name names[NAMES_MAX];
	unsigned int next_name;
	struct refusal refusals[REFUSALS_MAX];
	unsigned int next_refusal;
	struct heard started; /* of CONNECT_STARTED */
};

struct connect_state *connect_state(const struct explain *x);

/* connect_failed.c: cause, remedy and evidence */
void connect_timeout(struct explain *x, struct verdict *v, const struct note *n,
		     const struct attempt *a);
void connect_no_port(struct explain *x, struct verdict *v, const struct note *n,
		     const struct attempt *a);
void connect_unreachable(struct verdict *v, const struct note *n, const struct attempt *a);
void connect_again(struct verdict *v, const struct note *n, const struct attempt *a, int err);
/* AF_UNIX: the answer is in the file system. Tells it. */
int connect_no_path(struct explain *x, const struct step *s, struct note *n,
		    const struct event_call *c);

/* connect_names.c */
void names_answered(struct explain *x, const struct step *s);
/* The address failed; true if the program has another one to try. */
bool names_failed(struct explain *x, const struct attempt *a, int err, __u64 id);
/* It works: told if another address of that name was tried in vain before. */
int names_worked(struct explain *x, const struct step *s, const struct attempt *a);

/* connect_refused.c: rule, cause, remedy and evidence of a refusal */
const struct rule *refused_why(const struct explain *x, const struct note *n,
			       const struct attempt *a, const struct note **meant);
void refused_say(struct explain *x, struct verdict *v, const struct note *n,
		 const struct attempt *a, const struct note *meant);
/* bind() worked; is it the twin, bytes swapped, of a port that is in use or was asked for? */
int bind_look(struct explain *x, const struct step *s, const struct event_call *c);

#endif
