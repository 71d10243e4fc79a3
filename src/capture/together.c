// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "together.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define JOBS_MAX 64
#define THREADS_MAX 8

/* Arguments of a load; what they point at belongs to the object that is being loaded. */
struct job {
	enum bpf_prog_type type;
	const char *name, *license;
	const struct bpf_insn *insns;
	size_t n_insns;
	struct bpf_prog_load_opts opts;
	int promised; /* descriptor that libbpf has taken for the program's */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more; /* a job, or the end of all */
	struct job jobs[JOBS_MAX];
	unsigned int n_jobs, taken, n_threads;
	pthread_t threads[THREADS_MAX];
	bool open; /* jobs may still come */
	int err;   /* the first failure */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };

/* Names that the linker makes of --wrap=bpf_prog_load. */
int __real_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t n_insns, const struct bpf_prog_load_opts *opts);
int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t n_insns, const struct bpf_prog_load_opts *opts);

static int job_run(struct job *j)
{
	int fd = __real_bpf_prog_load(j->type, j->name, j->license, j->insns, j->n_insns, &j->opts), err = 0;

	if (fd < 0)
		return fd;
	if (dup3(fd, j->promised, O_CLOEXEC) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* NULL: there is none any more. */
static struct job *job_take(void)
{
	struct job *j = NULL;

	pthread_mutex_lock(&pool.lock);
	while (pool.open && pool.taken == pool.n_jobs)
		pthread_cond_wait(&pool.more, &pool.lock);
	if (pool.taken < pool.n_jobs)
		j = &pool.jobs[pool.taken++];
	pthread_mutex_unlock(&pool.lock);
	return j;
}

static void *jobs_run(void *unused)
{
	struct job *j;

	while ((j = job_take())) {
		int err = job_run(j);

		pthread_mutex_lock(&pool.lock);
		if (err && !pool.err)
			pool.err = err;
		pthread_mutex_unlock(&pool.lock);
	}
	return unused;
}

/* Returns the promised descriptor, or negative errno: load it here and now. */
static int job_add(const struct job *j)
{
	int fd = -ENOSPC;

	pthread_mutex_lock(&pool.lock);
	if (pool.n_jobs < JOBS_MAX)
		fd = eventfd(0, EFD_CLOEXEC);
	if (fd >= 0) {
		pool.jobs[pool.n_jobs] = *j;
		pool.jobs[pool.n_jobs++].promised = fd;
		pthread_cond_signal(&pool.more);
	}
	pthread_mutex_unlock(&pool.lock);
	return fd;
}

int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t n_insns, const struct bpf_prog_load_opts *opts)
{
	struct job j = { type, name, license, insns, n_insns, .promised = -1 };
	int fd = -1;

	/* with type information it is of an object; libbpf's trials of what a kernel can have none */
	if (pool.open && opts && opts->prog_btf_fd) {
		j.opts = *opts;
		fd = job_add(&j);
	}
	return fd >= 0 ? fd : __real_bpf_prog_load(type, name, license, insns, n_insns, opts);
}

/* Signals are for the thread that was there before. */
void together_begin(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	sigset_t all, before;

	pool.n_jobs = pool.taken = pool.n_threads = 0;
	pool.err = 0;
	pool.open = cpus > 1;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (pool.open && pool.n_threads < THREADS_MAX && (long)pool.n_threads < cpus &&
	       !pthread_create(&pool.threads[pool.n_threads], NULL, jobs_run, NULL))
		pool.n_threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!pool.n_threads)
		pool.open = false;
}

int together_end(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.open = false;
	pthread_cond_broadcast(&pool.more);
	pthread_mutex_unlock(&pool.lock);
	for (unsigned int i = 0; i < pool.n_threads; i++)
		pthread_join(pool.threads[i], NULL);
	return pool.err;
}
