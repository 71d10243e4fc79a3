/* SPDX-License-Identifier: MIT */
/*
 * An output that waits for its reader, a stopped terminal or a pager, for as long as that takes; but not when somebody
 * wants an end: then what is left is given up, so that a signal is never in vain.
 */
#ifndef SOCKLENS_CMD_PATIENT_H
#define SOCKLENS_CMD_PATIENT_H

#include <stdbool.h>
#include <stdio.h>

struct patient {
	int fd;
	bool (*hurry)(void); /* asked whenever a signal interrupts the waiting */
	bool gave_up;	     /* nothing is written any more; writing fails with EINTR */
};

/* A stream on p->fd, which stays the caller's; p must live until fclose(). NULL with errno. */
FILE *patient_open(struct patient *p);

/* Would writing one line wait? */
bool patient_stuck(int fd);

#endif
