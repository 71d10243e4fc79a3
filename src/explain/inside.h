/* SPDX-License-Identifier: MIT */
/*
 * What the families of verdicts share: the notebook (what happened to each socket, as ids of steps),
 * the calls in progress, and the pen (how a verdict is written).
 *
 * A family is one file: a struct family with its rules and a handler for steps, ticks or both, and
 * one row in families[] of explain.c. Every step is entered into the notebook before families see
 * it, so a mark may be the step at hand.
 */
#ifndef SOCKLENS_EXPLAIN_INSIDE_H
#define SOCKLENS_EXPLAIN_INSIDE_H

#include <sys/queue.h>

#include "../event/tcp.h"
#include "../util/hash.h"
#include "explain.h"

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

#define SHUTDOWN_RCV 1 /* levels.shutdown, include/net/sock.h */
#define SHUTDOWN_SEND 2

/* A moment remembered. id 0: it has not happened. */
struct mark {
	__u64 id, t_ns;
	__u32 pid;
	__s32 fd; /* -1 none */
	__s64 n;  /* see the mark */
};

/* Of a socket; the latest one unless it says first. */
enum mark_kind {
	MARK_SOCKET,	  /* socket() or socketpair() returned it */
	MARK_BIND,	  /* bind() succeeded */
	MARK_LISTEN,	  /* listen() succeeded; n = backlog */
	MARK_CONNECT,	  /* connect() entered */
	MARK_CONNECTED,	  /* connect() returned; n = result */
	MARK_ACCEPTED,	  /* accept() returned this socket */
	MARK_ESTABLISHED, /* first change to ESTABLISHED */
	MARK_SHUT_RD,	  /* first shutdown(SHUT_RD or RDWR) that succeeded: its entry */
	MARK_SHUT_WR,	  /* first shutdown(SHUT_WR or RDWR) that succeeded: its entry */
	MARK_CLOSE, /* entry of the close that took the last descriptor; n = call flags (CALLF_*) */
	MARK_CLOSE_SOME, /* close that left other descriptors; n = references left */
	MARK_SEND_FIRST, /* first send that moved bytes; n = bytes */
	MARK_SEND,	 /* exit of a send that moved bytes; n = bytes */
	MARK_SEND_ERR,	 /* exit of a send that failed; n = result */
	MARK_RECV,	 /* exit of a receive that took bytes (no peek); n = bytes */
	MARK_RECV_ERR,	 /* exit of a receive that failed; n = result */
	MARK_EOF,	 /* first receive that returned 0 by EOF */
	MARK_SYN_OUT,	 /* first SYN leaves; n = how many in all */
	MARK_SYN_IN,	 /* SYN arrives at a listener; n = sid of its sender, 0 = not seen */
	MARK_SYN_DROP,	 /* its SYN met a full accept queue; n = how many in all */
	MARK_FIN_OUT,	 /* first FIN leaves */
	MARK_FIN_IN,	 /* first FIN arrives */
	MARK_RST_WHY,	 /* EV_RST_SENT on this socket; n = reason number */
	MARK_RST_OUT,	 /* first RST segment leaves */
	MARK_RST_IN,	 /* first RST segment arrives */
	MARK_DATA_OUT,	 /* data segment leaves; n = bytes */
	MARK_DATA_IN,	 /* data segment arrives; n = bytes */
	MARK_ACK_IN,	 /* segment with ACK arrives; n = window in bytes */
	MARK_ZERO_WIN,	 /* since then the peer's window is 0; cleared when it opens */
	MARK_ERROR,	 /* EV_SOCK_ERROR; n = errno (positive) */
	MARK_STATE,	 /* change of state; n = the new one */
	MARK_LAST_STATE, /* change to CLOSE; n = the state before */
	MARK_TIME_WAIT,	 /* a time-wait entry took its place */
	MARK_RTX,	 /* retransmission; n = how many in all */
	MARK_DROP, /* datagram or segment not taken in for want of room; n = how many in all */
	MARK_DESTROY,
	MARK_MAX,
};

/* Options a program set that verdicts ask about; a bit each, and the step that set it. */
enum option_kind {
	OPT_REUSEADDR,
	OPT_REUSEPORT,
	OPT_NODELAY,
	OPT_KEEPALIVE,
	OPT_USER_TIMEOUT, /* n = ms */
	OPT_RCVTIMEO,
	OPT_SNDTIMEO,
	OPT_RCVBUF, /* n = as asked */
	OPT_SNDBUF,
	OPT_OOBINLINE,
	OPT_LINGER, /* n = seconds, -1 = off */
	OPT_MAX,
};

#define NOTE_TOLD 40

/* The page of one socket. It outlives the model's object by some seconds. */
struct note {
	__u32 sid;
	__u64 number;	/* as JSON has it */
	__u32 peer;	/* sid of the other end once it was known, 0 = none */
	__u32 listener; /* sid */
	__u32 conn;	/* id of its latest conversation */
	__u32 netns;
	__u16 family, protocol;
	__u8 type;
	enum role role;
	__u32 pid; /* who has it: opener, later the latest caller */
	int fd;	   /* number it was last called by, -1 = unknown */
	struct ev_addr src, dst;
	bool listening, dead;
	__u64 t_dead;
	struct levels lv;	 /* as last seen alive: before the kernel tore it down */
	__u64 sends, recvs;	 /* calls that moved bytes */
	__u64 sent, received;	 /* bytes they moved; peeks not counted */
	__u64 data_out, data_in; /* data segments (TCP) or datagrams */
	struct mark marks[MARK_MAX];
	struct mark opts[OPT_MAX]; /* n = value */
	const struct rule *told[NOTE_TOLD];
	unsigned int n_told;
	TAILQ_ENTRY(note) link;		 /* of the living, by age, or of the dead, by time */
	LIST_ENTRY(note) at_port;	 /* others with src.port, which is not 0 */
	_Alignas(8) unsigned char own[]; /* what families keep here: note_own() */
};

#define WAITING_ON 8

/* A call in progress, from the entry that was told while it still ran. */
struct waiting {
	TAILQ_ENTRY(waiting) link; /* in x->waiting, by entry */
	__u64 id, t_ns;		   /* entry */
	__u32 pid, tid, sid;
	__s32 fd;
	__u16 call;
	__u64 len;	    /* bytes asked for */
	__u32 flags;	    /* x[0] */
	bool told;	    /* a family has spoken about it while it ran */
	unsigned int asked; /* poll, select: descriptors it waits for, sockets or not */
	unsigned int n_on;  /* of those: sockets, the first ones of them */
	struct {
		__u32 sid;
		__u16 events; /* POLLIN, POLLOUT */
	} on[WAITING_ON];
	struct ev_addr to; /* connect: where; family 0 = unknown */
};
TAILQ_HEAD(waiting_head, waiting);
TAILQ_HEAD(note_head, note);
LIST_HEAD(note_port, note);

struct family {
	const char *name;
	const struct rule *rules;
	size_t n_rules;
	size_t note_size;  /* bytes it keeps for each socket, zeroed; flat, no pointers */
	size_t state_size; /* bytes it keeps in all, zeroed; flat, no pointers */
	int (*step)(struct explain *x, const struct step *s); /* any of the three may be NULL */
	int (*tick)(struct explain *x, __u64 now_ns);
	int (*finish)(struct explain *x, __u64 now_ns);
};

struct explain {
	const struct model *m;
	struct explain_options o;
	verdict_fn fn;
	void *ctx;
	__u64 n;      /* verdicts told */
	__u64 now_ns; /* of the latest step or tick */
	bool lossy;   /* events were lost: nothing that was not seen proves anything */
	struct hash *notes;
	struct note_port *by_port; /* heads by local port */
	struct note_head living, dead;
	size_t n_dead;
	struct waiting_head waiting;
	struct hash *callers; /* tid -> struct waiting */
	size_t note_bytes;    /* of families, behind each note */
	void *states;	      /* of families */
};

/* book.c */
bool book_open(struct explain *x); /* false: out of memory; close it all the same */
void book_close(struct explain *x);
void book_tick(struct explain *x, __u64 now_ns);
struct note *note_get(struct explain *x, __u32 sid); /* makes it; NULL: out of memory */
void note_die(struct explain *x, struct note *n, __u64 t_ns);
void note_moves(struct explain *x, struct note *n,
		const struct ev_addr *src);		  /* its local address, from now on */
struct note *note_of(const struct explain *x, __u32 sid); /* NULL: none */
struct note *note_peer(const struct explain *x, const struct note *n);
/*
 * Visit them: start with after = NULL until NULL. All of them, dead ones included, is the last resort: there may be
 * tens of thousands. start with *pos = 0.
 */
struct note *notes_living(const struct explain *x, const struct note *after);
struct note *notes_at(const struct explain *x, __u16 port,
		      const struct note *after); /* with that local port */
struct note *notes_next(const struct explain *x, size_t *pos);

/* notes.c */
const struct mark *note_mark(const struct note *n,
			     enum mark_kind kind); /* NULL: not happened; n may be NULL */
bool note_told(struct note *n,
	       const struct rule *r); /* was it told before? It is now. n NULL: false */
void *note_own(const struct explain *x, struct note *n, const struct family *f);
void *family_state(const struct explain *x, const struct family *f);
int notes_step(struct explain *x, const struct step *s);
/*
 * Ordinary things are news once a program: its second connection says nothing new. In a family's
 * state; of the latest processes only.
 */
struct heard {
	unsigned int n;
	__u64 who[64];
};
bool heard_of(struct heard *h, __u32 pid, enum role role); /* was it heard before? It is now */

/* calls.c: what the call of a step is, for readers */
const struct event_call *step_call(const struct step *s,
				   enum phase phase); /* NULL: no call in that phase */
const struct event_call *step_returned(const struct step *s, enum call call);
bool call_is_send(const struct event_call *c); /* sendto .. splice towards a socket */
bool call_is_receive(
	const struct event_call *c); /* recvfrom .. readv, and sendfile/splice out of one */
bool call_is_accept(const struct event_call *c);
bool call_is_close(const struct event_call *c);	  /* close, close_range, by exit, by exec */
__u64 call_moved(const struct event_call *c);	  /* bytes; of sendmmsg, recvmmsg in all messages */
__u32 call_msg_flags(const struct event_call *c); /* MSG_*, 0 for calls that take none */
bool step_is_tcp(const struct step *s);
bool step_is_udp(const struct step *s);
bool step_is_stream(const struct step *s); /* TCP or an AF_UNIX stream, in a conversation */
/* Index into s->dir[]: the direction in which the step's socket sends. */
int step_out(const struct step *s);
int calls_step(struct explain *x, const struct step *s); /* keeps x->waiting */
void calls_free(struct explain *x);
struct waiting *call_waiting(const struct explain *x, __u32 sid,
			     bool sending); /* on that socket; NULL */
/*
 * A poll(), select() or epoll_wait() in progress that would tell of one of these events on it; NULL.
 * What an epoll waits for is not kept: any one of its process is taken for it.
 */
struct waiting *call_polling(const struct explain *x, const struct note *n, __u16 events);
bool call_is_epoll(__u16 call);

/* pen.c. A verdict in the making is the caller's; tell it or drop it. */
void verdict_start(struct explain *x, struct verdict *v, const struct rule *r,
		   const struct step *s);
/* Without a step at hand (ticks): told under the step `id` of socket n. */
void verdict_start_at(struct explain *x, struct verdict *v, const struct rule *r, struct note *n,
		      __u64 id, __u64 t_ns);
/* "Why did recv(4) fail with ENOTCONN?", once a socket: false if it was told there. */
bool verdict_start_failed(struct explain *x, struct verdict *v, const struct rule *r,
			  const struct step *s, struct note *n);
void verdict_ask(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
void verdict_say(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
void verdict_do(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
void verdict_infer(struct verdict *v, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void verdict_prove(struct verdict *v, __u64 id); /* 0 and repeats are ignored */
void verdict_prove_mark(struct verdict *v, const struct note *n, enum mark_kind kind);
int verdict_tell(struct explain *x, struct verdict *v); /* 0 or what fn returned */
/* "the client (nc 5471)", "process 5471", "the peer"; escaped. Returns buf. */
char *fmt_who(char *buf, size_t size, const struct explain *x, enum role role, __u32 pid);
char *fmt_note(char *buf, size_t size, const struct explain *x,
	       const struct note *n);		      /* its owner */
char *fmt_bytes(char *buf, size_t size, __u64 bytes); /* "1 byte", "395,904 bytes" */
/* The verb behind it: verb(n, "lies", "lie"). */
const char *verb(__u64 n, const char *one, const char *many);
/* "32,741 of 8,000,000 bytes", "all 14 bytes", "the only byte" */
char *fmt_part(char *buf, size_t size, __u64 part, __u64 whole);
char *fmt_ns(char *buf, size_t size, __u64 ns); /* "85 us", "0.2 ms", "41 ms", "1.02 s" */
/* The call as a learner wrote it: "send(3)", "recv(4)"; name by call_word(). */
char *fmt_call(char *buf, size_t size, const struct event_call *c);

#endif
