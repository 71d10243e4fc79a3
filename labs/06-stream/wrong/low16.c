/* SPDX-License-Identifier: MIT */
/* fails: every reply is right */
/* Believes: no message is so long that its length needs the first two bytes. */
/* Answers each message of one client with the same bytes backwards. A message
 * is 4 bytes that say its length, high byte first, and then its bytes.
 * usage: server PORT */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned char message[1 << 20], reply[4 + sizeof(message)];

static int read_bytes(int conn, unsigned char *to, size_t want)
{
	size_t got = 0;
	ssize_t n = 1;

	for (; got < want && n > 0; got += n > 0 ? n : 0)
		n = recv(conn, to + got, want - got, 0);
	return got == want;
}

static long read_message(int conn)
{
	unsigned char head[4];
	long len;

	if (!read_bytes(conn, head, 4))
		return -1;
	len = head[2] << 8 | head[3];
	return read_bytes(conn, message, len) ? len : -1;
}

static void answer(int conn, long len)
{
	const uint32_t header = htonl(len);
	long i;

	memcpy(reply, &header, 4);
	for (i = 0; i < len; i++)
		reply[4 + i] = message[len - 1 - i];
	if (send(conn, reply, 4 + len, 0) != 4 + len)
		err(1, "send");
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int listener, conn;
	long len;

	if (argc != 2)
		errx(1, "usage: server PORT");
	addr.sin_port = htons(atoi(argv[1]));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		err(1, "socket");
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to 127.0.0.1 port %s", argv[1]);
	if (listen(listener, 1))
		err(1, "listen");
	if ((conn = accept(listener, NULL, NULL)) < 0)
		err(1, "accept");
	while ((len = read_message(conn)) >= 0)
		answer(conn, len);
	return close(conn) || close(listener);
}
