/* SPDX-License-Identifier: MIT */
/*
 * Signals as the main loop sees them. A handler only notes what came; so that one arriving just
 * before the loop sleeps is not missed, it also starts a timer that interrupts again until
 * signals_seen() is called.
 */
#ifndef SOCKLENS_CMD_SIGNALS_H
#define SOCKLENS_CMD_SIGNALS_H

#include <linux/types.h>
#include <stdbool.h>

/* Note SIGINT, SIGTERM, SIGHUP, SIGCHLD from now on; ignore SIGPIPE. 0 or negative errno. */
int signals_start(void);

/* Interrupt the loop after ns from now, once. 0 = not at all. */
void signals_wake_after(__u64 ns);

/* What came so far. */
struct signals {
	int count;	    /* requests to end */
	int last;	    /* the latest of them */
	bool from_terminal; /* it was sent by the terminal, to every process in the foreground */
	bool child;	    /* a child changed since the last look */
};
struct signals signals_seen(void);

/* A request to end is a second old, or came twice: nothing may block any more. */
bool signals_hurry(void);

/* End this process by that signal, without a core file, as if it had never been caught. */
void signals_die_of(int sig) __attribute__((noreturn));

#endif
