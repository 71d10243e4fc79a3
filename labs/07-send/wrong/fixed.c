/* SPDX-License-Identifier: MIT */
/* fails: FAILED in time */
/* Believes: three seconds are a deadline for everybody. */
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

static int confirmed(int fd, const char *bytes, ssize_t size)
{
	char answer[32];
	size_t got = 0;
	ssize_t n;

	if (send(fd, bytes, size, MSG_NOSIGNAL) != size)
		return 0;
	if (shutdown(fd, SHUT_WR))
		return 0;
	while ((n = recv(fd, answer + got, sizeof(answer) - 1 - got, 0)) > 0)
		got += n;
	answer[got] = '\0';
	return n == 0 && atol(answer) == size;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct itimerval deadline = { 0 };
	static char bytes[1 << 20];
	int fd;

	if (argc != 5 || !inet_aton(argv[1], &addr.sin_addr))
		errx(1, "usage: client ADDRESS PORT SIZE MS");
	addr.sin_port = htons(atoi(argv[2]));

	deadline.it_value.tv_sec = 3;
	signal(SIGALRM, too_late);
	if (setitimer(ITIMER_REAL, &deadline, NULL))
		err(1, "setitimer");

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to %s port %s", argv[1], argv[2]);
	printf("%s\n", confirmed(fd, bytes, atol(argv[3])) ? "DONE" : "FAILED");
	if (close(fd))
		err(1, "close");
	return 0;
}
