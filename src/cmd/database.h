/* SPDX-License-Identifier: MIT */
/*
 * What query, check and export share: a recording loaded into SQL tables, and the SQL files they read.
 */
#ifndef SOCKLENS_CMD_DATABASE_H
#define SOCKLENS_CMD_DATABASE_H

#include "query/query.h"
#include "recording.h"

/*
 * The whole recording into q. Exit status as recording_result() has it; *usable is false where
 * there is nothing to ask, and true also for a recording that is cut.
 */
int database_load(struct query *q, struct recording *rec, const char *done, bool *usable);

/*
 * The text of a file, "-" is standard input. The caller frees it. NULL after saying why, among it:
 * it is longer than DATABASE_SQL_MAX, or holds a zero byte.
 */
#define DATABASE_SQL_MAX (1 << 20) /* bytes */
char *database_sql(const char *file);

#endif
