// SPDX-License-Identifier: MIT
/*
 * A datagram that found no room at the receiver's socket. What is full is memory, of which a datagram
 * takes more than its bytes: the buffer it lies in counts whole (socket(7), SO_RCVBUF).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../model/step.h"
#include "udp.h"

/* "the server (udp 5472) read last 210 ms ago" */
static void fmt_reader(char *buf, size_t size, const struct explain *x, const struct step *s,
		       const struct note *n)
{
	const struct mark *read = note_mark(n, MARK_RECV);
	char who[96], ago[32];

	fmt_note(who, sizeof(who), x, n);
	if (read)
		snprintf(buf, size, "%s read last %s ago", who,
			 fmt_ns(ago, sizeof(ago), s->t_ns - read->t_ns));
	else
		snprintf(buf, size, "%s has read nothing yet", who);
}

/* EV_UDP_DROP tells the errno; EV_SKB_DROP comes alone where that is not there for IPv6 (before 6.10). */
static bool is_full(const struct step *s, const struct event_sock *e)
{
	if (e->e.kind == EV_UDP_DROP)
		return e->a == ENOMEM;
	return !strcmp(s->reason, "SOCKET_RCVBUFF");
}

/* "512 of 8,192 bytes of memory are left, and this datagram of 500 bytes takes more" */
static void fmt_no_room(char *buf, size_t size, const struct levels *lv, const struct note *n,
			__u64 bytes)
{
	const struct mark *asked = &n->opts[OPT_RCVBUF];
	__u64 left = lv->rcvbuf > lv->rmem_alloc ? lv->rcvbuf - lv->rmem_alloc : 0;
	char part[96], one[40], doubled[64] = "";

	if (asked->id && lv->rcvbuf == 2 * (__u64)asked->n)
		snprintf(doubled, sizeof(doubled), " (SO_RCVBUF %lld, which the kernel doubles)",
			 (long long)asked->n);
	if (!lv->rcvbuf) /* before 6.11 the drop names no socket */
		snprintf(buf, size, "its memory is in use%s", doubled);
	else if (!left || !bytes)
		snprintf(buf, size, "%s of memory are in use%s",
			 fmt_part(part, sizeof(part), lv->rmem_alloc, lv->rcvbuf), doubled);
	else
		snprintf(buf, size, "%s of memory are left%s, and this datagram of %s takes more%s",
			 fmt_part(part, sizeof(part), left, lv->rcvbuf), doubled,
			 fmt_bytes(one, sizeof(one), bytes),
			 bytes <= left ? ", with what the kernel adds" : "");
}

static int tell_dropped(struct explain *x, const struct step *s, const struct event_sock *e,
			struct note *n)
{
	const struct levels *lv = e->lv.flags & LV_VALID ? &e->lv : &n->lv;
	char level[240], reader[160];
	struct verdict v;

	if (note_told(n, &udp_rules[UDP_DROPPED]))
		return 0;
	verdict_start(x, &v, &udp_rules[UDP_DROPPED], s);
	verdict_ask(&v, "What became of the datagram?");
	fmt_no_room(level, sizeof(level), lv, n, s->n);
	fmt_reader(reader, sizeof(reader), x, s, n);
	if (is_full(s, e))
		verdict_say(
			&v,
			"No room in the receive queue: %s. It is thrown away, and its sender is "
			"not told; %s",
			level, reader);
	else
		verdict_say(&v,
			    "No memory left for UDP in this machine: it is thrown away, and its "
			    "sender is not told; %s",
			    reader);
	verdict_prove_mark(&v, n, MARK_DATA_IN);
	verdict_prove_mark(&v, n, MARK_RECV);
	verdict_prove_mark(&v, note_peer(x, n), MARK_DATA_OUT);
	verdict_do(&v,
		   "Read sooner, give it a larger SO_RCVBUF (each datagram takes more memory than "
		   "its bytes), or send slower; UDP promises nothing");
	return verdict_tell(x, &v);
}

static int dropped(struct explain *x, const struct step *s, struct note *n)
{
	const struct event_sock *e = (const struct event_sock *)s->ev;
	struct udp_note *o = udp_own(x, n);

	o->dropped++;
	o->dropped_bytes += s->n;
	o->last_drop = udp_mark(s, 0);
	if (!o->first_drop.id)
		o->first_drop = o->last_drop;
	return tell_dropped(x, s, e, n);
}

static int tell_filtered(struct explain *x, const struct step *s, struct note *n)
{
	struct verdict v;

	if (note_told(n, &udp_rules[UDP_FILTERED]))
		return 0;
	verdict_start(x, &v, &udp_rules[UDP_FILTERED], s);
	verdict_ask(&v, "What became of the datagram?");
	verdict_say(&v, "The receiving socket refused it: %s",
		    !strcmp(s->reason, "SOCKET_FILTER") ?
			    "its own filter (SO_ATTACH_FILTER) did not let it pass" :
			    s->reason);
	verdict_prove_mark(&v, n, MARK_DATA_IN);
	return verdict_tell(x, &v);
}

/*
 * EV_UDP_DROP and EV_SKB_DROP tell of the same one, in this order or, before 6.10, in the other; for IPv6 there is
 * only the latter then.
 */
int udp_dropped(struct explain *x, const struct step *s, struct note *n)
{
	struct udp_note *o = udp_own(x, n);
	int news = s->ev->kind == EV_UDP_DROP ? 1 : -1;
	bool second = o->due * news < 0;

	if (news < 0 && !s->reason)
		return 0;
	if (news < 0 && strcmp(s->reason, "SOCKET_RCVBUFF") && strcmp(s->reason, "PROTO_MEM"))
		return tell_filtered(x, s, n);
	o->due += news;
	return second ? 0 : dropped(x, s, n);
}

int udp_sum_up(struct explain *x, struct note *n, __u64 id, __u64 t_ns)
{
	struct udp_note *o = udp_own(x, n);
	__u64 came = o->queued + o->dropped;
	char bytes[40], who[96];
	struct verdict v;

	if (o->dropped < 2 || o->summed_up)
		return 0;
	o->summed_up = true;
	verdict_start_at(x, &v, &udp_rules[UDP_DROPS], n, id, t_ns);
	verdict_ask(&v, "How many datagrams were dropped for want of room?");
	fmt_bytes(bytes, sizeof(bytes), o->dropped_bytes);
	fmt_note(who, sizeof(who), x, n);
	if (came < o->came)
		came = o->came;
	verdict_say(
		&v,
		"%llu of the %llu datagrams that came for %s found its queue full%s%s; %llu %s read",
		(unsigned long long)o->dropped, (unsigned long long)came, who,
		o->dropped_bytes ? " and are gone with " : " and are gone",
		o->dropped_bytes ? bytes : "", (unsigned long long)o->read,
		o->read == 1 ? "was" : "were");
	verdict_prove(&v, o->first_drop.id);
	verdict_prove(&v, o->last_drop.id);
	verdict_prove_mark(&v, n, MARK_RECV);
	verdict_do(
		&v,
		"Read sooner, raise SO_RCVBUF, or send slower; number the datagrams, so that the "
		"reader can tell that some are missing");
	return verdict_tell(x, &v);
}
