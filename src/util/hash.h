/* SPDX-License-Identifier: MIT */
/*
 * A map from 64-bit numbers to pointers: open addressing, no allocation per entry. Keys are our
 * own or the kernel's numbers, so there is no defence against chosen collisions.
 */
#ifndef SOCKLENS_UTIL_HASH_H
#define SOCKLENS_UTIL_HASH_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct hash;

struct hash *hash_new(void);	/* NULL: out of memory */
void hash_free(struct hash *h); /* the values stay the caller's; NULL is accepted */
size_t hash_count(const struct hash *h);

void *hash_get(const struct hash *h, __u64 key); /* NULL: no such key */
/* Add or replace; value must not be NULL. Returns 0, or -ENOMEM with the map unchanged. A table most of whose
 * entries are gone gets smaller with the next one added. */
int hash_put(struct hash *h, __u64 key, void *value);
void *hash_del(struct hash *h, __u64 key); /* the value it had, NULL: no such key */

/*
 * Visit every entry: start with *pos = 0 and go on while it returns true. key and value may be
 * NULL. hash_del() is allowed on the way, of any entry; hash_put() only of a key that is present.
 * The order depends on nothing but the history of puts and dels.
 */
bool hash_next(const struct hash *h, size_t *pos, __u64 *key, void **value);

#endif
