/* SPDX-License-Identifier: MIT */
/*
 * Where the times of the text count from: the first moment it shows. What quotes its lines far from them
 * (evidence of verdicts and checks) counts from there, too, so that a line can be found again.
 */
#ifndef SOCKLENS_RENDER_ZERO_H
#define SOCKLENS_RENDER_ZERO_H

#include "render.h"

struct zero {
	__u64 t_ns; /* boot clock; where tracing began if the text shows nothing */
	bool known;
};

/* A view of the pipeline that finds it; its sink is the struct zero. */
extern const struct renderer render_zero;

#endif
