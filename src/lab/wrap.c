/* SPDX-License-Identifier: MIT */
#include "wrap.h"

#include <string.h>

void wrap_print(FILE *out, const char *label, const char *text)
{
	int indent = (int)strlen(label), column = indent, word;

	fputs(label, out);
	while (*text) {
		word = (int)strcspn(text, " \n");
		if (column > indent && column + 1 + word > WRAP_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, (size_t)word, out);
		column += word;
		text += word;
		text += strspn(text, " \n");
	}
	fputc('\n', out);
}
