/* SPDX-License-Identifier: MIT */
/*
 * Inside of the text renderer: its state, and what its files offer each other.
 *
 *   text.c     the renderer's entries, the queue of steps that wait for their socket's role
 *   lines.c    steps -> lines: what each kind of step adds
 *   draft.c    the line in the making: which steps share it, when it is done
 *   words.c    one step -> short texts
 *   why.c      verdicts: rows under the line they belong to
 *   remarks.c  the table of sentences for the learner
 *   heads.c    title, processes, conversations: what is said once
 *   summary.c  the end of a conversation and of the trace
 */
#ifndef SOCKLENS_RENDER_TEXT_H
#define SOCKLENS_RENDER_TEXT_H

#include "columns.h"
#include "render.h"
#include "../model/step.h"

/* Steps on one row are this close at most; the same story gives the same rows whatever the ticks. */
#define LINE_MERGE_NS 2000000ull
/* How long a step waits for its socket's role, measured by ticks. */
#define ROLE_WAIT_NS 40000000ull

/* What was last shown of a socket. Direct-mapped by sid: an evicted one is merely shown afresh. */
struct shown {
	__u32 sid;
	bool roleless; /* waited for its role in vain: do not wait again */
	bool in_gai;   /* made by libc inside getaddrinfo: only counted */
	bool rcvq_seen;
	__u64 rcvq, sndq; /* bytes */
	__u32 backlog;	  /* connections */
};

#define SHOWN_MAX 2048
#define ACTORS_MAX 256
#define GAI_MAX 16
#define REMARKS_MAX 32

/* The line being put together, and what decides whether the next step still belongs to it. */
struct draft {
	struct line line;
	__u64 t_first_ns, t_last_ns;
	__u32 conn;	   /* 0 = none yet */
	__u16 server_port; /* of that conversation */
	__u16 dst_port; /* where the socket of this line goes: known before its conversation is */
	char head[2][128];  /* its ends, where its header is due; escaped */
	char head_kind[16]; /* "TCP" */
	bool open;	    /* ends in " ...": a call that has not returned on this line */
	bool exit_known;    /* of that call: its exit comes soon */
	bool retransmit;    /* the arrow is a retransmission */
	bool closing;	    /* the call is a close() */
	bool rst_follows;   /* it says why an RST leaves: that segment joins in spite of remarks */
	__u64 enter_id;
	int actor_side; /* a thread's header is due in this column, -1 = none */
	__u32 pid, tid;
	char comm[EVENT_COMM_LEN + 1];
	struct why *why, **why_tail; /* verdicts to be told below it */
};

/* Calls inside a getaddrinfo that is still running. */
struct gai_count {
	__u32 tid;
	unsigned int calls;
};

/* Verdicts told of a conversation; direct-mapped by its id. */
#define TOLD_RULES 6
struct conn_told {
	__u32 conn;
	unsigned int n;			      /* of all weights */
	const struct rule *rules[TOLD_RULES]; /* each once, asides left out */
};

struct held;
struct why;

struct render {
	struct view view;
	struct session_meta meta;
	struct columns columns;
	struct sheet sheet;
	struct draft draft;
	struct held *head, **tail; /* steps that wait */
	size_t n_held;
	__u64 horizon_ns; /* of the last tick */
	__u64 t0_ns;	  /* first moment shown */
	bool t0_set;
	bool titled;
	bool multi;		     /* more than one conversation: lines carry tags */
	__u32 first_conn, last_conn; /* the first shown, and the highest number so far */
	__u32 heads[SHOWN_MAX];	     /* conversations whose header was shown, by id */
	struct shown shown[SHOWN_MAX];
	__u32 actors[2][ACTORS_MAX]; /* threads that have a header in a column; ring */
	unsigned int n_actors[2];
	struct gai_count gai[GAI_MAX];
	bool unaccepted;     /* of the step at hand: its server has not called accept() yet */
	__u64 last_enter_id; /* entry that no other call line has followed; 0 = none */
	unsigned int remark_count[REMARKS_MAX];
	struct conn_told told[SHOWN_MAX];
	struct frame_loss loss; /* totals last told */
	int err;
};

/* lines.c */
int lines_step(struct render *r, const struct step *s); /* 0 or a negative errno */
bool lines_hidden(
	const struct step *s); /* steps that are never shown on their own, nor waited for */
unsigned int heads_number(const struct render *r,
			  __u32 conn); /* what "#" shows for a conversation */
struct shown *lines_shown(struct render *r, __u32 sid);

/* draft.c: 0 or a negative errno */
int draft_flush(struct render *r);
int draft_tick(struct render *r, __u64 horizon_ns);
int draft_start(struct render *r,
		const struct step *s); /* flush, then an empty line of this moment */
/* Make room for what this step adds in this column: on the line there is, or on a new one. */
int draft_join(struct render *r, const struct step *s, enum side side);
bool draft_takes_segment(const struct render *r, const struct step *s, enum side from);
void draft_set_conn(struct render *r, const struct step *s);
/* Name the caller of the line's call; true when its column has shown more than one thread. */
bool draft_set_actor(struct render *r, const struct step *s, enum side side);
bool draft_same_sock(const struct render *r, const struct step *s, enum side side);
bool draft_near(const struct render *r, const struct step *s);
bool actor_known(const struct render *r, enum side side, __u32 tid);

/* words.c: texts of one step. Return buf, or NULL when there is nothing to say. */
void words_segment(const struct step *s, const struct columns *c, struct arrow *a);
char *words_exit(char *buf, size_t size, const struct step *s, bool named);
char *words_proc(char *buf, size_t size, const struct event_proc *p);
/* A kernel moment in a few words: "error ECONNREFUSED". */
char *words_moment(char *buf, size_t size, const struct step *s);
char *words_level(char *buf, size_t size, const char *queue, __u64 bytes, __u64 level, __u64 limit);

/* remarks.c: the sentence for a step, NULL when it needs none (or had it often enough). */
char *remark_for(struct render *r, const struct step *s, char *buf, size_t size);

/* why.c */
int why_step(struct render *r, const struct verdict *v); /* below the line in the making, or now */
int why_flush(struct render *r);			 /* those of the line just written */
void why_free(struct render *r);
/* "rst-unread, eof-close and 2 more" for the summary; NULL: none. Returns buf. */
char *why_names(struct render *r, __u32 conn, char *buf, size_t size);

/* heads.c: write what has to be said before the draft: title, conversation, process. */
int heads_before(struct render *r, struct draft *d);
void heads_stamp(struct render *r, __u64 t_ns, char *buf, size_t size);

/* summary.c */
int summary_conn(struct render *r, const struct step *s);
int summary_end(struct render *r, const struct frame_loss *total, bool complete);
int summary_loss(struct render *r, const struct frame_loss *now, const struct frame_loss *before);
/* One free text line, broken at spaces to the view's width. */
int text_say(struct render *r, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
