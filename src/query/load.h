/* SPDX-License-Identifier: MIT */
/*
 * Inside of src/query: what the files that fill the tables share.
 *
 *   load.c         the renderer's entries, the tables segment, state, verdict, loss, meta
 *   load_event.c   the table event
 *   load_call.c    the table call
 *   load_socks.c   the table sock
 *   load_conn.c    the tables conn, ledger, datagrams
 *   stream.c       event, segment, state: one of them alone, as it is read
 */
#ifndef SOCKLENS_QUERY_LOAD_H
#define SOCKLENS_QUERY_LOAD_H

#include "db.h"

#define TOLD_MAX 1024
#define TOLD_BYTES 6 /* columns out_written .. out_gone */
#define TCP_FLAGS_TEXT 40

/* Where the bytes of a conversation were when that was last written. Direct-mapped by its id. */
struct told {
	__u32 conn;		    /* 0: free */
	__u32 seen;		    /* bits: whose counters are known */
	__u64 bytes[2][TOLD_BYTES]; /* by sender */
};

struct calls; /* those in progress */
struct socks; /* those lately seen */

struct render {
	struct query *q;
	__u64 start_ns;		/* boot clock: t_ns counts from here */
	__u64 lost_id;		/* latest step that told of a loss */
	struct frame_loss loss; /* totals last told */
	struct told told[TOLD_MAX];
	char flags[256][TCP_FLAGS_TEXT]; /* of segments, as text; "" = not made yet */
	struct calls *calls;
	struct socks *socks;
};

static inline __s64 load_time(const struct render *r, __u64 t_ns)
{
	return (__s64)(t_ns - r->start_ns);
}

static inline struct rows *load_row(struct render *r, enum table_id table)
{
	rows_start(r->q->rows[table]);
	return r->q->rows[table];
}

const char *load_errno(__s64 ret); /* name of the error, NULL for none or one without a name */

int load_event(struct render *r, const struct step *s);
int load_segment(struct render *r, const struct step *s); /* of EV_SEGMENT */
int load_state(struct render *r, const struct step *s);	  /* of EV_STATE */

/* What the recorder left out, for query_loaded(). total: as finish() is given it. */
void load_count(struct render *r, const struct frame_loss *total, bool complete);

struct calls *load_calls_new(void);
void load_calls_free(struct calls *c);			     /* NULL is accepted */
int load_calls_step(struct render *r, const struct step *s); /* of EV_CALL or EV_GAI */
int load_calls_finish(struct render *r);		     /* those that never returned */

struct socks *load_socks_new(void);
void load_socks_free(struct socks *c); /* NULL is accepted */
int load_socks_step(struct render *r, const struct step *s);
int load_socks_finish(struct render *r);

int load_summary(struct render *r, const struct step *s);

#endif
