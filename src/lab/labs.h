/* SPDX-License-Identifier: MIT */
/*
 * The labs, found by their folders: labs/NN-name/. Nothing is registered anywhere.
 */
#ifndef SOCKLENS_LAB_LABS_H
#define SOCKLENS_LAB_LABS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define LAB_NAME 64
#define LAB_TITLE 128

/* Where things are: beside this program, or where `make install` puts them. */
struct places {
	char labs[PATH_MAX];	 /* holds NN-name/ */
	char programs[PATH_MAX]; /* holds NN-name/, with the built programs of each */
	char trace[PATH_MAX];	 /* the tracer */
};

struct lab {
	char name[LAB_NAME]; /* "09-eof" */
	char number[4];	     /* "09" */
	char title[LAB_TITLE];
	unsigned int minutes; /* 0: the handout does not say */
	bool exercise;	      /* it is no tour */
	char dir[PATH_MAX];
	char programs[PATH_MAX];
};

struct labs {
	struct lab *at; /* in the order of their names */
	size_t n;
};

/* 0, or negative errno with one sentence in err. */
int places_find(struct places *p, char *err, size_t size);

/* 0, or negative errno with one sentence in err. */
int labs_find(struct labs *l, const struct places *p, char *err, size_t size);
void labs_free(struct labs *l);
/* By "9", "09" or "09-eof". NULL: there is none. */
const struct lab *labs_get(const struct labs *l, const char *word);

/* DIR/NAME into the caller's PATH_MAX bytes; returns buf. What is too long names nothing. */
char *lab_path(char *buf, const char *dir, const char *name);
bool lab_has(const struct lab *l, const char *file);
/* The whole file, at most 1 MiB. The caller frees it. NULL: errno. */
char *lab_text(const char *dir, const char *file);
/*
 * The name of the one C file in a folder of the lab, such as "starter", into the caller's NAME_MAX
 * + 1 bytes. 0 or -ENOENT.
 */
int lab_source(const struct lab *l, const char *folder, char *name);

#endif
