/* SPDX-License-Identifier: MIT */
/*
 * Showing a recording slowly: by its own clock, or line by line. Changes when bytes appear, never
 * which.
 */
#ifndef SOCKLENS_CMD_PACE_H
#define SOCKLENS_CMD_PACE_H

#include <stdbool.h>
#include <stdio.h>
#include <termios.h>

#include "render/render.h"

struct pace {
	double speed;
	__u64 first_ns, began_ns; /* of the recording; the same moment on our clock */
	FILE *slow;		  /* step: the stream that waits after each line, else NULL */
	FILE *real;		  /* and where its lines go */
	FILE *keys;		  /* and what it waits for */
	bool quit;		  /* q was pressed: nothing more is written */
	bool raw;		  /* keys is a terminal that we have set */
	struct termios before;
};

/*
 * step: redirects v->out and waits for keys on standard input, or on the terminal where that is
 * taken. 0 or negative errno. pace_end() takes back whatever was done.
 */
int pace_start(struct pace *p, double speed, bool step, bool stdin_taken, struct view *v);
void pace_end(struct pace *p);

/* A pipeline_pace() function: sleep until the recording's t_ns is due. ctx is the struct pace. */
void pace_until(void *ctx, __u64 t_ns);

#endif
