/* SPDX-License-Identifier: MIT */
/*
 * The model: what exists (processes, descriptors, sockets, connections) and where every byte is,
 * built from moments in order. Never prints, never calls libbpf. model_apply() turns one moment into
 * zero or more steps; a step is what explain and render work on.
 *
 * Ownership: everything belongs to the model. Pointers in a step to proc, sock and conn stay valid
 * until the second model_gc() after the step; renderers that hold a step longer must not.
 */
#ifndef SOCKLENS_MODEL_H
#define SOCKLENS_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "../event/decode.h"
#include "../event/order.h"
#include "event.h"

/* The client did the active open (connect), the server the passive one (listen, accept).
 * UDP: the server bound a port on purpose, the client sent first. socketpair: first end = client. */
enum role { ROLE_NONE = 0, ROLE_CLIENT = 1, ROLE_SERVER = 2 };
const char *role_name(enum role role); /* "", "client", "server" */

struct proc {
	__u32 pid;
	__u32 ppid;
	char comm[EVENT_COMM_LEN + 1]; /* raw bytes: escape before printing */
	enum role role;	/* of its first socket that has one */
	bool exited;
	__u32 exit_code; /* as wait(2) gives it */
};

/* Bytes of one direction, counted from the first data byte (SYN and FIN are not data).
 * When both ends are seen, written = unsent + in_flight + rcvq + read + destroyed + discarded + unacked. */
struct ledger {
	__u64 written;	 /* accepted by the sender's kernel */
	__u64 unsent;	 /* in the send queue, never sent */
	__u64 in_flight; /* sent, not known to have arrived */
	__u64 rcvq;	 /* in the receiver's queue, unread */
	__u64 read;	 /* taken out by the receiving application */
	__u64 destroyed; /* thrown away unsent (RST, linger 0) */
	__u64 discarded; /* receive queue thrown away (closed unread); urgent bytes that no call returned */
	bool tx_seen;	 /* the sender's counters are known */
	bool rx_seen;	 /* the receiver's counters are known */
	bool partial;	 /* the connection is older than the trace: counted since the first sight */
	bool fin;	 /* the sender has queued its FIN */
	__u64 unacked;	 /* sent, and nobody had acknowledged or received it when the connection ended */
	/* TCP, the same from what the calls returned; valid with tx_seen and rx_seen and without partial: */
	__u64 calls_wrote;
	__u64 calls_read; /* without peeks; urgent bytes fetched with MSG_OOB included */
	__u64 reread;	  /* urgent bytes returned twice: in calls_read twice, in read once */
	__u64 residual;	  /* in a summary: bytes the kernel's counters and the calls disagree by; 0: it balances */
	__u64 truncated;  /* UDP: cut off because the reader's buffer was too short */
};

/* A number of datagrams, and the bytes in them. */
struct dgram_sum {
	__u64 n, bytes;
};

/* Why the latest one did not get through. */
struct dgram_why {
	__u32 error;		 /* of a drop: ENOMEM = receive buffer full, ENOBUFS = no memory for UDP; 0: none */
	__u32 rmem, rcvbuf;	 /* at that moment, bytes of memory: queued, and allowed */
	__u32 counter;		 /* the kernel's own count of drops at that socket, whoever sent them */
	const char *reason;	 /* of a drop, the kernel's name for it; NULL: not told */
	const char *lost_reason; /* of one that was stopped before it came to a socket; NULL: not told */
};

/*
 * Where the datagrams of one direction are: sent = in_flight + queued + read + discarded + dropped +
 * nobody + lost, each with its bytes; those cut off (truncated) beside those read. conn->dir says
 * the same of the bytes alone.
 */
struct dgram_ledger {
	struct dgram_sum sent;	    /* accepted by the sender's kernel; sender not seen: what came */
	struct dgram_sum in_flight; /* sent, not known to have come */
	struct dgram_sum arrived;   /* at the receiver's socket, dropped there or queued */
	struct dgram_sum queued;    /* unread */
	struct dgram_sum read;	    /* bytes: what the calls returned */
	struct dgram_sum truncated; /* of those read, cut short; bytes: what was cut off */
	struct dgram_sum discarded; /* unread when the socket was closed */
	struct dgram_sum dropped;   /* at the socket */
	struct dgram_sum nobody;    /* no socket takes them: ICMP answers */
	struct dgram_sum lost;	    /* the rest: stopped or lost on the way */
	struct dgram_sum residual;  /* in a summary: not accounted for because events were lost, or read and never sent */
	struct dgram_why why;
};

struct conn;

struct sock {
	__u32 sid;
	__u64 cookie; /* 0: the kernel has given none (yet) */
	__u32 netns;
	__u32 ino;
	__u16 family;
	__u8 type; /* SOCK_STREAM, ... */
	__u16 protocol;
	__u8 state; /* kernel's TCP state as last seen */
	bool listening;
	bool passive;
	bool seeded; /* existed before tracing began */
	bool destroyed;
	enum role role;
	struct ev_addr src;
	struct ev_addr dst;
	char path[109];	     /* AF_UNIX, own name or the name it connected to; path_len bytes */
	unsigned int path_len;
	__u32 opener_pid;   /* process that made it (socket) or accepted it; 0 = unknown */
	int opener_fd;	    /* descriptor it got there; -1 = unknown */
	unsigned int fds;   /* descriptors known to refer to it */
	struct levels lv;   /* as last seen */
	__u32 snd_base;	    /* raw seq of our first data byte, valid with base_known */
	__u32 rcv_base;
	bool base_known;
	struct sock *peer;  /* other end on this machine, NULL if not seen */
	struct sock *listener; /* it was queued on, NULL if unknown */
	struct conn *conn;
};

/* One conversation: a TCP four-tuple in its life, a pair of UDP endpoints, or a pair of AF_UNIX sockets. */
struct conn {
	__u32 id; /* 1, 2, ... in order of appearance */
	__u16 family;
	__u16 protocol;
	struct sock *end[2]; /* [0] client, [1] server; NULL where that end is not on this machine */
	struct ev_addr addr[2];
	__u32 pid[2];	     /* the process at each end, 0 = unknown */
	struct ledger dir[2]; /* [0] client to server, [1] server to client */
	__u64 t_first_ns, t_last_ns;
	__u64 segments[2];   /* sent by client, by server */
	__u64 seg_bytes[2];  /* payload, retransmissions included */
	unsigned int retransmits[2];
	unsigned int calls[2][2]; /* [end][0 = send family, 1 = receive family] that moved bytes */
	int first_fin;	     /* end that sent the first FIN, -1 = none yet */
	int rst_by;	     /* end that sent an RST, -1 = none */
	bool fin_seen[2];
	bool established;
	bool ended;
	unsigned int untraced; /* LAYER_* that nobody looked at: nothing follows from having seen nothing of them */
	__u64 dgrams[2][3]; /* UDP and AF_UNIX, by sender: sent, delivered, dropped */
	struct dgram_ledger udp[2]; /* [0] client to server, [1] server to client */
};

/* How a conversation ended, for summaries. */
enum conn_end { END_OPEN = 0, END_FIN = 1, END_RST = 2, END_REFUSED = 3, END_TIMEOUT = 4, END_GONE = 5 };

/* What a step is about beyond the kinds of event.h. Numbers reach JSON by name only. */
enum step_kind {
	STEP_EVENT = 0,	   /* ev says it all */
	STEP_SUMMARY = 1,  /* a conversation is over (or tracing is): see conn */
	STEP_LOST = 2,	   /* events were lost just before this point: count in n */
};

#define STEP_RTX 1	/* segment: seen before, a retransmission */
#define STEP_PURE_ACK 2 /* segment: carries neither data nor SYN, FIN, RST */
#define STEP_SEG_PAIR 4 /* segment arriving whose departure was a step already */
#define STEP_EOF 8	/* receive call returned 0 (recvmmsg: messages of 0 bytes) because of the peer's FIN (or own SHUT_RD) */
#define STEP_LV 16	/* levels of this socket changed with this step: ledger is news */
#define STEP_MIDWAY 32	/* exit of a call whose entry was a step of its own, not adjacent */
#define STEP_TIME_WAIT 64 /* change to CLOSE: a time-wait entry took the socket's place */
#define STEP_HELD 128	/* close: the open file lives on, though no descriptor is known to refer to it */
#define STEP_TRUNC 256	/* receive call: the datagram was longer; n = bytes cut off, 0 = how many is not known */

/* One line of the story. By value but for the pointers, see the head of this file. */
struct step {
	__u64 id;   /* 1, 2, ... */
	__u64 t_ns; /* boot clock */
	enum step_kind kind;
	enum phase phase;
	enum layer layer;
	const struct event *ev; /* valid during the callback; NULL unless STEP_EVENT. ev->size bytes to copy */
	const struct proc *proc; /* who did it; for kernel and wire events the owner of the socket; NULL unknown */
	const struct sock *sock; /* NULL unknown. Of a segment: the socket it leaves or reaches */
	const struct sock *sock2; /* accepted socket, second of a pair */
	const struct conn *conn; /* NULL: none yet */
	enum role role;		 /* at this moment; a renderer that can wait may look at sock->role later */
	unsigned int sflags;	 /* STEP_* */
	bool exit_known;	 /* PHASE_ENTER: its exit follows for certain, soon */
	__u64 took_ns;		 /* PHASE_EXIT: since the entry */
	__u64 enter_id;		 /* PHASE_EXIT: id of the entry's step */
	struct ledger dir[2];	 /* both directions of conn at this moment; [0] client to server */
	/* segments: */
	enum role seg_from;   /* who sent it */
	__u32 rel_seq;	      /* relative to the sender's ISN: SYN is 0, the first data byte 1 */
	__u32 rel_ack;	      /* relative to the other's ISN; valid with the ACK flag */
	__u64 win_bytes;      /* scaled window, or the raw one where the scale is unknown */
	bool win_scaled;
	bool rel_known;	      /* rel_seq and rel_ack mean something */
	const char *reason;   /* name of an RST or drop reason, NULL if none; static or model-owned */
	__u64 n;	      /* STEP_LOST: how many; STEP_TRUNC: bytes; STEP_SUMMARY: events lost in its time;
				 a datagram dropped at its socket: its bytes, 0 = not known */
	enum conn_end how;    /* STEP_SUMMARY */
};

typedef int (*step_fn)(void *ctx, const struct step *s);

struct model;
struct model *model_new(step_fn fn, void *ctx);
void model_free(struct model *m);
/* Learn names from a record whose moment comes later: cookies, commands. Before its moment is applied. 0 or -ENOMEM. */
int model_preview(struct model *m, const struct event *ev);
int model_apply(struct model *m, const struct moment *mo); /* 0, -ENOMEM, or what fn returned */
int model_lost(struct model *m, __u64 t_ns, __u64 lost);   /* events were lost: levels may jump */
void model_gc(
	struct model *m,
	__u64 now_ns); /* free what ended, and was last pointed to by a step, over a second ago */
int model_finish(struct model *m);			   /* summaries of what is still open */
/* Names the running kernel gives to reason numbers: table "rst_reason" or "drop_reason". */
int model_reason_name(struct model *m, const char *table, unsigned int number, const char *name);
/* What was traced: LAYER_*; all, unless told. Before the first moment. */
void model_set_layers(struct model *m, unsigned int layers);
unsigned int model_untraced(const struct model *m); /* the other layers; see struct conn */

/* Look-ups for tests and renderers; NULL when unknown. */
const struct sock *model_sock(const struct model *m, __u32 sid);
const struct proc *model_proc(const struct model *m, __u32 pid);
/* Socket id behind a descriptor, 0 = none known. */
__u32 model_fd(const struct model *m, __u32 pid, int fd);
/* A descriptor that refers to a socket. */
struct holder {
	__u32 pid;
	int fd;
};
/* All that are known, by pid and number; at most max of them are stored. Returns how many there are. */
size_t model_holders(const struct model *m, __u32 sid, struct holder *holders, size_t max);

#endif
