/* SPDX-License-Identifier: MIT */
/* A client and a server on loopback, N times 64 bytes there and back. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE 64 /* bytes */

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static int server(int listener, long n)
{
	char message[MESSAGE];
	int fd = accept(listener, NULL, NULL);

	must(fd >= 0, "accept");
	while (n--) {
		must(recv(fd, message, MESSAGE, MSG_WAITALL) == MESSAGE, "recv");
		must(send(fd, message, MESSAGE, 0) == MESSAGE, "send");
	}
	close(fd);
	return 0;
}

static int client(const struct sockaddr_in *to, long n)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), status;
	char message[MESSAGE] = "";

	must(!connect(fd, (const struct sockaddr *)to, sizeof(*to)), "connect");
	while (n--) {
		must(send(fd, message, MESSAGE, 0) == MESSAGE, "send");
		must(recv(fd, message, MESSAGE, MSG_WAITALL) == MESSAGE, "recv");
	}
	close(fd);
	must(wait(&status) > 0, "wait");
	return status ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	long n = argc > 1 ? atol(argv[1]) : 100000;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	must(!bind(listener, (struct sockaddr *)&addr, len), "bind");
	must(!listen(listener, 1), "listen");
	must(!getsockname(listener, (struct sockaddr *)&addr, &len), "getsockname");
	switch (fork()) {
	case -1:
		must(0, "fork");
		return 1;
	case 0:
		return server(listener, n);
	default:
		return client(&addr, n);
	}
}
