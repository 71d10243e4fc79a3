/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "pace.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

#define KEY_CTRL_C 3 /* a key like others while the terminal is ours */

static void sleep_until(__u64 boot_ns)
{
	const struct timespec at = {
		.tv_sec = (time_t)(boot_ns / NSEC_PER_SEC),
		.tv_nsec = (long)(boot_ns % NSEC_PER_SEC),
	};

	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

void pace_until(void *ctx, __u64 t_ns)
{
	struct pace *p = ctx;

	if (!p->began_ns) {
		p->began_ns = clock_boot_ns();
		p->first_ns = t_ns;
	}
	if (t_ns > p->first_ns && !p->quit)
		sleep_until(p->began_ns + (__u64)((double)(t_ns - p->first_ns) / p->speed));
}

/* Enter or space goes on, q ends; the end of the input goes on without waiting. */
static bool key_says_quit(FILE *keys)
{
	int c;

	do
		c = getc(keys);
	while (c != '\n' && c != '\r' && c != ' ' && c != 'q' && c != KEY_CTRL_C && c != EOF);
	return c == 'q' || c == KEY_CTRL_C;
}

static ssize_t slow_write(void *cookie, const char *data, size_t len)
{
	struct pace *p = cookie;
	const char *end = data + len, *line;

	while (data < end && !p->quit) {
		line = memchr(data, '\n', (size_t)(end - data));
		line = line ? line + 1 : end;
		fwrite(data, 1, (size_t)(line - data), p->real);
		if (fflush(p->real))
			return 0; /* an error, as fopencookie(3) has it; errno says which */
		if (line[-1] == '\n')
			p->quit = key_says_quit(p->keys);
		data = line;
	}
	return (ssize_t)len;
}

/* Keys without Enter, echo and signals: the text stays as it would be, and so will the terminal. */
static void keys_raw(struct pace *p)
{
	struct termios t;

	if (tcgetattr(fileno(p->keys), &p->before))
		return;
	t = p->before;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	p->raw = !tcsetattr(fileno(p->keys), TCSANOW, &t);
}

int pace_start(struct pace *p, double speed, bool step, bool stdin_taken, struct view *v)
{
	const cookie_io_functions_t io = { .write = slow_write };

	*p = (struct pace){ .speed = speed };
	if (!step)
		return 0;
	p->keys = stdin_taken ? fopen("/dev/tty", "re") : fdopen(dup(STDIN_FILENO), "r");
	if (!p->keys)
		return -errno;
	p->slow = fopencookie(p, "w", io);
	if (!p->slow) {
		fclose(p->keys);
		p->keys = NULL;
		return -ENOMEM;
	}
	p->real = v->out;
	v->out = p->slow;
	v->line_flush = true;
	keys_raw(p);
	return 0;
}

void pace_end(struct pace *p)
{
	if (p->raw)
		tcsetattr(fileno(p->keys), TCSANOW, &p->before);
	if (p->slow)
		fclose(p->slow);
	if (p->keys)
		fclose(p->keys);
}
