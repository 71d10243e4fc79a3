/* SPDX-License-Identifier: MIT */
/*
 * A conversation in JSON: whose end a line is about, the ledgers of both directions, the summary.
 */
#include "json_conn.h"

#include <netinet/in.h>

#include "../event/names.h"
#include "../model/step.h"

static void add_ledger(struct json *j, const char *key, const struct ledger *l)
{
	if (!l->tx_seen && !l->rx_seen)
		return;
	json_object(j, key);
	json_u64(j, "written", l->written);
	json_u64(j, "unsent", l->unsent);
	json_u64(j, "in_flight", l->in_flight);
	json_u64(j, "rcvq", l->rcvq);
	json_u64(j, "read", l->read);
	json_u64(j, "destroyed", l->destroyed);
	json_u64(j, "discarded", l->discarded);
	json_u64(j, "unacked", l->unacked);
	json_u64(j, "cut_off", l->truncated);
	json_u64(j, "calls_wrote", l->calls_wrote);
	json_u64(j, "calls_read", l->calls_read);
	json_u64(j, "reread", l->reread);
	json_u64(j, "residual", l->residual);
	json_bool(j, "tx_seen", l->tx_seen);
	json_bool(j, "rx_seen", l->rx_seen);
	json_bool(j, "partial", l->partial);
	json_end_object(j);
}

/* ledger: the direction in which this socket sends; ledger_in: the one it receives. */
void json_ledgers(struct json *j, const struct step *s)
{
	enum role role = step_own_role(s);

	if (!s->conn || role == ROLE_NONE)
		return;
	add_ledger(j, "ledger", &s->dir[role == ROLE_SERVER]);
	add_ledger(j, "ledger_in", &s->dir[role != ROLE_SERVER]);
}

static void add_summary_end(struct json *j, const struct conn *c, int end)
{
	struct ev_addr addr = addr_on_wire(&c->addr[end]);
	char text[80];

	json_object(j, conn_end_word(end));
	json_text(j, "addr", fmt_addr(text, sizeof(text), &addr));
	json_u64(j, "pid", c->pid[end]);
	json_u64(j, "sock", sock_number(c->end[end]));
	json_u64(j, "segments", c->segments[end]);
	json_u64(j, "segment_bytes", c->seg_bytes[end]);
	json_u64(j, "retransmits", c->retransmits[end]);
	json_u64(j, "send_calls", c->calls[end][0]);
	json_u64(j, "recv_calls", c->calls[end][1]);
	json_u64(j, "dgrams_sent", c->dgrams[end][0]);
	json_u64(j, "dgrams_delivered", c->dgrams[end][1]);
	json_u64(j, "dgrams_dropped", c->dgrams[end][2]);
	json_end_object(j);
}

static void add_sum(struct json *j, const char *key, const struct dgram_sum *sum)
{
	json_object(j, key);
	json_u64(j, "n", sum->n);
	json_u64(j, "bytes", sum->bytes);
	json_end_object(j);
}

static void add_why(struct json *j, const struct dgram_why *w)
{
	if (w->error)
		json_text(j, "drop_errno", errno_name((int)w->error));
	if (w->reason)
		json_text(j, "drop_reason", w->reason);
	if (w->lost_reason)
		json_text(j, "lost_reason", w->lost_reason);
	json_u64(j, "drop_rmem", w->rmem);
	json_u64(j, "drop_rcvbuf", w->rcvbuf);
	json_u64(j, "drop_counter", w->counter);
}

static void add_dgrams(struct json *j, const char *key, const struct dgram_ledger *d)
{
	json_object(j, key);
	add_sum(j, "sent", &d->sent);
	add_sum(j, "in_flight", &d->in_flight);
	add_sum(j, "arrived", &d->arrived);
	add_sum(j, "queued", &d->queued);
	add_sum(j, "read", &d->read);
	add_sum(j, "truncated", &d->truncated);
	add_sum(j, "discarded", &d->discarded);
	add_sum(j, "dropped", &d->dropped);
	add_sum(j, "nobody", &d->nobody);
	add_sum(j, "lost", &d->lost);
	add_sum(j, "residual", &d->residual);
	add_why(j, &d->why);
	json_end_object(j);
}

void json_summary(struct json *j, const struct step *s)
{
	const struct conn *c = s->conn;

	json_text(j, "how", conn_how_word(s->how));
	if (!c)
		return;
	json_text(j, "family", family_name(c->family));
	json_text(j, "protocol", conn_kind(c));
	json_u64(j, "lasted_ns", conn_lasted_ns(s));
	json_text(j, "closed_first", conn_end_word(c->first_fin));
	json_text(j, "rst_by", conn_end_word(c->rst_by));
	json_bool(j, "established", c->established);
	json_u64(j, "lost", s->n);
	add_summary_end(j, c, 0);
	add_summary_end(j, c, 1);
	add_ledger(j, "client_to_server", &s->dir[0]);
	add_ledger(j, "server_to_client", &s->dir[1]);
	if (c->protocol != IPPROTO_UDP)
		return;
	add_dgrams(j, "client_datagrams", &c->udp[0]);
	add_dgrams(j, "server_datagrams", &c->udp[1]);
}
