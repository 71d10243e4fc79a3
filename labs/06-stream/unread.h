/* SPDX-License-Identifier: MIT */
/* Bytes that lie unread at the server's end, from the kernel's tables; 0 if it
 * has no such connection; and waiting until there are none. */
#include <sched.h>
#include <stdio.h>
#include <time.h>

static unsigned unread_in(const char *table, unsigned server, unsigned client)
{
	unsigned local, remote, queue, found = 0;
	FILE *f = fopen(table, "r");
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %*x %*x:%x",
			   &local, &remote, &queue) == 3 &&
		    local == server && remote == client)
			found = queue;
	if (f) /* else a kernel without IPv6 */
		fclose(f);
	return found;
}

static unsigned unread(unsigned server, unsigned client)
{
	return unread_in("/proc/net/tcp", server, client) +
	       unread_in("/proc/net/tcp6", server, client);
}

/* Some programs look at bytes and leave them there, until there are enough of
 * them. For these 300 ms are waited, in all. */
static void wait_read(unsigned server, unsigned client)
{
	static long spent_ms;
	struct timespec begin, now;
	long ms = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (spent_ms + ms < 300 && unread(server, client)) {
		sched_yield();
		clock_gettime(CLOCK_MONOTONIC, &now);
		ms = (now.tv_sec - begin.tv_sec) * 1000 +
		     (now.tv_nsec - begin.tv_nsec) / 1000000;
	}
	spent_ms += spent_ms + ms < 300 ? 0 : ms;
}
