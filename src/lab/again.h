/* SPDX-License-Identifier: MIT */
/*
 * The command line that was given, as a shell takes it, for whoever is to type it once more.
 */
#ifndef SOCKLENS_LAB_AGAIN_H
#define SOCKLENS_LAB_AGAIN_H

#include "lab.h"
#include "util/buf.h"

/* One word, in quotes where it needs them. */
void again_word(struct buf *b, const char *word);
/* "sudo ./lab check 09 FILE" */
void again_command(struct buf *b, const struct session *s, const char *command);
/* What is to stand behind it: " --seed 5" */
void again_options(struct buf *b, const struct session *s);

#endif
