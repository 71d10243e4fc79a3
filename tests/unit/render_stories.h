/* SPDX-License-Identifier: MIT */
/*
 * The stories every renderer is tested with: the plain pair, a blocked send, two conversations at
 * once, one visible end, one process with both ends, UDP.
 */
#ifndef SOCKLENS_TESTS_RENDER_STORIES_H
#define SOCKLENS_TESTS_RENDER_STORIES_H

#include "render_story.h"

enum { CLIENT = 1, SERVER = 2, CLIENT2 = 3, CHILD = 4 }; /* processes */
enum { S_LISTEN = 0, S_CLIENT = 1, S_CHILD = 2, S_CLIENT2 = 3, S_CHILD2 = 4 };

/* ---- parts of stories ---- */

static inline void listen_on(struct story *st, int proc, int sock)
{
	struct event_call sockopt =
		CALL(CALL_SETSOCKOPT, 3, .x = { SOL_SOCKET, SO_REUSEADDR, 4 }, .len = 1);

	story_call(st, proc, sock, CALL(CALL_SOCKET, -1, .x = { AF_INET, SOCK_STREAM }), 3, 0);
	story_after(st, 40);
	story_call(st, proc, sock, sockopt, 0, 0);
	story_call_addr(st, proc, sock, CALL(CALL_BIND, 3), "127.0.0.1", 65430, 0);
	st->sock[sock].role = ROLE_SERVER;
	st->proc[proc].role = ROLE_SERVER;
	st->sock[sock].src = story_addr("127.0.0.1", 65430);
	story_enter(st, proc, sock, CALL(CALL_LISTEN, 3, .x = { 128 }), true);
	story_state(st, proc, sock, ST_CLOSE, ST_LISTEN);
	st->sock[sock].listening = true;
	story_exit(st, proc, sock, CALL(CALL_LISTEN, 3, .x = { 128 }), st->step_id - 1,
		   st->now_ns - 14000, 0, 0);
}

/* connect() through the whole handshake; its exit is left to the caller. */
static inline __u64 handshake(struct story *st, int c, int proc, int listener, __u64 *t_enter)
{
	int client = (int)(st->conn[c].end[0] - st->sock);
	int child = st->conn[c].end[1] ? (int)(st->conn[c].end[1] - st->sock) : -1;
	__u64 id;

	*t_enter = st->now_ns;
	id = story_enter_addr(st, proc, client, CALL(CALL_CONNECT, 3), "127.0.0.1", 65430);
	story_state(st, proc, client, ST_CLOSE, ST_SYN_SENT);
	story_segment(st, c, 0, SYN, 0, 0);
	story_segment(st, c, 1, SYN | ACK, 0, 0);
	story_state(st, proc, client, ST_SYN_SENT, ST_ESTABLISHED);
	story_segment(st, c, 0, ACK, 0, 0);
	if (child < 0)
		return id;
	story_state(st, -1, child, ST_LISTEN, ST_SYN_RECV);
	story_state(st, -1, child, ST_SYN_RECV, ST_ESTABLISHED);
	st->sock[listener].lv.ack_backlog++;
	story_moment(st, EV_DATA_READY, SERVER, listener, 0, 0, 0);
	return id;
}

static inline void accepted(struct story *st, int proc, int listener, int child, __u64 id,
			    __u64 t_enter, int fd)
{
	struct event_call c = CALL(CALL_ACCEPT, 3, .sid2 = st->sock[child].sid);

	st->sock[listener].lv.ack_backlog--;
	story_exit_addr(st, proc, listener, c, "127.0.0.1", st->sock[child].dst.port, id, t_enter,
			fd);
}

/* send() of n bytes that arrive at once. */
static inline void send_bytes(struct story *st, int c, int from, int proc, int fd, __u32 n)
{
	struct conn *conn = &st->conn[c];
	int out = (int)(conn->end[from] - st->sock);
	int in = conn->end[!from] ? (int)(conn->end[!from] - st->sock) : -1;
	__u64 t = st->now_ns,
	      id = story_enter(st, proc, out, CALL(CALL_SENDTO, fd, .len = n), true);

	story_segment(st, c, from, PSH | ACK, n, 0);
	conn->dir[from].written += n;
	conn->calls[from][0]++;
	if (in < 0) {
		conn->dir[from].in_flight += n;
	} else {
		conn->dir[from].rcvq += n;
		story_moment(st, EV_DATA_READY, -1, in, 0, 0, 0);
	}
	story_exit(st, proc, out, CALL(CALL_SENDTO, fd, .len = n), id, t, n, 0);
}

static inline void took_bytes(struct story *st, int c, int at, __u32 n)
{
	st->conn[c].dir[!at].rcvq -= n;
	st->conn[c].dir[!at].read += n;
	st->conn[c].calls[at][1] += n > 0;
}

static inline void recv_bytes(struct story *st, int c, int at, int proc, int fd, __u32 n)
{
	int sock = (int)(st->conn[c].end[at] - st->sock);
	__u64 t = st->now_ns,
	      id = story_enter(st, proc, sock, CALL(CALL_RECVFROM, fd, .len = 1024), true);

	took_bytes(st, c, at, n);
	story_exit(st, proc, sock, CALL(CALL_RECVFROM, fd, .len = 1024), id, t, n,
		   n ? 0 : STEP_EOF);
}

/* close() that sends a FIN; the other end acknowledges. */
static inline void close_end(struct story *st, int c, int at, int proc, int fd, bool second)
{
	struct conn *conn = &st->conn[c];
	int out = (int)(conn->end[at] - st->sock);
	int in = conn->end[!at] ? (int)(conn->end[!at] - st->sock) : -1;
	struct event_call call = CALL(CALL_CLOSE, fd, .cflags = CALLF_LAST_REF);
	__u64 t = st->now_ns, id = story_enter(st, proc, out, call, true);

	story_moment(st, EV_SOCK_CLOSED, proc, out, 0, 0, 0);
	story_state(st, proc, out, second ? ST_CLOSE_WAIT : ST_ESTABLISHED,
		    second ? ST_LAST_ACK : ST_FIN_WAIT1);
	conn->dir[at].fin = conn->fin_seen[at] = true;
	if (conn->first_fin < 0)
		conn->first_fin = at;
	story_segment(st, c, at, FIN | ACK, 0, 0);
	if (in >= 0) {
		st->sock[in].lv.flags |= LV_FIN_IN;
		st->sflags = second ? STEP_TIME_WAIT : 0;
		story_state(st, -1, in, second ? ST_FIN_WAIT2 : ST_ESTABLISHED,
			    second ? ST_CLOSE : ST_CLOSE_WAIT);
	}
	story_segment(st, c, !at, ACK, 0, 0);
	story_state(st, -1, out, second ? ST_LAST_ACK : ST_FIN_WAIT1,
		    second ? ST_CLOSE : ST_FIN_WAIT2);
	story_exit(st, proc, out, call, id, t, 0, 0);
}

/* ---- stories ---- */

static inline void pair_of(struct story *st)
{
	story_proc(st, CLIENT, "client", ROLE_NONE);
	story_proc(st, SERVER, "server", ROLE_NONE);
}

static inline void client_connects(struct story *st, int c, int proc, int client, int child,
				   __u16 port)
{
	__u64 id, t;

	story_conn(st, c, client, child, "127.0.0.1", port, "127.0.0.1", 65430);
	st->conn[c].pid[0] = st->proc[proc].pid;
	st->proc[proc].role = ROLE_CLIENT;
	if (child >= 0)
		st->sock[child].passive = true;
	id = handshake(st, c, proc, S_LISTEN, &t);
	story_exit_addr(st, proc, client, CALL(CALL_CONNECT, 3), "127.0.0.1", 65430, id, t, 0);
}

static inline void gai(struct story *st, int proc)
{
	struct event_gai g = { .total = 1,
			       .kept = 1,
			       .has_node = 1,
			       .has_service = 1,
			       .node = "localhost",
			       .service = "65430" };
	struct step s = { .phase = PHASE_ENTER, .layer = LAYER_APP, .exit_known = true, .ev = &g.e };
	int i;

	g.addrs[0].addr = story_addr("127.0.0.1", 65430);
	story_head(st, &g.e, sizeof(g), EV_GAI, proc, -1);
	story_fill(st, &s, proc, -1);
	story_tell(st, &s);
	for (i = 0; i < 3; i++)
		story_call(st, proc, 7,
			   CALL(CALL_SOCKET, -1, .cflags = CALLF_IN_GAI, .x = { AF_UNIX, 1 }), 3,
			   0);
	s.phase = PHASE_EXIT;
	s.enter_id = s.id;
	story_fill(st, &s, proc, -1);
	story_tell(st, &s);
}

/* The plain client and server; the server waits in accept() and recv(). */
static inline void story_pair(struct story *st)
{
	__u64 id, t;

	pair_of(st);
	listen_on(st, SERVER, S_LISTEN);
	t = st->now_ns;
	id = story_enter(st, SERVER, S_LISTEN, CALL(CALL_ACCEPT, 3), false);
	story_after(st, 20000);
	story_tick(st);
	story_proc(st, CLIENT, "client", ROLE_CLIENT);
	gai(st, CLIENT);
	story_call(st, CLIENT, S_CLIENT, CALL(CALL_SOCKET, -1, .x = { AF_INET, SOCK_STREAM }), 3,
		   0);
	client_connects(st, 0, CLIENT, S_CLIENT, S_CHILD, 40012);
	accepted(st, SERVER, S_LISTEN, S_CHILD, id, t, 4);
	send_bytes(st, 0, 0, CLIENT, 3, 14);
	recv_bytes(st, 0, 1, SERVER, 4, 14);
	send_bytes(st, 0, 1, SERVER, 4, 14);
	recv_bytes(st, 0, 0, CLIENT, 3, 14);
	close_end(st, 0, 0, CLIENT, 3, false);
	recv_bytes(st, 0, 1, SERVER, 4, 0);
	close_end(st, 0, 1, SERVER, 4, true);
	story_summary(st, 0, END_FIN);
	story_process(st, SERVER, PROC_EXIT, 0, 0);
}

/* A full send queue: send() blocks until the reader reads. */
static inline void story_blocked(struct story *st)
{
	__u64 id, t;

	pair_of(st);
	listen_on(st, SERVER, S_LISTEN);
	client_connects(st, 0, CLIENT, S_CLIENT, S_CHILD, 40012);
	st->conn[0].dir[0] = (struct ledger){
		.tx_seen = true, .rx_seen = true, .written = 80000, .unsent = 14464, .rcvq = 65536
	};
	t = st->now_ns;
	id = story_enter(st, CLIENT, S_CLIENT, CALL(CALL_SENDTO, 3, .len = 100000), false);
	story_segment(st, 0, 0, PSH | ACK, 65483, 0);
	story_moment(st, EV_DATA_READY, -1, S_CHILD, 0, 0, 0);
	story_moment(st, EV_RCVQ_FULL, -1, S_CHILD, 0, 0, 0);
	story_segment(st, 0, 0, PSH | ACK, 1448, STEP_RTX);
	story_moment(st, EV_RETRANSMIT, -1, S_CLIENT, ST_ESTABLISHED, 0, 1448);
	story_after(st, 3000);
	story_tick(st);
	story_after(st, 3100000);
	story_call(st, SERVER, S_CHILD, CALL(CALL_SOCKET, -1, .x = { AF_INET, SOCK_DGRAM }), 5, 0);
	recv_bytes(st, 0, 1, SERVER, 4, 1024);
	st->conn[0].dir[0].written = 100000;
	story_exit(st, CLIENT, S_CLIENT, CALL(CALL_SENDTO, 3, .len = 100000), id, t, 34464, 0);
	story_summary(st, 0, END_OPEN);
}

/* Two clients of one server at the same time; the second one's server end is a child process. */
static inline void story_two(struct story *st)
{
	pair_of(st);
	listen_on(st, SERVER, S_LISTEN);
	client_connects(st, 0, CLIENT, S_CLIENT, S_CHILD, 40012);
	accepted(st, SERVER, S_LISTEN, S_CHILD, 0, st->now_ns, 4);
	send_bytes(st, 0, 0, CLIENT, 3, 14);
	story_proc(st, CLIENT2, "client", ROLE_CLIENT);
	client_connects(st, 1, CLIENT2, S_CLIENT2, S_CHILD2, 40014);
	accepted(st, SERVER, S_LISTEN, S_CHILD2, 0, st->now_ns, 5);
	story_process(st, SERVER, PROC_FORK, 5474, 0);
	story_proc(st, CHILD, "server", ROLE_SERVER);
	send_bytes(st, 1, 0, CLIENT2, 3, 5);
	recv_bytes(st, 0, 1, SERVER, 4, 14);
	recv_bytes(st, 1, 1, CHILD, 5, 5);
	close_end(st, 1, 0, CLIENT2, 3, false);
	send_bytes(st, 0, 1, SERVER, 4, 2000);
	recv_bytes(st, 1, 1, CHILD, 5, 0);
	st->reason = "ABORT_ON_CLOSE";
	story_moment(st, EV_RST_SENT, SERVER, S_CHILD, 11, 1, 0);
	story_segment(st, 0, 1, RST, 0, 0);
	st->conn[0].rst_by = 1;
	story_moment(st, EV_RST_RECEIVED, -1, S_CLIENT, 0, 0, 0);
	story_state(st, -1, S_CLIENT, ST_ESTABLISHED, ST_CLOSE);
	story_call(st, CLIENT, S_CLIENT, CALL(CALL_RECVFROM, 3, .len = 1024), -ECONNRESET, 0);
	st->conn[0].dir[1].rcvq = 0;
	st->conn[0].dir[1].discarded = 2000;
	story_summary(st, 0, END_RST);
	story_summary(st, 1, END_FIN);
}

/* A client whose server is on another machine, over IPv6. */
static inline void story_one_end(struct story *st)
{
	pair_of(st);
	story_call(st, CLIENT, S_CLIENT, CALL(CALL_SOCKET, -1, .x = { AF_INET, SOCK_STREAM }), 3,
		   0);
	client_connects(st, 0, CLIENT, S_CLIENT, -1, 40012);
	send_bytes(st, 0, 0, CLIENT, 3, 14);
	story_segment(st, 0, 1, ACK, 0, 0);
	st->conn[0].dir[0].in_flight = 0;
	story_moment(st, EV_ACK, -1, S_CLIENT, 0, 0, 0);
	story_after(st, 12000);
	story_segment(st, 0, 1, PSH | ACK, 500, 0);
	st->conn[0].dir[1].rcvq = 500;
	story_moment(st, EV_DATA_READY, -1, S_CLIENT, 0, 0, 0);
	recv_bytes(st, 0, 0, CLIENT, 3, 500);
	story_segment(st, 0, 1, FIN | ACK, 0, 0);
	st->sock[S_CLIENT].lv.flags |= LV_FIN_IN;
	st->conn[0].first_fin = 1;
	story_state(st, -1, S_CLIENT, ST_ESTABLISHED, ST_CLOSE_WAIT);
	recv_bytes(st, 0, 0, CLIENT, 3, 0);
	close_end(st, 0, 0, CLIENT, 3, true);
	story_summary(st, 0, END_FIN);
}

/* Both ends in one process: the column is the socket's, not the process's. Connection refused first. */
static inline void story_one_process(struct story *st)
{
	__u64 id, t;

	story_proc(st, SERVER, "both", ROLE_NONE);
	st->proc[CLIENT] = st->proc[SERVER];
	story_conn(st, 1, S_CLIENT2, -1, "127.0.0.1", 40010, "127.0.0.1", 65430);
	t = st->now_ns;
	id = story_enter_addr(st, SERVER, S_CLIENT2, CALL(CALL_CONNECT, 3), "127.0.0.1", 65430);
	story_segment(st, 1, 0, SYN, 0, 0);
	story_segment(st, 1, 1, RST | ACK, 0, 0);
	story_moment(st, EV_SOCK_ERROR, SERVER, S_CLIENT2, ECONNREFUSED, 0, 0);
	story_exit_addr(st, SERVER, S_CLIENT2, CALL(CALL_CONNECT, 3), "127.0.0.1", 65430, id, t,
			-ECONNREFUSED);
	story_summary(st, 1, END_REFUSED);
	listen_on(st, SERVER, S_LISTEN);
	client_connects(st, 0, CLIENT, S_CLIENT, S_CHILD, 40012);
	accepted(st, SERVER, S_LISTEN, S_CHILD, 0, st->now_ns, 5);
	send_bytes(st, 0, 0, SERVER, 4, 14);
	recv_bytes(st, 0, 1, SERVER, 5, 14);
	story_call(st, SERVER, S_CHILD, CALL(CALL_RECVFROM, 5, .len = 10, .cflags = CALLF_NONBLOCK),
		   -EAGAIN, 0);
	story_process(st, SERVER, PROC_EXIT, 0, 0x0b);
}

static inline void sent_datagram(struct story *st, __u32 len)
{
	struct event_call c = CALL(CALL_SENDTO, 3, .len = len);
	__u64 t = st->now_ns, id = story_enter_addr(st, CLIENT, 1, c, "127.0.0.1", 5000);

	story_segment(st, 0, 0, 0, len, 0);
	st->conn[0].udp[0].sent.n++;
	st->conn[0].udp[0].sent.bytes += len;
	story_exit_addr(st, CLIENT, 1, c, "127.0.0.1", 5000, id, t, len);
}

static inline void story_udp(struct story *st)
{
	__u64 id, t;
	int i;

	pair_of(st);
	for (i = 0; i < 2; i++) {
		st->sock[i].type = SOCK_DGRAM;
		st->sock[i].protocol = IPPROTO_UDP;
	}
	story_call(st, SERVER, 0, CALL(CALL_SOCKET, -1, .x = { AF_INET, SOCK_DGRAM }), 3, 0);
	st->sock[0].role = ROLE_SERVER;
	story_call_addr(st, SERVER, 0, CALL(CALL_BIND, 3), "127.0.0.1", 5000, 0);
	t = st->now_ns;
	id = story_enter(st, SERVER, 0, CALL(CALL_RECVFROM, 3, .len = 10), false);
	story_after(st, 5000);
	story_tick(st);
	st->conn[0].protocol = IPPROTO_UDP;
	st->sock[1].role = ROLE_CLIENT;
	story_call(st, CLIENT, 1, CALL(CALL_SOCKET, -1, .x = { AF_INET, SOCK_DGRAM }), 3, 0);
	story_conn(st, 0, 1, 0, "127.0.0.1", 43210, "127.0.0.1", 5000);
	st->conn[0].pid[0] = st->proc[CLIENT].pid;
	st->conn[0].pid[1] = st->proc[SERVER].pid;
	sent_datagram(st, 30);
	story_exit_addr(st, SERVER, 0, CALL(CALL_RECVFROM, 3, .len = 10), "127.0.0.1", 43210, id, t,
			10);
	sent_datagram(st, 2000);
	st->sock[0].lv.rmem_alloc = 65000;
	story_moment(st, EV_UDP_DROP, SERVER, 0, ENOMEM, 0, 2000);
	st->conn[0].udp[0].read = (struct dgram_sum){ 1, 10 };
	st->conn[0].udp[0].truncated = (struct dgram_sum){ 1, 20 };
	st->conn[0].udp[0].dropped = (struct dgram_sum){ 1, 2000 };
	st->conn[0].udp[0].why = (struct dgram_why){
		.error = ENOMEM,
		.rmem = 65000,
		.rcvbuf = 65536,
		.counter = 1,
		.reason = "SOCKET_RCVBUFF",
	};
	story_summary(st, 0, END_OPEN);
}

static const struct {
	const char *name;
	void (*tell)(struct story *st);
} stories[] = {
	{ "pair", story_pair },	      { "blocked", story_blocked },	    { "two", story_two },
	{ "one_end", story_one_end }, { "one_process", story_one_process }, { "udp", story_udp },
};

#define N_STORIES (sizeof(stories) / sizeof(stories[0]))

/* Tells story i to a renderer; the caller frees the text. Ticks: one after each step. */
static inline char *story_text(size_t i, const struct renderer *renderer, struct view view,
			       bool ticks)
{
	struct story st;
	char *text;

	story_open(&st, renderer, view.width);
	view.out = st.out;
	st.view = view;
	st.ticks = ticks;
	st.view.no_verdicts = true;
	if (!st.view.layers)
		st.view.layers = LAYER_ALL;
	stories[i].tell(&st);
	text = story_close(&st);
	return st.err ? NULL : text;
}

#endif
