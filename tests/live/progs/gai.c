/* SPDX-License-Identifier: MIT */
/* getaddrinfo("NAME", port), "" = no name, and the usual loop over its answers; the server listens on 127.0.0.1 only. */
#include <netdb.h>

#include "live.h"

int main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *a;
	char service[16];
	int ls, fd = -1, code;

	alarm(LIVE_SECONDS);
	MUST(argc == 2);
	ls = listening(AF_INET, 1);
	snprintf(service, sizeof(service), "%d", port_of(ls));
	code = getaddrinfo(argv[1][0] ? argv[1] : NULL, service, &hints, &list);
	if (code != 0) {
		printf("error %d\n", code);
		return 0;
	}
	for (a = list; a; a = a->ai_next) {
		fd = CHECK(socket(a->ai_family, a->ai_socktype, a->ai_protocol));
		if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
			break;
		MUST(errno == ECONNREFUSED);
		CHECK(close(fd));
	}
	MUST(a);
	freeaddrinfo(list);
	CHECK(close(CHECK(accept(ls, NULL, NULL))));
	CHECK(close(fd));
	CHECK(close(ls));
	return 0;
}
