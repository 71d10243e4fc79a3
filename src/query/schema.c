/* SPDX-License-Identifier: MIT */
#include "schema.h"

#include <stdio.h>
#include <string.h>

#include "query.h"

#define ID "INTEGER PRIMARY KEY"
#define INT "INTEGER"
#define TEXT "TEXT"

static const struct column event_columns[] = {
	[COL_EVENT_ID] = { "id", ID, .doc = "the id that --json prints; grows with time" },
	[COL_EVENT_T_NS] = { "t_ns", INT, .doc = "ns since tracing began" },
	[COL_EVENT_KIND] = { "kind", TEXT, .doc = "call, segment, state, ... as in --json" },
	[COL_EVENT_LAYER] = { "layer", TEXT, .doc = "app, kernel, wire" },
	[COL_EVENT_PHASE] = { "phase", TEXT, .doc = "enter and exit of a call, else point" },
	[COL_EVENT_PID] = { "pid", INT,
			    .doc = "of a call the caller, else the owner of the socket" },
	[COL_EVENT_TID] = { "tid", INT, .doc = "thread; NULL outside process context" },
	[COL_EVENT_COMM] = { "comm", TEXT, .doc = "name of the process" },
	[COL_EVENT_SOCK] = { "sock", INT, .doc = "socket: its cookie, what ss -e prints" },
	[COL_EVENT_SID] = { "sid", INT, .doc = "the same socket, by the tracer's own number" },
	[COL_EVENT_CONN] = { "conn", INT, .doc = "conversation; NULL: none yet" },
	[COL_EVENT_ROLE] = { "role", TEXT, .doc = "client, server; NULL: not known then" },
	[COL_EVENT_CALL] = { "call", TEXT, .doc = "of a call: the system call" },
	[COL_EVENT_FD] = { "fd", INT, .doc = "of a call: its descriptor" },
	[COL_EVENT_RET] = { "ret", INT, .doc = "of an exit: the result, -1 on error" },
	[COL_EVENT_ERRNO] = { "errno", TEXT, .doc = "name of the error" },
	[COL_EVENT_LEN] = { "len", INT,
			    .doc = "bytes moved by a call, carried by a segment, dropped" },
	[COL_EVENT_EOF] = { "eof", INT, .doc = "1: a receive returned 0 at the end of the stream" },
	[COL_EVENT_REASON] = { "reason", TEXT, .doc = "of an RST or a drop, by the kernel's name" },
	[COL_EVENT_SNDBUF] = { "sndbuf", INT, .doc = "bytes of memory the send queue may take" },
	[COL_EVENT_RCVBUF] = { "rcvbuf", INT, .doc = "bytes of memory the receive queue may take" },
	[COL_EVENT_ACCEPT_DEPTH] = { "accept_depth", INT,
				     .doc = "listener: connections waiting for accept()" },
	[COL_EVENT_ACCEPT_LIMIT] = { "accept_limit", INT, .doc = "listener: how many may wait" },
	[COL_EVENT_OUT_WRITTEN] = { "out_written", INT,
				    .doc = "written so far by this socket; all 12 NULL: as before" },
	[COL_EVENT_OUT_UNSENT] = { "out_unsent", INT, .doc = "in its send queue, not sent" },
	[COL_EVENT_OUT_IN_FLIGHT] = { "out_in_flight", INT,
				      .doc = "sent, not known to have arrived" },
	[COL_EVENT_OUT_RCVQ] = { "out_rcvq", INT, .doc = "in the peer's receive queue, unread" },
	[COL_EVENT_OUT_READ] = { "out_read", INT, .doc = "read by the peer's application" },
	[COL_EVENT_OUT_GONE] = { "out_gone", INT,
				 .doc = "destroyed, discarded or never acknowledged" },
	[COL_EVENT_IN_WRITTEN] = { "in_written", INT,
				   .doc = "the other direction: written so far by the peer" },
	[COL_EVENT_IN_UNSENT] = { "in_unsent", INT, .doc = "in the peer's send queue, not sent" },
	[COL_EVENT_IN_IN_FLIGHT] = { "in_in_flight", INT,
				     .doc = "sent, not known to have arrived" },
	[COL_EVENT_IN_RCVQ] = { "in_rcvq", INT, .doc = "in this socket's receive queue, unread" },
	[COL_EVENT_IN_READ] = { "in_read", INT, .doc = "read by this socket's application" },
	[COL_EVENT_IN_GONE] = { "in_gone", INT,
				.doc = "destroyed, discarded or never acknowledged" },
};

static const struct column call_columns[] = {
	[COL_CALL_ID] = { "id", ID, .doc = "event of its entry" },
	[COL_CALL_RETURN_ID] = { "return_id", INT,
				 .doc = "event of its return; NULL: never returned" },
	[COL_CALL_T_ENTER_NS] = { "t_enter_ns", INT, .doc = "entry, ns since tracing began" },
	[COL_CALL_T_NS] = { "t_ns", INT, .doc = "return, ns since tracing began" },
	[COL_CALL_TOOK_NS] = { "took_ns", INT, .doc = "from entry to return" },
	[COL_CALL_PENDING] = { "pending", INT, .doc = "1: had not returned when tracing ended" },
	[COL_CALL_PID] = { "pid", INT, .doc = "process" },
	[COL_CALL_TID] = { "tid", INT, .doc = "thread" },
	[COL_CALL_COMM] = { "comm", TEXT, .doc = "name of the process" },
	[COL_CALL_SOCK] = { "sock", INT, .doc = "socket: its cookie, what ss -e prints" },
	[COL_CALL_SID] = { "sid", INT, .doc = "the same socket, by the tracer's own number" },
	[COL_CALL_CONN] = { "conn", INT, .doc = "conversation, as known at the return" },
	[COL_CALL_ROLE] = { "role", TEXT, .doc = "client, server; NULL: not known then" },
	[COL_CALL_NAME] = { "name", TEXT, .doc = "as programs write it: send, recv, accept, ..." },
	[COL_CALL_SYSCALL] = { "syscall", TEXT, .doc = "the system call: sendto, recvfrom, ..." },
	[COL_CALL_MADE_BY] = { "made_by", TEXT,
			       .doc = "NULL: the program; exit, exec: the kernel, for it; libc: getaddrinfo" },
	[COL_CALL_FD] = { "fd", INT, .doc = "descriptor" },
	[COL_CALL_RET] = { "ret", INT, .doc = "result, -1 on error" },
	[COL_CALL_ERRNO] = { "errno", TEXT, .doc = "name of the error" },
	[COL_CALL_REQUESTED] = { "requested", INT, .doc = "bytes the program asked to move",
				 .described = true },
	[COL_CALL_LEN] = { "len", INT, .doc = "bytes moved", .described = true },
	[COL_CALL_FLAGS] = { "flags", TEXT, .doc = "joined by |; NULL: none", .described = true },
	[COL_CALL_EOF] = { "eof", INT, .doc = "1: returned 0 at the end of the stream" },
	[COL_CALL_TRUNCATED] = { "truncated", INT,
				 .doc = "bytes of the datagram that were cut off; 0: not known how many" },
	[COL_CALL_NONBLOCK] = { "nonblock", INT, .doc = "1: the descriptor is O_NONBLOCK",
				.described = true },
	[COL_CALL_SOCK2] = { "sock2", INT,
			     .doc = "the socket accept() gave, the second of a pair" },
	[COL_CALL_SID2] = { "sid2", INT, .doc = "the same, by the tracer's own number" },
	[COL_CALL_ADDR] = { "addr", TEXT, .doc = "address given or returned; AF_UNIX: the path",
			    .described = true },
	[COL_CALL_BACKLOG] = { "backlog", INT, .doc = "listen: as asked for", .described = true },
	[COL_CALL_HOW] = { "how", TEXT, .doc = "shutdown: SHUT_RD, SHUT_WR, SHUT_RDWR",
			   .described = true },
	[COL_CALL_REFERENCES_LEFT] = { "references_left", INT,
				       .doc = "close: on the open file, after it; 0: it was the last",
				       .described = true },
	[COL_CALL_LAST_REFERENCE] = { "last_reference", INT,
				      .doc = "1: close of the socket's last descriptor",
				      .described = true },
	[COL_CALL_LEVEL] = { "level", TEXT, .doc = "setsockopt, getsockopt: SOL_SOCKET, ...",
			     .described = true },
	[COL_CALL_OPTION] = { "option", TEXT, .doc = "setsockopt, getsockopt: SO_REUSEADDR, ...",
			      .described = true },
	[COL_CALL_VALUE] = { "value", "", .doc = "setsockopt, getsockopt: a number, or text",
			     .described = true },
	[COL_CALL_COMMAND] = { "command", TEXT, .doc = "fcntl: F_SETFL, ...", .described = true },
	[COL_CALL_ARGUMENT] = { "argument", INT, .doc = "fcntl: its number", .described = true },
	[COL_CALL_DOMAIN] = { "domain", TEXT, .doc = "socket: inet, inet6, unix, ...",
			      .described = true },
	[COL_CALL_SOCKTYPE] = { "socktype", TEXT, .doc = "socket: stream, dgram, ...",
				.described = true },
	[COL_CALL_TIMEOUT_MS] = { "timeout_ms", INT, .doc = "poll and its kin; -1: none",
				  .described = true },
	[COL_CALL_EVENTS] = { "events", TEXT, .doc = "poll and its kin: asked for",
			      .described = true },
	[COL_CALL_READY] = { "ready", TEXT, .doc = "poll and its kin: returned",
			     .described = true },
	[COL_CALL_NODE] = { "node", TEXT, .doc = "getaddrinfo: the name looked up",
			    .described = true },
	[COL_CALL_SERVICE] = { "service", TEXT, .doc = "getaddrinfo: the service looked up",
			       .described = true },
	[COL_CALL_ANSWERS] = { "answers", TEXT, .doc = "getaddrinfo: addresses, joined by commas",
			       .described = true },
};

static const struct column segment_columns[] = {
	[COL_SEGMENT_EVENT] = { "event", ID, .doc = "its id in event" },
	[COL_SEGMENT_T_NS] = { "t_ns", INT, .doc = "ns since tracing began" },
	[COL_SEGMENT_CONN] = { "conn", INT, .doc = "conversation" },
	[COL_SEGMENT_PROTOCOL] = { "protocol", TEXT, .doc = "tcp, udp" },
	[COL_SEGMENT_SENDER] = { "sender", TEXT, .doc = "client, server" },
	[COL_SEGMENT_ARRIVAL] = { "arrival", INT,
				  .doc = "1: seen at the receiver's device; 0: at the sender's" },
	[COL_SEGMENT_PAIRED] = { "paired", INT,
				 .doc = "1: an arrival whose departure is a row, too: count paired = 0" },
	[COL_SEGMENT_SOCK] = { "sock", INT, .doc = "the socket it leaves, or reaches" },
	[COL_SEGMENT_SID] = { "sid", INT, .doc = "the same, by the tracer's own number" },
	[COL_SEGMENT_FLAGS] = { "flags", TEXT, .doc = "SYN,ACK and the like; UDP: NULL" },
	[COL_SEGMENT_SYN] = { "syn", INT, .doc = "1: has SYN" },
	[COL_SEGMENT_FIN] = { "fin", INT, .doc = "1: has FIN" },
	[COL_SEGMENT_RST] = { "rst", INT, .doc = "1: has RST" },
	[COL_SEGMENT_LEN] = { "len", INT, .doc = "bytes of payload" },
	[COL_SEGMENT_SEQ] = { "seq", INT, .doc = "relative: the SYN is 0, the first data byte 1" },
	[COL_SEGMENT_ACK] = { "ack", INT, .doc = "relative, with the ACK flag" },
	[COL_SEGMENT_WIN] = { "win", INT, .doc = "window in bytes; see win_scaled" },
	[COL_SEGMENT_WIN_SCALED] = { "win_scaled", INT,
				     .doc = "0: the scale is unknown, win is raw" },
	[COL_SEGMENT_RETRANSMISSION] = { "retransmission", INT, .doc = "1: was sent before" },
	[COL_SEGMENT_PURE_ACK] = { "pure_ack", INT, .doc = "1: no data, SYN, FIN or RST" },
	[COL_SEGMENT_MSS] = { "mss", INT, .doc = "of a SYN: the option, in bytes" },
	[COL_SEGMENT_URGENT] = { "urgent", INT, .doc = "with URG: the urgent pointer" },
	[COL_SEGMENT_NETNS] = { "netns", INT, .doc = "network namespace where it was seen" },
	[COL_SEGMENT_LOOPBACK] = { "loopback", INT, .doc = "1: on the loopback device" },
};

static const struct column state_columns[] = {
	[COL_STATE_EVENT] = { "event", ID, .doc = "its id in event" },
	[COL_STATE_T_NS] = { "t_ns", INT, .doc = "ns since tracing began" },
	[COL_STATE_SOCK] = { "sock", INT, .doc = "socket: its cookie, what ss -e prints" },
	[COL_STATE_SID] = { "sid", INT, .doc = "the same, by the tracer's own number" },
	[COL_STATE_CONN] = { "conn", INT, .doc = "conversation" },
	[COL_STATE_PID] = { "pid", INT, .doc = "owner of the socket" },
	[COL_STATE_ROLE] = { "role", TEXT, .doc = "client, server; NULL: not known then" },
	[COL_STATE_OLD_STATE] = { "old_state", TEXT, .doc = "SYN_SENT, ..." },
	[COL_STATE_NEW_STATE] = { "new_state", TEXT, .doc = "ESTABLISHED, ..." },
};

static const struct column sock_columns[] = {
	[COL_SOCK_SID] = { "sid", ID, .doc = "the tracer's own number" },
	[COL_SOCK_SOCK] = { "sock", INT,
			    .doc = "its cookie, what ss -e prints; 2^52 + sid if it has none" },
	[COL_SOCK_FAMILY] = { "family", TEXT, .doc = "inet, inet6, unix, ..." },
	[COL_SOCK_TYPE] = { "type", TEXT, .doc = "stream, dgram, ..." },
	[COL_SOCK_PROTOCOL] = { "protocol", TEXT, .doc = "tcp, udp, ..." },
	[COL_SOCK_ROLE] = { "role", TEXT,
			    .doc = "client: did the active open; server: the passive one" },
	[COL_SOCK_SRC] = { "src", TEXT, .doc = "its address and port" },
	[COL_SOCK_DST] = { "dst", TEXT, .doc = "the peer's" },
	[COL_SOCK_PATH] = { "path", TEXT, .doc = "AF_UNIX: name; @ marks an abstract one" },
	[COL_SOCK_STATE] = { "state", TEXT, .doc = "TCP state as last seen" },
	[COL_SOCK_PID] = { "pid", INT, .doc = "process that made or accepted it" },
	[COL_SOCK_FD] = { "fd", INT, .doc = "descriptor it got there" },
	[COL_SOCK_LISTENING] = { "listening", INT, .doc = "1: listen() was called" },
	[COL_SOCK_PASSIVE] = { "passive", INT,
			       .doc = "1: born by a SYN, for accept() to hand out" },
	[COL_SOCK_SEEDED] = { "seeded", INT, .doc = "1: existed before tracing began" },
	[COL_SOCK_DESTROYED] = { "destroyed", INT, .doc = "1: the kernel has freed it" },
	[COL_SOCK_LISTENER_SID] = { "listener_sid", INT, .doc = "the listener it was queued on" },
	[COL_SOCK_PEER_SID] = { "peer_sid", INT, .doc = "its other end, if on this machine" },
	[COL_SOCK_CONN] = { "conn", INT, .doc = "its latest conversation" },
	[COL_SOCK_NETNS] = { "netns", INT, .doc = "network namespace" },
	[COL_SOCK_INO] = { "ino", INT, .doc = "inode, as in /proc/net" },
	[COL_SOCK_FIRST_EVENT] = { "first_event", INT, .doc = "first event that is about it",
				   .once = true },
	[COL_SOCK_T_FIRST_NS] = { "t_first_ns", INT, .doc = "and its time", .once = true },
	[COL_SOCK_T_LAST_NS] = { "t_last_ns", INT, .doc = "time of the last one" },
};

static const struct column conn_columns[] = {
	[COL_CONN_ID] = { "id", ID, .doc = "1, 2, ... in order of appearance" },
	[COL_CONN_FAMILY] = { "family", TEXT, .doc = "inet, inet6, unix" },
	[COL_CONN_PROTOCOL] = { "protocol", TEXT, .doc = "tcp, udp, unix" },
	[COL_CONN_CLIENT] = { "client", TEXT, .doc = "the client's address and port, or path" },
	[COL_CONN_SERVER] = { "server", TEXT, .doc = "the server's" },
	[COL_CONN_CLIENT_PID] = { "client_pid", INT, .doc = "process there; NULL: not known" },
	[COL_CONN_SERVER_PID] = { "server_pid", INT, .doc = "process there; NULL: never accepted" },
	[COL_CONN_CLIENT_SOCK] = { "client_sock", INT,
				   .doc = "socket there; NULL: not on this machine" },
	[COL_CONN_SERVER_SOCK] = { "server_sock", INT, .doc = "socket there" },
	[COL_CONN_CLIENT_SID] = { "client_sid", INT,
				  .doc = "the same, by the tracer's own number" },
	[COL_CONN_SERVER_SID] = { "server_sid", INT,
				  .doc = "the same, by the tracer's own number" },
	[COL_CONN_T_FIRST_NS] = { "t_first_ns", INT,
				  .doc = "its first event, ns since tracing began" },
	[COL_CONN_T_LAST_NS] = { "t_last_ns", INT, .doc = "its last one" },
	[COL_CONN_LASTED_NS] = { "lasted_ns", INT,
				 .doc = "from first to last, or to the trace's end" },
	[COL_CONN_ESTABLISHED] = { "established", INT, .doc = "1: the handshake was completed" },
	[COL_CONN_HOW] = { "how", TEXT, .doc = "its end: open, fin, rst, refused, timeout, gone" },
	[COL_CONN_CLOSED_FIRST] = { "closed_first", TEXT,
				    .doc = "client, server: sent the first FIN" },
	[COL_CONN_RST_BY] = { "rst_by", TEXT, .doc = "client, server: sent an RST" },
	[COL_CONN_LOST] = { "lost", INT, .doc = "events lost while it lived" },
	[COL_CONN_EVENT] = { "event", INT, .doc = "of its summary" },
};

static const struct column ledger_columns[] = {
	[COL_LEDGER_CONN] = { "conn", INT, .doc = "conversation; two rows each" },
	[COL_LEDGER_SENDER] = { "sender", TEXT, .doc = "client, server" },
	[COL_LEDGER_WRITTEN] = { "written", INT,
				 .doc = "bytes the sender's kernel took, until the end; of these:" },
	[COL_LEDGER_UNSENT] = { "unsent", INT, .doc = "in the send queue, never sent" },
	[COL_LEDGER_IN_FLIGHT] = { "in_flight", INT, .doc = "sent, not known to have arrived" },
	[COL_LEDGER_RCVQ] = { "rcvq", INT, .doc = "in the receive queue, unread" },
	[COL_LEDGER_READ] = { "read", INT, .doc = "read by the receiving application" },
	[COL_LEDGER_DISCARDED] = { "discarded", INT, .doc = "thrown away unread at the receiver" },
	[COL_LEDGER_DESTROYED] = { "destroyed", INT,
				   .doc = "thrown away unsent; UDP: dropped at the socket" },
	[COL_LEDGER_UNACKED] = { "unacked", INT,
				 .doc = "sent, never acknowledged nor received; UDP: to nobody, or lost" },
	[COL_LEDGER_CUT_OFF] = { "cut_off", INT, .doc = "UDP: the reader's buffer was too short" },
	[COL_LEDGER_RESIDUAL] = { "residual", INT,
				  .doc = "not accounted for, by counters or calls; 0: it balances" },
	[COL_LEDGER_CALLS_WROTE] = { "calls_wrote", INT,
				     .doc = "TCP: sum of the results of the sender's calls" },
	[COL_LEDGER_CALLS_READ] = { "calls_read", INT,
				    .doc = "TCP: of the receiver's calls that did not peek" },
	[COL_LEDGER_REREAD] = { "reread", INT, .doc = "TCP: urgent bytes returned twice" },
	[COL_LEDGER_TX_SEEN] = { "tx_seen", INT, .doc = "1: the sender's counters are known" },
	[COL_LEDGER_RX_SEEN] = { "rx_seen", INT, .doc = "1: the receiver's counters are known" },
	[COL_LEDGER_PARTIAL] = { "partial", INT,
				 .doc = "1: older than the trace: counted since then" },
	[COL_LEDGER_FIN] = { "fin", INT, .doc = "1: the sender has queued its FIN" },
	[COL_LEDGER_SEND_CALLS] = { "send_calls", INT,
				    .doc = "calls of the sender that wrote bytes" },
	[COL_LEDGER_RECV_CALLS] = { "recv_calls", INT,
				    .doc = "calls of the receiver that read bytes" },
	[COL_LEDGER_SEGMENTS] = { "segments", INT,
				  .doc = "segments or datagrams seen from the sender" },
	[COL_LEDGER_SEGMENT_BYTES] = { "segment_bytes", INT,
				       .doc = "payload in them, retransmissions included" },
	[COL_LEDGER_RETRANSMITS] = { "retransmits", INT, .doc = "of these, sent again" },
	[COL_LEDGER_DGRAMS_SENT] = { "dgrams_sent", INT, .doc = "UDP: datagrams" },
	[COL_LEDGER_DGRAMS_DELIVERED] = { "dgrams_delivered", INT,
					  .doc = "UDP: of these, delivered" },
	[COL_LEDGER_DGRAMS_DROPPED] = { "dgrams_dropped", INT, .doc = "UDP: of these, dropped" },
};

static const struct column datagrams_columns[] = {
	[COL_DATAGRAMS_CONN] = { "conn", INT, .doc = "conversation; two rows each" },
	[COL_DATAGRAMS_SENDER] = { "sender", TEXT, .doc = "client, server" },
	[COL_DATAGRAMS_SENT] = { "sent", INT, .doc = "accepted by the sender's kernel; of these:" },
	[COL_DATAGRAMS_SENT_BYTES] = { "sent_bytes", INT, .doc = "bytes of these" },
	[COL_DATAGRAMS_IN_FLIGHT] = { "in_flight", INT, .doc = "not known to have come" },
	[COL_DATAGRAMS_IN_FLIGHT_BYTES] = { "in_flight_bytes", INT, .doc = "bytes of these" },
	[COL_DATAGRAMS_ARRIVED] = { "arrived", INT,
				    .doc = "at the receiver's socket: queued there, or dropped" },
	[COL_DATAGRAMS_ARRIVED_BYTES] = { "arrived_bytes", INT, .doc = "bytes of these" },
	[COL_DATAGRAMS_QUEUED] = { "queued", INT, .doc = "unread" },
	[COL_DATAGRAMS_QUEUED_BYTES] = { "queued_bytes", INT, .doc = "bytes of these" },
	[COL_DATAGRAMS_READ] = { "read", INT, .doc = "read" },
	[COL_DATAGRAMS_READ_BYTES] = { "read_bytes", INT, .doc = "what the calls returned" },
	[COL_DATAGRAMS_TRUNCATED] = { "truncated", INT, .doc = "of those read: cut short" },
	[COL_DATAGRAMS_TRUNCATED_BYTES] = { "truncated_bytes", INT, .doc = "what was cut off" },
	[COL_DATAGRAMS_DISCARDED] = { "discarded", INT,
				      .doc = "unread when the socket was closed" },
	[COL_DATAGRAMS_DISCARDED_BYTES] = { "discarded_bytes", INT, .doc = "bytes of these" },
	[COL_DATAGRAMS_DROPPED] = { "dropped", INT, .doc = "at the socket" },
	[COL_DATAGRAMS_DROPPED_BYTES] = { "dropped_bytes", INT, .doc = "bytes of these" },
	[COL_DATAGRAMS_NOBODY] = { "nobody", INT, .doc = "no socket takes them" },
	[COL_DATAGRAMS_NOBODY_BYTES] = { "nobody_bytes", INT, .doc = "bytes of these" },
	[COL_DATAGRAMS_LOST] = { "lost", INT,
				 .doc = "stopped before a socket, or lost on the way" },
	[COL_DATAGRAMS_LOST_BYTES] = { "lost_bytes", INT, .doc = "bytes of these" },
	[COL_DATAGRAMS_RESIDUAL] = { "residual", INT,
				     .doc = "not accounted for, or read and never sent" },
	[COL_DATAGRAMS_RESIDUAL_BYTES] = { "residual_bytes", INT, .doc = "bytes of these" },
	[COL_DATAGRAMS_DROP_ERRNO] = { "drop_errno", TEXT,
				       .doc = "of the latest drop: ENOMEM: the queue was full, ..." },
	[COL_DATAGRAMS_DROP_REASON] = { "drop_reason", TEXT, .doc = "by the kernel's name" },
	[COL_DATAGRAMS_DROP_RMEM] = { "drop_rmem", INT,
				      .doc = "bytes of memory in the queue then" },
	[COL_DATAGRAMS_DROP_RCVBUF] = { "drop_rcvbuf", INT, .doc = "and its limit" },
	[COL_DATAGRAMS_DROP_COUNTER] = { "drop_counter", INT,
					 .doc = "the kernel's count of drops at that socket" },
	[COL_DATAGRAMS_LOST_REASON] = { "lost_reason", TEXT,
					.doc = "of the latest that came to no socket" },
};

static const struct column verdict_columns[] = {
	[COL_VERDICT_ID] = { "id", ID, .doc = "1, 2, ..." },
	[COL_VERDICT_T_NS] = { "t_ns", INT, .doc = "ns since tracing began" },
	[COL_VERDICT_RULE] = { "rule", TEXT,
			       .doc = "which verdict, as 'trace explain --list' names it" },
	[COL_VERDICT_WEIGHT] = { "weight", TEXT, .doc = "aside, news, alarm" },
	[COL_VERDICT_QUESTION] = { "question", TEXT, .doc = "what one may ask here" },
	[COL_VERDICT_CAUSE] = { "cause", TEXT, .doc = "the answer, with the numbers of this run" },
	[COL_VERDICT_CERTAINTY] = { "certainty", TEXT, .doc = "proved, inferred" },
	[COL_VERDICT_BASIS] = { "basis", TEXT, .doc = "inferred: from what" },
	[COL_VERDICT_TODO] = { "todo", TEXT, .doc = "what to do about it; NULL: nothing" },
	[COL_VERDICT_EVENT] = { "event", INT, .doc = "the event it is told under" },
	[COL_VERDICT_SOCK] = { "sock", INT, .doc = "socket it is about" },
	[COL_VERDICT_SID] = { "sid", INT, .doc = "the same, by the tracer's own number" },
	[COL_VERDICT_CONN] = { "conn", INT, .doc = "conversation" },
	[COL_VERDICT_PID] = { "pid", INT, .doc = "process it concerns" },
	[COL_VERDICT_ROLE] = { "role", TEXT, .doc = "client, server" },
};

static const struct column verdict_evidence_columns[] = {
	[COL_VERDICT_EVIDENCE_VERDICT] = { "verdict", INT, .doc = "its id" },
	[COL_VERDICT_EVIDENCE_EVENT] = { "event", INT, .doc = "id of an event that proves it" },
};

static const struct column loss_columns[] = {
	[COL_LOSS_EVENT] = { "event", INT, .doc = "its id in event: the gap is before it" },
	[COL_LOSS_T_NS] = { "t_ns", INT,
			    .doc = "when the first of them was lost, ns since tracing began" },
	[COL_LOSS_KIND] = { "kind", TEXT, .doc = "of event" },
	[COL_LOSS_LOST] = { "lost", INT, .doc = "how many could not be kept" },
};

static const struct column meta_columns[] = {
	[COL_META_KEY] = { "key", "TEXT PRIMARY KEY",
			   .doc = "version, kernel, backend, scope, events, lost, ...; of a lab: lab.NAME, said.N" },
	[COL_META_VALUE] = { "value", "", .doc = "text or number" },
};

static const char *const event_indexes[] = { "kind", "sock", "conn", NULL };
static const char *const call_indexes[] = { "name", "sock", "conn", NULL };
static const char *const conn_indexes[] = { "conn", NULL };
static const char *const state_indexes[] = { "sock", "conn", NULL };
static const char *const evidence_indexes[] = { "verdict", "event", NULL };
static const char *const no_indexes[] = { NULL };

#define COLUMNS(list) .columns = (list), .n = sizeof(list) / sizeof((list)[0])

static const struct table_def tables[TABLES] = {
	[TABLE_EVENT] = { "event", "all that happened, in order: the steps of --json",
			  COLUMNS(event_columns), .indexes = event_indexes },
	[TABLE_CALL] = { "call", "socket calls, entry and return in one row", COLUMNS(call_columns),
			 .indexes = call_indexes },
	[TABLE_SEGMENT] = { "segment", "TCP segments and UDP datagrams on a device",
			    COLUMNS(segment_columns), .indexes = conn_indexes },
	[TABLE_STATE] = { "state", "changes of a TCP state", COLUMNS(state_columns),
			  .indexes = state_indexes },
	[TABLE_SOCK] = { "sock", "sockets, as last seen", COLUMNS(sock_columns),
			 .indexes = conn_indexes, .again = true },
	[TABLE_CONN] = { "conn", "conversations: TCP connections, pairs of UDP or AF_UNIX ends",
			 COLUMNS(conn_columns), .indexes = no_indexes },
	[TABLE_LEDGER] = { "ledger", "where the bytes of each direction were at the end",
			   COLUMNS(ledger_columns), .indexes = conn_indexes },
	[TABLE_DATAGRAMS] = { "datagrams",
			      "UDP: where the datagrams of each direction were at the end",
			      COLUMNS(datagrams_columns), .indexes = conn_indexes },
	[TABLE_VERDICT] = { "verdict", "why something happened", COLUMNS(verdict_columns),
			    .indexes = conn_indexes },
	[TABLE_VERDICT_EVIDENCE] = { "verdict_evidence", "the events that prove a verdict",
				     COLUMNS(verdict_evidence_columns),
				     .indexes = evidence_indexes },
	[TABLE_LOSS] = { "loss", "events that could not be kept: no rows, nothing is missing",
			 COLUMNS(loss_columns), .indexes = no_indexes },
	[TABLE_META] = { "meta", "the run itself", COLUMNS(meta_columns), .indexes = no_indexes },
};

const struct table_def *schema_table(enum table_id t)
{
	return &tables[t];
}

static size_t width_of(const struct table_def *t, bool type)
{
	size_t i, len, width = 0;

	for (i = 0; i < t->n; i++) {
		len = strlen(type ? t->columns[i].type : t->columns[i].name);
		width = len > width ? len : width;
	}
	return width;
}

void schema_create(struct buf *b, enum table_id table)
{
	const struct table_def *t = schema_table(table);
	int name_w = (int)width_of(t, false), type_w = (int)width_of(t, true) + 1;
	const struct column *c;
	char type[32];

	buf_printf(b, "CREATE TABLE %s ( -- %s\n", t->name, t->doc);
	for (c = t->columns; c < t->columns + t->n; c++) {
		snprintf(type, sizeof(type), "%s%s", c->type, c + 1 < t->columns + t->n ? "," : "");
		buf_printf(b, "  %-*s %-*s -- %s\n", name_w, c->name, type_w, type, c->doc);
	}
	buf_puts(b, ");\n");
}

/* What a row that comes again brings: all columns but the first and those that stay. */
static void add_update(struct buf *b, const struct table_def *t)
{
	const struct column *c;
	const char *comma = "";

	buf_printf(b, " ON CONFLICT(%s) DO UPDATE SET ", t->columns[0].name);
	for (c = t->columns + 1; c < t->columns + t->n; c++) {
		if (c->once)
			continue;
		buf_printf(b, "%s%s=excluded.%s", comma, c->name, c->name);
		comma = ",";
	}
}

void schema_insert(struct buf *b, enum table_id table, unsigned int rows)
{
	const struct table_def *t = schema_table(table);
	unsigned int row;
	size_t i;

	buf_printf(b, "INSERT INTO %s VALUES", t->name);
	for (row = 0; row < rows; row++) {
		buf_puts(b, row ? ",(" : "(");
		for (i = 0; i < t->n; i++)
			buf_puts(b, i ? ",?" : "?");
		buf_puts(b, ")");
	}
	if (t->again)
		add_update(b, t);
}
