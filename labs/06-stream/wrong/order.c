/* SPDX-License-Identifier: MIT */
/* fails: no call waits when a whole message is there */
/* Believes: a number is four bytes, whoever writes them. */
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

static size_t read_bytes(int conn, void *to, size_t want)
{
	size_t got = 0;
	ssize_t n = 1;

	while (got < want && n > 0) {
		n = recv(conn, (char *)to + got, want - got, 0);
		if (n < 0)
			err(1, "recv");
		got += n;
	}
	return got;
}

static long read_message(int conn)
{
	uint32_t len;

	if (read_bytes(conn, &len, sizeof(len)) < sizeof(len))
		return -1;
	if (len > sizeof(message))
		len = sizeof(message);
	return read_bytes(conn, message, len) < len ? -1 : (long)len;
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
