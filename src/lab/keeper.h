/* SPDX-License-Identifier: MIT */
/*
 * Inside of the arena: its first process, which arranges it, starts the script, collects what ends,
 * and takes everything with it when it is killed.
 */
#ifndef SOCKLENS_LAB_KEEPER_H
#define SOCKLENS_LAB_KEEPER_H

#include "arena.h"

enum keeper_what { KEEPER_READY, KEEPER_FAILED, KEEPER_ENDED, KEEPER_CROWD };

/* What it tells ./lab, one write each. */
struct keeper_says {
	enum keeper_what what;
	int value;     /* FAILED: negative errno; ENDED: status of wait(2) */
	char step[48]; /* FAILED: what it was about */
};

struct keeper {
	const struct arena_plan *plan;
	int go, says, out; /* descriptors */
	uid_t uid;	   /* of the script */
};

/* The life of the first process: never returns. */
void keeper_live(const struct keeper *k) __attribute__((noreturn));

#endif
