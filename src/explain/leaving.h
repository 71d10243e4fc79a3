/* SPDX-License-Identifier: MIT */
/*
 * How an end let go of its socket, and why its kernel sent an RST: what the families about the end
 * of a conversation say in the same words.
 */
#ifndef SOCKLENS_EXPLAIN_LEAVING_H
#define SOCKLENS_EXPLAIN_LEAVING_H

#include "inside.h"

/* The moment it stopped sending: shutdown(SHUT_WR), close(), exit or exec, whichever came first.
 * NULL: not seen, or n is NULL. */
const struct mark *note_left(const struct note *n);
/* The same without shutdown(): it has let go of the socket. */
const struct mark *note_closed(const struct note *n);
/* Nobody reads there any more: closed, or shut down in both directions. */
const struct mark *note_deaf(const struct note *n);
bool left_by_shutdown(const struct note *n, const struct mark *left);
/* The process ended or runs another program. */
bool left_by_end(const struct note *n, const struct mark *left);
/* "called close(3)", "exited (status 0)", "was killed by signal 9"; left NULL: "left". Returns buf. */
char *fmt_left(char *buf, size_t size, const struct explain *x, const struct note *n,
	       const struct mark *left);

enum reset_cause {
	RESET_OUT_OF_SIGHT,
	RESET_LINGER,	    /* close() with SO_LINGER 0 */
	RESET_UNREAD,	    /* close() with unread data */
	RESET_LATE,	    /* data came after close() */
	RESET_SHUT,	    /* data came after shutdown(SHUT_RDWR) */
	RESET_NOT_ACCEPTED, /* the listener was closed first */
	RESET_SENT,	    /* none of these is known */
};

/* Why this end sent its RST; n NULL: an end out of sight. */
enum reset_cause reset_cause(const struct explain *x, const struct note *n);
/* "the server (x 12) called close(4) with 4 bytes unread" */
char *fmt_reset(char *buf, size_t size, const struct explain *x, const struct note *n);
/* n got the RST of peer, which may be NULL. */
void verdict_prove_reset(struct verdict *v, const struct explain *x, const struct note *n,
			 const struct note *peer);

#endif
