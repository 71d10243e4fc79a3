// SPDX-License-Identifier: MIT
/*
 * The notebook: one page a socket, found by its number or its local port. A page is torn out some seconds after the
 * kernel freed the socket; sooner when very many end at once.
 */
#include <stdlib.h>

#include "inside.h"

/* As long as the model can still bring an echo, and a neighbour ask who was there. */
#define NOTE_KEPT_NS (5 * NS_PER_S)
#define NOTES_DEAD_MAX 8192 /* pages of some 3 KB */
#define PORTS 65536

bool book_open(struct explain *x)
{
	TAILQ_INIT(&x->living);
	TAILQ_INIT(&x->dead);
	x->notes = hash_new();
	x->by_port = calloc(PORTS, sizeof(*x->by_port));
	return x->notes && x->by_port;
}

struct note *note_of(const struct explain *x, __u32 sid)
{
	return sid ? hash_get(x->notes, sid) : NULL;
}

struct note *note_peer(const struct explain *x, const struct note *n)
{
	return n ? note_of(x, n->peer) : NULL;
}

struct note *note_get(struct explain *x, __u32 sid)
{
	struct note *n = note_of(x, sid);

	if (n)
		return n;
	n = calloc(1, sizeof(*n) + x->note_bytes);
	if (!n)
		return NULL;
	n->sid = sid;
	n->fd = -1;
	n->opts[OPT_LINGER].n = -1;
	if (hash_put(x->notes, sid, n)) {
		free(n);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&x->living, n, link);
	return n;
}

void note_die(struct explain *x, struct note *n, __u64 t_ns)
{
	if (n->dead)
		return;
	n->dead = true;
	n->t_dead = t_ns;
	TAILQ_REMOVE(&x->living, n, link);
	TAILQ_INSERT_TAIL(&x->dead, n, link);
	x->n_dead++;
}

void note_moves(struct explain *x, struct note *n, const struct ev_addr *src)
{
	if (n->src.port != src->port) {
		if (n->src.port)
			LIST_REMOVE(n, at_port);
		if (src->port)
			LIST_INSERT_HEAD(&x->by_port[src->port], n, at_port);
	}
	n->src = *src;
}

struct note *notes_next(const struct explain *x, size_t *pos)
{
	void *n = NULL;

	return hash_next(x->notes, pos, NULL, &n) ? n : NULL;
}

struct note *notes_living(const struct explain *x, const struct note *after)
{
	return after ? TAILQ_NEXT(after, link) : TAILQ_FIRST(&x->living);
}

struct note *notes_at(const struct explain *x, __u16 port, const struct note *after)
{
	return after ? LIST_NEXT(after, at_port) : LIST_FIRST(&x->by_port[port]);
}

/* The other end lives and may yet ask how this one left. */
static bool note_needed(const struct explain *x, const struct note *n)
{
	const struct note *peer = note_peer(x, n);

	return peer && !peer->dead && peer->peer == n->sid;
}

static void tear_out(struct explain *x, struct note *n)
{
	if (n->src.port)
		LIST_REMOVE(n, at_port);
	hash_del(x->notes, n->sid);
	free(n);
}

/* Each page is looked at once: those that are needed wait again. */
void book_tick(struct explain *x, __u64 now_ns)
{
	struct note *n, *last = TAILQ_LAST(&x->dead, note_head);
	bool more = last;

	while (more && (n = TAILQ_FIRST(&x->dead))) {
		if (now_ns <= n->t_dead + NOTE_KEPT_NS && x->n_dead <= NOTES_DEAD_MAX)
			return;
		more = n != last;
		TAILQ_REMOVE(&x->dead, n, link);
		if (note_needed(x, n)) {
			n->t_dead = now_ns;
			TAILQ_INSERT_TAIL(&x->dead, n, link);
			continue;
		}
		x->n_dead--;
		tear_out(x, n);
	}
}

void book_close(struct explain *x)
{
	size_t pos = 0;
	void *n;

	while (x->notes && hash_next(x->notes, &pos, NULL, &n))
		free(n);
	hash_free(x->notes);
	free(x->by_port);
}
