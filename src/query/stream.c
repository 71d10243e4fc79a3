/* SPDX-License-Identifier: MIT */
/*
 * A SELECT answered while the recording is read: the first rows come at once, and nothing is kept. It goes for those that
 * walk one of the tables that only grow, once, and look at nothing else; that table is then a virtual one, whose next row is
 * the next that the pipeline makes. Whether a SELECT is such a one, its program tells (EXPLAIN).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../util/text.h"
#include "load.h"

/* Those whose rows come as a scan would give them: by their first column, the id of the event. */
#define COL_ID 0
static const enum table_id growing[] = { TABLE_EVENT, TABLE_SEGMENT, TABLE_STATE };
#define GROWING (sizeof(growing) / sizeof(growing[0]))

struct stream {
	struct query *q;
	enum table_id table;
	__u64 wanted;	   /* columns that the SELECT looks at, a bit each */
	struct rows *rows; /* from on_filter() on; query_free() frees them */
	int (*pull)(void *ctx);
	void *ctx;
	int more; /* what pull said last: 1, 0 at the end, negative errno */
	bool walked;
};

/* --- which table --- */

/* The operations that begin to walk something, or do so apart; each may be met but once. */
static bool op_walks(const char *op)
{
	static const char *const walks[] = { "Rewind", "Last", "Count", "InitCoroutine", "Program", "OpenAutoindex",
					     "VFilter" };
	size_t i;

	for (i = 0; i < sizeof(walks) / sizeof(walks[0]); i++)
		if (!strcmp(op, walks[i]))
			return true;
	return !strncmp(op, "Seek", 4);
}

struct plan {
	int tables; /* opened */
	int root;   /* page of the last of them */
	int walks;
	int from_first; /* of these: from the first row to the last */
};

static int plan_read(struct query *q, const char *sql, struct plan *plan)
{
	char *explain = sqlite3_mprintf("EXPLAIN %s", sql);
	sqlite3_stmt *st = NULL;
	int code = explain ? sqlite3_prepare_v2(q->db, explain, -1, &st, NULL) : SQLITE_NOMEM;

	while (!code && sqlite3_step(st) == SQLITE_ROW) {
		const char *op = (const char *)sqlite3_column_text(st, 1);

		if (!strcmp(op, "OpenRead")) {
			plan->tables++;
			plan->root = sqlite3_column_int(st, 3);
		}
		plan->walks += op_walks(op);
		plan->from_first += !strcmp(op, "Rewind") || !strcmp(op, "Count");
	}
	sqlite3_finalize(st);
	sqlite3_free(explain);
	return code ? -EINVAL : 0;
}

/* Page of a table's root, 0: none. */
static int root_of(struct query *q, enum table_id table)
{
	sqlite3_stmt *st = NULL;
	int root = 0;

	if (sqlite3_prepare_v2(q->db, "SELECT rootpage FROM sqlite_schema WHERE name = ?", -1, &st, NULL))
		return 0;
	sqlite3_bind_text(st, 1, schema_table(table)->name, -1, SQLITE_STATIC);
	if (sqlite3_step(st) == SQLITE_ROW)
		root = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return root;
}

/* The table that sql walks, TABLES: it does something else. */
static enum table_id table_of(struct query *q, const char *sql)
{
	struct plan plan = { 0 };
	size_t i;

	if (plan_read(q, sql, &plan) || plan.tables != 1 || plan.walks != 1 || plan.from_first != 1)
		return TABLES;
	for (i = 0; i < GROWING; i++)
		if (root_of(q, growing[i]) == plan.root)
			return growing[i];
	return TABLES;
}

/* --- the virtual table --- */

struct scan {
	sqlite3_vtab_cursor cursor;
	struct stream *s;
	struct batch *b; /* NULL: at the end */
	unsigned int row;
};

struct table {
	sqlite3_vtab vtab;
	struct stream *s;
};

static struct scan *scan_of(sqlite3_vtab_cursor *c)
{
	return (struct scan *)c;
}

static int on_connect(sqlite3 *db, void *ctx, int argc, const char *const *argv, sqlite3_vtab **out, char **err)
{
	struct stream *s = ctx;
	struct table *t = calloc(1, sizeof(*t));
	struct buf b = { 0 };
	int code = SQLITE_NOMEM;

	(void)argc;
	(void)argv;
	(void)err;
	schema_create(&b, s->table);
	if (t && !b.err)
		code = sqlite3_declare_vtab(db, b.data);
	buf_free(&b);
	if (code) {
		free(t);
		return code;
	}
	t->s = s;
	*out = &t->vtab;
	return SQLITE_OK;
}

static int on_disconnect(sqlite3_vtab *t)
{
	free(t);
	return SQLITE_OK;
}

/* There is one way: from the first row to the last. */
static int on_plan(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
	((struct table *)vtab)->s->wanted |= info->colUsed;
	info->estimatedCost = 1e6;
	info->orderByConsumed = info->nOrderBy == 1 && info->aOrderBy[0].iColumn <= COL_ID &&
				!info->aOrderBy[0].desc; /* -1: the rowid, which is the same */
	return SQLITE_OK;
}

static int on_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out)
{
	struct scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return SQLITE_NOMEM;
	scan->s = ((struct table *)vtab)->s;
	*out = &scan->cursor;
	return SQLITE_OK;
}

static int on_close(sqlite3_vtab_cursor *c)
{
	rows_give_back(scan_of(c)->s->rows, scan_of(c)->b);
	free(c);
	return SQLITE_OK;
}

/* Rows that lie ready, or those of the next frame that makes some. */
static int scan_fill(struct scan *scan)
{
	struct stream *s = scan->s;

	rows_give_back(s->rows, scan->b);
	scan->row = 0;
	while (!(scan->b = rows_take(s->rows)) && s->more > 0) {
		s->more = s->pull(s->ctx);
		if (rows_flush(s->rows))
			s->more = -ENOMEM;
	}
	return s->more < 0 ? SQLITE_IOERR : SQLITE_OK;
}

/* The rowid is looked at without being asked for. */
static bool stream_rows(struct stream *s)
{
	s->rows = rows_new_to_take(s->table, s->wanted | 1 << COL_ID);
	s->q->rows[s->table] = s->rows;
	return s->rows;
}

static int on_filter(sqlite3_vtab_cursor *c, int how, const char *name, int argc, sqlite3_value **argv)
{
	struct scan *scan = scan_of(c);

	(void)how;
	(void)name;
	(void)argc;
	(void)argv;
	if (scan->s->walked) /* table_of() has seen to it that nobody comes twice */
		return SQLITE_MISUSE;
	scan->s->walked = true;
	return stream_rows(scan->s) ? scan_fill(scan) : SQLITE_NOMEM;
}

static int on_next(sqlite3_vtab_cursor *c)
{
	struct scan *scan = scan_of(c);

	return ++scan->row < scan->b->n ? SQLITE_OK : scan_fill(scan);
}

static int on_eof(sqlite3_vtab_cursor *c)
{
	return !scan_of(c)->b;
}

static const struct cell *scan_cell(const struct scan *scan, int column)
{
	const struct rows *r = scan->s->rows;

	return &scan->b->cells[scan->row * r->into.columns + r->cell[column]];
}

static int on_column(sqlite3_vtab_cursor *c, sqlite3_context *out, int column)
{
	const struct cell *cell = scan_cell(scan_of(c), column);

	if (!cell->set)
		sqlite3_result_null(out);
	else if (cell->text)
		sqlite3_result_text(out, cell->text, (int)cell->num, SQLITE_TRANSIENT);
	else
		sqlite3_result_int64(out, cell->num);
	return SQLITE_OK;
}

static int on_rowid(sqlite3_vtab_cursor *c, sqlite3_int64 *id)
{
	*id = scan_cell(scan_of(c), COL_ID)->num;
	return SQLITE_OK;
}

static const sqlite3_module module = {
	.xCreate = on_connect,
	.xConnect = on_connect,
	.xBestIndex = on_plan,
	.xDisconnect = on_disconnect,
	.xDestroy = on_disconnect,
	.xOpen = on_open,
	.xClose = on_close,
	.xFilter = on_filter,
	.xNext = on_next,
	.xEof = on_eof,
	.xColumn = on_column,
	.xRowid = on_rowid,
};

/* --- the pipeline's end of it --- */

static struct render *stream_open(const struct view *v, const struct session_meta *meta)
{
	struct render *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->q = v->sink;
	r->start_ns = meta->start_boot_ns;
	return r;
}

static int stream_step(struct render *r, const struct step *s)
{
	switch (r->q->stream->table) {
	case TABLE_SEGMENT:
		return s->kind == STEP_EVENT && s->ev->kind == EV_SEGMENT ? load_segment(r, s) : 0;
	case TABLE_STATE:
		return s->kind == STEP_EVENT && s->ev->kind == EV_STATE ? load_state(r, s) : 0;
	default:
		return load_event(r, s);
	}
}

static int stream_loss(struct render *r, const struct frame_loss *l)
{
	r->loss = *l;
	return 0;
}

static int stream_finish(struct render *r, const struct frame_loss *total, bool complete)
{
	load_count(r, total, complete);
	return 0;
}

static void stream_close(struct render *r)
{
	free(r);
}

const struct renderer query_streamer = {
	.name = "query",
	.open = stream_open,
	.step = stream_step,
	.loss = stream_loss,
	.finish = stream_finish,
	.close = stream_close,
};

/* --- the SELECT --- */

/* The table, empty so far, gives way to one that is read as it comes. */
static int become_virtual(struct query *q, struct stream *s)
{
	const char *name = schema_table(s->table)->name;
	char sql[128];
	int err = db_ready(q);

	snprintf(sql, sizeof(sql), "DROP TABLE %s; CREATE VIRTUAL TABLE %s USING recording", name, name);
	if (!err)
		err = db_errno(sqlite3_create_module(q->db, "recording", &module, s));
	return err ? err : db_exec(q, sql);
}

bool query_streams(struct query *q, const char *sql)
{
	enum table_id table = table_of(q, sql);

	if (table == TABLES)
		return false;
	q->stream = calloc(1, sizeof(*q->stream));
	if (q->stream)
		*q->stream = (struct stream){ .q = q, .table = table, .more = 1 };
	return q->stream;
}

int query_stream(struct query *q, const char *sql, int (*pull)(void *ctx), void *ctx, const struct query_rows *rows,
		 char *err, size_t size)
{
	struct stream *s = q->stream;
	int ret = become_virtual(q, s);

	if (ret) {
		text_sentence(err, size, "cannot make the tables: %s", strerror(-ret));
		return -EINVAL;
	}
	s->pull = pull;
	s->ctx = ctx;
	ret = query_select(q, sql, rows, err, size);
	if (s->more >= 0)
		return ret;
	err[0] = '\0'; /* what SQLite makes of it says less */
	return s->more;
}
