/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "variants.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/options.h"

#define SEED_MAX 1000000

/* splitmix64: any seed is a good one. */
static __u64 next(__u64 *seed)
{
	__u64 z = (*seed += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

long variants_draw(__u64 *seed, long low, long high)
{
	return low + (long)(next(seed) % ((__u64)(high - low) + 1));
}

__u64 variants_seed(void)
{
	__u64 seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return 1;
	return seed % SEED_MAX;
}

/* "NAME=LOW..HIGH" or "NAME=NUMBER" */
static int parse_setting(struct setting *s, char *word)
{
	char *value = strchr(word, '='), *high;

	if (!value || value == word)
		return -EINVAL;
	*value++ = '\0';
	high = strstr(value, "..");
	if (high) {
		*high = '\0';
		high += 2;
	}
	snprintf(s->name, sizeof(s->name), "%s", word);
	if (option_number(value, 0, LONG_MAX, &s->low) ||
	    option_number(high ? high : value, s->low, LONG_MAX, &s->high))
		return -EINVAL;
	return 0;
}

static int parse_word(struct variant *v, char *word)
{
	struct setting s;

	if (!v->name[0]) {
		snprintf(v->name, sizeof(v->name), "%s", word);
		return 0;
	}
	if (parse_setting(&s, word) || v->n == VARIANT_SETTINGS)
		return -EINVAL;
	if (!strcmp(s.name, "limit"))
		v->limit_ms = (unsigned int)s.low;
	else
		v->at[v->n++] = s;
	return 0;
}

static int parse_line(struct variants *v, char *line)
{
	struct variant *one = &v->at[v->n];
	char *word, *rest;

	line[strcspn(line, "#")] = '\0';
	*one = (struct variant){ .limit_ms = VARIANT_LIMIT_MS };
	for (word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
		if (parse_word(one, word))
			return -EINVAL;
	if (one->name[0])
		v->n++;
	return 0;
}

int variants_parse(struct variants *v, const char *text, char *err, size_t size)
{
	char *copy = strdup(text ? text : "plain"), *line, *rest;
	unsigned int number = 0;
	int ret = copy ? 0 : -ENOMEM;

	*v = (struct variants){ 0 };
	err[0] = '\0';
	for (line = copy; !ret && line; line = rest) {
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = '\0';
		number++;
		ret = v->n < VARIANTS_MAX ? parse_line(v, line) : -EINVAL;
	}
	free(copy);
	if (!ret && !v->n)
		ret = -EINVAL;
	if (ret)
		snprintf(err, size,
			 "line %u of 'variants' is wrong: a name, then NAME=NUMBER or "
			 "NAME=LOW..HIGH; at most %d lines",
			 number, VARIANTS_MAX);
	return ret;
}
