/* SPDX-License-Identifier: MIT */
/* The clients of your server, as many at once as its queue has PLACES: all find
 * one. The next come when it is empty again or everybody here sleeps (slow is
 * only the server, then), and the last one when somebody has an answer.
 * usage: tester PORT CLIENTS PLACES */
#include <arpa/inet.h>
#include <err.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One of many files of /proc has a line with a or b, and not about us. */
static int any_line(const char *files, const char *a, const char *b)
{
	char line[512], own[] = "(tester)";
	size_t i, found = 0;
	glob_t names;
	FILE *f;

	glob(files, 0, NULL, &names);
	for (i = 0; i < names.gl_pathc; i++) {
		f = fopen(names.gl_pathv[i], "r");
		while (f && fgets(line, sizeof(line), f))
			found |= (strstr(line, a) || strstr(line, b)) &&
				 !strstr(line, own);
		if (f)
			fclose(f);
	}
	globfree(&names);
	return found;
}

/* Reads what has come; the sockets that are at their end leave the list. */
static int take(struct pollfd *fds, int n)
{
	char buf[256];
	int i, left = 0;

	poll(fds, n, -1);
	for (i = 0; i < n; i++)
		if (fds[i].revents && recv(fds[i].fd, buf, sizeof(buf), 0) <= 0)
			close(fds[i].fd);
		else
			fds[left++] = fds[i];
	return left;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	/* LISTEN; then, after the colon, what waits for accept() */
	const char empty[] = " 0A 00000000:00000000 ";
	const int type = SOCK_STREAM | SOCK_NONBLOCK;
	struct pollfd fds[100];
	int clients, places, all, i, n = 0;

	if (argc != 4 || (clients = atoi(argv[2])) > 100)
		errx(1, "usage: tester PORT CLIENTS PLACES");
	addr.sin_port = htons(atoi(argv[1]));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	places = atoi(argv[3]);
	for (i = 0; clients > 0; clients--, i++, n++) {
		for (all = n; clients == 1 && n == all;)
			n = take(fds, n);
		while ((i % places == 0 || clients == 1) &&
		       !any_line("/proc/net/tcp*", empty, empty) &&
		       any_line("/proc/[0-9]*/task/*/stat", ") R ", ") D "))
			;
		fds[n].events = POLLIN;
		fds[n].fd = socket(AF_INET, type, 0);
		connect(fds[n].fd, (void *)&addr, sizeof(addr));
	}
	while (n > 0)
		n = take(fds, n);
	return 0;
}
