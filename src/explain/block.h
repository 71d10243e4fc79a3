/* SPDX-License-Identifier: MIT */
/* A call that waits, shared by the files of its family: block.c, and one for each kind of call. */
#ifndef SOCKLENS_EXPLAIN_BLOCK_H
#define SOCKLENS_EXPLAIN_BLOCK_H

#include "families.h"

enum {
	BLOCK_DEADLOCK,
	BLOCK_SEND_READER,
	BLOCK_SEND_UNACCEPTED,
	BLOCK_SEND_WINDOW,
	BLOCK_SEND_LOST,
	BLOCK_SEND_LINK,
	BLOCK_RECV,
	BLOCK_RECV_LOST,
	BLOCK_RECV_REST,
	BLOCK_RECV_BOTH,
	BLOCK_RECV_SILENT,
	BLOCK_ACCEPT,
	BLOCK_CONNECT,
	BLOCK_CONNECT_FULL,
	BLOCK_CONNECT_SILENT,
	BLOCK_CLOSE_LINGER,
	BLOCK_ENDED,
	BLOCK_KILLED,
	BLOCK_RULES,
};
extern const struct rule block_rules[BLOCK_RULES];

/* Of the latest call of one kind on a socket, from its entry on. */
struct block_call {
	__u64 read;	/* position in the incoming stream when it began */
	__s64 rtx;	/* retransmissions by then: our own if it sends, else the peer's */
	__u64 recvs;	/* of the peer by then */
	__u64 received; /* bytes, the same */
	__u64 zero;	/* step in which the peer's window was 0 meanwhile */
	__u64 lost;	/* step in which data arrived only as a retransmission */
};

/* A call that waited, and that a signal cut short. */
struct block_cut {
	__u64 id, enter_id, took_ns;
	__u32 pid;
	__u16 call;
	__s32 fd;
};

struct block_note {
	struct block_call send, recv;
	struct block_cut cut;
	__u64 moved;   /* all positions of both streams, added up */
	__u64 t_moved; /* when that was last seen to change */
};

struct block_state {
	struct heard silent; /* of BLOCK_RECV_SILENT */
	__u64 next_ns;	     /* of the next look at all sockets */
};

/* The conversation as it stands. */
struct scene {
	struct note *n, *peer; /* peer NULL: out of sight */
	const struct sock *sock;
	struct ledger to, from; /* what n sends, what it receives */
	struct block_note *own;
	__u64 now_ns;
};

bool scene_look(const struct explain *x, struct note *n, __u64 now_ns, struct scene *sc);
/* For so long nothing was written, sent, taken in or read in either direction. */
__u64 scene_still_ns(const struct scene *sc);
/* "once", "3 times" */
char *fmt_times(char *buf, size_t size, __s64 n);
/* "send(5)" of a call in progress. */
char *fmt_waiting(char *buf, size_t size, const struct waiting *w);

/* A call in progress of that process; NULL: none. */
const struct waiting *call_of_process(const struct explain *x, __u32 pid);
/* "; it sits in accept(3)": what that process does instead of what w waits for. */
char *fmt_instead(char *buf, size_t size, const struct explain *x, const struct waiting *w,
		  __u32 pid);

/* A verdict on a call in progress: told now, not again at its return. */
void block_start(struct explain *x, struct verdict *v, const struct rule *r, struct waiting *w,
		 struct note *n);

/* block_conn.c: _wait while the call lasts, _done once it is over */
int accept_done(struct explain *x, const struct step *s, const struct event_call *c,
		struct note *n);
int connect_wait(struct explain *x, struct waiting *w, struct note *n, __u64 now_ns);
int connect_done(struct explain *x, const struct step *s, struct note *n, __u64 ns, bool told);
int handshake_done(struct explain *x, const struct step *s, struct note *n);
int close_wait(struct explain *x, struct waiting *w, const struct scene *sc);
int close_done(struct explain *x, const struct step *s, const struct event_call *c, bool told,
	       struct note *n);

/* block_recv.c */
int recv_wait(struct explain *x, struct waiting *w, const struct scene *sc);
int recv_done(struct explain *x, const struct step *s, const struct event_call *c,
	      const struct scene *sc);
int silence_wait(struct explain *x, struct waiting *w, const struct scene *sc);
int silence_left(struct explain *x, struct waiting *w, const struct scene *sc);

/* block_send.c; room_wait: in poll() and its kin, for room in the send queue */
int send_wait(struct explain *x, struct waiting *w, struct scene *sc);
int room_wait(struct explain *x, struct waiting *w, struct scene *sc);
int send_done(struct explain *x, const struct step *s, const struct event_call *c, bool told,
	      struct scene *sc);

#endif
