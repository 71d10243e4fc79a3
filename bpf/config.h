/* SPDX-License-Identifier: MIT */
/*
 * What user space tells the BPF object before loading (const: the verifier removes dead branches)
 * and what both count together. Both sides include it.
 */
#ifndef SOCKLENS_CONFIG_H
#define SOCKLENS_CONFIG_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define SYSCALL_MAX 512
#define LAYER_BIT_APP 1 /* enum layer of src/event/decode.h */

/* Which conditions a socket must meet; none set: sockets born on loopback or in lab namespaces. */
#define SCOPE_ALL 1    /* everything on the machine */
#define SCOPE_PROC 2   /* owner is a target process (or the other end of its connection) */
#define SCOPE_COMM 4   /* targets are found by command name */
#define SCOPE_PORT 8   /* port, lport, rport */
#define SCOPE_NETNS 16 /* network namespace in the netns map */

struct config {
	__u32 scope;	/* SCOPE_* */
	__u32 layers;	/* LAYER_* */
	__u32 self_pid; /* the tracer: never traced */
	__u32 self_netns; /* its network namespace by inode number: whose loopback a bare run looks at */
	__u16 port;	/* host order, 0 = any */
	__u16 lport;
	__u16 rport;
	__u16 hz; /* ticks a second: the unit of sk_lingertime */
	__u32 late_release; /* a close() returns before its socket is released, and something tells when it is */
	__u32 pad;
	__u64 settle_ns; /* a call in progress for longer is reported as pending */
	/* Glob of SCOPE_COMM, see comm_matches(). Bit j stands for its first j characters, stars aside. */
	__u32 comm_match[256]; /* of each byte: bit j if it fits the j-th character */
	__u32 comm_stay;       /* a star follows there: any byte fits, and j stays */
	__u32 comm_end;	       /* the bit of the whole glob */
};

/* A record that found no room in the ring, and is worth a second place: see maps.bpf.h. */
#define LATE_MAX 16384
#define LATE_BYTES 104

struct late_record {
	__u8 bytes[LATE_BYTES] __attribute__((aligned(8))); /* a whole record, as its size says */
};

/* What the reader hands to the walk over all sockets: see probes/sweep.bpf.h. */
struct sweep {
	__u64 last; /* there will be no other walk */
};

/* Per-CPU, index = enum event_kind. */
struct counters {
	__u64 seen; /* records handed to the ring */
	__u64 lost; /* reservations that failed and state that did not fit */
};

#endif
