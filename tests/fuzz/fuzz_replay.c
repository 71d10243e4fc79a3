/* SPDX-License-Identifier: MIT */
/*
 * The recording reader, and behind it all that `trace show`, `show --json` and `trace explain` run:
 * order, model, explain, the renderers. Any file at all may come, and what is printed of it must be
 * clean, and JSON must be JSON.
 */
#include "cmd/cmd.h"
#include "fuzz.h"
#include "recordings.h"

/* Not twice the work for two widths: which one follows from the input. */
static const char *width(size_t size)
{
	return size / 8 % 2 ? "--width=80" : "--width=190";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *file = fuzz_file(data, size);

	fuzz_run(cmd_show, FUZZ_TEXT, (const char *[]){ "show", width(size), file, NULL });
	fuzz_run(cmd_show, FUZZ_JSON, (const char *[]){ "show", "--json", file, NULL });
	fuzz_run(cmd_explain, FUZZ_TEXT, (const char *[]){ "explain", file, NULL });
	fuzz_run(cmd_explain, FUZZ_JSON, (const char *[]){ "explain", "--json", file, NULL });
	return 0;
}
