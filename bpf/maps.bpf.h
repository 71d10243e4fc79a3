/* SPDX-License-Identifier: MIT */
/*
 * Maps, and the state kept per thread, process, socket and flow. All are bounded; what does not
 * fit is counted as lost under the kind it would have become.
 */
#ifndef SOCKLENS_MAPS_BPF_H
#define SOCKLENS_MAPS_BPF_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "config.h"
#include "event.h"

const volatile struct config cfg = {};

/* A constant: the verifier takes out what depends on it. */
static __always_inline bool calls_are_seen(void)
{
	return cfg.layers & LAYER_BIT_APP;
}

/* enum call by system call number: numbers differ between architectures. */
const volatile __u8 call_of_nr[SYSCALL_MAX] = {};

/* Set while the reader blocks on the ring: the next record must wake it. */
__u32 doorbell_armed = 0;
/*
 * Set while all probes are attached, which takes a while at either end: calls, connections and segments begin to be seen at
 * one moment, and end so.
 */
__u32 tracing = 0;
/* Boot clock: when tracing ended; 0 = it has not. */
__u64 end_ns = 0;
__u32 last_sid = 0;
__u32 last_fid = 0;
/* Grows with every loss: lets the reader notice without reading all counters. */
__u64 losses = 0;
/* Boot clock: of the first loss since the reader set it to 0. */
__u64 first_loss = 0;
/* Grows when a socket is announced that the kernel has not given a cookie: the reader then asks for names. */
__u64 nameless = 0;

enum scope { SCOPE_UNDECIDED = 0, SCOPE_IN = 1, SCOPE_OUT = 2 };

#define EARLY_MAX 16 /* calls kept per socket while its scope is undecided */

/* Per socket, keyed by its address in the kernel. The address may be reused: see sock_lookup(). */
struct sock_state {
	u32 sid;
	u8 scope; /* enum scope */
	u8 announced;
	u8 early; /* calls kept in the early map */
	u8 sflags; /* SOCKF_* */
	u64 cookie; /* 0 = none yet */
	u32 pid;    /* owner: the process that made or accepted it */
	u32 tid;
	u32 ino;
	u32 netns;
	u16 family;
	u16 protocol;
	u8 type;
	u8 seeded;
	u8 state; /* TCP: as the last change left it, 0 = none seen yet */
	u8 unsaid; /* its announcement found no room, and was counted as lost */
	u16 lport; /* local port as last announced, host order; 0 = none yet */
	u16 in_port; /* its port in `ports`: the socket itself gives it up before it is told to be gone */
	u8 gone; /* found released by the last sweep; see probes/sweep.bpf.h */
	u8 flowed; /* TCP: its flow was settled; if there is none any more, it was pushed out */
	u32 parent;
	u32 early_lost; /* calls that found no place there: lost only if the socket comes into scope */
	u64 born_ns; /* a child of a listener whose birth is not told yet: when it was; see child.bpf.h */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct sock_state);
} socks SEC(".maps");

/* A call record with its largest tail. */
struct call_record {
	struct event_call c;
	u8 tail[EVENT_TAIL_MAX];
};

struct early_key {
	u32 sid;
	u32 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct early_key);
	__type(value, struct call_record);
} early SEC(".maps");

/* What a call in progress is about. */
enum call_on {
	ON_SOCKET = 1,
	ON_NEW = 2,	/* makes a socket: none yet */
	ON_SEVERAL = 3, /* waits on descriptors of which one is a socket in scope */
	ON_NOTHING = 4, /* the descriptor is none, or no socket: only its error is told */
};

/* What has become of a close() whose socket was still to be released when it returned; see call_held.bpf.h. */
enum held {
	HELD_NOT = 0,
	HELD_WAITS = 1,
	HELD_TOLD = 2, /* by the reader; the thread itself has not noticed yet */
};

/* What a program asks getaddrinfo; kept from the entry on, where its memory can be read. */
struct gai_question {
	char node[64];
	char service[24];
	s32 family;
	s32 socktype;
	s32 flags;
	u8 has_node;
	u8 has_service;
	u8 pad[2];
};

/* Per thread that ever touched a socket; also the filter of the system call hooks. */
struct task_state {
	u64 t_enter;
	u64 args[6];
	u64 sk;	     /* socket of the call in progress, 0 = none */
	u64 len;     /* see struct event_call */
	u64 moved;   /* bytes, as the probes inside the call tell (lv_valid) */
	u32 x[4];
	s32 fd;
	u32 sid;
	u16 call;    /* enum call in progress, 0 = none */
	u8 cflags;
	u8 tail_kind;
	u16 tail_len;
	u16 tail_count;
	u32 tflags;  /* TASK_* */
	u32 lv_valid; /* lv was sampled by a probe inside the call */
	struct levels lv;
	struct levels seen; /* as the reader was last told of the call in progress */
	u32 sid2;     /* second socket of the call */
	u8 reported; /* the reader has already shown it as pending */
	u8 on;	     /* enum call_on */
	u8 in_scope; /* its socket was, at the entry: at the return it may be gone */
	u8 gai_told; /* the reader has shown the look-up as pending */
	u8 undecided; /* at the entry it was not known whether its socket is in scope */
	u8 tcp;	     /* its socket is one of TCP */
	u8 settled;  /* at the entry nothing was left to be told of its socket */
	u8 pad;
	u64 held;    /* enum held: the call is a close() that waits for its socket's release */
	u64 t_return; /* held: when it returned */
	u64 gai_enter; /* boot clock: in getaddrinfo since; 0 = not */
	u64 gai_asked[3]; /* node, service, hints: where they lie in user memory */
	u64 gai_result;	  /* where getaddrinfo will put its list there */
	struct gai_question gai;
	u8 tail[EVENT_TAIL_MAX];
};

#define TASK_EXCLUDED 1 /* the tracer or one of its ancestors */
#define TASK_TOLD 2	/* its process was announced */
#define TASK_ASKED 4	/* a name look-up of it is kept back */

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

/* Per process. */
#define PROC_TARGET 1	  /* -p, -n, COMMAND or a descendant of one */
#define PROC_EXCLUDED 2
#define PROC_ANNOUNCED 4 /* EV_PROC was emitted */
#define PROC_UNSAID 8	 /* it found no room, and was counted as lost */
#define PROC_LEFT 32	 /* what its end closes was told */
#define PROC_SHARES 16	 /* its descriptor table is, or was, that of another process, too */

struct proc_state {
	u32 flags;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct proc_state);
} procs SEC(".maps");

/* Filled by user space: pid -> PROC_TARGET or PROC_EXCLUDED. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u32);
} targets SEC(".maps");

/* Network namespaces by inode number: those asked for, or those of labs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, u32);
} netns_set SEC(".maps");

/* One four-tuple in one namespace; a is the lower endpoint. */
struct flow_key {
	u8 a_addr[16];
	u8 b_addr[16];
	u32 netns;
	u16 a_port;
	u16 b_port;
	u16 family; /* AF_INET: address in the first 4 bytes */
	u16 protocol;
} __attribute__((aligned(8))); /* cleared, copied and hashed in whole words */

struct flow_state {
	u32 fid;
	u8 ended; /* a FIN or RST was seen: a new SYN is a new conversation */
	u8 told;  /* EV_FLOW was emitted */
	u8 unsaid; /* it found no room, and was counted as lost */
	u8 settled; /* FLOW_A, FLOW_B: of TCP, ends whose sockets are in scope and announced */
};

#define FLOW_A 1
#define FLOW_B 2

/*
 * One that is pushed out begins anew with the next packet its socket sends, and is counted as lost then: what came for
 * it in between was not seen. Nothing tells when it ends: after its sockets TIME_WAIT may still send.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct flow_key);
	__type(value, struct flow_state);
} flows SEC(".maps");

/* Local ports that receive: listeners and bound UDP sockets in scope, and listeners older than a bare trace. */
struct port_key {
	u32 netns;
	u16 port;
	u16 protocol;
};

struct port_state {
	u64 sk;	      /* the socket's address in the kernel */
	u32 sid;
	u32 in_scope; /* 0: comes into view with its first connection that does */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct port_key);
	__type(value, struct port_state);
} ports SEC(".maps");

/* Epoll instances that watch a socket in scope, by the kernel's struct eventpoll. They go with their last descriptor. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, u32);
} epolls SEC(".maps");

/* getaddrinfo of a thread whose sockets are not in scope yet; TASK_ASKED says that it is, or was, here. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32); /* tid */
	__type(value, struct event_gai);
} gai_early SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} ring SEC(".maps");

/*
 * Ends of sockets and processes for which the ring had no room: the reader takes them from here. Without them it
 * would keep what they end for ever.
 */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, LATE_MAX);
	__uint(value_size, sizeof(struct late_record));
} late SEC(".maps");

/* Grows with each record put there. */
__u64 lates = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EV_KIND_MAX);
	__type(key, u32);
	__type(value, struct counters);
} counts SEC(".maps");

/* Records too large for the stack are built here. */
struct scratch {
	struct call_record call;
	struct event_gai gai;
};

enum { SCRATCH_PROBE = 0, SCRATCH_ITER = 1, SCRATCH_SLOTS = 2 };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_SLOTS);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

#endif
