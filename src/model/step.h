/* SPDX-License-Identifier: MIT */
/* What every reader of steps asks of one. */
#ifndef SOCKLENS_MODEL_STEP_H
#define SOCKLENS_MODEL_STEP_H

#include "model.h"

/* The kernel's counters at this step, NULL where its record has none. */
const struct levels *step_levels(const struct step *s);
const struct conn *step_conn(const struct step *s); /* NULL: none yet */
__u32 step_sid(const struct step *s);		    /* 0: no socket */
enum role step_role(const struct step *s);	    /* as known now, not only as known then */
/* Whose socket the step is about: of a segment that arrives, not that of its sender. */
enum role step_own_role(const struct step *s);
/* Words of JSON and SQL; static. */
const char *step_kind_word(const struct step *s); /* "call", "segment", ..., "summary", "lost" */
const char *layer_word(enum layer layer);	  /* "app" */
const char *phase_word(enum phase phase);	  /* "enter" */
const char *conn_how_word(enum conn_end how);	  /* "fin" */
const char *conn_end_word(int end);		  /* "client", "server"; "" for -1 */
bool step_in_gai(const struct step *s);		  /* a call that libc makes inside getaddrinfo */
const char *conn_kind(const struct conn *c);	  /* "TCP", "UDP", "unix" */
/* The number users know a socket by: the cookie, or one above all cookies; 0: no socket. */
__u64 sock_number(const struct sock *s);
/* The process at that end, or the one that listens for it; 0: unknown. */
__u32 conn_pid(const struct conn *c, int end);
/* STEP_SUMMARY: from its first event to its last, or to the end of the trace. */
__u64 conn_lasted_ns(const struct step *s);
/* One end's address or path, escaped. Returns buf. */
char *fmt_end(char *buf, size_t size, const struct conn *c, int end);

#endif
