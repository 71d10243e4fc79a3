// SPDX-License-Identifier: MIT
#include "meta.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "btf_names.h"
#include "util/clock.h"
#include "util/version.h"

static int pair(struct buf *b, const char *key, const char *value)
{
	buf_add(b, key, strlen(key) + 1);
	buf_add(b, value, strlen(value) + 1);
	return b->err;
}

static int pair_u64(struct buf *b, const char *key, __u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", value);
	return pair(b, key, text);
}

static void scope_words(char *text, size_t size, const struct capture_opts *o)
{
	size_t n = 0;
#define ADD(...) n += n < size ? (size_t)snprintf(text + n, size - n, __VA_ARGS__) : 0
	text[0] = 0;
	if (o->all)
		ADD("everything ");
	if (o->command_pid)
		ADD("a command ");
	for (size_t i = 0; i < o->n_pids; i++)
		ADD("process %u ", o->pids[i]);
	if (o->comm)
		ADD("processes named %s ", o->comm);
	if (o->port)
		ADD("port %u ", o->port);
	if (o->lport)
		ADD("local port %u ", o->lport);
	if (o->rport)
		ADD("remote port %u ", o->rport);
	if (o->n_netns)
		ADD("%zu network namespaces ", o->n_netns);
	if (!n)
		ADD("new sockets on loopback and in lab namespaces ");
#undef ADD
	n = strlen(text);
	text[n - 1] = 0;
}

static const char *moment_words(const struct loader *l, int m)
{
	const struct probe_state *s = &l->state[m];

	if (s->way >= 0)
		return probe_table[m].ways[s->way].sites;
	for (int w = WAYS_MAX - 1; w >= 0; w--)
		if (s->why[w][0])
			return s->why[w];
	return "no way to see it";
}

/* What nobody asked for is not missed; what is absent on older kernels in the ordinary course costs little. */
static const char *moment_mark(const struct loader *l, int m)
{
	if (l->state[m].way >= 0 || probe_not_asked(&l->state[m]))
		return "";
	return probe_table[m].optional_note ? "absent: " : "missing: ";
}

static enum backend backend_in_use(const struct loader *l)
{
	enum backend best = BACKEND_TRACEPOINT;

	for (int m = 0; probe_table[m].name; m++)
		if (l->state[m].way >= 0 && probe_table[m].ways[l->state[m].way].backend < best)
			best = probe_table[m].ways[l->state[m].way].backend;
	return best;
}

int meta_run(struct buf *b, const struct loader *l, const struct capture_opts *opts)
{
	char text[512], key[128];
	__u64 boot, real;
	struct utsname u;

	uname(&u);
	clock_anchor(&boot, &real);
	pair(b, "version", SOCKLENS_VERSION);
	pair(b, "kernel", u.release);
	pair(b, "machine", u.machine);
	pair(b, "backend", backend_name(backend_in_use(l)));
	pair_u64(b, "start_boot_ns", boot);
	pair_u64(b, "start_unix_ns", real);
	scope_words(text, sizeof(text), opts);
	pair(b, "scope", text);
	pair_u64(b, "layers", opts->layers);
	for (int m = 0; probe_table[m].name; m++) {
		snprintf(key, sizeof(key), "probe.%s", probe_table[m].name);
		snprintf(text, sizeof(text), "%s%s", moment_mark(l, m), moment_words(l, m));
		pair(b, key, text);
	}
	return b->err;
}

/* The enumerators of one enum, as the pairs "TABLE.VALUE" and name without what all of them begin with. */
struct table {
	struct buf *b;
	const char *prefix, *name;
};

static void add_reason(void *ctx, const char *name, __u32 value)
{
	const struct table *t = ctx;
	size_t len = strlen(t->prefix);
	char key[48];

	snprintf(key, sizeof(key), "%s.%u", t->name, value);
	pair(t->b, key, strncmp(name, t->prefix, len) ? name : name + len);
}

int meta_reasons(struct buf *b)
{
	struct table rst = { b, "SK_RST_REASON_", "rst_reason" };
	struct table drop = { b, "SKB_DROP_REASON_", "drop_reason" };

	btf_enumerators("sk_rst_reason", add_reason, &rst);
	btf_enumerators("skb_drop_reason", add_reason, &drop);
	return b->err;
}
