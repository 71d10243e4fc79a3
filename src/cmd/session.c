/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "session.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/options.h"

#define PROBES_MAX 512	/* rows a recording may bring; we write some dozens */
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

/* "NAME=how", at the end of the list. */
static int keep_probe(struct session *s, const char *name, const char *how)
{
	char **list, *row, *clean;

	if (s->n_probes >= PROBES_MAX)
		return 0;
	list = realloc(s->probes, (s->n_probes + 2) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	s->probes = list;
	list[s->n_probes] = NULL;
	if (asprintf(&row, "%s=%s", name, how) < 0)
		return -ENOMEM;
	clean = clean_copy(row);
	free(row);
	if (!clean)
		return -ENOMEM;
	list[s->n_probes++] = clean;
	list[s->n_probes] = NULL;
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

static int apply_pair(struct session *s, const char *key, const char *value, struct model *m)
{
	if (!strcmp(key, "kernel"))
		return keep_text(&s->kernel, value);
	if (!strcmp(key, "backend"))
		return keep_text(&s->backend, value);
	if (!strcmp(key, "version"))
		return keep_text(&s->version, value);
	if (!strcmp(key, "scope"))
		return keep_text(&s->scope, value);
	if (!strncmp(key, "probe.", 6))
		return keep_probe(s, key + 6, value);
	if (!strncmp(key, "rst_reason.", 11))
		return keep_reason(m, "rst_reason", key + 11, value);
	if (!strncmp(key, "drop_reason.", 12))
		return keep_reason(m, "drop_reason", key + 12, value);
	if (!strcmp(key, "start_boot_ns"))
		s->meta.start_boot_ns = strtoull(value, NULL, 10);
	else if (!strcmp(key, "start_unix_ns"))
		s->meta.start_unix_ns = strtoull(value, NULL, 10);
	else if (!strcmp(key, "layers"))
		s->layers = (unsigned int)strtoul(value, NULL, 10) & LAYER_ALL;
	return 0; /* keys only grow: an unknown one is a newer one */
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
	return 0;
}

void session_free(struct session *s)
{
	size_t i;

	for (i = 0; i < s->n_probes; i++)
		free(s->probes[i]);
	free(s->probes);
	free(s->kernel);
	free(s->backend);
	free(s->version);
	free(s->scope);
	*s = (struct session){ 0 };
}
