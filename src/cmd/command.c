/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "rights.h"
#include "signals.h"
#include "util/text.h"

/* Where the shell looks when PATH is not set. */
#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"

/* 0 if execve() would find a program there. */
static int runnable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return access(path, X_OK) ? -errno : 0;
}

/* Find name as a shell would, with the rights of this process. 0 or negative errno. */
static int look_up(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH");
	int err, worst = -ENOENT;
	size_t len;

	if (strchr(name, '/')) {
		snprintf(path, size, "%s", name);
		return runnable(path);
	}
	for (dirs = dirs ? dirs : PATH_DEFAULT;; dirs += len + 1) {
		len = strcspn(dirs, ":");
		if ((size_t)snprintf(path, size, "%.*s/%s", len ? (int)len : 1, len ? dirs : ".",
				     name) < size) {
			err = runnable(path);
			if (!err)
				return 0;
			if (err == -EACCES)
				worst = err;
		}
		if (!dirs[len])
			return worst;
	}
}

/*
 * A shell without job control starts what it puts in the background deaf to SIGINT; COMMAND is to
 * end when we are told to. SIGHUP stays as it is: that is nohup's.
 */
static void default_signals(void)
{
	const struct sigaction act = { .sa_handler = SIG_DFL };
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		if (sig != SIGHUP)
			sigaction(sig, &act, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void report(int fd, int err)
{
	if (write(fd, &err, sizeof(err)) != sizeof(err))
		_exit(EXIT_TRACE);
}

/*
 * The child's life until COMMAND's own begins: become the invoker, look the program up, say how
 * that went, wait for one byte, run. Without the byte our parent has given up, and so do we.
 */
static void child_run(char **argv, const struct invoker *who, int go, int fault)
{
	char path[PATH_MAX], byte;
	int err;

	err = invoker_become(who);
	rights_lower();
	if (!err && !*argv[0])
		err = -ENOENT;
	if (!err)
		err = look_up(argv[0], path, sizeof(path));
	report(fault, err);
	default_signals();
	if (err || read(go, &byte, 1) != 1)
		_exit(EXIT_TRACE);
	execv(path, argv);
	if (errno == ENOEXEC) { /* a script without #!: as execvp(3) and the shells do */
		char *shell[256] = { "sh", path };
		size_t i;

		for (i = 1; argv[i] && i < 254; i++)
			shell[i + 1] = argv[i];
		execv("/bin/sh", shell);
	}
	report(fault, -errno);
	_exit(EXIT_TRACE);
}

static int explain(const char *name, int error, char *err, size_t size)
{
	if (error == -ENOENT) {
		text_sentence(err, size,
			      "there is no command '%s'; check its spelling, or give its path",
			      name);
		return EXIT_NOT_FOUND;
	}
	if (error == -EACCES || error == -EISDIR)
		text_sentence(
			err, size,
			"'%s' is not a program you may run; try 'chmod +x' on it, or another path",
			name);
	else
		text_sentence(err, size, "cannot run '%s': %s", name, strerror(-error));
	return EXIT_NOT_RUNNABLE;
}

/*
 * COMMAND may be, or become, somebody whom kill(2) does not let us signal once we have no rights.
 * The owner of a descriptor gets a signal from the kernel with the rights of the process that named
 * the owner, at that time; so this pipe is one thing that we keep: it can signal COMMAND and nobody
 * else.
 */
static int leash_new(struct command_run *c)
{
	if (pipe2(c->leash, O_CLOEXEC | O_NONBLOCK) || fcntl(c->leash[0], F_SETOWN, c->pid))
		return -errno;
	return 0;
}

/* O_ASYNC is for this moment: with it, our own end, which closes the pipe, would be a signal, too. */
static bool leash_signal(const struct command_run *c, int sig)
{
	bool sent = !fcntl(c->leash[0], F_SETSIG, sig) &&
		    !fcntl(c->leash[0], F_SETFL, O_NONBLOCK | O_ASYNC) &&
		    write(c->leash[1], "", 1) == 1;
	char byte;

	fcntl(c->leash[0], F_SETFL, O_NONBLOCK);
	return sent && read(c->leash[0], &byte, 1) == 1;
}

/*
 * What the child reports next: 0, negative errno, or 1 when it says nothing more because it runs.
 */
static int fault_read(int fd)
{
	int err;
	ssize_t n;

	do
		n = read(fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	return n == sizeof(err) ? err : 1;
}

void command_cancel(struct command_run *c)
{
	if (c->go < 0)
		return;
	close(c->go);
	close(c->fault);
	waitpid(c->pid, NULL, 0);
	*c = COMMAND_NONE;
}

int command_start(struct command_run *c, char **argv, const struct invoker *who, char *err,
		  size_t err_size)
{
	int go[2], fault[2], error;

	*c = COMMAND_NONE;
	if (pipe2(go, O_CLOEXEC) || pipe2(fault, O_CLOEXEC)) {
		text_sentence(err, err_size, "cannot make a pipe: %s", strerror(errno));
		return EXIT_TRACE;
	}
	/*
	 * What outlives COMMAND comes to us instead of init: so we know when nothing of it is left.
	 */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	inherited_note(&c->inherited);
	c->pid = fork();
	if (c->pid == 0) {
		close(go[1]);
		close(fault[0]);
		child_run(argv, who, go[0], fault[1]);
	}
	close(go[0]);
	close(fault[1]);
	c->go = go[1];
	c->fault = fault[0];
	if (c->pid < 0) {
		text_sentence(err, err_size, "cannot start a process: %s", strerror(errno));
		return EXIT_TRACE;
	}
	error = fault_read(c->fault);
	if (!error)
		error = leash_new(c);
	if (!error)
		return 0;
	command_cancel(c);
	return explain(argv[0], error < 0 ? error : -EIO, err, err_size);
}

int command_release(struct command_run *c, const char *name, char *err, size_t err_size)
{
	int error;

	if (!c->pid)
		return 0;
	/* Broken pipe: a signal ended it while it waited; that is its result. */
	error = write(c->go, "", 1) == 1 || errno == EPIPE ? fault_read(c->fault) : -errno;
	if (error < 0) {
		command_cancel(c);
		return explain(name, error, err, err_size);
	}
	close(c->go);
	close(c->fault);
	c->go = c->fault = -1;
	return 0;
}

void command_reap(struct command_run *c)
{
	int status;
	pid_t pid;

	if (!c->pid)
		return;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		inherited_forget(&c->inherited, pid);
		if (pid != c->pid)
			continue;
		c->ended = true;
		c->status = status;
	}
	if ((pid < 0 && errno == ECHILD) || inherited_only(&c->inherited))
		c->alone = true;
}

void command_signal(struct command_run *c, int sig)
{
	if (!c->pid || c->ended)
		return;
	if (!leash_signal(c, sig))
		kill(c->pid, sig);
}

void command_stop(struct command_run *c)
{
	c->stopped = true;
	command_signal(c, SIGTERM);
}

static int command_exit_status(const struct command_run *c)
{
	if (WIFEXITED(c->status))
		return WEXITSTATUS(c->status);
	if (c->stopped && WTERMSIG(c->status) == SIGTERM)
		return 0;
	signals_die_of(WTERMSIG(c->status));
}

int command_result(struct command_run *c, int (*forced)(void))
{
	int sig;

	for (;;) {
		sig = forced();
		command_reap(c);
		if (c->ended)
			return command_exit_status(c);
		if (sig) {
			command_signal(c, SIGTERM);
			signals_die_of(sig);
		}
		poll(NULL, 0, -1); /* until a signal: handlers do not restart it */
	}
}
