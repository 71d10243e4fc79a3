// SPDX-License-Identifier: MIT
/*
 * Levels: what the kernel held for a socket at one moment, merged into what is known of it.
 *
 * Moments come in order of time, but a sample may still be older than one already merged (a call
 * found in progress is looked at later than it began). Sequence numbers therefore only grow; the
 * other fields are taken unless the sample is older by its sequence numbers.
 *
 * What the kernel does around the ends of a stream, and this file relies on:
 * - in SYN_SENT, SYN_RECV and LISTEN the sequence numbers are not those of a stream yet, but for a
 *   listener's child: born with the SYN's data (fast open), it can be read and written in SYN_RECV;
 * - tcp_set_state() is called before the FIN is queued: at ESTABLISHED -> FIN_WAIT1 (or
 *   CLOSE_WAIT -> LAST_ACK) write_seq is still the end of the data;
 * - SOCK_DONE is set in tcp_fin(), when rcv_nxt already counts the FIN; reading past the last
 *   byte moves copied_seq over the FIN too;
 * - in CLOSE nothing is sent any more and tcp_disconnect() picks a new write_seq and copied_seq; but
 *   what lies in the receive queue can still be read until the last descriptor is closed.
 */
#include "inside.h"

#include <string.h>

#define STATE_BIT(s) (1U << (s))
#define STATES_FIN_SENT                                                                       \
	(STATE_BIT(TCP_S_FIN_WAIT1) | STATE_BIT(TCP_S_FIN_WAIT2) | STATE_BIT(TCP_S_CLOSING) | \
	 STATE_BIT(TCP_S_LAST_ACK) | STATE_BIT(TCP_S_TIME_WAIT))
#define STATES_STREAM (STATES_FIN_SENT | STATE_BIT(TCP_S_ESTABLISHED) | STATE_BIT(TCP_S_CLOSE_WAIT))

static bool state_in(unsigned int state, unsigned int set)
{
	return state < 32 && (STATE_BIT(state) & set);
}

static bool has_streams(const struct msock *s, unsigned int state)
{
	return state_in(state, STATES_STREAM) || (state == TCP_S_SYN_RECV && s->s.passive);
}

/*
 * First sight of a stream. A socket that was born under our eyes has moved no byte before it.
 * Where two SYNs crossed, ours may still be unacknowledged when the socket is closed in SYN_RECV:
 * snd_una is then the SYN's own number, and nothing can have been written.
 */
static void streams_start(const struct model *m, struct msock *s, const struct levels *lv)
{
	const __u32 tx[] = { lv->write_seq, lv->snd_nxt, lv->snd_una };
	const __u32 rx[] = { lv->rcv_nxt, lv->copied_seq };
	bool syns_crossed = lv->state == TCP_S_SYN_RECV && !s->s.passive;

	track_start(&s->tx, tx, 3, syns_crossed ? TX_WRITE : TX_UNA);
	track_start(&s->rx, rx, 2, RX_COPIED);
	s->tx.exact = s->rx.exact = s->announced && !s->s.seeded && !m->lossy;
}

static int streams_grow(struct msock *s, const struct levels *lv)
{
	const int news[] = {
		track_grow(&s->tx, TX_WRITE, lv->write_seq),
		track_grow(&s->tx, TX_NXT, lv->snd_nxt),
		track_grow(&s->tx, TX_UNA, lv->snd_una),
		track_grow(&s->rx, RX_NXT, lv->rcv_nxt),
		track_grow(&s->rx, RX_COPIED, lv->copied_seq),
	};
	bool newer = false, older = false;
	size_t i;

	for (i = 0; i < sizeof(news) / sizeof(news[0]); i++) {
		newer |= news[i] > 0;
		older |= news[i] < 0;
	}
	return newer ? 1 : older ? -1 : 0;
}

static void streams_fins(struct msock *s, const struct levels *lv, unsigned int state)
{
	if (state_in(state, STATES_FIN_SENT))
		track_set_fin(&s->tx, lv->write_seq - 1);
	if (lv->flags & LV_FIN_IN)
		track_set_fin(&s->rx, lv->rcv_nxt - 1);
}

static void sock_show_bases(struct msock *s)
{
	s->s.base_known = s->tx.seen;
	s->s.snd_base = (__u32)s->tx.base;
	s->s.rcv_base = (__u32)s->rx.base;
}

/* Returns -1 if the sample is older than what is known. */
static int streams_apply(const struct model *m, struct msock *s, const struct levels *lv,
			 unsigned int state, enum levels_from from)
{
	int news = 1;

	if (state == TCP_S_CLOSE && s->rx.seen && from == LEVELS_READ)
		return track_grow(&s->rx, RX_COPIED, lv->copied_seq);
	if (!has_streams(s, state))
		return 0;
	if (!s->tx.seen)
		streams_start(m, s, lv);
	else
		news = streams_grow(s, lv);
	if (news >= 0)
		streams_fins(s, lv, state);
	s->established = true;
	sock_show_bases(s);
	return news;
}

static void lv_keep_growing(struct msock *s, struct levels *lv)
{
	if (!s->tx.seen)
		return;
	lv->write_seq = (__u32)s->tx.v[TX_WRITE];
	lv->snd_nxt = (__u32)s->tx.v[TX_NXT];
	lv->snd_una = (__u32)s->tx.v[TX_UNA];
	lv->rcv_nxt = (__u32)s->rx.v[RX_NXT];
	lv->copied_seq = (__u32)s->rx.v[RX_COPIED];
}

bool levels_apply(struct model *m, struct msock *s, const struct levels *lv, unsigned int state,
		  enum levels_from from)
{
	struct levels now = *lv;
	int news = 0;

	if (!(lv->flags & LV_VALID) || s->s.destroyed)
		return false;
	if (lv->flags & LV_TCP && !s->s.listening)
		news = streams_apply(m, s, lv, state, from);
	if (news < 0)
		now = s->s.lv;
	lv_keep_growing(s, &now);
	if (s->s.conn)
		ledger_update(conn_of(s->s.conn));
	if (!memcmp(&now, &s->s.lv, sizeof(now)))
		return false;
	s->s.lv = now;
	return true;
}

/* At SYN_SENT or SYN_RECV -> ESTABLISHED all numbers stand on the first byte of the stream. */
void levels_established(struct model *m, struct msock *s, const struct levels *lv)
{
	if (lv->flags & LV_VALID && lv->flags & LV_TCP && !s->tx.seen) {
		streams_start(m, s, lv);
		s->tx.exact = s->rx.exact = true;
		sock_show_bases(s);
	}
	s->established = true;
	if (s->s.conn)
		conn_of(s->s.conn)->c.established = true;
}

void levels_fin_queued(struct msock *s, __u32 seq)
{
	track_set_fin(&s->tx, seq);
}
