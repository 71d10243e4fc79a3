// SPDX-License-Identifier: MIT
#include "json_verdict.h"

#include "../event/names.h"
#include "../model/model.h"

void json_verdict(struct json *j, const struct verdict *v, __u64 start_ns)
{
	unsigned int i;

	json_u64(j, "verdict", v->id);
	json_s64(j, "t_ns", (__s64)(v->t_ns - start_ns));
	json_text(j, "kind", "verdict");
	json_text(j, "rule", v->rule->name);
	json_text(j, "weight", weight_name(v->weight));
	json_u64(j, "event", v->step);
	json_u64(j, "pid", v->pid);
	json_u64(j, "sock", v->sock);
	json_u64(j, "conn", v->conn);
	json_text(j, "role", role_name(v->role));
	json_text(j, "question", v->question);
	json_text(j, "cause", v->cause);
	json_text(j, "certainty", certainty_name(v->certainty));
	if (v->basis[0])
		json_text(j, "basis", v->basis);
	if (v->remedy[0])
		json_text(j, "remedy", v->remedy);
	json_list(j, "evidence");
	for (i = 0; i < v->n_evidence; i++)
		json_u64(j, NULL, v->evidence[i]);
	json_end_list(j);
}
