/* SPDX-License-Identifier: MIT */
/* The families of verdicts: one file each, and one row in explain.c. */
#ifndef SOCKLENS_EXPLAIN_FAMILIES_H
#define SOCKLENS_EXPLAIN_FAMILIES_H

#include "inside.h"

extern const struct family explain_eof; /* a receive call returned 0 */
extern const struct family explain_connect; /* connect(): refused, unanswered, later, twice, to itself; ports without htons() */
extern const struct family explain_rst; /* who sent an RST and why, and what it destroyed */
extern const struct family explain_bytes; /* send returned: where its bytes are, and what becomes of them */
extern const struct family explain_bounds; /* k writes, n segments, m reads */
extern const struct family explain_amounts; /* a call moved another amount than was asked for */
extern const struct family explain_block; /* a call waits */
extern const struct family explain_fin; /* close() without a FIN */
extern const struct family explain_pipe; /* EPIPE, SIGPIPE, ECONNRESET */
extern const struct family explain_ends; /* TIME_WAIT, CLOSE_WAIT, FIN_WAIT2, dead on accept() */
extern const struct family explain_queue; /* the accept queue */
extern const struct family explain_nagle; /* a small segment waits for an ACK */

#endif
