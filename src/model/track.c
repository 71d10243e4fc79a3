// SPDX-License-Identifier: MIT
#include "track.h"

#include <string.h>

#include "../event/names.h"

/* Start one lap up, so that a base found later may lie below the first sight. */
#define FIRST_LAP (1ULL << 32)

__u64 track_extend(__u64 near, __u32 raw)
{
	return near + (__u64)(__s64)seq_diff(raw, (__u32)near);
}

void track_start(struct track *t, const __u32 *values, unsigned int n, unsigned int from)
{
	unsigned int i;

	memset(t, 0, sizeof(*t));
	t->base = FIRST_LAP + values[from];
	for (i = 0; i < n; i++)
		t->v[i] = track_extend(t->base, values[i]);
	t->seen = true;
}

int track_grow(struct track *t, unsigned int i, __u32 raw)
{
	__s32 d = seq_diff(raw, (__u32)t->v[i]);

	if (d <= 0)
		return d ? -1 : 0;
	t->v[i] += (__u32)d;
	return 1;
}

void track_set_base(struct track *t, __u32 raw)
{
	if (!t->seen)
		return;
	t->base = track_extend(t->base, raw);
	t->exact = true;
}

void track_set_fin(struct track *t, __u32 raw)
{
	if (t->fin_known || !t->seen)
		return;
	t->fin = track_extend(t->v[0], raw);
	t->fin_known = true;
}

__u64 track_pos(const struct track *t, unsigned int i)
{
	return track_place(t, t->v[i]);
}

__u64 track_place(const struct track *t, __u64 v)
{
	if (!t->seen)
		return 0;
	if (t->fin_known && v > t->fin)
		v = t->fin;
	return v > t->base ? v - t->base : 0;
}
