/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "db.h"

/* Threads that wake each other for every batch spend their time waking. */
#define AT_ONCE 8

struct writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t todo, home; /* something to write; something came home */
	struct batch *head, **tail;
	unsigned int queued;
	bool hurry; /* somebody waits for a batch to come home */
	bool ending;
	int err; /* nothing more is written */
};

struct batch *batch_new(const struct inserts *into, struct batch **home)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->into = into;
	b->home = home;
	b->cells = calloc(into->rows * into->columns, sizeof(*b->cells));
	b->text = malloc(BATCH_TEXT);
	if (b->cells && b->text)
		return b;
	batch_free(b);
	return NULL;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	free(b->cells);
	free(b->text);
	free(b);
}

static void bind(sqlite3_stmt *st, const struct cell *cells, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!cells[i].set)
			continue;
		if (cells[i].text)
			sqlite3_bind_text(st, (int)i + 1, cells[i].text, (int)cells[i].num,
					  SQLITE_STATIC);
		else
			sqlite3_bind_int64(st, (int)i + 1, cells[i].num);
	}
}

static int run(const struct batch *b, sqlite3_stmt *st, size_t first, unsigned int rows)
{
	const size_t columns = b->into->columns;

	sqlite3_clear_bindings(st);
	bind(st, b->cells + first * columns, rows * columns);
	sqlite3_step(st);
	return db_errno(sqlite3_reset(st));
}

static int batch_write(const struct batch *b)
{
	unsigned int i;
	int err = 0;

	if (b->n == BATCH_ROWS)
		return run(b, b->into->batch, 0, BATCH_ROWS);
	for (i = 0; !err && i < b->n; i++)
		err = run(b, b->into->one, i, 1);
	return err;
}

static struct batch *next_batch(struct writer *w)
{
	struct batch *b;

	while (!w->head && !w->ending)
		pthread_cond_wait(&w->todo, &w->lock);
	b = w->head;
	if (!b)
		return NULL;
	w->head = b->next;
	w->queued--;
	if (!w->head)
		w->tail = &w->head;
	return b;
}

static void *writer_main(void *ctx)
{
	struct writer *w = ctx;
	struct batch *b;
	int err;

	pthread_mutex_lock(&w->lock);
	while ((b = next_batch(w))) {
		err = w->err;
		pthread_mutex_unlock(&w->lock);
		if (!err)
			err = batch_write(b);
		pthread_mutex_lock(&w->lock);
		w->err = err;
		b->n = 0;
		b->text_len = 0;
		b->next = *b->home;
		*b->home = b;
		if (w->hurry && w->queued < AT_ONCE)
			pthread_cond_signal(&w->home);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Signals are for the thread that was there before. */
static int writer_start(struct writer *w)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&w->thread, NULL, writer_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

struct writer *writer_new(void)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->tail = &w->head;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->todo, NULL);
	pthread_cond_init(&w->home, NULL);
	if (!writer_start(w))
		return w;
	free(w);
	return NULL;
}

struct batch *writer_take(struct writer *w, struct batch **home)
{
	struct batch *b;

	pthread_mutex_lock(&w->lock);
	while (!*home) {
		w->hurry = true;
		pthread_cond_signal(&w->todo);
		pthread_cond_wait(&w->home, &w->lock);
	}
	w->hurry = false;
	b = *home;
	*home = b->next;
	pthread_mutex_unlock(&w->lock);
	return b;
}

int writer_put(struct writer *w, struct batch *b)
{
	int err;

	b->next = NULL;
	pthread_mutex_lock(&w->lock);
	*w->tail = b;
	w->tail = &b->next;
	err = w->err;
	if (++w->queued == AT_ONCE)
		pthread_cond_signal(&w->todo);
	pthread_mutex_unlock(&w->lock);
	return err;
}

int writer_end(struct writer *w)
{
	int err;

	if (!w)
		return 0;
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	pthread_cond_signal(&w->todo);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	err = w->err;
	pthread_cond_destroy(&w->home);
	pthread_cond_destroy(&w->todo);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return err;
}
