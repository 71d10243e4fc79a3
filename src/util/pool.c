/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include <assert.h>
#include <stdlib.h>

#define CHUNK_BYTES (64 * 1024)

struct pool_block {
	struct pool_block *next;
};

struct pool_chunk {
	struct pool_chunk *next;
	unsigned long long data[(CHUNK_BYTES - sizeof(void *)) / sizeof(unsigned long long)];
};

static size_t pool_index(size_t size)
{
	assert(size && size <= POOL_BLOCK_MAX);
	return (size - 1) / POOL_STEP;
}

/* A block that never was one before. */
static void *pool_cut(struct pool *p, size_t size)
{
	struct pool_chunk *chunk = p->chunks;
	void *block;

	if (!chunk || p->used + size > sizeof(chunk->data)) {
		chunk = malloc(sizeof(*chunk));
		if (!chunk)
			return NULL;
		chunk->next = p->chunks;
		p->chunks = chunk;
		p->bytes += sizeof(*chunk);
		p->used = 0;
	}
	block = (char *)chunk->data + p->used;
	p->used += size;
	return block;
}

void *pool_get(struct pool *p, size_t size)
{
	size_t i = pool_index(size);
	struct pool_block *block = p->unused[i];

	if (block)
		p->unused[i] = block->next;
	else
		block = pool_cut(p, (i + 1) * POOL_STEP);
	if (block)
		p->in_use++;
	return block;
}

void pool_put(struct pool *p, void *block, size_t size)
{
	size_t i = pool_index(size);
	struct pool_block *head = block;

	head->next = p->unused[i];
	p->unused[i] = head;
	p->in_use--;
}

void pool_trim(struct pool *p, size_t keep)
{
	if (!p->in_use && p->bytes > keep)
		pool_free(p);
}

void pool_free(struct pool *p)
{
	struct pool_chunk *next;

	while (p->chunks) {
		next = p->chunks->next;
		free(p->chunks);
		p->chunks = next;
	}
	*p = (struct pool){ 0 };
}
