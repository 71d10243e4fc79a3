/* SPDX-License-Identifier: MIT */
#include "database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "util/log.h"

int database_load(struct query *q, struct recording *rec, const char *done, bool *usable)
{
	struct pipeline *p = pipeline_new(0);
	int err, status;

	*usable = false;
	if (!p) {
		log_error("out of memory");
		return EXIT_TRACE;
	}
	pipeline_view(p, &query_loader, &(struct view){ .sink = q });
	err = recording_run(rec, p);
	if (pipeline_state(p)->view_err) {
		log_error("cannot load '%s' into tables: %s; free some space, or set TMPDIR to a "
			  "directory that has it",
			  rec->file, strerror(-pipeline_state(p)->view_err));
		status = EXIT_TRACE;
	} else {
		status = recording_result(rec, p, err, done);
		*usable = !err;
	}
	pipeline_free(p);
	return status;
}

static char *read_stream(FILE *in)
{
	char *text = malloc(DATABASE_SQL_MAX + 1);
	size_t len;

	if (!text)
		return NULL;
	len = fread(text, 1, DATABASE_SQL_MAX + 1, in);
	if (!ferror(in) && len <= DATABASE_SQL_MAX && !memchr(text, '\0', len)) {
		text[len] = '\0';
		return text;
	}
	if (!ferror(in))
		errno = EFBIG;
	free(text);
	return NULL;
}

char *database_sql(const char *file)
{
	FILE *in = strcmp(file, "-") ? fopen(file, "re") : stdin;
	char *text = in ? read_stream(in) : NULL;

	if (!text && in && errno == EFBIG)
		log_error("'%s' is no file of SQL: it is binary, or longer than %d bytes", file,
			  DATABASE_SQL_MAX);
	else if (!text)
		log_error("cannot read '%s': %s; check its name", file, strerror(errno));
	if (in && in != stdin)
		fclose(in);
	return text;
}
