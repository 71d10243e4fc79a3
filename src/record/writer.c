/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout.h"

#define WRITER_BUFFER (1u << 20) /* bytes */

struct record_writer {
	int fd;
	int err;     /* the first error; sticks, so that the file never gets a hole */
	size_t used; /* bytes of buf */
	unsigned char *buf;
};

/* Everything, or the first error. A signal in between is no error. */
static int write_all(int fd, const void *data, size_t len)
{
	const char *at = data;
	ssize_t n;

	while (len) {
		n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENOSPC;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int writer_put(struct record_writer *w, const void *data, size_t len)
{
	if (!len)
		return w->err;
	if (len > WRITER_BUFFER - w->used)
		record_flush(w);
	if (w->err)
		return w->err;
	if (len > WRITER_BUFFER)
		return w->err = write_all(w->fd, data, len);
	memcpy(w->buf + w->used, data, len);
	w->used += len;
	return 0;
}

struct record_writer *record_writer_new(int fd)
{
	const struct record_header head = {
		.magic = RECORD_MAGIC,
		.version = RECORD_VERSION,
		.flags = RECORD_UNFINISHED,
		.size = sizeof(head),
	};
	struct record_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fd = fd;
	w->buf = malloc(WRITER_BUFFER);
	if (!w->buf) {
		free(w);
		return NULL;
	}
	writer_put(w, &head, sizeof(head));
	record_flush(
		w); /* from its first moment it is a recording; an error sticks and is told later */
	return w;
}

int record_write(struct record_writer *w, const struct frame *f)
{
	static const char zeros[RECORD_ALIGN];
	const struct frame_header head = { .type = f->type, .length = (__u32)f->len };

	if (f->len > RECORD_FRAME_MAX)
		return -EMSGSIZE;
	writer_put(w, &head, sizeof(head));
	writer_put(w, f->data, f->len);
	return writer_put(w, zeros, record_padded(f->len) - f->len);
}

int record_flush(struct record_writer *w)
{
	if (!w->err && w->used)
		w->err = write_all(w->fd, w->buf, w->used);
	w->used = 0;
	return w->err;
}

/* Where the file is no file but a pipe, the mark stays: the END frame says that it is whole. */
static int clear_unfinished(int fd)
{
	const __u32 flags = 0;
	ssize_t n = pwrite(fd, &flags, sizeof(flags), offsetof(struct record_header, flags));

	if (n < 0)
		return errno == ESPIPE ? 0 : -errno;
	return n == sizeof(flags) ? 0 : -EIO;
}

int record_writer_close(struct record_writer *w, int complete)
{
	int err;

	if (!w)
		return 0;
	err = record_flush(w);
	if (!err && complete)
		err = clear_unfinished(w->fd);
	/* Some file systems tell only now that the disk is full. */
	if (close(w->fd) && !err && errno != EINTR)
		err = -errno;
	free(w->buf);
	free(w);
	return err;
}
