/* SPDX-License-Identifier: MIT */
/*
 * Words for the numbers of our own contract, of TCP, of families and errors, and for sets of flags.
 * Socket options have their own file, sockopt.c; addresses addr.c.
 */
#define _GNU_SOURCE 1 /* strerrorname_np() */
#include "names.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../util/text.h"
#include "decode.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define LOOKUP(table, index) ((index) < LENGTH(table) && (table)[index] ? (table)[index] : "?")

static const char *const kind_names[] = {
	[EV_NONE] = "none",
	[EV_CALL] = "call",
	[EV_PROC] = "proc",
	[EV_SOCK] = "sock",
	[EV_FLOW] = "flow",
	[EV_FD] = "fd",
	[EV_GAI] = "gai",
	[EV_SEGMENT] = "segment",
	[EV_STATE] = "state",
	[EV_SENT] = "sent",
	[EV_RECEIVED] = "received",
	[EV_DATA_READY] = "data_ready",
	[EV_ACK] = "ack",
	[EV_RETRANSMIT] = "retransmit",
	[EV_SYNACK_RETRANS] = "synack_retransmit",
	[EV_RST_SENT] = "rst_sent",
	[EV_RST_RECEIVED] = "rst_received",
	[EV_SOCK_ERROR] = "sock_error",
	[EV_DESTROY] = "destroy",
	[EV_RCVQ_FULL] = "rcvq_full",
	[EV_UDP_DROP] = "udp_drop",
	[EV_SKB_DROP] = "skb_drop",
	[EV_FIN_QUEUED] = "fin_queued",
	[EV_FIN_RECEIVED] = "fin_received",
	[EV_DOORBELL] = "doorbell",
	[EV_SOCK_CLOSED] = "sock_closed",
	[EV_LEVELS] = "levels",
};
static_assert(LENGTH(kind_names) == EV_KIND_MAX, "a name for every kind");

static const char *const call_names[] = {
	[CALL_NONE] = "none",
	[CALL_SOCKET] = "socket",
	[CALL_SOCKETPAIR] = "socketpair",
	[CALL_BIND] = "bind",
	[CALL_LISTEN] = "listen",
	[CALL_CONNECT] = "connect",
	[CALL_ACCEPT] = "accept",
	[CALL_ACCEPT4] = "accept4",
	[CALL_SENDTO] = "sendto",
	[CALL_SENDMSG] = "sendmsg",
	[CALL_SENDMMSG] = "sendmmsg",
	[CALL_WRITE] = "write",
	[CALL_WRITEV] = "writev",
	[CALL_SENDFILE] = "sendfile",
	[CALL_SPLICE] = "splice",
	[CALL_RECVFROM] = "recvfrom",
	[CALL_RECVMSG] = "recvmsg",
	[CALL_RECVMMSG] = "recvmmsg",
	[CALL_READ] = "read",
	[CALL_READV] = "readv",
	[CALL_SHUTDOWN] = "shutdown",
	[CALL_CLOSE] = "close",
	[CALL_DUP] = "dup",
	[CALL_DUP2] = "dup2",
	[CALL_DUP3] = "dup3",
	[CALL_FCNTL] = "fcntl",
	[CALL_SETSOCKOPT] = "setsockopt",
	[CALL_GETSOCKOPT] = "getsockopt",
	[CALL_GETSOCKNAME] = "getsockname",
	[CALL_GETPEERNAME] = "getpeername",
	[CALL_POLL] = "poll",
	[CALL_PPOLL] = "ppoll",
	[CALL_SELECT] = "select",
	[CALL_PSELECT6] = "pselect6",
	[CALL_EPOLL_CTL] = "epoll_ctl",
	[CALL_EPOLL_WAIT] = "epoll_wait",
	[CALL_EPOLL_PWAIT] = "epoll_pwait",
	[CALL_EPOLL_PWAIT2] = "epoll_pwait2",
	[CALL_CLOSE_RANGE] = "close_range",
};
static_assert(LENGTH(call_names) == CALL_MAX, "a name for every call");

/* include/net/tcp_states.h. The last two are no state a program can ask for: a connection request,
 * and a bound socket as sock_diag tells it (6.8). */
#define TCP_STATE_MAX 14
static const char *const tcp_state_names[] = {
	[1] = "ESTABLISHED",	 [2] = "SYN_SENT",  [3] = "SYN_RECV", [4] = "FIN_WAIT1",
	[5] = "FIN_WAIT2",	 [6] = "TIME_WAIT", [7] = "CLOSE",    [8] = "CLOSE_WAIT",
	[9] = "LAST_ACK",	 [10] = "LISTEN",   [11] = "CLOSING", [12] = "NEW_SYN_RECV",
	[13] = "BOUND_INACTIVE",
};
static_assert(LENGTH(tcp_state_names) == TCP_STATE_MAX, "a name for every TCP state");

#define FAMILY_MAX 46 /* up to AF_MCTP (5.15) */
static const char *const family_names[] = {
	[AF_UNSPEC] = "unspec",
	[AF_UNIX] = "unix",
	[AF_INET] = "inet",
	[AF_AX25] = "ax25",
	[AF_IPX] = "ipx",
	[AF_APPLETALK] = "appletalk",
	[AF_NETROM] = "netrom",
	[AF_BRIDGE] = "bridge",
	[AF_ATMPVC] = "atmpvc",
	[AF_X25] = "x25",
	[AF_INET6] = "inet6",
	[AF_ROSE] = "rose",
	[AF_DECnet] = "decnet",
	[AF_NETBEUI] = "netbeui",
	[AF_SECURITY] = "security",
	[AF_KEY] = "key",
	[AF_NETLINK] = "netlink",
	[AF_PACKET] = "packet",
	[AF_ASH] = "ash",
	[AF_ECONET] = "econet",
	[AF_ATMSVC] = "atmsvc",
	[AF_RDS] = "rds",
	[AF_SNA] = "sna",
	[AF_IRDA] = "irda",
	[AF_PPPOX] = "pppox",
	[AF_WANPIPE] = "wanpipe",
	[AF_LLC] = "llc",
	[AF_IB] = "ib",
	[AF_MPLS] = "mpls",
	[AF_CAN] = "can",
	[AF_TIPC] = "tipc",
	[AF_BLUETOOTH] = "bluetooth",
	[AF_IUCV] = "iucv",
	[AF_RXRPC] = "rxrpc",
	[AF_ISDN] = "isdn",
	[AF_PHONET] = "phonet",
	[AF_IEEE802154] = "ieee802154",
	[AF_CAIF] = "caif",
	[AF_ALG] = "alg",
	[AF_NFC] = "nfc",
	[AF_VSOCK] = "vsock",
	[AF_KCM] = "kcm",
	[AF_QIPCRTR] = "qipcrtr",
	[AF_SMC] = "smc",
	[AF_XDP] = "xdp",
	[45] = "mctp",
};
static_assert(LENGTH(family_names) == FAMILY_MAX, "a name for every family");

#define SOCKTYPE_MASK 0xf /* the rest are SOCK_NONBLOCK and SOCK_CLOEXEC (include/linux/net.h) */
#define SOCKTYPE_MAX 11
static const char *const socktype_names[] = {
	[SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram",	  [SOCK_RAW] = "raw",
	[SOCK_RDM] = "rdm",	  [SOCK_SEQPACKET] = "seqpacket", [SOCK_DCCP] = "dccp",
	[SOCK_PACKET] = "packet",
};
static_assert(LENGTH(socktype_names) == SOCKTYPE_MAX, "a name for every socket type");

static const char *const shutdown_names[] = {
	[SHUT_RD] = "SHUT_RD",
	[SHUT_WR] = "SHUT_WR",
	[SHUT_RDWR] = "SHUT_RDWR",
};
static_assert(LENGTH(shutdown_names) == 3, "RD, WR, RDWR");

static const char *const epoll_op_names[] = {
	[EPOLL_CTL_ADD] = "ADD",
	[EPOLL_CTL_DEL] = "DEL",
	[EPOLL_CTL_MOD] = "MOD",
};
static_assert(LENGTH(epoll_op_names) == 4, "ADD, DEL, MOD from 1");

/* Numbers with wide gaps, and single bits: a list that is searched. */
struct word {
	unsigned int value;
	const char *name;
};

static const struct word fcntl_words[] = {
	{ F_DUPFD, "F_DUPFD" },
	{ F_GETFD, "F_GETFD" },
	{ F_SETFD, "F_SETFD" },
	{ F_GETFL, "F_GETFL" },
	{ F_SETFL, "F_SETFL" },
	{ F_GETLK, "F_GETLK" },
	{ F_SETLK, "F_SETLK" },
	{ F_SETLKW, "F_SETLKW" },
	{ F_SETOWN, "F_SETOWN" },
	{ F_GETOWN, "F_GETOWN" },
	{ F_SETSIG, "F_SETSIG" },
	{ F_GETSIG, "F_GETSIG" },
	{ F_SETOWN_EX, "F_SETOWN_EX" },
	{ F_GETOWN_EX, "F_GETOWN_EX" },
	{ F_DUPFD_CLOEXEC, "F_DUPFD_CLOEXEC" },
};

/* Codes between kernel and signal code that a tracer sees and a program never does
 * (include/linux/errno.h); the last one is known to leak to programs. */
static const struct word kernel_errno_words[] = {
	{ 512, "ERESTARTSYS" }, { 513, "ERESTARTNOINTR" },	  { 514, "ERESTARTNOHAND" },
	{ 515, "ENOIOCTLCMD" }, { 516, "ERESTART_RESTARTBLOCK" }, { 524, "ENOTSUPP" },
};

static const struct word gai_words[] = {
	{ 0, "0" },
	{ -EAI_BADFLAGS, "EAI_BADFLAGS" },
	{ -EAI_NONAME, "EAI_NONAME" },
	{ -EAI_AGAIN, "EAI_AGAIN" },
	{ -EAI_FAIL, "EAI_FAIL" },
	{ -EAI_NODATA, "EAI_NODATA" },
	{ -EAI_FAMILY, "EAI_FAMILY" },
	{ -EAI_SOCKTYPE, "EAI_SOCKTYPE" },
	{ -EAI_SERVICE, "EAI_SERVICE" },
	{ -EAI_ADDRFAMILY, "EAI_ADDRFAMILY" },
	{ -EAI_MEMORY, "EAI_MEMORY" },
	{ -EAI_SYSTEM, "EAI_SYSTEM" },
	{ -EAI_OVERFLOW, "EAI_OVERFLOW" },
	{ -EAI_INPROGRESS, "EAI_INPROGRESS" },
	{ -EAI_CANCELED, "EAI_CANCELED" },
	{ -EAI_NOTCANCELED, "EAI_NOTCANCELED" },
	{ -EAI_ALLDONE, "EAI_ALLDONE" },
	{ -EAI_INTR, "EAI_INTR" },
	{ -EAI_IDN_ENCODE, "EAI_IDN_ENCODE" },
};

static const struct word proto_words[] = {
	{ IPPROTO_ICMP, "icmp" },     { IPPROTO_TCP, "tcp" },	{ IPPROTO_UDP, "udp" },
	{ IPPROTO_ICMPV6, "icmpv6" }, { IPPROTO_SCTP, "sctp" }, { IPPROTO_UDPLITE, "udplite" },
	{ IPPROTO_RAW, "raw" },	      { 262, "mptcp" },
};

static const struct word tcp_flag_words[] = {
	{ 2, "SYN" },  { 1, "FIN" },  { 4, "RST" },  { 8, "PSH" },
	{ 16, "ACK" }, { 32, "URG" }, { 64, "ECE" }, { 128, "CWR" },
};

static const struct word msg_flag_words[] = {
	{ MSG_OOB, "MSG_OOB" },
	{ MSG_PEEK, "MSG_PEEK" },
	{ MSG_DONTROUTE, "MSG_DONTROUTE" },
	{ MSG_CTRUNC, "MSG_CTRUNC" },
	{ MSG_PROXY, "MSG_PROBE" },
	{ MSG_TRUNC, "MSG_TRUNC" },
	{ MSG_DONTWAIT, "MSG_DONTWAIT" },
	{ MSG_EOR, "MSG_EOR" },
	{ MSG_WAITALL, "MSG_WAITALL" },
	{ MSG_FIN, "MSG_FIN" },
	{ MSG_SYN, "MSG_SYN" },
	{ MSG_CONFIRM, "MSG_CONFIRM" },
	{ MSG_RST, "MSG_RST" },
	{ MSG_ERRQUEUE, "MSG_ERRQUEUE" },
	{ MSG_NOSIGNAL, "MSG_NOSIGNAL" },
	{ MSG_MORE, "MSG_MORE" },
	{ MSG_WAITFORONE, "MSG_WAITFORONE" },
	{ MSG_BATCH, "MSG_BATCH" },
	{ MSG_ZEROCOPY, "MSG_ZEROCOPY" },
	{ MSG_FASTOPEN, "MSG_FASTOPEN" },
	{ MSG_CMSG_CLOEXEC, "MSG_CMSG_CLOEXEC" },
};

static const struct word poll_words[] = {
	{ EPOLLIN, "IN" },	   { EPOLLPRI, "PRI" },
	{ EPOLLOUT, "OUT" },	   { EPOLLERR, "ERR" },
	{ EPOLLHUP, "HUP" },	   { 0x20, "NVAL" },
	{ EPOLLRDNORM, "RDNORM" }, { EPOLLRDBAND, "RDBAND" },
	{ EPOLLWRNORM, "WRNORM" }, { EPOLLWRBAND, "WRBAND" },
	{ EPOLLMSG, "MSG" },	   { 0x1000, "REMOVE" },
	{ EPOLLRDHUP, "RDHUP" },   { EPOLLEXCLUSIVE, "EXCLUSIVE" },
	{ EPOLLWAKEUP, "WAKEUP" }, { EPOLLONESHOT, "ONESHOT" },
	{ EPOLLET, "ET" },
};

static const char *word_name(const struct word *words, size_t count, unsigned int value)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (words[i].value == value)
			return words[i].name;
	return "?";
}

#define WORD(words, value) word_name(words, LENGTH(words), value)

const char *kind_name(unsigned int kind)
{
	return LOOKUP(kind_names, kind);
}

const char *call_name(unsigned int call)
{
	return LOOKUP(call_names, call);
}

const char *call_word(const struct event_call *c)
{
	bool has_addr = c->tail_kind == TAIL_ADDR && c->tail_count > 0;

	if (c->call == CALL_SENDTO && !has_addr)
		return "send";
	if (c->call == CALL_RECVFROM && !has_addr)
		return "recv";
	return call_name(c->call);
}

const char *tcp_state_name(unsigned int state)
{
	return LOOKUP(tcp_state_names, state);
}

const char *family_name(unsigned int family)
{
	return LOOKUP(family_names, family);
}

const char *socktype_name(unsigned int type)
{
	return LOOKUP(socktype_names, type & SOCKTYPE_MASK);
}

const char *proto_name(unsigned int protocol)
{
	return WORD(proto_words, protocol);
}

const char *errno_name(int err)
{
	unsigned int code = err < 0 ? 0u - (unsigned int)err : (unsigned int)err;
	const char *name = strerrorname_np((int)code);

	return name ? name : WORD(kernel_errno_words, code);
}

const char *gai_error_name(int code)
{
	return WORD(gai_words, 0u - (unsigned int)code);
}

const char *shutdown_name(unsigned int how)
{
	return LOOKUP(shutdown_names, how);
}

const char *fcntl_name(unsigned int cmd)
{
	return WORD(fcntl_words, cmd);
}

const char *epoll_op_name(unsigned int op)
{
	return LOOKUP(epoll_op_names, op);
}

/* Names of the set bits, what has no name as one number behind them. */
static char *fmt_bits(char *buf, size_t size, const struct word *words, size_t count,
		      unsigned int bits, const char *separator, const char *none)
{
	struct text t;
	size_t i;

	text_start(&t, buf, size);
	if (!bits)
		text_add(&t, none);
	for (i = 0; i < count; i++) {
		if (!(bits & words[i].value))
			continue;
		text_printf(&t, "%s%s", t.len ? separator : "", words[i].name);
		bits &= ~words[i].value;
	}
	if (bits)
		text_printf(&t, "%s0x%x", t.len ? separator : "", bits);
	return buf;
}

char *fmt_tcp_flags(char *buf, size_t size, unsigned int flags)
{
	return fmt_bits(buf, size, tcp_flag_words, LENGTH(tcp_flag_words), flags, ",", "-");
}

char *fmt_msg_flags(char *buf, size_t size, unsigned int flags)
{
	return fmt_bits(buf, size, msg_flag_words, LENGTH(msg_flag_words), flags, "|", "0");
}

char *fmt_poll_events(char *buf, size_t size, unsigned int events)
{
	return fmt_bits(buf, size, poll_words, LENGTH(poll_words), events, "|", "0");
}

/* One byte as it may be printed; returns the characters written to out[4]. */
static size_t escape_byte(char *out, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";
	static const char short_forms[256] = {
		['\n'] = 'n', ['\t'] = 't', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\',
	};

	out[0] = '\\';
	if (short_forms[byte]) {
		out[1] = short_forms[byte];
		return 2;
	}
	if (byte >= ' ' && byte < 0x7f) {
		out[0] = (char)byte;
		return 1;
	}
	out[1] = 'x';
	out[2] = hex[byte >> 4];
	out[3] = hex[byte & 15];
	return 4;
}

char *fmt_escaped(char *buf, size_t size, const char *bytes, size_t len)
{
	char piece[4];
	struct text t;
	size_t i;

	text_start(&t, buf, size);
	for (i = 0; i < len && !t.cut; i++)
		text_add_whole(&t, piece, escape_byte(piece, (unsigned char)bytes[i]));
	return buf;
}
