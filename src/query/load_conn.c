/* SPDX-License-Identifier: MIT */
/*
 * The tables conn, ledger and datagrams: one row, and one per direction, from a conversation's
 * summary.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "load.h"

static void put_bytes_of(struct rows *row, const struct ledger *l)
{
	put_int(row, COL_LEDGER_WRITTEN, (__s64)l->written);
	put_int(row, COL_LEDGER_UNSENT, (__s64)l->unsent);
	put_int(row, COL_LEDGER_IN_FLIGHT, (__s64)l->in_flight);
	put_int(row, COL_LEDGER_RCVQ, (__s64)l->rcvq);
	put_int(row, COL_LEDGER_READ, (__s64)l->read);
	put_int(row, COL_LEDGER_DISCARDED, (__s64)l->discarded);
	put_int(row, COL_LEDGER_DESTROYED, (__s64)l->destroyed);
	put_int(row, COL_LEDGER_UNACKED, (__s64)l->unacked);
	put_int(row, COL_LEDGER_CUT_OFF, (__s64)l->truncated);
	put_int(row, COL_LEDGER_RESIDUAL, (__s64)l->residual);
	put_int(row, COL_LEDGER_CALLS_WROTE, (__s64)l->calls_wrote);
	put_int(row, COL_LEDGER_CALLS_READ, (__s64)l->calls_read);
	put_int(row, COL_LEDGER_REREAD, (__s64)l->reread);
	put_int(row, COL_LEDGER_TX_SEEN, l->tx_seen);
	put_int(row, COL_LEDGER_RX_SEEN, l->rx_seen);
	put_int(row, COL_LEDGER_PARTIAL, l->partial);
	put_int(row, COL_LEDGER_FIN, l->fin);
}

static int load_direction(struct render *r, const struct step *s, int from)
{
	struct rows *row = load_row(r, TABLE_LEDGER);
	const struct conn *c = s->conn;

	put_int(row, COL_LEDGER_CONN, c->id);
	put_word(row, COL_LEDGER_SENDER, conn_end_word(from));
	put_bytes_of(row, &s->dir[from]);
	put_int(row, COL_LEDGER_SEND_CALLS, c->calls[from][0]);
	put_int(row, COL_LEDGER_RECV_CALLS, c->calls[!from][1]);
	put_int(row, COL_LEDGER_SEGMENTS, (__s64)c->segments[from]);
	put_int(row, COL_LEDGER_SEGMENT_BYTES, (__s64)c->seg_bytes[from]);
	put_int(row, COL_LEDGER_RETRANSMITS, c->retransmits[from]);
	put_int(row, COL_LEDGER_DGRAMS_SENT, (__s64)c->dgrams[from][0]);
	put_int(row, COL_LEDGER_DGRAMS_DELIVERED, (__s64)c->dgrams[from][1]);
	put_int(row, COL_LEDGER_DGRAMS_DROPPED, (__s64)c->dgrams[from][2]);
	return rows_end(row);
}

static void put_sums(struct rows *row, const struct dgram_ledger *d)
{
	const struct dgram_sum sums[] = {
		d->sent,      d->in_flight, d->arrived, d->queued, d->read,	d->truncated,
		d->discarded, d->dropped,   d->nobody,	d->lost,   d->residual,
	};
	int i, column = COL_DATAGRAMS_SENT;

	_Static_assert(COL_DATAGRAMS_RESIDUAL_BYTES ==
			       COL_DATAGRAMS_SENT + 2 * (int)(sizeof(sums) / sizeof(sums[0])) - 1,
		       "a pair of columns each");
	for (i = 0; i < (int)(sizeof(sums) / sizeof(sums[0])); i++) {
		put_int(row, column++, (__s64)sums[i].n);
		put_int(row, column++, (__s64)sums[i].bytes);
	}
}

static int load_datagrams(struct render *r, const struct step *s, int from)
{
	const struct dgram_ledger *d = &s->conn->udp[from];
	struct rows *row = load_row(r, TABLE_DATAGRAMS);

	put_int(row, COL_DATAGRAMS_CONN, s->conn->id);
	put_word(row, COL_DATAGRAMS_SENDER, conn_end_word(from));
	put_sums(row, d);
	put_word(row, COL_DATAGRAMS_DROP_ERRNO, load_errno(-(__s64)d->why.error));
	put_text(row, COL_DATAGRAMS_DROP_REASON, d->why.reason);
	put_text(row, COL_DATAGRAMS_LOST_REASON, d->why.lost_reason);
	if (d->dropped.n) {
		put_int(row, COL_DATAGRAMS_DROP_RMEM, d->why.rmem);
		put_int(row, COL_DATAGRAMS_DROP_RCVBUF, d->why.rcvbuf);
		put_int(row, COL_DATAGRAMS_DROP_COUNTER, d->why.counter);
	}
	return rows_end(row);
}

static const char *protocol_word(const struct conn *c)
{
	return c->family == AF_UNIX ? "unix" : proto_name(c->protocol);
}

static int load_conn(struct render *r, const struct step *s)
{
	struct rows *row = load_row(r, TABLE_CONN);
	const struct conn *c = s->conn;
	char ends[2][512];

	put_int(row, COL_CONN_ID, c->id);
	put_word(row, COL_CONN_FAMILY, family_name(c->family));
	put_word(row, COL_CONN_PROTOCOL, protocol_word(c));
	put_text(row, COL_CONN_CLIENT, fmt_end(ends[0], sizeof(ends[0]), c, 0));
	put_text(row, COL_CONN_SERVER, fmt_end(ends[1], sizeof(ends[1]), c, 1));
	put_known(row, COL_CONN_CLIENT_PID, c->pid[0]);
	put_known(row, COL_CONN_SERVER_PID, c->pid[1]);
	put_known(row, COL_CONN_CLIENT_SOCK, sock_number(c->end[0]));
	put_known(row, COL_CONN_SERVER_SOCK, sock_number(c->end[1]));
	put_known(row, COL_CONN_CLIENT_SID, c->end[0] ? c->end[0]->sid : 0);
	put_known(row, COL_CONN_SERVER_SID, c->end[1] ? c->end[1]->sid : 0);
	put_int(row, COL_CONN_T_FIRST_NS, load_time(r, c->t_first_ns));
	put_int(row, COL_CONN_T_LAST_NS, load_time(r, c->t_last_ns));
	put_int(row, COL_CONN_LASTED_NS, (__s64)conn_lasted_ns(s));
	put_int(row, COL_CONN_ESTABLISHED, c->established);
	put_word(row, COL_CONN_HOW, conn_how_word(s->how));
	put_word(row, COL_CONN_CLOSED_FIRST, conn_end_word(c->first_fin));
	put_word(row, COL_CONN_RST_BY, conn_end_word(c->rst_by));
	put_int(row, COL_CONN_LOST, (__s64)s->n);
	put_int(row, COL_CONN_EVENT, (__s64)s->id);
	return rows_end(row);
}

int load_summary(struct render *r, const struct step *s)
{
	int err = load_conn(r, s);

	if (!err)
		err = load_direction(r, s, 0);
	if (!err)
		err = load_direction(r, s, 1);
	if (err || s->conn->protocol != IPPROTO_UDP)
		return err;
	err = load_datagrams(r, s, 0);
	return err ? err : load_datagrams(r, s, 1);
}
