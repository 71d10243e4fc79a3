/* SPDX-License-Identifier: MIT */
/*
 * The live kernel as a source: loads the BPF object, attaches what this kernel offers, seeds what
 * existed before, and yields frames (META, BATCH, TICK, LOSS, END).
 */
#ifndef SOCKLENS_CAPTURE_H
#define SOCKLENS_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "../record/frame.h"

enum backend { BACKEND_AUTO = 0, BACKEND_FENTRY = 1, BACKEND_KPROBE = 2, BACKEND_TRACEPOINT = 3 };

/* What a trace may take of the kernel's memory; 0 = the default. */
struct map_sizes {
	size_t ring_bytes; /* of records that wait to be read; a power of two, at least a page */
	__u32 sockets;	   /* followed at once */
};

struct capture_opts {
	enum backend backend;
	unsigned int layers; /* LAYER_* of event/decode.h */
	bool all;	     /* the whole machine, AF_UNIX included */
	const __u32 *pids;   /* -p, as this process sees them; threads and later children included */
	size_t n_pids;
	__u32 command_pid;   /* the child waiting to run the COMMAND to follow, 0 = none */
	const char *comm;    /* -n: shell glob (* ? only), NULL = any; at most 15 bytes */
	__u16 port, lport, rport; /* host order, 0 = any */
	const __u32 *netns;  /* inode numbers */
	size_t n_netns;
	struct map_sizes sizes;
};

/* Why nothing can be traced: one sentence each, and what to do about it. */
struct capture_error {
	char what[256];
	char remedy[256];
};

struct capture;

/*
 * Load, attach, seed. NULL with *err filled. Needs CAP_BPF and CAP_PERFMON; what comes after needs no right, but
 * see the next two.
 */
struct capture *capture_open(const struct capture_opts *opts, struct capture_error *err);
/* The source of its frames; belongs to the capture, do not close it apart. */
struct source *capture_source(struct capture *c);
/* Safe in a signal handler's wake: no new events; the source drains what there is, gives END, then 0. */
void capture_stop(struct capture *c);
/* The same when 20 ms have passed without a record, 100 ms from now at the latest. */
void capture_finish(struct capture *c);
void capture_close(struct capture *c); /* NULL is accepted */

/*
 * May this process still ask the kernel what a running trace asks? 0 or negative errno. Before Linux 5.19 (commit
 * c8644cd0efe7) CAP_BPF is needed for that where kernel.unprivileged_bpf_disabled is set.
 */
int capture_try(const struct capture *c);
/*
 * Are C libraries of later processes looked for, to see getaddrinfo? Of another user's processes that takes
 * CAP_SYS_PTRACE, and CAP_DAC_READ_SEARCH where the library lies in a directory of theirs alone.
 */
bool capture_finds_libcs(const struct capture *c);
/* C libraries that were met and could not be probed: their getaddrinfo was not seen. *why is of the last one. */
unsigned int capture_missed_libcs(const struct capture *c, const char **why);
/* Namespaces of labs that a bare run had no room for at once, at most. */
unsigned int capture_missed_labs(const struct capture *c);

/* For `trace doctor`: one row per moment of the probe table. */
struct capture_row {
	const char *moment; /* "a connection changes state" */
	const char *seen_by; /* "tp_btf/inet_sock_set_state", NULL = not seen */
	const char *why;     /* of a missing or second-best way, NULL = nothing to say */
	const char *cost;    /* what the user loses by it, NULL = nothing */
	bool needed;	     /* tracing without it makes no sense */
	bool not_asked;	     /* left out by choice: something else tells the same (see why) */
};
/* Really attaches (and detaches) everything. Returns the number of rows, or negative errno with *err filled. */
int capture_probe_rows(enum backend backend, const struct capture_row **rows, struct capture_error *err);

const char *backend_name(enum backend b);
int backend_parse(const char *word); /* enum backend, or -EINVAL */

#endif
