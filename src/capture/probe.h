/* SPDX-License-Identifier: MIT */
/*
 * The probe table: for each kernel moment the ways to see it, best first. Adding a way is one program
 * in bpf/probes/ and one row here.
 */
#ifndef SOCKLENS_CAPTURE_PROBE_H
#define SOCKLENS_CAPTURE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "capture.h"
#include "event/decode.h"

/* Begins a reason that is a choice and no lack. */
#define NOT_ASKED "not needed: "

#define WAYS_MAX 4
#define PROGRAMS_MAX 4

/* One way to see a moment: a group of programs that make sense only together. */
struct way {
	enum backend backend;
	const char *sites; /* for people: "tp_btf/sys_enter, sys_exit" */
	const char *programs[PROGRAMS_MAX]; /* names in the BPF object, NULL-terminated */
	const char *btf;   /* type that the kernel's BTF must have, NULL = none; saves a failed load */
	int btf_args;	   /* arguments that type's function must have, 0 = any */
};

struct moment_row {
	const char *name;
	enum event_kind kind; /* what its records are counted under */
	const char *cost; /* what the user loses without it */
	unsigned int layers; /* LAYER_* that want it, 0 = all */
	unsigned int instead; /* LAYER_* that tell the same, so that it is not needed beside them */
	const char *unless; /* a name in the kernel's type information that tells that it is not needed */
	const char *unless_why;
	bool needed;
	bool optional_note; /* absent on older kernels in the ordinary course: no reason to alarm */
	struct way ways[WAYS_MAX];
};

extern const struct moment_row probe_table[]; /* ends with a NULL name */
#define MOMENTS_MAX 40

/* Outcome for one moment on this kernel. */
struct probe_state {
	int way;	   /* index of the way in use, -1 = none */
	char why[WAYS_MAX][128]; /* reason a way was passed over, "" = it was not tried */
};

/* Left out by choice: why[0] says so. */
static inline bool probe_not_asked(const struct probe_state *s)
{
	return s->way < 0 && !strncmp(s->why[0], NOT_ASKED, strlen(NOT_ASKED));
}

#endif
