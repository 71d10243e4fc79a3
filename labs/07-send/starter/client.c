/* SPDX-License-Identifier: MIT */
/* fails: DONE only when the server's program has the bytes */
/* Uploads SIZE bytes, and prints DONE if the server says that it has them all,
 * FAILED if it has not said so MS milliseconds later.
 * usage: client ADDRESS PORT SIZE MS */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
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

	n = send(fd, bytes, size, MSG_NOSIGNAL);

	/* TODO (step 5): the server answers with one line, how many bytes it
	 * has ("123456"), when it has read the upload to its end. How does it
	 * see the end? What must the line say before you may print DONE? */

	/* TODO (step 6): the server may be killed, or may do nothing at all.
	 * After MS milliseconds print FAILED, whichever call waits then. */
	(void)ms;

	printf("%s\n", n == size ? "DONE" : "FAILED");
	if (close(fd))
		err(1, "close");
	return 0;
}
