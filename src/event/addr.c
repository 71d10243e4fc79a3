/* SPDX-License-Identifier: MIT */
/*
 * Addresses as text and compared. Ports are host order in every struct ev_addr.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "names.h"

/* ::ffff:0:0/96, RFC 4291 section 2.5.5.2 */
static const __u8 v4mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* The four bytes of an IPv4 address in either spelling, NULL if it is none. */
static const __u8 *addr_v4(const struct ev_addr *a)
{
	if (a->family == AF_INET)
		return a->addr;
	if (a->family == AF_INET6 && !memcmp(a->addr, v4mapped, sizeof(v4mapped)))
		return a->addr + sizeof(v4mapped);
	return NULL;
}

char *fmt_addr(char *buf, size_t size, const struct ev_addr *a)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (a->family == AF_INET) {
		inet_ntop(AF_INET, a->addr, host, sizeof(host));
		snprintf(buf, size, "%s:%u", host, a->port);
	} else if (a->family == AF_INET6) {
		inet_ntop(AF_INET6, a->addr, host, sizeof(host));
		snprintf(buf, size, "[%s]:%u", host, a->port);
	} else {
		snprintf(buf, size, "%s", a->family ? family_name(a->family) : "-");
	}
	return buf;
}

char *fmt_path(char *buf, size_t size, const char *path, size_t len)
{
	if (len && !path[0] && size > 1) {
		buf[0] = '@'; /* as ss and /proc/net/unix write it */
		fmt_escaped(buf + 1, size - 1, path + 1, len - 1);
		return buf;
	}
	return fmt_escaped(buf, size, path, len);
}

bool addr_equal(const struct ev_addr *a, const struct ev_addr *b)
{
	const __u8 *a4 = addr_v4(a), *b4 = addr_v4(b);

	if (a->port != b->port)
		return false;
	if (a4 && b4)
		return !memcmp(a4, b4, 4);
	return a->family == b->family && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

bool addr_is_loopback(const struct ev_addr *a)
{
	static const __u8 loopback6[16] = { [15] = 1 };
	const __u8 *a4 = addr_v4(a);

	if (a4)
		return a4[0] == 127;
	return a->family == AF_INET6 && !memcmp(a->addr, loopback6, sizeof(loopback6));
}

struct ev_addr addr_on_wire(const struct ev_addr *a)
{
	struct ev_addr out = { .family = AF_INET, .port = a->port };

	if (a->family != AF_INET6 || memcmp(a->addr, v4mapped, sizeof(v4mapped)))
		return *a;
	memcpy(out.addr, a->addr + sizeof(v4mapped), 4);
	return out;
}
