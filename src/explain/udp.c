// SPDX-License-Identifier: MIT
/*
 * Datagrams: cut short, dropped, sent to nobody, left unread. send() of a datagram succeeds once it is
 * handed down; what becomes of it is told by the receiver's kernel, and to the sender only by an ICMP
 * message, only if its socket is connected (udp(7)), and then by a later call.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "../event/names.h"
#include "../model/step.h"
#include "udp.h"

const struct rule udp_rules[UDP_RULES] = {
	[UDP_TRUNCATED] = { "udp-truncated",
			    "A datagram was longer than the buffer: the rest is gone",
			    WEIGHT_ALARM },
	[UDP_DROPPED] = { "udp-dropped", "A datagram found no room at the receiver's socket",
			  WEIGHT_ALARM },
	[UDP_DROPS] = { "udp-drops", "How many datagrams a socket had no room for", WEIGHT_ALARM },
	[UDP_FILTERED] = { "udp-filtered", "A socket refused a datagram for another reason",
			   WEIGHT_ALARM },
	[UDP_REFUSED] = { "udp-refused", "A call reports what became of an earlier datagram",
			  WEIGHT_ALARM },
	[UDP_NOBODY] = { "udp-nobody", "A datagram came to a port that no socket has",
			 WEIGHT_ALARM },
	[UDP_STRANGER] = { "udp-stranger", "The socket there is connected to somebody else",
			   WEIGHT_ALARM },
	[UDP_STOPPED] = { "udp-stopped", "The kernel dropped a datagram before it came to a socket",
			  WEIGHT_ALARM },
	[UDP_LOST] = { "udp-lost", "Datagrams left and never came", WEIGHT_ALARM },
	[UDP_UNREAD] = { "udp-unread", "A socket was closed with datagrams in its queue",
			 WEIGHT_NEWS },
	[UDP_CONNECT] = { "udp-connect", "connect() of a datagram socket: nothing is sent",
			  WEIGHT_ASIDE },
};

struct udp_note *udp_own(const struct explain *x, struct note *n)
{
	return n ? note_own(x, n, &explain_udp) : NULL;
}

struct mark udp_mark(const struct step *s, __s64 n)
{
	return (struct mark){ .id = s->id, .t_ns = s->t_ns, .fd = -1, .n = n };
}

static const char *datagrams(__u64 n)
{
	return n == 1 ? "datagram" : "datagrams";
}

/* --- cut short --- */

static void say_cut(struct verdict *v, const struct step *s, const struct event_call *c)
{
	char room[40], whole[40], gone[40];
	__u64 got = (__u64)c->ret < c->len ? (__u64)c->ret : c->len;

	fmt_bytes(gone, sizeof(gone), s->n);
	fmt_bytes(whole, sizeof(whole), got + s->n);
	fmt_bytes(room, sizeof(room), c->len);
	if (c->call == CALL_RECVMMSG)
		verdict_say(v, "The buffers were too short for some of %lld datagrams: %s are gone",
			    (long long)c->ret, gone);
	else if (!s->n)
		verdict_say(v,
			    "The datagram was longer than the room there was, %s: the rest is gone",
			    room);
	else
		verdict_say(v, "The datagram had %s, and there was room for %s: %s are gone%s",
			    whole, room, gone,
			    v->weight != WEIGHT_ALARM ? "" :
			    c->call == CALL_RECVMSG   ? ", and only msg_flags says so (MSG_TRUNC)" :
							" without a word");
}

static int tell_cut(struct explain *x, const struct step *s, const struct event_call *c,
		    struct note *n)
{
	bool asked = call_msg_flags(c) & MSG_TRUNC && c->call != CALL_RECVMMSG;
	struct verdict v;
	char call[48];

	if (note_told(n, &udp_rules[UDP_TRUNCATED]))
		return 0;
	verdict_start(x, &v, &udp_rules[UDP_TRUNCATED], s);
	if (asked) /* it gets the true length, and so finds out */
		v.weight = WEIGHT_NEWS;
	fmt_call(call, sizeof(call), c);
	if (asked)
		verdict_ask(&v, "Why did %s return more bytes than it had room for?", call);
	else
		verdict_ask(&v, "Where is the rest of the datagram that %s got?", call);
	say_cut(&v, s, c);
	verdict_prove(&v, s->enter_id);
	verdict_do(
		&v,
		"One call takes one whole datagram, whatever fits: have room for the largest; %s",
		asked			? "the result tells how large that was" :
		c->call == CALL_RECVMSG ? "msg_flags has MSG_TRUNC when it did not fit" :
					  "recv() with MSG_TRUNC returns the true length");
	return verdict_tell(x, &v);
}

/* --- the end --- */

static int tell_unread(struct explain *x, const struct step *s, struct note *n)
{
	const struct udp_note *o = udp_own(x, n);
	__u64 left = o->queued > o->read ? o->queued - o->read : 0, sum;
	char bytes[40] = "", who[96];
	struct verdict v;

	/* the kernel's word on what was queued; of several senders the bytes are in several ledgers */
	if (!left || s->sock->seeded || note_told(n, &udp_rules[UDP_UNREAD]))
		return 0;
	sum = s->conn ? s->conn->udp[0].discarded.n + s->conn->udp[1].discarded.n : 0;
	verdict_start(x, &v, &udp_rules[UDP_UNREAD], s);
	verdict_ask(&v, "What became of the datagrams in the queue?");
	fmt_note(who, sizeof(who), x, n);
	if (sum == left)
		fmt_bytes(bytes, sizeof(bytes),
			  s->conn->udp[0].discarded.bytes + s->conn->udp[1].discarded.bytes);
	verdict_say(&v,
		    "%llu %s%s%s%s %s unread when %s closed its socket: gone, and nobody is told",
		    (unsigned long long)left, datagrams(left), *bytes ? " (" : "", bytes,
		    *bytes ? ")" : "", left == 1 ? "was" : "were", who);
	verdict_prove_mark(&v, n, MARK_DATA_IN);
	verdict_prove_mark(&v, n, MARK_CLOSE);
	verdict_do(&v, "Read until nothing more is expected, then close(%d)", n->fd);
	return verdict_tell(x, &v);
}

static int closed(struct explain *x, const struct step *s, struct note *n)
{
	int err = udp_sum_up(x, n, s->id, s->t_ns);

	return err ? err : tell_unread(x, s, n);
}

/* A conversation is over, and the ledger knows of some that nobody saw again. */
static int tell_lost(struct explain *x, const struct step *s)
{
	const struct dgram_ledger *d;
	struct verdict v;
	int from, err = 0;

	for (from = 0; !err && from < 2; from++) {
		d = &s->conn->udp[from];
		if (!d->lost.n || d->why.lost_reason)
			continue;
		verdict_start(x, &v, &udp_rules[UDP_LOST], s);
		verdict_ask(&v, "What became of all the datagrams?");
		verdict_say(
			&v,
			"%llu of the %llu that the %s sent never came: lost on the way, and nobody is told",
			(unsigned long long)d->lost.n, (unsigned long long)d->sent.n,
			role_name(from ? ROLE_SERVER : ROLE_CLIENT));
		verdict_infer(
			&v,
			"what left and what came, on both devices; the drop itself was not seen");
		verdict_do(
			&v,
			"UDP promises nothing: what must arrive needs an answer and a second try");
		err = verdict_tell(x, &v);
	}
	return err;
}

/* --- steps --- */

static int tell_connect(struct explain *x, const struct step *s, const struct event_call *c,
			struct note *n)
{
	struct verdict v;
	char call[48], to[80];

	if (c->ret || !n->dst.port || note_told(n, &udp_rules[UDP_CONNECT]))
		return 0;
	verdict_start(x, &v, &udp_rules[UDP_CONNECT], s);
	verdict_ask(&v, "What did %s do?", fmt_call(call, sizeof(call), c));
	verdict_say(
		&v,
		"No packet was sent: UDP has no handshake. From now on the socket sends to %s alone and "
		"takes from it alone",
		fmt_addr(to, sizeof(to), &n->dst));
	return verdict_tell(x, &v);
}

static int returned(struct explain *x, const struct step *s, const struct event_call *c,
		    struct note *n)
{
	if (c->call == CALL_CONNECT)
		return tell_connect(x, s, c, n);
	if (!call_is_send(c) && !call_is_receive(c))
		return 0;
	if (c->ret < 0)
		return udp_refused(x, s, c, n);
	if (call_is_receive(c) && !(call_msg_flags(c) & (MSG_PEEK | MSG_ERRQUEUE)))
		udp_own(x, n)->read += c->call == CALL_RECVMMSG ? (__u64)c->ret : 1;
	return s->sflags & STEP_TRUNC ? tell_cut(x, s, c, n) : 0;
}

static int moment(struct explain *x, const struct step *s, struct note *n)
{
	const struct event_segment *g = (const struct event_segment *)s->ev;

	switch (s->ev->kind) {
	case EV_SEGMENT:
		udp_own(x, n)->came += !!(g->sflags & SEGF_IN);
		return 0;
	case EV_DATA_READY:
		udp_own(x, n)->queued++;
		return 0;
	case EV_UDP_DROP:
	case EV_SKB_DROP:
		return udp_dropped(x, s, n);
	case EV_SOCK_ERROR:
		udp_note_error(x, s, n);
		return 0;
	case EV_SOCK_CLOSED:
		return closed(x, s, n);
	}
	return 0;
}

static int udp_step(struct explain *x, const struct step *s)
{
	const struct event_call *c = step_call(s, PHASE_EXIT);
	struct note *n;

	if (s->kind == STEP_SUMMARY)
		return s->conn && s->conn->protocol == IPPROTO_UDP ? tell_lost(x, s) : 0;
	if (!s->ev)
		return 0;
	if (s->ev->kind == EV_SKB_DROP && !s->sock && s->conn && s->conn->protocol == IPPROTO_UDP)
		return udp_no_socket(x, s);
	n = step_is_udp(s) ? note_of(x, s->sock->sid) : NULL;
	if (!n)
		return 0;
	return c ? returned(x, s, c, n) : s->ev->kind == EV_CALL ? 0 : moment(x, s, n);
}

static int udp_finish(struct explain *x, __u64 now_ns)
{
	struct note *n;
	int err = 0;

	(void)now_ns;
	for (n = notes_living(x, NULL); !err && n; n = notes_living(x, n)) {
		if (n->protocol == IPPROTO_UDP)
			err = udp_sum_up(x, n, udp_own(x, n)->last_drop.id,
					 udp_own(x, n)->last_drop.t_ns);
	}
	return err;
}

const struct family explain_udp = {
	.name = "udp",
	.rules = udp_rules,
	.n_rules = UDP_RULES,
	.note_size = sizeof(struct udp_note),
	.step = udp_step,
	.finish = udp_finish,
};
