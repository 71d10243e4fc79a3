/* SPDX-License-Identifier: MIT */
/*
 * What the META frames say about a run, kept as long as its renderers live.
 */
#ifndef SOCKLENS_CMD_SESSION_H
#define SOCKLENS_CMD_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"
#include "render/render.h"

struct session {
	struct session_meta meta; /* points into what follows */
	unsigned int layers;	  /* LAYER_* the run looked at, 0 = not said */
	char *kernel, *backend, *version, *scope;
	char **probes, **notes; /* NULL-terminated */
	size_t n_probes, n_notes;
	bool in_use; /* renderers hold meta: from now on only names of reasons are taken in */
};

/*
 * Take in one META frame; more than one may come. Strings of a recording are a stranger's: bytes
 * that are not printable ASCII become '?'. m may be NULL, else it learns the names of reasons. 0 or
 * -ENOMEM.
 */
int session_apply(struct session *s, const void *data, size_t len, struct model *m);
void session_free(struct session *s); /* the strings, not s */

#endif
