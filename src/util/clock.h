/* SPDX-License-Identifier: MIT */
/*
 * Clocks and times as text. fmt_* write into the caller's buffer, always terminate, return buf.
 */
#ifndef SOCKLENS_UTIL_CLOCK_H
#define SOCKLENS_UTIL_CLOCK_H

#include <linux/types.h>
#include <stddef.h>

#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

__u64 clock_boot_ns(
	void); /* CLOCK_BOOTTIME, that of every record: it counts sleep of the machine too */
__u64 clock_real_ns(void); /* since 1970, UTC */
/* Both clocks at one moment, as near to each other as a few tries bring them. */
void clock_anchor(__u64 *boot_ns, __u64 *real_ns);

char *fmt_ms(char *buf, size_t size, __s64 ns);		/* milliseconds: "2.871", "-0.040" */
char *fmt_duration(char *buf, size_t size, __u64 ns);	/* "850 ns", "31 us", "2.9 ms", "1.20 s" */
char *fmt_clock(char *buf, size_t size, __u64 real_ns); /* local time: "14:03:07.042" */
char *fmt_date(char *buf, size_t size, __u64 real_ns);	/* UTC: "2024-05-01T12:03:07.042917Z" */

#endif
