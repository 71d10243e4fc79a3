// SPDX-License-Identifier: MIT
#include "ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/buf.h"

struct ring {
	int map;
	size_t page, bytes;
	unsigned long *consumer;       /* a page of its own, ours to write: bytes taken so far */
	const unsigned long *producer; /* a page of its own, before the data: bytes reserved so far */
	const char *data;
	struct buf seam; /* a record that begins at the end of the data and ends at its beginning */
};

struct ring *ring_new(int map, size_t bytes)
{
	struct ring *r = calloc(1, sizeof(*r));
	void *at;

	if (!r)
		return NULL;
	r->map = map;
	r->bytes = bytes;
	r->page = sysconf(_SC_PAGESIZE);
	at = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (at == MAP_FAILED)
		goto fail;
	r->consumer = at;
	at = mmap(NULL, r->page + bytes, PROT_READ, MAP_SHARED, map, r->page);
	if (at == MAP_FAILED)
		goto fail;
	r->producer = at;
	r->data = (const char *)at + r->page;
	return r;
fail:
	ring_free(r);
	return NULL;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	if (r->producer)
		munmap((void *)r->producer, r->page + r->bytes);
	if (r->consumer)
		munmap(r->consumer, r->page);
	buf_free(&r->seam);
	free(r);
}

/* The record's bytes, which begin at `at`. NULL: out of memory. */
static void *record_bytes(struct ring *r, unsigned long at, size_t size)
{
	size_t begin = at & (r->bytes - 1), first = r->bytes - begin;

	if (size <= first)
		return (void *)(r->data + begin);
	buf_reset(&r->seam);
	buf_add(&r->seam, r->data + begin, first);
	return buf_add(&r->seam, r->data, size - first) ? NULL : r->seam.data;
}

int ring_take(struct ring *r, int (*take)(void *ctx, void *record, size_t size), void *ctx)
{
	unsigned long at = *r->consumer;
	int ret = 0;

	while (!ret && at < __atomic_load_n(r->producer, __ATOMIC_ACQUIRE)) {
		const uint32_t *head = (const uint32_t *)(r->data + (at & (r->bytes - 1)));
		uint32_t len = __atomic_load_n(head, __ATOMIC_ACQUIRE);
		size_t size = len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (len & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			void *record = record_bytes(r, at + BPF_RINGBUF_HDR_SZ, size);

			ret = record ? take(ctx, record, size) : -ENOMEM;
		}
		at += (size + BPF_RINGBUF_HDR_SZ + 7) & ~7UL;
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	}
	return ret;
}

bool ring_waits(const struct ring *r)
{
	return *r->consumer < __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

int ring_wait(struct ring *r, int timeout_ms)
{
	struct pollfd p = { .fd = r->map, .events = POLLIN };
	int n = poll(&p, 1, timeout_ms);

	return n < 0 ? -errno : n > 0;
}
