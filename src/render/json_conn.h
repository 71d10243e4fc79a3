/* SPDX-License-Identifier: MIT */
/* What JSON lines say of a conversation and its ends. */
#ifndef SOCKLENS_RENDER_JSON_CONN_H
#define SOCKLENS_RENDER_JSON_CONN_H

#include "../model/model.h"
#include "json.h"

/* ledger: the direction in which this socket sends; ledger_in: the one it receives. */
void json_ledgers(struct json *j, const struct step *s);
void json_summary(struct json *j, const struct step *s);

#endif
