/* SPDX-License-Identifier: MIT */
/*
 * Words for numbers, and the one place where addresses become text.
 * Functions returning const char * return static constant strings, "?" for an unknown value.
 * fmt_* write into the caller's buffer, always terminate, and return buf.
 */
#ifndef SOCKLENS_EVENT_NAMES_H
#define SOCKLENS_EVENT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"

const char *kind_name(unsigned int kind); /* "call", "segment", "state", ... as in JSON */
const char *call_name(unsigned int call); /* the system call: "sendto" */
/* The word programs use: "send" for a sendto without address, "recv", else call_name(). */
const char *call_word(const struct event_call *c);
const char *tcp_state_name(unsigned int state); /* "ESTABLISHED", ... include/net/tcp_states.h */
const char *family_name(unsigned int family);	/* "inet", "inet6", "unix", "netlink", ... */
const char *socktype_name(unsigned int type);	/* "stream", "dgram", ...; flags ignored */
const char *proto_name(unsigned int protocol);	/* "tcp", "udp", ... IPPROTO_* */
const char *errno_name(int err);		/* "ECONNREFUSED" for 111 or -111 */
const char *gai_error_name(int code);		/* "EAI_NONAME" for -2, "0" */
const char *sockopt_level_name(unsigned int level);
const char *sockopt_name(unsigned int level,
			 unsigned int option); /* "SO_REUSEADDR", "TCP_NODELAY" */
const char *shutdown_name(unsigned int how);
const char *fcntl_name(unsigned int cmd);
const char *epoll_op_name(unsigned int op);

char *fmt_tcp_flags(char *buf, size_t size, unsigned int flags); /* "SYN,ACK"; "-" for none */
char *fmt_msg_flags(char *buf, size_t size, unsigned int flags); /* "MSG_PEEK|MSG_WAITALL", "0" */
/*
 * What a socket option was set to or read as: "1", "on, 5 s" (SO_LINGER), "2 s" (SO_RCVTIMEO: whole
 * seconds), "ECONNREFUSED" (SO_ERROR), "\"cubic\"", "16 B" for what is no number. len = bytes the
 * program gave or got, first8 = the first eight of them in memory order.
 */
char *fmt_sockopt_value(char *buf, size_t size, unsigned int level, unsigned int option,
			unsigned int len, __u64 first8);
char *fmt_poll_events(char *buf, size_t size, unsigned int events); /* "IN|HUP"; EPOLL bits too */
/* "127.0.0.1:65430", "[::1]:80", "[::ffff:127.0.0.1]:80", "unix", "-" */
char *fmt_addr(char *buf, size_t size, const struct ev_addr *a);
/* Bytes to printable ASCII: \n, \x1b, \" and \\ escaped; cut with ".." if it does not fit. */
char *fmt_escaped(char *buf, size_t size, const char *bytes, size_t len);

/* Name of an AF_UNIX socket, len bytes: the path escaped, abstract ones as "@name", "" for none. */
char *fmt_path(char *buf, size_t size, const char *path, size_t len);

bool addr_equal(const struct ev_addr *a, const struct ev_addr *b); /* v4-mapped equals its IPv4 */
bool addr_is_loopback(const struct ev_addr *a);
/* As it stands in a packet: v4-mapped becomes IPv4 (RFC 4291 section 2.5.5.2: such packets are IPv4). */
struct ev_addr addr_on_wire(const struct ev_addr *a);

/* Sequence arithmetic modulo 2^32 (RFC 9293 section 3.4). */
static inline __s32 seq_diff(__u32 a, __u32 b) /* a - b */
{
	return (__s32)(a - b);
}
static inline bool seq_before(__u32 a, __u32 b)
{
	return seq_diff(a, b) < 0;
}

#endif
