/* SPDX-License-Identifier: MIT */
#include "wrap.h"

#include <string.h>

void wrap_print(FILE *out, unsigned int width, const char *label, const char *text)
{
	size_t indent = strlen(label), column = indent, gap, word;

	fputs(label, out);
	for (; *text; text += gap + word) {
		gap = strspn(text, " \n");
		word = strcspn(text + gap, " \n");
		if (!word)
			break;
		if (width && column > indent && column + gap + word > width) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else {
			fprintf(out, "%*s", (int)gap, "");
			column += gap;
		}
		fwrite(text + gap, 1, word, out);
		column += word;
	}
	fputc('\n', out);
}
