/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "util/log.h"

static const char *open_remedy(int err)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return "; check its name, or make one with 'trace -w FILE'";
	case EISDIR:
		return "; name a recording in it";
	case EACCES:
		return "; recordings belong to whoever made them: ask them, or root";
	case ENOMEM:
		return "; free some memory";
	default:
		return "; try a copy of it";
	}
}

static int complain_open(const char *file, enum record_error why, unsigned int version)
{
	switch (why) {
	case RECORD_NOT_ONE:
		log_error("'%s' is no recording; 'trace -w FILE' makes one", file);
		break;
	case RECORD_VERSION_NEW:
		log_error("'%s' is a recording of format %u and this program knows up to %u; "
			  "show it with a newer trace",
			  file, version, RECORD_VERSION);
		break;
	case RECORD_OK:
	case RECORD_IO:
		log_error("cannot read '%s': %s%s", file, strerror(errno), open_remedy(errno));
		break;
	}
	return EXIT_TRACE;
}

static int open_source(const struct recording *r, const char *path, struct source **source)
{
	enum record_error why;
	unsigned int version;

	*source = record_open(path, &why, &version);
	return *source ? 0 : complain_open(r->file, why, version);
}

int recording_open(struct recording *r, const char *file)
{
	*r = (struct recording){ .file = file };
	return open_source(r, file, &r->source);
}

static int open_both(struct recording *r, const char *path)
{
	int status = open_source(r, path, &r->source);

	return status ? status : open_source(r, path, &r->second);
}

/* A file that is gone with its last descriptor. */
static int spool_new(void)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/trace.XXXXXX", dir && *dir ? dir : "/tmp");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len; data += n, len -= (size_t)n) {
		n = write(fd, data, len);
		if (n < 0)
			return -errno;
	}
	return 0;
}

static int spool_fill(int fd, int from)
{
	char data[65536];
	ssize_t n;
	int err = 0;

	while (!err && (n = read(from, data, sizeof(data))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		err = n < 0 ? -errno : write_all(fd, data, (size_t)n);
	}
	return err;
}

static int open_spooled(struct recording *r, int from)
{
	int fd = spool_new(), err = fd < 0 ? fd : spool_fill(fd, from), status = EXIT_TRACE;
	char path[32];

	if (err) {
		log_error("cannot keep a copy of '%s': %s; write it to a file and name that",
			  r->file, strerror(-err));
	} else {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		status = open_both(r, path);
	}
	if (fd >= 0)
		close(fd);
	return status;
}

/* A pipe by name, as a shell's <(...) is; -1: it is none. */
static int open_pipe(const char *file)
{
	struct stat st;

	return stat(file, &st) || !S_ISFIFO(st.st_mode) ? -1 : open(file, O_RDONLY | O_CLOEXEC);
}

int recording_open_twice(struct recording *r, const char *file)
{
	int status, fd;

	*r = (struct recording){ .file = file };
	if (!strcmp(file, "-"))
		return open_spooled(r, STDIN_FILENO);
	fd = open_pipe(file);
	if (fd < 0)
		return open_both(r, file);
	status = open_spooled(r, fd);
	close(fd);
	return status;
}

int recording_again(struct recording *r)
{
	if (!r->second)
		return -EBADF;
	r->source->close(r->source);
	r->source = r->second;
	r->second = NULL;
	return 0;
}

void recording_close(struct recording *r)
{
	if (r->source)
		r->source->close(r->source);
	if (r->second)
		r->second->close(r->second);
	*r = (struct recording){ .file = r->file };
}

static int run_frames(struct recording *r, struct pipeline *p)
{
	const struct pipeline_state *state = pipeline_state(p);
	struct frame f;
	int ret;

	while (!state->view_err && (ret = r->source->next(r->source, &f)) != 0) {
		if (ret == -EINTR)
			continue;
		if (ret > 0)
			ret = pipeline_frame(p, &f);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int recording_run(struct recording *r, struct pipeline *p)
{
	int err = run_frames(r, p);

	return err ? err : pipeline_finish(p);
}

bool recording_complete(const struct recording *r)
{
	__u64 at;

	return !record_was_cut(r->source, &at);
}

int recording_result(const struct recording *r, const struct pipeline *p, int err, const char *done)
{
	int view_err = pipeline_state(p)->view_err;

	if (view_err == -EPIPE)
		return 0;
	if (view_err) {
		log_error("cannot write the output: %s", strerror(-view_err));
		return EXIT_TRACE;
	}
	if (err) {
		log_error("cannot read '%s' to its end: %s", r->file, strerror(-err));
		return EXIT_TRACE;
	}
	if (recording_complete(r) || !done)
		return 0;
	log_error("'%s' is cut short after %llu events; it was %s up to there: record again, or "
		  "use what is here",
		  r->file, (unsigned long long)pipeline_state(p)->events, done);
	return EXIT_TRACE;
}
