/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* fopencookie */
#include "patient.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* Bytes written: fewer than len is an error to stdio, which is what errno then says. */
static ssize_t patient_write(void *cookie, const char *data, size_t len)
{
	struct patient *p = cookie;
	size_t done = 0;
	ssize_t n;

	while (done < len && !p->gave_up) {
		n = write(p->fd, data + done, len - done);
		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return (ssize_t)done;
		else
			p->gave_up = p->hurry();
	}
	if (p->gave_up)
		errno = EINTR;
	return (ssize_t)done;
}

FILE *patient_open(struct patient *p)
{
	const cookie_io_functions_t io = { .write = patient_write };

	return fopencookie(p, "w", io);
}

bool patient_stuck(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 0;
}
