/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"
#include "util/text.h"

static const char *open_remedy(int err)
{
	switch (err) {
	case ELOOP:
		return "a symbolic link on the way lies where others can write; name the file "
		       "itself, or a directory of your own";
	case EEXIST:
		return "in a directory where others can write, it is there and not yours alone; "
		       "choose another name";
	case EACCES:
	case EPERM:
	case EROFS:
		return "you may not write there; choose another file";
	case ENOENT:
		return "its directory does not exist; create it first";
	case EISDIR:
		return "is a directory; name a file in it";
	case ENOSPC:
	case EDQUOT:
		return "the disk is full; free some space";
	default:
		return NULL;
	}
}

void output_explain(const char *path, int err, char *text, size_t size)
{
	const char *remedy = open_remedy(err);

	text_sentence(text, size, "cannot write '%s': %s", path, remedy ? remedy : strerror(err));
}

static int open_file(const struct invoker *who, const char *path)
{
	struct place p;
	struct invoker_rights before;
	int fd = invoker_begin(who, &before);

	if (fd)
		return fd;
	fd = place_find(&p, path, who->uid, true);
	if (!fd)
		fd = place_open(&p);
	place_close(&p);
	invoker_end(who, &before);
	return fd;
}

int output_open(const struct invoker *who, const char *path, char *err, size_t err_size)
{
	struct stat st;
	int fd;

	if (!strcmp(path, "-")) {
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			fd = -errno;
	} else {
		fd = open_file(who, path);
	}
	if (fd < 0) {
		output_explain(path, -fd, err, err_size);
		return -EINVAL;
	}
	/* A file that was there before may have been open to all. */
	if (strcmp(path, "-") && !fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_mode & 077))
		fchmod(fd, 0600);
	return fd;
}

FILE *output_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	FILE *out;

	if (copy < 0)
		return NULL;
	out = fdopen(copy, "w");
	if (!out)
		close(copy);
	return out;
}

/* As much as a pipe holds. A terminal keeps its lines. */
void output_in_bulk(FILE *out)
{
	if (!isatty(fileno(out)))
		setvbuf(out, NULL, _IOFBF, 64 << 10);
}

bool output_reader_gone(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

/* The directory that holds path, and the name in it. */
static const char *path_split(const char *path, char *dir, size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(dir, size, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
	return slash ? slash + 1 : path;
}

bool output_same_path(const char *a, const char *b)
{
	char dir_a[PATH_MAX], dir_b[PATH_MAX];
	const char *name_a, *name_b;
	struct stat sa, sb;

	if (!strcmp(a, "-") || !strcmp(b, "-"))
		return false;
	if (!stat(a, &sa) && !stat(b, &sb))
		return S_ISREG(sa.st_mode) && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
	name_a = path_split(a, dir_a, sizeof(dir_a));
	name_b = path_split(b, dir_b, sizeof(dir_b));
	return !strcmp(name_a, name_b) && !stat(dir_a, &sa) && !stat(dir_b, &sb) &&
	       sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

bool output_same_file(int a, int b)
{
	struct stat sa, sb;

	return !fstat(a, &sa) && !fstat(b, &sb) && S_ISREG(sa.st_mode) && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}
