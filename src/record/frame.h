/* SPDX-License-Identifier: MIT */
/*
 * Frames: what a source (live kernel or recording) hands to the pipeline, and what a recording is
 * made of. A recording is the file header and then frames, each {u32 type, u32 length, payload,
 * zero padding to 8}; all little-endian. See src/record/FORMAT.md.
 */
#ifndef SOCKLENS_RECORD_FRAME_H
#define SOCKLENS_RECORD_FRAME_H

#include <linux/types.h>
#include <stddef.h>

enum frame_type {
	FRAME_META = 1,	 /* "key\0value\0" pairs, see enum below; keys only grow */
	FRAME_BATCH = 2, /* records of event.h one after the other */
	FRAME_TICK = 3,	 /* struct frame_tick */
	FRAME_LOSS =
		4, /* struct frame_loss: a row per event kind that lost anything; totals so far */
	FRAME_END = 5, /* struct frame_end: written when tracing ended in order */
};

struct frame_tick {
	__u64 horizon_ns; /* boot clock: everything up to here may be shown */
};

struct frame_loss {
	__u64 t_ns;
	__u64 seen[32]; /* by enum event_kind: records that were delivered to the ring */
	__u64 lost[32]; /* reservations that failed, or state that did not fit */
};

struct frame_end {
	__u64 t_ns;
	__u64 events; /* records in all batches */
	__u64 lost;
};

struct frame {
	enum frame_type type;
	const void *data; /* valid until the next call of the source */
	size_t len;	  /* bytes */
};

/*
 * Meta keys: "version" (of socklens), "kernel", "machine", "backend", "start_boot_ns", "start_unix_ns" (the
 * same moment on both clocks: the anchor), "scope" (words), "layers", "command", "probe.NAME" = how it is seen
 * or "missing: why", "rst_reason.N", "drop_reason.N" = name; added
 * by ./lab, "lab.NAME" = what an exercise was run with, "said.N" = a line its programs printed.
 */

/* A stream of frames: the live kernel and a recording are both one. */
struct source {
	/* Next frame. 1 = *f is filled, 0 = the stream ended, -EINTR = interrupted (look at your flags and
	 * call again), other negative errno = broken. */
	int (*next)(struct source *s, struct frame *f);
	void (*close)(struct source *s); /* frees it */
};

#endif
