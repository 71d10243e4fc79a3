/* SPDX-License-Identifier: MIT */
/*
 * Socket options: names by level, and the value as a reader wants it. The numbers are those of the
 * machine we are built for; options younger than Linux 5.15 stand with their number, so that an
 * older set of headers builds this file.
 */
#include <assert.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../util/text.h"
#include "names.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define OPT(option) [option] = #option

static const char *const socket_options[] = {
	OPT(SO_DEBUG),
	OPT(SO_REUSEADDR),
	OPT(SO_TYPE),
	OPT(SO_ERROR),
	OPT(SO_DONTROUTE),
	OPT(SO_BROADCAST),
	OPT(SO_SNDBUF),
	OPT(SO_RCVBUF),
	OPT(SO_KEEPALIVE),
	OPT(SO_OOBINLINE),
	OPT(SO_NO_CHECK),
	OPT(SO_PRIORITY),
	OPT(SO_LINGER),
	OPT(SO_BSDCOMPAT),
	OPT(SO_REUSEPORT),
	OPT(SO_PASSCRED),
	OPT(SO_PEERCRED),
	OPT(SO_RCVLOWAT),
	OPT(SO_SNDLOWAT),
	OPT(SO_RCVTIMEO),
	OPT(SO_SNDTIMEO),
	OPT(SO_SECURITY_AUTHENTICATION),
	OPT(SO_SECURITY_ENCRYPTION_TRANSPORT),
	OPT(SO_SECURITY_ENCRYPTION_NETWORK),
	OPT(SO_BINDTODEVICE),
	OPT(SO_ATTACH_FILTER),
	OPT(SO_DETACH_FILTER),
	OPT(SO_PEERNAME),
	OPT(SO_TIMESTAMP),
	OPT(SO_ACCEPTCONN),
	OPT(SO_PEERSEC),
	OPT(SO_SNDBUFFORCE),
	OPT(SO_RCVBUFFORCE),
	OPT(SO_PASSSEC),
	OPT(SO_TIMESTAMPNS),
	OPT(SO_MARK),
	OPT(SO_TIMESTAMPING),
	OPT(SO_PROTOCOL),
	OPT(SO_DOMAIN),
	OPT(SO_RXQ_OVFL),
	OPT(SO_WIFI_STATUS),
	OPT(SO_PEEK_OFF),
	OPT(SO_NOFCS),
	OPT(SO_LOCK_FILTER),
	OPT(SO_SELECT_ERR_QUEUE),
	OPT(SO_BUSY_POLL),
	OPT(SO_MAX_PACING_RATE),
	OPT(SO_BPF_EXTENSIONS),
	OPT(SO_INCOMING_CPU),
	OPT(SO_ATTACH_BPF),
	OPT(SO_ATTACH_REUSEPORT_CBPF),
	OPT(SO_ATTACH_REUSEPORT_EBPF),
	OPT(SO_CNX_ADVICE),
	OPT(SO_MEMINFO),
	OPT(SO_INCOMING_NAPI_ID),
	OPT(SO_COOKIE),
	OPT(SO_PEERGROUPS),
	OPT(SO_ZEROCOPY),
	OPT(SO_TXTIME),
	OPT(SO_BINDTOIFINDEX),
	OPT(SO_TIMESTAMP_NEW),
	OPT(SO_TIMESTAMPNS_NEW),
	OPT(SO_TIMESTAMPING_NEW),
	OPT(SO_RCVTIMEO_NEW),
	OPT(SO_SNDTIMEO_NEW),
	OPT(SO_DETACH_REUSEPORT_BPF),
	OPT(SO_PREFER_BUSY_POLL),
	OPT(SO_BUSY_POLL_BUDGET),
	OPT(SO_NETNS_COOKIE),
	OPT(SO_BUF_LOCK),
	[73] = "SO_RESERVE_MEM",
	[74] = "SO_TXREHASH",
	[75] = "SO_RCVMARK",
	[76] = "SO_PASSPIDFD",
	[77] = "SO_PEERPIDFD",
};
static_assert(LENGTH(socket_options) == 78, "up to SO_PEERPIDFD");

static const char *const tcp_options[] = {
	OPT(TCP_NODELAY),
	OPT(TCP_MAXSEG),
	OPT(TCP_CORK),
	OPT(TCP_KEEPIDLE),
	OPT(TCP_KEEPINTVL),
	OPT(TCP_KEEPCNT),
	OPT(TCP_SYNCNT),
	OPT(TCP_LINGER2),
	OPT(TCP_DEFER_ACCEPT),
	OPT(TCP_WINDOW_CLAMP),
	OPT(TCP_INFO),
	OPT(TCP_QUICKACK),
	OPT(TCP_CONGESTION),
	OPT(TCP_MD5SIG),
	OPT(TCP_THIN_LINEAR_TIMEOUTS),
	OPT(TCP_THIN_DUPACK),
	OPT(TCP_USER_TIMEOUT),
	OPT(TCP_REPAIR),
	OPT(TCP_REPAIR_QUEUE),
	OPT(TCP_QUEUE_SEQ),
	OPT(TCP_REPAIR_OPTIONS),
	OPT(TCP_FASTOPEN),
	OPT(TCP_TIMESTAMP),
	OPT(TCP_NOTSENT_LOWAT),
	OPT(TCP_CC_INFO),
	OPT(TCP_SAVE_SYN),
	OPT(TCP_SAVED_SYN),
	OPT(TCP_REPAIR_WINDOW),
	OPT(TCP_FASTOPEN_CONNECT),
	OPT(TCP_ULP),
	OPT(TCP_MD5SIG_EXT),
	OPT(TCP_FASTOPEN_KEY),
	OPT(TCP_FASTOPEN_NO_COOKIE),
	OPT(TCP_ZEROCOPY_RECEIVE),
	OPT(TCP_INQ),
	OPT(TCP_TX_DELAY),
	[38] = "TCP_AO_ADD_KEY",
	[39] = "TCP_AO_DEL_KEY",
	[40] = "TCP_AO_INFO",
	[41] = "TCP_AO_GET_KEYS",
	[42] = "TCP_AO_REPAIR",
	[43] = "TCP_IS_MPTCP",
	[44] = "TCP_RTO_MAX_MS",
	[45] = "TCP_RTO_MIN_US",
	[46] = "TCP_DELACK_MAX_US",
};
static_assert(LENGTH(tcp_options) == 47, "up to TCP_DELACK_MAX_US");

static const char *const ip_options[] = {
	OPT(IP_TOS),
	OPT(IP_TTL),
	OPT(IP_HDRINCL),
	OPT(IP_OPTIONS),
	OPT(IP_ROUTER_ALERT),
	OPT(IP_RECVOPTS),
	OPT(IP_RETOPTS),
	OPT(IP_PKTINFO),
	OPT(IP_PKTOPTIONS),
	OPT(IP_MTU_DISCOVER),
	OPT(IP_RECVERR),
	OPT(IP_RECVTTL),
	OPT(IP_RECVTOS),
	OPT(IP_MTU),
	OPT(IP_FREEBIND),
	OPT(IP_IPSEC_POLICY),
	OPT(IP_XFRM_POLICY),
	OPT(IP_PASSSEC),
	OPT(IP_TRANSPARENT),
	OPT(IP_ORIGDSTADDR),
	OPT(IP_MINTTL),
	OPT(IP_NODEFRAG),
	OPT(IP_CHECKSUM),
	OPT(IP_BIND_ADDRESS_NO_PORT),
	OPT(IP_RECVFRAGSIZE),
	OPT(IP_RECVERR_RFC4884),
	OPT(IP_MULTICAST_IF),
	OPT(IP_MULTICAST_TTL),
	OPT(IP_MULTICAST_LOOP),
	OPT(IP_ADD_MEMBERSHIP),
	OPT(IP_DROP_MEMBERSHIP),
	OPT(IP_UNBLOCK_SOURCE),
	OPT(IP_BLOCK_SOURCE),
	OPT(IP_ADD_SOURCE_MEMBERSHIP),
	OPT(IP_DROP_SOURCE_MEMBERSHIP),
	OPT(IP_MSFILTER),
	OPT(MCAST_JOIN_GROUP),
	OPT(MCAST_BLOCK_SOURCE),
	OPT(MCAST_UNBLOCK_SOURCE),
	OPT(MCAST_LEAVE_GROUP),
	OPT(MCAST_JOIN_SOURCE_GROUP),
	OPT(MCAST_LEAVE_SOURCE_GROUP),
	OPT(MCAST_MSFILTER),
	OPT(IP_MULTICAST_ALL),
	OPT(IP_UNICAST_IF),
	[51] = "IP_LOCAL_PORT_RANGE",
	[52] = "IP_PROTOCOL",
};
static_assert(LENGTH(ip_options) == 53, "up to IP_PROTOCOL");

static const char *const ipv6_options[] = {
	OPT(IPV6_ADDRFORM),
	OPT(IPV6_2292PKTINFO),
	OPT(IPV6_2292HOPOPTS),
	OPT(IPV6_2292DSTOPTS),
	OPT(IPV6_2292RTHDR),
	OPT(IPV6_2292PKTOPTIONS),
	OPT(IPV6_CHECKSUM),
	OPT(IPV6_2292HOPLIMIT),
	OPT(IPV6_NEXTHOP),
	OPT(IPV6_AUTHHDR),
	OPT(IPV6_FLOWINFO),
	OPT(IPV6_UNICAST_HOPS),
	OPT(IPV6_MULTICAST_IF),
	OPT(IPV6_MULTICAST_HOPS),
	OPT(IPV6_MULTICAST_LOOP),
	OPT(IPV6_ADD_MEMBERSHIP),
	OPT(IPV6_DROP_MEMBERSHIP),
	OPT(IPV6_ROUTER_ALERT),
	OPT(IPV6_MTU_DISCOVER),
	OPT(IPV6_MTU),
	OPT(IPV6_RECVERR),
	OPT(IPV6_V6ONLY),
	OPT(IPV6_JOIN_ANYCAST),
	OPT(IPV6_LEAVE_ANYCAST),
	OPT(IPV6_MULTICAST_ALL),
	OPT(IPV6_ROUTER_ALERT_ISOLATE),
	OPT(IPV6_RECVERR_RFC4884),
	OPT(IPV6_FLOWLABEL_MGR),
	OPT(IPV6_FLOWINFO_SEND),
	OPT(IPV6_IPSEC_POLICY),
	OPT(IPV6_XFRM_POLICY),
	OPT(IPV6_HDRINCL),
	OPT(MCAST_JOIN_GROUP),
	OPT(MCAST_BLOCK_SOURCE),
	OPT(MCAST_UNBLOCK_SOURCE),
	OPT(MCAST_LEAVE_GROUP),
	OPT(MCAST_JOIN_SOURCE_GROUP),
	OPT(MCAST_LEAVE_SOURCE_GROUP),
	OPT(MCAST_MSFILTER),
	OPT(IPV6_RECVPKTINFO),
	OPT(IPV6_PKTINFO),
	OPT(IPV6_RECVHOPLIMIT),
	OPT(IPV6_HOPLIMIT),
	OPT(IPV6_RECVHOPOPTS),
	OPT(IPV6_HOPOPTS),
	OPT(IPV6_RTHDRDSTOPTS),
	OPT(IPV6_RECVRTHDR),
	OPT(IPV6_RTHDR),
	OPT(IPV6_RECVDSTOPTS),
	OPT(IPV6_DSTOPTS),
	OPT(IPV6_RECVPATHMTU),
	OPT(IPV6_PATHMTU),
	OPT(IPV6_DONTFRAG),
	OPT(IPV6_RECVTCLASS),
	OPT(IPV6_TCLASS),
	OPT(IPV6_AUTOFLOWLABEL),
	OPT(IPV6_ADDR_PREFERENCES),
	OPT(IPV6_MINHOPCOUNT),
	OPT(IPV6_ORIGDSTADDR),
	OPT(IPV6_TRANSPARENT),
	OPT(IPV6_UNICAST_IF),
	OPT(IPV6_RECVFRAGSIZE),
	OPT(IPV6_FREEBIND),
};
static_assert(LENGTH(ipv6_options) == IPV6_FREEBIND + 1, "up to IPV6_FREEBIND");

static const char *const udp_options[] = {
	OPT(UDP_CORK),	       OPT(UDP_ENCAP),	 OPT(UDP_NO_CHECK6_TX),
	OPT(UDP_NO_CHECK6_RX), OPT(UDP_SEGMENT), OPT(UDP_GRO),
};
static_assert(LENGTH(udp_options) == UDP_GRO + 1, "up to UDP_GRO");

#define LEVEL(number, word, table)                 \
	{                                          \
		number, word, table, LENGTH(table) \
	}
static const struct {
	unsigned int level;
	const char *name;
	const char *const *options; /* by option number, NULL = no names known */
	size_t count;
} levels[] = {
	LEVEL(SOL_SOCKET, "SOL_SOCKET", socket_options),
	LEVEL(IPPROTO_TCP, "IPPROTO_TCP", tcp_options),
	LEVEL(IPPROTO_IP, "IPPROTO_IP", ip_options),
	LEVEL(IPPROTO_IPV6, "IPPROTO_IPV6", ipv6_options),
	LEVEL(IPPROTO_UDP, "IPPROTO_UDP", udp_options),
	{ IPPROTO_ICMPV6, "IPPROTO_ICMPV6", NULL, 0 },
	{ IPPROTO_SCTP, "IPPROTO_SCTP", NULL, 0 },
	{ IPPROTO_RAW, "IPPROTO_RAW", NULL, 0 },
	{ 263, "SOL_PACKET", NULL, 0 },
	{ 270, "SOL_NETLINK", NULL, 0 },
	{ 282, "SOL_TLS", NULL, 0 },
	{ 284, "SOL_MPTCP", NULL, 0 },
};
static_assert(LENGTH(levels) == 12, "every level that has a name");

const char *sockopt_level_name(unsigned int level)
{
	size_t i;

	for (i = 0; i < LENGTH(levels); i++)
		if (levels[i].level == level)
			return levels[i].name;
	return "?";
}

const char *sockopt_name(unsigned int level, unsigned int option)
{
	size_t i;

	for (i = 0; i < LENGTH(levels); i++)
		if (levels[i].level == level && option < levels[i].count &&
		    levels[i].options[option])
			return levels[i].options[option];
	return "?";
}

/* How the bytes of an option are to be read, where a plain number is not it. */
enum value_form { VALUE_NUMBER = 0, VALUE_LINGER, VALUE_SECONDS, VALUE_ERRNO, VALUE_TEXT };

static const struct {
	unsigned int level, option;
	enum value_form form;
} value_forms[] = {
	{ SOL_SOCKET, SO_LINGER, VALUE_LINGER },
	{ SOL_SOCKET, SO_RCVTIMEO, VALUE_SECONDS },
	{ SOL_SOCKET, SO_SNDTIMEO, VALUE_SECONDS },
	{ SOL_SOCKET, SO_RCVTIMEO_NEW, VALUE_SECONDS },
	{ SOL_SOCKET, SO_SNDTIMEO_NEW, VALUE_SECONDS },
	{ SOL_SOCKET, SO_ERROR, VALUE_ERRNO },
	{ SOL_SOCKET, SO_BINDTODEVICE, VALUE_TEXT },
	{ IPPROTO_TCP, TCP_CONGESTION, VALUE_TEXT },
	{ IPPROTO_TCP, TCP_ULP, VALUE_TEXT },
};

static enum value_form value_form(unsigned int level, unsigned int option)
{
	size_t i;

	for (i = 0; i < LENGTH(value_forms); i++)
		if (value_forms[i].level == level && value_forms[i].option == option)
			return value_forms[i].form;
	return VALUE_NUMBER;
}

/* A name in quotes; more than eight bytes of it are not recorded. */
static void value_text(struct text *t, const char *bytes, unsigned int len)
{
	char name[40];
	size_t known = strnlen(bytes, len < 8 ? len : 8);

	fmt_escaped(name, sizeof(name), bytes, known);
	text_printf(t, "\"%s%s\"", name, known == 8 && len > 8 ? ".." : "");
}

static void value_number(struct text *t, const void *bytes, unsigned int len)
{
	unsigned char small;
	__u64 wide;
	int number;

	if (len == sizeof(number)) {
		memcpy(&number, bytes, sizeof(number));
		text_printf(t, "%d", number);
	} else if (len == 1) { /* IP_TTL, IP_MULTICAST_LOOP and others take one byte, too */
		memcpy(&small, bytes, sizeof(small));
		text_printf(t, "%u", small);
	} else if (len == sizeof(wide)) { /* SO_COOKIE, SO_MAX_PACING_RATE */
		memcpy(&wide, bytes, sizeof(wide));
		text_printf(t, "%llu", (unsigned long long)wide);
	} else {
		text_printf(t, "%u B", len);
	}
}

char *fmt_sockopt_value(char *buf, size_t size, unsigned int level, unsigned int option,
			unsigned int len, __u64 first8)
{
	enum value_form form = value_form(level, option);
	struct linger linger;
	struct text t;
	__s64 seconds;
	int err;

	text_start(&t, buf, size);
	if (form == VALUE_LINGER && len >= sizeof(linger)) {
		memcpy(&linger, &first8, sizeof(linger));
		if (linger.l_onoff)
			text_printf(&t, "on, %d s", linger.l_linger);
		else
			text_add(&t, "off");
	} else if (form == VALUE_SECONDS && len >= 2 * sizeof(seconds)) {
		memcpy(&seconds, &first8, sizeof(seconds));
		text_printf(&t, "%lld s", (long long)seconds);
	} else if (form == VALUE_ERRNO && len == sizeof(err)) {
		memcpy(&err, &first8, sizeof(err));
		text_add(&t, err ? errno_name(err) : "no error");
	} else if (form == VALUE_TEXT) {
		value_text(&t, (const char *)&first8, len);
	} else {
		value_number(&t, &first8, len);
	}
	return buf;
}
