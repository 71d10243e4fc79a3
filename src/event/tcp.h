/* SPDX-License-Identifier: MIT */
/* TCP's numbers as the kernel's records carry them. */
#ifndef SOCKLENS_EVENT_TCP_H
#define SOCKLENS_EVENT_TCP_H

/* include/net/tcp_states.h */
enum tcp_state {
	TCP_S_ESTABLISHED = 1,
	TCP_S_SYN_SENT = 2,
	TCP_S_SYN_RECV = 3,
	TCP_S_FIN_WAIT1 = 4,
	TCP_S_FIN_WAIT2 = 5,
	TCP_S_TIME_WAIT = 6,
	TCP_S_CLOSE = 7,
	TCP_S_CLOSE_WAIT = 8,
	TCP_S_LAST_ACK = 9,
	TCP_S_LISTEN = 10,
	TCP_S_CLOSING = 11,
	TCP_S_NEW_SYN_RECV = 12,
};

/* Flags as in the header, RFC 9293 section 3.1. */
enum tcp_flag {
	TCPF_FIN = 1,
	TCPF_SYN = 2,
	TCPF_RST = 4,
	TCPF_PSH = 8,
	TCPF_ACK = 16,
	TCPF_URG = 32,
};

#endif
