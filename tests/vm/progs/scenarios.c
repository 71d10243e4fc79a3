// SPDX-License-Identifier: MIT
/*
 * Runs scenarios one after the other, to be traced as one command: scenarios LIST DIR. A line of LIST is a program
 * and its arguments. Each runs in a network namespace of its own, on one CPU, with its outputs in files of DIR; the
 * moments between which it ran and how it ended go to DIR/index: "NAME START_NS END_NS STATUS", boot clock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "route.h"

#define SOCKET_PATH "/tmp/scenario.s" /* what $LIVE_PATH says: the same in every run */
#define ARGS_MAX 8
#define SCENARIO_SECONDS 60 /* the slowest emulated machine needs a few */

static void die(const char *what)
{
	fprintf(stderr, "scenarios: %s: %s\n", what, strerror(errno));
	exit(125);
}

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* "/x/why_rst late" -> "why_rst-late" */
static void name_of(char *const *argv, char *name, size_t size)
{
	const char *slash = strrchr(argv[0], '/');
	size_t len = snprintf(name, size, "%s", slash ? slash + 1 : argv[0]);

	for (int i = 1; argv[i] && len < size; i++)
		len += snprintf(name + len, size - len, "-%s", argv[i]);
}

static void loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		die("lo");
	close(fd);
}

static void redirect(const char *dir, const char *name, const char *suffix, int to)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || dup2(fd, to) < 0)
		die(path);
}

/*
 * One CPU, and first in, first out: what runs beside what is then decided by who waits for whom, not by chance and not
 * by the rest of the machine. So two kernels have the same story to tell.
 */
static void one_at_a_time(void)
{
	struct sched_param first = { .sched_priority = 1 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	if (sched_setaffinity(0, sizeof(set), &set) || sched_setscheduler(0, SCHED_FIFO, &first))
		die("sched_setscheduler");
}

static void run_child(char *const *argv, const char *dir, const char *name)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (setpgid(0, 0) || null < 0 || dup2(null, STDIN_FILENO) < 0)
		die("a child");
	one_at_a_time();
	unlink(SOCKET_PATH);
	setenv("LIVE_PATH", SOCKET_PATH, 1);
	/* What else is open depends on who started this. */
	if (close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC))
		die("close_range");
	redirect(dir, name, "out", STDOUT_FILENO);
	redirect(dir, name, "err", STDERR_FILENO);
	execv(argv[0], argv);
	die(argv[0]);
}

/* The shell's way to say it: 128 + signal. 124: it was still there after SCENARIO_SECONDS. */
static int wait_for(pid_t pid)
{
	int status, slept_ms = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (slept_ms++ > SCENARIO_SECONDS * 1000) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			return 124;
		}
		usleep(1000);
	}
	kill(-pid, SIGKILL); /* what it left behind */
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void run_one(char *const *argv, const char *dir, FILE *index)
{
	unsigned long long start;
	char name[256];
	pid_t pid;
	int status;

	name_of(argv, name, sizeof(name));
	if (unshare(CLONE_NEWNET))
		die("unshare");
	loopback_up();
	/* Where what a delayed ACK does is the subject, it stays. */
	if (strncmp(name, "why_nagle", strlen("why_nagle")) && acknowledge_at_once())
		die("a route that acknowledges at once");
	start = now_ns();
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		run_child(argv, dir, name);
	status = wait_for(pid);
	fprintf(index, "%s %llu %llu %d\n", name, start, now_ns(), status);
	fflush(index);
}

int main(int argc, char **argv)
{
	char line[512], path[512];
	FILE *list, *index;

	if (argc != 3) {
		fprintf(stderr, "usage: scenarios LIST DIR\n");
		return 125;
	}
	list = fopen(argv[1], "re");
	snprintf(path, sizeof(path), "%s/index", argv[2]);
	index = fopen(path, "we");
	if (!list || !index)
		die(list ? path : argv[1]);
	while (fgets(line, sizeof(line), list)) {
		char *args[ARGS_MAX + 1] = { NULL }, *save = NULL;

		for (int i = 0; i < ARGS_MAX; i++) {
			args[i] = strtok_r(i ? NULL : line, " \n", &save);
			if (!args[i])
				break;
		}
		if (args[0])
			run_one(args, argv[2], index);
	}
	return 0;
}
