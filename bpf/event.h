/* SPDX-License-Identifier: MIT */
/*
 * The contract between the BPF object and user space: every record that crosses
 * the ring buffer, and every record inside a recording, is one of these structs.
 *
 * Rules: fixed-width fields, no implicit padding, size a multiple of 8, all
 * unused bytes zero. Enum values reach files: they are explicit and only grow.
 * Every record starts with struct event; `size` is that of the whole record.
 */
#ifndef SOCKLENS_EVENT_H
#define SOCKLENS_EVENT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define EVENT_COMM_LEN 16
#define EVENT_TAIL_MAX 128 /* bytes of a call's variable part */
#define EVENT_GAI_ADDRS 32 /* answers of getaddrinfo kept; the count tells if there were more */

enum event_kind {
	EV_NONE = 0,
	EV_CALL = 1,	      /* struct event_call: one system call, finished or in progress */
	EV_PROC = 2,	      /* struct event_proc */
	EV_SOCK = 3,	      /* struct event_sockinfo: identity and addresses of a socket */
	EV_FLOW = 4,	      /* struct event_flow: the four-tuple behind a flow id */
	EV_FD = 5,	      /* struct event_fd: a descriptor that existed when tracing began */
	EV_GAI = 6,	      /* struct event_gai: one getaddrinfo, question and answers */
	EV_SEGMENT = 7,	      /* struct event_segment: TCP segment or UDP datagram on a device */
	EV_STATE = 8,	      /* struct event_sock from here on: a = old TCP state, b = new */
	EV_SENT = 9,	      /* bytes into the send queue outside a traced call: a = result */
	EV_RECEIVED = 10,     /* bytes out of the receive queue outside a traced call: a = result */
	EV_DATA_READY = 11,   /* receive queue (or a listener's accept queue) got something */
	EV_ACK = 12,	      /* an acknowledgement or window update was processed */
	EV_RETRANSMIT = 13,   /* a = TCP state, b = seq, c = payload bytes */
	EV_SYNACK_RETRANS = 14,
	EV_RST_SENT = 15,     /* a = enum sk_rst_reason of the running kernel, b = 1 if there is one, d = flow id
			       * (0 = none), c = 1 if endpoint b of the flow sends it; sid 0: no socket has that port */
	EV_RST_RECEIVED = 16, /* the kernel reset this socket; no proof that an RST arrived */
	EV_SOCK_ERROR = 17,   /* a = sk_err (positive errno) */
	EV_DESTROY = 18,      /* the kernel freed its TCP state */
	EV_RCVQ_FULL = 19,    /* a segment found no room in the receive buffer; on a listener: a SYN found the
			       * accept queue full (lv.ack_backlog > lv.max_ack_backlog) and is dropped */
	EV_UDP_DROP = 20,     /* datagram not queued: a = errno (positive), c = bytes, d = flow id (0 = none) */
	EV_SKB_DROP = 21,     /* a = enum skb_drop_reason of the running kernel, c = bytes; UDP: d = flow id (0 = none),
			       * b = 1 if endpoint b of the flow sent it; sid 0: dropped before it came to a socket */
	EV_FIN_QUEUED = 22,   /* function probes only: tcp_send_fin */
	EV_FIN_RECEIVED = 23, /* function probes only: tcp_fin */
	EV_DOORBELL = 24,     /* wakes an idle reader; carries nothing */
	EV_SOCK_CLOSED = 25,  /* last descriptor gone: the kernel called the protocol's release */
	EV_LEVELS = 26,	     /* a look at a socket whose call is still in progress, and its levels moved */
	EV_KIND_MAX = 27,
};

/* Head of every record. 24 bytes. */
struct event {
	__u16 size; /* bytes of the whole record */
	__u8 kind;  /* enum event_kind */
	__u8 flags; /* EVF_* */
	__u32 sid;  /* socket: our serial number, never reused in one run; 0 = none known */
	__u64 t_ns; /* boot clock (CLOCK_BOOTTIME); of a finished call: its return */
	__u32 pid;  /* process (thread group), 0 = unknown; of a call: the caller, else the owner */
	__u32 tid;  /* thread; 0 outside process context */
};

#define EVF_EARLY 1 /* happened before its socket came into scope; shown late with its true time */
#define EVF_SEED 2  /* existed before tracing began */

/*
 * What the kernel holds for a socket at the moment of the event. 64 bytes.
 * Sequence numbers are raw and wrap; all zero unless LV_TCP. For UDP and AF_UNIX
 * only the memory and buffer fields count.
 */
struct levels {
	__u32 write_seq;   /* next byte the application will write (+1 once a FIN is queued) */
	__u32 snd_nxt;	   /* next byte to be sent */
	__u32 snd_una;	   /* first byte not acknowledged */
	__u32 snd_wnd;	   /* bytes: the window the peer granted */
	__u32 rcv_nxt;	   /* next byte expected (+1 once a FIN arrived) */
	__u32 copied_seq;  /* next byte the application will read */
	__u32 rcv_wnd;	   /* bytes: the window we granted */
	__u32 wmem_queued; /* bytes of memory in the send queue */
	__u32 rmem_alloc;  /* bytes of memory in the receive queue */
	__u32 sndbuf;	   /* bytes: limit of wmem_queued */
	__u32 rcvbuf;	   /* bytes: limit of rmem_alloc */
	__u32 ack_backlog; /* listener: connections waiting for accept() */
	__u32 max_ack_backlog; /* listener: the limit listen() set */
	__u8 state;	   /* TCP state, kernel numbering (net/tcp_states.h) */
	__u8 shutdown;	   /* RCV_SHUTDOWN 1, SEND_SHUTDOWN 2 */
	__u8 flags;	   /* LV_* */
	__u8 linger_s;	   /* seconds of SO_LINGER, saturating; valid with LV_LINGER */
	__u32 sk_err;	   /* positive errno waiting on the socket */
	__u32 drops;	   /* sk_drops: datagrams dropped at the socket so far */
};

#define LV_VALID 1  /* the struct was filled */
#define LV_TCP 2    /* the sequence fields mean something */
#define LV_LISTEN 4 /* the backlog fields mean something */
#define LV_FIN_IN 8 /* SOCK_DONE: the peer's FIN was received; rcv_nxt counts it */
#define LV_DEAD 16  /* SOCK_DEAD: no process holds the socket any more */
#define LV_LINGER 32

/* The calls we follow. Order within groups is free; numbers are for ever. */
enum call {
	CALL_NONE = 0,
	CALL_SOCKET = 1,
	CALL_SOCKETPAIR = 2,
	CALL_BIND = 3,
	CALL_LISTEN = 4,
	CALL_CONNECT = 5,
	CALL_ACCEPT = 6,
	CALL_ACCEPT4 = 7,
	CALL_SENDTO = 8, /* send() is sendto() without an address */
	CALL_SENDMSG = 9,
	CALL_SENDMMSG = 10,
	CALL_WRITE = 11,
	CALL_WRITEV = 12,
	CALL_SENDFILE = 13,
	CALL_SPLICE = 14,
	CALL_RECVFROM = 15, /* recv() is recvfrom() without an address */
	CALL_RECVMSG = 16,
	CALL_RECVMMSG = 17,
	CALL_READ = 18,
	CALL_READV = 19,
	CALL_SHUTDOWN = 20,
	CALL_CLOSE = 21,
	CALL_DUP = 22,
	CALL_DUP2 = 23,
	CALL_DUP3 = 24,
	CALL_FCNTL = 25, /* F_DUPFD, F_DUPFD_CLOEXEC, F_SETFD, F_SETFL, F_GETFL, F_GETFD */
	CALL_SETSOCKOPT = 26,
	CALL_GETSOCKOPT = 27,
	CALL_GETSOCKNAME = 28,
	CALL_GETPEERNAME = 29,
	CALL_POLL = 30,
	CALL_PPOLL = 31,
	CALL_SELECT = 32,
	CALL_PSELECT6 = 33,
	CALL_EPOLL_CTL = 34,
	CALL_EPOLL_WAIT = 35,
	CALL_EPOLL_PWAIT = 36,
	CALL_EPOLL_PWAIT2 = 37,
	CALL_CLOSE_RANGE = 38,
	CALL_MAX = 39,
};

/*
 * One system call. A record comes when the call returns (t_ns is then the return,
 * t_enter the entry), and one more, with CALLF_PENDING, when the reader found the
 * call still in progress, or the trace ended before its return (then without levels).
 * Pending and final records are joined by (tid, t_enter).
 *
 * What len and x[] hold:
 *   send/recv family, read, write   len = bytes asked for (all parts; of more than 64 parts the first 64), x0 = flags,
 *                                   x1 = number of parts; recvmsg: x2 = msg_flags as returned (MSG_TRUNC 0x20)
 *   recv family with MSG_OOB        x3 = sequence number of the urgent byte it returned (TCP, ret > 0)
 *   sendmmsg, recvmmsg              len = bytes moved in all messages, x0 = flags, x1 = messages asked for
 *   sendfile, splice                len = bytes asked for, x1 = the other descriptor, x2 = 1 if the socket is the source
 *   socket, socketpair              x0 = family, x1 = type with flags, x2 = protocol; socketpair: x3 = second
 *                                   descriptor, fd = first (when it returned 0)
 *   listen                          x0 = backlog
 *   accept, accept4                 x0 = flags; sid2 = the new socket
 *   shutdown                        x0 = how
 *   close                           x0 = references left on the open file after it, 0 = this was the last
 *   close_range                     one record per socket closed; x0 as for close, x1 = first, x2 = last
 *   dup, dup2, dup3                 x0 = requested number, x1 = flags, x2 = 1 if that number was a socket
 *                                   (implicitly closed; sid2 names it)
 *   fcntl                           x0 = command, x1 = argument
 *   setsockopt, getsockopt          x0 = level, x1 = option, x2 = length, len = first 8 bytes of the value
 *   poll, ppoll                     len = descriptors asked, x0 = timeout in ms (-1 none), tail = poll_item[]
 *   select, pselect6                len = nfds, x0 = timeout in ms, tail = select_sets
 *   epoll_ctl                       fd = the socket, x0 = operation, x1 = events, x2 = epoll descriptor, len = data
 *   epoll_wait and kin              fd = epoll descriptor, x0 = timeout in ms, x1 = maxevents, tail = epoll_item[]
 */
struct event_call {
	struct event e;
	__u64 t_enter; /* boot clock */
	__s64 ret;     /* result, negative errno on error; 0 while pending */
	__u64 len;
	__u32 x[4];
	__s32 fd;   /* -1 where the call has none */
	__u32 sid2; /* second socket of the call, see above */
	__u16 call; /* enum call */
	__u8 cflags; /* CALLF_* */
	__u8 tail_kind; /* enum tail_kind */
	__u16 tail_len; /* bytes that follow this struct, a multiple of 8; padding is zero */
	__u16 tail_count; /* of the tail: items in all (may be more than were kept), or address bytes */
	struct levels lv; /* at the return; while pending: when it was looked at */
};

#define CALLF_PENDING 1	   /* still in progress */
#define CALLF_IN_GAI 2	   /* made by libc inside getaddrinfo */
#define CALLF_BY_EXIT 4	   /* no call: the kernel closes this descriptor because the process ends */
#define CALLF_BY_EXEC 8	   /* no call: close-on-exec */
#define CALLF_NONBLOCK 16  /* the open file has O_NONBLOCK */
#define CALLF_SEEN_MID 32  /* already in progress when tracing began: t_enter is the first sight */
#define CALLF_LAST_REF 64  /* close: the last descriptor of this socket */
#define CALLF_KILLED 128   /* never returned: the thread ended inside the call */

enum tail_kind {
	TAIL_NONE = 0,
	TAIL_ADDR = 1,	 /* struct sockaddr_* as the program sees it, tail_count bytes of it real */
	TAIL_POLL = 2,	 /* struct poll_item[] */
	TAIL_SELECT = 3, /* struct select_sets */
	TAIL_EPOLL = 4,	 /* struct epoll_item[] */
};

struct poll_item {
	__s32 fd;
	__u16 events;
	__u16 revents;
};

/* The first 64 descriptors of each set; in = as asked, out = as returned. */
struct select_sets {
	__u64 in[3]; /* read, write, except */
	__u64 out[3];
};

struct epoll_item {
	__u64 data;
	__u32 events;
	__u32 pad;
};

enum proc_what {
	PROC_SEEN = 1, /* first event of this process (or seeded, EVF_SEED) */
	PROC_FORK = 2, /* pid/tid = parent, child = new process */
	PROC_EXEC = 3,
	PROC_EXIT = 4, /* code = exit status as wait(2) gives it */
	PROC_THREAD = 5, /* pid/tid = creator, child = new thread */
};

struct event_proc {
	struct event e;
	__u32 what; /* enum proc_what */
	__u32 child;
	__u32 ppid;
	__u32 uid;
	__u32 code;
	__u32 clone_flags; /* CLONE_FILES matters: shared descriptor table */
	char comm[EVENT_COMM_LEN]; /* may hold any byte */
};

/* Address and port. IPv4 in addr[0..3]; v4-mapped stays as it is. */
struct ev_addr {
	__u16 family; /* AF_*, 0 = none */
	__u16 port;   /* host order */
	__u8 addr[16];
};

struct event_sockinfo {
	struct event e;
	__u64 cookie; /* socket cookie (what `ss -e` prints), 0 = the kernel has given none */
	__u32 netns;  /* inode number of the network namespace */
	__u32 ino;    /* inode number of the socket (what /proc/net/ prints), 0 = none */
	__u16 family;
	__u16 protocol;
	__u8 type; /* SOCK_* */
	__u8 state;
	__u8 sflags; /* SOCKF_* */
	__u8 pad;
	__u32 peer_sid; /* AF_UNIX: the connected peer, 0 = unknown */
	__u32 peer_pid; /* AF_UNIX: SO_PEERCRED's process */
	__u32 parent;	/* sid of the listener this was accepted from, 0 = unknown */
	__u32 pad2;
	struct ev_addr src;
	struct ev_addr dst;
	struct levels lv;
	__u16 path_len; /* AF_UNIX: bytes of path; path[0] == 0 marks an abstract name */
	__u8 pad3[6];
	char path[112];
};

#define SOCKF_PASSIVE 1 /* born by a SYN, not by socket() */
#define SOCKF_V6ONLY 2
#define SOCKF_MPTCP 4

/* One four-tuple in one namespace. a is the numerically lower endpoint (address, then port). */
struct event_flow {
	struct event e;
	__u32 fid; /* flow id, never reused in one run */
	__u32 netns;
	__u16 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	__u16 pad[3];
	struct ev_addr a;
	struct ev_addr b;
};

struct event_fd {
	struct event e;
	__s32 fd;
	__u32 cloexec;
};

struct event_gai {
	struct event e;
	__u64 t_enter;
	__s32 ret; /* EAI_* or 0 */
	__u32 total; /* answers in the list */
	__u32 kept;  /* answers in addrs[] */
	__s32 family; /* hints, 0 where none were given */
	__s32 socktype;
	__s32 flags;
	__u8 cflags; /* CALLF_PENDING */
	__u8 has_node; /* 0: node was NULL */
	__u8 has_service;
	__u8 pad[5];
	char node[64];	  /* NUL-terminated, cut */
	char service[24]; /* NUL-terminated, cut */
	struct {
		struct ev_addr addr;
		__u16 socktype;
		__u16 protocol;
	} addrs[EVENT_GAI_ADDRS];
};

struct event_segment {
	struct event e;
	__u32 fid;
	__u32 seq; /* raw; of an IP fragment that begins a UDP datagram: payload bytes of all of it */
	__u32 ack; /* raw, valid with the ACK flag */
	__u32 len; /* payload bytes */
	__u16 win; /* as in the header, unscaled */
	__u8 flags; /* TCP flags as in the header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128 */
	__u8 sflags; /* SEGF_* */
	__u8 wscale; /* of a SYN: shift + 1, 0 = option absent */
	__u8 pad;
	__u16 mss; /* of a SYN: 0 = option absent; with URG: the urgent pointer (no SYN has one) */
	__u32 ifindex;
	__u32 netns;
};

#define SEGF_OUT 1	/* handed to the device */
#define SEGF_IN 2	/* received from the device */
#define SEGF_FROM_B 4	/* sender is endpoint b of the flow */
#define SEGF_UDP 8
#define SEGF_LOOPBACK 16
#define SEGF_FRAGMENT 32 /* an IP fragment other than the first is not seen; len is of this packet */

/* Every kernel moment on a socket (EV_STATE .. EV_SKB_DROP and the like). */
struct event_sock {
	struct event e;
	__u32 a;
	__u32 b;
	__u32 c;
	__u32 d;
	struct levels lv;
};

#define EVENT_ASSERT(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type)
EVENT_ASSERT(event, 24);
EVENT_ASSERT(levels, 64);
EVENT_ASSERT(event_call, 144);
EVENT_ASSERT(event_proc, 64);
EVENT_ASSERT(ev_addr, 20);
EVENT_ASSERT(event_sockinfo, 288);
EVENT_ASSERT(event_flow, 80);
EVENT_ASSERT(event_fd, 32);
EVENT_ASSERT(event_gai, 920);
EVENT_ASSERT(event_segment, 56);
EVENT_ASSERT(event_sock, 104);

#endif
