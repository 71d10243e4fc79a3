/* SPDX-License-Identifier: MIT */
/*
 * TCP for stories of build_events.h: struct tcp_end plays one kernel socket. It keeps the counters
 * a real one would, so that a story says "the client sends 14 bytes" and gets the records of it in
 * the order a kernel gives them.
 */
#ifndef SOCKLENS_TESTS_BUILD_TCP_H
#define SOCKLENS_TESTS_BUILD_TCP_H

#include "build_events.h"

struct tcp_end {
	__u32 sid, pid;
	int fd;
	__u32 netns;
	__u32 fid; /* flow of its namespace; 0: no wire to be seen */
	bool is_b; /* endpoint b of the flow */
	struct ev_addr src, dst;
	__u32 write_seq, snd_nxt, snd_una, rcv_nxt, copied_seq;
	__u8 state, lv_flags;
};

static inline struct levels levels_of(const struct tcp_end *e)
{
	return (struct levels){
		.write_seq = e->write_seq,
		.snd_nxt = e->snd_nxt,
		.snd_una = e->snd_una,
		.rcv_nxt = e->rcv_nxt,
		.copied_seq = e->copied_seq,
		.sndbuf = 87040,
		.rcvbuf = 65536,
		.state = e->state,
		.flags = LV_VALID | LV_TCP | e->lv_flags,
	};
}

static inline void end_info(struct story *y, const struct tcp_end *e, __u8 sflags)
{
	info_told(y, (struct event_sockinfo){
			     .e = { .sid = e->sid },
			     .cookie = 0x1000 + e->sid,
			     .netns = e->netns,
			     .protocol = IPPROTO_TCP,
			     .type = SOCK_STREAM,
			     .state = e->state,
			     .sflags = sflags,
			     .family = e->src.family ? e->src.family : AF_INET,
			     .src = e->src,
			     .dst = e->dst,
		     });
}

static inline struct told *end_event(struct story *y, unsigned int kind, const struct tcp_end *e)
{
	struct levels lv = levels_of(e);

	return sock_told(y, kind, e->sid, 0, 0, 0, &lv);
}

/* The levels belong to the old state, as in the kernel. */
static inline struct told *end_state(struct story *y, struct tcp_end *e, __u8 new)
{
	struct levels lv = levels_of(e);
	__u8 old = e->state;

	e->state = new;
	return sock_told(y, EV_STATE, e->sid, old, new, 0, &lv);
}

/* A segment leaves `from`; seq = its first number. */
static inline struct told *seg_out(struct story *y, const struct tcp_end *from, __u8 flags,
				   __u32 seq, __u32 len)
{
	if (!from->fid)
		return NULL;
	return segment_told(y, (struct event_segment){
				       .e = { .sid = from->sid },
				       .fid = from->fid,
				       .seq = seq,
				       .ack = flags & TCPF_ACK ? from->rcv_nxt : 0,
				       .len = len,
				       .win = 512,
				       .flags = flags,
				       .wscale = flags & TCPF_SYN ? 8 : 0,
				       .sflags = (__u8)(SEGF_OUT | (from->is_b ? SEGF_FROM_B : 0)),
				       .netns = from->netns,
			       });
}

/* It arrives at `to`, seen on that one's flow. */
static inline struct told *seg_in(struct story *y, const struct tcp_end *from,
				  const struct tcp_end *to, __u8 flags, __u32 seq, __u32 len)
{
	if (!to->fid)
		return NULL;
	return segment_told(y, (struct event_segment){
				       .fid = to->fid,
				       .seq = seq,
				       .ack = flags & TCPF_ACK ? from->rcv_nxt : 0,
				       .len = len,
				       .win = 512,
				       .flags = flags,
				       .wscale = flags & TCPF_SYN ? 8 : 0,
				       .sflags = (__u8)(SEGF_IN | (from->is_b ? SEGF_FROM_B : 0)),
				       .netns = to->netns,
			       });
}

static inline void seg_passes(struct story *y, const struct tcp_end *from, const struct tcp_end *to,
			      __u8 flags, __u32 seq, __u32 len)
{
	seg_out(y, from, flags, seq, len);
	seg_in(y, from, to, flags, seq, len);
}

/* `e` acknowledges everything; the other end learns it. */
static inline void end_acks(struct story *y, struct tcp_end *e, struct tcp_end *other)
{
	seg_passes(y, e, other, TCPF_ACK, e->snd_nxt, 0);
	other->snd_una = e->rcv_nxt;
	end_event(y, EV_ACK, other);
}

/* A client and its server: what they are called and where they are. */
struct tcp_pair {
	struct tcp_end c, l, s; /* client, listener, server child */
	__u32 c_iss, s_iss;
};

static inline struct tcp_pair pair_on_loopback(void)
{
	struct ev_addr any = addr4("0.0.0.0", 0), local = addr4("127.0.0.1", 65430);

	return (struct tcp_pair){
		.c = { .sid = 2,
		       .pid = 20,
		       .fd = 3,
		       .netns = 1,
		       .fid = 7,
		       .state = TCP_S_CLOSE,
		       .src = addr4("127.0.0.1", 40000),
		       .dst = addr4("127.0.0.1", 65430) },
		.l = { .sid = 1,
		       .pid = 10,
		       .fd = 3,
		       .netns = 1,
		       .fid = 7,
		       .state = TCP_S_CLOSE,
		       .src = local,
		       .dst = any },
		.s = { .sid = 3,
		       .pid = 10,
		       .fd = 4,
		       .netns = 1,
		       .fid = 7,
		       .state = TCP_S_LISTEN,
		       .is_b = true,
		       .src = local,
		       .dst = addr4("127.0.0.1", 40000) },
		.c_iss = 1000,
		.s_iss = 900000,
	};
}

static inline void pair_listen(struct story *y, struct tcp_pair *p)
{
	struct tcp_end unbound = p->l;

	unbound.src = (struct ev_addr){ 0 };
	unbound.dst = (struct ev_addr){ 0 };
	proc_told(y, PROC_SEEN, p->l.pid, 0, 0, "server");
	end_info(y, &unbound, 0);
	socket_made(y, p->l.pid, p->l.sid, p->l.fd, SOCK_STREAM);
	end_info(y, &p->l, 0);
	call_made(y, call_of(p->l.pid, CALL_BIND, p->l.sid, p->l.fd), 0);
	p->l.state = TCP_S_LISTEN;
	call_made(y, call_of(p->l.pid, CALL_LISTEN, p->l.sid, p->l.fd), 0);
}

static inline void pair_flows(struct story *y, struct tcp_pair *p)
{
	if (p->c.fid)
		flow_told(y, p->c.fid, p->c.netns, IPPROTO_TCP, p->c.is_b ? &p->c.dst : &p->c.src,
			  p->c.is_b ? &p->c.src : &p->c.dst);
	if (p->s.fid && p->s.fid != p->c.fid)
		flow_told(y, p->s.fid, p->s.netns, IPPROTO_TCP, p->s.is_b ? &p->s.dst : &p->s.src,
			  p->s.is_b ? &p->s.src : &p->s.dst);
}

/* Up to the SYN in the air; the call is left open. */
static inline void pair_connect_enters(struct story *y, struct tcp_pair *p, struct made_call *mc)
{
	proc_told(y, PROC_SEEN, p->c.pid, 0, 0, "client");
	socket_made(y, p->c.pid, p->c.sid, p->c.fd, SOCK_STREAM);
	*mc = call_of(p->c.pid, CALL_CONNECT, p->c.sid, p->c.fd);
	call_to(mc, &p->c.dst);
	call_enters(y, mc);
	end_state(y, &p->c, TCP_S_SYN_SENT);
	end_info(y, &p->c, 0);
	pair_flows(y, p);
	p->c.write_seq = p->c.snd_nxt = p->c_iss + 1;
	p->c.snd_una = p->c_iss;
	seg_out(y, &p->c, TCPF_SYN, p->c_iss, 0);
}

/* The handshake, as it runs inside connect() on loopback. visible: bit 0 client, bit 1 server. */
static inline void pair_open_seen(struct story *y, struct tcp_pair *p, unsigned int visible)
{
	struct made_call mc = { .c = { .fd = -1 } }, ac;

	if (visible & 2)
		pair_listen(y, p);
	if (visible & 1)
		pair_connect_enters(y, p, &mc);
	else
		pair_flows(y, p);
	seg_in(y, &p->c, &p->s, TCPF_SYN, p->c_iss, 0);
	p->s.rcv_nxt = p->s.copied_seq = p->c_iss + 1;
	seg_passes(y, &p->s, &p->c, TCPF_SYN | TCPF_ACK, p->s_iss, 0);
	p->c.rcv_nxt = p->c.copied_seq = p->s_iss + 1;
	p->c.snd_una = p->c_iss + 1;
	if (visible & 1)
		end_state(y, &p->c, TCP_S_ESTABLISHED);
	seg_passes(y, &p->c, &p->s, TCPF_ACK, p->c_iss + 1, 0);
	p->s.write_seq = p->s.snd_nxt = p->s.snd_una = p->s_iss + 1;
	if (visible & 2) {
		p->s.state = TCP_S_SYN_RECV;
		end_info(y, &p->s, SOCKF_PASSIVE);
		end_state(y, &p->s, TCP_S_ESTABLISHED);
	}
	if (visible & 1) {
		mc.c.lv = levels_of(&p->c);
		call_returns(y, &mc, 0);
	}
	if (visible & 2) {
		ac = call_of(p->s.pid, CALL_ACCEPT, p->l.sid, p->l.fd);
		ac.c.sid2 = p->s.sid;
		call_made(y, ac, p->s.fd);
	}
}

static inline void pair_open(struct story *y, struct tcp_pair *p)
{
	pair_open_seen(y, p, 3);
}

/* send(): with `sent` of the `len` bytes leaving and arriving before it returns. */
static inline struct told *end_sends(struct story *y, struct tcp_end *e, struct tcp_end *other,
				     __u32 len, __u32 sent)
{
	struct made_call mc = call_of(e->pid, CALL_SENDTO, e->sid, e->fd);
	__u32 seq = e->snd_nxt;

	mc.c.len = len;
	call_enters(y, &mc);
	e->write_seq += len;
	e->snd_nxt += sent;
	if (sent) {
		seg_out(y, e, TCPF_ACK | TCPF_PSH, seq, sent);
		seg_in(y, e, other, TCPF_ACK | TCPF_PSH, seq, sent);
		other->rcv_nxt += sent;
		end_event(y, EV_DATA_READY, other);
		end_acks(y, other, e);
	}
	mc.c.lv = levels_of(e);
	return call_returns(y, &mc, len);
}

static inline struct told *end_receives(struct story *y, struct tcp_end *e, __u32 room, __u32 got)
{
	struct made_call mc = call_of(e->pid, CALL_RECVFROM, e->sid, e->fd);

	mc.c.len = room;
	call_enters(y, &mc);
	e->copied_seq += got;
	mc.c.lv = levels_of(e);
	return call_returns(y, &mc, got);
}

/* The FIN leaves and arrives; states as the kernel walks them. */
static inline void end_fin(struct story *y, struct tcp_end *e, struct tcp_end *other)
{
	bool first = e->state == TCP_S_ESTABLISHED;

	end_state(y, e, first ? TCP_S_FIN_WAIT1 : TCP_S_LAST_ACK);
	e->write_seq++;
	seg_out(y, e, TCPF_FIN | TCPF_ACK, e->snd_nxt, 0);
	e->snd_nxt++;
	seg_in(y, e, other, TCPF_FIN | TCPF_ACK, e->snd_nxt - 1, 0);
	other->rcv_nxt++;
	other->lv_flags |= LV_FIN_IN;
	if (first)
		end_state(y, other, TCP_S_CLOSE_WAIT);
	else
		end_state(y, other, TCP_S_CLOSE); /* FIN_WAIT2: TIME_WAIT shows as CLOSE */
}

#endif
