/* SPDX-License-Identifier: MIT */
/* fails: DONE only on the word of the server */
/* Believes: a server that answers has everything. */
/* Uploads SIZE bytes, and prints DONE if the server says that it has them all,
 * FAILED if it has not said so MS milliseconds later.
 * usage: client ADDRESS PORT SIZE MS */
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void too_late(int sig)
{
	(void)sig;
	if (write(STDOUT_FILENO, "FAILED\n", 7) != 7)
		_exit(1);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct itimerval deadline = { 0 };
	static char bytes[1 << 20];
	ssize_t size, n;
	long ms;
	int fd;

	if (argc != 5 || !inet_aton(argv[1], &addr.sin_addr))
		errx(1, "usage: client ADDRESS PORT SIZE MS");
	addr.sin_port = htons(atoi(argv[2]));
	size = atol(argv[3]); /* at most 1 MiB */
	ms = atol(argv[4]);

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to %s port %s", argv[1], argv[2]);

	deadline.it_value.tv_sec = ms / 1000;
	deadline.it_value.tv_usec = ms % 1000 * 1000;
	signal(SIGALRM, too_late);
	if (setitimer(ITIMER_REAL, &deadline, NULL))
		err(1, "setitimer");

	n = send(fd, bytes, size, MSG_NOSIGNAL);
	if (n == size && !shutdown(fd, SHUT_WR))
		n = recv(fd, bytes, sizeof(bytes), 0);
	else
		n = 0;
	printf("%s\n", n > 0 ? "DONE" : "FAILED");
	if (close(fd))
		err(1, "close");
	return 0;
}
