/* SPDX-License-Identifier: MIT */
/* An RST between those who find out why it was sent (rst.c) and those who say it (rst_say.c). */
#ifndef SOCKLENS_EXPLAIN_RST_H
#define SOCKLENS_EXPLAIN_RST_H

#include "inside.h"

/* Why it was sent: numbers of rules. */
enum rst_way {
	RST_UNREAD,
	RST_LATE,
	RST_SHUT,
	RST_LINGER,
	RST_LISTENER,
	RST_PORT,
	RST_TIME_WAIT,
	RST_GONE,
	RST_KEEPALIVE,
	RST_DISCONNECT,
	RST_ABORTED,
	RST_OTHER,
	RST_PEER,
	RST_TIMEOUT
};

/* An RST and who is at its ends. */
struct shot {
	const struct step *s;
	struct note *n;		       /* its sender, NULL: no socket */
	struct note *to;	       /* its receiver, NULL: out of sight */
	const struct ledger *out, *in; /* as its sender sees them */
	const char *reason;	       /* of the kernel, without "TCP_"; NULL: none */
	bool established;
	bool time_wait; /* only a time-wait entry answered */
};

/* Bytes its sender had received and nobody read. */
__u64 rst_unread(const struct shot *k);
/* Did the first happen, and after the second, if that happened? n may be NULL. */
bool rst_after(const struct note *n, enum mark_kind later, enum mark_kind earlier);
/* The end of the listener on which n waited; NULL: it lives, or n was accepted. */
const struct mark *rst_listener_end(const struct explain *x, const struct note *n);
/* Cause, remedy and evidence of one that was sent; who = its sender in words. */
void rst_say(struct explain *x, struct verdict *v, enum rst_way way, const struct shot *k,
	     const char *who);
/* For how long nothing came in, at most until now. Returns buf. */
char *fmt_silence(char *buf, size_t size, const struct note *n, __u64 now_ns);

#endif
