/* SPDX-License-Identifier: MIT */
/*
 * The recording reader, the loader of SQL tables, and rows as `trace query` prints them. Which table
 * is asked, and how it is printed, follows from the input, so that each is asked of many recordings.
 */
#include "cmd/cmd.h"
#include "fuzz.h"
#include "recordings.h"

static const char *const questions[] = {
	"SELECT * FROM event",	"SELECT * FROM call",	 "SELECT * FROM segment",
	"SELECT * FROM sock",	"SELECT * FROM conn",	 "SELECT * FROM state",
	"SELECT * FROM ledger", "SELECT * FROM verdict", "SELECT * FROM loss",
	"SELECT * FROM meta",
};

static const char *question(const uint8_t *data, size_t size)
{
	unsigned int sum = 0;
	size_t i;

	for (i = 0; i < size; i++)
		sum = sum * 31 + data[i];
	return questions[sum % (sizeof(questions) / sizeof(questions[0]))];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *file = fuzz_file(data, size), *sql = question(data, size);

	switch (size / 8 % 3) {
	case 0:
		fuzz_run(cmd_query, FUZZ_TEXT, (const char *[]){ "query", file, sql, NULL });
		break;
	case 1:
		fuzz_run(cmd_query, FUZZ_CSV,
			 (const char *[]){ "query", "--csv", file, sql, NULL });
		break;
	case 2:
		fuzz_run(cmd_query, FUZZ_JSON,
			 (const char *[]){ "query", "--json", file, sql, NULL });
		break;
	}
	return 0;
}
