// SPDX-License-Identifier: MIT
/*
 * Segments on the wire: whose they are, their numbers relative to the initial ones, which of them
 * were seen before.
 *
 * A segment is seen up to twice in each namespace it crosses: leaving and arriving. Departures
 * from the sender's own namespace are what counts (bytes, retransmissions); each arrival is
 * matched with the oldest departure of the same segment that has not arrived yet.
 */
#include <netinet/in.h>

#include "../event/names.h"
#include "inside.h"

#define WSCALE_MAX 14	   /* RFC 7323 section 2.3 */
#define JUMP_MAX (1 << 30) /* bytes: no window is larger, RFC 7323 section 2.3 */

/* A segment and where it stands, while it is worked on. */
struct passage {
	const struct event_segment *g;
	struct flow *flow;
	struct mconn *c;
	int from;  /* end of c that sent it */
	bool out;  /* leaving; else arriving */
	bool home; /* seen in the namespace of the end it leaves or reaches */
};

/* --- what a segment teaches --- */

static void learn_syn(struct passage *p)
{
	struct wire *w = &p->c->wire[p->from];
	const struct event_segment *g = p->g;

	if (!(g->flags & TCPF_SYN) || w->syn_seen)
		return;
	w->isn = g->seq;
	w->isn_known = w->syn_seen = true;
	w->wscale = g->wscale <= WSCALE_MAX + 1 ? g->wscale : WSCALE_MAX + 1;
}

static void learn_end(struct passage *p)
{
	struct conn *c = &p->c->c;

	if (p->g->flags & TCPF_FIN) {
		c->fin_seen[p->from] = true;
		if (c->first_fin < 0)
			c->first_fin = p->from;
	}
	if (p->g->flags & TCPF_RST && c->rst_by < 0)
		c->rst_by = p->from;
}

static __u32 seq_len(const struct event_segment *g)
{
	return g->len + !!(g->flags & TCPF_SYN) + !!(g->flags & TCPF_FIN);
}

/* What has left was sent, whatever the socket's last sample says. */
static void learn_sent(struct passage *p)
{
	struct sock *end = p->c->c.end[p->from];
	struct msock *s = end ? sock_of(end) : NULL;
	__u32 behind = p->g->seq + p->g->len;
	__s32 jump;

	if (!p->out || !p->home || !s || !s->tx.seen || p->g->flags & (TCPF_SYN | TCPF_RST))
		return;
	if (p->c->frozen || s->s.destroyed || s->s.state == TCP_S_CLOSE)
		return;
	jump = seq_diff(behind, (__u32)s->tx.v[TX_NXT]);
	if (jump > JUMP_MAX)
		return;
	track_grow(&s->tx, TX_NXT, behind);
	if (p->g->flags & TCPF_FIN && jump >= -1)
		track_set_fin(&s->tx, behind);
	ledger_update(p->c);
}

/*
 * What the other end says it has. A kernel does not look at the acknowledgement of an RST, which may
 * be the only one for the last bytes; and a segment seen arriving may be dropped behind that point.
 */
static void learn_acked(struct passage *p)
{
	struct sock *end = p->c->c.end[!p->from];
	struct msock *s = end ? sock_of(end) : NULL;
	__s32 ahead;

	if (!s || !s->tx.seen || !(p->g->flags & TCPF_ACK) || p->c->frozen || s->s.destroyed)
		return;
	ahead = seq_diff(p->g->ack, (__u32)s->tx.v[TX_UNA]);
	if (ahead <= 0 || s->tx.v[TX_UNA] + (__u32)ahead > s->tx.v[TX_NXT])
		return;
	if (s->tx.v[TX_UNA] + (__u32)ahead <= s->tx_acked)
		return;
	s->tx_acked = s->tx.v[TX_UNA] + (__u32)ahead;
	ledger_update(p->c);
}

/* --- seen before? --- */

static struct seen *seen_same(struct wire *w, const struct event_segment *g, bool unarrived)
{
	unsigned int i;
	struct seen *e;

	for (i = 0; i < SEEN_MAX; i++) {
		e = &w->seen[(w->head + i) % SEEN_MAX]; /* oldest first */
		if (!e->used || (unarrived && e->arrived))
			continue;
		if (e->seq == g->seq && e->len == g->len && e->flags == g->flags &&
		    e->ack == g->ack)
			return e;
	}
	return NULL;
}

static void seen_add(struct wire *w, const struct event_segment *g, bool arrived, bool rtx)
{
	w->seen[w->head] = (struct seen){
		.seq = g->seq,
		.ack = g->ack,
		.len = g->len,
		.flags = g->flags,
		.used = true,
		.arrived = arrived,
		.rtx = rtx,
	};
	w->head = (w->head + 1) % SEEN_MAX;
}

/* A sender sends in order: what lies before the last byte that left has left before. */
static bool sent_before(struct wire *w, const struct event_segment *g)
{
	__u32 behind = g->seq + seq_len(g);
	bool again;

	if (!seq_len(g) || g->sflags & SEGF_UDP)
		return false;
	again = w->nxt_known && seq_before(g->seq, w->nxt);
	/* Simultaneous open: the SYN,ACK has the number of the SYN that went before it. */
	if (g->flags & TCPF_SYN && g->flags & TCPF_ACK && !w->synack_seen)
		again = false;
	w->synack_seen |= g->flags & TCPF_SYN && g->flags & TCPF_ACK;
	if (!w->nxt_known || seq_before(w->nxt, behind))
		w->nxt = behind;
	w->nxt_known = true;
	return again;
}

/* Leaving, at the sender's own place: returns whether it is a retransmission. */
static bool note_departure(struct passage *p)
{
	struct wire *w = &p->c->wire[p->from];
	bool rtx = sent_before(w, p->g);

	w->out_seen = true;
	w->out_netns = p->flow->netns;
	w->out_ifindex = p->g->ifindex;
	seen_add(w, p->g, false, rtx);
	if (rtx)
		p->c->rtx_wire[p->from]++;
	return rtx;
}

static bool arrived_before(const struct wire *w, const struct event_segment *g)
{
	unsigned int i;

	if (!seq_len(g) || g->sflags & SEGF_UDP)
		return false;
	for (i = 0; i < SEEN_MAX; i++)
		if (w->seen[i].used && w->seen[i].seq == g->seq && w->seen[i].len == g->len)
			return true;
	return false;
}

bool segments_end_at(const struct mconn *c, int from, __u32 seq)
{
	const struct wire *w = &c->wire[from];
	bool any = false;
	unsigned int i;

	for (i = 0; i < SEEN_MAX; i++) {
		any |= w->seen[i].used;
		if (w->seen[i].used && w->seen[i].len &&
		    seq_before(seq, w->seen[i].seq + w->seen[i].len))
			return false;
	}
	return any;
}

/* Arriving, or leaving once more on its way. */
static bool note_passing(struct passage *p, struct step *s)
{
	struct wire *w = &p->c->wire[p->from];
	struct seen *e = seen_same(w, p->g, !p->out);
	bool rtx;

	if (e && !p->out) {
		e->arrived = p->home;
		s->sflags |= STEP_SEG_PAIR;
	}
	if (e || w->out_seen)
		return e && e->rtx;
	/* The sender is elsewhere: seen before is what arrived here before. */
	rtx = arrived_before(w, p->g);
	seen_add(w, p->g, true, rtx);
	return rtx;
}

/* The first device a segment leaves by; a bridge or tunnel may hand it to others after that. */
static bool is_departure(const struct passage *p)
{
	struct wire *w = &p->c->wire[p->from];

	if (!p->out || !p->home)
		return false;
	if (!w->out_seen || (w->out_netns == p->flow->netns && w->out_ifindex == p->g->ifindex))
		return true;
	return w->out_netns == p->flow->netns && !seen_same(w, p->g, false);
}

/* Once per segment: where it leaves, or where it arrives if its departure is out of sight. */
static void count_segment(struct passage *p, bool departs)
{
	if (!departs && (p->out || p->c->wire[p->from].out_seen))
		return;
	p->c->c.segments[p->from]++;
	p->c->c.seg_bytes[p->from] += p->g->len;
}

static void count_retransmits(struct mconn *c, int from)
{
	/* Both the kernel's word and the wire count the same thing. */
	c->c.retransmits[from] = c->rtx_wire[from] > c->rtx_kernel[from] ? c->rtx_wire[from] :
									   c->rtx_kernel[from];
}

/* --- the step --- */

static bool isn_of(const struct mconn *c, int end, __u32 *isn)
{
	const struct msock *s = c->c.end[end] ? sock_of(c->c.end[end]) : NULL;
	const struct msock *r = c->c.end[!end] ? sock_of(c->c.end[!end]) : NULL;

	if (c->wire[end].isn_known)
		*isn = c->wire[end].isn;
	else if (s && s->tx.exact)
		*isn = (__u32)s->tx.base - 1;
	else if (r && r->rx.exact)
		*isn = (__u32)r->rx.base - 1;
	else
		return false;
	return true;
}

static void relate(const struct passage *p, struct step *s)
{
	const struct event_segment *g = p->g;
	__u32 isn = 0, isn_other = 0;
	bool known = isn_of(p->c, p->from, &isn);

	/* The answer to a SYN nobody wanted: an RST from one who never chose a number. */
	if (!known && g->flags & TCPF_RST && !g->seq)
		known = true;
	if (g->flags & TCPF_ACK)
		known = known && isn_of(p->c, !p->from, &isn_other);
	s->rel_known = known;
	s->rel_seq = known ? g->seq - isn : 0;
	s->rel_ack = known && g->flags & TCPF_ACK ? g->ack - isn_other : 0;
}

/* RFC 7323 section 2.2: scaled only if both SYNs offered it, and never in a SYN. */
static void scale_window(const struct passage *p, struct step *s)
{
	const struct wire *w = &p->c->wire[p->from], *other = &p->c->wire[!p->from];
	const struct event_segment *g = p->g;
	bool known = w->syn_seen && other->syn_seen;

	s->win_bytes = g->win;
	s->win_scaled = known || g->flags & TCPF_SYN;
	if (known && !(g->flags & TCPF_SYN) && w->wscale && other->wscale)
		s->win_bytes = (__u64)g->win << (w->wscale - 1);
}

static void describe(const struct passage *p, struct step *s)
{
	s->conn = &p->c->c;
	s->seg_from = p->from ? ROLE_SERVER : ROLE_CLIENT;
	s->role = p->out == !p->from ? ROLE_CLIENT : ROLE_SERVER;
	s->win_bytes = p->g->win;
	if (p->g->sflags & SEGF_UDP)
		return;
	if (!seq_len(p->g) && !(p->g->flags & TCPF_RST))
		s->sflags |= STEP_PURE_ACK;
	relate(p, s);
	scale_window(p, s);
}

/* The socket it leaves or reaches. Of a SYN: the one that listens there. */
static struct msock *local_sock(struct model *m, const struct passage *p)
{
	bool from_b = p->g->sflags & SEGF_FROM_B;
	const struct ev_addr *src = &p->flow->end[from_b], *dst = &p->flow->end[!from_b];
	struct sock *end = p->c ? p->c->c.end[p->out ? p->from : !p->from] : NULL;

	if (end)
		return end->netns == p->flow->netns ? sock_of(end) : NULL;
	return sock_bound(m, p->flow->netns, p->flow->protocol, p->out ? src : dst,
			  p->out ? dst : src);
}

/*
 * A sender names its socket; take it as the end if nobody else is. A SYN,ACK leaves from the
 * listener, whose socket is no end.
 */
static void claim(struct model *m, struct passage *p, struct msock *s)
{
	bool from_b = p->g->sflags & SEGF_FROM_B;
	const struct ev_addr *src = &p->flow->end[from_b], *dst = &p->flow->end[!from_b];

	if (!s || s->s.listening || s->s.destroyed || !p->out || s->s.netns != p->flow->netns ||
	    s->s.protocol != p->flow->protocol || s->s.src.port != src->port)
		return;
	if (p->flow->protocol == IPPROTO_UDP)
		pair_dgram(m, s, dst, true, p->g->e.t_ns);
	else if (!p->c->c.end[p->from] && !s->s.conn && addr_equal(&s->s.src, src))
		conn_sit(m, p->c, s, p->from);
}

/* Of a datagram in fragments only the first one is seen: its UDP header has the whole length. */
static __u32 dgram_len(const struct event_segment *g)
{
	return g->sflags & SEGF_FRAGMENT ? g->seq : g->len;
}

static void receive_dgram(struct model *m, const struct passage *p, struct msock *r)
{
	const struct ev_addr *src = &p->flow->end[!!(p->g->sflags & SEGF_FROM_B)];
	const struct unread_dgram d = {
		.conn = p->c,
		.t_ns = p->g->e.t_ns,
		.len = dgram_len(p->g),
	};

	if (p->out || !(p->g->sflags & SEGF_UDP) || !r)
		return;
	if (conn_side(p->c, r) < 0)
		pair_dgram(m, r, src, false, p->g->e.t_ns);
	if (conn_side(p->c, r) >= 0)
		dgram_came(m, p->c, p->from, r, &d);
}

static bool is_home(const struct passage *p)
{
	const struct sock *end = p->c->c.end[p->out ? p->from : !p->from];

	return !end || end->netns == p->flow->netns;
}

static void find_conn(struct model *m, struct passage *p, __u64 t_ns)
{
	const struct ev_addr *src = &p->flow->end[!!(p->g->sflags & SEGF_FROM_B)];

	p->c = pair_flow(m, p->flow, p->g, t_ns);
	if (!p->c)
		return;
	flow_set_conn(m, p->flow, p->c);
	p->from = conn_addr_side(p->c, src);
	if (p->from < 0)
		p->c = NULL; /* its addresses changed under us */
}

/* The sender, where the segment does not name it: bound to that port, or about to be. */
static struct msock *find_sender(struct model *m, const struct passage *p,
				 const struct ev_addr *src, const struct ev_addr *dst)
{
	bool udp = p->flow->protocol == IPPROTO_UDP;
	struct msock *s = NULL;

	if (!p->out || p->c->c.end[p->from])
		return NULL;
	if (udp)
		s = sock_bound(m, p->flow->netns, IPPROTO_UDP, src, dst);
	if (s || (!udp && (p->g->flags & (TCPF_SYN | TCPF_ACK)) != TCPF_SYN))
		return s;
	s = pair_nameless(m, p->flow, src, dst);
	if (s)
		sock_named(m, s, src, dst);
	return s;
}

static void passes(struct model *m, struct passage *p, struct msock *named, struct step *s)
{
	bool from_b = p->g->sflags & SEGF_FROM_B;
	const struct ev_addr *src = &p->flow->end[from_b], *dst = &p->flow->end[!from_b];
	bool rtx, departs;
	int from;

	claim(m, p, named ? named : find_sender(m, p, src, dst));
	from = conn_addr_side(p->c, src);
	if (from >= 0) /* claiming may have told which end is the client */
		p->from = from;
	p->home = is_home(p);
	learn_syn(p);
	urgent_marked(&p->c->wire[p->from], p->g);
	departs = is_departure(p);
	rtx = departs ? note_departure(p) : note_passing(p, s);
	if (rtx)
		s->sflags |= STEP_RTX;
	count_segment(p, departs);
	if (departs && p->g->sflags & SEGF_UDP)
		dgram_left(p->c, p->from, dgram_len(p->g));
	count_retransmits(p->c, p->from);
	learn_end(p);
	learn_sent(p);
	learn_acked(p);
}

int segment_event(struct model *m, const struct moment *mo, struct step *s)
{
	const struct event_segment *g = (const struct event_segment *)mo->ev;
	struct passage p = { .g = g, .flow = flow_find(m, g->fid), .out = g->sflags & SEGF_OUT };
	struct msock *named = s->sock ? sock_of(s->sock) : NULL, *at;

	if (!p.flow)
		return 0;
	find_conn(m, &p, mo->t_ns);
	if (p.c)
		passes(m, &p, named, s);
	at = local_sock(m, &p);
	if (at)
		s->sock = &at->s;
	if (!p.c)
		return 0;
	receive_dgram(m, &p, at);
	describe(&p, s);
	conn_check_over(m, p.c, mo->t_ns);
	return 0;
}
