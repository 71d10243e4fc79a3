/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "compile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"

#define SAID_MAX 16384 /* bytes of the compiler's messages that are kept */
#define MEMORY ((rlim_t)2 << 30)
#define NOT_STARTED 127

/* $CC, if it is a single word; else cc. */
static const char *compiler(void)
{
	const char *cc = getenv("CC");

	return cc && *cc && !strchr(cc, ' ') ? cc : "cc";
}

static void limit(int what, rlim_t value)
{
	const struct rlimit r = { value, value };

	setrlimit(what, &r);
}

static void compile_exec(const struct user *u, const char *source, const char *program, int out)
{
	char *argv[] = { (char *)compiler(),
			 "-std=gnu11",
			 "-g",
			 "-O1",
			 "-Wall",
			 "-Wextra",
			 "-pthread",
			 "-x",
			 "c",
			 (char *)source,
			 "-o",
			 (char *)program,
			 NULL };
	int null = open("/dev/null", O_RDONLY);

	umask(077);
	limit(RLIMIT_CPU, COMPILE_LIMIT_S);
	limit(RLIMIT_FSIZE, 64 << 20);
	limit(RLIMIT_AS, MEMORY);
	limit(RLIMIT_CORE, 0);
	/* A group of its own, so that all of it can be ended. */
	if (setpgid(0, 0) || user_become(u) || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		_exit(NOT_STARTED);
	execvp(argv[0], argv);
	_exit(NOT_STARTED);
}

/* Until its end or the deadline. */
static void listen_to(int fd, struct buf *said, __u64 deadline_ns)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char bytes[4096];
	__u64 now;
	ssize_t n;

	while ((now = clock_boot_ns()) < deadline_ns) {
		if (poll(&p, 1, (int)((deadline_ns - now) / NSEC_PER_MSEC) + 1) <= 0)
			continue;
		n = read(fd, bytes, sizeof(bytes));
		if (n <= 0)
			return;
		if (said->len < SAID_MAX)
			buf_add(said, bytes, (size_t)n);
	}
}

static enum compile_result verdict(int status, struct buf *said, char *err, size_t size)
{
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return COMPILE_OK;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED) {
		snprintf(err, size,
			 "there is no C compiler '%s' on this machine; 'sudo apt-get install gcc "
			 "libc6-dev' brings one",
			 compiler());
		return COMPILE_NO_COMPILER;
	}
	if (WIFSIGNALED(status))
		buf_printf(said,
			   "the compiler was ended: it took more than %d s, or too much memory\n",
			   COMPILE_LIMIT_S);
	return COMPILE_REFUSED;
}

static enum compile_result run(const struct user *u, const char *source, const char *program,
			       struct buf *said, char *err, size_t size)
{
	int out[2], status = 0;
	pid_t pid = -1;

	if (!pipe2(out, O_CLOEXEC)) {
		fflush(NULL);
		pid = fork();
		if (pid == 0)
			compile_exec(u, source, program, out[1]);
		close(out[1]);
	}
	if (pid < 0) {
		snprintf(err, size, "cannot start the compiler: %s", strerror(errno));
		return COMPILE_BROKEN;
	}
	listen_to(out[0], said, clock_boot_ns() + COMPILE_LIMIT_S * NSEC_PER_SEC);
	close(out[0]);
	kill(-pid, SIGKILL); /* what is left of it, if anything */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return verdict(status, said, err, size);
}

enum compile_result compile(const struct user *u, const char *source, const char *program,
			    struct buf *said, char *err, size_t size)
{
	struct stat st;

	if (stat(source, &st)) {
		snprintf(err, size, "cannot read '%s': %s; check its name", source,
			 strerror(errno));
		return COMPILE_NO_FILE;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(err, size, "'%s' is no file; name your .c file", source);
		return COMPILE_NO_FILE;
	}
	return run(u, source, program, said, err, size);
}
