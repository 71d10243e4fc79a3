/* SPDX-License-Identifier: MIT */
#include "util/text.h"
#include "view.h"

#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define WIDTH_MIN 60 /* columns: below, three columns of text cannot be told apart */
#define WIDTH_MAX 1000
#define BLOCKED_MAX 3600000 /* ms */

int layers_parse(const char *words, unsigned int *layers)
{
	static const struct {
		const char *word;
		unsigned int layer;
	} names[] = { { "app", LAYER_APP }, { "kernel", LAYER_KERNEL }, { "wire", LAYER_WIRE } };
	unsigned int found = 0;
	size_t i, len;

	for (;; words += len + 1) {
		len = strcspn(words, ",");
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (len == strlen(names[i].word) && !strncmp(words, names[i].word, len))
				break;
		if (i == sizeof(names) / sizeof(names[0]))
			return -EINVAL;
		found |= names[i].layer;
		if (!words[len])
			break;
	}
	*layers = found;
	return 0;
}

static int color_parse(const char *word, enum color_when *when)
{
	static const char *const names[] = { "auto", "always", "never" };
	unsigned int i;

	_Static_assert(sizeof(names) / sizeof(names[0]) == COLOR_NEVER + 1, "a name for each");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(word, names[i]))
			continue;
		*when = (enum color_when)i;
		return 0;
	}
	return -EINVAL;
}

static int width_parse(const char *arg, unsigned int *width)
{
	long n;
	int err = option_number(arg, WIDTH_MIN, WIDTH_MAX, &n);

	if (!err)
		*width = (unsigned int)n;
	return err ? -EINVAL : 0;
}

static int stamp_more(enum stamp *stamp)
{
	*stamp = *stamp == STAMP_RELATIVE ? STAMP_CLOCK : STAMP_DATE;
	return 0;
}

static int view_option_set(struct view_options *o, int id, const char *arg)
{
	switch (id) {
	case VIEW_LAYER:
		return layers_parse(arg, &o->layers);
	case VIEW_JSON:
		o->json = true;
		return 0;
	case VIEW_JSON_SCHEMA:
		o->json_schema = true;
		return 0;
	case VIEW_BLOCKED:
		return option_number(arg, 1, BLOCKED_MAX, &o->blocked_ms) ? -EINVAL : 0;
	case VIEW_COLOR:
		return color_parse(arg, &o->color);
	case VIEW_WIDTH:
		return width_parse(arg, &o->width);
	case 'q':
		o->quiet = true;
		return 0;
	case 't':
		return stamp_more(&o->stamp);
	default:
		return -ENOENT;
	}
}

int view_option(struct view_options *o, int id, const char *arg, char *err, size_t err_size)
{
	int ret = view_option_set(o, id, arg);

	if (ret != -EINVAL)
		return ret;
	if (id == VIEW_LAYER)
		text_sentence(err, err_size,
			      "there is no layer list '%s'; join some of app,kernel,wire by commas",
			      arg);
	else if (id == VIEW_BLOCKED)
		text_sentence(err, err_size,
			      "--blocked cannot be '%s'; give milliseconds, from 1 to %d", arg,
			      BLOCKED_MAX);
	else if (id == VIEW_COLOR)
		text_sentence(err, err_size, "--color cannot be '%s'; it is auto, always or never",
			      arg);
	else
		text_sentence(err, err_size,
			      "--width cannot be '%s'; give a number of columns from %d to %d", arg,
			      WIDTH_MIN, WIDTH_MAX);
	return ret;
}

struct explain_options view_explain(const struct view_options *o)
{
	return (struct explain_options){ .blocked_ns = (__u64)o->blocked_ms * 1000000 };
}

const struct renderer *view_renderer(const struct view_options *o)
{
	return o->json ? &render_json : &render_text;
}

static bool terminal_has_color(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && term && strcmp(term, "dumb");
}

static unsigned int terminal_width(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

int view_fill(struct view *v, const struct view_options *o, FILE *out, char *err, size_t err_size)
{
	int fd = fileno(out);
	bool tty = isatty(fd);

	*v = (struct view){
		.out = out,
		.width = o->width ? o->width :
			 tty	  ? terminal_width(fd) :
				    0,
		.color = o->color == COLOR_ALWAYS ||
			 (o->color == COLOR_AUTO && tty && terminal_has_color()),
		.tty = tty && !strcmp(nl_langinfo(CODESET), "UTF-8"),
		.stamp = o->stamp,
		.no_verdicts = o->quiet,
	};
	if (o->json || !v->width || v->width >= WIDTH_MIN)
		return 0;
	text_sentence(err, err_size,
		      "the terminal has %u columns and the time line needs %d; widen it, or use "
		      "--json or --width",
		      v->width, WIDTH_MIN);
	return -EINVAL;
}
