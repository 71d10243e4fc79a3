/* SPDX-License-Identifier: MIT */
#include "live_options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "util/clock.h"
#include "util/text.h"

#define DURATION_MAX_S 31536000.0 /* a year */

enum live_option_id {
	LIVE_PORT = VIEW_OPTION_END,
	LIVE_LPORT,
	LIVE_RPORT,
	LIVE_NETNS,
	LIVE_ALL,
	LIVE_DURATION,
	LIVE_EVENTS,
	LIVE_TEXT,
	LIVE_BACKEND,
	LIVE_READY_FD,
	LIVE_BUFFER,
	LIVE_SOCKETS,
};

static const struct option_row live_rows[] = {
	{ .id = 'p',
	  .name = "pid",
	  .argname = "PID",
	  .group = "What to trace (default: new sockets on loopback and in labs)",
	  .help = "this process and its later children; repeatable" },
	{ .id = 'n',
	  .name = "name",
	  .argname = "GLOB",
	  .help = "processes of this name; * and ? match" },
	{ .id = LIVE_PORT,
	  .name = "port",
	  .argname = "N",
	  .help = "sockets with this port at either end" },
	{ .id = LIVE_LPORT, .name = "lport", .argname = "N", .help = "with this local port" },
	{ .id = LIVE_RPORT, .name = "rport", .argname = "N", .help = "with this remote port" },
	{ .id = LIVE_NETNS,
	  .name = "netns",
	  .argname = "PID|NAME|FILE",
	  .help = "this network namespace: of a process, named by\n'ip netns', or the file for it; repeatable" },
	{ .id = LIVE_ALL, .name = "all", .help = "the whole machine, AF_UNIX included,\nalso beside a COMMAND" },
	VIEW_OPTION_ROWS,
	{ .id = 'o',
	  .name = "output",
	  .argname = "FILE",
	  .group = "Where it goes",
	  .help = "text or JSON to FILE, not to the terminal" },
	{ .id = 'w',
	  .name = "write",
	  .argname = "FILE",
	  .help = "record into FILE, for 'trace show'; no text then" },
	{ .id = LIVE_TEXT, .name = "text", .help = "text on the terminal although -w records" },
	{ .id = LIVE_DURATION,
	  .name = "duration",
	  .argname = "S",
	  .group = "When it ends (also: Ctrl-C, or COMMAND and its children ended)",
	  .help = "after S seconds; fractions allowed" },
	{ .id = LIVE_EVENTS,
	  .name = "events",
	  .argname = "N",
	  .help = "after N calls, segments and kernel moments" },
	{ .id = LIVE_BACKEND,
	  .name = "backend",
	  .argname = "NAME",
	  .group = "How it is done",
	  .help = "auto, fentry, kprobe or tracepoint" },
	{ .id = LIVE_BUFFER,
	  .name = "buffer",
	  .argname = "MIB",
	  .help = "memory for waiting events, a power of two (16)" },
	{ .id = LIVE_SOCKETS,
	  .name = "sockets",
	  .argname = "N",
	  .help = "follow at most N sockets at a time (65536)" },
	{ .id = LIVE_READY_FD,
	  .name = "ready-fd",
	  .argname = "N",
	  .help = "write \"ready\" and a newline to descriptor N once\ntracing has begun" },
	{ .id = 'h', .name = "help", .help = "show this text and end" },
	{ .id = 'V', .name = "version", .help = "show the version and end" },
	{ 0 },
};

struct parse {
	struct live_options *o;
	const char *value; /* of the latest option that has one */
	char *err;
	size_t err_size;
};

static int parse_duration(struct parse *p, const char *arg)
{
	char *end;
	double s = strtod(arg, &end);

	if (end == arg || *end || !isfinite(s) || s <= 0 || s > DURATION_MAX_S) {
		text_sentence(p->err, p->err_size,
			      "'%s' is no duration; give seconds, such as 5 or 0.5", arg);
		return -EINVAL;
	}
	p->o->duration_ns = (__u64)(s * 1e9) + 1;
	return 0;
}

static int parse_events(struct parse *p, const char *arg)
{
	long n;

	if (option_number(arg, 1, LONG_MAX, &n)) {
		text_sentence(p->err, p->err_size,
			      "'%s' is no number of events; give one from 1 up", arg);
		return -EINVAL;
	}
	p->o->events = (__u64)n;
	return 0;
}

#define BUFFER_MIB_MAX 1024
#define SOCKETS_MIN 16
#define SOCKETS_MAX 16777216

static int parse_buffer(struct parse *p, const char *arg)
{
	long mib;

	if (option_number(arg, 1, BUFFER_MIB_MAX, &mib) || (mib & (mib - 1))) {
		snprintf(p->err, p->err_size,
			 "'%s' is no size for --buffer; give MiB, a power of two from 1 to %d", arg,
			 BUFFER_MIB_MAX);
		return -EINVAL;
	}
	p->o->sizes.ring_bytes = (size_t)mib << 20;
	return 0;
}

static int parse_sockets(struct parse *p, const char *arg)
{
	long n;

	if (option_number(arg, SOCKETS_MIN, SOCKETS_MAX, &n)) {
		snprintf(p->err, p->err_size,
			 "'%s' is no number for --sockets; give one from %d to %d", arg,
			 SOCKETS_MIN, SOCKETS_MAX);
		return -EINVAL;
	}
	p->o->sizes.sockets = (__u32)n;
	return 0;
}

static int parse_backend(struct parse *p, const char *arg)
{
	int backend = backend_parse(arg);

	if (backend < 0) {
		text_sentence(p->err, p->err_size,
			      "there is no backend '%s'; it is auto, fentry, kprobe or tracepoint",
			      arg);
		return -EINVAL;
	}
	p->o->backend = (enum backend)backend;
	return 0;
}

/* COMMAND must not inherit it: whoever reads the other end waits for its end, too. */
static int parse_ready_fd(struct parse *p, const char *arg)
{
	long fd;

	if (option_number(arg, 0, INT_MAX, &fd) || fcntl((int)fd, F_GETFD) < 0) {
		text_sentence(p->err, p->err_size,
			      "'%s' is no open descriptor; open it in the shell, as in 9>file",
			      arg);
		return -EINVAL;
	}
	if (fd > STDERR_FILENO)
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	p->o->ready_fd = (int)fd;
	return 0;
}

static int parse_flag(bool *flag)
{
	*flag = true;
	return 0;
}

static int parse_text(const char **where, const char *arg)
{
	*where = arg;
	return 0;
}

static int on_option(void *ctx, int id, const char *arg)
{
	struct parse *p = ctx;
	struct live_options *o = p->o;

	if (arg)
		p->value = arg;
	switch (id) {
	case 'p':
		return target_pids(&o->target, arg, p->err, p->err_size);
	case 'n':
		return target_comm(&o->target, arg, p->err, p->err_size);
	case LIVE_PORT:
		return target_port(arg, &o->target.port, p->err, p->err_size);
	case LIVE_LPORT:
		return target_port(arg, &o->target.lport, p->err, p->err_size);
	case LIVE_RPORT:
		return target_port(arg, &o->target.rport, p->err, p->err_size);
	case LIVE_NETNS:
		return target_netns(&o->target, arg, p->err, p->err_size);
	case LIVE_ALL:
		return parse_flag(&o->all);
	case 'o':
		return parse_text(&o->out, arg);
	case 'w':
		return parse_text(&o->record, arg);
	case LIVE_TEXT:
		return parse_flag(&o->text);
	case LIVE_DURATION:
		return parse_duration(p, arg);
	case LIVE_EVENTS:
		return parse_events(p, arg);
	case LIVE_BACKEND:
		return parse_backend(p, arg);
	case LIVE_BUFFER:
		return parse_buffer(p, arg);
	case LIVE_SOCKETS:
		return parse_sockets(p, arg);
	case LIVE_READY_FD:
		return parse_ready_fd(p, arg);
	case 'h':
		return parse_flag(&o->help);
	case 'V':
		return parse_flag(&o->version);
	default:
		return view_option(&o->view, id, arg, p->err, p->err_size);
	}
}

static int check_together(const struct live_options *o, char *err, size_t err_size)
{
	bool view_on_stdout = o->out ? !strcmp(o->out, "-") : o->text || o->view.json;

	if (o->text && o->view.json)
		text_sentence(
			err, err_size,
			"--text and --json exclude each other; record with -w and show it both ways");
	else if (o->record && !strcmp(o->record, "-") && view_on_stdout)
		text_sentence(
			err, err_size,
			"both the recording and what is shown would go to standard output; give -o a file");
	else if (o->record && !strcmp(o->record, "-") && isatty(STDOUT_FILENO))
		text_sentence(err, err_size,
			      "a recording is not for a terminal; give -w a file, or pipe it on");
	else if (o->record && o->out && output_same_path(o->record, o->out))
		text_sentence(err, err_size,
			      "-o and -w name the same file; give them different ones");
	else
		return 0;
	return -EINVAL;
}

int live_options_parse(struct live_options *o, int argc, char **argv, char *err, size_t err_size)
{
	struct parse p = { .o = o, .err = err, .err_size = err_size };
	char why[256];
	int at;

	*o = (struct live_options){ .ready_fd = -1 };
	err[0] = '\0';
	at = options_parse(argc, argv, live_rows, on_option, &p, why, sizeof(why));
	if (at < 0) {
		if (why[0])
			text_sentence(err, err_size, "%s; 'trace --help' lists the options", why);
		return at;
	}
	if (at < argc) {
		o->command = argv + at;
	} else if (at > 1 && !strcmp(argv[at - 1], "--") && argv[at - 1] != p.value) {
		text_sentence(err, err_size, "no command after '--'; name one, or leave '--' out");
		return -EINVAL;
	}
	return check_together(o, err, err_size);
}

void live_options_help(FILE *out)
{
	fputs("Usage: trace [OPTIONS]\n"
	      "       trace [OPTIONS] [--] COMMAND [ARGUMENT]...\n"
	      "\n"
	      "Show what the kernel does under every socket call, while it happens. With\n"
	      "COMMAND: run it as the invoking user, follow its children, exit with its status.\n"
	      "\n",
	      out);
	options_help(out, live_rows);
}
