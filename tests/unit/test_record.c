/* SPDX-License-Identifier: MIT */
/* The recording: what is written comes back, and no damage does more than end it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "event/decode.h"
#include "record/layout.h"
#include "record/record.h"

/* A recording in memory, as read back: each frame's type, length and payload. */
struct dump {
	unsigned char data[64 << 10];
	size_t len;
	size_t frames;
	size_t records;
	int cut;
	__u64 good;
};

static char path[64];

static int make_path(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/test_record.XXXXXX");
	fd = mkstemp(path);
	close(fd);
	return fd < 0;
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

static struct record_writer *create(void)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	struct record_writer *w;

	assert_true(fd >= 0);
	w = record_writer_new(fd);
	assert_non_null(w);
	return w;
}

static int put(struct record_writer *w, enum frame_type type, const void *data, size_t len)
{
	return record_write(w, &(struct frame){ .type = type, .data = data, .len = len });
}

static struct event_sock sock_event(__u64 t_ns)
{
	return (struct event_sock){
		.e = { .size = sizeof(struct event_sock),
		       .kind = EV_STATE,
		       .sid = 7,
		       .t_ns = t_ns,
		       .pid = 1 },
		.a = 1,
		.b = 2,
	};
}

static struct event_call call_event(__u64 t_ns)
{
	return (struct event_call){
		.e = { .size = sizeof(struct event_call),
		       .kind = EV_CALL,
		       .sid = 7,
		       .t_ns = t_ns,
		       .pid = 1,
		       .tid = 1 },
		.t_enter = t_ns - 10,
		.ret = 14,
		.len = 14,
		.fd = 3,
		.call = CALL_SENDTO,
	};
}

static void put_batch(struct record_writer *w, __u64 t_ns)
{
	struct {
		struct event_call call;
		struct event_sock sock;
		struct event_call again;
	} batch = { call_event(t_ns), sock_event(t_ns + 1), call_event(t_ns + 20) };

	assert_int_equal(put(w, FRAME_BATCH, &batch, sizeof(batch)), 0);
}

static void put_tick(struct record_writer *w, __u64 horizon_ns)
{
	const struct frame_tick tick = { .horizon_ns = horizon_ns };

	assert_int_equal(put(w, FRAME_TICK, &tick, sizeof(tick)), 0);
}

/* One frame of each type; META is not a multiple of 8. */
static void write_sample(int end)
{
	static const char meta[] = "kernel\0"
				   "6.1\0"
				   "backend\0"
				   "tracepoint";
	const struct frame_loss loss = { .t_ns = 1500, .lost = { [EV_CALL] = 3 } };
	const struct frame_end last = { .t_ns = 3000, .events = 6, .lost = 3 };
	struct record_writer *w = create();

	assert_int_equal(put(w, FRAME_META, meta, sizeof(meta)), 0);
	put_batch(w, 1000);
	put_tick(w, 1400);
	assert_int_equal(put(w, FRAME_LOSS, &loss, sizeof(loss)), 0);
	put_batch(w, 2000);
	if (end)
		assert_int_equal(put(w, FRAME_END, &last, sizeof(last)), 0);
	assert_int_equal(record_writer_close(w, end), 0);
}

static void dump_add(struct dump *d, const void *data, size_t len)
{
	assert_true(d->len + len <= sizeof(d->data));
	memcpy(d->data + d->len, data, len);
	d->len += len;
}

static void dump_frame(struct dump *d, const struct frame *f)
{
	size_t at;
	int n;

	d->frames++;
	/*
	 * Only payload, and of a batch record by record, so that a cut batch is a prefix of a whole
	 * one.
	 */
	dump_add(d, f->data, f->len);
	if (f->type != FRAME_BATCH)
		return;
	for (at = 0; at < f->len; at += (size_t)n) {
		assert_int_equal((uintptr_t)((const char *)f->data + at) % 8, 0);
		n = event_check((const char *)f->data + at, f->len - at);
		assert_true(n > 0);
		d->records++;
	}
}

static void dump_source(struct dump *d, struct source *s)
{
	struct frame f;
	int ret;

	while ((ret = s->next(s, &f)) != 0) {
		assert_int_equal(ret, 1);
		dump_frame(d, &f);
	}
	assert_int_equal(s->next(s, &f), 0); /* and it stays over */
	d->cut = record_was_cut(s, &d->good);
	s->close(s);
}

static enum record_error dump_file(struct dump *d)
{
	enum record_error why;
	unsigned int version;
	struct source *s = record_open(path, &why, &version);

	*d = (struct dump){ 0 };
	if (s)
		dump_source(d, s);
	else
		assert_int_not_equal(why, RECORD_OK);
	return why;
}

static size_t read_file(unsigned char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, buf, size);

	close(fd);
	assert_true(n > 0 && (size_t)n < size);
	return (size_t)n;
}

static void write_file(const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static void patch(size_t at, __u32 value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, &value, sizeof(value), (off_t)at), sizeof(value));
	close(fd);
}

static __u32 header_flags(void)
{
	struct record_header head;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(read(fd, &head, sizeof(head)), sizeof(head));
	close(fd);
	return head.flags;
}

static void round_trip(void **state)
{
	struct dump d;
	unsigned char file[8192];

	(void)state;
	write_sample(1);
	assert_int_equal(dump_file(&d), RECORD_OK);
	assert_int_equal(d.frames, 6);
	assert_int_equal(d.records, 6);
	assert_int_equal(d.cut, 0);
	assert_int_equal(d.good, read_file(file, sizeof(file)));
	assert_memory_equal(d.data,
			    "kernel\0"
			    "6.1",
			    11);
}

static void unfinished_mark(void **state)
{
	struct dump d;

	(void)state;
	write_sample(1);
	assert_int_equal(header_flags() & RECORD_UNFINISHED, 0);
	write_sample(0);
	assert_int_equal(header_flags() & RECORD_UNFINISHED, RECORD_UNFINISHED);
	assert_int_equal(dump_file(&d), RECORD_OK);
	assert_int_equal(d.records, 6);
	assert_int_equal(d.cut, 1);
}

/* The heart of it: wherever the file breaks off, what was before is there and nothing else. */
static void cut_anywhere(void **state)
{
	static struct dump whole, d;
	unsigned char file[8192];
	size_t len, cut, records = 0;

	(void)state;
	write_sample(1);
	dump_file(&whole);
	len = read_file(file, sizeof(file));
	for (cut = 0; cut < len; cut++) {
		write_file(file, cut);
		if (dump_file(&d) != RECORD_OK) {
			assert_true(cut < sizeof(struct record_header));
			continue;
		}
		assert_int_equal(d.cut, 1);
		assert_true(d.good <= cut);
		assert_true(d.len <= whole.len);
		assert_memory_equal(d.data, whole.data, d.len);
		assert_true(d.records >= records); /* one byte more never shows less */
		assert_true(d.records <= records + 1);
		records = d.records;
	}
	assert_int_equal(records, 6);
}

/* Any one byte wrong: no crash, no record that event_check() would refuse (see dump_frame). */
static void damage_anywhere(void **state)
{
	static const unsigned char values[] = { 0x00, 0xff, 0x80, 0x01 };
	static struct dump d;
	unsigned char file[8192], before;
	size_t len, at, i;

	(void)state;
	write_sample(1);
	len = read_file(file, sizeof(file));
	for (at = 0; at < len; at++) {
		before = file[at];
		for (i = 0; i < sizeof(values); i++) {
			file[at] = values[i];
			write_file(file, len);
			dump_file(&d);
			assert_true(d.good <= len);
		}
		file[at] = before;
	}
}

static void bad_record_ends_it(void **state)
{
	/* header, META, head of the first batch, first record: then the second record's kind */
	const size_t at = sizeof(struct record_header) + 8 + 32 + 8 + sizeof(struct event_call);
	unsigned char file[8192];
	struct dump d;

	(void)state;
	write_sample(1);
	read_file(file, sizeof(file));
	assert_int_equal(file[at + 2], EV_STATE);
	patch(at, 0xff0000u | sizeof(struct event_sock));
	assert_int_equal(dump_file(&d), RECORD_OK);
	assert_int_equal(d.records, 1);
	assert_int_equal(d.cut, 1);
	assert_int_equal(d.good, at);
}

static void no_recording(void **state)
{
	struct dump d;

	(void)state;
	write_file("", 0);
	assert_int_equal(dump_file(&d), RECORD_EMPTY);
	write_file("#!/bin/sh\necho this is something else\n", 37);
	assert_int_equal(dump_file(&d), RECORD_NOT_ONE);
	write_sample(1);
	patch(0, 0x0a0d0a0d);
	assert_int_equal(dump_file(&d), RECORD_NOT_ONE);
}

static void newer_version(void **state)
{
	enum record_error why;
	unsigned int version;

	(void)state;
	write_sample(1);
	patch(offsetof(struct record_header, version), RECORD_VERSION + 41);
	assert_null(record_open(path, &why, &version));
	assert_int_equal(why, RECORD_VERSION_NEW);
	assert_int_equal(version, RECORD_VERSION + 41);
}

static void longer_header(void **state)
{
	unsigned char file[8192], longer[8192] = { 0 };
	struct record_header head;
	struct dump d;
	size_t len;

	(void)state;
	write_sample(1);
	len = read_file(file, sizeof(file));
	memcpy(&head, file, sizeof(head));
	head.size += 16;
	memcpy(longer, &head, sizeof(head));
	memcpy(longer + head.size, file + sizeof(head), len - sizeof(head));
	write_file(longer, len + 16);
	assert_int_equal(dump_file(&d), RECORD_OK);
	assert_int_equal(d.records, 6);
	assert_int_equal(d.cut, 0);
}

static void missing_file(void **state)
{
	enum record_error why;
	unsigned int version;

	(void)state;
	assert_null(record_open("/nonexistent/recording", &why, &version));
	assert_int_equal(why, RECORD_IO);
	assert_int_equal(errno, ENOENT);
	assert_null(record_open("/tmp", &why, &version));
	assert_int_equal(why, RECORD_IO);
	assert_int_equal(errno, EISDIR);
}

/* A frame of a type that does not exist yet is passed over. */
static void unknown_frame(void **state)
{
	struct record_writer *w = create();
	const struct frame_end last = { .events = 3 };
	struct dump d;

	(void)state;
	assert_int_equal(put(w, (enum frame_type)77, "tomorrow", 8), 0);
	put_batch(w, 1000);
	assert_int_equal(put(w, FRAME_END, &last, sizeof(last)), 0);
	assert_int_equal(record_writer_close(w, 1), 0);
	assert_int_equal(dump_file(&d), RECORD_OK);
	assert_int_equal(d.frames, 2);
	assert_int_equal(d.records, 3);
	assert_int_equal(d.cut, 0);
}

/* A length of 4 GB is neither believed nor allocated: the reader may use 64 MB here in all. */
static void huge_length(void **state)
{
	const struct frame_header head = { .type = FRAME_BATCH, .length = 0xfffffff8u };
	struct record_writer *w = create();
	struct dump d;
	int fd;

	(void)state;
	put_batch(w, 1000);
	assert_int_equal(record_writer_close(w, 0), 0);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, &head, sizeof(head)), sizeof(head));
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	close(fd);
	assert_int_equal(dump_file(&d), RECORD_OK);
	assert_int_equal(d.records, 3);
	assert_int_equal(d.cut, 1);
	assert_int_equal(d.good, sizeof(struct record_header) + 8 + 2 * sizeof(struct event_call) +
					 sizeof(struct event_sock));
}

static void frame_too_big(void **state)
{
	static char big[RECORD_FRAME_MAX + 8];
	struct record_writer *w = create();

	(void)state;
	assert_int_equal(put(w, FRAME_BATCH, big, sizeof(big)), -EMSGSIZE);
	put_batch(w, 1000); /* and nothing is broken by it */
	assert_int_equal(record_writer_close(w, 0), 0);
}

/* More than both buffers, in frames of every size, byte for byte. */
static void large_recording(void **state)
{
	struct record_writer *w = create();
	struct frame_end last = { .events = 0 };
	struct event_sock *batch = calloc(60000, sizeof(*batch));
	enum record_error why;
	unsigned int version;
	struct source *s;
	struct frame f;
	size_t i, n, seen = 0;

	(void)state;
	for (i = 0; i < 60000; i++)
		batch[i] = sock_event(i);
	for (n = 1; n <= 60000; n *= 3) {
		assert_int_equal(put(w, FRAME_BATCH, batch, n * sizeof(*batch)), 0);
		last.events += n;
	}
	assert_int_equal(put(w, FRAME_END, &last, sizeof(last)), 0);
	assert_int_equal(record_writer_close(w, 1), 0);
	s = record_open(path, &why, &version);
	assert_non_null(s);
	while (s->next(s, &f) == 1) {
		if (f.type != FRAME_BATCH)
			continue;
		assert_memory_equal(f.data, batch, f.len);
		seen += f.len / sizeof(*batch);
	}
	assert_int_equal(seen, last.events);
	s->close(s);
	free(batch);
}

/* /dev/full takes no byte, which shows when the buffer is written out, and from then on always. */
static void disk_full(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct record_writer *w;

	(void)state;
	assert_true(fd >= 0);
	w = record_writer_new(fd); /* its head cannot be written, which the first frame is told */
	assert_int_equal(record_write(w, &(struct frame){ .type = FRAME_BATCH }), -ENOSPC);
	assert_int_equal(record_flush(w), -ENOSPC);
	assert_int_equal(record_write(w, &(struct frame){ .type = FRAME_BATCH }), -ENOSPC);
	assert_int_equal(record_writer_close(w, 1), -ENOSPC);
}

/*
 * The disk fills in the middle: what fitted can be read. A limit on the file's size stands for the
 * disk.
 */
static void disk_fills(void **state)
{
	const size_t room = sizeof(struct record_header) + 8 + sizeof(struct event_call) + 20;
	struct rlimit before, tight;
	struct record_writer *w = create();
	struct dump d;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	tight = (struct rlimit){ .rlim_cur = room, .rlim_max = before.rlim_max };
	setrlimit(RLIMIT_FSIZE, &tight);
	put_batch(w, 1000);
	assert_int_equal(record_flush(w), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(record_flush(w), -EFBIG);
	assert_int_equal(record_writer_close(w, 1), -EFBIG);
	assert_int_equal(header_flags() & RECORD_UNFINISHED, RECORD_UNFINISHED);
	assert_int_equal(dump_file(&d), RECORD_OK);
	assert_int_equal(d.records, 1);
	assert_int_equal(d.cut, 1);
}

/* Written into a pipe and read from one, as `trace -w - | trace show -`. */
static void through_a_pipe(void **state)
{
	static struct dump d;
	const struct frame_end last = { .events = 3 };
	struct record_writer *w;
	enum record_error why;
	unsigned int version;
	struct source *s;
	int fds[2], saved;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	w = record_writer_new(fds[1]);
	put_batch(w, 1000);
	assert_int_equal(put(w, FRAME_END, &last, sizeof(last)), 0);
	assert_int_equal(record_writer_close(w, 1), 0);
	saved = dup(STDIN_FILENO);
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	s = record_open("-", &why, &version);
	assert_non_null(s);
	d = (struct dump){ 0 };
	dump_source(&d, s);
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_int_equal(d.records, 3);
	assert_int_equal(d.cut, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),	      cmocka_unit_test(unfinished_mark),
		cmocka_unit_test(cut_anywhere),	      cmocka_unit_test(damage_anywhere),
		cmocka_unit_test(bad_record_ends_it), cmocka_unit_test(no_recording),
		cmocka_unit_test(newer_version),      cmocka_unit_test(longer_header),
		cmocka_unit_test(missing_file),	      cmocka_unit_test(unknown_frame),
		cmocka_unit_test(huge_length),	      cmocka_unit_test(frame_too_big),
		cmocka_unit_test(large_recording),    cmocka_unit_test(disk_full),
		cmocka_unit_test(disk_fills),	      cmocka_unit_test(through_a_pipe),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
