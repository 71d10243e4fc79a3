/* SPDX-License-Identifier: MIT */
/* The clients of one life of your server: STAYS that stay and never close, BYES
 * that are sent away, and one that tells the server to end. Then it says so and
 * lives on, as the clients that stay.
 * usage: tester PORT STAYS BYES */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int say(int port, char word)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char answer[2];

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to 127.0.0.1 port %d", port);
	if (send(fd, &word, 1, MSG_NOSIGNAL) == 1)
		recv(fd, answer, sizeof(answer), MSG_WAITALL);
	return fd;
}

/* Closes when the server has closed: so its end gets TIME_WAIT. */
static void leave(int fd)
{
	char byte;

	recv(fd, &byte, 1, 0);
	close(fd);
}

int main(int argc, char **argv)
{
	int port, stays, byes;

	if (argc != 4)
		errx(1, "usage: tester PORT STAYS BYES");
	port = atoi(argv[1]);
	for (stays = atoi(argv[2]); stays > 0; stays--)
		say(port, 's');
	for (byes = atoi(argv[3]); byes > 0; byes--)
		leave(say(port, 'b'));
	leave(say(port, 'q'));
	printf("done\n");
	fflush(stdout);
	pause();
	return 0;
}
