/* SPDX-License-Identifier: MIT */
/*
 * The decoder: the input is taken for records of bpf/event.h, one after the other, and whatever
 * passes event_check() is described in every way there is.
 */
#include <stdlib.h>
#include <string.h>

#include "event/decode.h"
#include "event/describe.h"
#include "event/names.h"
#include "fuzz.h"
#include "mutate.h"

static void look_at_field(const struct field *f)
{
	size_t i;

	expect_true(f->key && f->key[0], "a field has a key");
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_LIST:
		expect_true(memchr(f->text, 0, sizeof(f->text)), "a field's text ends");
		expect_ascii(f->key, f->text, strlen(f->text));
		break;
	case FIELD_BYTES:
		for (i = 0; i < f->len; i++) /* each of them is there */
			expect_true((unsigned char)f->bytes[i] <= 0xff, f->key);
		break;
	case FIELD_U64:
	case FIELD_S64:
	case FIELD_BOOL:
		break;
	}
}

static void look_at_fields(const struct event *ev, enum phase phase)
{
	static struct field fields[DESCRIBE_MAX]; /* tens of kilobytes */
	size_t i, n = describe_fields(ev, phase, fields);

	expect_true(n <= DESCRIBE_MAX, "no more fields than there is room for");
	for (i = 0; i < n; i++)
		look_at_field(&fields[i]);
}

/* In a buffer of its own, so that not one byte more is written. */
static void look_at_words(const struct event *ev, size_t size)
{
	char *buf = malloc(size);

	describe_call(buf, size, ev);
	expect_true(memchr(buf, 0, size), "a call's text ends");
	expect_ascii("call", buf, strlen(buf));
	describe_result(buf, size, ev);
	expect_true(memchr(buf, 0, size), "a result's text ends");
	expect_ascii("result", buf, strlen(buf));
	free(buf);
}

static void look_at_tail(const struct event_call *c)
{
	struct ev_addr addr;
	const char *path;
	char text[64];
	size_t len, n, i;

	if (!call_addr(c, &addr, &path, &len)) {
		fmt_path(text, sizeof(text), path, len);
		expect_ascii("path", text, strlen(text));
		fmt_addr(text, sizeof(text), &addr);
		expect_ascii("address", text, strlen(text));
	}
	if (call_poll_items(c, &n))
		for (i = 0; i < n; i++)
			fmt_poll_events(text, sizeof(text), call_poll_items(c, &n)[i].revents);
	if (call_epoll_items(c, &n))
		for (i = 0; i < n; i++)
			fmt_poll_events(text, sizeof(text), call_epoll_items(c, &n)[i].events);
	if (call_select_sets(c))
		expect_true(call_select_sets(c)->in[2] <= ~0ull, "the sets are there");
}

/* The record alone, so that a look behind it is seen. */
static void look_at_record(const uint8_t *data, size_t size)
{
	static const size_t sizes[] = { 1, 2, 3, 17, 80, 4096 };
	struct event *ev = malloc(size);
	enum phase phase;
	size_t i;

	memcpy(ev, data, size);
	for (phase = PHASE_POINT; phase <= PHASE_EXIT; phase++)
		look_at_fields(ev, phase);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		look_at_words(ev, sizes[i]);
	expect_true(event_layer(ev->kind) & LAYER_ALL, "a record has a layer");
	expect_true(kind_name(ev->kind)[0] != '?', "a record's kind has a name");
	if (ev->kind == EV_CALL)
		look_at_tail((const struct event_call *)ev);
	free(ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1); /* aligned as the reader's are */
	size_t at = 0;
	int n;

	if (size)
		memcpy(copy, data, size);
	while (at < size) {
		n = event_check(copy + at, size - at);
		expect_true(n == 0 ? false : n < 0 || (size_t)n <= size - at, "a record ends");
		if (n > 0)
			look_at_record(copy + at, (size_t)n);
		at += n > 0 ? (size_t)n : 8;
	}
	free(copy);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	return mutate_records(data, size, max_size, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
				 uint8_t *out, size_t max_size, unsigned int seed)
{
	return cross_records((struct piece){ a, a_len }, (struct piece){ b, b_len },
			     (struct room){ out, max_size }, seed);
}
