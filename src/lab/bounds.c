/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bounds.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cmd/cmd.h"
#include "page.h"
#include "util/log.h"

#define OF_MINE " FROM call WHERE made_by IS NULL AND comm = '" TRIAL_MINE "' "

/* In a child: of lost events it is the checks that speak. */
static int query_quietly(int argc, char **argv)
{
	log_level = LOG_ERROR;
	return cmd_query(argc, argv);
}

/* The one value that such a query finds in the trial's recording; "" if there is none. */
static void ask_recording(const struct trial *t, char *sql, char *value, size_t size)
{
	char *args[] = { "query", "--csv", (char *)t->recording, sql, NULL };
	struct buf csv = { 0 };
	const char *row;

	value[0] = '\0';
	if (!page_trace(t->user, query_quietly, args, &csv) && csv.data) {
		row = strchr(csv.data, '\n'); /* behind the names of the columns */
		if (row)
			snprintf(value, size, "%.*s", (int)strcspn(row + 1, "\r\n"), row + 1);
	}
	buf_free(&csv);
}

static bool broke(struct bound *b, const char *name, const char *why, ...)
	__attribute__((format(printf, 3, 4)));

static bool broke(struct bound *b, const char *name, const char *why, ...)
{
	va_list args;

	b->name = name;
	va_start(args, why);
	vsnprintf(b->why, sizeof(b->why), why, args);
	va_end(args);
	return true;
}

static bool broke_limit(const struct trial *t, struct bound *b)
{
	char pending[80];

	ask_recording(t, "SELECT ' Which call did not return?'" OF_MINE "AND pending = 1 LIMIT 1",
		      pending, sizeof(pending));
	return broke(b, "it ends by itself",
		     "after %.1f s the run was not over; everything in it was ended.%s",
		     trial_limit_ms(t) / 1000.0, pending);
}

static bool broke_calls(const struct trial *t, struct bound *b)
{
	char most[80];

	ask_recording(t,
		      "SELECT ': ' || name || '() ' || count(*) || ' times'" OF_MINE
		      "GROUP BY name ORDER BY count(*) DESC LIMIT 1",
		      most, sizeof(most));
	return broke(
		b, "it makes few calls",
		"it made more calls than %d MiB can record%s; everything was ended. Is there a loop "
		"without an end, or one that takes single bytes?",
		ARENA_RECORDING, most);
}

static bool broke_status(int status, struct bound *b)
{
	int code = WEXITSTATUS(status);

	if (WIFSIGNALED(status))
		return broke(b, "it ends with status 0",
			     "how it ended is not known: signal %d (%s) ended what had started it. "
			     "Whom does it send signals?",
			     WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (code > 128)
		return broke(b, "it does not crash", "signal %d ended it: %s", code - 128,
			     strsignal(code - 128));
	return code && broke(b, "it ends with status 0",
			     "it ended with status %d: what did it print?", code);
}

bool bounds_broken(const struct trial *t, struct bound *b)
{
	*b = (struct bound){ 0 };
	switch (t->how) {
	case ARENA_LIMIT:
		return broke_limit(t, b);
	case ARENA_CALLS:
		return broke_calls(t, b);
	case ARENA_FLOOD:
		return broke(b, "it prints little",
			     "it printed more than %d lines or %d bytes, and was ended", LINES_MAX,
			     LINES_BYTES);
	case ARENA_CROWD:
		return broke(
			b, "it starts few processes",
			"more than %d processes were there at once; all were ended. Does every "
			"child end?",
			ARENA_TASKS);
	default:
		return broke_status(t->status, b);
	}
}
