/* SPDX-License-Identifier: MIT */
/*
 * What the files of src/model share and nobody else sees: the public objects with their private
 * half around them, and who offers what. A public object is the first member of its private one,
 * so the pointers convert; sock_of() and conn_of() do it in one place.
 */
#ifndef SOCKLENS_MODEL_INSIDE_H
#define SOCKLENS_MODEL_INSIDE_H

#include <sys/queue.h>

#include "../event/tcp.h"
#include "../util/hash.h"
#include "model.h"
#include "track.h"

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

/* Something that is freed some time after its end: a place in the queue of gc.c. */
enum mortal_kind { MORTAL_SOCK = 1, MORTAL_CONN = 2, MORTAL_PROC = 3 };
struct mortal {
	TAILQ_ENTRY(mortal) link;
	enum mortal_kind kind;
	bool queued;
	__u64 t_ns;    /* in the queue since */
	__u64 touched; /* number of the gc before the last step that pointed here */
	__u64 touched_ns; /* and the latest moment then: renderers may hold that step back */
};

struct fdtable;

struct mproc {
	struct proc p;
	struct mortal mortal;
	struct fdtable *files; /* NULL: no descriptor known */
};

struct mconn;
struct msock;

/* A socket's place in a conversation. It outlives the socket's interest in it (left). */
struct seat {
	LIST_ENTRY(seat) link; /* of the socket's seats */
	struct msock *s;       /* NULL: free */
	struct mconn *c;
	bool left; /* the socket went on to another conversation */
};

/* Bytes or datagrams a call moved. */
struct traffic {
	bool sending, peek;
	__u64 bytes;
	__u64 messages;
};

/* Urgent bytes at one socket, see urgent.c. */
struct urgent {
	__u64 marked;  /* by its own calls, sending */
	__u64 fetched; /* with MSG_OOB */
	__u64 again;   /* of those, certain to be returned once more */
	__u64 stepped; /* stepped over by receives in line */
	__u64 at;      /* of the last one fetched, on the scale of rx.v[] */
};

/* How urgent bytes shift the amounts that copied_seq tells. */
struct urgent_share {
	__u64 ahead;   /* fetched, and still in the queue */
	__u64 skipped; /* passed by copied_seq, and returned by no call */
	__u64 twice;   /* returned by two calls */
};

struct msock {
	struct sock s;
	struct mortal mortal;
	struct track tx, rx;
	__u64 tx_acked; /* on the scale of tx.v[]: the highest number acknowledged on the wire; 0: none */
	LIST_HEAD(, seat) seats;
	struct unread *unread; /* UDP: what waits in its queue, NULL: nothing came yet */
	int drops_due; /* UDP: dropped by EV_UDP_DROP, EV_SKB_DROP due; negative: the other way round */
	__u32 drop_len; /* bytes of the latest datagram that was dropped here */
	struct msock *next_bound;    /* others bound to the same port or name */
	__u64 bound_key;	     /* 0: not in that index */
	TAILQ_ENTRY(msock) nameless; /* in the model's list, if aiming */
	struct ev_addr aim;	     /* where the call in progress sends */
	struct ev_addr owed_to; /* UDP: moved when our port was not known yet; port 0: nothing */
	struct traffic owed;
	__u64 t_last;
	unsigned int refs;    /* seats taken, and children that point here as their listener */
	unsigned int calling; /* calls in progress on it */
	unsigned int receiving; /* of those, of the receive family */
	__u64 out, in_line; /* TCP: sums of results; of receives that neither peeked nor had MSG_OOB */
	struct urgent urgent;
	bool announced;	      /* an EV_SOCK told who it is */
	bool orphaned;	      /* no descriptor refers to it any more */
	bool established;     /* was, at least once */
	bool aiming;
	bool bound;	 /* by bind(): it keeps its port when a connect() fails */
	bool owner_left; /* the process in conn->pid closed it; others may have it */
	bool untold;	 /* a call moved bytes, maybe, and never said how many */
	bool taken_apart; /* by connect() to AF_UNSPEC: its queues were purged */
};

/* One segment lately seen leaving, to know its arrival and its twin by. */
struct seen {
	__u32 seq, ack, len;
	__u8 flags;
	bool used, arrived, rtx;
};
#define SEEN_MAX 32

/* What the wire told about one sender. */
struct wire {
	__u32 isn;
	__u32 nxt;		      /* behind the last byte seen leaving */
	__u32 out_netns, out_ifindex; /* where its departures are seen, nearest to it */
	__u32 urgent_at;	      /* behind the last byte marked urgent */
	unsigned int urgent;	      /* bytes marked so */
	__u8 wscale;		      /* as in struct event_segment */
	bool isn_known, nxt_known, syn_seen, synack_seen, out_seen;
	unsigned int head;
	struct seen seen[SEEN_MAX];
};

/* AF_UNIX bytes and datagrams of one direction, counted; the amounts of UDP follow, see dgram.c. */
struct counts {
	struct dgram_sum sent, read;  /* by calls */
	struct dgram_sum left, came;  /* by the wire: from the sender's host, at the receiver's */
	struct dgram_sum queued;      /* by the kernel's word, or because they were read */
	struct dgram_sum cut;	      /* of those read: cut short, and by how much */
	struct dgram_sum dropped;     /* at the socket */
	struct dgram_sum nobody;      /* no socket takes them */
	struct dgram_sum lost;	      /* stopped by the kernel before any socket */
	struct dgram_why why;	      /* those were dropped or lost */
	bool told;		      /* the kernel says which of them are queued */
};

#define CONN_NETNS_MAX 4

struct mconn {
	struct conn c;
	struct mortal mortal;
	TAILQ_ENTRY(mconn) all;	 /* by id */
	TAILQ_ENTRY(mconn) over; /* waiting for its summary */
	struct mconn *next_key;	 /* same protocol and ports */
	__u64 key;
	__u64 t_over;
	__u32 netns[CONN_NETNS_MAX]; /* where it was seen */
	unsigned int n_netns;
	LIST_HEAD(, flow) flows;
	struct seat seat[2];
	struct wire wire[2];	 /* by sender: 0 client, 1 server */
	struct counts counts[2]; /* by sender */
	unsigned int rtx_wire[2], rtx_kernel[2];
	__u64 lost_before; /* events, when it began */
	bool sure;   /* which end is the client is known, not guessed */
	bool frozen; /* an end went on: its counters are no longer ours */
	bool told;   /* the summary is out */
	bool refused, timed_out;
	bool aligned[2]; /* by sender: both ends count from the same byte */
};

struct flow {
	TAILQ_ENTRY(flow) idle; /* in the list of those without a conversation */
	LIST_ENTRY(flow) of;	/* in the list of its conversation's flows */
	__u32 fid;
	__u32 netns;
	__u16 protocol;
	struct ev_addr end[2]; /* a, b */
	struct mconn *conn;
};

TAILQ_HEAD(mortal_head, mortal);
TAILQ_HEAD(mconn_head, mconn);
TAILQ_HEAD(flow_head, flow);
TAILQ_HEAD(msock_head, msock);

enum reason_table { REASON_RST = 0, REASON_DROP = 1, REASON_MAX = 2 };

struct model {
	step_fn fn;
	void *ctx;
	int err; /* what fn returned where nobody could be told */
	__u64 last_id;
	__u64 now_ns; /* latest moment seen */
	__u64 gc_seq;
	__u32 last_conn;
	__u64 lost; /* events, so far */
	bool lossy; /* records are missing: a first sight may be a late one */
	bool tells_queued; /* the kernel says which datagrams are queued */
	unsigned int untraced; /* LAYER_* */
	struct hash *procs, *socks, *flows;
	struct hash *conns; /* by protocol and ports: newest, then next_key */
	struct hash *bound; /* by namespace, protocol and port: listeners and UDP sockets */
	struct hash *calls; /* by thread: struct entry of model.c */
	struct hash *reasons[REASON_MAX];
	struct mortal_head mortals;
	struct mconn_head all, over;
	struct flow_head idle_flows;
	struct msock_head nameless; /* sockets in a call that gives them a port */
	size_t n_conns, n_idle_flows;
};

/* Live objects, for tests of forgetting. */
struct model_count {
	size_t procs, socks, conns, flows, fds, calls;
};
struct model_count model_count(const struct model *m);

static inline struct msock *sock_of(const struct sock *s)
{
	return (struct msock *)s;
}

static inline struct mconn *conn_of(const struct conn *c)
{
	return (struct mconn *)c;
}

/* model.c */
int model_emit(struct model *m, struct step *s);

/* gc.c */
void mortal_add(struct model *m, struct mortal *d, enum mortal_kind kind, __u64 t_ns);
void mortal_touch(const struct model *m, struct mortal *d); /* a step points to it */

/* proc.c */
struct mproc *proc_find(const struct model *m, __u32 pid);
struct mproc *proc_get(struct model *m, __u32 pid); /* makes it; NULL: out of memory */
void proc_free(struct model *m, struct mproc *p);
int proc_event(struct model *m, const struct moment *mo, struct step *s);
int proc_fd_event(struct model *m, const struct moment *mo, struct step *s);

/* sock.c */
struct msock *sock_find(const struct model *m, __u32 sid);
struct msock *sock_get(struct model *m, __u32 sid, __u64 t_ns); /* makes it; NULL: out of memory */
void sock_free(struct model *m, struct msock *s);
int sock_event(struct model *m, const struct moment *mo, struct step *s);
bool sock_is_tcp(const struct msock *s);
bool sock_gone(const struct msock *s); /* nothing more can happen to its bytes */
void sock_set_role(struct model *m, struct msock *s, enum role role, __u32 pid);
void sock_named(struct model *m, struct msock *s, const struct ev_addr *src,
		const struct ev_addr *dst); /* the wire told its addresses first */
void sock_listen(struct model *m, struct msock *s, __u32 pid);
void sock_opened(struct msock *s, __u32 pid, int fd);
void sock_orphan(struct model *m, struct msock *s, __u64 t_ns); /* its last descriptor is gone */
void sock_die(struct model *m, struct msock *s, __u64 t_ns);	/* the kernel freed it */
void sock_check_gone(struct model *m, struct msock *s, __u64 t_ns); /* its state changed */
void sock_taken_apart(struct msock *s); /* by connect() to AF_UNSPEC */
void sock_restart(struct model *m, struct msock *s, __u64 t_ns); /* a new connection begins on it */
__u32 sock_owner(const struct msock *s);			 /* pid, 0 = unknown */
/* The socket in this namespace that gets what is sent to `to` (from `from`), NULL: none known. */
struct msock *sock_bound(const struct model *m, __u32 netns, __u16 protocol,
			 const struct ev_addr *to, const struct ev_addr *from);
void sock_bound_as(struct model *m, struct msock *s, __u64 key); /* and unindexed when it dies */
bool addr_is_any(const struct ev_addr *a);

/* unix.c: AF_UNIX datagrams, by name */
__u64 unix_key(const char *name, size_t len);
void unix_bound(struct model *m, struct msock *s, const char *name, size_t len);
/* What s and the socket bound to that name have in common; NULL: no datagram socket is known by it. */
struct mconn *unix_pair(struct model *m, struct msock *s, const char *name, size_t len, __u64 t_ns);

/* unread.c: the datagrams in a UDP socket's queue, oldest first */
struct unread_dgram {
	struct mconn *conn; /* whose, NULL: forgotten */
	__u64 t_ns;	    /* of its arrival */
	__u32 len;	    /* bytes of payload */
	bool queued;	    /* the kernel said so */
};
/* What a receive call is known to have taken. */
struct unread_take {
	const struct mconn *conn; /* NULL: not told whose */
	__u64 got, room;	  /* bytes it returned, bytes it had room for */
	bool queued;		  /* only one that is known to be queued */
};
bool unread_arrived(struct msock *s, const struct unread_dgram *d); /* false: not entered */
/* Each gives the datagram it is about, or false if none is known. */
bool unread_queued(struct msock *s, struct unread_dgram *d);
/* c: its conversation, NULL = not known; len: if there is one of this length */
bool unread_dropped(struct msock *s, const struct mconn *c, __u32 len, struct unread_dgram *d);
bool unread_taken(struct msock *s, const struct unread_take *t, struct unread_dgram *d);
void unread_none(struct msock *s, __u64 t_ns); /* what came before that was taken for certain */
void unread_doubted(struct msock *s);	       /* something was missed */
void unread_forget(struct msock *s, const struct mconn *c);
void unread_free(struct msock *s);

/* levels.c. state: the TCP state these levels belong to. True if anything was news. */
enum levels_from { LEVELS_KERNEL = 0, LEVELS_READ = 1 }; /* READ: of a call that has just read bytes */
bool levels_apply(struct model *m, struct msock *s, const struct levels *lv, unsigned int state,
		  enum levels_from from);
void levels_established(struct model *m, struct msock *s, const struct levels *lv);
void levels_fin_queued(struct msock *s, __u32 seq); /* seq: of the FIN */

/* conn.c */
struct mconn *conn_new(struct model *m, __u32 netns, __u16 protocol, const struct ev_addr *client,
		       const struct ev_addr *server, __u64 t_ns);
void conn_free(struct model *m, struct mconn *c);
void conn_sit(struct model *m, struct mconn *c, struct msock *s, int end);
void conn_swap(struct mconn *c);
/* Another socket than we thought is that end of it. */
void conn_move(struct model *m, struct mconn *c, struct msock *from, struct msock *to);
int conn_side(const struct mconn *c, const struct msock *s);	    /* 0, 1; -1: not its end */
int conn_addr_side(const struct mconn *c, const struct ev_addr *a); /* whose address it is; or -1 */
bool conn_in_netns(const struct mconn *c, __u32 netns);
void conn_add_netns(struct mconn *c, __u32 netns);
struct mconn *conn_first(const struct model *m, __u16 protocol, __u16 port_a, __u16 port_b);
/* Same addresses, either way round; UDP: a wildcard address matches any. */
bool conn_matches(const struct mconn *c, const struct ev_addr *a, const struct ev_addr *b);
void conn_leave(struct model *m, struct msock *s, __u64 t_ns);
void conn_check_over(struct model *m, struct mconn *c, __u64 t_ns);
void conn_end(struct model *m, struct mconn *c, __u64 t_ns);

/* pair.c: which conversation a socket or a flow belongs to */
int pair_sock(struct model *m, struct msock *s, __u64 t_ns); /* by its addresses; 0 or -ENOMEM */
int pair_peers(struct model *m, struct msock *s, struct msock *peer, __u64 t_ns); /* AF_UNIX */
struct mconn *pair_dgram(struct model *m, struct msock *s, const struct ev_addr *remote,
			 bool sending, __u64 t_ns);
/* A call that will give the socket an address, and its end; who of those sends on this flow. */
void pair_aim(struct model *m, struct msock *s, const struct ev_addr *to);
void pair_unaim(struct model *m, struct msock *s);
struct msock *pair_nameless(const struct model *m, const struct flow *f, const struct ev_addr *src,
			    const struct ev_addr *dst);
struct mconn *pair_flow(struct model *m, const struct flow *f, const struct event_segment *g,
			__u64 t_ns);

/* summary.c */
enum conn_end conn_how(const struct mconn *c);
int summary_flush(struct model *m, __u64 now_ns); /* those whose time has come */
int summary_rest(struct model *m);		  /* all that are left */

/* ledger.c */
void ledger_update(struct mconn *c);
void ledger_of_counts(struct mconn *c, int from);
void ledger_settle(struct mconn *c); /* its last word: fills in the residuals */

/* urgent.c */
void urgent_marked(struct wire *w, const struct event_segment *g);
void urgent_fetched(struct msock *r, __u32 seq); /* by a call with MSG_OOB */
void urgent_stepped(const struct mconn *c, int from, struct msock *r); /* after a receive */
struct urgent_share urgent_share(const struct msock *r);

/* dgram.c, dgram_call.c: UDP and AF_UNIX, by counting. from: the end that sends */
void dgram_moved(struct mconn *c, int side, const struct traffic *t); /* AF_UNIX */
void dgram_ledger(struct mconn *c, int from);
void dgram_settle(struct mconn *c, bool lossy); /* its last word */
/* A UDP call moved datagrams, or found none: returns whose. NULL: nothing, or not known. */
struct mconn *dgram_call(struct model *m, struct msock *s, const struct event_call *call,
			 const struct traffic *t, struct step *st);
void dgram_moved_unseen(struct model *m, struct msock *s, __s32 result, bool sending);
/* The first send of a socket whose own port is told only afterwards is counted then. */
void dgram_pay(struct model *m, struct msock *s, __u64 t_ns);
/* On the wire. r: the socket it comes to */
void dgram_left(struct mconn *c, int from, __u32 len);
void dgram_came(struct model *m, struct mconn *c, int from, struct msock *r,
		const struct unread_dgram *d);
/* What the kernel did with one: EV_DATA_READY, EV_UDP_DROP, EV_SKB_DROP. s NULL: no socket's. */
void dgram_kernel(struct model *m, struct msock *s, const struct event_sock *e, struct step *st);
bool dgram_waits(const struct mconn *c); /* something of it was not read yet */

/* flow.c */
struct flow *flow_find(const struct model *m, __u32 fid);
struct mconn *flow_conn(const struct model *m, const struct flow *f); /* NULL: none now */
void flow_set_conn(struct model *m, struct flow *f, struct mconn *c);
void flow_forget_conn(struct model *m, struct mconn *c); /* its flows have none any more */
void flow_free_all(struct model *m);
int flow_event(struct model *m, const struct moment *mo, struct step *s);

/* segment.c */
int segment_event(struct model *m, const struct moment *mo, struct step *s);
/* Segments of that end were seen, and none of the latest carried data at or behind seq. */
bool segments_end_at(const struct mconn *c, int from, __u32 seq);

/* call.c, kernel.c */
int call_event(struct model *m, const struct moment *mo, struct step *s);
int kernel_event(struct model *m, const struct moment *mo, struct step *s);

#endif
