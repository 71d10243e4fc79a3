/* SPDX-License-Identifier: MIT */
#include "mutate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "record/frame.h"
#include "record/layout.h"
#include "record/record.h"

#define ITEMS_MAX 1024
#define PLAIN_ODDS 16 /* one mutation of so many changes plain bytes */
#define OPS_MAX 4     /* changes in one mutation */

/* A record (FRAME_BATCH), or another frame's payload. */
struct item {
	__u32 type;
	uint8_t *data; /* ours */
	size_t len;
};

struct items {
	struct item at[ITEMS_MAX];
	size_t n;
	unsigned int random;
};

static unsigned int dice(struct items *it, size_t sides)
{
	it->random = it->random * 1664525u + 1013904223u;
	return sides ? (it->random >> 8) % (unsigned int)sides : 0;
}

/* --- taking apart --- */

static void items_insert(struct items *it, size_t where, __u32 type, const void *data, size_t len)
{
	struct item new = { .type = type, .data = calloc(1, len + 1), .len = len };

	if (it->n == ITEMS_MAX || !new.data) {
		free(new.data);
		return;
	}
	if (len)
		memcpy(new.data, data, len);
	memmove(it->at + where + 1, it->at + where, (it->n - where) * sizeof(*it->at));
	it->at[where] = new;
	it->n++;
}

static void items_remove(struct items *it, size_t where)
{
	free(it->at[where].data);
	memmove(it->at + where, it->at + where + 1, (it->n - where - 1) * sizeof(*it->at));
	it->n--;
}

static void items_free(struct items *it)
{
	while (it->n)
		items_remove(it, it->n - 1);
	free(it);
}

/* What has no size that could be believed is one piece to its end. */
static void take_records(struct items *it, const uint8_t *data, size_t len)
{
	struct event head;
	size_t at, size;

	for (at = 0; at < len; at += size) {
		size = len - at;
		if (size >= sizeof(head)) {
			memcpy(&head, data + at, sizeof(head));
			if (head.size >= sizeof(head) && head.size < size)
				size = head.size;
		}
		items_insert(it, it->n, FRAME_BATCH, data + at, size);
	}
}

static void take_frames(struct items *it, const uint8_t *data, size_t len)
{
	struct frame_header head;
	size_t at = sizeof(struct record_header), have;

	for (; at < len && len - at >= sizeof(head); at += record_padded(have)) {
		memcpy(&head, data + at, sizeof(head));
		at += sizeof(head);
		have = head.length < len - at ? head.length : len - at;
		if (head.type == FRAME_BATCH)
			take_records(it, data + at, have);
		else
			items_insert(it, it->n, head.type, data + at, have);
	}
}

/* --- putting together; what does not fit is left out --- */

static bool put(struct room out, size_t *at, const void *data, size_t len)
{
	size_t padded = record_padded(len);

	if (padded > out.size - *at)
		return false;
	memset(out.data + *at, 0, padded);
	memcpy(out.data + *at, data, len);
	*at += padded;
	return true;
}

static size_t write_records(const struct items *it, struct room out)
{
	size_t i, at = 0;

	for (i = 0; i < it->n; i++)
		put(out, &at, it->at[i].data, it->at[i].len);
	return at;
}

/* One frame from item i on; a batch takes all records that follow. Returns the next item. */
static size_t write_frame(const struct items *it, size_t i, struct room out, size_t *at)
{
	struct frame_header head = { .type = it->at[i].type, .length = (__u32)it->at[i].len };
	size_t start = *at;

	if (!put(out, at, &head, sizeof(head)))
		return it->n;
	if (head.type != FRAME_BATCH) {
		if (!put(out, at, it->at[i].data, it->at[i].len))
			*at = start;
		return i + 1;
	}
	for (; i < it->n && it->at[i].type == FRAME_BATCH; i++)
		put(out, at, it->at[i].data, it->at[i].len);
	head.length = (__u32)(*at - start - sizeof(head));
	memcpy(out.data + start, &head, sizeof(head));
	return i;
}

static size_t write_recording(const struct items *it, struct room out)
{
	struct record_header head = { .version = RECORD_VERSION, .size = sizeof(head) };
	size_t at = 0, i = 0;

	memcpy(head.magic, RECORD_MAGIC, RECORD_MAGIC_LEN);
	put(out, &at, &head, sizeof(head));
	while (i < it->n)
		i = write_frame(it, i, out, &at);
	return at;
}

/* --- one change --- */

static struct item *any(struct items *it)
{
	return &it->at[dice(it, it->n)];
}

/* Another record of this kind, or any item. */
static struct item *like(struct items *it, const struct item *one)
{
	struct item *other = any(it);
	int tries;

	for (tries = 0; tries < 20; tries++, other = any(it))
		if (other != one && other->type == one->type && other->len == one->len)
			break;
	return other;
}

/* libFuzzer's own mutations, which know the values that src/ compares with. */
static void change_bytes(struct items *it)
{
	struct item *i = any(it);
	struct event head;
	size_t from = 0, len;

	if (i->type == FRAME_BATCH && i->len > sizeof(head) && dice(it, 4))
		from = dice(it, 2) ? sizeof(head) : 4; /* size and kind stay */
	len = i->len - from;
	if (len > 8 && dice(it, 2)) {
		from += dice(it, len / 4) * 4;
		len = dice(it, 2) ? 4 : 8;
		len = len < i->len - from ? len : i->len - from;
	}
	if (len)
		LLVMFuzzerMutate(i->data + from, len, len);
}

static void copy_field(struct items *it)
{
	struct item *i = any(it), *from = like(it, i);
	size_t len = i->len < from->len ? i->len : from->len, at;

	if (len < 8 || i == from)
		return;
	at = dice(it, len / 4) * 4;
	if (at)
		memcpy(i->data + at, from->data + at, len - at < 8 ? 4 : 4 * (1 + dice(it, 2)));
}

/* The same socket, thread or moment as another record. */
static void copy_head(struct items *it)
{
	struct item *i = any(it), *from = any(it);
	static const struct {
		size_t at, len;
	} parts[] = { { 4, 4 }, { 8, 8 }, { 16, 8 }, { 4, 20 } };
	unsigned int k = dice(it, 4);

	if (i != from && i->len >= sizeof(struct event) && from->len >= sizeof(struct event))
		memcpy(i->data + parts[k].at, from->data + parts[k].at, parts[k].len);
}

static void set_number(struct items *it)
{
	static const uint32_t numbers[] = { 0,	      1,	  2,	      3,     4,
					    7,	      16,	  64,	      127,   128,
					    255,      1024,	  65535,      65536, 131072,
					    1u << 30, 0x7fffffff, 0x80000000, ~1u,   ~0u };
	struct item *i = any(it);
	uint32_t number = numbers[dice(it, sizeof(numbers) / sizeof(numbers[0]))];

	if (i->len >= sizeof(struct event))
		memcpy(i->data + 4 + dice(it, (i->len - 4) / 4) * 4, &number, sizeof(number));
}

static void set_byte(struct items *it)
{
	struct item *i = any(it);

	if (i->len > 4)
		i->data[4 + dice(it, i->len - 4)] = (uint8_t)dice(it, 256);
}

static void repeat(struct items *it)
{
	struct item *i = any(it);

	items_insert(it, dice(it, it->n + 1), i->type, i->data, i->len);
}

static void leave_out(struct items *it)
{
	if (it->n > 1)
		items_remove(it, dice(it, it->n));
}

static void leave_out_many(struct items *it)
{
	size_t from = dice(it, it->n), count = dice(it, it->n - from);

	while (count-- && it->n > 1)
		items_remove(it, from);
}

static void swap(struct items *it)
{
	struct item *a = any(it), *b = any(it), c = *a;

	*a = *b;
	*b = c;
}

/* Everything up to the time of a record is to be shown. */
static void insert_tick(struct items *it)
{
	const struct item *i = any(it);
	struct frame_tick tick = { 0 };
	size_t where = dice(it, it->n + 1);

	if (i->type != FRAME_BATCH || i->len < sizeof(struct event))
		return;
	memcpy(&tick.horizon_ns, i->data + 8, sizeof(tick.horizon_ns));
	tick.horizon_ns += dice(it, 3) * 50000000ull;
	items_insert(it, where, FRAME_TICK, &tick, sizeof(tick));
}

static void change_size(struct items *it)
{
	struct item *i = any(it);
	__u16 size = (__u16)(i->len + 8 * dice(it, 3) - 8);

	if (i->type == FRAME_BATCH && i->len >= sizeof(struct event) && !dice(it, 4))
		memcpy(i->data, &size, sizeof(size));
}

static void change(struct items *it)
{
	static void (*const ops[])(struct items * it) = {
		change_bytes, change_bytes, change_bytes, copy_field,	  copy_field,
		copy_head,    copy_head,    set_number,	  set_number,	  set_byte,
		set_byte,     repeat,	    repeat,	  leave_out,	  leave_out,
		swap,	      insert_tick,  change_size,  leave_out_many,
	};

	if (it->n)
		ops[dice(it, sizeof(ops) / sizeof(ops[0]))](it);
}

/* --- the entries --- */

typedef void (*take_fn)(struct items *it, const uint8_t *data, size_t len);
typedef size_t (*write_fn)(const struct items *it, struct room out);

static size_t mutate(struct piece in, struct room out, unsigned int seed, take_fn take,
		     write_fn write)
{
	struct items *it = calloc(1, sizeof(*it));
	unsigned int ops;
	size_t len;

	if (!it)
		return in.len;
	it->random = seed;
	if (!in.len || !dice(it, PLAIN_ODDS)) {
		free(it);
		return LLVMFuzzerMutate(out.data, in.len, out.size);
	}
	take(it, in.data, in.len);
	for (ops = 1 + dice(it, OPS_MAX); ops; ops--)
		change(it);
	len = write(it, out);
	items_free(it);
	return len;
}

/* The head of one and the tail of the other, or pieces of the other among the one. */
static size_t cross(struct piece a, struct piece b, struct room out, unsigned int seed,
		    take_fn take, write_fn write)
{
	struct items *it = calloc(1, sizeof(*it)), *other = calloc(1, sizeof(*other));
	size_t len = 0, i, where;

	if (it && other) {
		it->random = seed;
		take(it, a.data, a.len);
		take(other, b.data, b.len);
		where = dice(it, it->n + 1);
		if (dice(it, 2))
			while (it->n > where)
				items_remove(it, it->n - 1);
		for (i = dice(it, other->n); i < other->n && dice(it, 12); i++, where++)
			items_insert(it, where, other->at[i].type, other->at[i].data,
				     other->at[i].len);
		len = write(it, out);
	}
	if (it)
		items_free(it);
	if (other)
		items_free(other);
	return len;
}

size_t mutate_records(uint8_t *data, size_t len, size_t size, unsigned int seed)
{
	return mutate((struct piece){ data, len }, (struct room){ data, size }, seed, take_records,
		      write_records);
}

size_t cross_records(struct piece a, struct piece b, struct room out, unsigned int seed)
{
	return cross(a, b, out, seed, take_records, write_records);
}

size_t mutate_recording(uint8_t *data, size_t len, size_t size, unsigned int seed)
{
	return mutate((struct piece){ data, len }, (struct room){ data, size }, seed, take_frames,
		      write_recording);
}

size_t cross_recordings(struct piece a, struct piece b, struct room out, unsigned int seed)
{
	return cross(a, b, out, seed, take_frames, write_recording);
}
