// SPDX-License-Identifier: MIT
/*
 * A name is a list of addresses, and the first need not be the one that answers: what getaddrinfo()
 * gave a process, and which of its addresses connect() tried in vain.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../event/names.h"
#include "connect.h"

static bool same_host(const struct ev_addr *a, const struct ev_addr *b)
{
	struct ev_addr x = *a, y = *b;

	x.port = y.port = 0;
	return addr_equal(&x, &y);
}

/* One address comes once for each type of socket. */
static void name_add(struct name *name, const struct ev_addr *at)
{
	unsigned int i;

	for (i = 0; i < name->n; i++)
		if (same_host(&name->addr[i].at, at))
			return;
	if (name->n < NAME_ADDRS)
		name->addr[name->n++].at = *at;
}

void names_answered(struct explain *x, const struct step *s)
{
	const struct event_gai *g = (const struct event_gai *)s->ev;
	struct connect_state *st = connect_state(x);
	struct name *name = &st->names[st->next_name % NAMES_MAX];
	unsigned int i;

	if (s->phase == PHASE_ENTER || g->ret || g->cflags & CALLF_PENDING)
		return;
	st->next_name++;
	memset(name, 0, sizeof(*name));
	name->pid = g->e.pid;
	name->id = s->id;
	fmt_escaped(name->node, sizeof(name->node), g->node, strnlen(g->node, sizeof(g->node)));
	for (i = 0; i < g->kept && i < EVENT_GAI_ADDRS; i++)
		name_add(name, &g->addrs[i].addr);
}

/* The latest answer to that process with this address; *at = its place. */
static struct name *name_with(struct explain *x, const struct attempt *a, unsigned int *at)
{
	struct connect_state *st = connect_state(x);
	struct name *name, *found = NULL;
	unsigned int i, k;

	for (i = 0; i < NAMES_MAX; i++) {
		name = &st->names[i];
		for (k = 0; name->pid == a->pid && k < name->n; k++) {
			if (!same_host(&name->addr[k].at, &a->to) ||
			    (found && found->id > name->id))
				continue;
			found = name;
			*at = k;
		}
	}
	return found;
}

bool names_failed(struct explain *x, const struct attempt *a, int err, __u64 id)
{
	unsigned int i, at;
	struct name *name = name_with(x, a, &at);

	if (!name)
		return false;
	name->addr[at].at = a->to; /* with the port */
	name->addr[at].err = err;
	name->addr[at].id = id;
	for (i = 0; i < name->n; i++)
		if (!name->addr[i].err)
			return true;
	return false;
}

int names_worked(struct explain *x, const struct step *s, const struct attempt *a)
{
	char first[64], here[64], what[48] = "getaddrinfo() without a name";
	unsigned int i, at, bad;
	struct name *name = name_with(x, a, &at);
	struct verdict v;

	for (bad = 0; name && bad < name->n && !name->addr[bad].err; bad++)
		;
	if (!name || name->told || bad == name->n || name->addr[at].err)
		return 0;
	name->told = true;
	verdict_start(x, &v, &connect_rules[CONNECT_NEXT], s);
	verdict_ask(&v, "Why did it take more than one connect()?");
	if (name->node[0])
		snprintf(what, sizeof(what), "\"%s\"", name->node);
	verdict_say(&v, "%s gave %u addresses: %s failed (%s), %s answered", what, name->n,
		    fmt_addr(first, sizeof(first), &name->addr[bad].at),
		    errno_name(name->addr[bad].err), fmt_addr(here, sizeof(here), &a->to));
	verdict_do(&v,
		   "A client tries all results of getaddrinfo() in order, each with a new socket: "
		   "this one does");
	verdict_prove(&v, name->id);
	for (i = 0; i < name->n; i++)
		verdict_prove(&v, name->addr[i].id);
	return verdict_tell(x, &v);
}
