/* SPDX-License-Identifier: MIT */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

#define NUDGE_NS (50 * NSEC_PER_MSEC)
#define HURRY_NS NSEC_PER_SEC /* how long after a request to end an output may still block */

static volatile sig_atomic_t ends, last_end, last_from_terminal, child_changed, nudging;
static timer_t timer;
static volatile __u64 first_end_ns; /* boot clock */
static __u64 wake_at_ns;	    /* boot clock, 0 = not asked for */

static void timer_arm(__u64 first_ns, __u64 every_ns)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = (time_t)(first_ns / NSEC_PER_SEC),
			      .tv_nsec = (long)(first_ns % NSEC_PER_SEC) },
		.it_interval = { .tv_sec = 0, .tv_nsec = (long)every_ns },
	};

	timer_settime(timer, 0, &when, NULL);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	if (sig == SIGCHLD) {
		child_changed = 1;
	} else if (sig != SIGALRM) {
		if (!ends++)
			first_end_ns = clock_boot_ns();
		last_end = sig;
		last_from_terminal = info->si_code == SI_KERNEL;
	}
	if (!nudging && sig != SIGALRM) {
		nudging = 1;
		timer_arm(NUDGE_NS, NUDGE_NS);
	}
	errno = saved;
}

int signals_start(void)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGALRM };
	/* Not restarted: what blocks, such as output to a stopped terminal, must notice. */
	struct sigaction act = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NOCLDSTOP },
			 old;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	size_t i;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		return -errno;
	for (i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		sigaction(caught[i], NULL, &old);
		if (caught[i] == SIGHUP && old.sa_handler == SIG_IGN)
			continue; /* nohup */
		if (sigaction(caught[i], &act, NULL))
			return -errno;
	}
	act = (struct sigaction){ .sa_handler = SIG_IGN };
	return sigaction(SIGPIPE, &act, NULL) ? -errno : 0;
}

void signals_wake_after(__u64 ns)
{
	wake_at_ns = ns ? clock_boot_ns() + ns : 0;
	if (!nudging)
		timer_arm(ns, 0);
}

/* Back from nudging to the wake-up that was asked for. */
static void nudge_end(void)
{
	__u64 now = clock_boot_ns();

	do {
		nudging = 0;
		timer_arm(!wake_at_ns ? 0 : wake_at_ns > now ? wake_at_ns - now : 1, 0);
	} while (nudging); /* a handler ran in between, and its timer was just overwritten */
}

struct signals signals_seen(void)
{
	struct signals s;

	if (nudging)
		nudge_end();
	s.child = child_changed;
	if (s.child)
		child_changed = 0;
	s.count = ends;
	s.last = last_end;
	s.from_terminal = last_from_terminal;
	return s;
}

bool signals_hurry(void)
{
	return ends > 1 || (ends && clock_boot_ns() - first_end_ns >= HURRY_NS);
}

void signals_die_of(int sig)
{
	const struct rlimit none = { 0 };
	struct sigaction act = { .sa_handler = SIG_DFL };
	sigset_t set;

	setrlimit(RLIMIT_CORE, &none);
	sigaction(sig, &act, NULL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(128 + sig); /* a signal that does not end a process by default */
}
