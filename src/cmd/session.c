/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "session.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/options.h"

#define ROWS_MAX 4096	/* probes or notes a recording may bring; we write some dozens */
#define REASON_MAX 4095 /* highest number of a reason that is believed */

static char *clean_copy(const char *text)
{
	char *copy = strdup(text), *at;

	for (at = copy; at && *at; at++)
		if (!isprint((unsigned char)*at))
			*at = '?';
	return copy;
}

static int keep_text(char **where, const char *value)
{
	char *copy = clean_copy(value);

	if (!copy)
		return -ENOMEM;
	free(*where);
	*where = copy;
	return 0;
}

/* "NAME=value", at the end of the list. */
static int keep_row(char ***rows, size_t *n, const char *name, const char *value)
{
	char **list, *row, *clean;

	if (*n >= ROWS_MAX)
		return 0;
	list = realloc(*rows, (*n + 2) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	*rows = list;
	list[*n] = NULL;
	if (asprintf(&row, "%s=%s", name, value) < 0)
		return -ENOMEM;
	clean = clean_copy(row);
	free(row);
	if (!clean)
		return -ENOMEM;
	list[(*n)++] = clean;
	list[*n] = NULL;
	return 0;
}

/* "rst_reason.14": tell the model how this kernel calls it. */
static int keep_reason(struct model *m, const char *table, const char *number, const char *name)
{
	char *clean;
	long n;
	int err;

	if (!m || option_number(number, 0, REASON_MAX, &n))
		return 0;
	clean = clean_copy(name);
	if (!clean)
		return -ENOMEM;
	err = model_reason_name(m, table, (unsigned int)n, clean);
	free(clean);
	return err == -ENOMEM ? err : 0;
}

static int apply_reason(const char *key, const char *value, struct model *m)
{
	if (!strncmp(key, "rst_reason.", 11))
		return keep_reason(m, "rst_reason", key + 11, value);
	if (!strncmp(key, "drop_reason.", 12))
		return keep_reason(m, "drop_reason", key + 12, value);
	return 0;
}

static void apply_layers(struct session *s, unsigned int layers, struct model *m)
{
	s->layers = layers;
	if (layers)
		model_set_layers(m, layers);
}

static int apply_pair(struct session *s, const char *key, const char *value, struct model *m)
{
	if (s->in_use)
		return apply_reason(key, value, m);
	if (!strcmp(key, "kernel"))
		return keep_text(&s->kernel, value);
	if (!strcmp(key, "backend"))
		return keep_text(&s->backend, value);
	if (!strcmp(key, "version"))
		return keep_text(&s->version, value);
	if (!strcmp(key, "scope"))
		return keep_text(&s->scope, value);
	if (!strncmp(key, "probe.", 6))
		return keep_row(&s->probes, &s->n_probes, key + 6, value);
	if (!strncmp(key, "lab.", 4) || !strncmp(key, "said.", 5))
		return keep_row(&s->notes, &s->n_notes, key, value);
	if (!strcmp(key, "start_boot_ns"))
		s->meta.start_boot_ns = strtoull(value, NULL, 10);
	else if (!strcmp(key, "start_unix_ns"))
		s->meta.start_unix_ns = strtoull(value, NULL, 10);
	else if (!strcmp(key, "layers"))
		apply_layers(s, (unsigned int)strtoul(value, NULL, 10) & LAYER_ALL, m);
	return apply_reason(key, value, m); /* keys only grow: an unknown one is a newer one */
}

int session_apply(struct session *s, const void *data, size_t len, struct model *m)
{
	const char *at = data, *end = at + len, *value;
	int err;

	while (at < end) {
		value = memchr(at, '\0', (size_t)(end - at));
		if (!value++ || value == end || !memchr(value, '\0', (size_t)(end - value)))
			break;
		err = apply_pair(s, at, value, m);
		if (err)
			return err;
		at = value + strlen(value) + 1;
	}
	s->meta.kernel = s->kernel;
	s->meta.backend = s->backend;
	s->meta.version = s->version;
	s->meta.scope = s->scope;
	s->meta.probes = (const char *const *)s->probes;
	s->meta.notes = (const char *const *)s->notes;
	return 0;
}

static void rows_free(char **rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(rows[i]);
	free(rows);
}

void session_free(struct session *s)
{
	rows_free(s->probes, s->n_probes);
	rows_free(s->notes, s->n_notes);
	free(s->kernel);
	free(s->backend);
	free(s->version);
	free(s->scope);
	*s = (struct session){ 0 };
}
