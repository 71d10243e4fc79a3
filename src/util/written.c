// SPDX-License-Identifier: MIT
#include "written.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"

/* Why an earlier write failed is forgotten: of a pipe or socket the reader is gone, else something is wrong. */
static int lost_reason(FILE *out)
{
	struct stat st;

	return !fstat(fileno(out), &st) && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) ? -EPIPE : -EIO;
}

int file_written(FILE *out)
{
	if (fflush(out))
		return -errno;
	return ferror(out) ? lost_reason(out) : 0;
}

int status_after_output(FILE *out, int status, int failure)
{
	int err = status ? 0 : file_written(out);

	if (!err || err == -EPIPE)
		return status;
	log_error("cannot write the output: %s", strerror(-err));
	return failure;
}
