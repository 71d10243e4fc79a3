/* SPDX-License-Identifier: MIT */
/*
 * Linear probing. A deleted entry leaves a mark so that longer probe runs stay whole (and so that
 * an iteration survives the deletion); marks are swept out when the table is rebuilt.
 */
#include "hash.h"

#include <errno.h>
#include <stdlib.h>

#define HASH_FIRST_CAP 64 /* slots, a power of two */

struct slot {
	__u64 key;
	void *value; /* NULL: free and never used, HASH_GONE: deleted */
};

struct hash {
	struct slot *slots;
	size_t cap;   /* a power of two */
	size_t count; /* entries */
	size_t used;  /* entries and marks */
};

static char gone;
#define HASH_GONE ((void *)&gone)

/* Serial numbers and pid/fd pairs differ in few low bits: spread them (Fibonacci hashing). */
static size_t hash_home(const struct hash *h, __u64 key)
{
	key ^= key >> 32;
	key *= 0x9e3779b97f4a7c15ull;
	return (size_t)(key >> 32) & (h->cap - 1);
}

static struct slot *hash_find(const struct hash *h, __u64 key)
{
	size_t i = hash_home(h, key);

	while (h->slots[i].value) {
		if (h->slots[i].key == key && h->slots[i].value != HASH_GONE)
			return &h->slots[i];
		i = (i + 1) & (h->cap - 1);
	}
	return NULL;
}

/* For a key that is not there, into a table known to have room. */
static void hash_insert(struct hash *h, __u64 key, void *value)
{
	size_t i = hash_home(h, key);

	while (h->slots[i].value && h->slots[i].value != HASH_GONE)
		i = (i + 1) & (h->cap - 1);
	if (!h->slots[i].value)
		h->used++;
	h->slots[i] = (struct slot){ .key = key, .value = value };
	h->count++;
}

static bool hash_is_sparse(const struct hash *h, size_t count)
{
	return h->cap > HASH_FIRST_CAP && count < h->cap / 16;
}

/* A new table for one entry more than now: larger when it is truly full, smaller when it is nearly empty, else swept. */
static int hash_rebuild(struct hash *h)
{
	struct hash new = { .cap = h->cap };
	size_t i;

	if (h->count + 1 > h->cap / 2)
		new.cap *= 2;
	while (hash_is_sparse(&new, h->count))
		new.cap /= 2;
	new.slots = calloc(new.cap, sizeof(*new.slots));
	if (!new.slots)
		return -ENOMEM;
	for (i = 0; i < h->cap; i++)
		if (h->slots[i].value && h->slots[i].value != HASH_GONE)
			hash_insert(&new, h->slots[i].key, h->slots[i].value);
	free(h->slots);
	*h = new;
	return 0;
}

struct hash *hash_new(void)
{
	struct hash *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->cap = HASH_FIRST_CAP;
	h->slots = calloc(h->cap, sizeof(*h->slots));
	if (!h->slots) {
		free(h);
		return NULL;
	}
	return h;
}

void hash_free(struct hash *h)
{
	if (!h)
		return;
	free(h->slots);
	free(h);
}

size_t hash_count(const struct hash *h)
{
	return h->count;
}

void *hash_get(const struct hash *h, __u64 key)
{
	const struct slot *slot = hash_find(h, key);

	return slot ? slot->value : NULL;
}

int hash_put(struct hash *h, __u64 key, void *value)
{
	struct slot *slot = hash_find(h, key);
	int err;

	if (slot) {
		slot->value = value;
		return 0;
	}
	if (h->used + 1 > h->cap / 4 * 3 || hash_is_sparse(h, h->count)) {
		err = hash_rebuild(h);
		if (err)
			return err;
	}
	hash_insert(h, key, value);
	return 0;
}

void *hash_del(struct hash *h, __u64 key)
{
	struct slot *slot = hash_find(h, key);
	void *value;

	if (!slot)
		return NULL;
	value = slot->value;
	slot->value = HASH_GONE;
	h->count--;
	return value;
}

bool hash_next(const struct hash *h, size_t *pos, __u64 *key, void **value)
{
	const struct slot *slot;

	while (*pos < h->cap) {
		slot = &h->slots[(*pos)++];
		if (!slot->value || slot->value == HASH_GONE)
			continue;
		if (key)
			*key = slot->key;
		if (value)
			*value = slot->value;
		return true;
	}
	return false;
}
