/* SPDX-License-Identifier: MIT */
/* A verdict in JSON. */
#ifndef SOCKLENS_RENDER_JSON_VERDICT_H
#define SOCKLENS_RENDER_JSON_VERDICT_H

#include "../explain/explain.h"
#include "json.h"

/* Into the object that is open. start_ns: boot clock when tracing began. */
void json_verdict(struct json *j, const struct verdict *v, __u64 start_ns);

#endif
