/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "arena.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell.h"
#include "keeper.h"
#include "page.h"
#include "util/clock.h"

#define ARRANGE_MS 10000 /* more than enough to put up the walls */
#define LOOK_MS 100	 /* between two looks at the clock, at signals and at the recording */

/* --- start --- */

struct pipes {
	int go[2], says[2], out[2];
};

static int pipes_open(struct pipes *p)
{
	*p = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (pipe2(p->go, O_CLOEXEC) || pipe2(p->says, O_CLOEXEC) || pipe2(p->out, O_CLOEXEC))
		return -errno;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* fork() into new namespaces; the child is the first process of its own. Never returns there. */
static pid_t keeper_start(const struct arena_plan *plan, struct pipes *p)
{
	const long flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | SIGCHLD;
	struct keeper k = { .plan = plan, .go = p->go[0], .says = p->says[1], .out = p->out[1] };
	pid_t pid;
	int err;

	fflush(NULL);
	user_be_root(plan->user);
	k.uid = cell_uid();
	pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		close_fd(&p->go[1]);
		close_fd(&p->says[0]);
		close_fd(&p->out[0]);
		user_become_root(plan->user);
		keeper_live(&k);
	}
	err = errno;
	user_again(plan->user);
	errno = err;
	return pid;
}

/* The next thing it tells. 0, or -ETIMEDOUT, or -EPIPE when it is gone. */
static int hear(int fd, int ms, struct keeper_says *says)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, ms);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -ETIMEDOUT;
	return read(fd, says, sizeof(*says)) == sizeof(*says) ? 0 : -EPIPE;
}

/* What a script of ours has to say comes with it. */
static int explain(struct arena *a, int error, const char *step, char *err, size_t size)
{
	char words[400];
	ssize_t n = 0;

	fcntl(a->out, F_SETFL, O_NONBLOCK);
	if (a->out >= 0)
		n = read(a->out, words, sizeof(words) - 1);
	words[n > 0 ? n : 0] = '\0';
	words[strcspn(words, "\n")] = '\0';
	snprintf(err, size, "cannot make the arena, %s: %s%s%s", step, strerror(-error),
		 words[0] ? ": " : "", words);
	return error;
}

static int wait_ready(struct arena *a, char *err, size_t size)
{
	struct keeper_says says = { 0 };
	int ret = hear(a->said, ARRANGE_MS, &says);

	if (ret)
		return explain(a, ret, "its first process", err, size);
	if (says.what == KEEPER_FAILED)
		return explain(a, says.value, says.step, err, size);
	return 0;
}

int arena_open(struct arena *a, const struct arena_plan *plan, char *err, size_t size)
{
	struct pipes p;
	int ret = pipes_open(&p);

	*a = (struct arena){ .go = -1, .said = -1, .out = -1, .far = plan->far };
	if (!ret)
		ret = lines_start(&a->lines);
	if (!ret) {
		a->pid = keeper_start(plan, &p);
		ret = a->pid < 0 ? -errno : 0;
	}
	close_fd(&p.go[0]);
	close_fd(&p.says[1]);
	close_fd(&p.out[1]);
	a->go = p.go[1];
	a->said = p.says[0];
	a->out = p.out[0];
	if (ret) {
		a->pid = 0;
		return explain(a, ret, "its namespaces", err, size);
	}
	return wait_ready(a, err, size);
}

/* --- the run --- */

/* Whole lines: a read may end within a character. */
static void echo_lines(struct arena *a, size_t n)
{
	for (; a->echoed < n; a->echoed++) {
		page_shown(a->lines.at[a->echoed].text, strlen(a->lines.at[a->echoed].text));
		putchar('\n');
	}
	fflush(stdout);
}

static void take_output(struct arena *a, bool echo)
{
	char bytes[4096];
	ssize_t n = read(a->out, bytes, sizeof(bytes));

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			close_fd(&a->out);
		return;
	}
	lines_add(&a->lines, bytes, (size_t)n, clock_boot_ns());
	if (echo)
		echo_lines(a, a->lines.n - a->lines.open);
	if (a->lines.flood)
		a->how = ARENA_FLOOD;
}

/* 1: the run is over, 0: not yet; or negative errno with one sentence in err. */
static int take_word(struct arena *a, char *err, size_t size)
{
	struct keeper_says says;
	int ret = hear(a->said, 0, &says);

	if (ret)
		return explain(a, ret, "its first process", err, size);
	if (says.what == KEEPER_FAILED)
		return explain(a, says.value, says.step, err, size);
	a->how = says.what == KEEPER_CROWD ? ARENA_CROWD : ARENA_ENDED;
	a->status = says.value;
	return 1;
}

/* What is still in the pipe when the script is gone; what others go on printing does not count. */
static void drain_output(struct arena *a, bool echo)
{
	int rounds;

	if (a->out >= 0)
		fcntl(a->out, F_SETFL, O_NONBLOCK);
	for (rounds = 0; rounds < 32 && a->out >= 0 && !a->lines.flood; rounds++) {
		size_t before = a->lines.len;

		take_output(a, echo);
		if (a->lines.len == before)
			break;
	}
}

static bool recorded_much(const char *recording)
{
	struct stat st;

	return !stat(recording, &st) && st.st_size > ARENA_RECORDING * (off_t)(1 << 20);
}

/* What the run is to be ended for now; ARENA_ENDED: nothing. */
static enum arena_how out_of_bounds(const struct arena_bounds *b, __u64 deadline_ns)
{
	if (b->interrupted())
		return ARENA_INTERRUPTED;
	if (recorded_much(b->recording))
		return ARENA_CALLS;
	return clock_boot_ns() >= deadline_ns ? ARENA_LIMIT : ARENA_ENDED;
}

static int wait_end(struct arena *a, const struct arena_bounds *bounds, bool echo, char *err,
		    size_t size)
{
	__u64 deadline_ns = clock_boot_ns() + bounds->limit_ms * NSEC_PER_MSEC;
	struct pollfd p[2];
	int n, over = 0;

	while (!over) {
		a->how = out_of_bounds(bounds, deadline_ns);
		if (a->how != ARENA_ENDED)
			return 0;
		p[0] = (struct pollfd){ .fd = a->said, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = a->out, .events = POLLIN };
		n = poll(p, 2, LOOK_MS); /* a signal that came just before is seen next time */
		if (n <= 0)
			continue;
		if (p[1].revents)
			take_output(a, echo);
		if (a->how == ARENA_FLOOD)
			return 0;
		if (p[0].revents)
			over = take_word(a, err, size);
	}
	return over < 0 ? over : 0;
}

int arena_run(struct arena *a, const struct arena_bounds *bounds, bool echo, char *err, size_t size)
{
	enum arena_how how;
	int ret;

	if (write(a->go, "", 1) != 1)
		return explain(a, -errno, "its first process", err, size);
	ret = wait_end(a, bounds, echo, err, size);
	if (ret)
		return ret;
	how = a->how;
	drain_output(a, echo);
	if (echo)
		echo_lines(a, a->lines.n);
	a->how = how;
	return 0;
}

void arena_close(struct arena *a)
{
	int status;

	if (a->pid > 0) {
		kill(a->pid, SIGKILL);
		/* Returns once every process in there is dead: the kernel ends them with the first. */
		while (waitpid(a->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	a->pid = 0;
	close_fd(&a->go);
	close_fd(&a->said);
	close_fd(&a->out);
	lines_free(&a->lines);
}
