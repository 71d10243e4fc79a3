/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_FD 3

/* Should ./lab end in whatever way, so does the tracer. A change of rights undoes this: it comes behind. */
static int die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

static void tracer_exec(const struct user *u, const struct places *p, const struct arena *a,
			const char *file, unsigned int seconds, int ready, pid_t parent)
{
	char near[16], far[64], fd[16], duration[16];
	char *argv[] = { "trace",  "-q", "--netns",    near, "--ready-fd", fd,	"--duration",
			 duration, "-w", (char *)file, NULL, NULL,	   NULL };

	snprintf(near, sizeof(near), "%d", a->pid);
	snprintf(far, sizeof(far), "/proc/%d/fd/%d", a->pid, ARENA_FAR);
	if (a->far) {
		argv[10] = "--netns";
		argv[11] = far;
	}
	snprintf(fd, sizeof(fd), "%d", READY_FD);
	snprintf(duration, sizeof(duration), "%u", seconds);
	/* Its own group: a Ctrl-C is for us, who end it when the recording is whole. */
	if (setpgid(0, 0) || user_become_root(u) || die_with(parent) || dup2(ready, READY_FD) < 0)
		_exit(127);
	signal(SIGINT, SIG_DFL);
	fcntl(READY_FD, F_SETFD, 0);
	execv(p->trace, argv);
	_exit(127);
}

int tracer_start(struct tracer *t, const struct user *u, const struct places *p,
		 const struct arena *a, const char *file, unsigned int seconds, char *err,
		 size_t size)
{
	const pid_t parent = getpid();
	int ready[2], error;

	*t = (struct tracer){ .ready = -1 };
	if (access(p->trace, X_OK)) {
		snprintf(err, size, "'%s' is not there; type 'make'", p->trace);
		return -ENOENT;
	}
	if (pipe2(ready, O_CLOEXEC)) {
		error = errno;
		snprintf(err, size, "cannot start the tracer: %s", strerror(error));
		return -error;
	}
	fflush(NULL);
	t->pid = fork();
	if (t->pid == 0)
		tracer_exec(u, p, a, file, seconds, ready[1], parent);
	close(ready[1]);
	t->ready = ready[0];
	if (t->pid > 0)
		return 0;
	t->pid = 0;
	close(ready[0]);
	snprintf(err, size, "cannot start the tracer: %s", strerror(EAGAIN));
	return -EAGAIN;
}

static int tracer_reap(struct tracer *t)
{
	int status = 0;

	while (waitpid(t->pid, &status, 0) < 0 && errno == EINTR)
		;
	t->pid = 0;
	return status;
}

int tracer_wait_ready(struct tracer *t, char *err, size_t size)
{
	char word[16];
	ssize_t n;

	do
		n = read(t->ready, word, sizeof(word));
	while (n < 0 && errno == EINTR);
	close(t->ready);
	t->ready = -1;
	if (n > 0)
		return 0;
	tracer_reap(t);
	snprintf(err, size,
		 "the tracer did not start, for the reason above: that is this machine, not your "
		 "program; './trace doctor' says more");
	return -EIO;
}

int tracer_stop(struct tracer *t, char *err, size_t size)
{
	int status;

	if (t->ready >= 0)
		close(t->ready);
	t->ready = -1;
	if (!t->pid)
		return 0;
	kill(t->pid, SIGINT);
	status = tracer_reap(t);
	if (!status)
		return 0;
	snprintf(
		err, size,
		"the tracer broke off, for the reason above: that is this machine, not your program; "
		"'./trace doctor' says more");
	return -EIO;
}
