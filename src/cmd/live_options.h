/* SPDX-License-Identifier: MIT */
/*
 * The command line of a live run.
 */
#ifndef SOCKLENS_CMD_LIVE_OPTIONS_H
#define SOCKLENS_CMD_LIVE_OPTIONS_H

#include <stdbool.h>

#include "capture/capture.h"
#include "target.h"
#include "view.h"

struct live_options {
	struct target target;
	struct view_options view;
	enum backend backend;
	bool all;
	bool text; /* --text: a view although there is a recording */
	bool help;
	bool version;
	const char *out;    /* -o, NULL = not given; all strings are argv's */
	const char *record; /* -w */
	__u64 duration_ns;  /* 0 = no limit */
	__u64 events;	    /* 0 = no limit */
	struct map_sizes sizes;
	int ready_fd;	/* -1 = none */
	char **command; /* NULL-terminated, NULL = none */
};

/* 0, or -EINVAL with one sentence in err. */
int live_options_parse(struct live_options *o, int argc, char **argv, char *err, size_t err_size);
void live_options_help(FILE *out);

#endif
