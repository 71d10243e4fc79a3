// SPDX-License-Identifier: MIT
#include "iter.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

int iter_run(const struct bpf_link *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link)), err = 0;
	char sink[64];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, sink, sizeof(sink))) != 0)
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			err = -errno;
			break;
		}
	close(fd);
	return err;
}
