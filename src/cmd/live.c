/* SPDX-License-Identifier: MIT */
/*
 * trace [OPTIONS] [-- COMMAND]: the live kernel through the pipeline.
 *
 * In this order, so that nothing is loaded or emptied when something later cannot work: options,
 * rights, COMMAND (forked and found, not run), outputs, capture, COMMAND's start, the loop, the end
 * of the outputs, COMMAND's exit status.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"
#include "cmd.h"
#include "command.h"
#include "invoker.h"
#include "live_options.h"
#include "output.h"
#include "patient.h"
#include "pipeline.h"
#include "preflight.h"
#include "record/record.h"
#include "rights.h"
#include "signals.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/text.h"
#include "util/version.h"

/* How long COMMAND's own ending is followed after a signal told both to end. */
#define GRACE_NS (2 * NSEC_PER_SEC)

struct live {
	struct live_options opts;
	struct invoker who;
	struct command_run command;
	struct capture *capture;
	struct pipeline *pipeline;
	struct record_writer *writer; /* NULL: not recording */
	FILE *out;		      /* NULL: nothing is shown */
	FILE *slow;		      /* what is shown goes through here to out */
	struct patient patient;	      /* which waits for the reader */
	bool out_is_stderr;
	__u64 deadline_ns; /* boot clock, 0 = none */
	__u64 grace_ns;	   /* boot clock, 0 = no signal came */
	bool stopping;
	bool forced; /* a second signal: do not even wait for what the kernel still has */
};

static int fail(const char *err)
{
	log_error("%s", err);
	return EXIT_TRACE;
}

/* --- outputs --- */

static int open_stream(struct live *l, char *err, size_t err_size)
{
	const struct live_options *o = &l->opts;
	int fd;

	if (o->out) {
		fd = output_open(&l->who, o->out, err, err_size);
		if (fd < 0)
			return fd;
		l->out = fdopen(fd, "w");
		if (!l->out)
			close(fd);
	} else if (!o->view.json && o->command) {
		l->out = output_dup(STDERR_FILENO);
		l->out_is_stderr = true;
	} else {
		l->out = output_dup(STDOUT_FILENO);
	}
	if (l->out)
		return 0;
	text_sentence(err, err_size, "cannot write the output: %s", strerror(errno));
	return -EINVAL;
}

/* The view writes to a stream that a signal can stop. */
static int open_slow(struct live *l, struct view *view, char *err, size_t err_size)
{
	l->patient = (struct patient){ .fd = fileno(l->out), .hurry = signals_hurry };
	l->slow = view->out = patient_open(&l->patient);
	if (l->slow)
		return 0;
	snprintf(err, err_size, "out of memory");
	return -ENOMEM;
}

static int open_view(struct live *l, char *err, size_t err_size)
{
	const struct live_options *o = &l->opts;
	struct view view;
	int ret;

	if (o->record && !o->out && !o->text && !o->view.json)
		return 0;
	ret = open_stream(l, err, err_size);
	if (!ret)
		ret = view_fill(&view, &o->view, l->out, err, err_size);
	if (!ret)
		ret = open_slow(l, &view, err, err_size);
	if (!ret)
		ret = pipeline_view(l->pipeline, view_renderer(&o->view), &view);
	pipeline_explain(l->pipeline, view_explain(&o->view));
	return ret;
}

static int open_recording(struct live *l, char *err, size_t err_size)
{
	int fd;

	if (!l->opts.record)
		return 0;
	fd = output_open(&l->who, l->opts.record, err, err_size);
	if (fd < 0)
		return fd;
	if (l->out && output_same_file(fd, fileno(l->out))) {
		close(fd);
		text_sentence(err, err_size,
			      "-o and -w name the same file; give them different ones");
		return -EINVAL;
	}
	l->writer = record_writer_new(fd);
	if (!l->writer) {
		close(fd);
		text_sentence(err, err_size, "out of memory");
		return -ENOMEM;
	}
	pipeline_tap(l->pipeline, l->writer);
	return 0;
}

static int open_outputs(struct live *l, char *err, size_t err_size)
{
	int ret;

	l->pipeline = pipeline_new(l->opts.view.layers);
	if (!l->pipeline) {
		text_sentence(err, err_size, "out of memory");
		return -ENOMEM;
	}
	pipeline_limit(l->pipeline, l->opts.events);
	ret = open_view(l, err, err_size);
	return ret ? ret : open_recording(l, err, err_size);
}

/* --- start --- */

static bool kernel_is_content(void *ctx)
{
	return !capture_try(ctx);
}

/* With --all, COMMAND is started and chooses nothing. */
static bool command_alone(const struct live *l)
{
	return l->opts.command && !l->opts.all;
}

/* COMMAND's processes are the invoker's, as we will be: to look into others takes rights. */
static int settle(struct live *l)
{
	enum rights_kept kept = RIGHTS_NONE;
	int err;

	if (!command_alone(l) && capture_finds_libcs(l->capture))
		kept = RIGHTS_LOOK;
	err = rights_settle(&l->who, kept, kernel_is_content, l->capture);
	if (!err)
		return 0;
	log_error("cannot give up the rights that are no longer needed: %s", strerror(-err));
	return EXIT_TRACE;
}

static int start_capture(struct live *l)
{
	const struct live_options *o = &l->opts;
	struct capture_error error = { 0 };
	struct capture_opts opts = {
		.backend = o->backend,
		.layers = o->view.layers ? o->view.layers : LAYER_ALL,
		.all = o->all,
		.sizes = o->sizes,
		.command_pid = command_alone(l) ? (__u32)l->command.pid : 0,
	};

	target_apply(&o->target, &opts);
	l->capture = capture_open(&opts, &error);
	if (!l->capture) {
		preflight_complain(&error);
		return EXIT_TRACE;
	}
	return settle(l);
}

static int say_ready(const struct live *l)
{
	if (!l->opts.view.quiet && !l->opts.command)
		log_info("tracing (Ctrl-C ends)");
	if (l->opts.ready_fd < 0)
		return 0;
	if (write(l->opts.ready_fd, "ready\n", 6) != 6) {
		log_error("cannot write to descriptor %d of --ready-fd: %s", l->opts.ready_fd,
			  strerror(errno));
		return EXIT_TRACE;
	}
	if (l->opts.ready_fd > STDERR_FILENO)
		close(l->opts.ready_fd);
	return 0;
}

/* 0, or the exit status; everything has been said then. */
static int live_start(struct live *l)
{
	struct capture_error error;
	char err[512];
	int status;

	if (preflight_run(&error)) {
		preflight_complain(&error);
		return EXIT_TRACE;
	}
	invoker_find(&l->who);
	if (l->opts.command) {
		status = command_start(&l->command, l->opts.command, &l->who, err, sizeof(err));
		if (status) {
			log_error("%s", err);
			return status;
		}
	}
	if (signals_start())
		return fail("cannot catch signals");
	if (open_outputs(l, err, sizeof(err)))
		return fail(err);
	status = start_capture(l);
	if (!status)
		status = say_ready(l);
	if (status)
		return status;
	status = command_release(&l->command, l->opts.command ? l->opts.command[0] : "", err,
				 sizeof(err));
	if (status)
		log_error("%s", err);
	return status;
}

/* --- the loop --- */

static void live_stop(struct live *l)
{
	if (l->stopping)
		return;
	l->stopping = true;
	capture_stop(l->capture);
}

static void wake_at(const struct live *l, __u64 now)
{
	__u64 at = l->deadline_ns;

	if (l->grace_ns && (!at || l->grace_ns < at))
		at = l->grace_ns;
	signals_wake_after(!at ? 0 : at > now ? at - now : 1);
}

/* Somebody wants an end: a COMMAND that lives is followed while it ends, too. */
static void look_at_signals(struct live *l, const struct signals *s, __u64 now)
{
	if (!s->count)
		return;
	l->forced = s->count > 1;
	if (!l->command.pid || l->command.ended) {
		live_stop(l);
	} else if (!l->grace_ns) {
		if (!s->from_terminal)
			command_signal(&l->command, s->last);
		l->grace_ns = now + GRACE_NS;
		wake_at(l, now);
	} else if (now >= l->grace_ns && !l->stopping) {
		if (!s->from_terminal)
			command_signal(&l->command, SIGTERM);
		live_stop(l);
	}
}

static void look_at_limits(struct live *l, __u64 now)
{
	if (l->stopping ||
	    !(pipeline_state(l->pipeline)->enough || (l->deadline_ns && now >= l->deadline_ns)))
		return;
	command_stop(&l->command);
	live_stop(l);
}

static void look_at_outputs(struct live *l)
{
	const struct pipeline_state *state = pipeline_state(l->pipeline);

	if (state->view_err || state->tap_err || (l->out && output_reader_gone(fileno(l->out))))
		live_stop(l);
}

static void live_look(struct live *l)
{
	struct signals s = signals_seen();
	__u64 now = clock_boot_ns();

	if (s.child)
		command_reap(&l->command);
	if (l->command.alone) /* those it talked to may have something to do yet */
		capture_finish(l->capture);
	look_at_signals(l, &s, now);
	look_at_limits(l, now);
	look_at_outputs(l);
}

static int live_loop(struct live *l)
{
	struct source *source = capture_source(l->capture);
	struct frame f;
	int ret;

	if (l->opts.duration_ns)
		l->deadline_ns = clock_boot_ns() + l->opts.duration_ns;
	wake_at(l, clock_boot_ns());
	for (;;) {
		live_look(l);
		if (l->forced)
			return 0;
		ret = source->next(source, &f);
		if (ret == -EINTR)
			continue;
		if (ret > 0)
			ret = pipeline_frame(l->pipeline, &f);
		else if (ret == 0)
			return 0;
		if (ret < 0)
			return ret;
	}
}

/* --- end --- */

static int output_failed(const char *name, int err)
{
	log_error("cannot write '%s': %s; what was written until then is kept", name,
		  strerror(-err));
	return EXIT_TRACE;
}

static int close_streams(struct live *l)
{
	int err = l->slow ? fclose(l->slow) : 0;

	if (l->out && fclose(l->out) && !err)
		err = EOF;
	l->slow = l->out = NULL;
	return err;
}

/* A terminal that took nothing may not take this, either: what cannot be said must not block. */
static int output_left(void)
{
	if (patient_stuck(STDERR_FILENO))
		log_level = LOG_NOTHING;
	log_error("the end of the output is missing: nobody took it when tracing was to end");
	return EXIT_TRACE;
}

static int end_view(struct live *l)
{
	int err = pipeline_state(l->pipeline)->view_err;

	if (!l->out)
		return 0;
	if (close_streams(l) && !err)
		err = -errno;
	if (!err || err == -EPIPE)
		return 0;
	if (l->patient.gave_up)
		return output_left();
	return output_failed(l->opts.out ? l->opts.out : "standard output", err);
}

static int end_recording(struct live *l)
{
	const struct pipeline_state *state = pipeline_state(l->pipeline);
	int err;

	if (!l->writer)
		return 0;
	err = record_writer_close(l->writer, state->ended);
	l->writer = NULL;
	if (state->tap_err)
		err = state->tap_err;
	if (err == -EPIPE)
		return 0;
	if (err)
		return output_failed(l->opts.record, err);
	if (!l->opts.view.quiet && !l->out_is_stderr)
		log_info("recorded %llu events, %llu lost, in %s",
			 (unsigned long long)state->events, (unsigned long long)state->lost,
			 l->opts.record);
	return 0;
}

static int live_end(struct live *l, int loop_err)
{
	int err = pipeline_finish(l->pipeline), view, recording;

	view = end_view(l);
	recording = end_recording(l);
	if (loop_err || err) {
		log_error("tracing broke off: %s", strerror(-(loop_err ? loop_err : err)));
		return EXIT_TRACE;
	}
	return view ? view : recording;
}

/* Never hide what was not seen. */
static void say_missed(const struct live *l)
{
	const char *why;
	unsigned int n = capture_missed_libcs(l->capture, &why), labs = capture_missed_labs(l->capture);

	if (l->opts.view.quiet)
		return;
	if (labs)
		log_warn("%u network namespace%s of labs %s not looked into, for want of room: "
			 "remove old ones with 'ip netns del'",
			 labs, labs == 1 ? "" : "s", labs == 1 ? "was" : "were");
	if (n)
		log_warn("getaddrinfo was not seen in %u C librar%s (%s)", n, n == 1 ? "y" : "ies",
			 why);
}

static void live_free(struct live *l)
{
	command_cancel(&l->command);
	capture_close(l->capture);
	l->capture = NULL;
	record_writer_close(l->writer, 0);
	close_streams(l);
	pipeline_free(l->pipeline);
}

/* For command_result(): the signal that says not to wait for COMMAND, 0 = none. */
static int forced_by(void)
{
	struct signals s = signals_seen();

	return s.count > 1 ? s.last : 0;
}

static int live_run(struct live *l)
{
	int status = live_start(l), err, own;

	if (status) {
		live_free(l);
		return status;
	}
	err = live_loop(l);
	own = live_end(l, err);
	say_missed(l);
	live_free(l);
	if (l->command.pid)
		status = command_result(&l->command, forced_by);
	return own ? own : status;
}

int cmd_live(int argc, char **argv)
{
	struct live l = { .command = COMMAND_NONE };
	char err[512];

	if (live_options_parse(&l.opts, argc, argv, err, sizeof(err)))
		return fail(err[0] ? err : "these options cannot be read");
	if (l.opts.help) {
		live_options_help(stdout);
		return 0;
	}
	if (l.opts.version) {
		printf("socklens %s\n", SOCKLENS_VERSION);
		return 0;
	}
	if (l.opts.view.json_schema) {
		fputs(render_json_schema(), stdout);
		return 0;
	}
	return live_run(&l);
}
