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
#include "invoker.h"
#include "rights.h"
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
	case RECORD_EMPTY:
		log_error("'%s' is empty: tracing was ended before it began; record again", file);
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

/* fd is used up; negative: errno of a failed open(2). */
static int open_source(const struct recording *r, int fd, struct source **source)
{
	enum record_error why = RECORD_IO;
	unsigned int version = 0;

	*source = NULL;
	if (fd >= 0)
		*source = record_open_fd(fd, &why, &version);
	else
		errno = -fd;
	return *source ? 0 : complain_open(r->file, why, version);
}

/* With the rights we were started with; nothing that follows needs any. */
static int open_file(const char *file)
{
	int fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;

	return fd < 0 ? -errno : fd;
}

/* The same file once more, from its beginning. */
static int open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open_file(path);
}

/*
 * Root may read what it likes; what file capabilities or the set-user-id bit lend to this program is for
 * tracing and gives nobody a file.
 */
static int give_up_rights(void)
{
	struct invoker who;
	int err;

	invoker_find(&who);
	err = rights_settle(&who, RIGHTS_NONE, NULL, NULL);
	if (!err)
		return 0;
	log_error("cannot give up the rights that are not needed: %s; run it without sudo",
		  strerror(-err));
	return EXIT_TRACE;
}

/* What can be read only once: standard input, a pipe by name, as a shell's <(...) is. */
static bool read_once(int fd)
{
	struct stat st;

	return fd == STDIN_FILENO || (!fstat(fd, &st) && S_ISFIFO(st.st_mode));
}

/* The file, and the same once more where that can be and is wanted; each negative errno if not. */
struct opened {
	int fd, again;
};

static struct opened open_files(const char *file, bool twice)
{
	struct opened o = { .fd = open_file(file), .again = -EBADF };

	if (twice && o.fd >= 0 && !read_once(o.fd))
		o.again = open_again(o.fd);
	return o;
}

/* 0, or the exit status. */
static int open_and_settle(const char *file, bool twice, struct opened *o)
{
	int status = getuid() != 0 ? give_up_rights() : 0;

	if (status)
		return status;
	*o = open_files(file, twice);
	return getuid() == 0 ? give_up_rights() : 0;
}

int recording_open(struct recording *r, const char *file)
{
	struct opened o;
	int status;

	*r = (struct recording){ .file = file };
	status = open_and_settle(file, false, &o);
	return status ? status : open_source(r, o.fd, &r->source);
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

static int open_both(struct recording *r, int fd, int again)
{
	int status = open_source(r, fd, &r->source);

	return status ? status : open_source(r, again, &r->second);
}

/* What can be read only once is kept. */
static int open_spooled(struct recording *r, int from)
{
	int fd = spool_new(), err = fd < 0 ? fd : spool_fill(fd, from);

	if (!err && lseek(fd, 0, SEEK_SET))
		err = -errno;
	if (!err)
		return open_both(r, fd, open_again(fd));
	log_error("cannot keep a copy of '%s': %s; write it to a file and name that", r->file,
		  strerror(-err));
	if (fd >= 0)
		close(fd);
	return EXIT_TRACE;
}

int recording_open_twice(struct recording *r, const char *file)
{
	struct opened o;
	int status;

	*r = (struct recording){ .file = file };
	status = open_and_settle(file, true, &o);
	if (status || o.fd < 0 || !read_once(o.fd))
		return status ? status : open_both(r, o.fd, o.again);
	status = open_spooled(r, o.fd);
	close(o.fd);
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

int recording_step(struct recording *r, struct pipeline *p)
{
	struct frame f;
	int ret = 0;

	if (!pipeline_state(p)->view_err)
		ret = r->source->next(r->source, &f);
	if (ret == -EINTR)
		return 1;
	if (ret > 0)
		ret = pipeline_frame(p, &f);
	else if (!ret)
		return pipeline_finish(p);
	return ret < 0 ? ret : 1;
}

int recording_run(struct recording *r, struct pipeline *p)
{
	int ret;

	do
		ret = recording_step(r, p);
	while (ret > 0);
	return ret;
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
