/* SPDX-License-Identifier: MIT */
/* The families of verdicts: one file each, and one row in explain.c. */
#ifndef SOCKLENS_EXPLAIN_FAMILIES_H
#define SOCKLENS_EXPLAIN_FAMILIES_H

#include "inside.h"

extern const struct family explain_eof; /* a receive call returned 0 */
extern const struct family
	explain_connect; /* connect(): refused, unanswered, later, twice, to itself; ports without htons() */
extern const struct family explain_rst; /* who sent an RST and why, and what it destroyed */
extern const struct family
	explain_bytes; /* send returned: where its bytes are, and what becomes of them */
extern const struct family explain_bounds;  /* k writes, n segments, m reads */
extern const struct family explain_amounts; /* a call moved another amount than was asked for */
extern const struct family explain_block;   /* a call waits */
extern const struct family explain_fin;	    /* close() without a FIN */
extern const struct family explain_pipe;    /* EPIPE, SIGPIPE, ECONNRESET */
extern const struct family explain_ends;    /* TIME_WAIT, CLOSE_WAIT, FIN_WAIT2, dead on accept() */
extern const struct family explain_queue;   /* the accept queue */
extern const struct family explain_nagle;   /* a small segment waits for an ACK */
extern const struct family explain_bind;    /* EADDRINUSE: who holds the port */
extern const struct family explain_name;    /* other names that cannot be had */
extern const struct family explain_fd;	   /* descriptors: none left, closed before, never closed */
extern const struct family explain_misuse; /* calls that do not suit the socket */
extern const struct family explain_again;  /* EAGAIN, EINTR */
extern const struct family explain_buffers; /* SO_RCVBUF and SO_SNDBUF */
extern const struct family explain_udp;	    /* datagrams: cut, dropped, unwanted, unread */

/* fin.c: who talked on it has closed it, and somebody else keeps it open: no FIN comes. */
bool fin_missing(const struct note *n);

#endif
