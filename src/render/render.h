/* SPDX-License-Identifier: MIT */
/*
 * A renderer turns steps into one kind of output. It never calls libbpf or SQLite and never looks at
 * the clock: the same steps and ticks give the same bytes, live and replayed.
 */
#ifndef SOCKLENS_RENDER_H
#define SOCKLENS_RENDER_H

#include <stdbool.h>
#include <stdio.h>

#include "../explain/explain.h"
#include "../model/model.h"
#include "../record/frame.h"

enum stamp { STAMP_RELATIVE = 0, STAMP_CLOCK = 1 /* -t: HH:MM:SS.mmm */, STAMP_DATE = 2 /* -tt: ISO 8601, UTC, us */ };

struct view {
	FILE *out; /* NULL for a consumer that is no stream: see sink */
	unsigned int width; /* columns, 0 = do not limit */
	bool color;
	bool tty;	    /* box drawing and UTF-8 allowed; else plain ASCII */
	bool line_flush;    /* flush after each line; else the caller flushes, after each tick */
	unsigned int layers; /* LAYER_* to show */
	enum stamp stamp;
	bool no_verdicts;    /* do not tell why things happened */
	void *sink;	     /* where a consumer that is no stream puts it */
};

/* From the recording's or live source's META frames. Strings live as long as the session. */
struct session_meta {
	__u64 start_boot_ns, start_unix_ns;
	const char *kernel, *backend, *version, *scope;
	const char *const *probes; /* "name=how" strings, NULL-terminated */
	const char *const *notes; /* "lab.NAME=value" and "said.N=line", added by ./lab; likewise */
};

struct render;

/* open and close there must be; what else is NULL it does not want to know. */
struct renderer {
	const char *name; /* as the option says: "text", "json" */
	struct render *(*open)(const struct view *v, const struct session_meta *meta); /* NULL: out of memory */
	int (*step)(struct render *r, const struct step *s);	 /* 0, or -EPIPE and the like */
	/* After the step it belongs to, not always at once. */
	int (*verdict)(struct render *r, const struct verdict *v);
	int (*tick)(struct render *r, __u64 horizon_ns); /* nothing older comes: show what was held back */
	int (*loss)(struct render *r, const struct frame_loss *l); /* totals so far changed */
	/* End of the stream: last lines, the trailer. complete = 0: the recording was cut. */
	int (*finish)(struct render *r, const struct frame_loss *total, bool complete);
	void (*close)(struct render *r);
};

extern const struct renderer render_text, render_json;
const char *render_json_schema(void); /* the document behind --json-schema */

#endif
