/* SPDX-License-Identifier: MIT */
/*
 * Verdicts: why something happened, from the steps that prove it. Steps of the model go in, verdicts
 * come out; nothing here prints, looks at a clock or changes the model, so the same steps and ticks
 * give the same verdicts, live and from a recording.
 *
 * explain_step() is called with every step of the model, those of hidden layers too, right after it
 * was made; explain_tick() with the horizon behind which nothing older comes.
 */
#ifndef SOCKLENS_EXPLAIN_EXPLAIN_H
#define SOCKLENS_EXPLAIN_EXPLAIN_H

#include "../model/model.h"

#define VERDICT_EVIDENCE 12

enum certainty {
	PROVED = 1,   /* the kernel said so, or nothing else can have caused it */
	INFERRED = 2, /* from what is named in `basis` */
};
const char *certainty_name(enum certainty certainty); /* "proved", "inferred" */

/* Who wants to know. Names reach JSON and SQL: they only grow. */
enum weight {
	WEIGHT_ASIDE = 1, /* ordinary, and often: told when asked for (trace explain, SQL) */
	WEIGHT_NEWS = 2,  /* ordinary, and worth a line where it happens */
	WEIGHT_ALARM = 3, /* a fault, or what people take for one; ordinary traffic has none */
};
const char *weight_name(enum weight weight); /* "aside", "news", "alarm" */

/* What can be told, one entry a verdict: `trace explain --list`. */
struct rule {
	const char *name;  /* "rst-unread": letters, digits, '-' */
	const char *about; /* the question in general: "Why did recv() return 0? The peer closed." */
	enum weight weight;
};

/* Texts are one line of printable ASCII each, without a final full stop. */
struct verdict {
	__u64 id;   /* 1, 2, ... */
	__u64 t_ns; /* boot clock: of the step it belongs to */
	const struct rule *rule;
	enum weight weight; /* rule's own, unless this case is a lesser one */
	enum certainty certainty;
	__u64 step; /* id of the step it is told under */
	__u32 sid;  /* socket it is about, 0 = none */
	__u64 sock; /* its number as JSON has it, 0 = none */
	__u32 conn; /* conversation, 0 = none */
	__u32 pid;  /* process it concerns, 0 = unknown */
	enum layer layer; /* of that step: hidden with it */
	enum role role;
	char question[112]; /* "Why did recv(4) return 0?" */
	char cause[400];    /* one sentence, with the numbers of this run */
	char remedy[240];   /* what to do; "" = nothing needs to be done */
	char basis[200];    /* INFERRED: from what, and what would prove it; else "" */
	unsigned int n_evidence;
	__u64 evidence[VERDICT_EVIDENCE]; /* ids of steps, ascending */
};

typedef int (*verdict_fn)(void *ctx, const struct verdict *v);

struct explain_options {
	__u64 blocked_ns; /* a call that takes longer was blocked; 0 = 20 ms */
};

struct explain;
/* m is only looked at and must outlive the explainer. NULL: out of memory. */
struct explain *explain_new(const struct model *m, const struct explain_options *o, verdict_fn fn,
			    void *ctx);
void explain_free(struct explain *x);
int explain_step(struct explain *x, const struct step *s); /* 0, -ENOMEM, or what fn returned */
int explain_tick(struct explain *x, __u64 horizon_ns);	   /* the same */
int explain_finish(struct explain *x); /* the end: what is still open. The same */
__u64 explain_count(const struct explain *x);	     /* verdicts so far */

/* Every rule there is: call with *pos = 0 until it returns NULL. */
const struct rule *explain_rules(size_t *pos);

#endif
