/* SPDX-License-Identifier: MIT */
/*
 * The way to this machine's own addresses in the network namespace of the caller, so that TCP acknowledges at once
 * (RTAX_QUICKACK, see ip-route(8)): a delayed ACK comes after 40 ms or more of real time, and what has happened by then
 * depends on how fast the machine is.
 */
#ifndef SOCKLENS_TESTS_VM_ROUTE_H
#define SOCKLENS_TESTS_VM_ROUTE_H

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct route_request {
	struct nlmsghdr msg;
	struct rtmsg route;
	char attributes[128];
};

static void route_attribute(struct route_request *ask, int type, const void *data, size_t len)
{
	char *at = ask->attributes + NLMSG_ALIGN(ask->msg.nlmsg_len) - offsetof(struct route_request, attributes);
	struct rtattr a = { .rta_len = RTA_LENGTH(len), .rta_type = type };

	memcpy(at, &a, sizeof(a));
	memcpy(at + RTA_LENGTH(0), data, len);
	ask->msg.nlmsg_len = NLMSG_ALIGN(ask->msg.nlmsg_len) + RTA_ALIGN(a.rta_len);
}

/* Sends it and waits for the kernel's answer: 0, or -1 and errno. */
static int route_ask(int fd, struct route_request *ask)
{
	struct {
		struct nlmsghdr msg;
		struct nlmsgerr error;
		char asked[sizeof(*ask)];
	} told;

	if (send(fd, ask, ask->msg.nlmsg_len, 0) < 0 || recv(fd, &told, sizeof(told), 0) < 0)
		return -1;
	errno = -told.error.error;
	return errno ? -1 : 0;
}

/* A request about the route to one local address, of LEN bytes. */
static struct route_request route_to(int type, int flags, int family, const void *address, size_t len)
{
	struct route_request ask = {
		.msg = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			 .nlmsg_type = type,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags },
		.route = { .rtm_family = family,
			   .rtm_dst_len = len * 8,
			   .rtm_table = RT_TABLE_LOCAL,
			   .rtm_protocol = RTPROT_KERNEL,
			   .rtm_scope = RT_SCOPE_HOST,
			   .rtm_type = RTN_LOCAL },
	};
	unsigned int lo = if_nametoindex("lo");

	route_attribute(&ask, RTA_DST, address, len);
	route_attribute(&ask, RTA_OIF, &lo, sizeof(lo));
	return ask;
}

static int route_quick(int fd, int family, const void *address, size_t len)
{
	struct {
		struct rtattr a;
		unsigned int value;
	} quick = { { sizeof(quick), RTAX_QUICKACK }, 1 };
	struct route_request ask = route_to(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, family, address, len);

	route_attribute(&ask, RTA_METRICS, &quick, sizeof(quick));
	return route_ask(fd, &ask);
}

/* 127.0.0.1 and ::1; "lo" is up. 0, or -1 and errno. */
static int acknowledge_at_once(void)
{
	struct in_addr v4 = { htonl(INADDR_LOOPBACK) };
	struct in6_addr v6 = IN6ADDR_LOOPBACK_INIT;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct route_request first = route_to(RTM_DELROUTE, 0, AF_INET6, &v6, sizeof(v6));
	int err = fd < 0 || route_quick(fd, AF_INET, &v4, sizeof(v4)) || route_quick(fd, AF_INET6, &v6, sizeof(v6));

	/* The kernel's own route to ::1 has metric 0, which nobody can ask for: it stands before the new one. */
	err = err || route_ask(fd, &first);
	close(fd);
	return err ? -1 : 0;
}

#endif
