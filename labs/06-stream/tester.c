/* SPDX-License-Identifier: MIT */
/* The client that your server talks to. Cuts the stream of its messages into
 * pieces of at most CUT bytes (0: one piece). It goes on when what was sent has
 * been read (300 ms in all are waited for programs that look before they take),
 * and each message that is complete has been answered.
 * usage: tester PORT MESSAGES BYTES CUT SEED */
#include <arpa/inet.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unread.h"

static unsigned char stream[1 << 22], reply[1 << 20];
static long ends[64]; /* of each message in the stream */

/* The first message is the longest, the second one is empty. */
static void compose(int messages, long bytes)
{
	long len, i, at = 0;
	int m;

	for (m = 0; m < messages; m++) {
		len = m == 0 ? bytes : m == 1 ? 0 : rand() % bytes;
		memcpy(stream + at, &(uint32_t){ htonl(len) }, 4);
		for (at += 4, i = 0; i < len; i++)
			stream[at++] = rand();
		ends[m] = at;
	}
}

/* The message backwards, with its length. False: something else comes. */
static int answered(int fd, const unsigned char *message, long size)
{
	long i;

	if (recv(fd, reply, 4, MSG_WAITALL) != 4 || memcmp(reply, message, 4) ||
	    (size > 4 && recv(fd, reply + 4, size - 4, MSG_WAITALL) < size - 4))
		return 0;
	for (i = 4; i < size && reply[i] == message[size + 3 - i]; i++)
		;
	return i == size;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET }, own = addr;
	int fd = socket(AF_INET, SOCK_STREAM, 0), n, right = 0;
	long port, sent = 0, piece, cut, begin = 0;
	socklen_t len = sizeof(own);

	if (argc != 6 || (n = atoi(argv[2])) > 64)
		errx(1, "usage: tester PORT MESSAGES BYTES CUT SEED");
	addr.sin_port = htons(port = atoi(argv[1]));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	srand(atoi(argv[5]));
	compose(n, atol(argv[3]));
	cut = atol(argv[4]);
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		getsockname(fd, (struct sockaddr *)&own, &len);
	while (right < n) {
		piece = cut ? 1 + rand() % cut : ends[n - 1];
		piece = piece < ends[n - 1] - sent ? piece : ends[n - 1] - sent;
		if (send(fd, stream + sent, piece, MSG_NOSIGNAL) != piece)
			break;
		for (sent += piece; right < n && ends[right] <= sent; right++) {
			if (!answered(fd, stream + begin, ends[right] - begin))
				goto over;
			begin = ends[right];
		}
		wait_read(port, ntohs(own.sin_port));
	}
over:
	printf("tester: %d of %d replies were right\n", right, n);
	shutdown(fd, SHUT_WR);
	recv(fd, reply, 1, MSG_WAITALL); /* until your server closes, too */
	return 0;
}
