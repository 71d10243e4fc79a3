/* SPDX-License-Identifier: MIT */
/* The clients of your server. As many come at once as its queue has PLACES:
 * when it is empty they all find one. The next come when it is empty again, or
 * when everybody here sleeps: then nobody is about to empty it. So a slow
 * machine does no harm, a slow server does.
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

/* One of many files of /proc has a line with the word, and not about us. */
static int any_line(const char *files, const char *word)
{
	char line[512], own[] = "(tester)";
	int found = 0;
	glob_t names;
	size_t i;
	FILE *f;

	glob(files, 0, NULL, &names);
	for (i = 0; i < names.gl_pathc; i++) {
		f = fopen(names.gl_pathv[i], "r");
		while (f && fgets(line, sizeof(line), f))
			found |= strstr(line, word) && !strstr(line, own);
		if (f)
			fclose(f);
	}
	globfree(&names);
	return found;
}

/* Reads what has come; the sockets that are at their end leave the list. */
static int take(struct pollfd *fds, int n, int timeout)
{
	char buf[256];
	int i, left = 0;

	poll(fds, n, timeout);
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
	const int type = SOCK_STREAM | SOCK_NONBLOCK;
	struct pollfd fds[100];
	int clients, places, i, n = 0;

	if (argc != 4 || (clients = atoi(argv[2])) > 100)
		errx(1, "usage: tester PORT CLIENTS PLACES");
	addr.sin_port = htons(atoi(argv[1]));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (places = atoi(argv[3]); clients > 0; clients -= places) {
		/* 0A: LISTEN; then, after the colon, what waits for accept() */
		while (!any_line("/proc/net/tcp*", " 0A 00000000:00000000 ") &&
		       (any_line("/proc/[0-9]*/task/*/stat", ") R ") ||
			any_line("/proc/[0-9]*/task/*/stat", ") D ")))
			;
		for (i = 0; i < places && i < clients; i++, n++) {
			fds[n].events = POLLIN;
			fds[n].fd = socket(AF_INET, type, 0);
			connect(fds[n].fd, (void *)&addr, sizeof(addr));
		}
	}
	while (n > 0)
		n = take(fds, n, -1);
	return 0;
}
