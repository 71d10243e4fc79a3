/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include <errno.h>
#include <stdlib.h>

int lines_start(struct lines *l)
{
	*l = (struct lines){ .bytes = calloc(1, LINES_BYTES + 1) };
	return l->bytes ? 0 : -ENOMEM;
}

void lines_free(struct lines *l)
{
	free(l->bytes);
	l->bytes = NULL;
}

static void add_byte(struct lines *l, char c, __u64 t_ns)
{
	if (!l->open && l->n == LINES_MAX)
		l->flood = true;
	if (l->len == LINES_BYTES)
		l->flood = true;
	if (l->flood)
		return;
	if (!l->open)
		l->at[l->n++] = (struct line){ .t_ns = t_ns, .text = l->bytes + l->len };
	l->open = c != '\n';
	l->bytes[l->len++] = c == '\n' ? '\0' : c ? c : '?';
}

void lines_add(struct lines *l, const char *bytes, size_t len, __u64 t_ns)
{
	size_t i;

	for (i = 0; i < len && !l->flood; i++)
		add_byte(l, bytes[i], t_ns);
}
