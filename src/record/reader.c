/* SPDX-License-Identifier: MIT */
/*
 * A recording is a stranger's file: no size in it is believed before the bytes are there, memory
 * follows what was read and not what was promised, and a record leaves here only after
 * event_check(). The first thing that makes no sense ends the stream as a cut would.
 */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../event/decode.h"
#include "layout.h"

#define READER_BUFFER (256u << 10) /* bytes at first */

struct reader {
	struct source source; /* must be first */
	int fd;
	unsigned char *buf; /* bytes [base, base + used) of the file */
	size_t size, used;
	size_t pos; /* of what comes next, within buf */
	__u64 base;
	__u64 good;    /* bytes of the file that were understood */
	bool over;     /* nothing comes any more */
	bool finished; /* the END frame was there */
};

static struct reader *reader_of(struct source *s)
{
	return (struct reader *)s;
}

/* Forget what was handed out; buf stays aligned with the file because pos is a multiple of 8. */
static int reader_make_room(struct reader *r)
{
	size_t bigger = r->size ? 2 * r->size : READER_BUFFER;
	unsigned char *buf;

	if (r->pos) {
		memmove(r->buf, r->buf + r->pos, r->used - r->pos);
		r->base += r->pos;
		r->used -= r->pos;
		r->pos = 0;
	}
	if (r->used < r->size)
		return 0;
	buf = realloc(r->buf, bigger);
	if (!buf)
		return -ENOMEM;
	r->buf = buf;
	r->size = bigger;
	return 0;
}

/*
 * Have `need` bytes from pos on. 1 = they are there, 0 = the file ends before, or negative errno.
 */
static int reader_fill(struct reader *r, size_t need)
{
	ssize_t n;
	int err;

	while (r->used - r->pos < need) {
		if (r->used == r->size) {
			err = reader_make_room(r);
			if (err)
				return err;
		}
		n = read(r->fd, r->buf + r->used, r->size - r->used);
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		r->used += (size_t)n;
	}
	return 1;
}

/* "key\0value\0" pairs and nothing else. */
static bool meta_is_good(const char *data, size_t len)
{
	size_t i, ends = 0;

	for (i = 0; i < len; i++)
		ends += !data[i];
	return len && !data[len - 1] && ends % 2 == 0;
}

/* Bytes from the start of a batch that are whole, well-formed records. */
static size_t batch_good_part(const unsigned char *data, size_t len)
{
	size_t at = 0;
	int n;

	while (at < len) {
		n = event_check(data + at, len - at);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	return at;
}

/* No clock counts that far, and whoever waits for a moment after it would add in circles. */
static bool tick_is_good(const unsigned char *data, size_t len)
{
	struct frame_tick tick;

	if (len < sizeof(tick))
		return false;
	memcpy(&tick, data, sizeof(tick));
	return tick.horizon_ns <= INT64_MAX;
}

static bool type_is_known(__u32 type)
{
	return type >= FRAME_META && type <= FRAME_END;
}

/*
 * A whole payload: how much of it can be used. What a newer minor addition brought is passed over.
 */
static size_t payload_good_part(__u32 type, const unsigned char *data, size_t len)
{
	if (!type_is_known(type))
		return len;
	switch ((enum frame_type)type) {
	case FRAME_META:
		return meta_is_good((const char *)data, len) ? len : 0;
	case FRAME_BATCH:
		return batch_good_part(data, len);
	case FRAME_TICK:
		return tick_is_good(data, len) ? len : 0;
	case FRAME_LOSS:
		return len >= sizeof(struct frame_loss) ? len : 0;
	case FRAME_END:
		return len >= sizeof(struct frame_end) ? len : 0;
	}
	return 0;
}

/*
 * The head of the next frame and as much of its payload as there is: 1, 0 at the end, negative
 * errno.
 */
static int reader_look(struct reader *r, struct frame_header *head, size_t *have)
{
	size_t rest;
	int rc;

	rc = reader_fill(r, sizeof(*head));
	if (rc <= 0)
		return rc;
	memcpy(head, r->buf + r->pos, sizeof(*head));
	if (head->length > RECORD_FRAME_MAX)
		return 0;
	rc = reader_fill(r, sizeof(*head) + record_padded(head->length));
	if (rc < 0)
		return rc;
	rest = r->used - r->pos - sizeof(*head);
	*have = rest < head->length ? rest : head->length;
	return 1;
}

/*
 * Go behind the frame of which `part` bytes were good; stay, and end, where it is damaged or cut.
 */
static void reader_advance(struct reader *r, const struct frame_header *head, size_t part)
{
	size_t whole = sizeof(*head) + record_padded(head->length);

	if (part < head->length || r->used - r->pos < whole) {
		r->good = r->base + r->pos + (part ? sizeof(*head) + part : 0);
		r->over = true;
		return;
	}
	r->pos += whole;
	r->good = r->base + r->pos;
	if (head->type == FRAME_END)
		r->over = r->finished = true;
}

static int reader_next(struct source *s, struct frame *f)
{
	struct reader *r = reader_of(s);
	const unsigned char *data;
	struct frame_header head;
	size_t have, part;
	int rc;

	while (!r->over) {
		rc = reader_look(r, &head, &have);
		if (rc < 0)
			return rc;
		if (rc == 0)
			break;
		data = r->buf + r->pos + sizeof(head);
		if (have == head.length)
			part = payload_good_part(head.type, data, have);
		else
			part = head.type == FRAME_BATCH ? batch_good_part(data, have) : 0;
		reader_advance(r, &head, part);
		if (!part || !type_is_known(head.type))
			continue;
		*f = (struct frame){ .type = (enum frame_type)head.type,
				     .data = data,
				     .len = part };
		return 1;
	}
	r->over = true;
	return 0;
}

static void reader_close(struct source *s)
{
	struct reader *r = reader_of(s);

	if (r->fd != STDIN_FILENO)
		close(r->fd);
	free(r->buf);
	free(r);
}

/* Read and judge the header; leaves pos behind it. */
static enum record_error reader_start(struct reader *r, unsigned int *version)
{
	struct record_header head;
	int rc;

	do
		rc = reader_fill(r, sizeof(head));
	while (rc == -EINTR);
	if (rc < 0) {
		errno = -rc;
		return RECORD_IO;
	}
	if (rc == 0)
		return r->used ? RECORD_NOT_ONE : RECORD_EMPTY;
	memcpy(&head, r->buf, sizeof(head));
	if (memcmp(head.magic, RECORD_MAGIC, RECORD_MAGIC_LEN))
		return RECORD_NOT_ONE;
	*version = head.version;
	if (head.version > RECORD_VERSION)
		return RECORD_VERSION_NEW;
	if (!head.version || head.size < sizeof(head) || head.size > RECORD_HEADER_MAX ||
	    head.size % RECORD_ALIGN)
		return RECORD_NOT_ONE;
	rc = reader_fill(r, head.size);
	r->pos = rc == 1 ? head.size : r->used;
	r->good = r->pos;
	r->over = rc != 1;
	return RECORD_OK;
}

struct source *record_open_fd(int fd, enum record_error *why, unsigned int *version)
{
	struct reader *r = calloc(1, sizeof(*r));
	int saved;

	*why = RECORD_IO;
	*version = 0;
	if (!r) {
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	r->source = (struct source){ .next = reader_next, .close = reader_close };
	r->fd = fd;
	*why = reader_start(r, version);
	if (*why == RECORD_OK)
		return &r->source;
	saved = errno;
	reader_close(&r->source);
	errno = saved;
	return NULL;
}

struct source *record_open(const char *path, enum record_error *why, unsigned int *version)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;

	*why = RECORD_IO;
	*version = 0;
	return fd < 0 ? NULL : record_open_fd(fd, why, version);
}

int record_was_cut(const struct source *s, __u64 *at)
{
	const struct reader *r = (const struct reader *)s;

	*at = r->good;
	return !r->finished;
}
