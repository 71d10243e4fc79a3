/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "keeper.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cell.h"

#define LOOK_NS 50000000 /* between two counts of the processes */
#define KEEPER_NICE -10	 /* it must get a word in while programs fork without end */

static void tell(const struct keeper *k, enum keeper_what what, int value, const char *step)
{
	struct keeper_says says = { .what = what, .value = value };

	snprintf(says.step, sizeof(says.step), "%s", step);
	if (write(k->says, &says, sizeof(says)) != sizeof(says))
		_exit(1); /* ./lab is gone */
}

/* Standard output and error to ./lab, nothing to read, no other descriptor. */
static int only_streams(const struct keeper *k)
{
	int null = open("/dev/null", O_RDONLY);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(k->out, STDOUT_FILENO) < 0 ||
	    dup2(k->out, STDERR_FILENO) < 0)
		return -errno;
	return syscall(SYS_close_range, 3, ~0U, 0) ? -errno : 0;
}

/* What the shell that started us ignores, and the mask we wait with, are nothing to the programs. */
static void default_signals(void)
{
	const struct sigaction act = { .sa_handler = SIG_DFL };
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		sigaction(sig, &act, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

enum side {
	SIDE_ROOT, /* root's rights, in the near network */
	SIDE_NEAR, /* the programs' rights */
	SIDE_FAR,  /* these, in the far network */
};

/* A child that runs one of the arena's files. */
static pid_t start(const struct keeper *k, const char *file, enum side side)
{
	char path[128];
	char *argv[] = { path, NULL };
	pid_t pid = fork();
	int err;

	if (pid)
		return pid;
	snprintf(path, sizeof(path), "./%s", file);
	err = chdir(CELL_FOLDER) || setpriority(PRIO_PROCESS, 0, 0) ? -errno : 0;
	if (!err && side == SIDE_FAR)
		err = cell_go_far();
	if (!err && side != SIDE_ROOT)
		err = cell_limits();
	if (!err)
		err = only_streams(k);
	if (!err && side != SIDE_ROOT)
		err = cell_become(k->uid);
	default_signals();
	if (!err) {
		execve(path, argv, k->plan->settings);
		err = -errno;
	}
	fprintf(stderr, "cannot start '%s': %s\n", file, strerror(-err));
	_exit(127);
}

static int prepare(const struct keeper *k)
{
	int status;
	pid_t pid;

	if (!k->plan->prepare)
		return 0;
	pid = start(k, "arena", SIDE_ROOT);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return status ? -ECANCELED : 0;
}

static void arrange(const struct keeper *k)
{
	const char *step = "its file systems (mount_setattr, Linux 5.12)";
	int err = cell_mounts();

	if (!err) {
		step = "its loopback device";
		err = cell_loopback();
	}
	if (!err && k->plan->far) {
		step = "its second network";
		err = cell_far();
	}
	if (!err) {
		step = "its programs";
		err = cell_files(k->plan);
	}
	if (!err) {
		step = "what the lab's script 'arena' does";
		err = prepare(k);
	}
	if (!err)
		return;
	tell(k, KEEPER_FAILED, err, step);
	_exit(1);
}

/* Processes here, ourselves left out. */
static int crowd(void)
{
	const struct dirent *d;
	DIR *dir = opendir("/proc");
	int n = -1;

	while (dir && (d = readdir(dir)))
		n += isdigit((unsigned char)d->d_name[0]) ? 1 : 0;
	if (dir)
		closedir(dir);
	return n;
}

/* The far side first, if there is one: the near side's end is the end. Its process, or negative errno. */
static pid_t start_scripts(const struct keeper *k)
{
	pid_t pid;

	if (k->plan->far && start(k, "far", SIDE_FAR) < 0)
		return -errno;
	pid = start(k, k->plan->script, SIDE_NEAR);
	return pid < 0 ? -errno : pid;
}

/* Everybody's parent when their own is gone. Returns once the script has ended. */
static void collect(const struct keeper *k, pid_t script)
{
	const struct timespec look = { .tv_nsec = LOOK_NS };
	sigset_t child;
	int status;
	pid_t pid;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (;;) {
		sigtimedwait(&child, NULL, &look);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (pid != script)
				continue;
			tell(k, KEEPER_ENDED, status, "");
			return;
		}
		if (crowd() > ARENA_TASKS) {
			tell(k, KEEPER_CROWD, 0, "");
			return;
		}
	}
}

void keeper_live(const struct keeper *k)
{
	sigset_t all;
	pid_t script;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	setpriority(PRIO_PROCESS, 0, KEEPER_NICE);
	arrange(k);
	tell(k, KEEPER_READY, 0, "");
	if (read(k->go, &byte, 1) != 1)
		_exit(1);
	script = start_scripts(k);
	if (script < 0) {
		tell(k, KEEPER_FAILED, script, "the first process");
		_exit(1);
	}
	collect(k, script);
	for (;;)
		pause(); /* the network stays until it was looked at; then we are killed */
}
