/* SPDX-License-Identifier: MIT */
#include "again.h"

#include <string.h>

void again_word(struct buf *b, const char *word)
{
	const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./,:@%=";

	if (word[strspn(word, plain)] == '\0') {
		buf_puts(b, word);
		return;
	}
	buf_puts(b, "'");
	for (; *word; word++)
		if (*word == '\'')
			buf_puts(b, "'\\''");
		else
			buf_add(b, word, 1);
	buf_puts(b, "'");
}

void again_command(struct buf *b, const struct session *s, const char *command)
{
	buf_printf(b, "sudo ./lab %s %s", command, s->lab->number);
	if (!s->opts.word)
		return;
	buf_puts(b, " ");
	again_word(b, s->opts.word);
}

static void option(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, " --%s", name);
	if (!value)
		return;
	buf_puts(b, " ");
	again_word(b, value);
}

void again_options(struct buf *b, const struct session *s)
{
	if (s->opts.skip_prediction)
		option(b, "skip-prediction", NULL);
	if (s->opts.watch)
		option(b, "watch", NULL);
	if (s->opts.seed)
		option(b, "seed", s->opts.seed);
	if (s->opts.record)
		option(b, "record", s->opts.record);
}
