/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "target.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/netns.h"
#include "util/options.h"
#include "util/text.h"

#define COMM_MAX 15 /* bytes the kernel keeps of a program's name */

/* The process a thread belongs to; of a process, itself. 0 = there is none. */
static __u32 process_of(long tid)
{
	char path[64], line[128];
	unsigned int tgid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (!tgid && fgets(line, sizeof(line), f))
		sscanf(line, "Tgid: %u", &tgid);
	fclose(f);
	return tgid;
}

static int target_pid(struct target *t, const char *word, char *err, size_t err_size)
{
	__u32 pid;
	long n;

	if (option_number(word, 1, INT_MAX, &n)) {
		text_sentence(err, err_size, "'%s' is no process number; 'pgrep -l NAME' finds one",
			      word);
		return -EINVAL;
	}
	pid = process_of(n);
	if (!pid) {
		text_sentence(err, err_size,
			      "there is no process %ld; 'pgrep -l NAME' finds the right number", n);
		return -EINVAL;
	}
	if (t->n_pids == TARGET_MAX) {
		text_sentence(err, err_size, "too many processes, at most %d; use -n GLOB instead",
			      TARGET_MAX);
		return -EINVAL;
	}
	t->pids[t->n_pids++] = pid;
	return 0;
}

int target_pids(struct target *t, const char *arg, char *err, size_t err_size)
{
	char words[1024], *word, *rest;
	int ret;

	if (strlen(arg) >= sizeof(words) || !arg[strspn(arg, ", \t\n")])
		return target_pid(t, arg, err, err_size);
	strcpy(words, arg);
	for (word = strtok_r(words, ", \t\n", &rest); word;
	     word = strtok_r(NULL, ", \t\n", &rest)) {
		ret = target_pid(t, word, err, err_size);
		if (ret)
			return ret;
	}
	return 0;
}

/* A process's namespace, or one that `ip netns add` made, or any by its file. */
static int netns_of(const char *arg, __u32 *ino)
{
	char path[PATH_MAX];
	long pid;
	int fd;

	if (!option_number(arg, 1, INT_MAX, &pid)) {
		snprintf(path, sizeof(path), "/proc/%ld/ns/net", pid);
		fd = netns_open(path, ino);
		if (fd >= 0)
			return fd;
	}
	if (arg[0] == '/')
		return netns_open(arg, ino);
	if (!arg[0] || strchr(arg, '/') || !strcmp(arg, ".") || !strcmp(arg, ".."))
		return -EINVAL;
	snprintf(path, sizeof(path), "/run/netns/%s", arg);
	return netns_open(path, ino);
}

int target_netns(struct target *t, const char *arg, char *err, size_t err_size)
{
	__u32 ino;

	if (netns_of(arg, &ino) < 0) {
		text_sentence(err, err_size,
			      "there is no network namespace '%s'; 'ip netns' lists the names, "
			      "a process number works too, or a file such as /proc/PID/ns/net",
			      arg);
		return -EINVAL;
	}
	if (t->n_netns == TARGET_MAX) {
		text_sentence(err, err_size, "too many network namespaces, at most %d", TARGET_MAX);
		return -EINVAL;
	}
	/* it stays open to the end of the process: the number of a namespace that is gone is the next one's */
	t->netns[t->n_netns++] = ino;
	return 0;
}

int target_comm(struct target *t, const char *arg, char *err, size_t err_size)
{
	size_t len = strlen(arg);

	if (!len || len > COMM_MAX) {
		text_sentence(err, err_size,
			      "'%s' matches no program: the kernel keeps %d bytes of a name; "
			      "use a shorter one, * and ? help",
			      arg, COMM_MAX);
		return -EINVAL;
	}
	t->comm = arg;
	return 0;
}

int target_port(const char *arg, __u16 *port, char *err, size_t err_size)
{
	long n;

	if (option_number(arg, 1, 65535, &n)) {
		text_sentence(err, err_size, "'%s' is no port; give a number from 1 to 65535", arg);
		return -EINVAL;
	}
	*port = (__u16)n;
	return 0;
}

void target_apply(const struct target *t, struct capture_opts *opts)
{
	opts->pids = t->pids;
	opts->n_pids = t->n_pids;
	opts->netns = t->netns;
	opts->n_netns = t->n_netns;
	opts->comm = t->comm;
	opts->port = t->port;
	opts->lport = t->lport;
	opts->rport = t->rport;
}
