/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "page.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/log.h"
#include "util/utf8.h"

/* -F: what fits the screen needs no key; -R: colours; -X: it stays there. */
#define PAGER_DEFAULT "less -FRX"

static int reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool page_pages(void)
{
	const char *pager = getenv("PAGER");

	return isatty(STDOUT_FILENO) && (!pager || *pager);
}

/* Its standard input into *to; 0 if there is none to be had. */
static pid_t pager_start(const struct user *u, int *to)
{
	const char *pager = getenv("PAGER");
	int ends[2];
	pid_t pid;

	if (!page_pages() || pipe2(ends, O_CLOEXEC))
		return 0;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (user_become(u) || dup2(ends[0], STDIN_FILENO) < 0)
			_exit(127);
		signal(SIGPIPE, SIG_DFL);
		if (pager)
			execlp("sh", "sh", "-c", pager, (char *)NULL);
		else
			execlp("sh", "sh", "-c", PAGER_DEFAULT " || cat", (char *)NULL);
		_exit(127);
	}
	close(ends[0]);
	*to = ends[1];
	if (pid > 0)
		return pid;
	close(ends[1]);
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	for (; len; text += n, len -= (size_t)n) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return errno == EPIPE ? 0 : -errno; /* left before its end: no failure */
	}
	return 0;
}

int page_text(const struct user *u, const char *text)
{
	int to = -1, err;
	pid_t pager = pager_start(u, &to);

	signal(SIGPIPE, SIG_IGN);
	fflush(stdout);
	err = write_all(pager ? to : STDOUT_FILENO, text, strlen(text));
	if (pager) {
		close(to);
		reap(pager);
	}
	return err;
}

void page_shown(const char *text, size_t len)
{
	struct buf b = { 0 };

	utf8_show(&b, text, len, "\n\t");
	printf("%s", b.err || !b.data ? "" : b.data);
	buf_free(&b);
}

void page_undecided(const struct buf *found)
{
	const char *text = found->data ? found->data : "", *advice = strstr(text, ": record again");

	printf("%.*s\n", (int)(advice ? (size_t)(advice - text) : strlen(text)), text);
}

static void command_exec(const struct user *u, page_command run, char **args, int out)
{
	int argc = 0;

	while (args[argc])
		argc++;
	if (user_become(u) || (out >= 0 && dup2(out, STDOUT_FILENO) < 0))
		_exit(127);
	log_program = "lab";
	argc = run(argc, args);
	fflush(stdout);
	_exit(argc);
}

static void read_all(int fd, struct buf *out)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n > 0)
			buf_add(out, bytes, (size_t)n);
		else if (errno != EINTR)
			break;
	}
}

int page_trace(const struct user *u, page_command run, char **args, struct buf *out)
{
	int ends[2] = { -1, -1 }, to = -1;
	pid_t pager = 0, pid;

	if (out && pipe2(ends, O_CLOEXEC))
		return -1;
	if (!out)
		pager = pager_start(u, &to);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		command_exec(u, run, args, out ? ends[1] : to);
	if (out) {
		close(ends[1]);
		read_all(ends[0], out);
		close(ends[0]);
	}
	if (to >= 0)
		close(to);
	if (pager)
		reap(pager);
	return pid < 0 ? -1 : reap(pid);
}
