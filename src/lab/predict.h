/* SPDX-License-Identifier: MIT */
/*
 * What a learner predicted, and what the run says about it.
 */
#ifndef SOCKLENS_LAB_PREDICT_H
#define SOCKLENS_LAB_PREDICT_H

#include "lab.h"

/*
 * The trace is shown to whoever has predicted. Asks for it now where somebody sits at the terminal. 0,
 * or the exit status, after saying what to do first.
 */
int predict_first(struct session *s);

/*
 * Each question of the lab: what was predicted, which lines of the recording settle it, what the
 * prediction believed. Exit status: 2 if the recording settles nothing, because events were lost or it went
 * another way than this experiment does.
 */
int predict_compare(struct session *s, const char *recording);

#endif
