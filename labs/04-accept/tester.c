/* SPDX-License-Identifier: MIT */
/* All clients of your server, one after the other: some stay, some close, some
 * reset, with and without bytes. Says "staged" when your kernel has seen it.
 * usage: tester PORT CLIENTS BYTES SEED */
#include <arpa/inet.h>
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum what { STAY, CLOSE, RESET, WHATS };

/* Nothing has ended at the server's end of it. */
static int goes_on(const char *table, unsigned server, unsigned client)
{
	unsigned int local, remote, state, found = 0;
	FILE *f = fopen(table, "r");
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x", &local,
			   &remote, &state) == 3 &&
		    local == server && remote == client)
			found = state;
	if (f) /* else a kernel without IPv6 */
		fclose(f);
	return found == 1 || found == 3; /* ESTABLISHED, SYN_RECV */
}

/* Its descriptor, or -1: there is no server. */
static int act(enum what what, int port, long bytes)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct sockaddr_in addr = { .sin_family = AF_INET }, own;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(own);
	static char data[32768];

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockname(fd, (struct sockaddr *)&own, &len))
		return -1;
	send(fd, data, bytes, MSG_NOSIGNAL); /* 0 bytes: nothing leaves */
	if (what == RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (what == STAY)
		return fd;
	close(fd);
	while (goes_on("/proc/net/tcp", port, ntohs(own.sin_port)) ||
	       goes_on("/proc/net/tcp6", port, ntohs(own.sin_port)))
		sched_yield();
	return fd;
}

int main(int argc, char **argv)
{
	int stay[64], stays = 0, first, how, fd, i, n;
	char byte;

	if (argc != 5 || (n = atoi(argv[2])) > 64)
		errx(1, "usage: tester PORT CLIENTS BYTES SEED");
	srand(atoi(argv[4]));
	first = rand() % (2 * WHATS);
	for (i = 0; i < n; i++) { /* each kind once, then as it comes */
		how = i < 2 * WHATS ? (first + i) % (2 * WHATS) : rand();
		fd = act(how % WHATS, atoi(argv[1]),
			 how / WHATS & 1 ? 1 + rand() % atol(argv[3]) : 0);
		if (fd >= 0 && how % WHATS == STAY)
			stay[stays++] = fd;
	}
	puts("staged");
	fflush(stdout);
	while (stays > 0) /* those that stay do so until your server ends */
		if (recv(stay[stays - 1], &byte, 1, 0) <= 0)
			stays--;
	return 0;
}
