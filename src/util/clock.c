/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <stdio.h>
#include <time.h>

static __u64 clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (__u64)ts.tv_sec * NSEC_PER_SEC + (__u64)ts.tv_nsec;
}

__u64 clock_boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

__u64 clock_real_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

void clock_anchor(__u64 *boot_ns, __u64 *real_ns)
{
	__u64 before, real, after, best = ~0ull;
	int i;

	for (i = 0; i < 5; i++) {
		before = clock_boot_ns();
		real = clock_real_ns();
		after = clock_boot_ns();
		if (after - before >= best)
			continue;
		best = after - before;
		*boot_ns = before + best / 2;
		*real_ns = real;
	}
}

char *fmt_ms(char *buf, size_t size, __s64 ns)
{
	/* Cut, not rounded: what has not passed yet must not be shown as passed. */
	__u64 us = (ns < 0 ? 0 - (__u64)ns : (__u64)ns) / NSEC_PER_USEC;

	snprintf(buf, size, "%s%llu.%03llu", ns < 0 && us ? "-" : "",
		 (unsigned long long)(us / 1000), (unsigned long long)(us % 1000));
	return buf;
}

char *fmt_duration(char *buf, size_t size, __u64 ns)
{
	if (ns < NSEC_PER_USEC)
		snprintf(buf, size, "%llu ns", (unsigned long long)ns);
	else if (ns < NSEC_PER_MSEC)
		snprintf(buf, size, "%llu us", (unsigned long long)(ns / NSEC_PER_USEC));
	else if (ns < NSEC_PER_SEC)
		snprintf(buf, size, "%llu.%llu ms", (unsigned long long)(ns / NSEC_PER_MSEC),
			 (unsigned long long)(ns / (NSEC_PER_MSEC / 10) % 10));
	else
		snprintf(buf, size, "%llu.%02llu s", (unsigned long long)(ns / NSEC_PER_SEC),
			 (unsigned long long)(ns / (NSEC_PER_SEC / 100) % 100));
	return buf;
}

char *fmt_clock(char *buf, size_t size, __u64 real_ns)
{
	time_t s = (time_t)(real_ns / NSEC_PER_SEC);
	struct tm tm = { 0 };

	localtime_r(&s, &tm);
	snprintf(buf, size, "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (unsigned int)(real_ns % NSEC_PER_SEC / NSEC_PER_MSEC));
	return buf;
}

char *fmt_date(char *buf, size_t size, __u64 real_ns)
{
	time_t s = (time_t)(real_ns / NSEC_PER_SEC);
	struct tm tm = { 0 };

	gmtime_r(&s, &tm);
	snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d.%06uZ", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (unsigned int)(real_ns % NSEC_PER_SEC / NSEC_PER_USEC));
	return buf;
}
